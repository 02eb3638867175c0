"""How connections are shared out between listening sockets on one address: by the kernel, by a program that we give.

Sockets of a group (SO_REUSEPORT) all have one address; a program in the kernel's classic packet filter language says
for each new connection which of them gets it (socket(7), SO_ATTACH_REUSEPORT_CBPF). No connection passes through this
process, and another share counts from the next connection on.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Sequence

from runner.errors import RunnerError

__all__ = ["SharingError", "share_out"]

_SO_ATTACH_REUSEPORT_CBPF = 51
#: Where a filter finds a random number of 32 bits (linux/filter.h, SKF_AD_OFF and SKF_AD_RANDOM).
_RANDOM = 0x1_0000_0000 - 0x1000 + 56
# Instructions: load a word from a place; jump where A >= k; divide with remainder; add; return A.
_LOAD, _JUMP, _MODULO, _ADD, _RETURN_A = 0x20, 0x35, 0x94, 0x04, 0x16


class SharingError(RunnerError):
    """The system can't share connections out by a program."""


def share_out(sockets: Sequence[socket.socket], first: int, share: float) -> None:
    """Gives a `share` (0 to 1) of new connections to the first `first` of the sockets, and the rest to the others.

    `sockets` are all of a group, in the order in which they began to listen, which is how the kernel counts them.
    Within each part all get as many. Raises `SharingError`.
    """
    if not 0 < first < len(sockets) or not 0 <= share <= 1:
        raise ValueError(f"{share} of connections to {first} of {len(sockets)} sockets is no share")
    code = _program(first, len(sockets), share)
    packed = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in code))
    filter_ = struct.pack("HP", len(code), ctypes.addressof(packed))
    try:
        sockets[0].setsockopt(socket.SOL_SOCKET, _SO_ATTACH_REUSEPORT_CBPF, filter_)
    except OSError as error:
        raise SharingError(f"connections can't be shared out by a program in the kernel: {error.strerror}") from None


def _program(first: int, count: int, share: float) -> list[tuple[int, int, int, int]]:
    """Instructions: code, lines to skip where it is true, and where it is false, operand."""
    upper = _one_of(0, first)
    lower = _one_of(first, count - first)
    limit = round(share * 2**32)
    if limit == 0:
        return lower
    if limit == 2**32:
        return upper
    return [(_LOAD, 0, 0, _RANDOM), (_JUMP, len(upper), 0, limit), *upper, *lower]


def _one_of(start: int, count: int) -> list[tuple[int, int, int, int]]:
    return [(_LOAD, 0, 0, _RANDOM), (_MODULO, 0, 0, count), (_ADD, 0, 0, start), (_RETURN_A, 0, 0, 0)]

"""What sockets of both protocols have in common: the operating system's socket, its options, and how many there may be.

It knows nothing of states: who may set an option, and when, is for the classes of `tcp` and `udp`.
"""

from __future__ import annotations

import socket
import sys
import threading
from typing import Any

from witgen.wasi.bindings import host
from witgen.wasi.network import AF, Code, failure, refuse

__all__ = ["NativeSocket", "Slots", "SystemSocket"]

_HIGHEST_INT = (1 << 31) - 1
#: Linux books twice what is asked for, for its own records, and says so when asked (socket(7), SO_RCVBUF).
_BOOKED = 2 if sys.platform.startswith("linux") else 1


class Slots:
    """How many more sockets and look-ups there may be at once."""

    def __init__(self, number: int) -> None:
        self._free = number
        # Garbage may be collected in the middle of `take`, and a socket among it gives its place back then.
        self._lock = threading.RLock()

    def take(self) -> None:
        """Takes a place. Raises `new-socket-limit` if there is none."""
        with self._lock:
            if self._free <= 0:
                refuse(Code.NEW_SOCKET_LIMIT)
            self._free -= 1

    def give_back(self) -> None:
        """Leaves a place to others."""
        with self._lock:
            self._free += 1


class NativeSocket(socket.socket):
    """A socket of Python that closes itself when nobody has it any more: no fault of the host, so no warning."""

    def __del__(self) -> None:
        self.close()


class SystemSocket:
    """A socket of the operating system that never blocks, closed when all of its `users` have let go of it."""

    def __init__(self, native: NativeSocket, slots: Slots) -> None:
        """`slots` has a place for it already, which it gives back."""
        self.native = native
        self.users = 1
        self._slots: Slots | None = slots
        native.setblocking(False)

    @classmethod
    def open(cls, family: host.IpAddressFamily, kind: int, slots: Slots) -> SystemSocket:
        """A new socket. Raises `not-supported` and `new-socket-limit`."""
        slots.take()
        try:
            native = NativeSocket(AF[family], kind)
            if family is host.IpAddressFamily.IPV6:
                native.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        except OSError as error:
            slots.give_back()
            raise failure(error) from None
        return cls(native, slots)

    @property
    def descriptor(self) -> int:
        """The descriptor; -1 if the socket is closed."""
        return self.native.fileno()

    def leave(self) -> None:
        """One user less; the last one closes it."""
        self.users -= 1
        if not self.users:
            self.close()

    def close(self) -> None:
        """Closes the socket, whoever uses it. More than once does no harm."""
        slots, self._slots = self._slots, None
        if slots is not None:
            self.native.close()
            slots.give_back()

    def __del__(self) -> None:
        # An instance that is thrown away drops no handles.
        self.close()

    def exchange(self, native: NativeSocket) -> None:
        """Puts another socket in the place of this one, which is closed."""
        old, self.native = self.native, native
        native.setblocking(False)
        old.close()

    def replace(self, address: Any) -> None:
        """Puts a fresh socket, bound to an address of this one, in its place. Raises `OSError`.

        Both may have the address for a moment, so that no other program can take it.
        """
        old = self.native
        new = NativeSocket(old.family, old.type)
        try:
            new.setblocking(False)
            if old.family == socket.AF_INET6:
                new.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            for level, option in (
                self._hops,
                (socket.SOL_SOCKET, socket.SO_RCVBUF),
                (socket.SOL_SOCKET, socket.SO_SNDBUF),
            ):
                booked = _BOOKED if level == socket.SOL_SOCKET else 1
                new.setsockopt(level, option, old.getsockopt(level, option) // booked)
            for shared in (old, new):
                shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            new.bind(address)
            new.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        except OSError:
            new.close()
            old.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            raise
        self.native = new
        old.close()

    def get(self, level: int, option: int) -> int:
        """The value of an option. Raises `host.NetworkErrorCodeException`."""
        try:
            return self.native.getsockopt(level, option)
        except OSError as error:
            raise failure(error) from None

    def set(self, level: int, option: int, value: int) -> None:
        """Sets an option. Raises `host.NetworkErrorCodeException`."""
        try:
            self.native.setsockopt(level, option, value)
        except OSError as error:
            raise failure(error) from None

    def set_clamped(self, level: int, option: int, value: int, highest: int) -> None:
        """Sets an option that has to be 1 at least, and can't be more than `highest`."""
        if not value:
            refuse(Code.INVALID_ARGUMENT)
        self.set(level, option, min(value, highest))

    @property
    def _hops(self) -> tuple[int, int]:
        if self.native.family == socket.AF_INET:
            return socket.IPPROTO_IP, socket.IP_TTL
        return socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS

    def hop_limit(self) -> int:
        """How many hops what is sent may make."""
        return self.get(*self._hops)

    def set_hop_limit(self, value: int) -> None:
        """Sets it. Raises `invalid-argument` for 0."""
        self.set_clamped(*self._hops, value, 255)

    def buffer_size(self, option: int) -> int:
        """The bytes of the kernel's buffer: `option` is ``socket.SO_RCVBUF`` or ``socket.SO_SNDBUF``."""
        return self.get(socket.SOL_SOCKET, option) // _BOOKED

    def set_buffer_size(self, option: int, value: int) -> None:
        """Asks for a size. Raises `invalid-argument` for 0."""
        self.set_clamped(socket.SOL_SOCKET, option, value, _HIGHEST_INT // _BOOKED)

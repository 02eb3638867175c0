"""What of the network the FTP component gets: its clients, and nobody else.

It may bind ports of the passive range, at the addresses where clients have reached the Runner, and connect to the
addresses that clients have, as long as they are connected. So it can make data connections for those who are there,
and is of no use to anyone who wants to reach somebody else through it (RFC 2577, the "bounce attack").
"""

from __future__ import annotations

import functools
import socket
from collections import Counter
from collections.abc import Sequence

from runner.host.sockets import AcceptedSocket, RunnerSockets
from witgen.wasi.policy import Policy, is_mapped

__all__ = ["FtpSockets"]

#: Ports below this are those of services (RFC 2577, 3).
_LOWEST = 1024


class FtpSockets(RunnerSockets):
    """`wasi:sockets` for one instance."""

    def __init__(
        self,
        listening: Sequence[socket.socket],
        passive: tuple[int, int] | None,
        *,
        active: bool,
        max_sockets: int,
    ) -> None:
        """`passive` are the first and the last port for PASV and EPSV; `active` says whether PORT and EPRT may be."""
        super().__init__(listening, max_sockets=max_sockets)
        self._policy = self._clients = _Clients(passive, active)

    def took(self, system: AcceptedSocket) -> None:
        """A client has come."""
        super().took(system)
        try:
            peer, local = system.native.getpeername()[0], system.native.getsockname()[0]
        except OSError:
            # It has gone already.
            return
        family = system.native.family
        ends = socket.inet_pton(family, local), socket.inet_pton(family, peer)
        self._clients.come(*ends)
        system.left = functools.partial(self._clients.go, *ends)


class _Clients(Policy):
    """What the clients that are there make possible. Addresses are packed."""

    def __init__(self, passive: tuple[int, int] | None, active: bool) -> None:
        super().__init__()
        self._passive = passive
        self._active = active
        self._locals: Counter[bytes] = Counter()
        self._peers: Counter[bytes] = Counter()

    def come(self, local: bytes, peer: bytes) -> None:
        """A client is there."""
        self._locals[local] += 1
        self._peers[peer] += 1

    def go(self, local: bytes, peer: bytes) -> None:
        """It has gone."""
        for ends, address in ((self._locals, local), (self._peers, peer)):
            ends[address] -= 1
            if ends[address] <= 0:
                del ends[address]

    def may_bind(self, protocol: str, address: bytes, port: int) -> bool:
        """Whether it is for the data connection of somebody who is there."""
        if self._passive is None or protocol != "tcp":
            return False
        first, last = self._passive
        return first <= port <= last and _plain(address) in self._locals

    def may_connect(self, protocol: str, address: bytes, port: int) -> bool:
        """Whether it is to somebody who is there."""
        return self._active and protocol == "tcp" and port >= _LOWEST and _plain(address) in self._peers


def _plain(address: bytes) -> bytes:
    return address[-4:] if is_mapped(address) else address

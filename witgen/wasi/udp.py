"""`wasi:sockets/udp`: the states of a UDP socket, and the pair of streams that is its present association.

What a guest receives is not judged: who may bind may listen. Where it sends to is, datagram by datagram.
"""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Sequence
from typing import Any

from witgen import runtime as rt
from witgen.wasi.bindings import host
from witgen.wasi.network import Code, failure, pack, policy_of, refuse, to_remote, to_system, to_wasi
from witgen.wasi.policy import Policy
from witgen.wasi.poll import Pollable, Waitable, Wants, descriptor_ready
from witgen.wasi.resource import Resource
from witgen.wasi.system_socket import Slots, SystemSocket

__all__ = ["IncomingDatagramStream", "OutgoingDatagramStream", "UdpSocket"]

#: The most datagrams that one call receives or sends.
_BATCH = 16
#: No datagram is longer.
_LONGEST = 1 << 16

_UNREACHABLE = {errno.ECONNRESET: Code.REMOTE_UNREACHABLE, errno.ENETRESET: Code.REMOTE_UNREACHABLE}
_STREAM = {**_UNREACHABLE, errno.EADDRNOTAVAIL: Code.ADDRESS_IN_USE, errno.EAGAIN: Code.ADDRESS_IN_USE}


class UdpSocket(Resource, Waitable):
    """`udp-socket`. Methods raise `host.NetworkErrorCodeException` as the interface documents it."""

    kind = "udp-socket"

    def __init__(self, system: SystemSocket, family: host.IpAddressFamily) -> None:
        super().__init__()
        self._system = system
        self._family = family
        #: What the network allows that the socket is bound to; None: it is not.
        self._policy: Policy | None = None
        self._binding = False
        #: The system's address that it was bound to; to have a peer may change the one that it has.
        self._address: Any = None
        self._remote: host.IpSocketAddress | None = None
        self._streams: tuple[IncomingDatagramStream, OutgoingDatagramStream] | None = None

    @classmethod
    def create(cls, family: host.IpAddressFamily, slots: Slots) -> UdpSocket:
        """A new socket. Raises `not-supported` and `new-socket-limit`."""
        return cls(SystemSocket.open(family, socket.SOCK_DGRAM, slots), family)

    def start_bind(self, network: host.Network, local_address: host.IpSocketAddress) -> None:
        """Binds; `finish_bind` has nothing left to do."""
        if self._binding:
            refuse(Code.CONCURRENCY_CONFLICT)
        if self._policy is not None:
            refuse(Code.INVALID_STATE)
        policy = policy_of(network)
        address = to_system(local_address, self._family)
        if not policy.may_bind("udp", *pack(local_address)):
            refuse(Code.ACCESS_DENIED)
        try:
            self._system.native.bind(address)
            self._address = self._system.native.getsockname()
        except OSError as error:
            raise failure(error) from None
        self._policy = policy
        self._binding = True

    def finish_bind(self) -> None:
        """Says that the socket is bound."""
        if not self._binding:
            refuse(Code.NOT_IN_PROGRESS)
        self._binding = False

    def stream(
        self, remote_address: host.IpSocketAddress | None
    ) -> tuple[host.IncomingDatagramStream, host.OutgoingDatagramStream]:
        """The streams of a new association, with one peer or with all; those of the last one are of no use any more."""
        policy = self._bound
        if remote_address is not None:
            address = to_remote(remote_address, self._family)
            if not policy.may_connect("udp", *pack(remote_address)):
                refuse(Code.ACCESS_DENIED)
            try:
                self._system.native.connect(address)
            except OSError as error:
                raise failure(error, _STREAM) from None
        elif self._remote is not None:
            self._disconnect()
        self._remote = remote_address
        for old in self._streams or ():
            old.retire()
        self._streams = (
            IncomingDatagramStream(self._system, remote_address),
            OutgoingDatagramStream(self._system, remote_address, self._family, policy),
        )
        return self._streams

    def local_address(self) -> host.IpSocketAddress:
        """The address that it is bound to."""
        _ = self._bound
        try:
            return to_wasi(self._system.native.getsockname())
        except OSError as error:
            raise failure(error) from None

    def remote_address(self) -> host.IpSocketAddress:
        """The peer of the present association."""
        if self._remote is None:
            refuse(Code.INVALID_STATE)
        return self._remote

    def address_family(self) -> host.IpAddressFamily:
        """IPv4 or IPv6."""
        return self._family

    def unicast_hop_limit(self) -> int:
        """How many hops a datagram may make."""
        return self._system.hop_limit()

    def set_unicast_hop_limit(self, value: int) -> None:
        """Sets that."""
        self._system.set_hop_limit(value)

    def receive_buffer_size(self) -> int:
        """The bytes of the kernel's buffer for what comes in."""
        return self._system.buffer_size(socket.SO_RCVBUF)

    def set_receive_buffer_size(self, value: int) -> None:
        """Asks for another size."""
        self._system.set_buffer_size(socket.SO_RCVBUF, value)

    def send_buffer_size(self) -> int:
        """The bytes of the kernel's buffer for what goes out."""
        return self._system.buffer_size(socket.SO_SNDBUF)

    def set_send_buffer_size(self, value: int) -> None:
        """Asks for another size."""
        self._system.set_buffer_size(socket.SO_SNDBUF, value)

    def subscribe(self) -> host.Pollable:
        """A pollable that is always ready: operations of the socket itself, not of its streams, never wait."""
        return Pollable(self)

    def wants(self) -> Wants:
        """Nothing."""
        return None

    def release(self) -> None:
        """Lets go of the socket; streams that are still there keep it."""
        self._streams = None
        self._system.leave()

    @property
    def _bound(self) -> Policy:
        """What the network allows that the socket is bound to."""
        if self._policy is None or self._binding:
            refuse(Code.INVALID_STATE)
        return self._policy

    def _disconnect(self) -> None:
        """Ends the association with one peer.

        The system's way is to connect to an address of no family, for which Python has no word: another socket takes
        the place, bound to the same port before the old one lets go of it.
        """
        try:
            self._system.replace(self._address)
        except OSError as error:
            raise failure(error, _STREAM) from None


class DatagramStream(Resource, Waitable):
    """What streams of both directions share: they serve one association, until it is replaced by another."""

    mask: int

    def __init__(self, system: SystemSocket, remote: host.IpSocketAddress | None) -> None:
        super().__init__()
        self._system = system
        self._remote = remote
        self._retired = False
        system.users += 1

    def retire(self) -> None:
        """The association has been replaced."""
        self._retired = True

    def subscribe(self) -> host.Pollable:
        """A pollable that is ready when the stream is."""
        return Pollable(self)

    def wants(self) -> Wants:
        """Datagrams, or room for them."""
        return None if self._retired else (self._system.descriptor, self.mask)

    def release(self) -> None:
        """Lets go of the socket."""
        self._retired = True
        self._system.leave()

    def _check(self) -> None:
        if self._retired:
            refuse(Code.INVALID_STATE)


class IncomingDatagramStream(DatagramStream):
    """`incoming-datagram-stream`."""

    kind = "incoming-datagram-stream"

    mask = select.POLLIN

    def __init__(self, system: SystemSocket, remote: host.IpSocketAddress | None) -> None:
        super().__init__(system, remote)
        self._peer = None if remote is None else _identity(system.native.getpeername())
        self._buffer = bytearray(_LONGEST)
        #: An error met after datagrams that had to be given first.
        self._error: OSError | None = None

    def receive(self, max_results: int) -> Sequence[host.IncomingDatagram]:
        """Up to `max_results` datagrams that are there; of one peer alone, if there is one."""
        self._check()
        found: list[host.IncomingDatagram] = []
        most = min(max_results, _BATCH)
        try:
            if self._error is not None and most:
                error, self._error = self._error, None
                raise error
            while len(found) < most:
                size, source = self._system.native.recvfrom_into(self._buffer)
                # What came before there was a peer may be from others.
                if self._peer in (None, _identity(source)):
                    found.append(host.IncomingDatagram(bytes(memoryview(self._buffer)[:size]), to_wasi(source)))
        except BlockingIOError:
            pass
        except OSError as error:
            if not found:
                raise failure(error, _UNREACHABLE) from None
            self._error = error
        return found

    def wants(self) -> Wants:
        """Datagrams, or an error that has not been told."""
        return None if self._error is not None else super().wants()


class OutgoingDatagramStream(DatagramStream):
    """`outgoing-datagram-stream`."""

    kind = "outgoing-datagram-stream"

    mask = select.POLLOUT

    def __init__(
        self,
        system: SystemSocket,
        remote: host.IpSocketAddress | None,
        family: host.IpAddressFamily,
        policy: Policy,
    ) -> None:
        super().__init__(system, remote)
        self._family = family
        self._policy = policy
        self._permit = 0

    def check_send(self) -> int:
        """How many datagrams may be sent."""
        self._check()
        self._permit = _BATCH if descriptor_ready(self._system.descriptor, select.POLLOUT) else 0
        return self._permit

    def send(self, datagrams: Sequence[host.OutgoingDatagram]) -> int:
        """Sends datagrams until there is no room or one can't be sent; gives how many.

        The error of one is told if it is the first. Raises `rt.Trap` if these are more than were permitted.
        """
        if len(datagrams) > self._permit:
            raise rt.Trap(
                f"send: {len(datagrams)} datagrams are more than the {self._permit} that check-send permitted"
            )
        self._check()
        self._permit -= len(datagrams)
        for index, datagram in enumerate(datagrams):
            try:
                self._send(datagram)
            except BlockingIOError:
                return index
            except host.NetworkErrorCodeException:
                if index:
                    return index
                raise
        return len(datagrams)

    def _send(self, datagram: host.OutgoingDatagram) -> None:
        """Sends one. Raises `BlockingIOError` if there is no room."""
        native = self._system.native
        address = self._destination(datagram.remote_address)
        try:
            if address is None:
                native.send(datagram.data)
            else:
                native.sendto(datagram.data, address)
        except BlockingIOError:
            raise
        except OSError as error:
            raise failure(error, _UNREACHABLE) from None

    def _destination(self, remote: host.IpSocketAddress | None) -> Any:
        """Where to send, as an address of the system; None: to the peer."""
        if self._remote is not None:
            if remote not in (None, self._remote):
                refuse(Code.INVALID_ARGUMENT)
            return None
        if remote is None:
            refuse(Code.INVALID_ARGUMENT)
        address = to_remote(remote, self._family)
        if not self._policy.may_connect("udp", *pack(remote)):
            refuse(Code.ACCESS_DENIED)
        return address


def _identity(address: Any) -> Any:
    """What two addresses of the system have in common that mean the same socket: all but the flow information."""
    return address[:2] + address[3:]

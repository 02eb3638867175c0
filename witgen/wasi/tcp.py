"""`wasi:sockets/tcp`: the states of a TCP socket, and who may bring it from one to the next.

Which operations start and finish in which state is in tables here, as the documentation of the interface has them.
Options go to `system_socket`, bytes to `tcp_streams`, addresses and errors to `network`.
"""

from __future__ import annotations

import contextlib
import enum
import errno
import select
import socket
from collections.abc import Set
from typing import ClassVar, NoReturn, Self

from witgen.wasi.bindings import host
from witgen.wasi.network import (
    Code,
    failure,
    is_unicast,
    pack,
    policy_of,
    refuse,
    to_remote,
    to_system,
    to_wasi,
)
from witgen.wasi.policy import Policy
from witgen.wasi.poll import Pollable, Waitable, Wants, descriptor_ready
from witgen.wasi.resource import Resource
from witgen.wasi.system_socket import NativeSocket, Slots, SystemSocket
from witgen.wasi.tcp_streams import TcpInput, TcpOutput

__all__ = ["State", "TcpSocket"]


class State(enum.Enum):
    """The states of a socket, by the names that the documentation of `tcp-socket` gives them."""

    UNBOUND = enum.auto()
    BIND_IN_PROGRESS = enum.auto()
    BOUND = enum.auto()
    LISTEN_IN_PROGRESS = enum.auto()
    LISTENING = enum.auto()
    CONNECT_IN_PROGRESS = enum.auto()
    CONNECTED = enum.auto()
    CLOSED = enum.auto()


_IN_PROGRESS = {State.BIND_IN_PROGRESS, State.LISTEN_IN_PROGRESS, State.CONNECT_IN_PROGRESS}
_WITHOUT_ADDRESS = {State.UNBOUND, State.BIND_IN_PROGRESS, State.CLOSED}
_PAST_LISTENING = {State.CONNECT_IN_PROGRESS, State.CONNECTED, State.CLOSED}
#: What a socket waits for; in all other states its operations are ready at once.
_AWAITS = {State.LISTENING: select.POLLIN, State.CONNECT_IN_PROGRESS: select.POLLOUT}

#: Codes that operations have for themselves.
_CONNECT = {errno.EADDRNOTAVAIL: Code.ADDRESS_IN_USE, errno.EAGAIN: Code.ADDRESS_IN_USE}
_ACCEPT = {
    errno.EINVAL: Code.INVALID_STATE,
    # What was wrong with one connection before it was accepted; the socket goes on.
    **dict.fromkeys((errno.ENETDOWN, errno.EHOSTUNREACH, errno.ENETUNREACH), Code.CONNECTION_ABORTED),
}
#: How many connections wait to be accepted, where the guest does not say.
_BACKLOG = 128
_HIGHEST_BACKLOG = (1 << 31) - 1

_SECOND = 1_000_000_000
#: macOS has another name for it.
_KEEP_IDLE: int = getattr(socket, "TCP_KEEPIDLE", getattr(socket, "TCP_KEEPALIVE", 0))
#: The most that Linux takes: seconds, and packets.
_LONGEST_KEEP = 32767
_MOST_KEEP = 127


class TcpSocket(Resource, Waitable):
    """`tcp-socket`. Methods raise `host.NetworkErrorCodeException` as the interface documents it."""

    kind = "tcp-socket"
    #: What sockets and streams are made of. Subclasses may look at what passes.
    system_class: ClassVar[type[SystemSocket]] = SystemSocket
    stream_classes: ClassVar[tuple[type[TcpInput], type[TcpOutput]]] = (TcpInput, TcpOutput)

    def __init__(
        self,
        system: SystemSocket,
        family: host.IpAddressFamily,
        slots: Slots,
        state: State = State.UNBOUND,
        policy: Policy | None = None,
    ) -> None:
        super().__init__()
        self._system = system
        self._family = family
        self._slots = slots
        self._state = state
        #: What the network allows that the socket is attached to.
        self._policy = policy
        self._backlog = _BACKLOG
        self._streams: tuple[TcpInput, TcpOutput] | None = None

    @classmethod
    def create(cls, family: host.IpAddressFamily, slots: Slots) -> Self:
        """A new socket. Raises `not-supported` and `new-socket-limit`."""
        return cls(cls.system_class.open(family, socket.SOCK_STREAM, slots), family, slots)

    # Operations in two steps

    def start_bind(self, network: host.Network, local_address: host.IpSocketAddress) -> None:
        """Binds; `finish_bind` has nothing left to do."""
        self._begin({State.UNBOUND})
        policy = policy_of(network)
        address = to_system(local_address, self._family)
        packed, port = pack(local_address)
        if not is_unicast(packed):
            refuse(Code.INVALID_ARGUMENT)
        if not policy.may_bind("tcp", packed, port):
            refuse(Code.ACCESS_DENIED)
        native = self._system.native
        try:
            # So that a port may be bound again of which the system still remembers connections. A free port is one
            # that nobody has at all: for that the option would be a hindrance.
            native.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, port != 0)
            native.bind(address)
        except OSError as error:
            raise failure(error) from None
        self._policy = policy
        self._state = State.BIND_IN_PROGRESS

    def finish_bind(self) -> None:
        """Says that the socket is bound."""
        self._in_progress(State.BIND_IN_PROGRESS)
        self._state = State.BOUND

    def start_connect(self, network: host.Network, remote_address: host.IpSocketAddress) -> None:
        """Begins to connect, from any free port if the socket is not bound. That needs no permission to bind."""
        self._begin({State.UNBOUND, State.BOUND})
        policy = policy_of(network)
        address = to_remote(remote_address, self._family)
        packed, port = pack(remote_address)
        if not is_unicast(packed) or self._policy not in (None, policy):
            refuse(Code.INVALID_ARGUMENT)
        if not policy.may_connect("tcp", packed, port):
            refuse(Code.ACCESS_DENIED)
        self._policy = policy
        number = self._system.native.connect_ex(address)
        if number not in (0, errno.EINPROGRESS):
            self._fail(OSError(number, "connect"))
        self._state = State.CONNECT_IN_PROGRESS

    def finish_connect(self) -> tuple[host.InputStream, host.OutputStream]:
        """The streams of the connection."""
        self._in_progress(State.CONNECT_IN_PROGRESS)
        if not descriptor_ready(self._system.descriptor, select.POLLOUT):
            refuse(Code.WOULD_BLOCK)
        number = self._system.get(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self._fail(OSError(number, "connect"))
        return self._open_streams()

    def start_listen(self) -> None:
        """Listens; `finish_listen` has nothing left to do."""
        self._begin({State.BOUND})
        try:
            self._system.native.listen(self._backlog)
            # Connections inherit it, and those that the system remembers must have it too.
            self._system.native.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        except OSError as error:
            self._fail(error)
        self._state = State.LISTEN_IN_PROGRESS

    def finish_listen(self) -> None:
        """Says that the socket listens."""
        self._in_progress(State.LISTEN_IN_PROGRESS)
        self._state = State.LISTENING

    def accept(self) -> tuple[host.TcpSocket, host.InputStream, host.OutputStream]:
        """The next connection, whoever it comes from."""
        if self._state is not State.LISTENING:
            refuse(Code.INVALID_STATE)
        self._slots.take()
        try:
            found, _ = self._system.native.accept()
            native = NativeSocket(found.family, found.type, found.proto, found.detach())
        except OSError as error:
            self._slots.give_back()
            raise failure(error, _ACCEPT) from None
        system = self.system_class(native, self._slots)
        accepted = type(self)(system, self._family, self._slots, State.CONNECTED, self._policy)
        return (accepted, *accepted._open_streams())

    def shutdown(self, shutdown_type: host.ShutdownType) -> None:
        """Ends one direction or both. What was written before goes out first."""
        if self._state is not State.CONNECTED or self._streams is None:
            refuse(Code.INVALID_STATE)
        incoming, outgoing = self._streams
        if shutdown_type is not host.ShutdownType.SEND:
            incoming.finish()
        if shutdown_type is not host.ShutdownType.RECEIVE:
            outgoing.finish()

    # What it is

    def local_address(self) -> host.IpSocketAddress:
        """The address that it is bound to."""
        if self._state in _WITHOUT_ADDRESS:
            refuse(Code.INVALID_STATE)
        try:
            return to_wasi(self._system.native.getsockname())
        except OSError as error:
            raise failure(error) from None

    def remote_address(self) -> host.IpSocketAddress:
        """The address that it is connected to."""
        if self._state is not State.CONNECTED:
            refuse(Code.INVALID_STATE)
        try:
            return to_wasi(self._system.native.getpeername())
        except OSError as error:
            raise failure(error) from None

    def is_listening(self) -> bool:
        """Whether it listens."""
        return self._state is State.LISTENING

    def address_family(self) -> host.IpAddressFamily:
        """IPv4 or IPv6."""
        return self._family

    def subscribe(self) -> host.Pollable:
        """A pollable that follows the socket through its states."""
        return Pollable(self)

    def wants(self) -> Wants:
        """What the operation waits for that the state makes the next one."""
        mask = _AWAITS.get(self._state)
        return None if mask is None else (self._system.descriptor, mask)

    def release(self) -> None:
        """Lets go of the socket; streams that are still there keep the connection."""
        self._state = State.CLOSED
        self._streams = None
        self._system.leave()

    # Options

    def set_listen_backlog_size(self, value: int) -> None:
        """How many connections may wait to be accepted."""
        if not value:
            refuse(Code.INVALID_ARGUMENT)
        if self._state in _PAST_LISTENING:
            refuse(Code.INVALID_STATE)
        self._backlog = min(value, _HIGHEST_BACKLOG)
        if self._state in (State.LISTEN_IN_PROGRESS, State.LISTENING):
            try:
                self._system.native.listen(self._backlog)
            except OSError:
                refuse(Code.NOT_SUPPORTED)

    def keep_alive_enabled(self) -> bool:
        """Whether a silent peer is asked for signs of life."""
        return bool(self._open.get(socket.SOL_SOCKET, socket.SO_KEEPALIVE))

    def set_keep_alive_enabled(self, value: bool) -> None:
        """Sets that."""
        self._open.set(socket.SOL_SOCKET, socket.SO_KEEPALIVE, value)

    def keep_alive_idle_time(self) -> int:
        """After how many nanoseconds it is asked."""
        return self._open.get(socket.IPPROTO_TCP, _KEEP_IDLE) * _SECOND

    def set_keep_alive_idle_time(self, value: int) -> None:
        """Sets that; rounded up to seconds."""
        self._open.set_clamped(socket.IPPROTO_TCP, _KEEP_IDLE, -(-value // _SECOND), _LONGEST_KEEP)

    def keep_alive_interval(self) -> int:
        """How many nanoseconds lie between one question and the next."""
        return self._open.get(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) * _SECOND

    def set_keep_alive_interval(self, value: int) -> None:
        """Sets that; rounded up to seconds."""
        self._open.set_clamped(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, -(-value // _SECOND), _LONGEST_KEEP)

    def keep_alive_count(self) -> int:
        """After how many questions without an answer the peer is given up."""
        return self._open.get(socket.IPPROTO_TCP, socket.TCP_KEEPCNT)

    def set_keep_alive_count(self, value: int) -> None:
        """Sets that."""
        self._open.set_clamped(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, value, _MOST_KEEP)

    def hop_limit(self) -> int:
        """How many hops a packet may make."""
        return self._open.hop_limit()

    def set_hop_limit(self, value: int) -> None:
        """Sets that."""
        self._open.set_hop_limit(value)

    def receive_buffer_size(self) -> int:
        """The bytes of the kernel's buffer for what comes in."""
        return self._open.buffer_size(socket.SO_RCVBUF)

    def set_receive_buffer_size(self, value: int) -> None:
        """Asks for another size."""
        self._open.set_buffer_size(socket.SO_RCVBUF, value)

    def send_buffer_size(self) -> int:
        """The bytes of the kernel's buffer for what goes out."""
        return self._open.buffer_size(socket.SO_SNDBUF)

    def set_send_buffer_size(self, value: int) -> None:
        """Asks for another size."""
        self._open.set_buffer_size(socket.SO_SNDBUF, value)

    # Parts

    @property
    def _open(self) -> SystemSocket:
        """The system's socket, unless it is closed."""
        if self._state is State.CLOSED:
            refuse(Code.INVALID_STATE)
        return self._system

    def _begin(self, states: Set[State]) -> None:
        """Refuses to start an operation in other states than these."""
        if self._state in _IN_PROGRESS:
            refuse(Code.CONCURRENCY_CONFLICT)
        if self._state not in states:
            refuse(Code.INVALID_STATE)

    def _in_progress(self, state: State) -> None:
        """Refuses to finish what has not been started."""
        if self._state is not state:
            refuse(Code.NOT_IN_PROGRESS)

    def _fail(self, error: OSError) -> NoReturn:
        """Closes the socket for good."""
        self._state = State.CLOSED
        self._system.close()
        raise failure(error, _CONNECT) from None

    def _open_streams(self) -> tuple[TcpInput, TcpOutput]:
        self._state = State.CONNECTED
        # WASI 0.2 has no option for it, and guests write in small pieces: none should wait for the last one's receipt.
        with contextlib.suppress(OSError):
            self._system.native.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        incoming, outgoing = self.stream_classes
        self._streams = incoming(self._system), outgoing(self._system)
        return self._streams

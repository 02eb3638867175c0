"""Listening sockets that belong to the Runner and outlive the components that use them.

A component binds and listens as on any host; where it asks for an address that the Runner listens on already, it gets
that. So connections wait in the kernel's queue while one component ends and the next begins, and when a component is
lost its connections can be told so.
"""

from __future__ import annotations

import contextlib
import select
import socket
import weakref
from collections.abc import Callable, Iterator, Sequence

from runner.host.files import FileSource
from runner.host.streams import Outlet
from witgen.wasi import Sockets
from witgen.wasi.bindings import host
from witgen.wasi.network import pack, policy_of
from witgen.wasi.poll import descriptor_ready
from witgen.wasi.system_socket import NativeSocket, SystemSocket
from witgen.wasi.tcp import State, TcpSocket
from witgen.wasi.tcp_streams import TcpInput, TcpOutput

__all__ = ["AcceptedSocket", "RunnerSockets", "secure"]


class RunnerSockets(Sockets):
    """`wasi:sockets` for one component instance, with listening sockets of the Runner.

    The other arguments are those of `witgen.wasi.Sockets`.
    """

    def __init__(
        self,
        listening: Sequence[socket.socket],
        connect: Sequence[str] = (),
        bind: Sequence[str] = (),
        lookup: bool | Sequence[str] = False,
        *,
        max_sockets: int = 256,
    ) -> None:
        self._listening = {_key(item): item for item in listening}
        super().__init__(connect, bind, lookup, max_sockets=max_sockets)
        self._accepted: weakref.WeakSet[AcceptedSocket] = weakref.WeakSet()

    def create_tcp_socket(self, address_family: host.IpAddressFamily) -> host.TcpSocket:
        """A new socket, which may become one of the Runner's."""
        found = _Socket.create(address_family, self._slots)
        found.listening = self._listening
        found.owner = self
        return found

    def took(self, system: AcceptedSocket) -> None:
        """A connection was accepted on a socket of the Runner."""
        self._accepted.add(system)

    def unanswered(self) -> Iterator[socket.socket]:
        """The connections on which something has come in since anything was last sent: somebody waits there."""
        return self._accepted_ones(lambda system: system.waiting)

    def readable(self) -> Iterator[socket.socket]:
        """The connections on which bytes from here are understood, as there is no TLS between."""
        return self._accepted_ones(lambda system: not system.secured)

    def tell(self, data: bytes) -> int:
        """Sends bytes on all connections where somebody waits, and ends them; gives how many those were."""
        return _tell(self.unanswered(), data)

    def tell_all(self, data: bytes) -> int:
        """Sends bytes on all connections where they are understood, and ends them; gives how many those were."""
        return _tell(self.readable(), data)

    def _accepted_ones(self, which: Callable[[AcceptedSocket], bool]) -> Iterator[socket.socket]:
        for system in list(self._accepted):
            if system.descriptor >= 0 and which(system):
                yield system.native


def _tell(connections: Iterator[socket.socket], data: bytes) -> int:
    count = 0
    for native in connections:
        with contextlib.suppress(OSError):
            native.send(data)
            native.shutdown(socket.SHUT_WR)
            count += 1
    return count


class AcceptedSocket(SystemSocket):
    """The system's socket of a connection."""

    #: Whether the peer has sent something and had no answer since.
    waiting = False
    #: Whether what goes over it is TLS.
    secured = False
    #: Called when it is closed.
    left: Callable[[], None] | None = None

    def close(self) -> None:
        """Closes the socket, whoever uses it."""
        super().close()
        left, self.left = self.left, None
        if left is not None:
            left()


class _Input(TcpInput):
    """What comes in."""

    def receive(self, size: int) -> bytes:
        data = self._system.native.recv(size)
        self._system.waiting = True  # type: ignore[attr-defined]
        return data


class _Output(TcpOutput):
    """What goes out. Where nothing is kept, which is the rule, it takes the shortest way to the socket."""

    #: Whether the kernel's buffer was full when bytes were to be passed on that are kept nowhere here.
    _full = False

    def room(self) -> int:
        """How many bytes can be written now; none where the kernel had no room and has none yet."""
        if self._full:
            self._full = not descriptor_ready(self._system.descriptor, select.POLLOUT)
        return 0 if self._full else super().room()

    def woken(self) -> bool:
        """Whether there is room: the system says so."""
        self._full = False
        return super().woken()

    def send(self, data: memoryview) -> int:
        sent = self._system.native.send(data)
        self._system.waiting = False  # type: ignore[attr-defined]
        return sent

    def write(self, contents: bytes) -> None:
        if self.closed or self._error is not None or self._pending or not contents:
            super().write(contents)
            return
        self._spend(len(contents))
        try:
            sent = self._system.native.send(contents)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.fail(error)
        self._system.waiting = False  # type: ignore[attr-defined]
        if sent < len(contents):
            self._put(contents[sent:])

    def splice(self, src: host.InputStream, len: int) -> int:
        """From memory and from files of the Runner the bytes go as they lie there, as many as the socket takes."""
        if not isinstance(src, (Outlet, FileSource)) or self.closed or self._error is not None or self._pending:
            return super().splice(src, len)
        native = self._system.native
        try:
            if isinstance(src, FileSource):
                return src.send_to(native, len)
            wanted = min(src.held, len)
            sent = src.pass_on(native.sendmsg, len)
            self._full = sent < wanted
            return sent
        except BlockingIOError:
            self._full = True
            return 0
        except OSError as error:
            self.fail(error)


class _Socket(TcpSocket):
    """`tcp-socket`, which takes over a listening socket where it is to be bound to the address of one."""

    system_class = AcceptedSocket
    stream_classes = (_Input, _Output)
    listening: dict[tuple[bytes, int], socket.socket]
    owner: RunnerSockets

    def start_bind(self, network: host.Network, local_address: host.IpSocketAddress) -> None:
        """Binds, or takes what is bound and listens already."""
        found = self.listening.get(pack(local_address))
        if found is None or self._state is not State.UNBOUND:
            super().start_bind(network, local_address)
            return
        self._adopt(network, found.dup())

    def start_listen(self) -> None:
        """Listens, unless it does."""
        if not self._adopted:
            super().start_listen()
            return
        self._begin({State.BOUND})
        self._state = State.LISTEN_IN_PROGRESS

    def accept(self) -> tuple[host.TcpSocket, host.InputStream, host.OutputStream]:
        """The next connection."""
        found = super().accept()
        accepted = found[0]
        assert isinstance(accepted, _Socket) and isinstance(accepted._system, AcceptedSocket)
        accepted.listening, accepted.owner = {}, self.owner
        if self._adopted:
            self.owner.took(accepted._system)
        return found

    _adopted = False

    def _adopt(self, network: host.Network, listening: socket.socket) -> None:
        self._system.exchange(NativeSocket(listening.family, listening.type, listening.proto, listening.detach()))
        self._policy = policy_of(network)
        self._adopted = True
        self._state = State.BIND_IN_PROGRESS


def _key(listening: socket.socket) -> tuple[bytes, int]:
    address = listening.getsockname()
    return socket.inet_pton(listening.family, address[0]), address[1]


def secure(stream: object) -> None:
    """Notes that what goes over the connection of a stream is TLS from now on."""
    if isinstance(stream, _Input) and isinstance(stream._system, AcceptedSocket):
        stream._system.secured = True

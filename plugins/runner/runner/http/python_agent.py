"""The same client without the component: h11 over a socket of the system, under the same policy.

Each request has a connection of its own. Name, address and port are held against the rules before a packet leaves.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Self

import h11

from runner.http.messages import TIMEOUTS, ClientTimeouts, HttpError, Kind, Request, Response, Target
from witgen.wasi.names import domain_name
from witgen.wasi.policy import Policy

__all__ = ["PythonClient"]

_SIZE = 1 << 16
_HEADER_BYTES = 1 << 16
#: The most that is sent before looking whether the server has said something.
_PIECE = 1 << 14
#: Fields that the client sets by itself.
_FRAMING = {"connection", "content-length", "host", "transfer-encoding"}


class PythonClient:
    """As `HttpClient`."""

    def __init__(
        self,
        *,
        connect: Sequence[str] = (),
        lookup: bool | Sequence[str] = False,
        context: ssl.SSLContext | None = None,
        timeouts: ClientTimeouts = TIMEOUTS,
    ) -> None:
        """As `HttpClient`; `lookup` are names that may be looked up besides. Raises ValueError for a broken rule."""
        self._policy = Policy(connect, (), lookup)
        self._context = context
        self._timeouts = timeouts
        self._open: set[_Connection] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections."""
        for connection in list(self._open):
            self._leave(connection)

    def send(self, request: Request) -> Response:
        """Sends a request and waits for the head of the response. Raises `HttpError`."""
        target = Target.parse(request.url)
        connection = _Connection(self._timeouts, request.deadline)
        try:
            # What can't be sent is found before anybody is asked.
            head = _head(request, target)
            connection.open(_addresses(self._policy, target), target, self._context)
            self._open.add(connection)
            connection.send(head)
            found = connection.exchange(request.content)
        except BaseException:
            self._leave(connection)
            raise
        fields = [(name.decode("ascii"), value) for name, value in found.headers if name != b"transfer-encoding"]
        version = found.http_version.decode("ascii")
        return Response(found.status_code, version, fields, self._pieces(connection), lambda: self._leave(connection))

    def _pieces(self, connection: _Connection) -> Iterator[bytes]:
        try:
            yield from connection.content()
        finally:
            self._leave(connection)

    def _leave(self, connection: _Connection) -> None:
        self._open.discard(connection)
        connection.close()


def _head(request: Request, target: Target) -> h11.Request:
    content = request.content
    length = len(content) if isinstance(content, bytes) else request.length
    if request.method == "CONNECT":
        raise HttpError(Kind.INVALID_ARGUMENT, "CONNECT is not offered")
    try:
        fields = [(b"host", target.authority.encode("ascii")), (b"connection", b"close")]
        fields += [(name.encode("ascii"), value) for name, value in request.fields if name.lower() not in _FRAMING]
        if length is None:
            fields.append((b"transfer-encoding", b"chunked"))
        elif length or request.method in ("POST", "PUT", "PATCH"):
            fields.append((b"content-length", b"%d" % length))
        return h11.Request(method=request.method, target=target.path, headers=fields)
    except (h11.LocalProtocolError, UnicodeEncodeError) as error:
        raise HttpError(Kind.INVALID_ARGUMENT, str(error)) from None


def _addresses(policy: Policy, target: Target) -> list[tuple[int, str]]:
    """Family and address of each that the policy allows."""
    try:
        name = domain_name(target.host)
    except ValueError:
        name = None
    if name is not None and not _is_address(target.host):
        if not policy.may_look_up(name):
            raise HttpError(Kind.DENIED, f"{target.host} must not be looked up")
        found = _look_up(target)
        policy.found(name, [socket.inet_pton(family, address) for family, address in found])
    else:
        found = [(socket.AF_INET6 if ":" in target.host else socket.AF_INET, target.host)]
    allowed = [
        (family, address)
        for family, address in found
        if policy.may_connect("tcp", socket.inet_pton(family, address), target.port)
    ]
    if not allowed:
        raise HttpError(Kind.DENIED, f"no rule allows to connect to {target.host}:{target.port}")
    return allowed


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
            return True
        except OSError:
            continue
    return False


def _look_up(target: Target) -> list[tuple[int, str]]:
    try:
        rows = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        kind = Kind.TRANSIENT if error.errno == socket.EAI_AGAIN else Kind.PERMANENT
        raise HttpError(kind, f"{target.host} has no address: {error.strerror}") from None
    return [(family, str(address[0])) for family, _, _, _, address in rows]


class _Connection:
    """One connection and its exchange."""

    def __init__(self, timeouts: ClientTimeouts, deadline: float | None) -> None:
        self._timeouts = timeouts
        self._ends = None if deadline is None else time.monotonic() + deadline
        self._sock: socket.socket | None = None
        #: The pieces of content that are not sent yet; None where nothing is to be sent any more.
        self._left: Iterator[bytes] | None = None
        self._machine = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEADER_BYTES)

    @property
    def sock(self) -> socket.socket:
        """The open socket."""
        assert self._sock is not None
        return self._sock

    def open(self, addresses: list[tuple[int, str]], target: Target, context: ssl.SSLContext | None) -> None:
        """Connects to the first address that can be reached, and begins TLS for https."""
        if target.scheme == "https" and context is None:
            raise HttpError(Kind.DENIED, "TLS is not granted")
        reason: OSError | None = None
        for family, address in addresses:
            self._sock = socket.socket(family, socket.SOCK_STREAM)
            self._allow(self._timeouts.connect)
            try:
                self._sock.connect((address, target.port))
                break
            except OSError as error:
                reason = error
                self._sock.close()
        else:
            assert reason is not None
            kind = Kind.TIMEOUT if isinstance(reason, TimeoutError) else Kind.TRANSIENT
            raise HttpError(kind, f"{target.host}:{target.port} can't be reached: {reason.strerror or reason}")
        if target.scheme == "https":
            assert context is not None
            self._begin_tls(context, target.host)

    def _begin_tls(self, context: ssl.SSLContext, host: str) -> None:
        try:
            # An end that TLS does not announce may be anybody's: it is no end of a content (RFC 9112, 9.8).
            self._sock = context.wrap_socket(self.sock, server_hostname=host, suppress_ragged_eofs=False)
        except TimeoutError:
            raise HttpError(Kind.TIMEOUT, "TLS was not begun in time") from None
        except ssl.SSLCertVerificationError as error:
            message = f"the server's certificate is not trusted: {error.verify_message}"
            raise HttpError(Kind.PERMANENT, message) from None
        except (ssl.SSLEOFError, ConnectionError) as error:
            raise HttpError(Kind.TRANSIENT, f"the server has gone while TLS began: {error.strerror}") from None
        except ssl.SSLError as error:
            raise HttpError(Kind.PERMANENT, f"TLS can't be begun: {error.reason}") from None

    def exchange(self, content: bytes | Iterable[bytes]) -> h11.Response:
        """Sends the content, and gives the head of the answer, which may come before all of that is sent."""
        self._left = _cut(content)
        while isinstance(head := self._event(self._timeouts.response), h11.InformationalResponse):
            if head.status_code == 101:
                raise HttpError(Kind.PROTOCOL, "the server changes the protocol")
        assert isinstance(head, h11.Response)
        return head

    def content(self) -> Iterator[bytes]:
        """The content of the answer; what the server has not got of the request goes on meanwhile."""
        while isinstance(event := self._event(self._timeouts.content), h11.Data):
            yield bytes(event.data)

    def send(self, event: h11.Event) -> None:
        """Sends a part of the request."""
        try:
            data = self._machine.send(event)
        except h11.LocalProtocolError as error:
            raise HttpError(Kind.INVALID_ARGUMENT, str(error)) from None
        self._allow(self._timeouts.send)
        try:
            self.sock.sendall(data or b"")
        except TimeoutError:
            raise HttpError(Kind.TIMEOUT, "the server does not take the request") from None
        except OSError:
            # It may have answered before it went.
            self._left = None

    def _event(self, seconds: float) -> h11.Event:
        """What comes next from the server, which has so many seconds for it once it has the request."""
        until = time.monotonic() + seconds
        while True:
            try:
                event = self._machine.next_event()
                if event is h11.NEED_DATA:
                    if self._left is not None:
                        self._go_on(self._left)
                        until = time.monotonic() + seconds
                    else:
                        self._receive(until - time.monotonic())
                    continue
            except h11.RemoteProtocolError as error:
                raise HttpError(self._kind_of(error), str(error)) from None
            if isinstance(event, (h11.ConnectionClosed, type)):
                raise HttpError(Kind.CLOSED, "the server has closed the connection")
            return event

    def _go_on(self, left: Iterator[bytes]) -> None:
        """Takes what the server says, or else sends the next piece of the content."""
        self._allow(self._timeouts.send)
        poll = select.poll()
        poll.register(self.sock, select.POLLIN | select.POLLOUT)
        seconds = self.sock.gettimeout() or 0
        ready = dict(poll.poll(seconds * 1000)).get(self.sock.fileno(), 0)
        if not ready:
            raise HttpError(Kind.TIMEOUT, "the server does not take the request")
        if ready & ~select.POLLOUT and self._has_received():
            return
        if ready & select.POLLOUT:
            piece = next(left, None)
            if piece is None:
                self._left = None
            self.send(h11.EndOfMessage() if piece is None else h11.Data(data=piece))

    def _has_received(self) -> bool:
        """Takes what the server has said, if that is anything: what comes may be for TLS alone."""
        self.sock.settimeout(0)
        try:
            self._take()
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        return True

    def _receive(self, seconds: float) -> None:
        self._allow(seconds)
        try:
            self._take()
        except TimeoutError:
            raise HttpError(Kind.TIMEOUT, "the server takes too long") from None

    def _take(self) -> None:
        try:
            data = self.sock.recv(_SIZE)
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
            raise
        except ssl.SSLEOFError:
            raise HttpError(Kind.CLOSED, "the server has gone without ending TLS") from None
        except OSError as error:  # ssl.SSLError is one.
            raise HttpError(Kind.CLOSED, f"the server has gone: {error.strerror}") from None
        self._machine.receive_data(data)

    def _kind_of(self, error: h11.RemoteProtocolError) -> Kind:
        if self._machine.trailing_data[1]:
            # The connection has ended in the middle of the answer.
            return Kind.CLOSED
        return Kind.EXHAUSTED if error.error_status_hint == 431 else Kind.PROTOCOL

    def _allow(self, seconds: float) -> None:
        """Sets how long the next step may take."""
        if self._ends is not None:
            seconds = min(seconds, self._ends - time.monotonic())
        if seconds <= 0:
            raise HttpError(Kind.TIMEOUT, "it was not done in time")
        self.sock.settimeout(seconds)

    def close(self) -> None:
        """Ends the connection."""
        if self._sock is not None:
            self._sock.close()


def _cut(content: bytes | Iterable[bytes]) -> Iterator[bytes]:
    """Content in pieces that a socket has room for; empty ones are left out, as they would end it."""
    for piece in [content] if isinstance(content, bytes) else content:
        for at in range(0, len(piece), _PIECE):
            yield piece[at : at + _PIECE]

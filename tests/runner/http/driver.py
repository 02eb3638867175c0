"""Drives the HTTP component in a thread: a loop that waits, calls `accept` and lets an application answer.

What the host heard is kept: tests look at it after the fact. Sockets, component and streams are real.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self, TypeVar

import runner.bindings.http_component as wit
from runner.host import Logging, Readiness, Tls

from tests.runner.driving import PATIENCE, Driven
from witgen import runtime as rt
from witgen import wasi

SECOND = 1_000_000_000
LIMITS = wit.ServerLimits(
    connections=256,
    exchanges=128,
    request_line=1024,
    header_bytes=4096,
    header_fields=32,
    content=1 << 40,
    inline_content=16 << 10,
    stream_buffer=64 << 10,
    requests=1000,
)
#: Longer than any test waits: what only goes on because of a time-out is an error.
TIMEOUTS = wit.ServerTimeouts(header=60 * SECOND, content=60 * SECOND, send=60 * SECOND, idle=60 * SECOND)

T = TypeVar("T")
Application = Callable[["Server", wit.ServerRequest], None]


def response(body: bytes = b"", status: int = 200, *fields: tuple[str, bytes]) -> wit.ServerResponse:
    """An answer that is all there."""
    return wit.ServerResponse(status, list(fields), wit.OutgoingContent_Inline(body))


def hello(server: Server, request: wit.ServerRequest) -> None:
    """Answers every request in the same way."""
    server.respond(request, response(b"hello"))


def imports(tls: Tls | None = None, log: Callable[..., None] = lambda *_: None) -> wit.HttpComponentImports:
    """What the Runner gives the component."""
    return wit.HttpComponentImports(Logging(log, "http"), Readiness(), tls or Tls())


def provider(max_sockets: int = 2048, sockets: wasi.Sockets | None = None, **grants: Any) -> rt.Provider:
    """The WASI of the component: loopback addresses alone, or the sockets that are given."""
    granted = {"connect": ["127.0.0.1:*", "[::1]:*"], "bind": ["127.0.0.1:*", "[::1]:*"], **grants}
    sockets = sockets or wasi.Sockets(max_sockets=max_sockets, **granted)
    return wasi.provider(clocks=wasi.Clocks(), sockets=sockets)


class Server(Driven):
    """A listener on a free port of the loopback, in a thread of its own, until the end of a `with` statement."""

    heard = ("opened", "requests", "bodies", "reports", "closed")

    def __init__(
        self,
        component: rt.Component,
        application: Application = hello,
        *,
        tls: Tls | None = None,
        scheme: wit.Scheme = wit.Scheme.HTTP,
        max_sockets: int = 2048,
        batch: int = 64,
        limits: dict[str, int] | None = None,
        timeouts: dict[str, int] | None = None,
    ) -> None:
        #: What the component has logged: level, message and fields.
        self.logged: list[tuple[wit.Level, str, dict[str, Any]]] = []
        given = imports(tls, lambda *message: self.logged.append(message))
        self.guest = wit.HttpComponent(component, given, providers=[provider(max_sockets)])
        address = wit.IpSocketAddress_Ipv4(wit.Ipv4SocketAddress(0, (127, 0, 0, 1)))
        config = wit.ListenConfig(
            address, 128, scheme, replace(LIMITS, **limits or {}), replace(TIMEOUTS, **timeouts or {})
        )
        self.listener = self.guest.server.start_listen(config)
        local = self.listener.local_address()
        assert isinstance(local, wit.IpSocketAddress_Ipv4)
        self.port = local.value.port
        super().__init__(self.listener, "http")
        self.application = application
        self.opened: list[wit.Connection] = []
        self.requests: list[wit.ServerRequest] = []
        self.bodies: list[wit.BodyEnd] = []
        self.reports: list[wit.Report] = []
        self.closed: list[int] = []
        self._batch = batch

    def respond(self, request: wit.ServerRequest, answer: wit.ServerResponse) -> None:
        """Answers, unless the client has gone."""
        try:
            self.guest.server.respond(request.exchange, answer)
        except wit.TypesErrorException as error:
            if error.value.kind is not wit.TypesErrorKind.CLOSED:
                raise

    def connect(self) -> Client:
        """A new connection to the server."""
        return Client(socket.create_connection(("127.0.0.1", self.port), PATIENCE))

    def poll(self) -> Any:
        """The next batch."""
        return self.guest.server.accept(self.listener, self._batch)

    def answer(self, batch: Any) -> None:
        """Has the application do what a batch asks for."""
        for request in batch.requests:
            self.application(self, request)


class Client:
    """A socket, with a few words of HTTP."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def read_until(self, end: bytes) -> bytes:
        """All up to and with some bytes."""
        while end not in self._rest:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError(f"the server has closed the connection after {self._rest!r}")
            self._rest += data
        found, _, self._rest = self._rest.partition(end)
        return found + end

    def read_exactly(self, count: int) -> bytes:
        while len(self._rest) < count:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError(f"the server has closed the connection after {self._rest!r}")
            self._rest += data
        found, self._rest = self._rest[:count], self._rest[count:]
        return found

    def rest(self) -> bytes:
        """All up to the end of the connection; a reset counts as one."""
        try:
            while data := self.sock.recv(65536):
                self._rest += data
        except ConnectionResetError:
            pass
        found, self._rest = self._rest, b""
        return found

    def answer(self, head: bool = False) -> Answer:
        """The next final answer."""
        while True:
            lines = self.read_until(b"\r\n\r\n").decode("latin-1").split("\r\n")
            status = int(lines[0].split(" ")[1])
            if status >= 200:
                break
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        if head or status in (204, 304):
            body = b""
        elif fields.get("transfer-encoding") == "chunked":
            body = b"".join(self._chunks())
        elif "content-length" in fields:
            body = self.read_exactly(int(fields["content-length"]))
        else:
            body = self.rest()
        return Answer(status, fields, body)

    def _chunks(self) -> list[bytes]:
        found: list[bytes] = []
        while size := int(self.read_until(b"\r\n"), 16):
            found.append(self.read_exactly(size))
            assert self.read_exactly(2) == b"\r\n"
        assert self.read_exactly(2) == b"\r\n"
        return found

    def is_closed(self) -> bool:
        """Whether the server ends the connection, rather than to wait for the next request."""
        self.send(b"GET /again HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return self.rest() == b""


class Answer:
    """What came back."""

    def __init__(self, status: int, fields: dict[str, str], body: bytes) -> None:
        self.status = status
        self.fields = fields
        self.body = body

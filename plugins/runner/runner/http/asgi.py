"""One request through an application of ASGI 3.0 (asgi.readthedocs.io, "HTTP & WebSocket ASGI Message Format").

A `Cycle` makes the scope of a request, runs the application and hands its answer on. It knows the contract's values and
the two pipes, and no component: who answers for it (`Answering`) does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol, TypeAlias
from urllib.parse import unquote

import runner.bindings.http_component as wit
from runner.http.pipes import Sink, Source

__all__ = ["Answering", "App", "Cycle", "Place", "Scope"]

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
#: An application.
App: TypeAlias = Callable[
    [Scope, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]

_VERSIONS = {wit.Version.HTTP10: "1.0", wit.Version.HTTP11: "1.1"}
_ASGI = {"version": "3.0", "spec_version": "2.4"}
_INTERNAL_ERROR = wit.ServerResponse(
    500,
    [("content-type", b"text/plain; charset=utf-8"), ("connection", b"close")],
    wit.OutgoingContent_Inline(b"Internal Server Error"),
)
_BODYLESS = {204, 304}


class Place:
    """What is the same for all requests of a connection: both addresses, and the scheme."""

    __slots__ = ("client", "scheme", "server")

    def __init__(self, client: tuple[str, int], server: tuple[str, int], scheme: str) -> None:
        self.client = client
        self.server = server
        self.scheme = scheme


class Answering(Protocol):
    """Who stands between cycles and the component."""

    def respond(self, cycle: Cycle, response: wit.ServerResponse) -> None:
        """Answers the cycle's request."""
        raise NotImplementedError

    def receive(self, cycle: Cycle, body: wit.RequestBody, sink: Sink) -> None:
        """Lets the content of the cycle's request come."""
        raise NotImplementedError

    def go_on(self) -> None:
        """Has the component do what has become possible."""
        raise NotImplementedError

    def failed(self, cycle: Cycle, error: BaseException) -> None:
        """The application has raised an exception."""
        raise NotImplementedError

    def ended(self, cycle: Cycle) -> None:
        """The application has returned, and everything is given to the component."""
        raise NotImplementedError


class Cycle:
    """A request from its header to the end of its answer."""

    __slots__ = (
        "_answering",
        "_begun",
        "_content",
        "_given",
        "_gone",
        "_head",
        "_limit",
        "_source",
        "connection",
        "exchange",
        "id",
        "sink",
        "task",
    )

    def __init__(self, request: wit.ServerRequest, answering: Answering, inline_limit: int) -> None:
        """`inline_limit` is how many bytes of content may be answered without a stream."""
        self.id = request.id
        self.connection = request.connection
        self.exchange = request.exchange
        self.task: asyncio.Task[None] | None = None
        #: The content of the request, if it comes as a stream and the application has asked for it.
        self.sink: Sink | None = None
        self._answering = answering
        self._limit = inline_limit
        self._content: wit.RequestContent | None = request.content
        self._head: tuple[int, list[tuple[str, bytes]]] | None = None
        self._source: Source | None = None
        #: Whether the answer was begun, whether all of it was given, and whether nobody wants it any more.
        self._begun = self._given = False
        self._gone: asyncio.Event | None = None

    async def run(self, app: App, scope: Scope) -> None:
        """Runs the application for the request; whatever it does, the request is answered."""
        try:
            await app(scope, self._receive, self._send)
        except asyncio.CancelledError:
            self._break_off("the answer was called off")
            raise
        except BaseException as error:
            self._answering.failed(self, error)
            self._break_off("the application failed")
            if not isinstance(error, Exception):
                raise
        else:
            if not self._given:
                self._answering.failed(self, RuntimeError("the application returned before its answer was complete"))
                self._break_off("the application gave no complete answer")
        finally:
            self._answering.ended(self)

    def disconnect(self) -> None:
        """The exchange is over: nobody wants an answer any more."""
        if self._gone is None:
            self._gone = asyncio.Event()
        self._gone.set()
        if self.sink is not None:
            self.sink.finish(complete=False)
        if self._source is not None:
            self._source.abandon()

    # The two functions that an application is given

    async def _receive(self) -> Message:
        content, self._content = self._content, None
        if isinstance(content, wit.RequestContent_Inline):
            return {"type": "http.request", "body": content.value, "more_body": False}
        if content is not None:
            self.sink = Sink()
            self._answering.receive(self, content.value, self.sink)
        if self.sink is not None:
            sink = self.sink
            data = await sink.read()
            if not data:
                self.sink = None
            if data or sink.complete:
                return {"type": "http.request", "body": data, "more_body": bool(data)}
        if self._gone is None:
            self._gone = asyncio.Event()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        type_ = message["type"]
        if type_ == "http.response.start":
            if self._head is not None:
                raise RuntimeError("http.response.start was sent before")
            fields = [(str(name, "latin-1"), bytes(value)) for name, value in message.get("headers", ())]
            self._head = int(message["status"]), fields
        elif type_ == "http.response.body":
            if self._head is None or self._given:
                raise RuntimeError("http.response.body belongs between http.response.start and the end of the answer")
            await self._send_body(bytes(message.get("body", b"")), bool(message.get("more_body", False)))
        else:
            raise RuntimeError(f"{type_} is no message of an answer")

    async def _send_body(self, data: bytes, more: bool) -> None:
        assert self._head is not None
        self._given = not more
        if self._source is not None:
            self._source.feed(data)
            if not more:
                self._source.finish()
            if self._source.is_full:
                # The component takes it now; what is less, in the next round of the event loop.
                self._answering.go_on()
                await self._source.drained()
            return
        if not more and len(data) <= self._limit:
            self._respond(wit.OutgoingContent_Inline(data))
            return
        self._source = source = Source()
        length = _length(self._head[1])
        if not more:
            length = len(data)
        self._respond(wit.OutgoingContent_Streamed(wit.Source(source.outlet, length)))
        source.feed(data)
        if not more:
            source.finish()
        await source.drained()

    def _respond(self, content: wit.OutgoingContent) -> None:
        assert self._head is not None
        status, fields = self._head
        self._begun = True
        self._answering.respond(self, wit.ServerResponse(status, fields, content))

    def _break_off(self, reason: str) -> None:
        """Ends an answer that will not be complete: with 500 if it has not begun, else so that the client notices."""
        if self._given:
            return
        self._given = True
        if self._source is not None:
            self._source.break_off(reason)
        elif not self._begun:
            self._begun = True
            self._answering.respond(self, _INTERNAL_ERROR)


def _length(fields: list[tuple[str, bytes]]) -> int | None:
    for name, value in fields:
        if name.lower() == "content-length" and value.isdigit():
            return int(value)
    return None


def scope_of(request: wit.ServerRequest, place: Place, state: dict[str, Any] | None) -> Scope:
    """The scope of a request; `state` is what the application left at start-up, copied for each."""
    path = request.path
    scope: Scope = {
        "type": "http",
        "asgi": _ASGI,
        "http_version": _VERSIONS[request.version],
        "method": request.method,
        "scheme": place.scheme,
        "path": unquote(path) if "%" in path else path,
        "raw_path": path.encode("latin-1"),
        "query_string": b"" if request.query is None else request.query.encode("latin-1"),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value) for name, value in request.fields],
        "client": place.client,
        "server": place.server,
    }
    if state is not None:
        scope["state"] = state.copy()
    return scope

"""The same service without the component: uvicorn with h11, on the same sockets and for the same application."""

from __future__ import annotations

import asyncio
import itertools
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Any

import runner.bindings.http_component as wit
from runner.embedded import Embedded
from runner.http.asgi import App, Message, Scope
from runner.http.config import HttpConfig
from runner.http.observer import Observer

__all__ = ["PythonServer"]

#: Seconds that a connection has for its first request when the server stops.
_FIRST_REQUEST = 0.5
_ERROR_KIND = wit.TypesErrorKind


class PythonServer:
    """Serves an application on listening sockets, by uvicorn."""

    def __init__(
        self,
        app: App,
        sockets: Sequence[socket.socket],
        config: HttpConfig,
        observer: Observer,
        state: dict[str, Any] | None = None,
        *,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """With a `context` it serves HTTPS."""
        self._sockets = [item.dup() for item in sockets]
        for item in self._sockets:
            # Connections have it from there: uvicorn writes head and content apart, and asyncio sees to it only where
            # a socket names its protocol.
            item.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._server = Embedded(
            _Reporting(app, observer, state),
            context,
            backlog=config.backlog,
            timeout_keep_alive=max(1, round(config.timeouts.idle)),
            h11_max_incomplete_event_size=config.limits.header_bytes,
        )
        self._task: asyncio.Task[None] | None = None
        #: As `ComponentServer.done`.
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def start(self) -> None:
        """Begins to serve."""
        self._task = asyncio.create_task(self._server.serve(sockets=self._sockets), name="uvicorn")
        self._task.add_done_callback(self._finish)

    def stop(self, grace: float, *, followed: bool = False) -> None:
        """As `ComponentServer.stop`; `followed` says that another server has the same sockets."""
        loop = asyncio.get_running_loop()
        for server in getattr(self._server, "servers", ()):
            if not followed:
                server.close()
                continue
            # Not closed yet: asyncio loses connections that it has accepted and not made transports of.
            for item in server.sockets:
                loop.remove_reader(item.fileno())
        # Whoever has just connected is about to ask for something.
        loop.call_later(min(grace, _FIRST_REQUEST), self._end, grace)

    def _end(self, grace: float) -> None:
        self._server.config.timeout_graceful_shutdown = max(0, round(grace))
        self._server.should_exit = True

    @property
    def connections(self) -> int:
        """Open connections."""
        return len(self._server.server_state.connections)

    def _finish(self, task: asyncio.Task[None]) -> None:
        if self.done.done():
            return
        error = None if task.cancelled() else task.exception()
        if error is None:
            self.done.set_result(None)
        else:
            self.done.set_exception(error)


class _Reporting:
    """An application whose exchanges are reported as the component reports them, as far as uvicorn lets see."""

    def __init__(self, app: App, observer: Observer, state: dict[str, Any] | None) -> None:
        self._app = app
        self._observer = observer
        self._state = state
        self._numbers = itertools.count(1)

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            # What else there is, the component does not offer either.
            raise ValueError(f"{scope['type']} is not served here")
        scope.pop("state", None)
        if self._state is not None:
            scope["state"] = self._state.copy()
        number = next(self._numbers)
        begun = time.monotonic_ns()
        status: int | None = None
        sent = 0

        async def counted(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                sent += len(message.get("body", b""))
            await send(message)

        failure: wit.TypesError | None = None
        try:
            await self._app(scope, receive, counted)
        except Exception as error:
            failure = wit.TypesError(_ERROR_KIND.TRANSIENT, "the application failed")
            status = status or 500
            self._observer.application_failed(number, error)
            raise
        finally:
            report = wit.Report(number, 0, status, 0, sent, time.monotonic_ns() - begun, failure)
            self._observer.reported([report])

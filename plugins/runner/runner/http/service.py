"""The servers of one application: by the component, and in Python (`runner.service` says when which of them serves)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Sequence

from runner.http.asgi import App
from runner.http.config import HttpConfig
from runner.http.fallback import PythonServer
from runner.http.lifespan import Lifespan
from runner.http.observer import Observer
from runner.http.server import ComponentServer, Guest

__all__ = ["HttpServers"]


class HttpServers:
    """`Servers` for an application, whose lifespan is that of the service."""

    def __init__(
        self,
        app: App,
        sockets: Sequence[socket.socket],
        config: HttpConfig,
        observer: Observer,
        *,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """With a `context` both serve HTTPS."""
        self._app = app
        self._sockets = sockets
        self._config = config
        self._observer = observer
        self._context = context
        self._lifespan = Lifespan(app)

    async def begin(self) -> None:
        """Starts the application. Raises `StartupError` if it can't start."""
        await self._lifespan.start()

    async def end(self) -> None:
        """Ends the application."""
        await self._lifespan.stop()

    def renew(self) -> None:
        """The context, which all share, has it already."""

    def by_component(self, make: Callable[[], Guest]) -> ComponentServer:
        """A server by the component."""
        addresses = [item.getsockname()[:2] for item in self._sockets]
        return ComponentServer(self._app, make, addresses, self._config, self._observer, self._lifespan.state)

    def by_python(self) -> PythonServer:
        """A server in Python."""
        return PythonServer(
            self._app,
            self._sockets,
            self._config,
            self._observer,
            self._lifespan.state,
            context=self._context,
        )

"""One process that serves an application: by the component where its flag is on and as long as that goes well, else in
Python; on the same sockets, so that going from one to the other drops no connection.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

from runner.http.asgi import App
from runner.http.config import HttpConfig
from runner.http.fallback import PythonServer
from runner.http.lifespan import Lifespan
from runner.http.observer import Observer
from runner.http.server import ComponentServer, Guest

__all__ = ["Announcer", "GuestFactory", "Service"]

#: Makes what makes instances: it reads the component and its manifest, and raises what is wrong with them.
GuestFactory: TypeAlias = Callable[[], Callable[[], Guest]]


class Announcer(Protocol):
    """Who is told which server serves."""

    def serving(self, mode: str, reason: str) -> None:
        """From now on `mode` (``component`` or ``python``) serves, because of `reason`."""


class Service:
    """Runs until it is told to stop."""

    def __init__(
        self,
        app: App,
        sockets: Sequence[socket.socket],
        config: HttpConfig,
        load: GuestFactory,
        wanted: Callable[[], bool],
        observer: Observer,
        announcer: Announcer,
        *,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """`wanted` says whether the component is to serve; with a `context` Python serves HTTPS too."""
        self._app = app
        self._sockets = sockets
        self._config = config
        self._load = load
        self._wanted = wanted
        self._observer = observer
        self._announcer = announcer
        self._context = context
        self._lifespan = Lifespan(app)
        self._server: ComponentServer | PythonServer | None = None
        self._leaving: list[ComponentServer | PythonServer] = []
        #: Why the component is not used although it is wanted.
        self._given_up: str | None = None
        self._news = asyncio.Event()
        self._stopping = self._reloading = False

    def stop(self) -> None:
        """Ends `run` once the requests under way are answered, after the grace of the configuration at the latest."""
        self._stopping = True
        self._news.set()

    def changed(self) -> None:
        """Has `run` ask again whether the component is wanted."""
        self._news.set()

    def reload(self) -> None:
        """Has `run` read the component anew; one that was given up gets another chance."""
        self._reloading = True
        self._news.set()

    @property
    def connections(self) -> int:
        """Open connections."""
        return sum(server.connections for server in self._servers)

    @property
    def instances(self) -> list[int]:
        """The memory of each instance of the component, in bytes."""
        return [size for server in self._servers if isinstance(server, ComponentServer) for size in server.instances]

    @property
    def _servers(self) -> list[ComponentServer | PythonServer]:
        return [*self._leaving, *([] if self._server is None else [self._server])]

    @property
    def mode(self) -> str:
        """Which server serves: ``component``, ``python``, or ``none``."""
        match self._server:
            case ComponentServer():
                return "component"
            case PythonServer():
                return "python"
        return "none"

    async def run(self) -> None:
        """Serves until `stop`. Raises `StartupError` if the application can't start, and what the fallback raises."""
        await self._lifespan.start()
        try:
            self._start("start")
            while not self._stopping:
                await self._wait()
                self._react()
            assert self._server is not None
            self._retire(self._server)
            # Whoever comes now is to be refused, and not to wait.
            for item in self._sockets:
                item.close()
            await self._drain()
        finally:
            await self._lifespan.stop()

    async def _wait(self) -> None:
        """Returns when there is news, or the present server has ended by itself."""
        assert self._server is not None
        news = asyncio.ensure_future(self._news.wait())
        waited: list[asyncio.Future[Any]] = [news, self._server.done]
        await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        news.cancel()
        self._news.clear()
        self._leaving = [server for server in self._leaving if not server.done.done()]

    def _react(self) -> None:
        server = self._server
        assert server is not None
        if self._stopping:
            return
        if server.done.done():
            error = server.done.exception()
            if isinstance(server, PythonServer):
                raise error or RuntimeError("the server in Python ended by itself")
            self._given_up = f"the component failed: {error}"
            self._start(self._given_up)
            return
        if self._reloading:
            self._reloading = False
            self._given_up = None
            if isinstance(server, ComponentServer) and self._wanted():
                self._reload(server)
                return
        wanted = self._wanted() and self._given_up is None
        if wanted != isinstance(server, ComponentServer):
            self._start("the flag is on" if wanted else "the flag is off")
            if self._server is not server:
                self._retire(server, followed=True)

    def _reload(self, server: ComponentServer) -> None:
        try:
            server.reload(self._load(), self._config.grace)
        except Exception as error:  # Whatever is wrong with the new one, the old one serves.
            self._announcer.serving("component", f"the component can't be loaded anew: {error}")
        else:
            self._announcer.serving("component", "it was loaded anew")

    def _start(self, reason: str) -> None:
        """Starts the server that is wanted; the one in Python where the component can't be had."""
        if self._wanted() and self._given_up is None:
            try:
                component = self._by_component()
            except Exception as error:  # Whatever is wrong with a component, the service goes on.
                self._given_up = f"the component can't be used: {error}"
                reason = self._given_up
            else:
                self._server = component
                self._announcer.serving("component", reason)
                return
        if isinstance(self._server, PythonServer) and not self._server.done.done():
            return
        self._server = PythonServer(
            self._app,
            self._sockets,
            self._config,
            self._observer,
            self._lifespan.state,
            context=self._context,
        )
        self._server.start()
        self._announcer.serving("python", reason)

    def _by_component(self) -> ComponentServer:
        addresses = [item.getsockname()[:2] for item in self._sockets]
        server = ComponentServer(self._app, self._load(), addresses, self._config, self._observer, self._lifespan.state)
        server.start()
        return server

    def _retire(self, server: ComponentServer | PythonServer, *, followed: bool = False) -> None:
        """Lets a server end with its requests; `followed` by another one on its sockets, or for good."""
        server.stop(self._config.grace, followed=followed)
        self._leaving.append(server)

    async def _drain(self) -> None:
        """Returns when all servers have ended."""
        # A little longer than they were told, since they end by themselves.
        await asyncio.wait([server.done for server in self._leaving], timeout=self._config.grace + 2)
        for server in self._leaving:
            if server.done.done():
                server.done.exception()

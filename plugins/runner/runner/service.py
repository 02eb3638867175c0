"""One process that serves a protocol: by the component where its flag is on and as long as that goes well, else in
Python; on the same sockets, so that going from one to the other drops no connection.

It knows no protocol: what its servers are, `Servers` says.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from runner.component_server import ComponentServer, Guest, World

__all__ = ["Announcer", "GuestFactory", "PythonServer", "Servers", "Service"]

W = TypeVar("W", bound=World)

#: Makes what makes instances: it reads the component and its manifest, and raises what is wrong with them.
GuestFactory: TypeAlias = Callable[[], Callable[[], Guest[W]]]


class Announcer(Protocol):
    """Who is told which server serves."""

    def serving(self, mode: str, reason: str) -> None:
        """From now on `mode` (``component`` or ``python``) serves, because of `reason`."""


class PythonServer(Protocol):
    """The server without the component."""

    #: Set when it has ended: after `stop`, or by itself.
    done: asyncio.Future[None]

    @property
    def connections(self) -> int:
        """Open connections."""
        raise NotImplementedError

    def start(self) -> None:
        """Begins to serve."""

    def stop(self, grace: float, *, followed: bool = False) -> None:
        """As `ComponentServer.stop`; `followed` says that another server has the same sockets."""


class Servers(Protocol[W]):
    """What makes the servers of a protocol, which all have the same sockets."""

    async def begin(self) -> None:
        """Called before the first server is made. What it raises ends the service."""

    async def end(self) -> None:
        """Called after the last one has ended."""

    def by_component(self, make: Callable[[], Guest[W]]) -> ComponentServer[W]:
        """A server for instances that `make` makes."""
        raise NotImplementedError

    def by_python(self) -> PythonServer:
        """A server without the component."""
        raise NotImplementedError


class Service(Generic[W]):
    """Runs until it is told to stop."""

    def __init__(
        self,
        servers: Servers[W],
        sockets: Sequence[socket.socket],
        grace: float,
        load: GuestFactory[W],
        wanted: Callable[[], bool],
        announcer: Announcer,
    ) -> None:
        """`wanted` says whether the component is to serve; `grace` is how many seconds requests have to end."""
        self._servers = servers
        self._sockets = sockets
        self._grace = grace
        self._load = load
        self._wanted = wanted
        self._announcer = announcer
        self._server: ComponentServer[W] | PythonServer | None = None
        self._leaving: list[ComponentServer[W] | PythonServer] = []
        #: Why the component is not used although it is wanted.
        self._given_up: str | None = None
        self._news = asyncio.Event()
        self._stopping = self._reloading = False

    def stop(self) -> None:
        """Ends `run` once the requests under way are answered, after the grace at the latest."""
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
        return sum(server.connections for server in self._present)

    @property
    def instances(self) -> list[int]:
        """The memory of each instance of the component, in bytes."""
        return [size for server in self._present if isinstance(server, ComponentServer) for size in server.instances]

    @property
    def _present(self) -> list[ComponentServer[W] | PythonServer]:
        return [*self._leaving, *([] if self._server is None else [self._server])]

    @property
    def mode(self) -> str:
        """Which server serves: ``component``, ``python``, or ``none``."""
        if self._server is None:
            return "none"
        return "component" if isinstance(self._server, ComponentServer) else "python"

    async def run(self) -> None:
        """Serves until `stop`. Raises what `Servers.begin` and the server in Python raise."""
        await self._servers.begin()
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
            await self._servers.end()

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
            if not isinstance(server, ComponentServer):
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

    def _reload(self, server: ComponentServer[W]) -> None:
        try:
            server.reload(self._load(), self._grace)
        except Exception as error:  # Whatever is wrong with the new one, the old one serves.
            self._announcer.serving("component", f"the component can't be loaded anew: {error}")
        else:
            self._announcer.serving("component", "it was loaded anew")

    def _start(self, reason: str) -> None:
        """Starts the server that is wanted; the one in Python where the component can't be had."""
        if self._wanted() and self._given_up is None:
            try:
                component = self._servers.by_component(self._load())
                component.start()
            except Exception as error:  # Whatever is wrong with a component, the service goes on.
                self._given_up = f"the component can't be used: {error}"
                reason = self._given_up
            else:
                self._server = component
                self._announcer.serving("component", reason)
                return
        present = self._server
        if present is None or isinstance(present, ComponentServer) or present.done.done():
            self._server = self._servers.by_python()
            self._server.start()
        # Also where it has served before: somebody wanted the component, and is to hear why it is not used.
        self._announcer.serving("python", reason)

    def _retire(self, server: ComponentServer[W] | PythonServer, *, followed: bool = False) -> None:
        """Lets a server end with its requests; `followed` by another one on its sockets, or for good."""
        server.stop(self._grace, followed=followed)
        self._leaving.append(server)

    async def _drain(self) -> None:
        """Returns when all servers have ended."""
        # A little longer than they were told, since they end by themselves.
        await asyncio.wait([server.done for server in self._leaving], timeout=self._grace + 2)
        for server in self._leaving:
            if server.done.done():
                server.done.exception()

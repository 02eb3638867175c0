"""A process that serves HTTP: the service, its flags, what it tells, and its signals."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import structlog

from runner import components, logs, tracing
from runner.embedded import Embedded
from runner.errors import RunnerError
from runner.flags import Flags
from runner.host import Logging, Tls
from runner.http.applications import demonstration, load_app
from runner.http.certificate import Certificate
from runner.http.config import HttpConfig, HttpLimits, HttpTimeouts
from runner.http.guests import guests
from runner.http.reporting import COMPONENT, Reporting
from runner.http.server import Guest
from runner.http.service import Service
from runner.loading import load
from runner.metrics import Metrics
from runner.progress import Progress
from runner.progress.recorder import Recorder
from runner.services import offered
from runner.status import Status, StatusApp
from runner.supervisor import adopt
from runner.watching import Watcher

__all__ = ["Options", "serve"]

FLAG = "runner.http_component"


@dataclass(frozen=True, slots=True)
class Options:
    """All that a worker is told, as it can be passed on to another process. Paths are text."""

    app: str | None = None
    interface: str = "auto"
    folder: str = "."
    component: str | None = None
    lock: str | None = None
    flags: str | None = None
    environment: str | None = None
    overrides: Mapping[str, bool] = field(default_factory=dict)
    certificate: tuple[str, str] | None = None
    progress: str | None = None
    trace: bool = False
    level: str = "info"
    readable: bool = False
    config: HttpConfig = field(default_factory=HttpConfig)

    def dumps(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> Options:
        """From JSON."""
        data = json.loads(text)
        config = data.pop("config")
        limits, timeouts = HttpLimits(**config.pop("limits")), HttpTimeouts(**config.pop("timeouts"))
        data["certificate"] = None if data["certificate"] is None else tuple(data["certificate"])
        return cls(config=HttpConfig(limits=limits, timeouts=timeouts, **config), **data)


class _Worker:
    def __init__(self, options: Options, sockets: Sequence[socket.socket], shown: socket.socket | None) -> None:
        self._options = options
        self._sockets = sockets
        self._shown = shown
        self._certificate = None if options.certificate is None else Certificate(*options.certificate)
        self._watcher = Watcher(_path(options.flags), options.environment, os.environ, options.overrides)
        app = (
            demonstration
            if options.app is None
            else load_app(options.app, interface=options.interface, folder=options.folder)
        )
        if options.trace:
            app = tracing.traced(app)
        self._status = Status(COMPONENT)
        self._status.flags = self._shown_flags
        self._status.instances = lambda: self._service.instances
        self._status.connections = lambda: self._service.connections
        self._metrics = Metrics()
        self._metrics.take_flags(self._watcher.flags)
        self._recorder = (
            None
            if options.progress is None
            else Recorder(Path(options.progress), options.flags, options.environment, options.overrides)
        )
        self._progress: Progress | None = None
        reporting = Reporting(self._metrics, self._status, self._recorder, self._flags)
        self._service = Service(
            app,
            sockets,
            options.config,
            self._load,
            lambda: self._flags()[FLAG],
            reporting,
            reporting,
            context=self._context,
        )

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._service.stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload)

        def told(*_: object) -> None:
            loop.call_soon_threadsafe(self._flags_changed)

        self._watcher.on_change(told)
        status = Embedded(StatusApp(self._status, self._metrics))
        shown = [] if self._shown is None else [self._shown]
        showing = asyncio.create_task(status.serve(sockets=shown), name="status") if shown else None
        try:
            with self._watcher:
                await self._service.run()
        finally:
            if showing is not None:
                # Whoever looks at the page holds a connection for as long as they like.
                status.should_exit = status.force_exit = True
                await showing
            if self._progress is not None:
                self._progress.close()
            if self._recorder is not None:
                self._recorder.close()

    def _load(self) -> Callable[[], Guest]:
        """Reads the component, and gives what makes instances of it."""
        options = self._options
        where = components.folder("http") if options.component is None else Path(options.component)
        loaded = load(where, lock=_path(options.lock), offered=offered())
        manifest = loaded.manifest
        self._status.component |= {"name": manifest.name, "version": manifest.version, "digest": manifest.digest}
        return guests(
            loaded,
            self._sockets,
            Logging(structlog.get_logger("runner.component"), manifest.name),
            Tls(server=self._context),
            self._progress_of_components,
        )

    def _progress_of_components(self) -> Progress:
        """What components are given where their manifest asks for it; without a file it ends with this process."""
        if self._progress is None:
            flags = self._flags()
            sparse, bus = flags["runner.sparse_store"], flags["runner.progress_bus"]
            self._progress = Progress(_path(self._options.progress), sparse_store=sparse, progress_bus=bus)
        return self._progress

    @property
    def _context(self) -> ssl.SSLContext | None:
        return None if self._certificate is None else self._certificate.context

    def _flags(self) -> Flags:
        return self._watcher.flags

    def _flags_changed(self) -> None:
        self._metrics.take_flags(self._flags())
        self._service.changed()

    def _reload(self) -> None:
        self._watcher.check()
        if self._certificate is not None:
            try:
                self._certificate.renew()
            except RunnerError as error:
                structlog.get_logger("runner.http").error("the old certificate stays", problem=str(error))
        self._service.reload()

    def _shown_flags(self) -> dict[str, Any]:
        flags = self._flags()
        return {name: {"value": value, "source": flags.source(name)} for name, value in flags.items()}


def _begin_traces() -> Callable[[], None]:
    try:
        return tracing.configure()
    except ImportError as error:
        raise RunnerError(str(error)) from None


def _allow_connections() -> None:
    """Lets this process have as many descriptors as the system allows it: each connection needs one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def serve(options: Options, sockets: Sequence[socket.socket], shown: socket.socket | None = None) -> None:
    """Serves until a signal ends it; where there is a socket for it, what goes on is `shown`.

    Raises `WitError` and `RunnerError` for what is wrong before that.
    """
    logs.configure(options.level, readable=options.readable)
    _allow_connections()
    with contextlib.ExitStack() as stack:
        if options.trace:
            stack.callback(_begin_traces())
        asyncio.run(_Worker(options, sockets, shown).run())


if __name__ == "__main__":
    first, *others = map(adopt, map(int, sys.argv[2:]))
    serve(Options.loads(sys.argv[1]), [first], *others)

"""A process that serves HTTP: the service, its flags, its figures, and its signals."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import runner.bindings.http_component as wit
from runner import components, logs
from runner.embedded import Embedded
from runner.flags import Flag, Watched
from runner.host.logging import Logging
from runner.host.tls import Tls
from runner.http.applications import demonstration, load_app
from runner.http.config import HttpConfig, HttpLimits, HttpTimeouts
from runner.http.guests import guests, load_http
from runner.http.server import Guest
from runner.http.service import Service
from runner.metrics import Metrics
from runner.status import Status, StatusApp
from runner.supervisor import adopt

__all__ = ["Options", "serve"]

COMPONENT = "http-component"
FLAG = "runner.http_component"
#: Seconds between one look at the file of flags and the next.
_LOOK = 1.0


@dataclass(frozen=True, slots=True)
class Options:
    """All that a worker is told, as it can be passed on to another process."""

    app: str | None = None
    interface: str = "auto"
    folder: str = "."
    component: str | None = None
    lock: str | None = None
    flags: str | None = None
    environment: str | None = None
    overrides: tuple[str, ...] = ()
    certificate: tuple[str, str] | None = None
    level: str = "info"
    plain: bool = False
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
        data["overrides"] = tuple(data["overrides"])
        data["certificate"] = None if data["certificate"] is None else tuple(data["certificate"])
        return cls(config=HttpConfig(limits=limits, timeouts=timeouts, **config), **data)


class _Worker:
    def __init__(self, options: Options, sockets: Sequence[socket.socket], shown: socket.socket | None) -> None:
        self._options = options
        self._shown = shown
        self._sockets = sockets
        self.log = logs.logger(COMPONENT, worker=os.getpid())
        flags = None if options.flags is None else Path(options.flags)
        self._flags = Watched(flags, options.environment, os.environ, options.overrides)
        self._status = Status(COMPONENT)
        self._status.flags = self._shown_flags
        self._status.connections = lambda: self._service.connections
        self._metrics = Metrics()
        self._metrics.flags(self._flags.flags)
        app = (
            demonstration
            if options.app is None
            else load_app(options.app, interface=options.interface, folder=options.folder)
        )
        self._service = Service(
            app,
            sockets,
            options.config,
            self._load,
            lambda: self._flags.flags[FLAG],
            self,
            self,
            certificate=options.certificate,
        )

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._service.stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        watcher = asyncio.create_task(self._watch(), name="flags")
        status = Embedded(StatusApp(self._status, self._metrics))
        shown = [] if self._shown is None else [self._shown]
        showing = asyncio.create_task(status.serve(sockets=shown), name="status") if shown else None
        try:
            await self._service.run()
        finally:
            watcher.cancel()
            if showing is not None:
                # Whoever looks at the page holds a connection for as long as they like.
                status.should_exit = status.force_exit = True
                await showing

    def _load(self) -> Callable[[], Guest]:
        """Reads the component, and gives what makes instances of it."""
        options = self._options
        where = components.folder("http") if options.component is None else Path(options.component)
        loaded = load_http(where, None if options.lock is None else Path(options.lock))
        manifest = loaded.manifest
        self._status.component |= {"name": manifest.name, "version": manifest.version, "digest": manifest.digest}
        tls = Tls() if options.certificate is None else Tls(certificate=options.certificate)
        return guests(loaded, self._sockets, Logging(self.log, manifest.name), tls)

    # Flags

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK)
            self._look()

    def _reload(self) -> None:
        self._look(always=True)
        self._service.reload()

    def _look(self, *, always: bool = False) -> None:
        self._flags.look(self._flag_changed, self.log.warning, always=always)

    def _flag_changed(self, flag: Flag, old: bool, new: bool) -> None:
        self.log.info("flag changed", flag=flag.name, old=old, new=new)
        self._metrics.flags(self._flags.flags)
        self._service.changed()

    def _shown_flags(self) -> dict[str, Any]:
        settings = self._flags.flags.settings.items()
        return {name: {"value": item.value, "source": item.source} for name, item in settings}

    # What the server tells (`Observer`, `Announcer`)

    def serving(self, mode: str, reason: str) -> None:
        self.log.info("serving", mode=mode, reason=reason)
        self._metrics.mode.labels(COMPONENT).set(mode == "component")
        self._status.component |= {"mode": mode, "reason": reason}
        self._status.changed()

    def opened(self, connection: wit.Connection) -> None:
        self._metrics.connections.labels(COMPONENT).inc()

    def closed(self, connection: int) -> None:
        self._metrics.connections.labels(COMPONENT).dec()

    def reported(self, reports: Sequence[wit.Report]) -> None:
        figures = [(report.status, report.duration / 1e9, report.received, report.sent) for report in reports]
        self._metrics.requests(COMPONENT, self._service.mode, figures)
        for report in reports:
            self._status.latencies.add(report.duration / 1e9, report.failure is not None)
            if report.failure is not None:
                self._metrics.failure(COMPONENT, report.failure.kind.name.lower())

    def application_failed(self, exchange: int, error: BaseException) -> None:
        self.log.error("the application failed", request=exchange, exc_info=error)

    def component_failed(self, error: BaseException, waiting: int) -> None:
        self.log.error("the component failed", reason=str(error), waiting=waiting)
        self._metrics.restarts.labels(COMPONENT).inc()
        self._status.component["failures"] += 1
        self._status.changed()

    def component_started(self, seconds: float) -> None:
        self.log.info("instance ready", seconds=round(seconds, 4))


def serve(options: Options, sockets: Sequence[socket.socket], shown: socket.socket | None = None) -> None:
    """Serves until a signal ends it; where there is a socket for it, what goes on is `shown`.

    Raises `WitError` and `RunnerError` for what is wrong before that.
    """
    logs.configure(options.level, plain=options.plain)
    asyncio.run(_Worker(options, sockets, shown).run())


if __name__ == "__main__":
    first, *others = map(adopt, map(int, sys.argv[2:]))
    serve(Options.loads(sys.argv[1]), [first], *others)

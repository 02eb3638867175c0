"""A process that serves: the service, its flags, what it tells, and its signals; for any protocol.

Started by hand, or by a supervisor as ``python -m runner.PROTOCOL.worker OPTIONS FD…``: options as JSON, the listening
socket, and the one where what goes on is shown, if there is one.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import structlog

from runner import components, logs, tracing
from runner.certificate import Certificate
from runner.component_server import Guest, World
from runner.embedded import Embedded
from runner.errors import RunnerError
from runner.flags import Flags
from runner.host import Logging, Tls
from runner.loading import LoadedComponent, load
from runner.metrics import Metrics
from runner.progress import Progress
from runner.progress.recorder import Recorder
from runner.reporting import Reporting
from runner.rollout.vitals import INTERVAL, Vitals
from runner.service import Servers, Service
from runner.services import offered
from runner.status import Status, StatusApp, resident_bytes
from runner.supervisor import lifeline
from runner.watching import Watcher
from runner.worker_options import WorkerOptions

__all__ = ["Worker", "run"]

W = TypeVar("W", bound=World)
#: Characters of a reason that a rollout is told.
_SHOWN = 500


class Worker(Generic[W]):
    """What runs in the process. Subclasses say what is particular to a protocol."""

    #: The protocol, by which its component and its flag are called.
    protocol: ClassVar[str]

    def __init__(self, options: WorkerOptions, sockets: Sequence[socket.socket], shown: socket.socket | None) -> None:
        self.sockets = sockets
        self._options = options
        self._shown = shown
        self._certificate = None if options.certificate is None else Certificate(*options.certificate, self.prepare)
        #: The name under which figures, logs and progress are.
        self.component = components.name_of(self.protocol)
        self._flag = components.flag_of(self.protocol)
        self._watcher = Watcher(_path(options.flags), options.environment, os.environ, options.overrides)
        self._status = Status(self.component)
        self._status.flags = self._shown_flags
        self._status.instances = lambda: self._service.instances
        self._status.connections = lambda: self._service.connections
        self._metrics = Metrics()
        self._metrics.take_flags(self._watcher.flags)
        self._vitals = None if options.vitals is None else Vitals(options.vitals, self._gauges)
        self._recorder = Recorder.of(options)
        self._progress: Progress | None = None
        reporting = self.reporting(self._metrics, self._status, self._recorder, self._flags)
        reporting.vitals = self._vitals
        self._servers = self.servers(reporting)
        self._service = Service(
            self._servers, sockets, self.grace, self._load, lambda: self._flags()[self._flag], reporting
        )

    @property
    def context(self) -> ssl.SSLContext | None:
        """For connections with TLS, where there is a certificate."""
        return None if self._certificate is None else self._certificate.context

    # For subclasses to say

    @property
    def grace(self) -> float:
        """How many seconds requests have to end."""
        raise NotImplementedError

    def reporting(
        self, metrics: Metrics, status: Status, recorder: Recorder | None, flags: Callable[[], Flags]
    ) -> Reporting:
        """Who is told what happens."""
        raise NotImplementedError

    def servers(self, reporting: Any) -> Servers[W]:
        """The servers, which tell what `reporting` gave."""
        raise NotImplementedError

    def prepare(self, context: ssl.SSLContext) -> None:
        """Sets what the protocol wants of TLS."""

    def guests(
        self, loaded: LoadedComponent, logging: Logging, tls: Tls, progress: Callable[[], Progress]
    ) -> Callable[[], Guest[W]]:
        """What makes instances of a component; `progress` is for those whose manifest asks for it."""
        raise NotImplementedError

    async def run(self) -> None:
        """Serves until a signal ends it."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._service.stop)
        loop.add_signal_handler(signal.SIGHUP, self._reload)
        if (line := lifeline()) is not None:
            loop.add_reader(line, self._orphaned, line)

        def told(*_: object) -> None:
            loop.call_soon_threadsafe(self._flags_changed)

        self._watcher.on_change(told)
        status = Embedded(StatusApp(self._status, self._metrics))
        shown = [] if self._shown is None else [self._shown]
        showing = asyncio.create_task(status.serve(sockets=shown), name="status") if shown else None
        telling = None if self._vitals is None else asyncio.create_task(_flush(self._vitals), name="vitals")
        try:
            with self._watcher:
                await self._service.run()
        finally:
            if telling is not None:
                telling.cancel()
            if showing is not None:
                # Whoever looks at the page holds a connection for as long as they like.
                status.should_exit = status.force_exit = True
                await showing
            if self._progress is not None:
                self._progress.close()
            if self._recorder is not None:
                self._recorder.close()

    def _load(self) -> Callable[[], Guest[W]]:
        """Reads the component, and gives what makes instances of it."""
        options = self._options
        where = components.folder(self.protocol) if options.component is None else Path(options.component)
        loaded = load(where, lock=_path(options.lock), offered=offered())
        manifest = loaded.manifest
        self._status.component |= {"name": manifest.name, "version": manifest.version, "digest": manifest.digest}
        logging = Logging(structlog.get_logger("runner.component"), manifest.name)
        return self.guests(loaded, logging, Tls(server=self.context), self._progress_of_components)

    def _progress_of_components(self) -> Progress:
        """What components are given where their manifest asks for it; without a file it ends with this process."""
        if self._progress is None:
            flags = self._flags()
            sparse, bus = flags["runner.sparse_store"], flags["runner.progress_bus"]
            self._progress = Progress(_path(self._options.progress), sparse_store=sparse, progress_bus=bus)
        return self._progress

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
                self._servers.renew()
            except RunnerError as error:
                structlog.get_logger(f"runner.{self.protocol}").error("the old certificate stays", problem=str(error))
        self._service.reload()

    def _orphaned(self, line: int) -> None:
        """Ends: a supervisor that is started again would share the address with processes that nobody looks after."""
        asyncio.get_running_loop().remove_reader(line)
        structlog.get_logger(f"runner.{self.protocol}").error("the supervisor is gone", component=self.component)
        self._service.stop()

    def _gauges(self) -> dict[str, Any]:
        """What a rollout wants to know beside requests."""
        component = self._status.component
        # With all of a long reason a line would not be written whole.
        return {"mode": component["mode"], "reason": component["reason"][:_SHOWN], "memory": resident_bytes()}

    def _shown_flags(self) -> dict[str, Any]:
        flags = self._flags()
        return {name: {"value": value, "source": flags.source(name)} for name, value in flags.items()}


async def _flush(vitals: Vitals) -> None:
    while True:
        vitals.flush()
        await asyncio.sleep(INTERVAL)


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


def run(make: Callable[[], Worker[Any]], options: WorkerOptions) -> None:
    """Makes a worker and has it serve until a signal ends it.

    Raises `WitError` and `RunnerError` for what is wrong before that.
    """
    logs.configure(options.level, readable=options.readable)
    _allow_connections()

    async def serve() -> None:
        # Made inside of the event loop, to which its parts belong.
        await make().run()

    with contextlib.ExitStack() as stack:
        if options.trace:
            stack.callback(_begin_traces())
        asyncio.run(serve())

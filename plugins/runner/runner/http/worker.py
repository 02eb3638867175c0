"""A process that serves HTTP: the application, and what is particular to it (`runner.worker` has the rest)."""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from typing import Any

import runner.bindings.http_component as wit
from runner import tracing, worker
from runner.flags import Flags
from runner.host import Logging, Tls
from runner.http.applications import demonstration, load_app
from runner.http.guests import guests
from runner.http.options import Options
from runner.http.reporting import HttpReporting
from runner.http.server import Guest
from runner.http.service import HttpServers
from runner.loading import LoadedComponent
from runner.metrics import Metrics
from runner.options import reporting
from runner.progress import Progress
from runner.progress.recorder import Recorder
from runner.status import Status
from runner.supervisor import adopt

__all__ = ["serve"]


class _Worker(worker.Worker[wit.HttpComponent]):
    protocol = "http"

    def __init__(self, options: Options, sockets: Sequence[socket.socket], shown: socket.socket | None) -> None:
        self._own = options
        super().__init__(options, sockets, shown)

    @property
    def grace(self) -> float:
        return self._own.config.grace

    def reporting(
        self, metrics: Metrics, status: Status, recorder: Recorder | None, flags: Callable[[], Flags]
    ) -> HttpReporting:
        return HttpReporting(self.component, metrics, status, recorder, flags)

    def servers(self, reporting: Any) -> HttpServers:
        options = self._own
        app = (
            demonstration
            if options.app is None
            else load_app(options.app, interface=options.interface, folder=options.folder)
        )
        if options.trace:
            app = tracing.traced(app)
        return HttpServers(app, self.sockets, options.config, reporting, context=self.context)

    def prepare(self, context: ssl.SSLContext) -> None:
        context.set_alpn_protocols(["http/1.1"])

    def guests(
        self, loaded: LoadedComponent, logging: Logging, tls: Tls, progress: Callable[[], Progress]
    ) -> Callable[[], Guest]:
        return guests(loaded, self.sockets, logging, tls, progress)


def serve(options: Options, sockets: Sequence[socket.socket], shown: socket.socket | None = None) -> None:
    """Serves until a signal ends it; where there is a socket for it, what goes on is `shown`.

    Raises `WitError` and `RunnerError` for what is wrong before that.
    """
    worker.run(lambda: _Worker(options, sockets, shown), options)


if __name__ == "__main__":
    first, *others = map(adopt, map(int, sys.argv[2:]))
    reporting(serve)(Options.loads(sys.argv[1]), [first], *others)

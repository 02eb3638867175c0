"""What a command of `serve` was told, and the processes that come of it: one, or a supervisor and its workers.

It knows no protocol; `rollout` starts the same workers otherwise.
"""

from __future__ import annotations

import functools
import importlib
import socket
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from runner import components
from runner.options import text_of
from runner.supervisor import Slot, Supervisor, listen
from runner.worker_options import WorkerOptions

__all__ = ["Launch", "Serving", "announce", "counting_together", "launch", "parse_address", "worker"]


@dataclass(frozen=True, slots=True)
class Serving:
    """What the options say that all protocols have: `SERVING` and `flag_options` of `runner.options`."""

    flags: dict[str, Any]
    component: Path | None
    lock: Path | None
    workers: int
    certificate: Path | None
    key: Path | None
    grace: float
    progress: Path | None
    metrics: str | None
    log_level: str

    @classmethod
    def take(cls, given: dict[str, Any]) -> Serving:
        """Takes these out of the arguments of a command. Raises `click.UsageError` where they do not fit together."""
        found = cls(**{item.name: given.pop(item.name) for item in fields(cls)})
        if (found.certificate is None) != (found.key is None):
            raise click.UsageError("--certificate and --key belong together")
        return found

    @property
    def shown(self) -> tuple[str, int] | None:
        """The address of figures, health and the status page. Raises `click.UsageError`."""
        return None if self.metrics is None else parse_address(self.metrics)

    def launch(self, protocol: str, scheme: str, bind: str, options: Any) -> Launch:
        """What serves a protocol at an address, by workers that are told `options`. Raises `click.UsageError`."""
        return Launch(
            protocol,
            scheme,
            parse_address(bind),
            options.config.backlog,
            self.workers,
            self.grace,
            self.shown,
            options,
        )

    def for_workers(self) -> dict[str, Any]:
        """What all `WorkerOptions` have, by name."""
        return {
            "component": text_of(self.component),
            "lock": text_of(self.lock),
            "flags": text_of(self.flags["path"]),
            "environment": self.flags["environment"],
            "overrides": self.flags["overrides"],
            "certificate": None if self.certificate is None else (str(self.certificate), str(self.key)),
            "progress": text_of(self.progress),
            "level": self.log_level,
            "readable": sys.stderr.isatty(),
        }


@dataclass(frozen=True, slots=True)
class Launch:
    """All that is needed to serve a protocol."""

    protocol: str
    #: How its addresses begin.
    scheme: str
    address: tuple[str, int]
    backlog: int
    workers: int
    grace: float
    shown: tuple[str, int] | None
    options: Any

    @property
    def module(self) -> str:
        """The module whose main program is a worker: arguments are its options, and descriptors of sockets."""
        return f"runner.{self.protocol}.worker"

    @property
    def component(self) -> str:
        """What the component is called."""
        return components.name_of(self.protocol)

    @property
    def flag(self) -> str:
        """The feature flag that has it serve."""
        return components.flag_of(self.protocol)

    def run(self, sockets: Sequence[socket.socket], shown: socket.socket | None = None) -> None:
        """Serves in this process, and shows what goes on where there is a socket for that."""
        # It imports the client of Prometheus, and that has to come after `counting_together`.
        importlib.import_module(self.module).serve(self.options, sockets, shown)


def parse_address(text: str) -> tuple[str, int]:
    """``HOST:PORT``, with IPv6 in brackets. Raises `click.UsageError`."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise click.UsageError(f"{text!r} is not of the form HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)


def announce(what: str, scheme: str, item: socket.socket) -> None:
    """Says where to find something."""
    host, port = item.getsockname()[:2]
    click.echo(f"{what} {scheme}://{f'[{host}]' if ':' in host else host}:{port}", err=True)


def counting_together() -> AbstractContextManager[str]:
    """Lets this process and all that it starts count together, as long as it lasts.

    To be entered before anything imports the client of Prometheus.
    """
    from runner.metrics import share_between_processes

    folder = tempfile.TemporaryDirectory(prefix="runner-metrics-")
    share_between_processes(Path(folder.name))
    return folder


def worker(module: str, options: WorkerOptions, sockets: Sequence[socket.socket]) -> Sequence[str]:
    """The command of a worker."""
    return ["-m", module, options.dumps(), *(str(item.fileno()) for item in sockets)]


def launch(found: Launch) -> None:
    """Serves until a signal ends it."""
    if found.workers == 1 and found.options.progress is None:
        _serve(found)
        return
    # Progress is written by a process of its own.
    with counting_together():
        _serve(found)


def _serve(found: Launch) -> None:
    sockets = listen(*found.address, found.backlog, found.workers)
    announce("listening on", found.scheme, sockets[0])
    shown = [] if found.shown is None else listen(*found.shown, 128)
    for item in shown:
        announce("status on", "http", item)
    if found.workers == 1:
        found.run(sockets, *shown)
        return
    from runner.metrics import forget_process

    # The first one shows what goes on; figures are those of all.
    given = [[item, *(shown if not number else [])] for number, item in enumerate(sockets)]
    slots = [Slot(own, functools.partial(worker, found.module, found.options, own)) for own in given]
    supervisor = Supervisor(slots, lambda line: click.echo(line, err=True), found.grace + 10, ended=forget_process)
    sys.exit(supervisor.run())

"""What a command of `serve` has found out, and the processes that come of it: one, or a supervisor and its workers.

It knows no protocol; `rollout` starts the same workers otherwise.
"""

from __future__ import annotations

import functools
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from runner.supervisor import Slot, Supervisor, listen
from runner.worker_options import WorkerOptions

__all__ = ["Launch", "announce", "counting_together", "launch", "parse_address", "worker"]


@dataclass(frozen=True, slots=True)
class Launch:
    """All that is needed to serve a protocol."""

    #: The module whose main program is a worker: arguments are its options, and descriptors of listening sockets.
    module: str
    component: str
    flag: str
    scheme: str
    address: tuple[str, int]
    backlog: int
    workers: int
    grace: float
    shown: tuple[str, int] | None
    options: Any
    #: Serves in this process, which has several sockets to serve and perhaps one on which to show what goes on.
    run: Callable[[Any, Sequence[socket.socket], socket.socket | None], None]


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
        found.run(found.options, sockets, *shown)
        return
    from runner.metrics import forget_process

    # The first one shows what goes on; figures are those of all.
    given = [[item, *(shown if not number else [])] for number, item in enumerate(sockets)]
    slots = [Slot(own, functools.partial(worker, found.module, found.options, own)) for own in given]
    supervisor = Supervisor(slots, lambda line: click.echo(line, err=True), found.grace + 10, ended=forget_process)
    sys.exit(supervisor.run())

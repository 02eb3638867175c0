"""`runner serve http`: arguments, and the processes that they ask for. What these do is imported when it is needed."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import click

from runner.options import flag_options, reporting

__all__ = ["http"]

_ADDRESS = "HOST:PORT"
_FILE = click.Path(path_type=Path, dir_okay=False)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise click.UsageError(f"{text!r} is not of the form {_ADDRESS}")
    return host.removeprefix("[").removesuffix("]"), int(port)


@click.command()
@click.option("--bind", metavar=_ADDRESS, default="127.0.0.1:8000", show_default=True, help="The address to listen on.")
@click.option("--app", metavar="MODULE:NAME", help="The application, of ASGI or WSGI. [default: a demonstration]")
@click.option("--interface", type=click.Choice(["auto", "asgi", "wsgi"]), default="auto", help="What it is.")
@click.option("--component", type=click.Path(path_type=Path), help="A folder with component.toml. [default: ours]")
@click.option("--lock", type=_FILE, help="The wit.lock that it is held against. [default: the nearest]")
@click.option("--workers", type=click.IntRange(1, 1024), default=1, show_default=True, help="The number of processes.")
@click.option("--certificate", type=_FILE, help="The certificate chain, in PEM: serve HTTPS.")
@click.option("--key", type=_FILE, help="The private key of the certificate.")
@click.option("--grace", type=click.FloatRange(0), default=30, show_default=True, help="Seconds that requests get.")
@click.option("--progress", type=_FILE, help="The file in which progress is kept. [default: it is not kept]")
@click.option("--metrics", metavar=_ADDRESS, help="Where figures, health and the status page are.")
@click.option("--trace", is_flag=True, help="Send a span of every request to the collector of OpenTelemetry.")
@click.option("--log-level", type=click.Choice(["trace", "debug", "info", "warning", "error"]), default="info")
@reporting
@flag_options
def http(
    flags: dict[str, Any],
    bind: str,
    app: str | None,
    interface: str,
    component: Path | None,
    lock: Path | None,
    workers: int,
    certificate: Path | None,
    key: Path | None,
    grace: float,
    progress: Path | None,
    metrics: str | None,
    trace: bool,
    log_level: str,
) -> None:
    """Serve an application over HTTP/1.1.

    By the component where the flag runner.http_component is on; where it is off, or the component fails, in Python.
    """
    if (certificate is None) != (key is None):
        raise click.UsageError("--certificate and --key belong together")
    address = _address(bind)
    with tempfile.TemporaryDirectory(prefix="runner-metrics-") as figures:
        if workers > 1 or progress is not None:
            # Progress is written by a process of its own. Before anything imports the client of Prometheus.
            from runner.metrics import share_between_processes

            share_between_processes(Path(figures))
        from runner.http.config import HttpConfig
        from runner.http.worker import Options
        from runner.http.worker import serve as run
        from runner.metrics import forget_process
        from runner.supervisor import Supervisor, listen

        options = Options(
            app=app,
            interface=interface,
            component=_text(component),
            lock=_text(lock),
            flags=_text(flags["path"]),
            environment=flags["environment"],
            overrides=flags["overrides"],
            certificate=None if certificate is None or key is None else (str(certificate), str(key)),
            progress=_text(progress),
            trace=trace,
            level=log_level,
            readable=sys.stderr.isatty(),
            config=HttpConfig(tls=certificate is not None, grace=grace),
        )
        sockets = listen(*address, options.config.backlog, workers)
        _say("listening on", "https" if options.config.tls else "http", sockets[0].getsockname())
        shown = [] if metrics is None else listen(*_address(metrics), 128)
        for item in shown:
            _say("status on", "http", item.getsockname())
        if workers == 1:
            run(options, sockets, *shown)
            return
        text = options.dumps()
        # The first one shows what goes on; figures are those of all.
        given = [[item, *(shown if not number else [])] for number, item in enumerate(sockets)]
        supervisor = Supervisor(
            lambda number: ["-m", "runner.http.worker", text, *(str(item.fileno()) for item in given[number])],
            given,
            lambda line: click.echo(line, err=True),
            grace + 10,
            forget_process,
        )
        sys.exit(supervisor.run())


def _text(path: Path | None) -> str | None:
    return None if path is None else os.fspath(path)


def _say(what: str, scheme: str, address: Any) -> None:
    host, port = address[:2]
    click.echo(f"{what} {scheme}://{f'[{host}]' if ':' in host else host}:{port}", err=True)

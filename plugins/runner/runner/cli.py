"""The command line of the Runner: arguments and printing. What the commands do is elsewhere, imported when needed."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(path_type=Path, dir_okay=False)
_ADDRESS = "HOST:PORT"


@click.group()
@click.version_option(package_name="witgen", prog_name="runner")
def main() -> None:
    """Run HTTP and FTP components: under least privilege, with feature flags and a fallback in Python."""


def _reporting(command: F) -> F:
    """Prints what is wrong to stderr and ends with 1."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except Exception as error:
            from witgen.diagnostics import WitError

            text = str(error)
            if not isinstance(error, WitError):
                from runner.errors import RunnerError

                if not isinstance(error, RunnerError):
                    raise
                text = f"runner: error: {error}"
            click.echo(text, err=True)
            sys.exit(1)

    return wrapped  # type: ignore[return-value]


def _flag_options(command: F) -> F:
    """The options that say where flags come from."""
    for option in (
        click.option("--flag", "overrides", multiple=True, metavar="NAME=VALUE", help="The value of a feature flag."),
        click.option(
            "--environment", metavar="NAME", envvar="RUNNER_ENVIRONMENT", help="The table of the flags' file."
        ),
        click.option(
            "--flags-file",
            type=_FILE,
            envvar="RUNNER_FLAGS_FILE",
            help="The file of feature flags. [default: feature_flags.toml, if it is there]",
        ),
    ):
        command = option(command)
    return command


def _flags_file(path: Path | None) -> Path | None:
    default = Path("feature_flags.toml")
    return path or (default if default.is_file() else None)


@main.command()
@_flag_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_reporting
def flags(flags_file: Path | None, environment: str | None, overrides: tuple[str, ...], as_json: bool) -> None:
    """Show every feature flag, its value and where that comes from."""
    import json
    import os

    from runner.flags import Flags, read_layers

    found = Flags(read_layers(_flags_file(flags_file), environment, os.environ, overrides))
    if as_json:
        document = {name: {"value": item.value, "source": item.source} for name, item in found.settings.items()}
        click.echo(json.dumps(document, indent=2))
        return
    rows = [(name, "on" if item.value else "off", item.source) for name, item in found.settings.items()]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    for row in rows:
        click.echo(f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}")


@main.group()
def serve() -> None:
    """Serve a protocol."""


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise click.UsageError(f"{text!r} is not of the form {_ADDRESS}")
    return host.removeprefix("[").removesuffix("]"), int(port)


@serve.command()
@click.option("--bind", metavar=_ADDRESS, default="127.0.0.1:8000", show_default=True, help="The address to listen on.")
@click.option("--app", metavar="MODULE:NAME", help="The application, of ASGI or WSGI. [default: a demonstration]")
@click.option(
    "--interface", type=click.Choice(["auto", "asgi", "wsgi"]), default="auto", help="What the application is."
)
@click.option("--component", type=click.Path(path_type=Path), help="A folder with component.toml. [default: ours]")
@click.option("--lock", type=_FILE, help="A wit.lock that has to agree with the component.")
@click.option("--workers", type=click.IntRange(1, 1024), default=1, show_default=True, help="The number of processes.")
@click.option("--certificate", type=_FILE, help="The certificate chain, in PEM: serve HTTPS.")
@click.option("--key", type=_FILE, help="The private key of the certificate.")
@click.option(
    "--grace", type=click.FloatRange(0), default=30, show_default=True, help="Seconds that requests have to end."
)
@click.option("--metrics", metavar=_ADDRESS, help="Where figures, health and the status page are to be had.")
@click.option("--log-level", type=click.Choice(["trace", "debug", "info", "warn", "error"]), default="info")
@_flag_options
@_reporting
def http(
    bind: str,
    app: str | None,
    interface: str,
    component: Path | None,
    lock: Path | None,
    workers: int,
    certificate: Path | None,
    key: Path | None,
    grace: float,
    metrics: str | None,
    log_level: str,
    flags_file: Path | None,
    environment: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Serve an application over HTTP/1.1.

    By the component where the flag runner.http_component is on, else, and where the component fails, in Python.
    """
    import os
    import tempfile

    from runner.http.config import HttpConfig
    from runner.http.worker import Options
    from runner.http.worker import serve as run
    from runner.supervisor import Supervisor, listen

    if (certificate is None) != (key is None):
        raise click.UsageError("--certificate and --key belong together")
    flags_file = _flags_file(flags_file)
    options = Options(
        app=app,
        interface=interface,
        component=None if component is None else str(component),
        lock=None if lock is None else str(lock),
        flags=None if flags_file is None else str(flags_file),
        environment=environment,
        overrides=overrides,
        certificate=None if certificate is None or key is None else (str(certificate), str(key)),
        level=log_level,
        plain=sys.stderr.isatty(),
        config=HttpConfig(tls=certificate is not None, grace=grace),
    )
    sockets = listen(*_address(bind), options.config.backlog, workers)
    host, port = sockets[0].getsockname()[:2]
    scheme = "https" if options.config.tls else "http"
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"listening on {scheme}://{shown}:{port}", err=True)
    shown = [] if metrics is None else listen(*_address(metrics), 128)
    for item in shown:
        host, port = item.getsockname()[:2]
        click.echo(f"status on http://{host}:{port}", err=True)
    if workers == 1:
        run(options, sockets, *shown)
        return
    text = options.dumps()
    # Where workers write their figures, so that one can show those of all.
    figures = tempfile.TemporaryDirectory(prefix="runner-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = figures.name
    # The first one shows what goes on; figures are those of all.
    given = [[item, *(shown if not number else [])] for number, item in enumerate(sockets)]
    supervisor = Supervisor(
        lambda number: ["-m", "runner.http.worker", text, *(str(item.fileno()) for item in given[number])],
        given,
        lambda line: click.echo(line, err=True),
        grace + 10,
    )
    with figures:
        sys.exit(supervisor.run())


if __name__ == "__main__":
    main()

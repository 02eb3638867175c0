"""`runner fetch`: one request, by the HTTP component where its flag is on, else in Python, under the same rules."""

from __future__ import annotations

import contextlib
import os
import ssl
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import click

from runner.errors import RunnerError
from runner.options import Seconds, flag_options, reporting

__all__ = ["EXIT_CODES", "fetch"]

#: Exit codes of the kinds of errors; 1 and 2 are those of every command.
EXIT_CODES = {
    "INVALID_ARGUMENT": 2,
    "TRANSIENT": 3,
    "PERMANENT": 4,
    "TIMEOUT": 5,
    "EXHAUSTED": 6,
    "CANCELLED": 7,
    "DENIED": 8,
    "CLOSED": 9,
    "PROTOCOL": 10,
}
_FAILED = 22
_PIECE = 1 << 16
_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("url")
@click.option("--method", "-X", help="The method. [default: GET; with --data POST]")
@click.option("--header", "-H", "headers", multiple=True, metavar="'NAME: VALUE'", help="A field; may be repeated.")
@click.option("--data", "-d", metavar="TEXT|@FILE|@-", help="The content: text, a file, or standard input.")
@click.option("--output", "-o", type=_FILE, help="Where the content goes. [default: standard output]")
@click.option("--include", "-i", is_flag=True, help="Print status and fields before the content.")
@click.option("--fail", is_flag=True, help=f"End with {_FAILED} for a status of 400 or more.")
@click.option("--allow", multiple=True, metavar="HOST:PORTS", help="Whom to connect to. [default: as URL says]")
@click.option("--timeout", type=Seconds(0, min_open=True), help="Seconds for all of it. [default: none]")
@click.option("--cacert", type=_FILE, help="Certificates to trust, in PEM. [default: those of the system]")
@click.option("--component", type=_FILE, help="A folder with component.toml, whose rules count. [default: ours]")
@click.option("--lock", type=_FILE, help="The wit.lock that it is held against. [default: the nearest]")
@reporting
@flag_options
def fetch(
    flags: dict[str, Any],
    url: str,
    method: str | None,
    headers: Sequence[str],
    data: str | None,
    output: Path | None,
    include: bool,
    fail: bool,
    allow: Sequence[str],
    timeout: float | None,
    cacert: Path | None,
    component: Path | None,
    lock: Path | None,
) -> None:
    """Send a request over HTTP/1.1 and print what comes back.

    By the component where the flag runner.http_component is on; else in Python. Redirects are not followed. Ends with
    3 where it may be tried again, 4 where not, 5 for a time-out, 8 where no rule allows it, 9 where the server may have
    seen it, 10 where it does not speak HTTP.
    """
    from runner import logs
    from runner.flags import Flags
    from runner.http.messages import HttpError, Request

    logs.configure("warning", readable=sys.stderr.isatty())
    wanted = Flags.load(**flags)["runner.http_component"]
    try:
        rules = _rules(url, allow, component)
        with contextlib.ExitStack() as stack:
            content, length = _content(stack, data)
            request = Request(
                url, method or ("GET" if data is None else "POST"), _fields(headers), content, length, timeout
            )
            client = stack.enter_context(_client(wanted, component, lock, rules, _trusting(cacert)))
            response = stack.enter_context(client.send(request))
            to = stack.enter_context(_opened(output))
            if include:
                to.write(_head(response.status, response.version, response.fields))
            for piece in response:
                to.write(piece)
            to.flush()
            status = response.status
    except HttpError as error:
        click.echo(f"runner: error: {error.kind.name.lower().replace('_', '-')}: {error}", err=True)
        sys.exit(EXIT_CODES[error.kind.name])
    if fail and status >= 400:
        click.echo(f"runner: error: the status is {status}", err=True)
        sys.exit(_FAILED)


@contextlib.contextmanager
def _client(
    wanted: bool, component: Path | None, lock: Path | None, rules: list[str], context: ssl.SSLContext
) -> Iterator[Any]:
    """The component, or Python. What is wrong with a component is an error: here nobody has to be served."""
    from runner import components
    from runner.capabilities import Network
    from runner.http.agent import HttpClient
    from runner.http.python_agent import PythonClient
    from runner.loading import inspect, load

    with contextlib.ExitStack() as stack:
        if wanted:
            loaded = load(components.folder("http") if component is None else component, lock=lock)
            stack.callback(loaded.close)
            yield stack.enter_context(HttpClient(loaded, connect=rules, context=context))
            return
        network = Network() if component is None else inspect(component, lock=lock).grants.network
        connect = [*network.connect, *rules]
        yield stack.enter_context(PythonClient(connect=connect, lookup=network.lookup, context=context))


def _rules(url: str, allow: Sequence[str], component: Path | None) -> list[str]:
    """Whom to connect to, beside what a component's own manifest says."""
    from runner.http.messages import Target
    from witgen.wasi.policy import Policy

    rules = [*allow] or ([Target.parse(url).rule] if component is None else [])
    try:
        Policy(rules)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return rules


def _trusting(certificates: Path | None) -> ssl.SSLContext:
    """A context that trusts those of a file, or of the system."""
    try:
        return ssl.create_default_context(cafile=None if certificates is None else os.fspath(certificates))
    except OSError as error:  # ssl.SSLError is one.
        raise RunnerError(f"{certificates} has no certificates: {error.strerror or error}") from None


def _fields(headers: Sequence[str]) -> tuple[tuple[str, bytes], ...]:
    found = []
    for text in headers:
        name, colon, value = text.partition(":")
        if not colon:
            raise click.UsageError(f"--header {text!r} is not of the form 'NAME: VALUE'")
        found.append((name.strip(), os.fsencode(value.strip())))
    return tuple(found)


def _content(stack: contextlib.ExitStack, data: str | None) -> tuple[bytes | Iterator[bytes], int | None]:
    """What to send, and its length where that is known."""
    if data is None or not data.startswith("@"):
        text = os.fsencode(data or "")
        return text, len(text)
    if data == "@-":
        return _pieces(sys.stdin.buffer), None
    file = stack.enter_context(_opened_to_read(Path(data[1:])))
    # A pipe has no size.
    size = os.fstat(file.fileno()).st_size if file.seekable() else None
    return _pieces(file), size


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


@contextlib.contextmanager
def _opened_to_read(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as file:
        yield file


@contextlib.contextmanager
def _opened(output: Path | None) -> Iterator[IO[bytes]]:
    if output is None:
        yield sys.stdout.buffer
        return
    with output.open("wb") as file:
        yield file


def _head(status: int, version: str, fields: list[tuple[str, bytes]]) -> bytes:
    lines = [f"HTTP/{version} {status}".encode(), *(name.encode() + b": " + value for name, value in fields)]
    return b"\r\n".join(lines) + b"\r\n\r\n"

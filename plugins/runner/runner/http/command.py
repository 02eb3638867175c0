"""`runner serve http`: its arguments, and what they ask for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

from runner.launch import Launch, Serving, launch
from runner.options import ADDRESS, SERVING, flag_options, reporting, with_options

__all__ = ["http", "http_options"]

F = TypeVar("F", bound=Callable[..., Any])
_OPTIONS = (
    click.option("--bind", metavar=ADDRESS, default="127.0.0.1:8000", show_default=True, help="Where to listen."),
    click.option("--app", metavar="MODULE:NAME", help="The application, of ASGI or WSGI. [default: a demonstration]"),
    click.option("--interface", type=click.Choice(["auto", "asgi", "wsgi"]), default="auto", help="What it is."),
    *SERVING,
    click.option("--trace", is_flag=True, help="Send a span of every request to the collector of OpenTelemetry."),
)


def http_options(command: F) -> F:
    """The options of a command that serves HTTP. They reach it as one argument: a `Launch`."""

    @functools.wraps(command)
    def wrapped(
        *,
        bind: str,
        app: str | None,
        interface: str,
        trace: bool,
        **others: Any,
    ) -> Any:
        serving = Serving.take(others)
        from runner.http.config import HttpConfig
        from runner.http.options import Options

        options = Options(
            app=app,
            interface=interface,
            trace=trace,
            config=HttpConfig(tls=serving.certificate is not None, grace=serving.grace),
            **serving.for_workers(),
        )
        return command(
            serving.launch("http", "http" if serving.certificate is None else "https", bind, options), **others
        )

    return flag_options(with_options(*_OPTIONS)(wrapped))  # type: ignore[return-value]


@click.command()
@reporting
@http_options
def http(found: Launch) -> None:
    """Serve an application over HTTP/1.1.

    By the component where the flag runner.http_component is on; where it is off, or the component fails, in Python.
    """
    launch(found)

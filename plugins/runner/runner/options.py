"""What all commands of the Runner have in common: how they report what is wrong, and how flags are set."""

from __future__ import annotations

import functools
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

__all__ = ["ADDRESS", "FILE", "SERVING", "Seconds", "flag_options", "reporting", "text_of", "with_options"]

F = TypeVar("F", bound=Callable[..., Any])


class Seconds(click.FloatRange):
    """A time: a number that is one, and not infinite."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number. Raises `click.BadParameter`."""
        found = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value!r} is no time in seconds", param, ctx)
        return found


#: How an address is written, and what an option takes that is a file.
ADDRESS = "HOST:PORT"
FILE = click.Path(path_type=Path, dir_okay=False)
#: The options of every command that serves, whatever the protocol.
SERVING = (
    click.option("--component", type=click.Path(path_type=Path), help="A folder with component.toml. [default: ours]"),
    click.option("--lock", type=FILE, help="The wit.lock that it is held against. [default: the nearest]"),
    click.option("--workers", type=click.IntRange(1, 1024), default=1, show_default=True, help="How many processes."),
    click.option("--certificate", type=FILE, help="The certificate chain, in PEM: serve with TLS."),
    click.option("--key", type=FILE, help="The private key of the certificate."),
    click.option("--grace", type=Seconds(0), default=30, show_default=True, help="Seconds that requests get."),
    click.option("--progress", type=FILE, help="The file in which progress is kept. [default: it is not kept]"),
    click.option("--metrics", metavar=ADDRESS, help="Where figures, health and the status page are."),
    click.option("--log-level", type=click.Choice(["trace", "debug", "info", "warning", "error"]), default="info"),
)


def with_options(*options: Callable[[Any], Any]) -> Callable[[F], F]:
    """Gives a command options of click, which its help shows in this order."""

    def decorate(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def reporting(command: F) -> F:
    """Prints the errors of wrong input to stderr, one a line with its place, and ends with 1."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        from runner.errors import RunnerError
        from witgen.diagnostics import WitError

        try:
            return command(*args, **kwargs)
        except WitError as error:
            click.echo(str(error), err=True)
        except RunnerError as error:
            click.echo(f"runner: error: {error}", err=True)
        except OSError as error:
            click.echo(f"{error.filename or 'runner'}: error: {(error.strerror or str(error)).lower()}", err=True)
        sys.exit(1)

    return wrapped  # type: ignore[return-value]


def flag_options(command: F) -> F:
    """The options by which flags are set. They reach the command as one argument, `flags`: those of `Flags.load`."""

    @click.option(
        "--flags-file",
        type=click.Path(path_type=Path),
        help="The file of feature flags; feature_flags.toml where it is in the current folder.",
    )
    @click.option("--environment", "-E", envvar="RUNNER_ENVIRONMENT", help="The environment whose table counts.")
    @click.option("--flag", "overrides", multiple=True, metavar="NAME=VALUE", help="Sets a flag; may be repeated.")
    @functools.wraps(command)
    def wrapped(
        *args: Any, flags_file: Path | None, environment: str | None, overrides: tuple[str, ...], **kwargs: Any
    ) -> Any:
        from runner.flags import FILE_NAME, parse_override

        path = flags_file or (Path(FILE_NAME) if Path(FILE_NAME).exists() else None)
        flags = {"path": path, "environment": environment, "overrides": dict(map(parse_override, overrides))}
        return command(*args, flags=flags, **kwargs)

    return wrapped  # type: ignore[return-value]


def text_of(path: Path | None) -> str | None:
    """A path as text, which goes into JSON."""
    return None if path is None else os.fspath(path)

"""What all commands of the Runner have in common: how they report what is wrong, and how flags are set."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

__all__ = ["flag_options", "reporting"]

F = TypeVar("F", bound=Callable[..., Any])


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

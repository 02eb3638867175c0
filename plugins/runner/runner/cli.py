"""The command line of the Runner: options, printing, exit codes. Each command imports by itself what it calls.

Exit codes: 0 fine, 1 the input is wrong, 2 usage. A command has its options here, makes one call, and prints.
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from witgen import __version__

__all__ = ["flag_options", "main", "reporting"]

F = TypeVar("F", bound=Callable[..., Any])


def reporting(command: F) -> F:
    """Prints the errors of wrong input to stderr, one a line with its place, and ends with 1."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        from witgen.diagnostics import WitError

        try:
            return command(*args, **kwargs)
        except WitError as error:
            click.echo(str(error), err=True)
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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="runner")
def main() -> None:
    """Run components under least privilege, behind feature flags."""


@main.command("flags")
@reporting
@flag_options
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def flags_command(flags: dict[str, Any], as_json: bool) -> None:
    """Show what each feature flag is, and where that was said."""
    from runner.flags import KNOWN, Flags

    found = Flags.load(**flags)
    if as_json:
        document = {
            name: {"value": value, "source": found.source(name), "help": KNOWN[name].help}
            for name, value in found.items()
        }
        click.echo(json.dumps({"environment": found.environment, "flags": document}, indent=2))
        return
    width = max(map(len, found))
    for name, value in found.items():
        click.echo(f"{name:<{width}}  {'on' if value else 'off':<3}  {found.source(name)}")


@main.command("inspect")
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--lock", type=click.Path(path_type=Path), help="The lock to hold it against; the nearest wit.lock.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
@reporting
def inspect_command(manifest: Path, lock: Path | None, as_json: bool) -> None:
    """Say whether a component may be loaded, and what it would be granted.

    MANIFEST is a component.toml, or the folder that has it. Nothing of the component runs.
    """
    from runner.describe import document, text
    from runner.loading import inspect
    from runner.services import offered

    found = inspect(manifest, lock=lock, offered=offered())
    click.echo(json.dumps(document(found), indent=2) if as_json else text(found))


@main.command("manifest")
@click.argument("component", type=click.Path(path_type=Path))
@reporting
def manifest_command(component: Path) -> None:
    """Print the draft of a manifest for a stamped COMPONENT, which grants all that it imports, and no address."""
    from runner.drafting import draft

    click.echo(draft(component), nl=False)


if __name__ == "__main__":
    main()

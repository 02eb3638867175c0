"""The command line: options, printing, exit codes. Each command reads its options, calls one module, and prints.

Exit codes: 0 fine, 1 the input or contract is wrong, 2 usage.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from witgen import __version__

__all__ = ["main"]

F = TypeVar("F", bound=Callable[..., Any])

_PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))


def _reporting(command: F) -> F:
    """Prints the diagnostics of wrong input to stderr and ends with 1."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        from witgen.diagnostics import WitError

        try:
            return command(*args, **kwargs)
        except WitError as error:
            click.echo(str(error), err=True)
            sys.exit(1)

    return wrapped  # type: ignore[return-value]


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="witgen")
def main() -> None:
    """A WIT compiler and contract keeper for Python."""


@main.command()
@_PATHS
@click.option("--lang", type=click.Choice(["python", "rust"]), help="The language to generate, with PATHS.")
@click.option("--world", metavar="W", help="The world, where the package has several.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="A folder, or a file that ends in .py or .rs.")
@click.option("--check", is_flag=True, help="Write nothing; fail if a file is missing or not up to date.")
@_reporting
def generate(paths: tuple[Path, ...], lang: str | None, world: str | None, out: Path | None, check: bool) -> None:
    """Generate Python host adapters and Rust guest stubs.

    Without PATHS, everything that witgen.toml asks for. With PATHS (the roots of a contract, the last one the root
    package), the world W in one language.
    """
    from witgen.files import differing, write_all
    from witgen.generate import generate as run
    from witgen.generate import target_for
    from witgen.project import find_project

    if paths:
        if lang is None or out is None:
            raise click.UsageError("PATHS need --lang and --out")
        folder, targets = Path.cwd(), [target_for(paths, world, lang, out)]
    else:
        if lang or out or world:
            raise click.UsageError("--lang, --world and --out go with PATHS; witgen.toml says the rest")
        project = find_project(Path.cwd())
        folder, targets = project.folder, list(project.targets)
    files = run(targets, folder)
    stale = differing(files)
    if not check:
        write_all({path: files[path] for path in stale})
    for path in files:
        state = "unchanged" if path not in stale else "stale" if check else "written"
        click.echo(f"{state:>9}  {_shown(path)}", err=check and path in stale)
    if check and stale:
        click.echo(f"{len(stale)} file(s) not up to date: run `witgen generate`", err=True)
        sys.exit(1)


@main.command("hash")
@_PATHS
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document, with the digest of each function.")
@_reporting
def hash_(paths: tuple[Path, ...], as_json: bool) -> None:
    """Print the digest of every interface and world.

    Of the contract whose roots are PATHS (the last one the root package); without PATHS, of all contracts of
    witgen.toml.
    """
    from witgen.contract.listing import as_document, as_table, digests_of
    from witgen.project import Contract, find_project

    contracts = [Contract("", paths)] if paths else list(find_project(Path.cwd()).contracts)
    packages = digests_of(contracts)
    click.echo(as_document(packages) if as_json else as_table(packages))


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the tables of the resolved model as a JSON document.")
@click.option("--features", multiple=True, metavar="F", help="Features that are on, separated by commas.")
@click.option("--all-features", is_flag=True, help="Turn on all features.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="Write to this file, not to stdout.")
@_reporting
def wit(
    paths: tuple[Path, ...], as_json: bool, features: tuple[str, ...], all_features: bool, out: Path | None
) -> None:
    """Print the resolved package as WIT text that needs no other file.

    PATHS are the roots, the last one the root package: WIT files, folders with their deps, binary packages and
    components (.wasm, .wat). The other packages follow as nested packages.
    """
    from witgen.files import write_all
    from witgen.printer import json_text, package_text
    from witgen.resolve import load

    names = [name for given in features for name in given.split(",") if name]
    loaded = load(paths, features=names, all_features=all_features)
    text = json_text(loaded.resolve) if as_json else package_text(loaded.resolve, loaded.main)
    if out is None:
        click.echo(text, nl=False)
    else:
        write_all({out: text.encode()})


@main.command()
@click.argument("component", type=click.Path(path_type=Path))
@_PATHS
@click.option("--world", metavar="W", help="The world, where the package has several.")
@_reporting
def verify(component: Path, paths: tuple[Path, ...], world: str | None) -> None:
    """Compare a component's own types with a contract, function by function.

    The contract is the one whose roots are PATHS (the last one the root package); without PATHS, the one in
    witgen.toml that has the world W.
    """
    from witgen.contract.verify import verify as run

    agreed = run(component, paths, world)
    click.echo(f"{_shown(component)}: keeps the contract of world {agreed.world}, sha256:{agreed.digest}")


@main.command()
@click.argument("crate", required=False)
@click.option("--offline", is_flag=True, help="Use nothing from the network.")
@_reporting
def build(crate: str | None, offline: bool) -> None:
    """Build the Rust guests of the workspace as components: CRATE, or all of them."""
    from witgen.build import build as run

    for path in run(crate, root=Path.cwd(), offline=offline, echo=lambda line: click.echo(line, err=True)):
        click.echo(_shown(path))


def _shown(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


if __name__ == "__main__":
    main()

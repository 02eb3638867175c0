"""The command line: options, printing, exit codes. Each command reads its options, calls one module, and prints.

Exit codes: 0 fine, 1 the input or contract is wrong, 2 usage. Every command waits for what this module imports, so each
imports by itself what it calls; not even pathlib is there before it is needed.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from witgen import __version__

if TYPE_CHECKING:
    from pathlib import Path

    from witgen.diagnostics import Diagnostic

__all__ = ["main"]

F = TypeVar("F", bound=Callable[..., Any])


class _PathType(click.Path):
    """A path on the command line."""

    def coerce_path_result(self, value: str | os.PathLike[str]) -> Path:
        from pathlib import Path

        return Path(value)


_PATH = _PathType(readable=False)
_PATHS = click.argument("paths", nargs=-1, type=_PATH)


def _reporting(command: F) -> F:
    """Prints the diagnostics of wrong input to stderr, in the form that ``--format`` asks for, and ends with 1."""

    @click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json", "github", "sarif"]),
        default="text",
        help="The form of the report on errors, which goes to stderr.",
    )
    @functools.wraps(command)
    def wrapped(*args: Any, form: str, **kwargs: Any) -> Any:
        with _handling(form):
            result = command(*args, **kwargs)
        if form != "text":
            _report(form, ())
        return result

    return wrapped  # type: ignore[return-value]


@contextlib.contextmanager
def _handling(form: str) -> Iterator[None]:
    """Reports what is wrong with the input or the surroundings of the block, and ends with 1."""
    try:
        yield
    except Exception as error:
        from witgen.diagnostics import Diagnostic, WitError

        if isinstance(error, WitError):
            _report(form, error.diagnostics)
        elif isinstance(error, OSError) and error.errno != errno.EPIPE:
            # What no reader or writer has put into words: a full disk, a folder that is gone.
            where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else "witgen"
            _report(form, [Diagnostic((error.strerror or str(error)).lower(), where)])
        else:
            raise
        sys.exit(1)


def _report(form: str, diagnostics: Sequence[Diagnostic]) -> None:
    from witgen.reports import render

    report = render(form, diagnostics)
    if report:
        click.echo(_painted(report) if form == "text" else report, err=True)


#: What is set apart by colour in a report, where it goes to a terminal.
_COLOURS = {
    r"(?<=: )error(?=: )": {"fg": "red", "bold": True},
    r"(?<=: )note(?=: )": {"fg": "cyan"},
    r"(?m)(?<=\| )\s*\^+$": {"fg": "red"},
    r"(?m)^ *(?:ok|unchanged|written)(?=  )": {"fg": "green"},
    r"(?m)^ *(?:failed|stale|differs)(?=  )": {"fg": "red"},
    r"(?m)^ *skipped(?=  )": {"fg": "yellow"},
}


def _painted(text: str) -> str:
    """Text with colours, which click takes out again where they don't go to a terminal."""
    import re

    for pattern, style in _COLOURS.items():
        text = re.sub(pattern, lambda found, style=style: click.style(found[0], **style), text)  # type: ignore[misc]
    return text


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Shows on a terminal which step of a long work is going on, and nothing once it is done."""
    if not sys.stderr.isatty():
        yield lambda step: None
        return
    try:
        yield lambda step: click.echo(f"\r\x1b[K {'checking':>8}  {step}", nl=False, err=True)
    finally:
        click.echo("\r\x1b[K", nl=False, err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="witgen")
@click.pass_context
def main(context: click.Context) -> None:
    """A WIT compiler and contract keeper for Python."""
    if os.environ.get("NO_COLOR"):
        context.color = False


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes a shell complete witgen's commands: `eval "$(witgen completion bash)"`."""
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(main, {}, "witgen", "_WITGEN_COMPLETE").source())


@main.command()
@_PATHS
@click.option("--lang", type=click.Choice(["python", "rust"]), help="The language to generate, with PATHS.")
@click.option("--world", metavar="W", help="The world, where the package has several.")
@click.option("-o", "--out", type=_PATH, help="A folder, or a file that ends in .py or .rs.")
@click.option("--split", is_flag=True, help="Rust as a folder (OUT without .rs) with a file for each interface.")
@click.option("--derive", "derives", metavar="TRAIT", multiple=True, help="A trait that Rust types derive as well.")
@click.option(
    "--provided",
    metavar="PACKAGES",
    help="Packages and interfaces, with commas, whose imports Python leaves to providers; those of WASI 0.2 that "
    "witgen.wasi has unless it is said.",
)
@click.option("--check", is_flag=True, help="Write nothing; fail if a file is missing or not up to date.")
@_reporting
def generate(
    paths: tuple[Path, ...],
    lang: str | None,
    world: str | None,
    out: Path | None,
    split: bool,
    derives: tuple[str, ...],
    provided: str | None,
    check: bool,
) -> None:
    """Generate Python host adapters and Rust guest stubs.

    Without PATHS, everything that witgen.toml asks for. With PATHS (the roots of a contract, the last one the root
    package), the world W in one language.
    """
    from pathlib import Path

    from witgen.diagnostics import Diagnostic, WitError
    from witgen.files import differing, write_all
    from witgen.generate import generate as run
    from witgen.generate import target_for
    from witgen.project import DERIVE, PROVIDED, PROVIDED_NAME, find_project

    if paths:
        if lang is None or out is None:
            raise click.UsageError("PATHS need --lang and --out")
        if (split or derives) and lang != "rust":
            raise click.UsageError("--split and --derive are for --lang rust")
        for derive in derives:
            if not DERIVE.fullmatch(derive):
                raise click.UsageError(f"--derive: {derive!r} is no path of a trait")
        names = PROVIDED if provided is None else tuple(filter(None, provided.split(",")))
        if provided is not None and lang != "python":
            raise click.UsageError("--provided is for --lang python")
        for name in names:
            if not PROVIDED_NAME.fullmatch(name):
                raise click.UsageError(f"--provided: {name!r} is no package or interface (`wasi:io`)")
        target = target_for(paths, world, lang, out, split=split, derives=derives, provided=names)
        folder, targets = Path.cwd(), [target]
    else:
        if lang or out or world or split or derives or provided is not None:
            raise click.UsageError("options but --check go with PATHS; witgen.toml says the rest")
        project = find_project(Path.cwd())
        folder, targets = project.folder, list(project.targets)
    files = run(targets, folder)
    stale = differing(files)
    if not check:
        write_all({path: files[path] for path in stale})
    for path in files:
        state = "unchanged" if path not in stale else "stale" if check else "written"
        click.echo(f"{state:>9}  {_shown(path)}")
    if check and stale:
        raise WitError(*(Diagnostic("is not up to date: run `witgen generate`", _shown(path)) for path in stale))


@main.command()
@_PATHS
@click.option("--check", is_flag=True, help="Write nothing; fail if a file would change.")
@click.option("--diff", is_flag=True, help="Write nothing; print what would change.")
@_reporting
def fmt(paths: tuple[Path, ...], check: bool, diff: bool) -> None:
    """Format WIT files in the one style, without changing what they say.

    PATHS are WIT files, and folders that are searched for *.wit; below them, folders named deps are left alone: name
    those that are yours. `-` formats stdin to stdout. Without PATHS, all roots that witgen.toml names.

    A file that can't be parsed is reported, and the others are formatted.
    """
    from pathlib import Path

    from witgen.diagnostics import WitError, printable
    from witgen.fmt.files import format_paths, format_project, format_text

    from_stdin = Path("-") in paths
    if from_stdin and len(paths) > 1:
        raise click.UsageError("`-` stands alone")
    if from_stdin and sys.stdin is None:
        raise click.UsageError("there is no stdin to read")
    if from_stdin:
        outcome = format_text("<stdin>", sys.stdin.buffer.read())
    else:
        outcome = format_paths(paths) if paths else format_project(Path.cwd())
    if diff:
        click.echo("".join(file.diff() for file in outcome.changed).encode(), nl=False)
    elif from_stdin and not check:
        click.echo("".join(file.text for file in outcome.files).encode(), nl=False)
    elif not check:
        outcome.write()
        for file in outcome.changed:
            click.echo(f"{'formatted':>11}  {printable(file.source.path)}")
    diagnostics = [diagnostic for error in outcome.errors for diagnostic in error.diagnostics]
    if check:
        diagnostics += (file.complaint() for file in outcome.changed)
    if diagnostics:
        raise WitError(*diagnostics)


@main.command()
@_PATHS
@click.option("--list-rules", is_flag=True, help="Print all rules with their categories, and do nothing else.")
@click.option("--enable", metavar="RULES", multiple=True, help="Rules and categories, with commas, that count as well.")
@click.option("--disable", metavar="RULES", multiple=True, help="Rules and categories, with commas, that don't count.")
@_reporting
def lint(paths: tuple[Path, ...], list_rules: bool, enable: tuple[str, ...], disable: tuple[str, ...]) -> None:
    """Find in WIT files what is valid and is regretted later: names, gaps in docs, leftovers, shapes that can't grow.

    PATHS are as for fmt. Without PATHS, all roots that witgen.toml names. Its table [lint] and the options say which
    rules count; a comment `// witgen: allow(RULE): reason` before an item allows one there.
    """
    from pathlib import Path

    from witgen.diagnostics import WitError
    from witgen.lint.configuration import NAMES
    from witgen.lint.listing import as_table
    from witgen.project import LintRules, find_project, project_file, read_project

    if list_rules:
        click.echo(as_table())
        return
    from witgen.lint.run import lint_paths, lint_project, lint_text

    given = [[name for names in option for name in names.split(",") if name] for option in (enable, disable)]
    for name in (*given[0], *given[1]):
        if name not in NAMES:
            raise click.UsageError(f"there is no rule or category {name!r}: --list-rules prints them")
    if Path("-") in paths and len(paths) > 1:
        raise click.UsageError("`-` stands alone")
    file = project_file(Path.cwd()) if paths else None
    project = read_project(file) if file else None if paths else find_project(Path.cwd())
    own = LintRules() if project is None else project.lint
    choice = LintRules((*own.enable, *given[0]), (*own.disable, *given[1]))
    if Path("-") in paths:
        found = lint_text("<stdin>", sys.stdin.buffer.read(), choice)
    elif paths:
        found = lint_paths(paths, choice)
    else:
        assert project is not None
        found = lint_project(project, choice)
    if found:
        raise WitError(*found)


@main.command()
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif", "junit"]),
    default="text",
    help="The form of the report on errors, which goes to stderr.",
)
@click.option("--report", metavar="FILE", type=_PATH, help="Write the report to this file, not to stderr.")
def check(form: str, report: Path | None) -> None:
    """Check all that must hold of a project's contracts: what continuous integration runs.

    fmt, lint, hash, generate --check, breaking, and verify of the built components that witgen.toml names; all of them,
    whatever one of them finds.
    """
    with _handling("text" if form == "junit" else form):
        diagnostics = _checked(form, report)
    if diagnostics:
        sys.exit(1)


def _checked(form: str, report: Path | None) -> Sequence[Diagnostic]:
    """Runs ``witgen check``, prints what came of it, and returns what is wrong."""
    from pathlib import Path

    from witgen.check import as_table
    from witgen.check import check as run
    from witgen.diagnostics import WitError
    from witgen.project import find_project
    from witgen.reports import junit, render

    try:
        with _progress() as begin:
            outcomes = run(find_project(Path.cwd()), begin)
        diagnostics = [diagnostic for outcome in outcomes for diagnostic in outcome.diagnostics]
        click.echo(_painted(as_table(outcomes)))
        passed, skipped = ({o.step: o.says for o in outcomes if o.state == state} for state in ("ok", "skipped"))
    except WitError as error:
        diagnostics, passed, skipped = list(error.diagnostics), {}, {}
    text = junit(diagnostics, passed, skipped) if form == "junit" else render(form, diagnostics)
    if report is not None:
        from witgen.files import write_all

        write_all({report: f"{text}\n".encode()})
        _report("text", diagnostics)
    elif form == "junit":
        click.echo(text, err=True)
    else:
        _report(form, diagnostics)
    return diagnostics


@main.command("hash")
@_PATHS
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document, with the digest of each function.")
@click.option("--write", is_flag=True, help="Write the digests into wit.lock.")
@click.option("--check", is_flag=True, help="Fail if wit.lock has other digests, and say what differs.")
@click.option(
    "--lock",
    metavar="FILE",
    type=_PATH,
    help="The lock, where it is not wit.lock beside witgen.toml, or with PATHS in the current folder.",
)
@_reporting
def hash_(paths: tuple[Path, ...], as_json: bool, write: bool, check: bool, lock: Path | None) -> None:
    """Print the digest of every interface and world, or keep all digests in a lock.

    Of the contract whose roots are PATHS (the last one the root package); without PATHS, of all contracts of
    witgen.toml.
    """
    if as_json + write + check > 1:
        raise click.UsageError("--json, --write and --check are three different things to do")
    if write or check:
        _lock(paths, lock, write)
        return
    if lock is not None:
        raise click.UsageError("--lock goes with --write or --check")
    from pathlib import Path

    from witgen.contract.listing import as_document, as_table, digests_of
    from witgen.project import Contract, find_project

    contracts = [Contract("", paths)] if paths else list(find_project(Path.cwd()).contracts)
    packages = digests_of(contracts)
    click.echo(as_document(packages) if as_json else as_table(packages))


def _lock(paths: tuple[Path, ...], lock: Path | None, write: bool) -> None:
    from witgen.contract.unchanged import find_subject, is_unchanged

    subject = find_subject(paths, lock)
    state = "unchanged"
    if write:
        from witgen.contract.lock import write as run_write

        state = "written" if run_write(subject) else state
    elif not is_unchanged(subject):
        from witgen.contract.lock import check as run_check

        run_check(subject)
    click.echo(f"{state:>9}  {_shown(subject.lock)}")


@main.command()
@click.argument("paths", nargs=-1, required=True, type=_PATH)
@click.option("--json", "as_json", is_flag=True, help="Print the tables of the resolved model as a JSON document.")
@click.option("--wasm", "as_wasm", is_flag=True, help="Write the root package in its binary form.")
@click.option("--features", multiple=True, metavar="F", help="Features that are on, separated by commas or spaces.")
@click.option("--all-features", is_flag=True, help="Turn on all features.")
@click.option("-o", "--out", type=_PATH, help="Write to this file, not to stdout.")
@_reporting
def wit(
    paths: tuple[Path, ...],
    as_json: bool,
    as_wasm: bool,
    features: tuple[str, ...],
    all_features: bool,
    out: Path | None,
) -> None:
    """Print the resolved package as WIT text that needs no other file.

    PATHS are the roots, the last one the root package: WIT files, folders with their deps, binary packages and
    components (.wasm, .wat). The other packages follow as nested packages.
    """
    if as_json and as_wasm:
        raise click.UsageError("--json and --wasm are two different forms")
    if as_wasm and out is None and sys.stdout.isatty():
        raise click.UsageError("--wasm writes bytes: name a file with --out, or send them to another program")

    from witgen.files import write_all
    from witgen.printer import json_text, package_bytes, package_text
    from witgen.resolve import load

    names = [name for given in features for name in given.replace(",", " ").split()]
    loaded = load(paths, features=names, all_features=all_features)
    if as_wasm:
        content = package_bytes(loaded.resolve, loaded.main)
    else:
        text = json_text(loaded.resolve) if as_json else package_text(loaded.resolve, loaded.main)
        content = text.encode()
    if out is None:
        click.echo(content, nl=False)
    else:
        write_all({out: content})


@main.command()
@click.argument("file", type=_PATH)
@click.option("--wit", "as_wit", is_flag=True, help="Print the world as WIT text.")
@click.option("--json", "as_json", is_flag=True, help="Print all that was found as a JSON document.")
@_reporting
def inspect(file: Path, as_wit: bool, as_json: bool) -> None:
    """Show what is in a component, a binary WIT package or a core module.

    Imports by capability and exports, with the digest of each interface as it is in the file; the contract that it is
    stamped with, and whether its own types agree; what it consists of, and what made it.
    """
    if as_wit and as_json:
        raise click.UsageError("--wit and --json are two different forms")
    from witgen.inspect import as_document, as_text, gather, wit_text

    if as_wit:
        click.echo(wit_text(file), nl=False)
    elif as_json:
        click.echo(as_document(gather(file)), nl=False)
    else:
        click.echo(as_text(gather(file)))


@main.command()
@click.argument("component", type=_PATH)
@_PATHS
@click.option("--world", metavar="W", help="The world, where neither the stamp nor the package says which.")
@click.option("--lock", metavar="FILE", type=_PATH, help="The lock, where it is not wit.lock beside witgen.toml.")
@click.option("--manifest", metavar="FILE", type=_PATH, help="The manifest, where it is not component.toml beside it.")
@click.option("--unstamped", is_flag=True, help="Take a component that carries no stamp.")
@click.option("--explain", is_flag=True, help="Print all that was compared.")
@_reporting
def verify(
    component: Path,
    paths: tuple[Path, ...],
    world: str | None,
    lock: Path | None,
    manifest: Path | None,
    unstamped: bool,
    explain: bool,
) -> None:
    """Compare all that speaks of a component: contract, lock, stamp, manifest, and its own types.

    The contract is the one whose roots are PATHS (the last one the root package); without PATHS, the one in
    witgen.toml that has the world. The component must import nothing else than the contract has, and no more than its
    manifest grants; it must export all that the contract has.
    """
    from witgen.contract.verify import Claims
    from witgen.contract.verify import verify as run
    from witgen.diagnostics import WitError

    found = run(component, Claims(paths, world, lock, manifest, not unstamped))
    if explain:
        click.echo(found.explained())
    diagnostics = found.diagnostics(component)
    if diagnostics:
        raise WitError(*diagnostics)
    click.echo(f"{_shown(component)}: keeps the contract of world {found.world}, sha256:{found.digest}")


@main.command()
@click.argument("component", type=_PATH)
@_PATHS
@click.option("--world", metavar="W", help="The world, where the package has several.")
@_reporting
def stamp(component: Path, paths: tuple[Path, ...], world: str | None) -> None:
    """Stamp a component that another tool has built with its contract. It has to keep it.

    The contract is found as for verify. `witgen build` stamps what it builds.
    """
    from witgen.contract.stamping import put_stamp, stamp_of

    put_stamp(component, stamp_of(paths, world))
    click.echo(f"  stamped  {_shown(component)}")


@main.command()
@_PATHS
@click.option(
    "--against",
    metavar="OLD",
    multiple=True,
    help="The older state: a commit, branch or tag of git, a path at one (REF:PATH), or files and folders.",
)
@click.option("--features", multiple=True, metavar="F", help="Features that are on, separated by commas or spaces.")
@click.option("--all-features", is_flag=True, help="Turn on all features.")
@click.option("--ignore", multiple=True, metavar="RULE", help="A rule that is not applied.")
@click.option("--world", metavar="W", help="The world for which OLD was built, where OLD is a component.")
@click.option("--allow-unversioned", is_flag=True, help="Let packages without a version change in any way.")
@click.option("--list-rules", is_flag=True, help="Print all rules, and do nothing else.")
@_reporting
def breaking(
    paths: tuple[Path, ...],
    against: tuple[str, ...],
    features: tuple[str, ...],
    all_features: bool,
    ignore: tuple[str, ...],
    world: str | None,
    allow_unversioned: bool,
    list_rules: bool,
) -> None:
    """Compare contracts with an older state of them: what changed, whom it breaks, which version it needs.

    Of the contract whose roots are PATHS (the last one the root package); without PATHS, of all contracts of
    witgen.toml. Fails where the version of a package does not allow what changed in it.
    """
    from witgen.breaking.rules import BY_ID, as_text

    if list_rules:
        click.echo(as_text())
        return
    for rule in ignore:
        if rule not in BY_ID:
            raise click.UsageError(f"--ignore: there is no rule {rule!r}; --list-rules prints all")

    from pathlib import Path

    from witgen.breaking.run import NothingToCompareWith, Options, run
    from witgen.diagnostics import WitError

    names = [name for given in features for name in given.replace(",", " ").split()]
    options = Options(paths, against, names, all_features, ignore, allow_unversioned, world)
    try:
        outcome = run(options, Path.cwd())
    except NothingToCompareWith as error:
        raise click.UsageError(str(error)) from None
    for line in outcome.lines:
        click.echo(line)
    if outcome.diagnostics:
        raise WitError(*outcome.diagnostics)


@main.command()
@click.argument("crate", required=False)
@click.option("--offline", is_flag=True, help="Use nothing from the network.")
@_reporting
def build(crate: str | None, offline: bool) -> None:
    """Build the Rust guests of the workspace as components: CRATE, or all of them.

    A guest in which witgen.toml has the Rust stubs of a world is stamped with that contract, and has to keep it.
    """
    from pathlib import Path

    from witgen.build import build as run

    for path in run(crate, root=Path.cwd(), offline=offline, echo=lambda line: click.echo(line, err=True)):
        click.echo(_shown(path))


def _shown(path: str | os.PathLike[str]) -> str:
    """The path as seen from the current folder, where it lies in it."""
    folder = os.path.join(os.getcwd(), "")
    full = os.path.realpath(path)
    return full[len(folder) :] if full.startswith(folder) else os.fspath(path)


if __name__ == "__main__":
    main()

"""`runner baseline`: its arguments, and what they ask for."""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from runner.options import FILE, Seconds, reporting

__all__ = ["baseline"]

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.argument("scenario", type=FILE, required=False)
@click.option("--users", type=click.IntRange(1, 100_000), help="Another number of users than the scenario's.")
@click.option("--warm-up", type=Seconds(0), metavar="S", help="Another warm-up, in seconds.")
@click.option("--measure", type=Seconds(1), metavar="S", help="Another time to measure on each side.")
@click.option("--output", type=_FOLDER, help="A folder for table.md, result.json, plot.svg and the logs.")
@click.option("--tools", type=_FOLDER, help="Where Prometheus and jemalloc are. [default: target/baseline]")
@click.option("--require", is_flag=True, help="Fail where either is missing, or where a component fell back.")
@reporting
def baseline(
    scenario: Path | None,
    users: int | None,
    warm_up: float | None,
    measure: float | None,
    output: Path | None,
    tools: Path | None,
    require: bool,
) -> None:
    """Measure the same users with and without the sparse store, and compare.

    SCENARIO says what users do; without it that of the Runner counts: 500 users for five minutes on each side.
    """
    from runner.baseline.comparing import compare
    from runner.baseline.prometheus import FETCHED, find_tools
    from runner.baseline.scenario import load, shipped
    from runner.errors import RunnerError

    changes: dict[str, Any] = {"users": users, "warm_up": warm_up, "measure": measure}
    found = replace(load(scenario or shipped()), **{k: v for k, v in changes.items() if v is not None})
    there = find_tools(tools or FETCHED)
    for reason in there.missing.values():
        click.echo(f"runner baseline: {reason}", err=True)
    if require and there.missing:
        raise RunnerError("there is not all that --require asks for")
    folder = Path(tempfile.mkdtemp(prefix="runner-baseline-"))
    report = compare(found, folder, there, lambda line: click.echo(line, err=True), _words())
    if output is not None:
        report.write(output)
        for log in folder.glob("*/*.log"):
            shutil.copy(log, output / f"{log.parent.name}-{log.name}")
    # Where something failed, the folder stays: the error names files in it.
    shutil.rmtree(folder)
    click.echo(report.markdown(), nl=False)
    if require and (report.old.warnings or report.new.warnings):
        sys.exit(1)


def _words() -> str:
    """The command line, for the report: without the folder in which the output is."""
    words = iter(sys.argv[1:])
    kept = [word for word in words if not (word == "--output" and next(words, None))]
    return " ".join(["runner", *kept])

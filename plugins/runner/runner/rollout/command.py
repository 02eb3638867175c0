"""`runner rollout`: arguments, and what they ask for."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import click

from runner.ftp.command import ftp_options
from runner.http.command import http_options
from runner.launch import Launch, counting_together
from runner.options import reporting, with_options

__all__ = ["rollout"]

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}


def _duration(ctx: click.Context, param: click.Parameter, value: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", value)
    if found is None:
        raise click.BadParameter(f"{value!r} is no time such as 90s, 10m or 24h", ctx, param)
    return float(found[1]) * _UNITS[found[2]]


def _stages(ctx: click.Context, param: click.Parameter, value: str) -> tuple[float, ...]:
    try:
        shares = tuple(float(item) / 100 for item in value.split(","))
    except ValueError:
        shares = ()
    if not shares or list(shares) != sorted(set(shares)) or not all(0 < share <= 1 for share in shares):
        raise click.BadParameter(f"{value!r} are no rising percentages such as 5,25,100", ctx, param)
    return shares


_rollout_options = with_options(
    click.option(
        "--stages",
        callback=_stages,
        default="5,25,50,100",
        show_default=True,
        help="Percent of connections for the component, one stage after the other.",
    ),
    click.option("--hold", callback=_duration, default="10m", show_default=True, help="How long each stage takes."),
    click.option("--prove", callback=_duration, default="24h", show_default=True, help="How long the last one takes."),
    click.option("--window", callback=_duration, default="1m", show_default=True, help="How long a window takes."),
    click.option(
        "--samples",
        type=click.IntRange(1),
        default=500,
        show_default=True,
        help="How many requests a window has at least; until then it goes on.",
    ),
    click.option(
        "--guard", "guards", multiple=True, metavar="NAME=NUMBER", help="Another limit; see the documentation."
    ),
    click.option("--stable", type=_FOLDER, help="The component that serves now. [default: Python]"),
    click.option("--until-decided", is_flag=True, help="End with the decision."),
    click.option("--report", type=click.Path(path_type=Path, dir_okay=False), help="A file for the course, as JSON."),
)


@click.group()
def rollout() -> None:
    """Take a component into service, share by share, under guards.

    The service goes on in any case: where the component crosses a limit, it goes back to what served before. Exit
    codes: 0 promoted, 3 gone back, 4 undecided when it was ended.
    """


@rollout.command("http")
@reporting
@_rollout_options
@http_options
def _http(found: Launch, **options: Any) -> None:
    """HTTP, as `runner serve http` serves it. With --workers N each side has N processes."""
    _run(found, **options)


@rollout.command("ftp")
@reporting
@_rollout_options
@ftp_options
def _ftp(found: Launch, **options: Any) -> None:
    """FTP, as `runner serve ftp` serves it. With --workers N each side has N processes."""
    _run(found, **options)


def _run(
    found: Launch,
    *,
    stages: tuple[float, ...],
    hold: float,
    prove: float,
    window: float,
    samples: int,
    guards: tuple[str, ...],
    stable: Path | None,
    until_decided: bool,
    report: Path | None,
) -> None:
    from runner.rollout.guards import parse_guards
    from runner.rollout.plan import Plan

    plan = Plan(stages, window, samples, hold, prove, guards=parse_guards(guards))
    with counting_together():
        from runner import logs
        from runner.rollout.controller import Rollout

        logs.configure(found.options.level, readable=found.options.readable)
        folder = None if stable is None else str(stable)
        status = Rollout(found, plan, stable=folder, until_decided=until_decided, report=report).run()
    sys.exit(status)

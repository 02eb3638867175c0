"""The comparison: both stores, one after the other, with the same users."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

from runner.baseline.measuring import STORES, measure
from runner.baseline.prometheus import Tools
from runner.baseline.report import Report
from runner.baseline.scenario import Scenario

__all__ = ["compare"]


def compare(scenario: Scenario, folder: Path, tools: Tools, say: Callable[[str], None], command: str) -> Report:
    """Measures each of the stores in a folder of its own below `folder`; `command` is what the report says was typed.

    Raises `RunnerError` where a process fails.
    """
    measured = {store: measure(scenario, store, folder / store, tools, say) for store in STORES}
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    return Report(scenario, measured["dense"], measured["sparse"], tools.missing, command, date)

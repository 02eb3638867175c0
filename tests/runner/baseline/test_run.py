"""The whole of it, small: real Runners, users, subscribers and, where it is there, Prometheus."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from runner.baseline.prometheus import FETCHED, find_tools

ROOT = Path(__file__).resolve().parents[3]
TOOLS = find_tools(ROOT / FETCHED)
SCENARIO = """
users = 20
think = 0.2
warm-up = 2
measure = 8
[[http]]
share = 4
path = "/bytes/100"
[[http]]
share = 1
method = "POST"
path = "/upload"
size = 100_000
[[http]]
share = 4
method = "POST"
path = "/work/{user}/{task}"
reports = true
[[ftp]]
share = 1
steps = ["list", "retr", "stor"]
size = 5000
"""


def baseline(folder: Path, *args: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    """The command, in a folder."""
    (folder / "small.toml").write_text(SCENARIO)
    command = [sys.executable, "-m", "runner.cli", "baseline", *args]
    environ = os.environ | ({} if path is None else {"PATH": path})
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run has written for machines."""
    folder = tmp_path_factory.mktemp("baseline")
    done = baseline(folder, "small.toml", "--tools", str(ROOT / FETCHED), "--output", "made")
    assert done.returncode == 0, done.stderr
    assert (folder / "made/table.md").read_text() == done.stdout
    assert (folder / "made/plot.svg").read_text().startswith("<svg")
    assert '"mode": "component"' in (folder / "made/sparse-http.log").read_text()
    found: dict[str, Any] = json.loads((folder / "made/result.json").read_text())
    return found


def figure(result: dict[str, Any], protocol: str, name: str) -> tuple[float | None, float | None]:
    """The old and the new value of a figure."""
    row = next(row for row in result["rows"] if (row["protocol"], row["figure"]) == (protocol, name))
    return row["old"], row["new"]


def test_all_that_users_do_goes_well_on_both_sides(result: dict[str, Any]) -> None:
    assert result["failures"] == {"old": {}, "new": {}}
    assert not [note for note in result["notes"] if "this machine" not in note]


@pytest.mark.parametrize("protocol", ["http", "ftp"])
@pytest.mark.parametrize("name", ["request-p95", "delivery-p50", "delivery-p95", "delivery-p99", "resident", "cpu"])
def test_what_needs_no_other_program_is_always_there(result: dict[str, Any], protocol: str, name: str) -> None:
    old, new = figure(result, protocol, name)
    assert old and new and old > 0 and new > 0


def test_a_subscriber_hears_of_every_request_and_every_report(result: dict[str, Any]) -> None:
    for side in (0, 1):
        heard, asked = (figure(result, "http", name)[side] or 0 for name in ("delivery-count", "request-count"))
        # Four of nine requests report: an update of the work, beside that of the request.
        assert 1.2 * asked < heard < 1.8 * asked


@pytest.mark.skipif(TOOLS.prometheus is None, reason="Prometheus is not there (scripts/setup_baseline.sh)")
def test_prometheus_has_the_averages(result: dict[str, Any]) -> None:
    old, new = figure(result, "http", "workbook")
    # Each of 80 tasks has 12 of 200 fields: the dense store holds all of them for each.
    assert old and new and old > 3 * new > 0
    rates = figure(result, "http", "rate")
    counts = figure(result, "http", "request-count")
    for rate, count in zip(rates, counts, strict=True):
        assert rate and count and 0.5 * count / 8 < rate < 2 * count / 8


@pytest.mark.skipif(None in (TOOLS.prometheus, TOOLS.jemalloc), reason="no jemalloc (scripts/setup_baseline.sh)")
@pytest.mark.parametrize("protocol", ["http", "ftp"])
def test_jemalloc_tells_what_it_holds(result: dict[str, Any], protocol: str) -> None:
    for side in (0, 1):
        allocated, active, resident = (
            figure(result, protocol, name)[side] or 0 for name in ("allocated", "active", "allocator-resident")
        )
        assert 1 << 20 < allocated < active < resident


def test_what_is_missing_is_said_and_fails_only_where_it_is_required(tmp_path: Path) -> None:
    """Without the folder of tools there may still be the system's own."""
    there = find_tools(tmp_path / "nothing")
    if not there.missing:
        pytest.skip("the system has both")
    done = baseline(tmp_path, "small.toml", "--require", "--tools", "nothing")
    assert done.returncode == 1
    for name in there.missing:
        assert f"{name} is not on this machine; scripts/setup_baseline.sh fetches it" in done.stderr


def test_a_wrong_scenario_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "wrong.toml").write_text("users = 0\n")
    done = baseline(tmp_path, "wrong.toml")
    assert done.returncode == 1
    assert re.match(r"wrong\.toml:1:1: error: `users` must be", done.stderr)
    assert "users = 0" in done.stderr

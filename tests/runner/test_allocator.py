"""What jemalloc holds is told where it is the allocator, and nothing where it is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from runner.baseline.prometheus import FETCHED, find_tools

JEMALLOC = find_tools(Path(__file__).resolve().parents[2] / FETCHED).jemalloc
TELL = """
from runner.metrics import Metrics
metrics = Metrics()
held = bytes(50_000_000)
metrics.take_allocator()
for sample in metrics.samples():
    if sample.name == "runner_allocator_bytes":
        print(sample.labels["kind"], int(sample.value))
"""


def told(**environ: str) -> dict[str, int]:
    """The figures of a process that holds 50 MB."""
    done = subprocess.run(
        [sys.executable, "-c", TELL], env=os.environ | environ, capture_output=True, text=True, check=True
    )
    return {kind: int(value) for kind, value in map(str.split, done.stdout.splitlines())}


@pytest.mark.skipif(JEMALLOC is None, reason="jemalloc is not there (scripts/setup_baseline.sh)")
def test_what_jemalloc_holds_is_told_by_kind() -> None:
    found = told(LD_PRELOAD=str(JEMALLOC))
    assert set(found) == {"allocated", "active", "resident", "mapped"}
    assert 50_000_000 < found["allocated"] <= found["active"] <= found["mapped"]


def test_of_another_allocator_nothing_is_told() -> None:
    assert told() == {}

"""A process that is killed at any moment loses nothing that it was promised; what it acknowledged never comes again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from runner.bindings import progress_client as wit

from tests.runner.progress.support import on_disk, subscribe

ROUNDS = 12


def run_and_kill(folder: Path, first: int, seconds: float) -> list[list[str]]:
    """Lets a writer work until it is killed; gives the lines that it wrote, whole ones alone."""
    command = [sys.executable, "-m", "tests.runner.progress.writer", str(folder / "progress.db"), str(first)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    # From the first word on: how long Python takes to start says nothing.
    said = process.stdout.readline()
    time.sleep(seconds)
    os.kill(process.pid, signal.SIGKILL)
    said += process.communicate()[0]
    return [line.split() for line in said.decode().split("\n")[:-1]]


def test_no_promise_is_broken_by_kill_9(tmp_path: Path) -> None:
    dice = random.Random(2)
    with on_disk(tmp_path) as progress:
        subscribe(progress, "audit", capacity=65_536).close()
    stored = set[tuple[str, int]]()
    delivered = dict[int, tuple[str, int]]()
    acked = 0
    for round_ in range(ROUNDS):
        for kind, *words in run_and_kill(tmp_path, round_ * 1_000_000, dice.random() * 0.3):
            if kind == "stored":
                stored.add((words[0], int(words[1])))
            elif kind == "acked":
                acked = int(words[0])
            else:
                for id_, user, n in (word.split("/") for word in words):
                    assert int(id_) > acked, "what was acknowledged came again"
                    assert delivered.setdefault(int(id_), (user, int(n))) == (user, int(n)), "an id was used twice"
    with on_disk(tmp_path) as progress:
        rest = subscribe(progress, "audit", capacity=65_536).recv(65_536).updates
        assert all(update.id > acked for update in rest)
        arrived = set(delivered.values()) | {(update.scope.user, update.timestamp) for update in rest}
        assert stored <= arrived, "an update that was on the disk is lost"
        assert len(stored) > 2 * ROUNDS
        for user in ("ada", "bob"):
            (entry,) = progress.workbook.get_section(wit.Scope(user, "task", None), "s")
            assert entry.value == wit.Value_Integer(max(n for name, n in arrived if name == user))

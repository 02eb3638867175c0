"""The supervisor with real processes: who starts anew, when, and what becomes of workers whose supervisor is gone."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from runner.supervisor import Slot, Supervisor

PATIENCE = 30.0
#: A worker that goes on until it is told to end.
ENDLESS = "import time; time.sleep(1000)"
#: A program that supervises one such worker, and says what number it has.
SUPERVISING = f"""
from runner.supervisor import Slot, Supervisor
WORKER = '''
import os, select
from runner.supervisor import lifeline
print(os.getpid(), flush=True)
select.select([lifeline()], [], [])
print("alone", flush=True)
'''
Supervisor([Slot([], lambda: ["-c", WORKER])], print, {PATIENCE}).run()
"""


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """Supervisors take signals for their own."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def supervise(command: Callable[[], list[str]], look: Callable[[Supervisor, list[str]], None]) -> list[str]:
    """What is said while a worker is supervised, until `look` stops that."""
    said: list[str] = []
    begun = time.monotonic()

    def looked() -> None:
        look(found, said)
        assert time.monotonic() - begun < PATIENCE

    found = Supervisor([Slot([], command)], said.append, PATIENCE, look=looked)
    found.run()
    return said


def pauses(said: list[str]) -> list[str]:
    """After how many seconds workers were started again."""
    return [found[1] for line in said if (found := re.search(r"(?:started|tried) again in (\S+) s", line))]


def test_who_dies_at_once_waits_longer_each_time_also_after_a_sound_life() -> None:
    lives = iter(["import time; time.sleep(5.2)", "", ""])

    def look(found: Supervisor, said: list[str]) -> None:
        if len(said) == 3:
            found.stop()

    said = supervise(lambda: ["-c", next(lives, ENDLESS)], look)
    assert pauses(said) == ["0", "0.5", "1"]


def test_a_worker_for_which_there_is_no_room_is_started_later() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    started = []

    def command() -> list[str]:
        started.append(True)
        return ["-c", ENDLESS]

    def look() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        if started:
            found.stop()

    said: list[str] = []
    found = Supervisor([Slot([], command)], said.append, PATIENCE, look=look)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, limits[1]))
        assert found.run() == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert said == ["worker 1 can't be started: too many open files; tried again in 0.5 s"]
    assert started


def test_a_worker_sees_that_its_supervisor_was_killed() -> None:
    command = [sys.executable, "-c", SUPERVISING]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as it:
        assert it.stdout is not None
        worker = int(it.stdout.readline())
        os.kill(worker, 0)
        it.kill()
        assert it.stdout.readline() == "alone\n"


def test_a_death_that_nobody_wanted_is_told_with_its_slot_and_status() -> None:
    deaths: list[tuple[int, int]] = []
    slots = [
        Slot([], lambda: ["-c", ENDLESS]),
        Slot([], lambda: ["-c", "raise SystemExit(7)" if not deaths else ENDLESS]),
    ]
    found = Supervisor(
        slots,
        lambda line: None,
        PATIENCE,
        look=lambda: found.stop() if deaths else None,
        died=lambda index, status: deaths.append((index, status)),
    )
    assert found.run() == 0
    assert deaths == [(1, 7)]

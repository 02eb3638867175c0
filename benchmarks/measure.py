"""How things are measured: the best of several rounds, so that what else the machine does counts little."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["ROOT", "alternately", "ms", "processes", "seconds"]

ROOT = Path(__file__).resolve().parent.parent


def seconds(call: Callable[[], object], budget: float = 0.4, rounds: int = 5) -> float:
    """The best mean of several rounds, in seconds for one call; a round takes about `budget` / `rounds`."""
    call()
    start = time.perf_counter()
    call()
    number = max(1, int(budget / rounds / max(time.perf_counter() - start, 1e-7)))
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(number):
            call()
        best = min(best, (time.perf_counter() - start) / number)
    return best


def alternately(calls: Sequence[Callable[[], object]], budget: float = 0.6, rounds: int = 12) -> list[float]:
    """As `seconds`, for calls that are compared: they take turns, so that what slows one down slows the others too.

    Each takes about `budget` seconds, or three turns if that is longer.
    """
    numbers: list[int] = []
    turns: list[int] = []
    for call in calls:
        call()
        start = time.perf_counter()
        call()
        in_a_turn = budget / rounds / max(time.perf_counter() - start, 1e-7)
        numbers.append(max(1, int(in_a_turn)))
        turns.append(max(3, min(rounds, int(rounds * in_a_turn))))
    best = [float("inf")] * len(calls)
    for turn in range(rounds):
        for i, (call, number) in enumerate(zip(calls, numbers, strict=True)):
            if turn < turns[i]:
                start = time.perf_counter()
                for _ in range(number):
                    call()
                best[i] = min(best[i], (time.perf_counter() - start) / number)
    return best


def ms(time: float) -> str:
    """A time, given in seconds, as tables have it."""
    return f"{time * 1e3:.1f} ms"


def processes(
    commands: Sequence[Sequence[str]], environment: Mapping[str, str] | None = None, rounds: int = 20
) -> list[float]:
    """The best time of each command as a whole process, in seconds; the commands take turns.

    Raises CalledProcessError for a command that fails.
    """
    best = [float("inf")] * len(commands)
    for _ in range(rounds):
        for i, command in enumerate(commands):
            start = time.perf_counter()
            subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
            best[i] = min(best[i], time.perf_counter() - start)
    return best

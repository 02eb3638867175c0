"""What guests do at the same time, what limits cost, and what it saves that compiled code is kept.

The guest computes by itself: a loop of a million steps. Beside it `progress-runner`, whose calls are so short that they
are mostly Python.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import runner.bindings.progress_runner as wit
from calls import component_file, conditions
from measure import ROOT, ms, seconds

sys.path.insert(0, str(ROOT))
from tests.runtime.unruly import Unruly
from witgen import runtime as rt

TITLE = "Threads, limits, compiled code"
HEAD = ("What", "witgen", "Floor", "", "Ratio", "Wanted")

__all__ = ["HEAD", "TITLE", "conditions", "rows"]

_STEPS = 1_000_000
_SECONDS = 0.5
_ROUNDS = 4
_TURNS = 40
#: How many processors two processes must have got for their rate to say anything of two threads.
_ENOUGH = 1.6


def rows() -> Iterator[tuple[str, ...]]:
    """All measurements."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        unruly = Unruly(folder)
        yield from _threads(unruly, folder)
        yield from _limits(unruly)
        yield from _compiled(folder)


def _threads(unruly: Unruly, folder: Path) -> Iterator[tuple[str, ...]]:
    """Two threads against two processes, which share no lock of an interpreter: what this machine gives to two.

    The processors that the processes got stand with them. Where those are hardly more than one, the machine was busy,
    and the ratio says nothing of threads.
    """
    component = unruly.component()
    calls = [_counter(unruly.world(component)) for _ in range(2)]
    threads, processes, processors = 0.0, 0.0, 0.0
    for _ in range(_ROUNDS):
        threads = max(threads, _rate(calls))
        rate, used = _rate_of_processes(len(calls), folder)
        if rate > processes:
            processes, processors = rate, used
    floor = f"{len(calls)} processes, on {processors:.1f} processors"
    ratio = f"{threads / processes:.2f}" if processors >= _ENOUGH else "not known: a busy machine"
    yield "calls that compute, two threads", f"{threads:,.0f}/s", floor, f"{processes:,.0f}/s", ratio, "about 1"


def _rate(calls: list[Callable[[], object]]) -> float:
    """How many calls a second all of these make together, each in a thread of its own."""
    stop = threading.Event()
    made = [0] * len(calls)

    def work(index: int) -> None:
        while not stop.is_set():
            calls[index]()
            made[index] += 1

    threads = [threading.Thread(target=work, args=(index,)) for index in range(len(calls))]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    time.sleep(_SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    return sum(made) / (time.perf_counter() - started)


def _rate_of_processes(number: int, folder: Path) -> tuple[float, float]:
    """As `_rate`, for as many processes; and how many processors they got together."""
    command = [sys.executable, __file__, str(folder)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for _ in range(number)
    ]
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()
    # They are made, and begin together.
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    found = [[float(word) for word in process.communicate()[0].split()] for process in running]
    return sum(rate for rate, _ in found), sum(used for _, used in found)


def _process() -> None:
    """One of the processes: says that it is ready, waits, and says how many calls a second it made on what."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1]) as folder:
        unruly = Unruly(Path(folder))
        call = _counter(unruly.world(unruly.component()))
    print("ready", flush=True)
    sys.stdin.readline()
    worked = time.process_time()
    started = time.perf_counter()
    rate = _rate([call])
    print(rate, (time.process_time() - worked) / (time.perf_counter() - started))


def _limits(unruly: Unruly) -> Iterator[tuple[str, ...]]:
    engines = [rt.new_engine(interruptible=False), rt.new_engine(), rt.new_engine(fuel=True)]
    loop, *found = _best(*(_counter(unruly.world(unruly.component(engine=engine)), 50_000) for engine in engines))
    for what, cost in zip(("can be interrupted", "also counts fuel"), found, strict=True):
        cells = (f"{cost * 1e6:.1f} µs", "code that does not", f"{loop * 1e6:.1f} µs", f"{cost / loop:.2f}", "")
        yield f"the tightest loop, code that {what}", *cells
    path = component_file()
    kinds = [rt.DEFAULT_LIMITS, rt.Limits(seconds=1), rt.Limits(seconds=1, fuel=1_000_000)]
    ready = [_ready(rt.Component.from_file(path, engine=rt.default_engine(limits)), limits) for limits in kinds]
    call, *found = _best(*ready)
    for what, cost in zip(("time", "time and fuel"), found, strict=True):
        cells = (f"{cost * 1e6:.2f} µs", "no limit", f"{call * 1e6:.2f} µs", f"{cost / call:.2f}", "")
        yield f"a short call with a limit of {what}", *cells


def _best(*calls: Callable[[], object]) -> list[float]:
    """The best time of each, in seconds; they take turns, in rounds so short that other work seldom falls into one."""
    best = [float("inf")] * len(calls)
    for _ in range(_TURNS):
        for i, call in enumerate(calls):
            best[i] = min(best[i], seconds(call, budget=0.01, rounds=5))
    return best


def _compiled(folder: Path) -> Iterator[tuple[str, ...]]:
    kept = os.environ.get("WITGEN_CACHE_DIR")
    path = component_file()
    size = f"{path.stat().st_size:,} bytes"
    try:
        os.environ["WITGEN_CACHE_DIR"] = str(folder / "cache")
        wit.ProgressRunner.load(path)
        (found,) = _best(lambda: wit.ProgressRunner.load(path))
        os.environ["WITGEN_CACHE"] = "off"
        compiling = seconds(lambda: wit.ProgressRunner.load(path), rounds=2)
    finally:
        os.environ.pop("WITGEN_CACHE")
        os.environ.pop("WITGEN_CACHE_DIR")
        if kept is not None:
            os.environ["WITGEN_CACHE_DIR"] = kept
    what = f"load {path.relative_to(ROOT).name} ({size}) that was compiled before"
    yield what, ms(found), "compile it", ms(compiling), f"{found / compiling:.3f}", "≤ 20 ms"


def _counter(world: Any, steps: int = _STEPS) -> Callable[[], object]:
    count = world.api.count
    return lambda: count(steps)


def _ready(component: rt.Component, limits: rt.Limits = rt.DEFAULT_LIMITS) -> Callable[[], object]:
    options = wit.SubscriptionOptions(wit.Filter(None, None, None, wit.Phases(0)), 64, wit.Overflow.DROP_OLDEST)
    return wit.ProgressRunner(component, limits=limits).events.subscription.open(options).ready


if __name__ == "__main__":
    _process()

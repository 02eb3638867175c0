"""What a new implementation is held to: guards, each over the figures of a window, and beside those of the old one.

A guard is one number: its limit. What it says about a window is nothing, or a sentence that begins with its name. It
knows figures; where they come from, and what is done about them, others know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from runner.errors import RunnerError
from runner.histogram import Histogram

__all__ = ["GuardError", "Guards", "Side", "Violation", "parse_guards", "violations"]


class GuardError(RunnerError):
    """A guard that there is not, or a limit that is none."""


@dataclass(slots=True)
class Side:
    """The figures of one side over a window."""

    requests: int = 0
    failures: int = 0
    latency: Histogram = field(default_factory=Histogram)
    progress: Histogram = field(default_factory=Histogram)
    #: The last known resident memory of each process, in bytes.
    memory: dict[int, int] = field(default_factory=dict)

    def take(self, line: dict[str, Any]) -> None:
        """Adds what a process told."""
        self.requests += line["requests"]
        self.failures += line["failures"]
        self.latency.merge(line["latency"])
        self.progress.merge(line["progress"])
        if "memory" in line:
            self.memory[line["pid"]] = line["memory"]

    @property
    def process_memory(self) -> float:
        """Bytes of a process, on average; 0 where none has told."""
        return sum(self.memory.values()) / len(self.memory) if self.memory else 0.0

    @property
    def failed_share(self) -> float:
        """The share of requests that failed."""
        return self.failures / self.requests if self.requests else 0.0


@dataclass(frozen=True, slots=True)
class Guards:
    """The limits. A request has failed when it had no answer, or one with which the server admits a failure."""

    #: Percent of requests that may fail.
    failures: float = 1.0
    #: How many times as long as on the other side requests may take, at the percentiles 95 and 99 …
    latency_ratio: float = 1.5
    #: … where that is more than so many milliseconds.
    latency_slack: float = 10.0
    #: Percent by which the memory of a process may grow from what it was when a stage began …
    memory: float = 5.0
    #: … where that is more than so many mebibytes.
    memory_slack: float = 4.0
    #: Milliseconds that updates of progress may take at percentile 95, if they take much less on the other side.
    progress: float = 50.0


@dataclass(frozen=True, slots=True)
class Violation:
    """A limit that was crossed: which guard (those of the table, and ``component``), and how."""

    guard: str
    reason: str


def parse_guards(items: Iterable[str]) -> Guards:
    """Limits from ``NAME=NUMBER``, for those that are to differ. Raises `GuardError`."""
    known = {item.name.replace("_", "-"): item.name for item in fields(Guards)}
    values: dict[str, float] = {}
    for item in items:
        name, _, text = item.partition("=")
        if name not in known:
            raise GuardError(f"there is no guard {name!r}; there are {', '.join(known)}")
        try:
            values[known[name]] = float(text)
        except ValueError:
            raise GuardError(f"guard {name} needs a number, not {text!r}") from None
        if not values[known[name]] >= 0:
            raise GuardError(f"guard {name} can't be {text}")
    return Guards(**values)


_Guard = Callable[[Guards, Side, Side, float], Iterator[Violation]]


def _failures(guards: Guards, new: Side, old: Side, memory: float) -> Iterator[Violation]:
    percent = 100 * new.failed_share
    if percent > guards.failures:
        counts = f"{new.failures} of {new.requests} requests failed"
        yield Violation("failures", f"failures: {counts}, {percent:.2f} %; {guards.failures:g} % are allowed")


def _latency(guards: Guards, new: Side, old: Side, memory: float) -> Iterator[Violation]:
    if not old.latency.total:
        return
    for name, share in (("p95", 0.95), ("p99", 0.99)):
        found, before = new.latency.percentile(share) * 1000, old.latency.percentile(share) * 1000
        allowed = max(before * guards.latency_ratio, before + guards.latency_slack)
        if found > allowed:
            times = f"{name} is {found:.3g} ms, and {before:.3g} ms on the other side"
            yield Violation("latency", f"latency: {times}; {allowed:.3g} ms are allowed")


def _memory(guards: Guards, new: Side, old: Side, memory: float) -> Iterator[Violation]:
    found = new.process_memory
    allowed = max(memory * (1 + guards.memory / 100), memory + guards.memory_slack * 2**20)
    if memory and found > allowed:
        sizes = f"a process has {found / 2**20:.1f} MiB, and had {memory / 2**20:.1f} MiB at first"
        yield Violation("memory", f"memory: {sizes}; {allowed / 2**20:.1f} MiB are allowed")


def _progress(guards: Guards, new: Side, old: Side, memory: float) -> Iterator[Violation]:
    found, beside = new.progress.percentile(0.95) * 1000, old.progress.percentile(0.95) * 1000
    # A disk that is slow for both is not the component's fault.
    allowed = max(guards.progress, beside * guards.latency_ratio)
    if found > allowed:
        yield Violation("progress", f"progress: p95 is {found:.3g} ms; {allowed:.3g} ms are allowed")


_TABLE: tuple[_Guard, ...] = (_failures, _latency, _memory, _progress)


def violations(guards: Guards, new: Side, old: Side, memory: float) -> list[Violation]:
    """Which limits the new side crosses in a window. `memory` is what a process had when the stage began, in bytes."""
    return [found for guard in _TABLE for found in guard(guards, new, old, memory)]

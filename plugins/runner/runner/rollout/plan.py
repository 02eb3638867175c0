"""The course of a rollout: stage by stage more connections for the new side, window by window a judgement.

A window ends when its time is over and it has enough samples; until then it goes on. A stage ends with a window that
is good when the stage's time is over; the last one ends in promotion. The first window in which a guard is crossed
ends the rollout. It knows time as it is told, figures and limits; it starts and stops nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from runner.rollout.guards import Guards, Side, Violation, violations

__all__ = ["Advanced", "Course", "Event", "Judged", "Plan", "Promoted", "WentBack"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How to go on. Shares are from 0 to 1, times in seconds."""

    stages: Sequence[float] = (0.05, 0.25, 0.5, 1.0)
    window: float = 60.0
    samples: int = 500
    #: How long each stage takes at least, but for the last …
    hold: float = 600.0
    #: … which takes so long, and then the new side has proven itself.
    prove: float = 86_400.0
    #: How long the new side may take until it is ready.
    start: float = 60.0
    guards: Guards = field(default_factory=Guards)


@dataclass(frozen=True, slots=True)
class Advanced:
    """From now on the new side is to have another share of connections."""

    share: float


@dataclass(frozen=True, slots=True)
class Judged:
    """A window was good; these are its figures."""

    share: float
    new: Side
    old: Side


@dataclass(frozen=True, slots=True)
class Promoted:
    """The new side has proven itself: it is to serve alone."""


@dataclass(frozen=True, slots=True)
class WentBack:
    """The old side is to serve alone, for these reasons."""

    violations: Sequence[Violation]


Event: TypeAlias = Advanced | Judged | Promoted | WentBack


class Course:
    """A rollout under way. `tick` is to be called again and again, with a time that never goes back."""

    def __init__(self, plan: Plan, now: float) -> None:
        self._plan = plan
        self._begun = now
        self._stage = -1
        self._stage_begun = self._window_begun = now
        self._new, self._old = Side(), Side()
        #: The old side when it last had enough samples to be compared with.
        self._before: Side | None = None
        self._memory = 0.0
        self._ready: set[int] = set()
        self._trouble: Violation | None = None
        self.over = False

    @property
    def share(self) -> float:
        """The share of connections that the new side is to have now."""
        return self._plan.stages[self._stage] if self._stage >= 0 else 0.0

    def new(self, line: dict[str, Any]) -> None:
        """Takes what a process of the new side told."""
        self._new.take(line)
        if line.get("mode") == "component":
            self._ready.add(line["pid"])
        elif line.get("mode") == "python" and self._trouble is None:
            # It has fallen back by itself, and said why.
            self._trouble = Violation("component", f"component: {line.get('reason') or 'it does not serve'}")

    def died(self, status: int) -> None:
        """Takes that a process of the new side has ended by itself; `status` is below 0 for a signal."""
        if self._trouble is None:
            how = f"by signal {-status}" if status < 0 else f"with {status}"
            self._trouble = Violation("component", f"component: a process of it ended {how}")

    def old(self, line: dict[str, Any]) -> None:
        """Takes what a process of the old side told."""
        self._old.take(line)

    def tick(self, now: float, processes: int) -> list[Event]:
        """What is to be done; `processes` is how many the new side has."""
        if self.over:
            return []
        if self._trouble is not None:
            return self._go_back([self._trouble])
        if self._stage < 0:
            return self._wait(now, processes)
        enough = self._new.requests >= self._plan.samples
        if enough and (found := self._early()):
            return self._go_back(found)
        if now - self._window_begun < self._plan.window or not enough or not self._comparable():
            return []
        return self._judge(now)

    def _wait(self, now: float, processes: int) -> list[Event]:
        """Waits for the new side to be ready."""
        if len(self._ready) >= processes:
            return [self._advance(now)]
        if now - self._begun > self._plan.start:
            return self._go_back([Violation("component", f"component: it was not ready in {self._plan.start:g} s")])
        return []

    def _early(self) -> list[Violation]:
        """Failures are not waited for to the end of a window."""
        found = violations(self._plan.guards, self._new, Side(), 0)
        return [item for item in found if item.guard == "failures"]

    def _comparable(self) -> bool:
        """Whether there is something to compare with."""
        return self._old.requests >= self._plan.samples or self._before is not None or self.share == 1

    def _judge(self, now: float) -> list[Event]:
        if self._old.requests >= self._plan.samples:
            self._before = self._old
        found = violations(self._plan.guards, self._new, self._before or Side(), self._memory)
        if found:
            return self._go_back(found)
        events: list[Event] = [Judged(self.share, self._new, self._old)]
        # The first window of a stage is when memory finds its size.
        self._memory = self._memory or self._new.process_memory
        self._turn(now)
        last = self._stage == len(self._plan.stages) - 1
        if now - self._stage_begun >= (self._plan.prove if last else self._plan.hold):
            if last:
                self.over = True
                events.append(Promoted())
            else:
                events.append(self._advance(now))
        return events

    def _advance(self, now: float) -> Advanced:
        self._stage += 1
        self._stage_begun = now
        self._memory = 0.0
        self._turn(now)
        return Advanced(self.share)

    def _turn(self, now: float) -> None:
        """Begins another window."""
        self._window_begun = now
        self._new, self._old = Side(), Side()

    def _go_back(self, found: Sequence[Violation]) -> list[Event]:
        self.over = True
        return [WentBack(found)]

"""The course of a rollout, from figures and times that are made up: when it goes on, and when it goes back."""

from __future__ import annotations

from typing import Any

import pytest
from runner.histogram import Histogram
from runner.rollout.guards import GuardError, Guards, parse_guards
from runner.rollout.plan import Advanced, Course, Event, Judged, Plan, Promoted, WentBack

MIB = 1 << 20
PLAN = Plan(stages=(0.1, 0.5, 1.0), window=10, samples=100, hold=30, prove=100, start=60)


def line(
    requests: int = 0,
    failures: int = 0,
    *,
    took: float = 0.001,
    slow: int = 0,
    memory: float = 60,
    progress: float = 0.01,
    pid: int = 1,
    mode: str = "component",
) -> dict[str, Any]:
    """What a process tells: `slow` of its requests took 0.1 s, the others `took` seconds."""
    latency, updates = Histogram(), Histogram()
    for number in range(requests):
        latency.add(0.1 if number < slow else took)
        updates.add(progress)
    return {
        "pid": pid,
        "requests": requests,
        "failures": failures,
        "latency": latency.dump(),
        "progress": updates.dump(),
        "memory": int(memory * MIB),
        "mode": mode,
        "reason": "because",
    }


class Run:
    """A course whose new side says the same every second, beside an old one that is well."""

    def __init__(self, plan: Plan = PLAN, old: int = 1000) -> None:
        self.course = Course(plan, 0)
        self.now = 0.0
        self.old = old
        self.events: list[tuple[float, Event]] = []

    def go(self, seconds: int, **new: Any) -> list[Event]:
        """So many seconds later."""
        new = {"requests": 50} | new
        begun = len(self.events)
        for _ in range(seconds):
            self.now += 1
            self.course.new(line(**new))
            self.course.old(line(self.old if self.course.share < 1 else 0, mode="python", pid=2))
            self.events += [(self.now, event) for event in self.course.tick(self.now, 1)]
        return [event for _, event in self.events[begun:]]

    @property
    def decision(self) -> WentBack:
        """That it went back, and why."""
        found = self.events[-1][1]
        assert isinstance(found, WentBack)
        return found


def test_a_good_component_passes_all_stages_and_is_promoted() -> None:
    run = Run()
    run.go(300)
    assert [(now, event.share) for now, event in run.events if isinstance(event, Advanced)] == [
        (1, 0.1),
        (31, 0.5),
        (61, 1.0),
    ]
    assert run.events[-1] == (161, Promoted())
    assert run.course.over
    assert run.go(10, failures=50) == []


def test_a_window_without_enough_samples_goes_on() -> None:
    run = Run()
    run.go(1)
    assert run.go(60, requests=1) == []
    assert [type(event) for event in run.go(1, requests=100)] == [Judged, Advanced]


def test_a_window_without_enough_samples_to_compare_with_goes_on() -> None:
    run = Run(old=1)
    run.go(1)
    assert run.go(60) == []
    run.old = 100
    assert isinstance(run.go(1)[0], Judged)


def test_what_is_left_of_the_old_side_is_compared_with_when_it_has_no_connections() -> None:
    run = Run()
    run.go(61)
    assert run.course.share == 1
    assert [item.guard for item in (run.go(10, slow=50), run.decision)[1].violations] == ["latency", "latency"]


def test_failures_are_not_waited_for_to_the_end_of_a_window() -> None:
    run = Run()
    run.go(1)
    run.go(2, failures=1)
    assert run.now == 3
    assert [item.reason for item in run.decision.violations] == [
        "failures: 2 of 100 requests failed, 2.00 %; 1 % are allowed"
    ]


@pytest.mark.parametrize(("status", "how"), [(-9, "by signal 9"), (1, "with 1")])
def test_a_process_of_the_new_side_that_ends_ends_the_rollout(status: int, how: str) -> None:
    run = Run()
    run.go(5)
    run.course.died(status)
    run.go(1)
    assert [item.reason for item in run.decision.violations] == [f"component: a process of it ended {how}"]


def test_slow_answers_cross_p99_before_p95() -> None:
    run = Run()
    run.go(1)
    run.go(10, slow=2)
    assert [item.reason[:15] for item in run.decision.violations] == ["latency: p99 is"]


def test_latency_may_be_some_milliseconds_more_whatever_the_ratio() -> None:
    run = Run()
    run.go(1)
    assert [type(event) for event in run.go(10, took=0.008)] == [Judged]
    run.go(10, took=0.014)
    assert run.decision.violations[0].guard == "latency"


def test_memory_that_grows_within_a_stage_is_found_out() -> None:
    run = Run()
    run.go(11, memory=100)
    # 5 % more are allowed, and were crossed by little.
    assert [type(event) for event in run.go(10, memory=104.9)] == [Judged]
    run.go(10, memory=105.3)
    assert [item.guard for item in run.decision.violations] == ["memory"]


def test_memory_of_a_small_process_may_grow_by_some_mebibytes() -> None:
    run = Run()
    run.go(11, memory=20)
    assert [type(event) for event in run.go(10, memory=23.9)] == [Judged]


def test_memory_is_looked_at_by_process() -> None:
    run = Run()
    run.go(11, memory=100)
    for _ in range(10):
        run.course.new(line(memory=100, pid=7))
        run.go(1, memory=100)
    assert not run.course.over


def test_progress_that_is_late_is_found_out_unless_the_disk_is_slow_for_both() -> None:
    run = Run()
    run.go(1)
    run.go(10, progress=0.06)
    assert [item.guard for item in run.decision.violations] == ["progress"]
    run = Run()
    run.go(1)
    for _ in range(9):
        run.course.old(line(5000, progress=0.06, mode="python", pid=2))
        run.go(1, progress=0.06)
    assert isinstance(run.go(1, progress=0.06)[0], Judged)


def test_a_component_that_falls_back_by_itself_has_lost() -> None:
    run = Run()
    run.go(5)
    run.go(1, mode="python")
    assert [item.reason for item in run.decision.violations] == ["component: because"]


def test_a_component_that_is_never_ready_gets_no_connection() -> None:
    run = Run()
    run.go(60, mode="none")
    assert (run.course.share, run.events) == (0.0, [])
    run.go(1, mode="none")
    assert [item.reason for item in run.decision.violations] == ["component: it was not ready in 60 s"]


def test_guards_are_given_by_name() -> None:
    assert parse_guards(["failures=0.5", "latency-slack=20"]) == Guards(failures=0.5, latency_slack=20)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fail=1", "there is no guard 'fail'; there are failures, latency-ratio"),
        ("failures", "guard failures needs a number, not ''"),
        ("memory=much", "guard memory needs a number, not 'much'"),
        ("memory=-1", "guard memory can't be -1"),
        ("memory=nan", "guard memory can't be nan"),
    ],
)
def test_guards_that_are_none_are_refused(text: str, message: str) -> None:
    with pytest.raises(GuardError, match=message):
        parse_guards([text])

"""Clocks, as a guest sees them."""

from __future__ import annotations

import time

from tests.wasi.running import Relay
from witgen import wasi
from witgen.wasi.bindings import host
from witgen.wasi.clocks import MonotonicClock, datetime


def test_the_monotonic_clock_never_goes_back(relay: Relay) -> None:
    system = relay.instance().system
    readings = [system.now() for _ in range(100)]
    assert readings == sorted(readings)
    assert system.resolution() >= 1


def test_the_wall_clock_is_that_of_the_system(relay: Relay) -> None:
    system = relay.instance().system
    before = time.time_ns()
    seconds, nanoseconds = system.wall_now()
    assert before <= seconds * 1_000_000_000 + nanoseconds <= time.time_ns()
    assert nanoseconds < 1_000_000_000
    assert system.wall_resolution() > (0, 0)


def test_a_time_before_1970_is_taken_to_be_1970() -> None:
    assert datetime(-5) == host.Datetime(0, 0)
    assert datetime(2_000_000_005) == host.Datetime(2, 5)


def test_a_component_can_be_given_another_clock(relay: Relay) -> None:
    class Noon:
        def now(self) -> host.Datetime:
            return host.Datetime(43_200, 7)

        def resolution(self) -> host.Datetime:
            return host.Datetime(1, 0)

    class Later(MonotonicClock):
        def now(self) -> int:
            return super().now() + 10**15

    system = relay.instance(clocks=wasi.Clocks(wall=Noon(), monotonic=Later())).system
    assert system.wall_now() == (43_200, 7)
    assert system.wall_resolution() == (1, 0)
    assert system.now() > 10**15

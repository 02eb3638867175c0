"""`wasi:clocks`: the system's clocks, and points in time to wait for."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from witgen.wasi.bindings import host
from witgen.wasi.poll import Pollable, Waitable

__all__ = ["Clocks", "Deadline", "MonotonicClock", "WallClock", "datetime"]

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Deadline(Waitable):
    """A point in time, in nanoseconds of ``time.monotonic_ns``."""

    instant: int

    def wants(self) -> int:
        """The point in time."""
        return self.instant


class MonotonicClock:
    """The interface `wasi:clocks/monotonic-clock`, on the clock of ``time.monotonic_ns``."""

    def now(self) -> int:
        """Nanoseconds since a point in time that is the same for all components of a process."""
        return time.monotonic_ns()

    def resolution(self) -> int:
        """Nanoseconds from one tick to the next."""
        return _ticks(time.get_clock_info("monotonic").resolution)

    def subscribe_instant(self, when: int) -> host.Pollable:
        """A pollable that is ready when `now` is `when` or later."""
        return Pollable(Deadline(when))

    def subscribe_duration(self, when: int) -> host.Pollable:
        """A pollable that is ready after `when` nanoseconds."""
        return Pollable(Deadline(time.monotonic_ns() + when))


class WallClock:
    """The interface `wasi:clocks/wall-clock`, on the clock of ``time.time_ns``."""

    def now(self) -> host.Datetime:
        """The time since 1970-01-01T00:00:00Z."""
        return datetime(time.time_ns())

    def resolution(self) -> host.Datetime:
        """The time from one tick to the next."""
        return datetime(_ticks(time.get_clock_info("time").resolution))


@dataclass(frozen=True, slots=True)
class Clocks:
    """The grant of `wasi:clocks`. Other clocks, say that of a test, may take the place of the system's."""

    monotonic: host.MonotonicClock = field(default_factory=MonotonicClock)
    wall: host.WallClock = field(default_factory=WallClock)


def datetime(nanoseconds: int) -> host.Datetime:
    """A time by its distance from 1970; what lies before that has no `datetime` and is taken to be there."""
    return host.Datetime(*divmod(max(nanoseconds, 0), _SECOND))


def _ticks(resolution: float) -> int:
    """Seconds as nanoseconds, one at least."""
    return max(1, round(resolution * _SECOND))

"""Whether the event loop may do itself what is a matter of microseconds as a rule, seen by how long it has taken.

To have a thread do it costs more than most of it takes; but a disk that is busy, or asleep, must not hold up everybody.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["Pace"]

T = TypeVar("T")
#: Seconds beyond which something was not prompt, and how many times as long everything is left to threads then.
_LONG, _REST = 0.005, 50


class Pace:
    """What an event loop may do itself; it belongs to one."""

    def __init__(self) -> None:
        self._rests_until = 0.0

    @property
    def is_prompt(self) -> bool:
        """Whether to do things at once."""
        return time.monotonic() >= self._rests_until

    def do(self, work: Callable[..., T], *args: Any) -> T:
        """Does something at once."""
        begun = time.monotonic()
        try:
            return work(*args)
        finally:
            ended = time.monotonic()
            if ended - begun > _LONG:
                self._rests_until = ended + _REST * (ended - begun)

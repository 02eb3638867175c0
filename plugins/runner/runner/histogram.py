"""How long things took, counted in classes so fine that percentiles may be read from them.

Histograms of several processes add up. The error of a percentile is the width of a class: 20 %, never too small.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping

__all__ = ["Histogram"]

#: Upper ends of the classes in seconds, from 10 µs to two minutes: a fifth more each.
_ENDS = [1e-5 * 1.2**step for step in range(90)]


class Histogram:
    """Counts of durations in seconds."""

    __slots__ = ("_counts", "total")

    def __init__(self) -> None:
        self._counts = [0] * len(_ENDS)
        self.total = 0

    def add(self, seconds: float) -> None:
        """Counts one; what is longer than the last class counts there."""
        self._counts[min(bisect.bisect_left(_ENDS, seconds), len(_ENDS) - 1)] += 1
        self.total += 1

    def percentile(self, share: float) -> float:
        """The seconds within which a `share` (0 to 1) of all lies; 0 where nothing was counted."""
        left = share * self.total
        if not self.total:
            return 0.0
        for end, count in zip(_ENDS, self._counts, strict=True):
            left -= count
            if count and left <= 0:
                return end
        return _ENDS[-1]

    def merge(self, counts: Mapping[str, int]) -> None:
        """Adds what `dump` gave."""
        for index, count in counts.items():
            self._counts[int(index)] += count
            self.total += count

    def dump(self) -> dict[str, int]:
        """The classes that were counted in, by number, as JSON has it."""
        return {str(index): count for index, count in enumerate(self._counts) if count}

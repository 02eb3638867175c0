"""Somebody who hears of all progress of a file and acknowledges it: ``python -m runner.baseline.subscriber``.

What is measured is the time from the timestamp of an update, which whoever reported it gave it, until it was received
here, and it counts from one moment to another. Arguments: the file, and the two moments in seconds since the epoch. At
the end it prints a line of JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from runner.bindings import progress_client as wit
from runner.histogram import Histogram
from runner.progress import Progress

__all__ = ["follow"]

_EVERYTHING = wit.Filter(user=None, task=None, tenant=None, phases=wit.Phases(0))
_AT_ONCE = 500


def follow(path: Path, begin: float, end: float) -> dict[str, object]:
    """Receives and acknowledges until `end`; gives latencies from `begin` on, and how many updates were missed."""
    latencies = Histogram()
    missed = 0
    options = wit.SubscriptionOptions(_EVERYTHING, capacity=65_536, overflow=wit.Overflow.DROP_OLDEST)
    with Progress(path) as progress, progress.events.subscribe(options) as subscription:
        while (now := time.time()) < end:
            if not subscription.wait(min(0.5, max(0.0, end - now))):
                continue
            batch = subscription.recv(_AT_ONCE)
            received = time.time_ns()
            if batch.updates:
                subscription.ack(batch.updates[-1].id)
            if received / 1e9 >= begin:
                missed += batch.missed
                for update in batch.updates:
                    latencies.add((received - update.timestamp) / 1e9)
    return {"latencies": latencies.dump(), "missed": missed}


if __name__ == "__main__":
    print(json.dumps(follow(Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]))))

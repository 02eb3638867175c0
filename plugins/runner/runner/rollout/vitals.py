"""What the processes of a rollout tell the one that decides: requests, failures, how long they took, memory.

Each side has a pipe, into which all its processes write lines of JSON, each of which is written whole (pipe(7): at
most `PIPE_BUF` bytes are one write). Counts are those since the line before; a pipe that is full makes the next line
larger, and nothing is lost.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

from runner.histogram import Histogram

__all__ = ["INTERVAL", "Vitals", "VitalsPipe"]

#: Seconds from line to line.
INTERVAL = 0.25


class Vitals:
    """The telling side. `flush` is to be called every `INTERVAL`; it never blocks. Threads may share it."""

    def __init__(self, descriptor: int, gauges: Callable[[], dict[str, Any]] = dict) -> None:
        """Writes to `descriptor`; `gauges` gives what goes into each line as it is then, such as ``memory``."""
        os.set_inheritable(descriptor, False)
        os.set_blocking(descriptor, False)
        self._descriptor = descriptor
        self._gauges = gauges
        self._lock = threading.Lock()
        self._clear()

    def _clear(self) -> None:
        self._requests = self._failures = 0
        self._latency, self._progress = Histogram(), Histogram()

    def request(self, seconds: float, failed: bool) -> None:
        """A request is over."""
        with self._lock:
            self._requests += 1
            self._failures += failed
            self._latency.add(seconds)

    def unanswered(self, count: int) -> None:
        """Requests that were lost with an instance."""
        with self._lock:
            self._requests += count
            self._failures += count

    def progress(self, seconds: float) -> None:
        """An update of progress was stored, so long after what it tells of."""
        with self._lock:
            self._progress.add(seconds)

    def flush(self) -> None:
        """Tells what there is."""
        gauges = self._gauges()
        with self._lock:
            line = {
                "pid": os.getpid(),
                "requests": self._requests,
                "failures": self._failures,
                "latency": self._latency.dump(),
                "progress": self._progress.dump(),
                **gauges,
            }
            # Who listened may be gone, and with it the rollout; serving goes on.
            with contextlib.suppress(BrokenPipeError):
                try:
                    os.write(self._descriptor, json.dumps(line, separators=(",", ":")).encode() + b"\n")
                except BlockingIOError:
                    return
            self._clear()


class VitalsPipe:
    """The listening side: what all processes of a side tell."""

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)
        self._rest = b""

    def read(self) -> Iterator[dict[str, Any]]:
        """The lines that have come since the last time."""
        while True:
            try:
                data = os.read(self._reading, 1 << 16)
            except BlockingIOError:
                return
            *lines, self._rest = (self._rest + data).split(b"\n")
            yield from map(json.loads, lines)

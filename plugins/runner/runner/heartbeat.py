"""The beat of a Runner: every few seconds a sign of life with the active flags, and its figures to the metrics."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from runner.flags import Flags
from runner.metrics import Metrics
from runner.progress import Progress

__all__ = ["Heartbeat"]

_log = structlog.get_logger("runner.heartbeat")


class Heartbeat:
    """A thread that beats; ``with`` starts and stops it. One for each process."""

    def __init__(
        self, progress: Progress, metrics: Metrics, flags: Callable[[], Flags], *, interval: float = 5.0
    ) -> None:
        """`flags` gives what the flags are now; `interval` is in seconds."""
        self._progress = progress
        self._metrics = metrics
        self._flags = flags
        self._interval = interval
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def beat(self) -> None:
        """One beat, now."""
        flags = self._flags()
        self._metrics.take_flags(flags)
        self._metrics.take_allocator()
        self._progress.telemetry.heartbeat(time.time_ns(), flags.active)
        self._metrics.take_progress(self._progress.telemetry.flush_metrics())
        self._metrics.set("workbook_memory_bytes", self._progress.memory(), scenario=self._progress.book.scenario)

    def _run(self) -> None:
        while True:
            try:
                self.beat()
            except Exception:
                # A disk that is full for a while is no reason to be silent for ever.
                _log.exception("a heartbeat failed")
            if self._stopped.wait(self._interval):
                return

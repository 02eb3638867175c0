"""Steps that need not be on the disk at once: they wait, a tenth of a second at most, and go there together."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence

import structlog

from runner.bindings import progress_client as wit
from runner.progress.rules import failed

__all__ = ["MAX_BATCH", "MAX_SECONDS", "Batches"]

#: The most steps that are stored in one transaction, and the longest that one waits for others, in seconds.
MAX_BATCH = 100
MAX_SECONDS = 0.1
#: The most steps that wait. More only wait where the disk is slower than they come, and then they are refused.
_MOST = 10_000
#: Seconds until the next attempt where several have failed.
_LONGEST_PAUSE = 1.0

_log = structlog.get_logger("runner.progress")


class Batches:
    """Steps in the order in which they came, and the thread that has them stored."""

    def __init__(self, store: Callable[[Sequence[wit.Step]], None], seconds: float) -> None:
        """`store` puts up to `MAX_BATCH` steps away; `seconds` is how long a step waits for others."""
        if not 0 < seconds <= MAX_SECONDS:
            raise ValueError(f"a step waits for {MAX_SECONDS} s at most, not {seconds}")
        self._store = store
        self._seconds = seconds
        self._waiting: deque[wit.Step] = deque()
        self._draining = threading.Lock()
        self._came = threading.Event()
        self._full = threading.Event()
        self._closed = False
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def put(self, step: wit.Step) -> None:
        """Has a step stored soon. Raises `exhausted` where too many wait already."""
        if len(self._waiting) >= _MOST:
            raise failed(wit.ErrorKind.EXHAUSTED, f"{_MOST} steps wait to be stored already")
        if self._thread is None:
            self._start()
        self._waiting.append(step)
        self._came.set()
        if len(self._waiting) >= MAX_BATCH:
            self._full.set()

    def drain(self) -> None:
        """Has all stored that came before; returns when it is on the disk."""
        if not self._waiting and not self._draining.locked():
            return
        with self._draining:
            while self._waiting:
                batch = [self._waiting[n] for n in range(min(MAX_BATCH, len(self._waiting)))]
                self._store(batch)
                for _ in batch:
                    self._waiting.popleft()

    def close(self) -> None:
        """Has all stored, and ends the thread."""
        self._closed = True
        self._ended.set()
        self._came.set()
        self._full.set()
        if self._thread is not None:
            self._thread.join()
        self.drain()

    def _start(self) -> None:
        with self._draining:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        pause, known = self._seconds, ""
        while not self._closed:
            self._came.wait()
            self._came.clear()
            self._full.wait(self._seconds)
            self._full.clear()
            try:
                self.drain()
            except Exception as error:
                # The disk is full, or another process holds the file: the steps wait, and are tried again. It is said
                # once: logs may be on the same disk.
                if str(error) != known:
                    known = str(error)
                    _log.error("progress can't be stored; it is tried again", problem=known)
                self._ended.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
                self._came.set()
                continue
            if known:
                _log.info("progress is stored again")
            pause, known = self._seconds, ""

"""When a call has to end: deadlines, and the one thread of the process that looks after them.

An engine has an epoch, a number that only grows; code that was compiled to be interruptible compares it with a limit of
its store at each loop and function, and asks the host where it is beyond. Here a store's limit is always the next
epoch, and the engine's epoch is raised only when some call has to end: nothing runs, and nothing is asked, as long as
calls end in time. Stores that are asked for the sake of another one answer that they go on.

It knows locks and clocks, not instances.
"""

from __future__ import annotations

import contextlib
import math
import os
import threading
import time

from witgen.runtime.core import Engine, Store, on_epoch

__all__ = ["Deadline", "is_watching"]

#: How soon, and how late at most, in seconds, a call beyond its deadline is asked again: it may be in host code.
_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 1.0
_now = time.monotonic
_CANNOT = "the engine can't interrupt a guest"


class Deadline:
    """The deadline of one store's calls, one at a time, and the claim on it by which a call is known to be going on."""

    __slots__ = ("_can_interrupt", "_done", "_give", "_limit", "_take", "at", "claim", "engine", "stopped")

    def __init__(self, store: Store, limit: float | None) -> None:
        """`limit` is how many seconds its calls take at most. Raises ValueError if that can't be kept."""
        self.engine = store.engine
        self.claim = store.claim
        self._take = self.claim.take
        self._give = self.claim.give
        #: When the present call must have ended (``time.monotonic``).
        self.at = math.inf
        #: Why the store was stopped from outside.
        self.stopped: str | None = None
        self._done = False
        self._limit = limit
        self._can_interrupt = isinstance(self.engine, Engine) and self.engine.interruptible
        if self._can_interrupt:
            on_epoch(store, self.refusal)
        elif limit is not None:
            raise ValueError(f"{_CANNOT}: a limit of time needs a component on new_engine(interruptible=True)")

    def enter(self) -> None:
        """Claims the store for a call that ends in time. Raises IndexError if it is claimed; never waits."""
        self._take()
        assert self._limit is not None
        self.at = at = _now() + self._limit
        _active.add(self)
        if at < _watch.until:
            _watch.wake()

    def leave(self, _: None) -> None:
        """The call has ended."""
        self.at = math.inf
        _active.discard(self)
        self._give(None)

    def close(self) -> None:
        """The claim will not be given back, and need not be waited for."""
        self._done = True
        self.at = math.inf
        _active.discard(self)
        _stopping.discard(self)

    def stop(self, reason: str) -> None:
        """Ends the present call, if there is one, and takes the claim for good. Returns without waiting for that.

        Raises ValueError if a call is going on that can't be stopped, because its engine can't interrupt.
        """
        if self.claim.try_take():
            self.stopped = self.stopped or reason
            self._done = True
            return
        if not self._can_interrupt:
            raise ValueError(f"{_CANNOT}: new_engine(interruptible=True) makes one that can")
        self.stopped = self.stopped or reason
        _stopping.add(self)
        if self._done:
            _stopping.discard(self)
        self.engine.increment_epoch()
        _watch.wake()

    @property
    def ended(self) -> bool:
        """Whether no call is going on, and none will be."""
        return self._done or (self.stopped is not None and self.claim.try_take())

    def refusal(self) -> str | None:
        """Why code of the store must not go on; None if it may."""
        if self.stopped is not None:
            return self.stopped
        if _now() >= self.at:
            return f"it ran longer than its limit of {self._limit:g} seconds"
        return None


#: Whose calls have a deadline and are going on, and who was told to stop and hasn't yet.
_active: set[Deadline] = set()
_stopping: set[Deadline] = set()


class _Watch:
    """The thread that raises epochs. It is started when it is first needed, and sleeps until a deadline has passed.

    All that others do to it is atomic and takes no lock: a call may begin wherever the garbage collector runs.
    """

    def __init__(self) -> None:
        #: When it looks again (``time.monotonic``): calls with an earlier deadline wake it.
        self.until = math.inf
        #: The thread, by its identifier.
        self.ident: int | None = None
        self._starting = threading.Lock()
        self._bell = threading.Lock()
        self._bell.acquire()

    def wake(self) -> None:
        """Makes it look now."""
        if self.ident is None and self._starting.acquire(False):
            self.ident = -1
            threading.Thread(target=self._run, name="witgen-deadlines", daemon=True).start()
        # It fails where somebody else has just rung it.
        with contextlib.suppress(RuntimeError):
            self._bell.release()

    def _run(self) -> None:
        self.ident = threading.get_ident()
        pause = _FIRST_PAUSE
        while True:
            now = _now()
            overdue = self._end_calls(now)
            pause = min(2 * pause, _LONGEST_PAUSE) if overdue else _FIRST_PAUSE
            self.until = now + pause if overdue else math.inf
            # Whoever began before `until` was set, and saw the one before, is in here.
            self.until = min([self.until, *(call.at for call in list(_active) if call.at > now)])
            if math.isinf(self.until):
                self._bell.acquire()
            else:
                self._bell.acquire(timeout=min(max(self.until - _now(), 0), threading.TIMEOUT_MAX))

    @staticmethod
    def _end_calls(now: float) -> bool:
        """Raises the epoch for all that must end; tells whether there are any."""
        for deadline in list(_stopping):
            if deadline.claim.try_take():
                # It ended by itself: the claim stays.
                deadline._done = True
                _stopping.discard(deadline)
        engines = {id(call.engine): call.engine for call in [*_active, *_stopping] if call.at <= now or call.stopped}
        for engine in engines.values():
            engine.increment_epoch()
        return bool(engines)


_watch = _Watch()


def is_watching() -> bool:
    """Whether this is the thread that looks after deadlines, in which no code of a guest may run."""
    return threading.get_ident() == _watch.ident


def _forget() -> None:
    """A new process has none of the threads of the one that it comes from, and none of their calls."""
    global _watch
    _watch = _Watch()
    _active.clear()
    _stopping.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)

"""A component that serves, driven in a thread: a loop that waits, polls, and keeps what it hears.

What the host heard is kept by the name of each list of a batch: tests look at it after the fact.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar, Self, TypeVar

from runner.host import PollSet

__all__ = ["PATIENCE", "Driven", "wait_until"]

#: The longest that a test waits for something that has to happen.
PATIENCE = 20.0

T = TypeVar("T")


class Driven:
    """At work until the end of a `with` statement. Subclasses poll the component, and answer what it asks."""

    #: The lists of a batch.
    heard: ClassVar[tuple[str, ...]]

    def __init__(self, listener: Any, name: str) -> None:
        """`listener` is what the component listens with."""
        self._listener = listener
        pollable: Any = listener.subscribe()
        self.poll_set: PollSet = pollable.source
        self.pollable = pollable
        #: All that was heard in the order in which it was told, by the name of the list.
        self.told: list[tuple[str, Any]] = []
        self.polls = 0
        self.failure: BaseException | None = None
        self._ending = False
        self._work: list[Callable[[], object]] = []
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def poll(self) -> Any:
        """The next batch."""
        raise NotImplementedError

    def answer(self, batch: Any) -> None:
        """Does what a batch asks for."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.call(lambda: setattr(self, "_ending", True))
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the server does not end"
        if self.failure is not None:
            raise self.failure

    def call(self, work: Callable[[], object]) -> None:
        """Has the server's thread do something before its next wait."""
        with self._changed:
            self._work.append(work)
        self.poll_set.wake()

    def ask(self, work: Callable[[], T]) -> T:
        """What something gives that the server's thread does before its next wait."""
        found: list[T] = []
        self.call(lambda: found.append(work()))
        wait_until(lambda: found or self.failure)
        return found[0]

    def until(self, condition: Callable[[], object]) -> None:
        """Returns when a condition on what was heard is met."""
        with self._changed:
            met = self._changed.wait_for(lambda: condition() or self.failure, PATIENCE)
        if self.failure is not None:
            raise self.failure
        assert met, f"it never came to that: {self.told}"

    def _run(self) -> None:
        try:
            while not self._ending:
                self._turn()
            self._listener.close()
        except BaseException as error:
            self.failure = error
        with self._changed:
            self._changed.notify_all()

    def _turn(self) -> None:
        self.poll_set.wait(PATIENCE)
        with self._changed:
            work, self._work = self._work, []
        for job in work:
            job()
        if self._ending:
            return
        more = True
        while more:
            batch = self.poll()
            more = batch.more
            with self._changed:
                self.polls += 1
                for name in self.heard:
                    items = getattr(batch, name)
                    getattr(self, name).extend(items)
                    self.told.extend((name, item) for item in items)
                self._changed.notify_all()
            self.answer(batch)


def wait_until(condition: Callable[[], object]) -> None:
    """Returns when a condition is met that nobody tells of."""
    ends = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < ends, "it never came to that"
        time.sleep(0.005)

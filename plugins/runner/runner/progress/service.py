"""Progress of all work of a Runner: workbook, bus and batches over one database.

`Progress.post` is for the Runner's own updates, of which there may be thousands a second: they are stored together,
soon, in their order. What components and others call is in `runner.progress.client`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from runner.bindings import progress_client as wit
from runner.progress.batching import Batches
from runner.progress.book import Book, Prepared
from runner.progress.bus import Bus, Handle
from runner.progress.client import Client
from runner.progress.database import Database
from runner.progress.dense import DenseBook
from runner.progress.rules import check_step
from runner.progress.sparse import SparseBook

__all__ = ["Progress"]


class Progress:
    """Progress of all work of a Runner, in a file or in memory. Threads may share it; a forked process opens its own.

    `workbook`, `events` and `telemetry` are the interfaces of the contract for the Runner itself, `client` makes them
    for a component.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        sparse_store: bool = True,
        progress_bus: bool = True,
        batch_seconds: float = 0.01,
        history: int = 10_000,
        on_delivery: Callable[[float], None] = lambda seconds: None,
        on_stored: Callable[[float], None] | None = None,
    ) -> None:
        """Opens or makes the file at `path`; without one nothing outlives the process.

        `sparse_store` and `progress_bus` are the flags of these names. `batch_seconds` is how long what was posted may
        wait, at most 0.1; `history` how many updates are kept that nobody waits for; `on_delivery` is called with the
        seconds that each update took to a subscriber, `on_stored` with those from the timestamp of a posted step until
        its update was on the bus. Raises `StoreError` for a file that can't be used.
        """
        self.batches = Batches(self._store, batch_seconds)
        self.database = Database(path)
        self.book: Book = SparseBook(self.database) if sparse_store else DenseBook(self.database)
        self.bus = Bus(self.database, history, on_delivery)
        self._on_stored = on_stored
        self.has_bus = progress_bus
        self.refused = 0
        with self.database.transaction():
            self.bus.reap()
        self._own = self.client()
        self.workbook, self.events, self.telemetry = self._own.workbook, self._own.events, self._own.telemetry

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def client(self) -> Client:
        """The contract for a client by itself, such as one instance of a component."""
        return Client(self)

    def post(self, step: wit.Step) -> None:
        """Has a step applied soon, after those that were posted before and before anything else that is asked.

        It is not on the disk when this returns: a process that dies in the next moments takes it along. Raises
        `invalid-argument` as `update` does, and `exhausted` where the disk does not keep up; a step for which a
        subscription has no room is dropped and counted as `refused`.
        """
        check_step(step)
        self.batches.put(step)

    def sync(self) -> None:
        """Returns when all that was posted is on the disk."""
        self.batches.drain()

    def latest(self, after: int = 0, most: int = 100) -> list[wit.ProgressUpdate]:
        """The last updates with ids above `after`, at most `most`, for who wants to look without a subscription."""
        self.batches.drain()
        with self.database.lock:
            return self.bus.latest(after, most)

    def scopes(self, most: int = 100) -> list[wit.Scope]:
        """The scopes whose work changed last, the latest first."""
        self.batches.drain()
        with self.database.lock:
            return self.book.scopes(most)

    def memory(self) -> int:
        """The bytes that the workbook holds: pages of the file where it is sparse, objects in memory where not."""
        self.batches.drain()
        with self.database.lock:
            return self.book.memory()

    def close(self) -> None:
        """Stores what was posted, and ends subscriptions without a name."""
        self.batches.close()
        with self.database.transaction():
            statement = "SELECT token, epoch FROM subscription WHERE session = ? AND name IS NULL"
            for token, epoch in self.database.run(statement, self.database.session.number).fetchall():
                self.bus.close(Handle(token, epoch))
        self.database.close()

    def carry_out(self, prepared: Prepared) -> int:
        """Announces what was prepared and stores it; the caller has a transaction."""
        id_ = self.bus.publish(prepared.update, kept=self.has_bus)
        self.book.apply(prepared, id_)
        return id_

    def _store(self, steps: Sequence[wit.Step]) -> None:
        """Applies posted steps in one transaction."""
        with self.database.transaction():
            for step in steps:
                try:
                    self.carry_out(self.book.prepare(step))
                except wit.ErrorException:
                    # Refused before anything was written: the others are not to suffer for it.
                    self.refused += 1
        if self._on_stored is not None:
            now = time.time_ns()
            for step in steps:
                self._on_stored((now - step.timestamp) / 1e9)

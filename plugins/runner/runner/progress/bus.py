"""The event bus: updates on their way to subscriptions, each kept on the disk until it is acknowledged.

An update is stored once, and has a row in the queue of each subscription that wants it. A subscription with a name
outlives its process: who opens the name again gets what was not acknowledged, and whoever had it before gets nothing
any more. One without a name ends with its handle, or with its process. It knows ids, tokens and queues; what an update
says is only looked at by filters.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from runner.bindings import progress_client as wit
from runner.progress.database import Database
from runner.progress.rules import changes_of, failed, signed, text_of, unsigned
from runner.progress.wakes import Wakes

__all__ = ["MAX_CAPACITY", "Bus", "Counts", "Handle"]

#: The most updates that a subscription may hold.
MAX_CAPACITY = 65_536
#: After how many updates those are removed that nobody needs any more.
_TRIM = 256
_PHASES = tuple(wit.Phase)
_FAILURES = tuple(wit.ErrorKind)
_COLUMNS = "id, tenant, user, task, phase, progress, timestamp, changes, failure, stored"


@dataclass(slots=True)
class Counts:
    """What has happened in this process."""

    published: int = 0
    refused: int = 0
    delivered: int = 0
    acknowledged: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class Handle:
    """A subscription as one holder has it. A later holder of the same name has a later epoch."""

    token: int
    epoch: int
    name: str | None = None


class Bus:
    """The bus of a database. Those who call it hold the database's lock, and a transaction where something changes."""

    def __init__(self, database: Database, history: int, on_delivery: Callable[[float], None]) -> None:
        """`history` is how many updates are kept that nobody waits for; `on_delivery` is told how long one waited."""
        self._database = database
        self._run = database.run
        self._history = history
        self._on_delivery = on_delivery
        #: Whose the subscriptions of this process are, by token.
        self._owners: dict[int, Wakes] = {}
        self._version = database.version
        self._until_trim = _TRIM
        self.counts = Counts()

    @property
    def last_id(self) -> int:
        """The id of the last update, 0 before the first."""
        row = self._run("SELECT seq FROM sqlite_sequence WHERE name = 'progress_update'").fetchone()
        return 0 if row is None else int(row[0])

    @property
    def subscriptions(self) -> int:
        """How many subscriptions there are."""
        return int(self._run("SELECT count(*) FROM subscription").fetchone()[0])

    @property
    def queued(self) -> int:
        """How many updates wait or are not acknowledged, each counted once a queue."""
        return int(self._run("SELECT coalesce(sum(held), 0) FROM subscription").fetchone()[0])

    # Subscribing

    def open(self, wakes: Wakes, options: wit.SubscriptionOptions, name: str | None = None) -> Handle:
        """Opens a subscription, or takes over the one with the name: what is not acknowledged comes again."""
        if not 1 <= options.capacity <= MAX_CAPACITY:
            raise failed(wit.ErrorKind.INVALID_ARGUMENT, f"capacity {options.capacity} is not from 1 to {MAX_CAPACITY}")
        wanted = options.filter
        values = (
            wanted.user,
            wanted.task,
            wanted.tenant,
            wanted.phases.value,
            options.capacity,
            options.overflow.value,
        )
        known = None
        if name is not None:
            known = self._run("SELECT token, epoch FROM subscription WHERE name = ?", name).fetchone()
        if known is None:
            statement = "INSERT INTO subscription VALUES (NULL, ?, ?, 1, ?, ?, ?, ?, ?, ?, 0, 0, 0)"
            token = self._run(statement, name, self._database.session.number, *values).lastrowid or 0
            handle = Handle(token, 1, name)
        else:
            handle = Handle(known[0], known[1] + 1, name)
            statement = """
                UPDATE subscription SET session = ?, epoch = ?, taken = 0, user = ?, task = ?, tenant = ?, phases = ?,
                capacity = ?, overflow = ? WHERE token = ?"""
            self._run(statement, self._database.session.number, handle.epoch, *values, handle.token)
        self._disown(handle.token)
        self._owners[handle.token] = wakes
        wakes.add(handle.token)
        if self.ready(handle):
            wakes.wake(handle.token)
        return handle

    def close(self, handle: Handle) -> None:
        """Lets a subscription go; without a name it is gone with what it held."""
        if self._row(handle, "token") is None:
            return
        self._disown(handle.token)
        if handle.name is None:
            self._remove(handle.token)

    def close_all(self, wakes: Wakes) -> None:
        """Lets all subscriptions of a client go."""
        for token in list(wakes.tokens):
            row = self._run("SELECT epoch, name FROM subscription WHERE token = ?", token).fetchone()
            if row is not None:
                self.close(Handle(token, *row))

    def _disown(self, token: int) -> None:
        owner = self._owners.pop(token, None)
        if owner is not None:
            owner.remove(token)

    def forget(self, name: str) -> bool:
        """Ends a subscription by its name, with what it held. Returns whether there was one."""
        row = self._run("SELECT token FROM subscription WHERE name = ?", name).fetchone()
        if row is not None:
            self._remove(row[0])
        return row is not None

    def reap(self) -> int:
        """Ends what processes had that are gone, and returns how many subscriptions those were."""
        count = 0
        for session in self._database.others():
            statement = "SELECT token FROM subscription WHERE session = ? AND name IS NULL"
            for (token,) in self._run(statement, session).fetchall():
                self._remove(token)
                count += 1
            self._database.forget_session(session)
        return count

    def _remove(self, token: int) -> None:
        self._disown(token)
        self._run("DELETE FROM queue WHERE subscription = ?", token)
        self._run("DELETE FROM subscription WHERE token = ?", token)

    # Publishing

    def publish(self, update: wit.ProgressUpdate, kept: bool = True) -> int:
        """Gives an update its id and puts it into the queues that want it.

        Where one of them is full and must not lose anything, nothing happens but an error. One that is not `kept` only
        gets its id.
        """
        wanting = list(self._wanting(update)) if kept else []
        if any(_refuses(row) for row in wanting) and self.reap():
            wanting = list(self._wanting(update))
        refusing = next((row for row in wanting if _refuses(row)), None)
        if refusing is not None:
            self.counts.refused += 1
            message = f"subscription {refusing[1] or refusing[0]} holds {refusing[2]} updates already"
            raise failed(wit.ErrorKind.EXHAUSTED, message)
        id_ = self._store(update)
        if not kept:
            self._run("DELETE FROM progress_update WHERE id = ?", id_)
        for row in wanting:
            self._enqueue(row, id_)
        self.counts.published += 1
        self._until_trim -= 1
        if not self._until_trim:
            self.trim()
        return id_

    def _wanting(self, update: wit.ProgressUpdate) -> Iterator[tuple[int, str | None, int, int, int, int]]:
        """The subscriptions whose filters admit an update: token, name, capacity, overflow, held, taken."""
        scope = update.scope
        yield from self._run(
            """SELECT token, name, capacity, overflow, held, taken FROM subscription
            WHERE (user IS NULL OR user = ?) AND (task IS NULL OR task = ?) AND (tenant IS NULL OR tenant = ?)
            AND (phases = 0 OR phases & ?)""",
            scope.user,
            scope.task,
            scope.tenant,
            1 << update.phase.value,
        )

    def _store(self, update: wit.ProgressUpdate) -> int:
        scope = update.scope
        cursor = self._run(
            "INSERT INTO progress_update VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            scope.tenant,
            scope.user,
            scope.task,
            update.phase.value,
            update.progress,
            signed(update.timestamp),
            text_of(update.changes),
            None if update.failure is None else update.failure.value,
            time.time_ns(),
        )
        return cursor.lastrowid or 0

    def _enqueue(self, row: tuple[int, str | None, int, int, int, int], id_: int) -> None:
        token, _, capacity, _, held, taken = row
        if held >= capacity:
            self.counts.dropped += 1
            oldest = "SELECT min(id) FROM queue WHERE subscription = ? AND id > ?"
            dropped = self._run(oldest, token, taken).fetchone()[0]
            self._run("UPDATE subscription SET missed = missed + 1 WHERE token = ?", token)
            if dropped is None:
                return
            self._run("DELETE FROM queue WHERE subscription = ? AND id = ?", token, dropped)
        else:
            self._run("UPDATE subscription SET held = held + 1 WHERE token = ?", token)
        self._run("INSERT INTO queue VALUES (?, ?)", token, id_)
        self._database.after_commit(lambda: self._wake(token))

    def _wake(self, token: int) -> None:
        if token in self._owners:
            self._owners[token].wake(token)

    def trim(self) -> None:
        """Removes updates that no queue holds, but for the last ones."""
        self._until_trim = _TRIM
        self._run(
            """DELETE FROM progress_update WHERE id <= ?
            AND NOT EXISTS (SELECT 1 FROM queue WHERE queue.id = progress_update.id)""",
            self.last_id - self._history,
        )

    def latest(self, after: int, most: int) -> list[wit.ProgressUpdate]:
        """Updates that are still kept, with ids above `after`; the last `most` of them, in order."""
        statement = f"SELECT {_COLUMNS} FROM progress_update WHERE id > ? ORDER BY id DESC LIMIT ?"
        return [_update(row) for row in self._run(statement, after, most)][::-1]

    # Receiving

    def recv(self, handle: Handle, most: int) -> wit.Batch:
        """Takes up to `most` updates that wait."""
        row = self._row(handle, "taken, missed")
        if row is None:
            return wit.Batch([], 0)
        taken, missed = row
        columns = ", ".join("progress_update." + name for name in _COLUMNS.split(", "))
        statement = f"""
            SELECT {columns} FROM queue JOIN progress_update USING (id)
            WHERE subscription = ? AND queue.id > ? ORDER BY queue.id LIMIT ?"""
        rows = self._run(statement, handle.token, taken, most).fetchall()
        if rows or missed:
            last = rows[-1][0] if rows else taken
            self._run("UPDATE subscription SET taken = ?, missed = 0 WHERE token = ?", last, handle.token)
        if not self.ready(handle) and handle.token in self._owners:
            self._owners[handle.token].emptied(handle.token)
        now = time.time_ns()
        for found in rows:
            self._on_delivery((now - found[-1]) / 1e9)
        self.counts.delivered += len(rows)
        return wit.Batch([_update(found) for found in rows], missed)

    def ready(self, handle: Handle) -> int:
        """How many updates wait to be taken."""
        statement = """
            SELECT count(*) FROM queue JOIN subscription ON token = subscription
            WHERE token = ? AND epoch = ? AND id > taken"""
        return int(self._run(statement, handle.token, handle.epoch).fetchone()[0])

    def ack(self, handle: Handle, up_to: int) -> int:
        """Acknowledges what was taken, up to an id."""
        row = self._row(handle, "taken")
        if row is None:
            raise failed(wit.ErrorKind.CANCELLED, f"another holder has taken over subscription {handle.name}")
        statement = "SELECT min(id) FROM queue WHERE subscription = ? AND id > ?"
        waiting = self._run(statement, handle.token, row[0]).fetchone()[0]
        if up_to >= (self.last_id + 1 if waiting is None else waiting):
            raise failed(wit.ErrorKind.INVALID_ARGUMENT, f"update {up_to} has not been taken")
        until = min(up_to, row[0])
        count = self._run("DELETE FROM queue WHERE subscription = ? AND id <= ?", handle.token, until).rowcount
        self._run("UPDATE subscription SET held = held - ? WHERE token = ?", count, handle.token)
        self.counts.acknowledged += count
        return count

    def redeliver(self, handle: Handle) -> int:
        """Puts back what was taken and not acknowledged."""
        row = self._row(handle, "taken")
        if row is None:
            return 0
        statement = "SELECT count(*) FROM queue WHERE subscription = ? AND id <= ?"
        (count,) = self._run(statement, handle.token, row[0]).fetchone()
        self._run("UPDATE subscription SET taken = 0 WHERE token = ?", handle.token)
        if count:
            self._database.after_commit(lambda: self._wake(handle.token))
        return int(count)

    def wakeful(self, wakes: Wakes, most: int) -> list[int]:
        """Up to `most` tokens of subscriptions of a client that became ready."""
        self._look_for_others()
        found = list[int]()
        statement = """
            SELECT 1 FROM queue JOIN subscription ON token = subscription WHERE token = ? AND id > taken LIMIT 1"""
        while len(found) < most:
            token = wakes.next()
            if token is None:
                break
            if self._run(statement, token).fetchone():
                wakes.name(token)
                found.append(token)
        return found

    def _look_for_others(self) -> None:
        """Wakes what another process has published for; nothing of that is heard here but that it happened."""
        version = self._database.version
        if version == self._version:
            return
        self._version = version
        statement = """
            SELECT DISTINCT token FROM queue JOIN subscription ON token = subscription
            WHERE session = ? AND id > taken"""
        for (token,) in self._run(statement, self._database.session.number):
            self._wake(token)

    def _row(self, handle: Handle, columns: str) -> Any:
        """Columns of a subscription, if the handle is still the one that has it."""
        statement = f"SELECT {columns} FROM subscription WHERE token = ? AND epoch = ?"
        return self._run(statement, handle.token, handle.epoch).fetchone()


def _refuses(row: tuple[int, str | None, int, int, int, int]) -> bool:
    _, _, capacity, overflow, held, _ = row
    return overflow == wit.Overflow.REFUSE.value and held >= capacity


def _update(row: tuple[Any, ...]) -> wit.ProgressUpdate:
    id_, tenant, user, task, phase, progress, timestamp, changes, failure, _ = row
    return wit.ProgressUpdate(
        id=id_,
        scope=wit.Scope(user, task, tenant),
        phase=_PHASES[phase],
        progress=progress,
        timestamp=unsigned(timestamp),
        changes=changes_of(changes),
        failure=None if failure is None else _FAILURES[failure],
    )

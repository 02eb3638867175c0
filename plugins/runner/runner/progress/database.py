"""The file that progress is kept in: SQLite with a write-ahead log, transactions, and who uses it.

What a transaction has committed is on the disk (``synchronous=FULL``). Several processes may use a file at once, each
through a `Database` of its own that was made after forking; threads share one. It knows tables by their names and what
they are for, and no rule of progress.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from runner.progress.sessions import Session

__all__ = ["Database", "StoreError"]

#: The number of this layout; a file of another one is refused.
_LAYOUT = 1
#: How long a transaction waits for those of other processes, in seconds.
_PATIENCE = 30.0
_PAUSE = 0.0005

# Keys are `user U+001F task [U+001F section U+001F field]`, beside the tenant ("" without one). `cell.kind` is NULL for
# a field that was cleared and has not been flushed since. `undo` has what fields were at the checkpoint of that number,
# only those that changed before the next one. `queue` has what a subscription holds, up to `taken` handed over.
_TABLES = """
CREATE TABLE session (id INTEGER PRIMARY KEY);
CREATE TABLE work (
    tenant TEXT, key TEXT, phase INTEGER, progress REAL, revision INTEGER, timestamp INTEGER, failure INTEGER,
    PRIMARY KEY (tenant, key)
) WITHOUT ROWID;
CREATE TABLE cell (
    tenant TEXT, key TEXT, kind INTEGER, value, version INTEGER, dirty INTEGER, PRIMARY KEY (tenant, key)
) WITHOUT ROWID;
CREATE INDEX dirty_cell ON cell (tenant, key) WHERE dirty;
CREATE TABLE checkpoint (
    tenant TEXT, key TEXT, number INTEGER, name TEXT, phase INTEGER, progress REAL, failure INTEGER,
    PRIMARY KEY (tenant, key, number)
) WITHOUT ROWID;
CREATE TABLE undo (
    tenant TEXT, key TEXT, number INTEGER, field TEXT, kind INTEGER, value, PRIMARY KEY (tenant, key, number, field)
) WITHOUT ROWID;
CREATE TABLE progress_update (
    id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT, user TEXT, task TEXT, phase INTEGER, progress REAL,
    timestamp INTEGER, changes TEXT, failure INTEGER, stored INTEGER
);
CREATE TABLE subscription (
    token INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, session INTEGER, epoch INTEGER, user TEXT, task TEXT,
    tenant TEXT, phases INTEGER, capacity INTEGER, overflow INTEGER, missed INTEGER, held INTEGER, taken INTEGER
);
CREATE TABLE queue (subscription INTEGER, id INTEGER, PRIMARY KEY (subscription, id)) WITHOUT ROWID;
CREATE INDEX queue_by_id ON queue (id);
"""


class StoreError(Exception):
    """The file is not one of progress, or can't be used."""


class Database:
    """An open file, or one in memory where there is no path. `lock` is held by every transaction."""

    def __init__(self, path: Path | None) -> None:
        """Opens or makes the file. Raises `StoreError` if it can't be used."""
        self.lock = threading.RLock()
        self.closed = False
        self._depth = 0
        self._undo: list[Callable[[], None]] = []
        self._then: list[Callable[[], None]] = []
        try:
            self._connection = sqlite3.connect(
                ":memory:" if path is None else path,
                timeout=_PATIENCE,
                isolation_level=None,
                check_same_thread=False,
                cached_statements=256,
            )
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}") from None
        try:
            self._prepare()
            # The lock first: a session without one is taken for dead.
            self.session = Session(path)
            with self.transaction():
                self.run("INSERT INTO session VALUES (?)", self.session.number)
        except (sqlite3.Error, StoreError, OSError) as error:
            self._connection.close()
            raise StoreError(f"{path}: {error}") from None

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA busy_timeout = 0")
        with self.transaction():
            (found,) = self.run("PRAGMA user_version").fetchone()
            if found == 0:
                for statement in filter(str.strip, _TABLES.split(";")):
                    self.run(statement)
                self.run(f"PRAGMA user_version = {_LAYOUT}")
            elif found != _LAYOUT:
                raise StoreError(f"is of layout {found}, and this Runner has {_LAYOUT}")

    def run(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
        """Carries out one statement."""
        return self._connection.execute(statement, arguments)

    @contextlib.contextmanager
    def transaction(self, reads: bool = False) -> Iterator[None]:
        """All or nothing, and on the disk when it ends; one inside another belongs to that.

        One that only `reads` sees one state of the file, and does not wait for other processes.
        """
        with self.lock:
            if self._depth:
                yield
                return
            self._begin("BEGIN" if reads else "BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._take_back()
                raise
            finally:
                self._depth = 0
            self._undo.clear()
            then, self._then = self._then, []
            for action in then:
                action()

    def _begin(self, statement: str) -> None:
        """Begins a transaction, once other processes let us.

        SQLite itself would sleep longer each time, up to a tenth of a second; their transactions take a millisecond.
        """
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self._connection.execute(statement)
                # A transaction that reads is only begun by reading.
                self._connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
                return
            except sqlite3.OperationalError as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
                time.sleep(_PAUSE)

    def on_rollback(self, action: Callable[[], None]) -> None:
        """Has `action` called if the present transaction fails: for what is changed outside of the file."""
        self._undo.append(action)

    def after_commit(self, action: Callable[[], None]) -> None:
        """Has `action` called when the present transaction is on the disk."""
        self._then.append(action)

    def _take_back(self) -> None:
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._then.clear()
        while self._undo:
            self._undo.pop()()

    @property
    def version(self) -> int:
        """A number that is another one after another process has changed the file."""
        (found,) = self.run("PRAGMA data_version").fetchone()
        return int(found)

    def others(self) -> list[int]:
        """The sessions of processes that are gone without having said so."""
        mine = self.session.number
        return [n for (n,) in self.run("SELECT id FROM session WHERE id != ?", mine) if not self.session.is_alive(n)]

    def forget_session(self, number: int) -> None:
        """Removes a session that is over."""
        self.run("DELETE FROM session WHERE id = ?", number)
        self.session.forget(number)

    def close(self) -> None:
        """Ends the session and closes the file."""
        with self.lock:
            self.closed = True
            try:
                with self.transaction():
                    self.run("DELETE FROM session WHERE id = ?", self.session.number)
            finally:
                self.session.close()
                self._connection.close()

"""The sparse workbook: what was set and nothing else, in SQLite.

A key is ``user U+001F task U+001F section U+001F field``, so the fields of a section, and of a scope, stand together.
A checkpoint costs nothing but a row: what a field was is written down when it changes for the first time after it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from runner.bindings import progress_client as wit
from runner.progress.book import MAX_CHECKPOINTS, Book, Prepared, Work
from runner.progress.database import Database
from runner.progress.rules import (
    SCHEMA_VERSION,
    SEPARATOR,
    Field,
    decode_value,
    encode_value,
    failed,
    listed,
    scope_key,
    signed,
    unsigned,
)

__all__ = ["SparseBook"]

#: The character behind the separator: keys that begin with a prefix and the separator end before it.
_BEHIND = chr(ord(SEPARATOR) + 1)
_RANGE = "tenant = ? AND key >= ? AND key < ?"
_PAGES = """
    SELECT sum(pgsize) FROM dbstat
    WHERE aggregate = TRUE AND name IN ('work', 'cell', 'dirty_cell', 'checkpoint', 'undo')"""
_ALL_PAGES = """
    SELECT (page_count - freelist_count) * page_size
    FROM pragma_page_count, pragma_freelist_count, pragma_page_size"""
_PHASES = tuple(wit.Phase)
_FAILURES = tuple(wit.ErrorKind)


class SparseBook(Book):
    """The workbook of a database."""

    scenario = "sparse"

    def __init__(self, database: Database) -> None:
        self._database = database
        self._run = database.run

    def __len__(self) -> int:
        return int(self._run("SELECT count(*) FROM work").fetchone()[0])

    def memory(self) -> int:
        """As `Book` says: whole pages. Where SQLite was built without `dbstat`, those of bus and history are among
        them.
        """
        try:
            row = self._run(_PAGES).fetchone()
        except sqlite3.OperationalError:
            row = self._run(_ALL_PAGES).fetchone()
        return int(row[0])

    def scopes(self, most: int) -> list[wit.Scope]:
        """As `Book` says."""
        rows = self._run("SELECT tenant, key FROM work ORDER BY revision DESC LIMIT ?", most)
        found = []
        for tenant, key in rows:
            user, _, task = key.partition(SEPARATOR)
            found.append(wit.Scope(user, task, tenant or None))
        return found

    def find(self, scope: wit.Scope) -> Work | None:
        """As `Book` says."""
        statement = "SELECT phase, progress, revision, timestamp, failure FROM work WHERE tenant = ? AND key = ?"
        row = self._run(statement, *scope_key(scope)).fetchone()
        if row is None:
            return None
        phase, progress, revision, timestamp, failure = row
        return Work(_PHASES[phase], progress, revision, unsigned(timestamp), _failure(failure))

    def value(self, scope: wit.Scope, field: Field) -> wit.Value | None:
        """As `Book` says."""
        tenant, key = scope_key(scope)
        row = self._run(
            "SELECT kind, value FROM cell WHERE tenant = ? AND key = ?", tenant, _key(key, field)
        ).fetchone()
        return None if row is None else decode_value(*row)

    def entries(self, scope: wit.Scope, section: str | None) -> list[wit.Entry]:
        """As `Book` says."""
        statement = f"SELECT key, kind, value, version, dirty FROM cell WHERE {_RANGE} AND kind NOT NULL ORDER BY key"
        found = []
        for key, kind, data, version, dirty in self._run(statement, *_bounds(scope, section)):
            value = decode_value(kind, data)
            assert value is not None
            found.append(wit.Entry(*_field(key), value, version, bool(dirty)))
        return found

    def checkpoints(self, scope: wit.Scope) -> list[str]:
        """As `Book` says."""
        statement = "SELECT name FROM checkpoint WHERE tenant = ? AND key = ? ORDER BY number"
        return [name for (name,) in self._run(statement, *scope_key(scope))]

    def prepare_rollback(self, scope: wit.Scope, checkpoint: str, timestamp: int) -> Prepared:
        """As `Book` says."""
        self.known(scope)
        statement = """
            SELECT number, phase, progress, failure FROM checkpoint WHERE tenant = ? AND key = ? AND name = ?"""
        row = self._run(statement, *scope_key(scope), checkpoint).fetchone()
        if row is None:
            raise failed(wit.ErrorKind.NOT_FOUND, f"there is no checkpoint {checkpoint}")
        number, phase, progress, failure = row
        before = dict(self._before(scope, number))
        changes = {field: value for field, value in before.items() if self.value(scope, field) != value}
        update = wit.ProgressUpdate(0, scope, _PHASES[phase], progress, timestamp, listed(changes), _failure(failure))
        return Prepared(update, number)

    def _before(self, scope: wit.Scope, number: int) -> Iterator[tuple[Field, wit.Value | None]]:
        """What the fields that have changed since a checkpoint were at that time: the first that was written down."""
        statement = """
            SELECT field, kind, value FROM undo WHERE tenant = ? AND key = ? AND number >= ? ORDER BY number DESC"""
        for field, kind, data in self._run(statement, *scope_key(scope), number):
            section, _, name = field.partition(SEPARATOR)
            yield (section, name), decode_value(kind, data)

    def apply(self, prepared: Prepared, id_: int) -> None:
        """As `Book` says."""
        update = prepared.update
        place = scope_key(update.scope)
        self._run(
            "INSERT OR REPLACE INTO work VALUES (?, ?, ?, ?, ?, ?, ?)",
            *place,
            update.phase.value,
            update.progress,
            id_,
            signed(update.timestamp),
            None if update.failure is None else update.failure.value,
        )
        if prepared.checkpoint is None:
            self._remember(update)
        else:
            self._run("DELETE FROM checkpoint WHERE tenant = ? AND key = ? AND number > ?", *place, prepared.checkpoint)
            self._run("DELETE FROM undo WHERE tenant = ? AND key = ? AND number >= ?", *place, prepared.checkpoint)
        for item in update.changes:
            self._run(
                "INSERT OR REPLACE INTO cell VALUES (?, ?, ?, ?, ?, 1)",
                place[0],
                _key(place[1], (item.section, item.key)),
                *encode_value(item.value),
                SCHEMA_VERSION,
            )

    def _remember(self, update: wit.ProgressUpdate) -> None:
        """Writes down what fields are that are about to change for the first time since the last checkpoint."""
        place = scope_key(update.scope)
        last = self._last(place)
        if last is None:
            return
        for item in update.changes:
            field = item.section, item.key
            value = encode_value(self.value(update.scope, field))
            row = (*place, last, SEPARATOR.join(field), *value)
            self._run("INSERT OR IGNORE INTO undo VALUES (?, ?, ?, ?, ?, ?)", *row)

    def _last(self, place: tuple[str, str], before: int = 1 << 62) -> int | None:
        """The number of the last checkpoint of a scope before another one, if there is one."""
        statement = "SELECT max(number) FROM checkpoint WHERE tenant = ? AND key = ? AND number < ?"
        found: int | None = self._run(statement, *place, before).fetchone()[0]
        return found

    def flush(self, scope: wit.Scope, most: int) -> list[wit.FieldChange]:
        """As `Book` says."""
        self.known(scope)
        statement = f"SELECT key, kind, value FROM cell WHERE {_RANGE} AND dirty ORDER BY key LIMIT ?"
        rows = self._run(statement, *_bounds(scope, None), most).fetchall()
        tenant = scope.tenant or ""
        for key, kind, _ in rows:
            action = "DELETE FROM cell" if kind is None else "UPDATE cell SET dirty = 0"
            self._run(f"{action} WHERE tenant = ? AND key = ?", tenant, key)
        return [wit.FieldChange(*_field(key), decode_value(kind, data)) for key, kind, data in rows]

    def checkpoint(self, scope: wit.Scope, name: str) -> None:
        """As `Book` says."""
        work, place = self.known(scope), scope_key(scope)
        self._forget(place, name)
        (count,) = self._run("SELECT count(*) FROM checkpoint WHERE tenant = ? AND key = ?", *place).fetchone()
        if count >= MAX_CHECKPOINTS:
            raise failed(wit.ErrorKind.EXHAUSTED, f"there are {MAX_CHECKPOINTS} checkpoints already")
        number = (self._last(place) or 0) + 1
        failure = None if work.failure is None else work.failure.value
        row = (*place, number, name, work.phase.value, work.progress, failure)
        self._run("INSERT INTO checkpoint VALUES (?, ?, ?, ?, ?, ?, ?)", *row)

    def _forget(self, place: tuple[str, str], name: str) -> None:
        """Removes a checkpoint; what fields were since then is told from the one before it on."""
        statement = "SELECT number FROM checkpoint WHERE tenant = ? AND key = ? AND name = ?"
        row = self._run(statement, *place, name).fetchone()
        if row is None:
            return
        before = self._last(place, row[0])
        if before is not None:
            statement = """
                INSERT OR IGNORE INTO undo SELECT tenant, key, ?, field, kind, value FROM undo
                WHERE tenant = ? AND key = ? AND number = ?"""
            self._run(statement, before, *place, row[0])
        for table in ("undo", "checkpoint"):
            self._run(f"DELETE FROM {table} WHERE tenant = ? AND key = ? AND number = ?", *place, row[0])


def _key(scope: str, field: Field) -> str:
    return SEPARATOR.join((scope, *field))


def _field(key: str) -> Field:
    _, _, section, name = key.split(SEPARATOR)
    return section, name


def _bounds(scope: wit.Scope, section: str | None) -> tuple[str, str, str]:
    """Between which keys the fields of a scope stand, or those of one section."""
    tenant, prefix = scope_key(scope)
    if section is not None:
        prefix += SEPARATOR + section
    return tenant, prefix + SEPARATOR, prefix + _BEHIND


def _failure(number: int | None) -> wit.ErrorKind | None:
    return None if number is None else _FAILURES[number]

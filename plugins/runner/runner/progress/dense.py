"""The dense workbook, as it was before there was a sparse one: every scope has a place for every field, in memory.

It is what the flag `runner.sparse_store` falls back to, and what the baseline compares with. Nothing of it outlives the
process, and a checkpoint is a copy of all.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from runner.bindings import progress_client as wit
from runner.progress.book import MAX_CHECKPOINTS, Book, Prepared, Work
from runner.progress.database import Database
from runner.progress.rules import SCHEMA_VERSION, Field, failed, listed, scope_key

__all__ = ["DenseBook"]

#: The fields that every piece of work is expected to have.
USUAL: tuple[Field, ...] = (("timeline", "phase"), ("execution", "progress"), ("governance", "status"))


@dataclass(frozen=True, slots=True)
class _Cell:
    value: wit.Value | None = None
    dirty: bool = False


@dataclass(slots=True)
class _Row:
    """A scope: where it stands, a cell for every field that any scope has, and copies of both by name."""

    scope: wit.Scope
    work: Work = field(default_factory=Work)
    cells: dict[Field, _Cell] = field(default_factory=dict)
    checkpoints: dict[str, tuple[Work, dict[Field, _Cell]]] = field(default_factory=dict)
    #: Its bytes, as far as they were asked for since it changed.
    size: int | None = None

    def memory(self) -> int:
        """Its bytes, without the names of fields, which all rows share."""
        if self.size is None:
            objects = {id(item): item for item in self._objects()}
            self.size = sum(map(sys.getsizeof, objects.values()))
        return self.size

    def _objects(self) -> Iterator[object]:
        """All that it is made of; what a copy shares with the present state comes several times."""
        yield from (self, self.scope, self.scope.user, self.scope.task, self.scope.tenant)
        yield from (self.checkpoints, *self.checkpoints, *self.checkpoints.values())
        states = [(self.work, self.cells), *self.checkpoints.values()]
        for work, cells in states:
            yield from (work, work.progress, work.revision, work.timestamp, cells)
            for cell in cells.values():
                yield cell
                if cell.value is not None:
                    yield from (cell.value, cell.value.value)


class DenseBook(Book):
    """A workbook in memory; where a transaction of the database fails it goes back to what it was before."""

    scenario = "dense"

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows: dict[tuple[str, str], _Row] = {}
        self._fields: dict[Field, None] = dict.fromkeys(USUAL)

    def __len__(self) -> int:
        return len(self._rows)

    def memory(self) -> int:
        """As `Book` says. Only rows that have changed are looked at."""
        shared = [self._rows, self._fields, *self._fields, *(text for field in self._fields for text in field)]
        keys = [part for key in self._rows for part in (key, *key)]
        return sum(map(sys.getsizeof, [*shared, *keys])) + sum(row.memory() for row in self._rows.values())

    def scopes(self, most: int) -> list[wit.Scope]:
        """As `Book` says."""
        rows = sorted(self._rows.values(), key=lambda row: -row.work.revision)
        return [row.scope for row in rows[:most]]

    def find(self, scope: wit.Scope) -> Work | None:
        """As `Book` says."""
        row = self._rows.get(scope_key(scope))
        return None if row is None else row.work

    def value(self, scope: wit.Scope, field: Field) -> wit.Value | None:
        """As `Book` says."""
        row = self._rows.get(scope_key(scope))
        cell = None if row is None else row.cells.get(field)
        return None if cell is None else cell.value

    def entries(self, scope: wit.Scope, section: str | None) -> list[wit.Entry]:
        """As `Book` says."""
        return [
            wit.Entry(*name, cell.value, SCHEMA_VERSION, cell.dirty)
            for name, cell in sorted(self._row(scope).cells.items())
            if cell.value is not None and section in (None, name[0])
        ]

    def checkpoints(self, scope: wit.Scope) -> list[str]:
        """As `Book` says."""
        return list(self._row(scope).checkpoints)

    def prepare_rollback(self, scope: wit.Scope, checkpoint: str, timestamp: int) -> Prepared:
        """As `Book` says."""
        row = self._row(scope)
        if checkpoint not in row.checkpoints:
            raise failed(wit.ErrorKind.NOT_FOUND, f"there is no checkpoint {checkpoint}")
        work, cells = row.checkpoints[checkpoint]
        before = {name: cells[name].value if name in cells else None for name in row.cells}
        changes = {name: value for name, value in before.items() if row.cells[name].value != value}
        update = wit.ProgressUpdate(0, scope, work.phase, work.progress, timestamp, listed(changes), work.failure)
        return Prepared(update, list(row.checkpoints).index(checkpoint))

    def apply(self, prepared: Prepared, id_: int) -> None:
        """As `Book` says."""
        update = prepared.update
        row = self._changing(update.scope)
        row.work = Work(update.phase, update.progress, id_, update.timestamp, update.failure)
        for item in update.changes:
            self._widen((item.section, item.key))
            row.cells[item.section, item.key] = _Cell(item.value, dirty=True)
        if prepared.checkpoint is not None:
            for name in list(row.checkpoints)[prepared.checkpoint + 1 :]:
                del row.checkpoints[name]

    def flush(self, scope: wit.Scope, most: int) -> list[wit.FieldChange]:
        """As `Book` says."""
        self._row(scope)
        row = self._changing(scope)
        found = [name for name, cell in sorted(row.cells.items()) if cell.dirty][:most]
        for name in found:
            row.cells[name] = replace(row.cells[name], dirty=False)
        return [wit.FieldChange(*name, row.cells[name].value) for name in found]

    def checkpoint(self, scope: wit.Scope, name: str) -> None:
        """As `Book` says."""
        if len(self._row(scope).checkpoints.keys() - {name}) >= MAX_CHECKPOINTS:
            raise failed(wit.ErrorKind.EXHAUSTED, f"there are {MAX_CHECKPOINTS} checkpoints already")
        row = self._changing(scope)
        row.checkpoints.pop(name, None)
        row.checkpoints[name] = row.work, dict(row.cells)

    def _row(self, scope: wit.Scope) -> _Row:
        self.known(scope)
        return self._rows[scope_key(scope)]

    def _changing(self, scope: wit.Scope) -> _Row:
        """The row of a scope, made where there is none, that may be changed in this transaction."""
        key = scope_key(scope)
        old = self._rows.get(key)
        if old is None:
            row = _Row(scope, cells={name: _Cell() for name in self._fields})
        else:
            row = _Row(scope, old.work, dict(old.cells), dict(old.checkpoints))
        self._rows[key] = row
        self._database.on_rollback(lambda: self._restore(key, old))
        return row

    def _restore(self, key: tuple[str, str], old: _Row | None) -> None:
        if old is None:
            self._rows.pop(key, None)
        else:
            self._rows[key] = old

    def _widen(self, name: Field) -> None:
        """Gives every scope a cell for a field that nobody had."""
        if name not in self._fields:
            self._fields[name] = None
            for row in self._rows.values():
                row.cells.setdefault(name, _Cell())
                row.size = None

"""The workbook as rules: what a step changes, and what it announces. Where values are kept, its two kinds know.

`SparseBook` keeps what was set, on the disk; `DenseBook` a value for every field of every scope, in memory. Both give
the same answers.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from runner.bindings import progress_client as wit
from runner.progress.rules import Field, check_step, failed, listed

__all__ = ["MAX_CHECKPOINTS", "Book", "Prepared", "Work", "unknown"]

#: The most checkpoints that a scope keeps.
MAX_CHECKPOINTS = 64


@dataclass(frozen=True, slots=True)
class Work:
    """Where a piece of work stands, beside its fields."""

    phase: wit.Phase = wit.Phase.INITIATING
    progress: float = 0.0
    revision: int = 0
    timestamp: int = 0
    failure: wit.ErrorKind | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was worked out and is not stored yet.

    `checkpoint` is the number of the one to which it goes back, if it does.
    """

    update: wit.ProgressUpdate
    checkpoint: int | None = None


class Book(ABC):
    """All work that has been heard of, by scope. Those who call it hold the lock of the database."""

    #: What figures call it.
    scenario: ClassVar[str]

    def prepare(self, step: wit.Step) -> Prepared:
        """Checks a step and works out what it announces."""
        check_step(step)
        work = self.find(step.scope) or Work()
        last: dict[Field, wit.Value | None] = {(item.section, item.key): item.value for item in step.changes}
        changed = {field: value for field, value in last.items() if self.value(step.scope, field) != value}
        update = wit.ProgressUpdate(
            id=0,
            scope=step.scope,
            phase=work.phase if step.phase is None else step.phase,
            progress=work.progress if step.progress is None else step.progress,
            timestamp=step.timestamp,
            changes=listed(changed),
            failure=step.failure,
        )
        return Prepared(update)

    def status(self, scope: wit.Scope) -> wit.Status:
        """Where the work of a scope stands."""
        work = self.known(scope)
        return wit.Status(
            phase=work.phase,
            progress=work.progress,
            revision=work.revision,
            timestamp=work.timestamp,
            entries=self.entries(scope, None),
            checkpoints=self.checkpoints(scope),
            failure=work.failure,
        )

    def known(self, scope: wit.Scope) -> Work:
        """The work of a scope. Raises `not-found` where there is none."""
        work = self.find(scope)
        if work is None:
            raise unknown(scope)
        return work

    @abstractmethod
    def find(self, scope: wit.Scope) -> Work | None:
        """The work of a scope, if it is known."""

    @abstractmethod
    def value(self, scope: wit.Scope, field: Field) -> wit.Value | None:
        """What a field is."""

    @abstractmethod
    def entries(self, scope: wit.Scope, section: str | None) -> list[wit.Entry]:
        """The fields that are set, of one section or all, ordered."""

    @abstractmethod
    def checkpoints(self, scope: wit.Scope) -> list[str]:
        """The names of the checkpoints, oldest first."""

    @abstractmethod
    def prepare_rollback(self, scope: wit.Scope, checkpoint: str, timestamp: int) -> Prepared:
        """Works out what going back to a checkpoint announces."""

    @abstractmethod
    def apply(self, prepared: Prepared, id_: int) -> None:
        """Stores what has become update `id_`."""

    @abstractmethod
    def flush(self, scope: wit.Scope, most: int) -> list[wit.FieldChange]:
        """Takes changed fields and marks them clean; those that were cleared are forgotten."""

    @abstractmethod
    def checkpoint(self, scope: wit.Scope, name: str) -> None:
        """Remembers the present state under a name."""

    @abstractmethod
    def memory(self) -> int:
        """The bytes that it holds: pages of the file, or objects in memory."""

    @abstractmethod
    def __len__(self) -> int:
        """How many scopes there are."""

    @abstractmethod
    def scopes(self, most: int) -> list[wit.Scope]:
        """The scopes that changed last, the latest first."""


def unknown(scope: wit.Scope) -> wit.ErrorException:
    """The error about a scope that is not known."""
    return failed(wit.ErrorKind.NOT_FOUND, f"no work {scope.task} of {scope.user} is known")

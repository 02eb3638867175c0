"""What the tests of progress share: short ways to say things, and values as the component's adapter has them."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Any

import pytest
from runner.bindings import progress_client as wit
from runner.bindings import progress_runner as other
from runner.progress import Progress, Subscription

SCOPE = wit.Scope("ada", "task", None)
ALL = wit.Filter(None, None, None, wit.Phases(0))
Change = wit.FieldChange


def step(*changes: Change, scope: wit.Scope = SCOPE, progress: float | None = None, at: int = 1) -> wit.Step:
    return wit.Step(scope, None, progress, at, list(changes), None)


def number(key: str, value: int, section: str = "s") -> Change:
    return Change(section, key, wit.Value_Integer(value))


def options(
    capacity: int = 16, filter_: wit.Filter = ALL, overflow: wit.Overflow = wit.Overflow.REFUSE
) -> wit.SubscriptionOptions:
    return wit.SubscriptionOptions(filter_, capacity, overflow)


def subscribe(progress: Progress, name: str | None = None, **how: Any) -> Subscription:
    return progress.events.subscribe(options(**how), name)


def kind_of(caught: pytest.ExceptionInfo[wit.ErrorException]) -> wit.ErrorKind:
    return caught.value.value.kind


def ids(batch: wit.Batch) -> list[int]:
    return [update.id for update in batch.updates]


def across(value: Any, module: Any = other) -> Any:
    """A value of one generated module as the same value of another one."""
    if isinstance(value, list):
        return [across(item, module) for item in value]
    if isinstance(value, enum.Enum):
        return getattr(module, type(value).__name__)(value.value)
    if hasattr(value, "__dataclass_fields__"):
        made = getattr(module, type(value).__name__)
        return made(**{name: across(getattr(value, name), module) for name in value.__dataclass_fields__})
    return value


def on_disk(folder: Path, **how: Any) -> Progress:
    return Progress(folder / "progress.db", **how)

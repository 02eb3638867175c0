"""What may be said of progress, and how it is written down: names, ranges, keys, values.

The rules are those of ``progress.wit``. It knows no store: what is checked here is kept by others.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterable
from typing import Any, TypeAlias

from runner.bindings import progress_client as wit

__all__ = [
    "SCHEMA_VERSION",
    "SEPARATOR",
    "Field",
    "changes_of",
    "check_change",
    "check_progress",
    "check_scope",
    "check_step",
    "check_timestamp",
    "decode_value",
    "encode_value",
    "failed",
    "listed",
    "scope_key",
    "signed",
    "text_of",
    "unsigned",
]

#: Stands between the parts of a key: no name may have it.
SEPARATOR = "\x1f"
#: The version of the schema under which values are written.
SCHEMA_VERSION = 1
#: The section and name of a field.
Field: TypeAlias = tuple[str, str]

_KINDS = (wit.Value_Text, wit.Value_Integer, wit.Value_Real, wit.Value_Boolean)
_KIND_OF = {kind: number for number, kind in enumerate(_KINDS)}
_REAL = struct.Struct("<d")


def failed(kind: wit.ErrorKind, message: str) -> wit.ErrorException:
    """An `err` of the contract."""
    return wit.ErrorException(wit.Error(kind, message))


def _wrong(message: str) -> wit.ErrorException:
    return failed(wit.ErrorKind.INVALID_ARGUMENT, message)


def check_scope(scope: wit.Scope) -> None:
    """Refuses a scope without user or task, or with the separator in a name."""
    _check_name("user", scope.user)
    _check_name("task", scope.task)
    if scope.tenant is not None:
        _check_name("tenant", scope.tenant)


def check_progress(progress: float) -> None:
    """Refuses what is not from 0 to 1."""
    if not 0 <= progress <= 1:
        raise _wrong("progress is not from 0 to 1")


def check_change(section: str, key: str, value: wit.Value | None) -> None:
    """Refuses names that are empty or have the separator, NaN, and what no component could have passed."""
    _check_name("section", section)
    _check_name("field", key)
    match value:
        case None | wit.Value_Boolean():
            pass
        case wit.Value_Real(number):
            if math.isnan(number):
                raise _wrong(f"{section}.{key}: NaN is not a value")
        case wit.Value_Integer(number):
            if not -(1 << 63) <= number < 1 << 63:
                raise _wrong(f"{section}.{key}: {number} is no integer of 64 bits")
        case wit.Value_Text(text):
            _check_text(f"{section}.{key}", text)
        case _:
            raise TypeError(f"{value!r} is not a value of the workbook")


def check_step(step: wit.Step) -> None:
    """Refuses a step of which anything is wrong."""
    check_scope(step.scope)
    if step.progress is not None:
        check_progress(step.progress)
    check_timestamp(step.timestamp)
    for item in step.changes:
        check_change(item.section, item.key, item.value)


def check_timestamp(timestamp: int) -> None:
    """Refuses what is not of 64 bits."""
    if not 0 <= timestamp < 1 << 64:
        raise _wrong(f"{timestamp} is no time in nanoseconds since 1970")


def _check_name(what: str, name: str) -> None:
    if not name:
        raise _wrong(f"the {what} is empty")
    if SEPARATOR in name:
        raise _wrong(f"the {what} contains U+001F")
    _check_text(f"the {what}", name)


def _check_text(what: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _wrong(f"{what} has half of a surrogate pair") from None


# Written down


def scope_key(scope: wit.Scope) -> tuple[str, str]:
    """The tenant ("" without one), and the beginning of the keys of a scope's fields: ``user U+001F task``."""
    return scope.tenant or "", scope.user + SEPARATOR + scope.task


def encode_value(value: wit.Value | None) -> tuple[int | None, Any]:
    """A value as SQLite stores it without loss: its kind, and text, an integer, or the bytes of a double."""
    if value is None:
        return None, None
    kind = _KIND_OF[type(value)]
    # As a number SQLite would not tell -0.0 from 0.
    return kind, _REAL.pack(value.value) if isinstance(value, wit.Value_Real) else value.value


def decode_value(kind: int | None, data: Any) -> wit.Value | None:
    """The value that was stored."""
    if kind is None:
        return None
    made = _KINDS[kind]
    if made is wit.Value_Real:
        return wit.Value_Real(_REAL.unpack(data)[0])
    return wit.Value_Boolean(bool(data)) if made is wit.Value_Boolean else made(data)


def text_of(changes: Iterable[wit.FieldChange]) -> str:
    """Changes as JSON, such as ``[["plan", "files", 1, 3], ["plan", "name"]]``; Python's infinities are in it."""
    rows = [
        [item.section, item.key] if item.value is None else [item.section, item.key, *_plain(item.value)]
        for item in changes
    ]
    return json.dumps(rows, separators=(",", ":"))


def _plain(value: wit.Value) -> tuple[int, Any]:
    return _KIND_OF[type(value)], value.value


def changes_of(text: str) -> list[wit.FieldChange]:
    """The changes that `text_of` wrote."""
    return [
        wit.FieldChange(section, key, _KINDS[rest[0]](rest[1]) if rest else None)
        for section, key, *rest in json.loads(text)
    ]


def listed(changes: dict[Field, wit.Value | None]) -> list[wit.FieldChange]:
    """Changes by field as a list, ordered by section and name."""
    return [wit.FieldChange(*field, changes[field]) for field in sorted(changes)]


def signed(number: int) -> int:
    """64 bits without a sign as the integer with one that SQLite has."""
    return number - (1 << 64) if number >> 63 else number


def unsigned(number: int) -> int:
    """The number that `signed` was given."""
    return number & ((1 << 64) - 1)

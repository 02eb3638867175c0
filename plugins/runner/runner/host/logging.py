"""`runner:host/logging`: what components log, on its way into the logs of the host.

It never blocks and never fails: what the writer refuses is counted and dropped. It knows no files and no formats.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from runner.bindings import http_component as wit

__all__ = ["Logger", "Logging", "Write"]

Scalar: TypeAlias = "str | int | float | bool"

#: What takes a message: its level, its text, and its fields by name. It must not block.
Write: TypeAlias = Callable[[wit.Level, str, dict[str, Scalar]], None]

#: The levels of Python's `logging`; it has none for every step.
LEVELS = {
    wit.Level.TRACE: 5,
    wit.Level.DEBUG: logging.DEBUG,
    wit.Level.INFO: logging.INFO,
    wit.Level.WARN: logging.WARNING,
    wit.Level.ERROR: logging.ERROR,
}
_ORDER = {level: number for number, level in enumerate(wit.Level)}


class Logger(Protocol):
    """A logger of structlog: a message, and fields by name."""

    def log(self, level: int, event: str, /, **fields: Any) -> Any:
        """Logs a message; `level` is a number of `LEVELS`."""
        raise NotImplementedError


class Logging:
    """The interface `runner:host/logging` for one component.

    `to` is a logger of `logging` or structlog, or a function (`Write`). Fields are the component's own, and beside
    them ``component``, ``request``, ``user``, ``task`` and ``tenant``, as far as they are known. `least` is the
    threshold, which may be changed at any time; `dropped` counts what the writer refused.
    """

    def __init__(self, to: logging.Logger | Logger | Write, component: str, least: wit.Level = wit.Level.INFO) -> None:
        self.least = least
        self.dropped = 0
        self._component = component
        self._write = _writer(to)

    def threshold(self) -> wit.Level:
        """The least level that is kept."""
        return self.least

    def log(self, level: wit.Level, context: wit.Context, message: str, fields: list[tuple[str, wit.Value]]) -> None:
        """Passes a message on, if it is not below the threshold."""
        if _ORDER[level] < _ORDER[self.least]:
            return
        try:
            self._write(level, message, self._fields(context, fields))
        except Exception:
            # The component can do nothing about it, and must not be cut off in the middle for it.
            self.dropped += 1

    def _fields(self, context: wit.Context, fields: list[tuple[str, wit.Value]]) -> dict[str, Scalar]:
        found: dict[str, Scalar] = {name: value.value for name, value in fields}
        found["component"] = self._component
        if context.request is not None:
            found["request"] = context.request
        if context.scope is not None:
            found["user"] = context.scope.user
            found["task"] = context.scope.task
            if context.scope.tenant is not None:
                found["tenant"] = context.scope.tenant
        return found


def _writer(to: logging.Logger | Logger | Write) -> Write:
    if isinstance(to, logging.Logger):
        standard = to

        def write_standard(level: wit.Level, message: str, fields: dict[str, Scalar]) -> None:
            # In one attribute: a field must not take the place of one that a record has by itself.
            standard.log(LEVELS[level], "%s", message, extra={"fields": fields})

        return write_standard
    if hasattr(to, "log"):
        structured = to

        def write_structured(level: wit.Level, message: str, fields: dict[str, Scalar]) -> None:
            structured.log(LEVELS[level], message, **fields)

        return write_structured
    return to

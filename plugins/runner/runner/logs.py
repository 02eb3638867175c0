"""Structured logs: a line of JSON on stderr for each event, with component, scope and request where they are known.

What is logged by Python's own `logging` (uvicorn, asyncio) takes the same way and the same form. `bound` says what the
code inside is about; it follows tasks as context variables do. It knows no component and formats no message.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import Any, TextIO

import structlog

from runner import tracing
from runner.bindings import progress_client as wit

__all__ = ["LEVELS", "bound", "configure", "scope_of"]

#: The levels by name, least first; `trace` is that of the contract `runner:host/logging`, below Python's own.
LEVELS = {"trace": 5, "debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(level: str = "info", stream: TextIO | None = None, *, readable: bool = False) -> None:
    """Sets up logging of the whole process. `readable` is for people at a terminal, without it lines are JSON."""
    logging.addLevelName(LEVELS["trace"], "TRACE")
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _add_trace,
    ]
    # Without the values of local variables, among which are passwords and what clients send.
    traces = structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False))
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)]
        if readable
        else [traces, structlog.processors.JSONRenderer(ensure_ascii=False, default=str)]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(LEVELS[level])


@contextlib.contextmanager
def bound(*, component: str | None = None, scope: wit.Scope | None = None, request: Any = None) -> Iterator[None]:
    """Has every event inside say which component, work and request it is about."""
    said = {"component": component, "scope": None if scope is None else scope_of(scope), "request": request}
    with structlog.contextvars.bound_contextvars(**{key: value for key, value in said.items() if value is not None}):
        yield


def scope_of(scope: wit.Scope) -> dict[str, str]:
    """A scope as it stands in logs."""
    said = {"user": scope.user, "task": scope.task}
    return said if scope.tenant is None else said | {"tenant": scope.tenant}


def _add_trace(logger: Any, method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Adds the ids by which a line is found from a trace, and the other way round."""
    return {**event, **tracing.ids()}

"""Structured logs: a line of JSON an event on stderr, with the component and the request that it belongs to."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

__all__ = ["configure", "logger"]

_LEVELS = {"trace": 5, "debug": 10, "info": 20, "warn": 30, "error": 40}


def configure(level: str = "info", *, plain: bool = False) -> None:
    """Begins to log from `level` on: as JSON, or `plain` for people at a terminal."""
    logging.addLevelName(_LEVELS["trace"], "TRACE")
    renderer: Any = structlog.dev.ConsoleRenderer() if plain else structlog.processors.JSONRenderer(sort_keys=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info if not plain else _unchanged,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def logger(component: str, **values: Any) -> Any:
    """A logger whose events name a component, and what else is given."""
    return structlog.get_logger().bind(component=component, **values)


def _unchanged(_logger: Any, _name: str, event: Any) -> Any:
    return event

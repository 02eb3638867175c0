"""What components log, in the logs of the host."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from runner.bindings import http_component as wit
from runner.host import Logging

NOBODY = wit.Context(None, None)


def test_a_message_comes_with_its_fields_and_what_it_is_about() -> None:
    found: list[Any] = []
    log = Logging(lambda *message: found.append(message), "http")
    context = wit.Context(wit.Scope("ada", "task", "acme"), 7)
    log.log(wit.Level.WARN, context, "slow", [("bytes", wit.Value_Integer(3)), ("ok", wit.Value_Boolean(False))])
    fields = {
        "bytes": 3,
        "ok": False,
        "component": "http",
        "request": 7,
        "user": "ada",
        "task": "task",
        "tenant": "acme",
    }
    assert found == [(wit.Level.WARN, "slow", fields)]


def test_what_is_below_the_threshold_is_not_written() -> None:
    found: list[Any] = []
    log = Logging(lambda *message: found.append(message), "http", wit.Level.WARN)
    log.log(wit.Level.INFO, NOBODY, "nothing", [])
    assert log.threshold() is wit.Level.WARN
    log.least = wit.Level.TRACE
    log.log(wit.Level.TRACE, NOBODY, "something", [])
    assert [message for _, message, _ in found] == ["something"]


def test_a_writer_that_fails_is_counted_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> None:
        raise OSError("no space")

    log = Logging(broken, "http")
    log.log(wit.Level.ERROR, NOBODY, "lost", [])
    assert log.dropped == 1


def test_a_logger_of_the_standard_library_gets_level_message_and_fields(caplog: pytest.LogCaptureFixture) -> None:
    log = Logging(logging.getLogger("runner.test"), "http")
    with caplog.at_level(logging.INFO, "runner.test"):
        log.log(wit.Level.WARN, NOBODY, "100% of %s", [("name", wit.Value_Text("a"))])
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.WARNING, "100% of %s")
    assert getattr(record, "fields") == {"name": "a", "component": "http"}  # noqa: B009


def test_a_structured_logger_gets_fields_by_name() -> None:
    found: list[Any] = []

    class Structured:
        def log(self, level: int, event: str, /, **fields: Any) -> None:
            found.append((level, event, fields))

    Logging(Structured(), "http").log(wit.Level.INFO, NOBODY, "hello", [("event", wit.Value_Real(1.5))])
    assert found == [(logging.INFO, "hello", {"event": 1.5, "component": "http"})]

"""Logs are lines of JSON that say which component, work and request they are about."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from runner import logs
from runner.bindings import progress_client as wit

SCOPE = wit.Scope("ada", "import", "acme")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level, configuration = root.handlers[:], root.level, structlog.get_config()
    text = io.StringIO()
    logs.configure("debug", text)
    yield text
    root.handlers[:] = before
    root.setLevel(level)
    structlog.configure(**configuration)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_what_it_is_about(stream: io.StringIO) -> None:
    log = structlog.get_logger("runner.test")
    with logs.bound(component="http-component", scope=SCOPE, request=7):
        log.warning("slow client", seconds=3)
    log.info("after")
    first, second = lines(stream)
    assert first.pop("time").endswith("Z")
    assert first == {
        "event": "slow client",
        "level": "warning",
        "logger": "runner.test",
        "seconds": 3,
        "component": "http-component",
        "scope": {"user": "ada", "task": "import", "tenant": "acme"},
        "request": 7,
    }
    assert "component" not in second


@pytest.mark.parametrize("readable", [False, True])
def test_a_traceback_has_no_values_of_variables(stream: io.StringIO, readable: bool) -> None:
    def log_in(password: str) -> None:
        raise LookupError("the accounts are broken")

    logs.configure("debug", stream, readable=readable)
    try:
        log_in("".join(["open ", "sesame"]))
    except LookupError:
        structlog.get_logger("runner.test").exception("nobody can log in")
    text = stream.getvalue()
    assert "the accounts are broken" in text and "log_in" in text
    assert "open sesame" not in text


def test_what_is_bound_in_one_task_is_not_in_another(stream: io.StringIO) -> None:
    log = structlog.get_logger("runner.test")

    async def work(request: int) -> None:
        with logs.bound(request=request):
            await asyncio.sleep(0)
            log.info("done", wanted=request)

    async def all_() -> None:
        await asyncio.gather(*(work(n) for n in range(5)))

    asyncio.run(all_())
    found = [line for line in lines(stream) if line["logger"] == "runner.test"]
    assert [line["request"] for line in found] == [line["wanted"] for line in found] == list(range(5))


def test_logs_of_other_libraries_have_the_same_form(stream: io.StringIO) -> None:
    with logs.bound(request=1):
        logging.getLogger("uvicorn.error").warning("took %d s", 3)
    (line,) = lines(stream)
    assert (line["event"], line["logger"], line["level"], line["request"]) == (
        "took 3 s",
        "uvicorn.error",
        "warning",
        1,
    )


def test_what_lies_below_the_level_is_left_out(stream: io.StringIO) -> None:
    logging.getLogger().setLevel(logs.LEVELS["error"])
    structlog.get_logger("runner.test").warning("no")
    structlog.get_logger("runner.test").error("yes")
    assert [line["event"] for line in lines(stream)] == ["yes"]


def test_an_exception_is_data_on_one_line(stream: io.StringIO) -> None:
    try:
        raise ValueError("broken\nin two")
    except ValueError:
        structlog.get_logger("runner.test").exception("failed")
    (line,) = lines(stream)
    assert line["exception"][0]["exc_type"] == "ValueError"


def test_a_process_logs_to_stderr() -> None:
    program = "from runner import logs; import structlog; logs.configure(); structlog.get_logger('x').info('zwölf')"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert result.stdout == b""
    assert json.loads(result.stderr)["event"] == "zwölf"

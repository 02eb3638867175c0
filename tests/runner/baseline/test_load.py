"""Users, against servers of the tests: they do what the seed says, and count what fails."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Sequence
from typing import Any

import pytest
from runner.baseline.load import Crowd, Orders
from runner.baseline.scenario import FtpAction, HttpAction, Scenario, Work
from runner.histogram import Histogram


def total(found: dict[str, Any], name: str) -> int:
    """How many actions of a name were measured."""
    histogram = Histogram()
    histogram.merge(found["latencies"][name])
    return histogram.total


async def crowd(scenario: Scenario, http: int, ftp: int = 1, *, warm_up: float = 0.0, seconds: float = 1.0) -> Any:
    """What a crowd found out."""
    begin = time.time() + warm_up
    return await Crowd(Orders(scenario.dumps(), http, ftp, "ada", "secret", begin, begin + seconds)).run()


def against(answer: bytes, scenario: Scenario, **options: Any) -> tuple[dict[str, Any], list[bytes]]:
    """What a crowd found out from a server that gives one answer, and the requests that came."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
                asked.append(head.split(b" HTTP")[0] + b" " + await reader.readexactly(length))
                writer.write(answer)
        except EOFError:
            writer.close()

    async def run() -> Any:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            return await crowd(scenario, server.sockets[0].getsockname()[1], **options)

    return asyncio.run(run()), asked


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
WORK = HttpAction(1, "/work/{user}/{task}", "POST", reports=True)


def one(*actions: HttpAction, **others: Any) -> Scenario:
    """A scenario of one user who does not think long."""
    return Scenario(actions, **{"users": 1, "think": 0.005} | others)


def test_the_same_seed_gives_the_same_requests_and_another_one_others() -> None:
    mix = (HttpAction(2, "/a"), WORK)

    def asked(seed: int) -> Sequence[bytes]:
        found = against(OK, one(*mix, seed=seed))[1]
        assert len(found) > 20
        return found[:20]

    assert asked(1) == asked(1)
    assert asked(1) != asked(2)


def test_a_task_has_the_same_few_fields_whenever_it_is_reported_on() -> None:

    work = Work(tasks=1, fields=100, own=5, changes=3)
    _, asked = against(OK, one(WORK, work=work))
    reports = [json.loads(line.split(b" ", 2)[2]) for line in asked]
    assert {len(report) for report in reports} == {3}
    assert len({name for report in reports for name in report}) == 5
    assert all(line.startswith(b"POST /work/user-0/task-0 ") for line in asked)


def test_what_comes_before_the_beginning_does_not_count() -> None:
    found, asked = against(OK, one(HttpAction(1, "/")), warm_up=0.5, seconds=0.5)
    assert 0 < total(found, "http") < len(asked)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", "http: Refused: HTTP/1.1 503"),
        (b"HTTP/1.1 200 OK\r\n\r\n", "http: Refused: HTTP/1.1 200 OK, without content-length"),
    ],
)
def test_answers_that_should_not_come_are_counted_as_failures(answer: bytes, failure: str) -> None:
    found, asked = against(answer, one(HttpAction(1, "/")))
    assert total(found, "http") == 0
    assert any(what.startswith(failure) for what in found["failures"])
    assert 0 < sum(found["failures"].values()) <= len(asked)


def test_services_that_are_not_there_are_counted_as_failures() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        scenario = Scenario([HttpAction(1, "/")], [FtpAction(1)], users=5, think=0.01)
        found = asyncio.run(crowd(scenario, port, port))
    assert {what.partition(":")[0] for what in found["failures"]} == {"connect", "login"}

"""`ComponentServer` by itself: how instances that are told to leave end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import runner.bindings.http_component as wit
from runner import components
from runner.host import Logging, Tls
from runner.http.asgi import Scope
from runner.http.config import HttpConfig
from runner.http.guests import guests
from runner.http.server import ComponentServer
from runner.loading import load
from runner.progress import Progress
from runner.supervisor import listen

from tests.runner.driving import PATIENCE


class Told:
    """An `Observer` that keeps the reports, and the failures of the component."""

    def __init__(self) -> None:
        self.reports: list[wit.Report] = []
        self.failures: list[BaseException] = []

    def opened(self, connection: wit.Connection) -> None: ...

    def closed(self, connection: int) -> None: ...

    def reported(self, reports: Sequence[wit.Report]) -> None:
        self.reports += reports

    def application_failed(self, exchange: int, error: BaseException) -> None: ...

    def component_failed(self, error: BaseException, waiting: int) -> None:
        self.failures.append(error)

    def component_started(self, seconds: float) -> None: ...


def test_told_to_stop_it_gives_instances_that_are_leaving_no_more_time_than_the_others() -> None:
    async def run(told: Told) -> bytes:
        sockets = listen("127.0.0.1", 0, 16)
        address = sockets[0].getsockname()
        loaded = load(components.folder("http"))
        make = guests(loaded, sockets, Logging(print, "http"), Tls(), Progress)
        begun = asyncio.Event()

        async def silent(scope: Scope, receive: Any, send: Any) -> None:
            begun.set()
            while (await receive())["type"] != "http.disconnect":
                pass

        server = ComponentServer(silent, make, [address], HttpConfig(), told)
        server.start()
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        await begun.wait()
        server.reload(make, grace=1000)
        assert len(server.instances) == 2
        server.stop(0.1)
        await asyncio.wait_for(server.done, PATIENCE)
        assert server.instances == []
        loaded.close()
        sockets[0].close()
        found = await reader.read()
        writer.close()
        return found

    told = Told()
    assert asyncio.run(run(told)) == b""
    assert told.failures == []
    assert [report.status for report in told.reports] == [None]

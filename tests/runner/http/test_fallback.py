"""The server in Python on the Runner's sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import runner.bindings.http_component as wit
from runner.http.applications import demonstration
from runner.http.config import HttpConfig
from runner.http.fallback import PythonServer


class Silent:
    """Hears everything and tells nobody."""

    def opened(self, connection: wit.Connection) -> None: ...

    def closed(self, connection: int) -> None: ...

    def reported(self, reports: object) -> None: ...

    def application_failed(self, exchange: int, error: BaseException) -> None: ...

    def component_failed(self, error: BaseException, waiting: int) -> None: ...

    def component_started(self, seconds: float) -> None: ...


def test_the_parts_of_an_answer_do_not_wait_for_each_other() -> None:
    async def serve(listening: socket.socket) -> None:
        server = PythonServer(demonstration, [listening], HttpConfig(), Silent())
        server.start()
        # What is accepted has the options of what it was accepted from.
        with socket.create_connection(listening.getsockname(), 10):
            accepted, _ = listening.accept()
            with accepted:
                assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        server.stop(0)
        await server.done

    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listening:
        asyncio.run(serve(listening))

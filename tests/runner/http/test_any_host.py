"""Whatever the host does with requests, and whatever the client does meanwhile: each exchange ends, once, in order."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
from collections.abc import Iterator
from functools import partial

import pytest
import runner.bindings.http_component as wit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runner.host import Inlet, Outlet

from tests.runner.http.applications import streamed
from tests.runner.http.driver import Server, response
from witgen import runtime as rt

RESET = struct.pack("ii", 1, 0)
SIZES = [0, 5, 3000, 16_000, 70_000, 200_000]
SECONDS = 1_000_000_000


class Host:
    """An application that draws what it does."""

    def __init__(self) -> None:
        self.random = random.Random(0)

    def __call__(self, server: Server, request: wit.ServerRequest) -> None:
        steps = [self.answer]
        if isinstance(request.content, wit.RequestContent_Streamed):
            steps.append(self.take)
        self.random.shuffle(steps)
        for step in steps:
            if self.random.random() < 0.2:
                server.call(partial(step, server, request))
            else:
                step(server, request)

    def answer(self, server: Server, request: wit.ServerRequest) -> None:
        draw = self.random.random()
        if draw < 0.1:
            request.exchange.close()
            return
        size = self.random.choice(SIZES)
        if draw < 0.2:
            answer = response(b"", self.random.choice([99, 204, 304, 600]))
        elif draw < 0.4:
            answer = response(bytes(min(size, 16_000)), 200, ("connection", self.random.choice([b"close", b"x"])))
        else:
            answer = streamed(self.outlet(server, size), self.random.choice([None, size, size, size + 1, size // 2]))
        with contextlib.suppress(wit.TypesErrorException):
            server.guest.server.respond(request.exchange, answer)

    def outlet(self, server: Server, size: int) -> Outlet:
        outlet = Outlet()
        outlet.feed(bytes(size // 2))
        draw = self.random.random()

        def rest() -> None:
            outlet.feed(bytes(size - size // 2))
            if draw < 0.1:
                outlet.abort("drawn")
            else:
                outlet.finish()

        if self.random.random() < 0.5:
            rest()
        else:
            server.call(rest)
        return outlet

    def take(self, server: Server, request: wit.ServerRequest) -> None:
        assert isinstance(request.content, wit.RequestContent_Streamed)
        draw = self.random.random()
        if draw < 0.2:
            request.content.value.close()
            return
        inlet = Inlet(self.random.choice([10, 1000, 100_000]))
        if draw < 0.8:
            inlet.heard = inlet.read
        with contextlib.suppress(wit.TypesErrorException):
            server.guest.server.receive(request.content.value, inlet)
        if draw < 0.4:
            server.call(inlet.shut)
        elif draw >= 0.8:
            server.call(partial(start_reading, inlet))


def start_reading(inlet: Inlet) -> None:
    inlet.heard = inlet.read
    inlet.read()


HOST = Host()


@pytest.fixture(scope="module")
def server(component: rt.Component) -> Iterator[Server]:
    # Content that does not come, or is not taken, ends soon.
    timeouts = {"content": SECONDS // 5, "send": SECONDS // 5, "header": SECONDS // 5, "idle": SECONDS // 2}
    with Server(component, HOST, timeouts=timeouts, batch=3) as server:
        yield server


def message(draw: random.Random) -> bytes:
    size = draw.choice(SIZES)
    expect = b"Expect: 100-continue\r\n" if draw.random() < 0.2 else b""
    head = (
        draw.choice([b"POST", b"HEAD", b"GET"]) + b" / HTTP/1." + draw.choice([b"1", b"1", b"0"]) + b"\r\nHost: a\r\n"
    )
    if draw.random() < 0.5 and b"1.1" in head:
        pieces = [b"%x\r\n%s\r\n" % (part, bytes(part)) for part in (size // 2, size // 3) if part]
        return head + expect + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(pieces) + b"0\r\n\r\n"
    return head + expect + b"Content-Length: %d\r\n\r\n" % size + bytes(size)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 1 << 32))
def test_every_connection_comes_to_its_end(server: Server, seed: int) -> None:
    draw = random.Random(seed)
    server.ask(lambda: HOST.random.seed(seed))
    clients = [server.connect() for _ in range(4)]
    for client in clients:
        client.sock.settimeout(0.05)
        data = b"".join(message(draw) for _ in range(draw.randint(1, 3)))
        if draw.random() < 0.3:
            data = data[: draw.randint(0, len(data))]
        with contextlib.suppress(OSError):
            client.send(data)
            if draw.random() < 0.3:
                client.sock.shutdown(socket.SHUT_WR)
            if draw.random() < 0.7:
                client.rest()
        if draw.random() < 0.2:
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        client.sock.close()
    server.until(lambda: len(server.closed) == len(server.opened))


def test_each_exchange_had_one_report_and_each_content_one_end_before_it(server: Server) -> None:
    numbers = [report.exchange for report in server.reports]
    assert len(set(numbers)) == len(numbers)
    assert {request.id for request in server.requests} <= set(numbers)
    ends = [end.exchange for end in server.bodies]
    assert len(set(ends)) == len(ends)
    over: set[int] = set()
    for name, item in server.told:
        if name == "reports":
            over.add(item.exchange)
        elif name == "bodies":
            assert item.exchange not in over
    status = server.ask(server.listener.status)
    assert (status.connections, status.exchanges) == (0, 0)

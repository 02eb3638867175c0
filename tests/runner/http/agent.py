"""Drives the client of the HTTP component in the test's own thread, against servers on real sockets."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

import runner.bindings.http_component as wit
from runner.host import Inlet, PollSet, Tls

from tests.runner.driving import PATIENCE
from tests.runner.http.driver import SECOND, imports, provider
from witgen import runtime as rt

LIMITS = wit.ClientLimits(
    connections=16,
    connections_per_authority=4,
    requests=64,
    header_bytes=4096,
    header_fields=32,
    content=1 << 40,
    inline_content=16 << 10,
    stream_buffer=64 << 10,
)
TIMEOUTS = wit.ClientTimeouts(
    connect=60 * SECOND, send=60 * SECOND, response=60 * SECOND, content=60 * SECOND, idle=60 * SECOND
)
NOTHING = wit.OutgoingContent_Inline(b"")


class Agent:
    """An agent of the component, until the end of a `with` statement."""

    def __init__(
        self,
        component: rt.Component,
        *,
        tls: Tls | None = None,
        limits: dict[str, int] | None = None,
        timeouts: dict[str, int] | None = None,
        **grants: Any,
    ) -> None:
        self.guest = wit.HttpComponent(component, imports(tls), providers=[provider(**{"lookup": True, **grants})])
        config = wit.AgentConfig(replace(LIMITS, **limits or {}), replace(TIMEOUTS, **timeouts or {}))
        self.agent = self.guest.client.agent.open(config)
        pollable: Any = self.agent.subscribe()
        self.poll_set: PollSet = pollable.source
        self.arrivals: dict[int, rt.Ok[wit.ClientResponse] | rt.Err[wit.TypesError]] = {}
        self.bodies: dict[int, rt.Ok[int] | rt.Err[wit.TypesError]] = {}
        self._pending: dict[int, wit.Pending] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pending.clear()
        self.agent.close()

    def send(
        self,
        port: int,
        path: str = "/",
        method: str = "GET",
        fields: list[tuple[str, bytes]] | None = None,
        content: wit.OutgoingContent = NOTHING,
        deadline: int | None = None,
        scheme: wit.Scheme = wit.Scheme.HTTP,
        host: str = "127.0.0.1",
    ) -> int:
        """Begins a request and gives its number."""
        request = wit.ClientRequest(method, scheme, f"{host}:{port}", path, fields or [], content, deadline)
        pending = self.guest.client.send(self.agent, request)
        number = pending.id()
        self._pending[number] = pending
        return number

    def call_off(self, number: int) -> None:
        self._pending.pop(number).close()

    def turn(self) -> None:
        """Waits once, and takes what has happened."""
        self.poll_set.wait(0.1)
        more = True
        while more:
            batch = self.guest.client.poll_response(self.agent, 8)
            more = batch.more
            for arrival in batch.responses:
                assert arrival.exchange not in self.arrivals
                self.arrivals[arrival.exchange] = arrival.outcome
            for body in batch.bodies:
                assert body.exchange in self.arrivals
                self.bodies[body.exchange] = body.outcome

    def until(self, condition: Callable[[], object]) -> None:
        ends = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < ends, f"it never came to that: {self.arrivals}"
            self.turn()

    def response(self, number: int) -> wit.ClientResponse:
        """The response to a request; it has to succeed."""
        self.until(lambda: number in self.arrivals)
        outcome = self.arrivals[number]
        assert isinstance(outcome, rt.Ok), outcome
        return outcome.value

    def failure(self, number: int) -> wit.TypesError:
        """Why there is no response."""
        self.until(lambda: number in self.arrivals)
        outcome = self.arrivals[number]
        assert isinstance(outcome, rt.Err), outcome
        return outcome.value

    def content(self, number: int) -> bytes:
        """All the content of a response."""
        content = self.response(number).content
        if isinstance(content, wit.ResponseContent_Inline):
            return content.value
        inlet = Inlet()
        found: list[bytes] = []
        inlet.heard = lambda: found.append(inlet.read())
        self.guest.client.receive(content.value, inlet)
        self.until(lambda: number in self.bodies)
        data = b"".join(found)
        assert self.bodies[number] == rt.Ok(len(data))
        return data


class Origin:
    """A server of a few lines: `serve` is run in a thread for each connection."""

    def __init__(self, serve: Callable[[socket.socket], object], address: str = "127.0.0.1") -> None:
        self.listener = socket.create_server((address, 0))
        self.port: int = self.listener.getsockname()[1]
        self.accepted = 0
        #: Connections that are closed again.
        self.ended = 0
        self._serve = serve
        threading.Thread(target=self._run, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.close()

    def has_ended(self, count: int) -> bool:
        """Whether so many connections are closed again."""
        return self.ended == count

    def _run(self) -> None:
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.accepted += 1
            sock.settimeout(PATIENCE)
            threading.Thread(target=self._one, args=(sock,), daemon=True).start()

    def _one(self, sock: socket.socket) -> None:
        with sock:
            self._serve(sock)
        self.ended += 1


def read_request(sock: socket.socket) -> tuple[bytes, bytes]:
    """Head and content of a request; empty at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            return b"", b""
        data += more
    head, _, content = data.partition(b"\r\n\r\n")
    lowered = head.lower()
    if b"transfer-encoding: chunked" in lowered:
        while not content.endswith(b"0\r\n\r\n"):
            content += sock.recv(65536)
        return head, content
    length = 0
    for line in lowered.split(b"\r\n"):
        if line.startswith(b"content-length: "):
            length = int(line[16:])
    while len(content) < length:
        content += sock.recv(65536)
    return head, content


def always(*answers: bytes) -> Callable[[socket.socket], None]:
    """Answers the requests of a connection with these bytes, the last of them again and again."""

    def serve(sock: socket.socket) -> None:
        count = 0
        while read_request(sock)[0]:
            sock.sendall(answers[min(count, len(answers) - 1)])
            count += 1

    return serve


def once(answer: bytes) -> Callable[[socket.socket], None]:
    """Answers one request and closes the connection."""

    def serve(sock: socket.socket) -> None:
        read_request(sock)
        sock.sendall(answer)

    return serve

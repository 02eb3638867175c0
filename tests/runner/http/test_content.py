"""Contents of requests and answers: inline, streamed, in chunks, with and without a known length."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable

import pytest
import runner.bindings.http_component as wit
from runner.host import Inlet, Outlet

from tests.runner.driving import wait_until
from tests.runner.http.applications import collecting, describe, streamed
from tests.runner.http.driver import Server, response
from witgen import runtime as rt

LARGE = bytes(range(256)) * 4096 * 4


def chunks(data: bytes, size: int) -> bytes:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def digest(server: Server, request: wit.ServerRequest) -> None:
    """Answers with the digest of the content, which it takes as it comes."""
    assert isinstance(request.content, wit.RequestContent_Streamed)
    found = hashlib.sha256()
    inlet = Inlet(10_000)

    def heard() -> None:
        found.update(inlet.read())
        if inlet.ended:
            server.call(lambda: server.respond(request, response(found.hexdigest().encode())))

    inlet.heard = heard
    server.guest.server.receive(request.content.value, inlet)


@pytest.mark.parametrize("chunked", [False, True])
def test_large_content_comes_to_the_host_as_a_stream(component: rt.Component, chunked: bool) -> None:
    if chunked:
        data = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(LARGE, 70_001)
    else:
        data = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE
    with Server(component, digest) as server, server.connect() as client:
        for _ in range(2):
            client.send(data)
            assert client.answer().body == hashlib.sha256(LARGE).hexdigest().encode()
        server.until(lambda: len(server.reports) == 2)
        assert [end.outcome for end in server.bodies] == [rt.Ok(len(LARGE))] * 2
        assert [report.received for report in server.reports] == [len(data)] * 2
        # The end of the content is told before the report.
        assert [name for name, _ in server.told if name in ("bodies", "reports")] == ["bodies", "reports"] * 2


def test_small_chunks_are_passed_on_together(component: rt.Component) -> None:
    pieces: list[int] = []

    def measure(server: Server, request: wit.ServerRequest) -> None:
        assert isinstance(request.content, wit.RequestContent_Streamed)
        inlet = Inlet(5000)

        def heard() -> None:
            pieces.append(len(inlet.read()))
            if inlet.ended:
                server.call(lambda: server.respond(request, response()))

        inlet.heard = heard
        server.guest.server.receive(request.content.value, inlet)

    with Server(component, measure) as server, server.connect() as client:
        head = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.send(head + chunks(bytes(100_000), 1))
        assert client.answer().status == 200
        assert sum(pieces) == 100_000
        assert len(pieces) < 1000


def test_a_client_that_sends_more_than_the_host_takes_has_to_wait(component: rt.Component) -> None:
    inlets: list[Inlet] = []

    def hold(server: Server, request: wit.ServerRequest) -> None:
        assert isinstance(request.content, wit.RequestContent_Streamed)
        inlets.append(Inlet(1000))
        server.guest.server.receive(request.content.value, inlets[0])

    size = 64 << 20
    with Server(component, hold) as server, server.connect() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size)
        client.sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            for _ in range(size >> 16):
                client.send(bytes(1 << 16))
        assert inlets[0].held == 1000


@pytest.mark.parametrize("length", [None, len(LARGE)])
def test_a_large_answer_comes_from_a_stream(component: rt.Component, length: int | None) -> None:
    def serve(server: Server, request: wit.ServerRequest) -> None:
        outlet = Outlet()
        server.respond(request, streamed(outlet, length))

        def produce() -> None:
            for at in range(0, len(LARGE), 99_999):
                outlet.feed(LARGE[at : at + 99_999])
                wait_until(lambda: outlet.held < 200_000)
            outlet.finish()

        threading.Thread(target=produce).start()

    with Server(component, serve) as server, server.connect() as client:
        for _ in range(2):
            client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = client.answer()
            assert answer.body == LARGE
            assert ("content-length" in answer.fields) == (length is not None)
        server.until(lambda: len(server.reports) == 2)
        assert all(report.sent > len(LARGE) and report.failure is None for report in server.reports)


def test_an_answer_is_not_taken_from_the_host_faster_than_the_client_takes_it(component: rt.Component) -> None:
    outlet = Outlet()
    outlet.feed(bytes(64 << 20))

    with (
        Server(component, lambda server, request: server.respond(request, streamed(outlet))) as server,
        server.connect() as client,
    ):
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.read_exactly(1000)
        held = -1
        while held != outlet.held:
            held = outlet.held
            threading.Event().wait(0.2)
        assert held > 32 << 20


def test_http_1_0_gets_a_stream_of_unknown_length_up_to_the_end_of_the_connection(component: rt.Component) -> None:
    def serve(server: Server, request: wit.ServerRequest) -> None:
        outlet = Outlet()
        outlet.feed(b"hello")
        outlet.finish()
        server.respond(request, streamed(outlet))

    with Server(component, serve) as server, server.connect() as client:
        client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        answer = client.answer()
        assert (answer.body, answer.fields["connection"]) == (b"hello", "close")
        assert "transfer-encoding" not in answer.fields


def test_a_content_length_of_the_host_stands_for_the_length_of_its_stream(component: rt.Component) -> None:
    def serve(server: Server, request: wit.ServerRequest) -> None:
        outlet = Outlet()
        outlet.feed(b"hello")
        server.respond(request, streamed(outlet, None, ("Content-Length", b"5")))

    with Server(component, serve) as server, server.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.answer().body == b"hello"
        assert not client.is_closed()


@pytest.mark.parametrize("length", [None, 10])
def test_a_stream_that_fails_cuts_the_answer_off(component: rt.Component, length: int | None) -> None:
    def serve(server: Server, request: wit.ServerRequest) -> None:
        outlet = Outlet()
        outlet.feed(b"hello")
        outlet.abort("the disk is gone")
        server.respond(request, streamed(outlet, length))

    with Server(component, serve) as server, server.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        with pytest.raises(EOFError):
            client.answer()
        server.until(lambda: server.reports)
        failure = server.reports[0].failure
        assert failure is not None and failure.kind is wit.TypesErrorKind.CANCELLED


def test_a_stream_that_is_shorter_than_its_length_cuts_the_answer_off(component: rt.Component) -> None:
    def serve(server: Server, request: wit.ServerRequest) -> None:
        outlet = Outlet()
        outlet.feed(b"hello")
        outlet.finish()
        server.respond(request, streamed(outlet, 6))

    with Server(component, serve) as server, server.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        with pytest.raises(EOFError):
            client.answer()
        server.until(lambda: server.reports)
        failure = server.reports[0].failure
        assert failure is not None and failure.kind is wit.TypesErrorKind.INVALID_ARGUMENT


def test_a_stream_that_is_longer_than_its_length_is_reported_and_ends_the_connection(component: rt.Component) -> None:
    def serve(server: Server, request: wit.ServerRequest) -> None:
        outlet = Outlet()
        outlet.feed(b"hello")
        server.respond(request, streamed(outlet, 4))

    with Server(component, serve) as server, server.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.answer().body == b"hell"
        assert client.rest() == b""
        server.until(lambda: server.reports)
        failure = server.reports[0].failure
        assert failure is not None and failure.kind is wit.TypesErrorKind.INVALID_ARGUMENT


def drop(server: Server, request: wit.ServerRequest) -> None:
    request.exchange.close()


def answer_wrongly(server: Server, request: wit.ServerRequest) -> None:
    with pytest.raises(wit.TypesErrorException):
        server.guest.server.respond(request.exchange, response(b"", 99))


def answer_with_a_surplus(server: Server, request: wit.ServerRequest) -> None:
    outlet = Outlet()
    outlet.feed(b"hello")
    server.respond(request, streamed(outlet, 4))


def break_off(server: Server, request: wit.ServerRequest) -> None:
    outlet = Outlet()
    outlet.abort("the disk is gone")
    server.respond(request, streamed(outlet))


@pytest.mark.parametrize("end", [drop, answer_wrongly, answer_with_a_surplus, break_off])
def test_an_exchange_that_goes_wrong_while_its_content_comes_closes_the_sink(
    component: rt.Component, end: Callable[[Server, wit.ServerRequest], None]
) -> None:
    inlet = Inlet(1000)

    def serve(server: Server, request: wit.ServerRequest) -> None:
        assert isinstance(request.content, wit.RequestContent_Streamed)
        server.guest.server.receive(request.content.value, inlet)

    with Server(component, serve) as server, server.connect() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + bytes(100_000))
        wait_until(lambda: inlet.held == 1000)
        server.call(lambda: end(server, server.requests[0]))
        client.rest()
        client.sock.close()
        server.until(lambda: server.closed)
        assert inlet.ended
        assert [isinstance(body.outcome, rt.Err) for body in server.bodies] == [True]
        assert len(server.reports) == 1 and server.reports[0].failure is not None


def test_the_answer_to_head_has_fields_and_no_content(component: rt.Component) -> None:
    with Server(component) as server, server.connect() as client:
        client.send(b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.answer(head=True).fields["content-length"] == "5"
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert client.answer().body == b"hello"


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_content_ends_with_its_head(component: rt.Component, status: int) -> None:
    with (
        Server(component, lambda server, request: server.respond(request, response(b"", status))) as server,
        server.connect() as client,
    ):
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
        assert [client.answer().status for _ in range(2)] == [status] * 2


def test_a_client_that_waits_for_100_gets_it_when_the_host_wants_the_content(component: rt.Component) -> None:
    count = collecting(lambda _, content: response(b"%d" % len(content)))
    with Server(component, count) as server, server.connect() as client:
        for length in (5, 20_000):
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % length)
            assert client.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
            client.send(b"x" * length)
            assert client.answer().body == b"%d" % length


def test_a_client_that_waits_for_100_gets_the_answer_when_the_host_does_not_want_the_content(
    component: rt.Component,
) -> None:
    with (
        Server(component, lambda server, request: server.respond(request, response(b"", 403))) as server,
        server.connect() as client,
    ):
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 20000\r\n\r\n")
        answer = client.answer()
        assert (answer.status, answer.fields["connection"]) == (403, "close")
        assert client.rest() == b""


def test_content_that_is_too_large_is_refused_before_it_is_sent(component: rt.Component) -> None:
    with Server(component, describe, limits={"content": 100_000}) as server, server.connect() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100001\r\n\r\n")
        assert client.answer().status == 413
        assert client.rest() == b""


def test_chunks_that_are_too_much_are_refused_when_they_are(component: rt.Component) -> None:
    data = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks(bytes(100_001), 1000)
    with Server(component, lambda *_: None, limits={"content": 100_000}) as server, server.connect() as client:
        inlet = Inlet(1 << 20)
        client.send(data)
        server.until(lambda: server.requests)
        content = server.requests[0].content
        assert isinstance(content, wit.RequestContent_Streamed)
        server.call(lambda: server.guest.server.receive(content.value, inlet))
        assert client.answer().status == 413
        server.until(lambda: server.reports)
        outcome = server.bodies[0].outcome
        assert isinstance(outcome, rt.Err) and outcome.value.kind is wit.TypesErrorKind.EXHAUSTED


@pytest.mark.parametrize(("length", "kept"), [(30_000, True), (300_000, False)])
def test_content_that_nobody_wants_is_thrown_away_if_it_is_short(
    component: rt.Component, length: int, kept: bool
) -> None:
    with Server(component) as server, server.connect() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % length + bytes(length))
        assert client.answer().body == b"hello"
        assert client.is_closed() != kept


def test_an_answer_may_be_sent_while_the_content_still_comes(component: rt.Component) -> None:
    def echo(server: Server, request: wit.ServerRequest) -> None:
        assert isinstance(request.content, wit.RequestContent_Streamed)
        outlet, inlet = Outlet(), Inlet()

        def heard() -> None:
            outlet.feed(inlet.read())
            if inlet.ended:
                outlet.finish()

        inlet.heard = heard
        server.respond(request, streamed(outlet))
        server.guest.server.receive(request.content.value, inlet)

    with Server(component, echo) as server, server.connect() as client:
        for _ in range(2):
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            client.read_until(b"\r\n\r\n")
            for number in range(5):
                client.send(b"1\r\n%d\r\n" % number)
                assert client.read_until(b"\r\n%d\r\n" % number)
            client.send(b"0\r\n\r\n")
            client.read_until(b"0\r\n\r\n")
        server.until(lambda: len(server.reports) == 2)


def test_a_host_that_wants_no_more_content_can_still_answer(component: rt.Component) -> None:
    def give_up(server: Server, request: wit.ServerRequest) -> None:
        assert isinstance(request.content, wit.RequestContent_Streamed)
        inlet = Inlet()
        server.guest.server.receive(request.content.value, inlet)
        inlet.shut()

    with Server(component, give_up) as server, server.connect() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + bytes(100_000))
        server.until(lambda: server.bodies)
        outcome = server.bodies[0].outcome
        assert isinstance(outcome, rt.Err) and outcome.value.kind is wit.TypesErrorKind.CANCELLED
        server.call(lambda: server.respond(server.requests[0], response(b"enough")))
        assert client.answer().body == b"enough"
        assert client.rest() == b""

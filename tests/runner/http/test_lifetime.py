"""Limits, time-outs and ends: clients that are slow, many, or gone; hosts that stop, drop, or give wrong answers."""

from __future__ import annotations

import contextlib
import socket
import struct
from functools import partial

import pytest
import runner.bindings.http_component as wit
from runner.host import Inlet

from tests.runner.driving import wait_until
from tests.runner.http.driver import SECOND, Server, hello, response
from witgen import runtime as rt

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
SHORT = SECOND // 4


def ignore(server: Server, request: wit.ServerRequest) -> None:
    """Never answers by itself."""


def kind(report: wit.Report) -> wit.TypesErrorKind | None:
    return None if report.failure is None else report.failure.kind


def nth_request(server: Server, count: int) -> wit.ServerRequest:
    server.until(lambda: len(server.requests) > count)
    return server.requests[count]


# Time


def test_a_head_that_takes_too_long_is_answered_with_408(component: rt.Component) -> None:
    with Server(component, timeouts={"header": SHORT}) as server, server.connect() as client:
        client.send(b"GET / HTTP/1.1\r\nHost")
        assert client.answer().status == 408
        assert client.rest() == b""
        server.until(lambda: server.reports)
        assert [(report.status, kind(report)) for report in server.reports] == [(408, wit.TypesErrorKind.TIMEOUT)]


def test_a_head_that_comes_byte_by_byte_has_no_more_time(component: rt.Component) -> None:
    with Server(component, timeouts={"header": SHORT}) as server, server.connect() as client:
        client.sock.settimeout(0.01)
        client.send(b"GET / HTTP/1.1\r\nX: ")
        data = b""
        while not data:
            client.send(b"y")
            with contextlib.suppress(TimeoutError):
                data = client.sock.recv(12)
        assert data == b"HTTP/1.1 408"


@pytest.mark.parametrize("length", [10, 100_000])
def test_content_that_does_not_come_is_answered_with_408(component: rt.Component, length: int) -> None:
    def take(server: Server, request: wit.ServerRequest) -> None:
        assert isinstance(request.content, wit.RequestContent_Streamed)
        server.guest.server.receive(request.content.value, Inlet())

    with Server(component, take, timeouts={"content": SHORT}) as server, server.connect() as client:
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n12345" % length)
        assert client.answer().status == 408
        assert client.rest() == b""
        server.until(lambda: server.reports)
        assert [(report.status, kind(report)) for report in server.reports] == [(408, wit.TypesErrorKind.TIMEOUT)]


def test_a_connection_without_a_request_is_closed_in_silence(component: rt.Component) -> None:
    with Server(component, timeouts={"idle": SHORT}) as server, server.connect() as client, server.connect() as other:
        client.send(GET)
        client.answer()
        assert client.rest() == b""
        assert other.rest() == b""
        server.until(lambda: len(server.closed) == 2)
        assert len(server.reports) == 1


def test_a_client_that_takes_nothing_of_its_answer_is_cut_off(component: rt.Component) -> None:
    def serve(server: Server, request: wit.ServerRequest) -> None:
        server.respond(request, response(bytes(16 << 20)))

    limits = {"inline_content": 16 << 20}
    with Server(component, serve, timeouts={"send": SHORT}, limits=limits) as server, server.connect() as client:
        client.send(GET)
        server.until(lambda: server.closed)
        assert [kind(report) for report in server.reports] == [wit.TypesErrorKind.TIMEOUT]


def test_no_time_runs_while_the_host_works_on_a_request(component: rt.Component) -> None:
    timeouts = {"header": SHORT, "content": SHORT, "send": SHORT, "idle": SHORT}
    with Server(component, ignore, timeouts=timeouts) as server, server.connect() as client:
        client.send(GET)
        server.until(lambda: server.requests)
        client.sock.settimeout(0.6)
        with pytest.raises(TimeoutError):
            client.sock.recv(1)
        client.sock.settimeout(20)
        server.call(lambda: hello(server, server.requests[0]))
        assert client.answer().body == b"hello"


# Limits


def test_the_last_request_of_a_connection_closes_it(component: rt.Component) -> None:
    with Server(component, limits={"requests": 2}) as server, server.connect() as client:
        client.send(GET * 3)
        assert "connection" not in client.answer().fields
        assert client.answer().fields["connection"] == "close"
        assert client.rest() == b""
        assert len(server.requests) == 2


def test_no_request_is_read_while_there_are_too_many(component: rt.Component) -> None:
    with Server(component, ignore, limits={"exchanges": 2}) as server:
        clients = [server.connect() for _ in range(5)]
        for client in clients:
            client.send(GET)
        for count in range(5):
            request = nth_request(server, count)
            assert server.ask(server.listener.status).exchanges <= 2
            server.call(partial(hello, server, request))
        assert [client.answer().body for client in clients] == [b"hello"] * 5


def test_no_time_runs_while_a_request_waits_to_be_read(component: rt.Component) -> None:
    timeouts = {"header": SHORT, "idle": SHORT}
    with Server(component, ignore, limits={"exchanges": 1}, timeouts=timeouts) as server:
        first, second = server.connect(), server.connect()
        first.send(GET)
        server.until(lambda: server.requests)
        second.send(GET[:10])
        second.sock.settimeout(0.6)
        with pytest.raises(TimeoutError):
            second.sock.recv(1)
        second.sock.settimeout(20)
        server.call(partial(hello, server, server.requests[0]))
        assert first.answer().body == b"hello"
        second.send(GET[10:])
        server.call(partial(hello, server, nth_request(server, 1)))
        assert second.answer().body == b"hello"


def test_a_client_that_goes_while_its_request_waits_to_be_read_leaves_its_turn(component: rt.Component) -> None:
    with Server(component, ignore, limits={"exchanges": 1}) as server:
        first, second, third = (server.connect() for _ in range(3))
        first.send(GET)
        server.until(lambda: server.requests)
        second.send(GET)
        second.sock.close()
        third.send(GET)
        for count in range(3):
            server.call(partial(hello, server, nth_request(server, count)))
        assert third.answer().body == b"hello"


def test_connections_beyond_the_limit_wait_for_their_turn(component: rt.Component) -> None:
    with Server(component, limits={"connections": 2}) as server:
        clients = [server.connect() for _ in range(4)]
        for client in clients:
            client.send(GET)
        for client in clients:
            assert client.answer().body == b"hello"
            client.sock.close()
        server.until(lambda: len(server.opened) == 4)


def test_a_host_without_sockets_left_has_clients_wait(component: rt.Component) -> None:
    with Server(component, max_sockets=2) as server:
        first, second = server.connect(), server.connect()
        for client in (first, second):
            client.send(GET)
        assert first.answer().body == b"hello"
        wait_until(lambda: server.logged)
        first.sock.close()
        assert second.answer().body == b"hello"
        # Told once, however often it was tried.
        assert [message for _, message, _ in server.logged] == ["connections have to wait"]


def test_batches_hold_no_more_than_was_asked_for(component: rt.Component) -> None:
    with Server(component, batch=1) as server:
        clients = [server.connect() for _ in range(20)]
        for client in clients:
            client.send(GET + GET)
        for client in clients:
            assert [client.answer().body, client.answer().body] == [b"hello"] * 2
            client.sock.close()
        server.until(lambda: len(server.closed) == 20)
        assert len(server.reports) == 40


def test_what_happens_is_told_in_its_order(component: rt.Component) -> None:
    with Server(component, batch=2) as server:
        for _ in range(10):
            with server.connect() as client:
                client.send(GET + b"oops\r\n\r\n")
                client.rest()
        server.until(lambda: len(server.closed) == 10)
        for number in server.closed:
            story = [
                name
                for name, item in server.told
                if number in (getattr(item, "connection", None), getattr(item, "id", None), item)
                and not (name == "requests" and item.connection != number)
                and not (name == "reports" and item.connection != number)
            ]
            assert story == ["opened", "requests", "reports", "reports", "closed"]


# Clients that go


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def test_a_client_that_breaks_the_connection_ends_its_exchange(component: rt.Component) -> None:
    with Server(component, ignore) as server, server.connect() as client:
        client.send(GET)
        server.until(lambda: server.requests)
        reset(client.sock)
        server.until(lambda: server.closed)
        assert [(report.status, kind(report)) for report in server.reports] == [(None, wit.TypesErrorKind.CLOSED)]
        found: list[wit.TypesErrorKind] = []

        def answer_late() -> None:
            with pytest.raises(wit.TypesErrorException) as caught:
                server.guest.server.respond(server.requests[0].exchange, response())
            found.append(caught.value.value.kind)

        server.call(answer_late)
        wait_until(lambda: found)
        assert found == [wit.TypesErrorKind.CLOSED]


def test_a_client_that_has_ended_its_side_still_gets_its_answer(component: rt.Component) -> None:
    with Server(component, ignore) as server, server.connect() as client:
        client.send(GET)
        client.sock.shutdown(socket.SHUT_WR)
        server.until(lambda: server.requests)
        server.call(lambda: hello(server, server.requests[0]))
        assert client.answer().body == b"hello"
        assert client.rest() == b""


@pytest.mark.parametrize(
    "data",
    [b"GET / HT", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n12", GET + b"GET"],
    ids=["in a head", "in content", "in a pipelined head"],
)
def test_a_client_that_ends_in_the_middle_is_reported(component: rt.Component, data: bytes) -> None:
    with Server(component) as server, server.connect() as client:
        client.send(data)
        client.sock.shutdown(socket.SHUT_WR)
        client.rest()
        server.until(lambda: server.closed)
        last = server.reports[-1]
        assert (last.status, kind(last)) == (None, wit.TypesErrorKind.CLOSED)
        assert sum(report.received for report in server.reports) == len(data)


def test_a_client_that_goes_without_a_word_is_no_exchange(component: rt.Component) -> None:
    with Server(component) as server:
        with server.connect() as client:
            client.send(b"\r\n")
        server.until(lambda: server.closed)
        assert server.reports == []


# The host


def test_a_request_that_is_dropped_is_answered_with_500(component: rt.Component) -> None:
    def drop(server: Server, request: wit.ServerRequest) -> None:
        request.exchange.close()

    with Server(component, drop) as server, server.connect() as client:
        client.send(GET)
        answer = client.answer()
        assert (answer.status, answer.fields["connection"]) == (500, "close")
        assert client.rest() == b""
        server.until(lambda: server.reports)
        assert kind(server.reports[0]) is wit.TypesErrorKind.CANCELLED


@pytest.mark.parametrize(
    "answer",
    [
        response(b"", 99),
        response(b"", 600),
        response(b"", 200, ("a b", b"")),
        response(b"", 200, ("a", b"b\r\nc: d")),
        response(b"hello", 200, ("content-length", b"4")),
        response(b"hello", 204),
        response(bytes(20_000)),
    ],
    ids=["status 99", "status 600", "a name", "a value", "a length", "content of 204", "inline content"],
)
def test_an_answer_that_can_not_be_sent_becomes_500(component: rt.Component, answer: wit.ServerResponse) -> None:
    refused: list[wit.TypesErrorKind] = []

    def serve(server: Server, request: wit.ServerRequest) -> None:
        with pytest.raises(wit.TypesErrorException) as caught:
            server.guest.server.respond(request.exchange, answer)
        refused.append(caught.value.value.kind)

    with Server(component, serve) as server, server.connect() as client:
        client.send(GET)
        assert client.answer().status == 500
        wait_until(lambda: refused)
        assert refused == [wit.TypesErrorKind.INVALID_ARGUMENT]


def test_the_host_may_close_a_connection_with_its_answer(component: rt.Component) -> None:
    def serve(server: Server, request: wit.ServerRequest) -> None:
        server.respond(request, response(b"bye", 200, ("Connection", b"close, x-hop"), ("X-Hop", b"1")))

    with Server(component, serve) as server, server.connect() as client:
        client.send(GET)
        answer = client.answer()
        assert (answer.body, answer.fields["connection"]) == (b"bye", "close")
        assert "x-hop" not in answer.fields
        assert client.rest() == b""


def test_a_listener_that_stops_lets_answers_be_given(component: rt.Component) -> None:
    with Server(component, ignore) as server:
        idle, busy, late = server.connect(), server.connect(), server.connect()
        busy.send(GET)
        late.send(GET)
        server.until(lambda: len(server.requests) == 2)
        server.call(lambda: server.guest.server.stop_listen(server.listener, 60 * SECOND))
        assert idle.rest() == b""
        with pytest.raises(ConnectionRefusedError):
            server.connect()
        server.call(lambda: hello(server, next(r for r in server.requests if r.connection == 2)))
        assert busy.answer().fields["connection"] == "close"
        assert busy.rest() == b""
        status = server.ask(server.listener.status)
        assert (status.connections, status.exchanges, status.stopping) == (1, 1, True)
        server.call(lambda: server.guest.server.stop_listen(server.listener, 1))
        assert late.rest() == b""
        server.until(lambda: len(server.closed) == 3)


def test_a_listener_that_is_dropped_closes_everything(component: rt.Component) -> None:
    with Server(component, ignore) as server:
        idle, busy = server.connect(), server.connect()
        busy.send(GET)
        server.until(lambda: server.requests)
    assert idle.rest() == b""
    assert busy.rest() == b""
    server.requests[0].exchange.close()


@pytest.mark.parametrize("limit", ["connections", "exchanges", "content", "inline_content", "requests"])
def test_a_limit_of_0_is_refused(component: rt.Component, limit: str) -> None:
    with pytest.raises(wit.TypesErrorException) as caught:
        Server(component, limits={limit: 0})
    assert caught.value.value.kind is wit.TypesErrorKind.INVALID_ARGUMENT


def test_slow_clients_do_not_keep_others_waiting(component: rt.Component) -> None:
    with Server(component, limits={"connections": 600}) as server:
        slow = [server.connect() for _ in range(500)]
        for client in slow:
            client.send(b"GET / HTTP/1.1\r\nHost")
        server.until(lambda: len(server.opened) == 500)
        before = server.polls
        with server.connect() as client:
            for _ in range(20):
                client.send(GET)
                assert client.answer().body == b"hello"
        # A call for each request, one for each report that was late, and a few more; none for the slow ones.
        assert server.polls - before < 100
        for client in slow:
            client.sock.close()

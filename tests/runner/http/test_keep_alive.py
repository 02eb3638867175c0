"""Connections of the HTTP component that carry one request after the other."""

from __future__ import annotations

from runner.bindings import http_component as wit

from tests.runner.http.driver import Server, response
from witgen import runtime as rt

GET = b"GET /a?b=c HTTP/1.1\r\nHost: example.org\r\nX-Name:  some value \r\n\r\n"


def echo(server: Server, request: wit.ServerRequest) -> None:
    assert isinstance(request.content, wit.RequestContent_Inline)
    server.respond(request, response(request.method.encode() + b" " + request.content.value))


def test_a_connection_carries_one_request_after_the_other(component: rt.Component) -> None:
    with Server(component, echo) as server, server.connect() as client:
        for count in range(3):
            client.send(GET)
            assert client.answer().body == b"GET "
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n%02d" % count)
            assert client.answer().body == b"POST %02d" % count
        server.until(lambda: len(server.reports) == 6)
        assert len(server.opened) == 1
        assert {request.connection for request in server.requests} == {server.opened[0].id}


def test_the_host_gets_the_parts_of_a_request(component: rt.Component) -> None:
    with Server(component) as server, server.connect() as client:
        client.send(GET)
        client.answer()
        request = server.requests[0]
        assert (request.method, request.authority, request.path, request.query) == ("GET", "example.org", "/a", "b=c")
        assert request.fields == [("host", b"example.org"), ("x-name", b"some value")]


def test_pipelined_requests_are_given_one_at_a_time_and_answered_in_order(component: rt.Component) -> None:
    open_at_once: list[int] = []

    def count(server: Server, request: wit.ServerRequest) -> None:
        open_at_once.append(server.listener.status().exchanges)
        server.respond(request, response(request.path.encode()))

    with Server(component, count) as server, server.connect() as client:
        client.send(b"".join(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(50)))
        assert [client.answer().body for _ in range(50)] == [b"/%d" % number for number in range(50)]
        assert set(open_at_once) == {1}


def test_every_exchange_has_one_report_that_says_what_went_over_the_connection(component: rt.Component) -> None:
    with Server(component) as server, server.connect() as client:
        client.send(GET)
        first = client.answer()
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        assert client.answer().status == 400
        server.until(lambda: len(server.reports) == 2)
        good, bad = server.reports
        assert (good.exchange, good.status, good.received, good.failure) == (server.requests[0].id, 200, len(GET), None)
        assert good.sent > len(first.body)
        assert (bad.status, bad.received) == (400, 18)
        assert bad.failure is not None and bad.failure.kind is wit.TypesErrorKind.PROTOCOL

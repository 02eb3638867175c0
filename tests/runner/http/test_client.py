"""The client of the HTTP component: requests over shared connections, and how they come out when something is wrong."""

from __future__ import annotations

import socket
import threading
from functools import partial

import pytest
import runner.bindings.http_component as wit
from runner.host import Inlet, Outlet

from tests.runner.driving import wait_until
from tests.runner.http.agent import Agent, Origin, always, once, read_request
from tests.runner.http.driver import SECOND, Server, hello
from witgen import runtime as rt
from witgen.wasi import Pollable, Sockets, Waitable
from witgen.wasi.bindings import host
from witgen.wasi.poll import Wants

Kind = wit.TypesErrorKind
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Name: \t value \r\n\r\nhello"
SHORT = SECOND // 4
LARGE = bytes(range(256)) * 4096


def test_a_response_comes_with_its_fields_and_content(component: rt.Component) -> None:
    with Origin(always(OK)) as origin, Agent(component) as agent:
        number = agent.send(origin.port)
        response = agent.response(number)
        assert (response.status, response.version) == (200, wit.Version.HTTP11)
        assert response.fields == [("content-length", b"5"), ("x-name", b"value")]
        assert agent.content(number) == b"hello"


def test_requests_after_each_other_share_a_connection(component: rt.Component) -> None:
    with Origin(always(OK)) as origin, Agent(component) as agent:
        for _ in range(5):
            assert agent.content(agent.send(origin.port)) == b"hello"
        assert origin.accepted == 1


def test_the_request_is_framed_and_has_a_host(component: rt.Component) -> None:
    seen: list[tuple[bytes, bytes]] = []

    def serve(sock: socket.socket) -> None:
        seen.append(read_request(sock))
        sock.sendall(OK)

    with Origin(serve) as origin, Agent(component) as agent:
        content = wit.OutgoingContent_Inline(b"hi")
        agent.response(agent.send(origin.port, "/a?b", "POST", [("X-Y", b"z")], content))
        expected = f"POST /a?b HTTP/1.1\r\nhost: 127.0.0.1:{origin.port}\r\nX-Y: z\r\ncontent-length: 2"
        assert seen == [(expected.encode(), b"hi")]


@pytest.mark.parametrize("length", [None, len(LARGE)])
def test_content_of_a_request_comes_from_a_stream(component: rt.Component, length: int | None) -> None:
    seen: list[bytes] = []

    def serve(sock: socket.socket) -> None:
        seen.append(read_request(sock)[1])
        sock.sendall(OK)

    with Origin(serve) as origin, Agent(component) as agent:
        outlet = Outlet()
        number = agent.send(origin.port, method="PUT", content=wit.OutgoingContent_Streamed(wit.Source(outlet, length)))
        for at in range(0, len(LARGE), 100_000):
            outlet.feed(LARGE[at : at + 100_000])
            agent.turn()
        outlet.finish()
        agent.response(number)
        if length is None:
            assert seen[0].startswith(b"10000\r\n" + LARGE[: 1 << 16])
        else:
            assert seen[0] == LARGE


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(LARGE) + LARGE + b"\r\n0\r\nx: y\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n" + LARGE,
    ],
    ids=["length", "chunks", "end of the connection"],
)
def test_large_content_comes_to_the_host_as_a_stream(component: rt.Component, answer: bytes) -> None:
    with Origin(once(answer)) as origin, Agent(component) as agent:
        number = agent.send(origin.port)
        assert isinstance(agent.response(number).content, wit.ResponseContent_Streamed)
        assert agent.content(number) == LARGE


def test_responses_before_the_final_one_are_left_out(component: rt.Component) -> None:
    with (
        Origin(always(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n" + OK)) as origin,
        Agent(component) as agent,
    ):
        assert agent.response(agent.send(origin.port)).status == 200


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"),
        ("GET", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"),
    ],
)
def test_a_response_without_content_ends_with_its_head(component: rt.Component, method: str, answer: bytes) -> None:
    with Origin(always(answer)) as origin, Agent(component) as agent:
        for _ in range(2):
            assert agent.content(agent.send(origin.port, method=method)) == b""
        assert origin.accepted == 1


def test_a_redirect_is_not_followed(component: rt.Component) -> None:
    with (
        Origin(always(b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n")) as origin,
        Agent(component) as agent,
    ):
        assert agent.response(agent.send(origin.port)).status == 302


def test_a_name_is_looked_up(component: rt.Component) -> None:
    with Origin(always(OK)) as origin, Agent(component) as agent:
        assert agent.content(agent.send(origin.port, host="localhost")) == b"hello"


def test_requests_beyond_the_connections_wait_for_their_turn(component: rt.Component) -> None:
    with Origin(always(OK)) as origin, Agent(component, limits={"connections_per_authority": 2}) as agent:
        numbers = [agent.send(origin.port) for _ in range(20)]
        assert [agent.content(number) for number in numbers] == [b"hello"] * 20
        assert origin.accepted == 2


def test_origins_share_the_connections_that_there_may_be(component: rt.Component) -> None:
    with (
        Origin(always(OK)) as one,
        Origin(always(OK)) as two,
        Origin(always(OK)) as three,
        Agent(component, limits={"connections": 1}) as agent,
    ):
        numbers = [agent.send(origin.port) for origin in (one, two, three) * 4]
        assert [agent.content(number) for number in numbers] == [b"hello"] * 12


def test_requests_to_many_servers_come_out_in_the_order_in_which_they_were_begun(component: rt.Component) -> None:
    with Origin(always(OK)) as one, Origin(always(OK)) as two, Agent(component, limits={"connections": 1}) as agent:
        numbers = [agent.send(origin.port) for origin in [one] * 3 + [two] + [one] * 7]
        agent.until(lambda: len(agent.arrivals) == 11)
        assert list(agent.arrivals) == numbers


@pytest.mark.parametrize("each", [1, 2])
def test_no_request_is_forgotten_where_servers_compete_for_connections(component: rt.Component, each: int) -> None:
    limits = {"connections": 2, "connections_per_authority": each}
    with (
        Origin(always(OK)) as one,
        Origin(once(OK)) as two,
        Origin(always(OK, b"oops\r\n\r\n")) as three,
        Agent(component, limits=limits) as agent,
    ):
        for count in range(60):
            agent.send([one, two, two, three, one, three][count % 6 if count % 7 else 0].port)
            if count % 5 == 0:
                agent.turn()
        agent.until(lambda: len(agent.arrivals) == 60)


def test_a_connection_that_the_server_has_closed_is_not_used_again(component: rt.Component) -> None:
    with Origin(once(OK)) as origin, Agent(component) as agent:
        for count in range(1, 6):
            assert agent.content(agent.send(origin.port, method="POST")) == b"hello"
            wait_until(partial(origin.has_ended, count))
        assert origin.accepted == 5


def test_content_that_nobody_wants_does_not_hold_the_connection(component: rt.Component) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE
    with Origin(always(answer)) as origin, Agent(component, limits={"connections": 1, "requests": 2}) as agent:
        for _ in range(4):
            content = agent.response(agent.send(origin.port)).content
            assert isinstance(content, wit.ResponseContent_Streamed)
            content.value.close()


class Addresses(Waitable):
    """The addresses of a name, in their order."""

    def __init__(self, *addresses: tuple[int, int, int, int]) -> None:
        self.left = list(addresses)

    def wants(self) -> Wants:
        return None

    def resolve_next_address(self) -> host.IpAddress | None:
        return host.IpAddress_Ipv4(self.left.pop(0)) if self.left else None

    def subscribe(self) -> host.Pollable:
        return Pollable(self)


class TwoAddresses(Sockets):
    """Every name has two addresses."""

    def resolve_addresses(self, network: host.Network, name: str) -> host.ResolveAddressStream:
        return Addresses((127, 0, 0, 2), (127, 0, 0, 1))


def deaf(address: str, port: int) -> list[socket.socket]:
    """Sockets that have an address listened on and no room left for anybody who connects."""
    listener = socket.create_server((address, port), backlog=0)
    found = [listener]
    for _ in range(3):
        sock = socket.socket()
        sock.setblocking(False)
        sock.connect_ex((address, port))
        found.append(sock)
    return found


def test_an_address_that_is_not_there_gives_way_to_the_next(component: rt.Component) -> None:
    sockets = TwoAddresses(connect=["127.0.0.0/8:*"], lookup=True)
    with Origin(always(OK)) as origin, Agent(component, sockets=sockets) as agent:
        assert agent.content(agent.send(origin.port, host="example.org")) == b"hello"


def test_an_address_that_does_not_answer_gives_way_to_the_next(component: rt.Component) -> None:
    sockets = TwoAddresses(connect=["127.0.0.0/8:*"], lookup=True)
    with Origin(always(OK)) as origin, Agent(component, sockets=sockets, timeouts={"connect": SECOND}) as agent:
        held = deaf("127.0.0.2", origin.port)
        assert agent.content(agent.send(origin.port, host="example.org")) == b"hello"
        for sock in held:
            sock.close()


# How requests fail


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
    return port


def test_a_server_that_is_not_there_is_transient(component: rt.Component) -> None:
    with Agent(component) as agent:
        assert agent.failure(agent.send(closed_port())).kind is Kind.TRANSIENT


def test_a_server_that_the_policy_forbids_is_denied(component: rt.Component) -> None:
    with Agent(component, connect=["127.0.0.1:1"]) as agent:
        assert agent.failure(agent.send(2)).kind is Kind.DENIED


def test_a_name_that_must_not_be_looked_up_is_denied(component: rt.Component) -> None:
    with Agent(component, lookup=False) as agent:
        assert agent.failure(agent.send(80, host="localhost")).kind is Kind.DENIED


def test_a_server_that_closes_without_an_answer_may_have_seen_the_request(component: rt.Component) -> None:
    with Origin(read_request) as origin, Agent(component) as agent:
        assert agent.failure(agent.send(origin.port)).kind is Kind.CLOSED


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"hello\r\n\r\n", Kind.PROTOCOL),
        (b"HTTP/1.1 200 OK\nContent-Length: 0\n\n", Kind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", Kind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Kind.PROTOCOL),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", Kind.PROTOCOL),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 40 + OK, Kind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 5000 + b"\r\n\r\n", Kind.EXHAUSTED),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40 + b"\r\n", Kind.EXHAUSTED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2000000000000\r\n\r\n", Kind.EXHAUSTED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", Kind.CLOSED),
    ],
)
def test_a_response_that_is_not_in_order_is_refused(component: rt.Component, answer: bytes, kind: Kind) -> None:
    with Origin(once(answer)) as origin, Agent(component) as agent:
        assert agent.failure(agent.send(origin.port)).kind is kind


def test_content_that_is_cut_off_is_told_at_its_end(component: rt.Component) -> None:
    with (
        Origin(once(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")) as origin,
        Agent(component) as agent,
    ):
        number = agent.send(origin.port)
        content = agent.response(number).content
        assert isinstance(content, wit.ResponseContent_Streamed)
        inlet = Inlet()
        agent.guest.client.receive(content.value, inlet)
        agent.until(lambda: number in agent.bodies)
        outcome = agent.bodies[number]
        assert isinstance(outcome, rt.Err) and outcome.value.kind is Kind.CLOSED
        assert inlet.read() == b"hello"


def silent(sock: socket.socket) -> None:
    sock.recv(65536)
    threading.Event().wait(5)


def test_a_server_that_does_not_answer_is_given_up(component: rt.Component) -> None:
    with Origin(silent) as origin, Agent(component, timeouts={"response": SHORT}) as agent:
        assert agent.failure(agent.send(origin.port)).kind is Kind.TIMEOUT


def test_a_request_is_given_up_at_its_deadline_also_while_it_waits(component: rt.Component) -> None:
    with Origin(silent) as origin, Agent(component, limits={"connections": 1}) as agent:
        first, second = (agent.send(origin.port, deadline=SHORT) for _ in range(2))
        assert agent.failure(first).kind is Kind.TIMEOUT
        assert agent.failure(second).kind is Kind.TIMEOUT


def test_too_many_requests_are_refused(component: rt.Component) -> None:
    with Origin(silent) as origin, Agent(component, limits={"requests": 2}) as agent:
        agent.send(origin.port)
        number = agent.send(origin.port)
        with pytest.raises(wit.TypesErrorException) as caught:
            agent.send(origin.port)
        assert caught.value.value.kind is Kind.EXHAUSTED
        agent.call_off(number)
        agent.send(origin.port)


def test_a_request_that_is_called_off_closes_its_connection(component: rt.Component) -> None:
    ended = threading.Event()

    def serve(sock: socket.socket) -> None:
        read_request(sock)
        if not sock.recv(1):
            ended.set()

    with Origin(serve) as origin, Agent(component) as agent:
        number = agent.send(origin.port)
        agent.until(lambda: origin.accepted)
        agent.turn()
        agent.call_off(number)
        wait_until(ended.is_set)
        agent.turn()
        assert number not in agent.arrivals


def test_an_answer_that_comes_before_the_request_is_sent_is_taken(component: rt.Component) -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(1000)
        sock.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass

    with Origin(serve) as origin, Agent(component) as agent:
        outlet = Outlet()
        outlet.feed(bytes(1 << 20))
        number = agent.send(origin.port, method="POST", content=wit.OutgoingContent_Streamed(wit.Source(outlet, None)))
        assert agent.response(number).status == 413


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "CONNECT"},
        {"method": "G T"},
        {"path": "a"},
        {"path": "/ "},
        {"fields": [("a", b"b\r\n")]},
        {"host": "a b"},
    ],
)
def test_what_can_not_be_sent_is_refused(component: rt.Component, request_: dict[str, object]) -> None:
    with Agent(component) as agent, pytest.raises(wit.TypesErrorException) as caught:
        agent.send(1, **request_)  # type: ignore[arg-type]
    assert caught.value.value.kind is Kind.INVALID_ARGUMENT


def test_the_client_gets_on_with_the_server(component: rt.Component) -> None:
    with Server(component, hello) as server, Agent(component) as agent:
        numbers = [agent.send(server.port, f"/{number}") for number in range(30)]
        assert [agent.content(number) for number in numbers] == [b"hello"] * 30

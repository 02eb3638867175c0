"""TLS by the host under the HTTP component, as a server and as a client."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest
import runner.bindings.http_component as wit
from runner.host import Outlet, Tls

from tests.runner.http.agent import Agent, Origin, always
from tests.runner.http.applications import collecting, streamed
from tests.runner.http.driver import Client, Server
from witgen import runtime as rt

#: For localhost and 127.0.0.1, for a hundred years, with its key. It is trusted by nobody but these tests.
CERTIFICATE = Path(__file__).parent / "localhost.pem"
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
LARGE = bytes(range(256)) * 4096 * 4


def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context


def client_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))


def secure(client: Client) -> Client:
    return Client(client_context().wrap_socket(client.sock, server_hostname="localhost"))


def https(component: rt.Component, **options: object) -> Server:
    return Server(component, tls=Tls(server=server_context()), scheme=wit.Scheme.HTTPS, **options)  # type: ignore[arg-type]


def test_a_server_answers_over_tls(component: rt.Component) -> None:
    with https(component) as server, secure(server.connect()) as client:
        for _ in range(3):
            client.send(GET)
            assert client.answer().body == b"hello"


def test_large_contents_go_both_ways_over_tls(component: rt.Component) -> None:
    @collecting
    def echo(request: wit.ServerRequest, content: bytes) -> wit.ServerResponse:
        outlet = Outlet()
        outlet.feed(content)
        outlet.finish()
        return streamed(outlet, len(content))

    with https(component, application=echo) as server, secure(server.connect()) as client:
        for _ in range(2):
            client.send(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE)
            assert client.answer().body == LARGE


def test_the_last_bytes_of_an_answer_come_without_another_request(component: rt.Component) -> None:
    """The client takes little at a time, so that the end of most answers finds no room at first."""

    def large(server: Server, request: wit.ServerRequest) -> None:
        outlet = Outlet()
        outlet.feed(LARGE)
        outlet.finish()
        server.respond(request, streamed(outlet, len(LARGE)))

    with https(component, application=large) as server:
        for _ in range(10):
            with secure(server.connect()) as client:
                client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
                client.send(GET)
                assert client.answer().body == LARGE


def test_the_end_of_an_answer_is_the_end_of_tls(component: rt.Component) -> None:
    with https(component) as server, secure(server.connect()) as client:
        client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert client.answer().body == b"hello"
        # Without the end of TLS this raises: the default context does not take an end of the connection for one.
        client.sock.suppress_ragged_eofs = False  # type: ignore[attr-defined]
        assert client.rest() == b""


def test_a_client_that_speaks_no_tls_stops_nobody(component: rt.Component) -> None:
    with https(component) as server, server.connect() as plain, secure(server.connect()) as client:
        plain.send(GET)
        assert b"HTTP" not in plain.rest()
        client.send(GET)
        assert client.answer().body == b"hello"
        server.until(lambda: server.closed and server.reports)
        assert len(server.reports) == 1


def test_a_client_that_does_not_go_on_with_its_handshake_stops_nobody(component: rt.Component) -> None:
    with https(component) as server, server.connect(), secure(server.connect()) as client:
        client.send(GET)
        assert client.answer().body == b"hello"


def test_a_listener_without_a_certificate_takes_no_clients(component: rt.Component) -> None:
    with Server(component, scheme=wit.Scheme.HTTPS) as server:
        for _ in range(3):
            with server.connect() as client:
                assert client.rest() == b""
        assert [level for level, _, _ in server.logged] == [wit.Level.WARN]


# The client


def serve_tls(answer: bytes, address: str = "127.0.0.1") -> Origin:
    context = server_context()

    def serve(sock: socket.socket) -> None:
        try:
            with context.wrap_socket(sock, server_side=True) as secured:
                always(answer)(secured)
        except (ssl.SSLError, ConnectionError):
            pass

    return Origin(serve, address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_request_goes_over_tls(component: rt.Component, host: str) -> None:
    with serve_tls(OK) as origin, Agent(component, tls=Tls(client_context())) as agent:
        for _ in range(3):
            assert agent.content(agent.send(origin.port, scheme=wit.Scheme.HTTPS, host=host)) == b"hello"
        assert origin.accepted == 1


def test_a_large_response_comes_over_tls(component: rt.Component) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE
    with serve_tls(answer) as origin, Agent(component, tls=Tls(client_context())) as agent:
        number = agent.send(origin.port, scheme=wit.Scheme.HTTPS, host="localhost")
        assert agent.content(number) == LARGE


def test_a_certificate_that_is_not_trusted_is_permanent(component: rt.Component) -> None:
    with serve_tls(OK) as origin, Agent(component, tls=Tls(ssl.create_default_context())) as agent:
        failure = agent.failure(agent.send(origin.port, scheme=wit.Scheme.HTTPS))
        assert failure.kind is wit.TypesErrorKind.PERMANENT
        assert "certificate is not trusted" in failure.message


def test_a_certificate_for_another_name_is_permanent(component: rt.Component) -> None:
    granted = ["127.0.0.0/8:*"]
    with serve_tls(OK, "127.0.0.2") as origin, Agent(component, tls=Tls(client_context()), connect=granted) as agent:
        failure = agent.failure(agent.send(origin.port, scheme=wit.Scheme.HTTPS, host="127.0.0.2"))
        assert failure.kind is wit.TypesErrorKind.PERMANENT
        assert "certificate is not trusted" in failure.message


def test_a_server_that_goes_in_the_middle_of_the_handshake_is_transient(component: rt.Component) -> None:
    with Origin(lambda sock: sock.recv(10)) as origin, Agent(component, tls=Tls(client_context())) as agent:
        failure = agent.failure(agent.send(origin.port, scheme=wit.Scheme.HTTPS))
        assert failure.kind is wit.TypesErrorKind.TRANSIENT


def test_a_server_that_speaks_no_tls_is_permanent(component: rt.Component) -> None:
    with Origin(lambda sock: sock.sendall(OK)) as origin, Agent(component, tls=Tls(client_context())) as agent:
        failure = agent.failure(agent.send(origin.port, scheme=wit.Scheme.HTTPS))
        assert failure.kind is wit.TypesErrorKind.PERMANENT


def test_a_server_that_never_begins_tls_takes_too_long(component: rt.Component) -> None:
    with (
        Origin(lambda sock: sock.recv(10) and sock.recv(10000) and sock.recv(1)) as origin,
        Agent(component, tls=Tls(client_context()), timeouts={"connect": 100_000_000}) as agent,
    ):
        failure = agent.failure(agent.send(origin.port, scheme=wit.Scheme.HTTPS))
        assert failure.kind is wit.TypesErrorKind.TIMEOUT


def test_tls_that_is_not_granted_is_denied(component: rt.Component) -> None:
    with Origin(always(OK)) as origin, Agent(component) as agent:
        failure = agent.failure(agent.send(origin.port, scheme=wit.Scheme.HTTPS))
        assert failure.kind is wit.TypesErrorKind.DENIED


def test_a_context_that_trusts_everybody_is_refused() -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    with pytest.raises(ValueError, match="check the names"):
        Tls(context)

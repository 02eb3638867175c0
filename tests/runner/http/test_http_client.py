"""The client for programs in Python, by the component and by h11: the same words for both, and real sockets."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from runner import components
from runner.http.agent import HttpClient
from runner.http.messages import Client, ClientTimeouts, HttpError, Kind, Request, Target
from runner.http.python_agent import PythonClient
from runner.loading import LoadedComponent, load

from tests.runner.http.agent import Origin, always, once, read_request
from tests.runner.http.serving import COMPONENT, ROOT, Process, serving
from tests.runner.http.test_client import closed_port
from tests.runner.http.test_tls import CERTIFICATE, client_context, serve_tls

LOOPBACK = ["127.0.0.1:*"]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
LARGE = bytes(range(256)) * 20_000
Make = Callable[..., Any]


@pytest.fixture(scope="module")
def loaded() -> Iterator[LoadedComponent]:
    with contextlib.closing(load(components.folder("http"))) as found:
        yield found


@pytest.fixture(params=["component", "python"])
def make(request: pytest.FixtureRequest, loaded: LoadedComponent) -> Make:
    """Makes a client of either kind."""

    def made(connect: list[str] = LOOPBACK, **options: Any) -> Client:
        if request.param == "component":
            return HttpClient(loaded, connect=connect, **options)
        return PythonClient(connect=connect, **options)

    return made


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    with serving(ROOT, "--flag", COMPONENT, app="tests.runner.http.app:asgi") as found:
        yield found


def at(port: int, path: str = "/", host: str = "127.0.0.1", scheme: str = "http") -> str:
    return f"{scheme}://{host}:{port}{path}"


def failure(client: Client, request: Request) -> Kind:
    with pytest.raises(HttpError) as caught, client.send(request) as response:
        response.read()
    return caught.value.kind


# What comes back


def test_a_response_has_status_fields_and_content(make: Make) -> None:
    answer = b"HTTP/1.1 404 Not Found\r\nX-Thing: one\r\nx-thing: two\r\nContent-Length: 2\r\n\r\nno"
    with Origin(always(answer)) as origin, make() as client, client.send(Request(at(origin.port))) as response:
        assert (response.status, response.version, response.read()) == (404, "1.1", b"no")
        assert [item for item in response.fields if item[0] == "x-thing"] == [("x-thing", b"one"), ("x-thing", b"two")]
        assert response.field("x-thing") == b"one" and response.field("nothing") is None


@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;a=b\r\nllo\r\n0\r\nX: y\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"HTTP/1.0 200 OK\r\n\r\nhello",
    ],
)
def test_content_comes_whatever_its_framing(make: Make, answer: bytes) -> None:
    with Origin(once(answer)) as origin, make() as client, client.send(Request(at(origin.port))) as response:
        assert response.read() == b"hello"
        assert response.field("transfer-encoding") is None


def test_a_redirect_is_a_response(make: Make) -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with Origin(always(answer)) as origin, make() as client, client.send(Request(at(origin.port))) as response:
        assert (response.status, response.field("location")) == (302, b"http://127.0.0.1:1/")
        assert origin.accepted == 1


def test_large_content_comes_in_pieces(make: Make, process: Process) -> None:
    with make() as client, client.send(Request(at(process.port, "/many/100/65536"))) as response:
        pieces = list(response)
    assert len(pieces) > 10
    assert b"".join(pieces) == b"".join(bytes([number % 251]) * 65536 for number in range(100))


def test_a_response_that_is_not_read_can_be_closed_and_the_next_be_asked_for(make: Make, process: Process) -> None:
    with make() as client:
        for _ in range(3):
            with client.send(Request(at(process.port, "/many/1000/65536"))) as response:
                assert response.status == 200
        with client.send(Request(at(process.port))) as response:
            assert response.read() == b"hello"


def test_two_responses_may_be_read_side_by_side(make: Make, process: Process) -> None:
    with make() as client:
        request = Request(at(process.port, "/many/50/65536"))
        with client.send(request) as one, client.send(request) as two:
            assert b"".join(a + b for a, b in zip(one, two, strict=False))[:10] == bytes(10)


def test_the_component_uses_a_connection_again(loaded: LoadedComponent) -> None:
    with Origin(always(OK)) as origin, HttpClient(loaded, connect=LOOPBACK) as client:
        for _ in range(5):
            assert client.send(Request(at(origin.port))).read() == b"hello"
        assert origin.accepted == 1


# What is sent


def test_a_request_has_its_method_target_fields_and_content(make: Make) -> None:
    heard: list[tuple[bytes, bytes]] = []

    def serve(sock: socket.socket) -> None:
        heard.append(read_request(sock))
        sock.sendall(OK)

    with Origin(serve) as origin, make() as client:
        request = Request(at(origin.port, "/a%20b?c=d#e"), "PUT", (("X-Thing", b"\xe4"),), b"content")
        assert client.send(request).read() == b"hello"
    head, content = heard[0]
    lines = head.split(b"\r\n")
    assert (lines[0], content) == (b"PUT /a%20b?c=d HTTP/1.1", b"content")
    fields = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines[1:])}
    assert fields[b"host"] == b"127.0.0.1:%d" % origin.port
    assert (fields[b"x-thing"], fields[b"content-length"]) == (b"\xe4", b"7")


@pytest.mark.parametrize("length", [len(LARGE), None])
@pytest.mark.parametrize("whole", [True, False])
def test_large_content_is_sent(make: Make, process: Process, length: int | None, whole: bool) -> None:
    content = LARGE if whole else (LARGE[start : start + 100_003] for start in range(0, len(LARGE), 100_003))
    with make() as client, client.send(Request(at(process.port, "/digest"), "POST", (), content, length)) as response:
        size, digest, _ = response.read().decode().split()
    assert (int(size), digest) == (len(LARGE), hashlib.sha256(LARGE).hexdigest())


def test_what_is_answered_while_it_is_sent_comes_back_whole(make: Make, process: Process) -> None:
    with make() as client, client.send(Request(at(process.port, "/echo"), "POST", (), LARGE)) as response:
        assert response.read() == LARGE


def test_an_answer_that_comes_before_the_request_is_sent_is_taken(make: Make) -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(1000)
        sock.sendall(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        sock.shutdown(socket.SHUT_WR)
        # A client that has its answer may leave in the middle of what it sends.
        with contextlib.suppress(ConnectionResetError):
            while sock.recv(65536):
                pass

    with (
        Origin(serve) as origin,
        make() as client,
        client.send(Request(at(origin.port), "POST", (), bytes(10 << 20))) as response,
    ):
        assert response.status == 413


def test_content_that_can_not_be_had_is_its_own_error_and_the_server_gets_no_whole_request(make: Make) -> None:
    heard: list[bytes] = []

    def serve(sock: socket.socket) -> None:
        with contextlib.suppress(ConnectionError):
            while data := sock.recv(65536):
                heard.append(data)

    def broken() -> Iterator[bytes]:
        yield b"the beginning"
        raise LookupError("there is no more")

    with Origin(serve) as origin, make() as client, pytest.raises(LookupError, match="there is no more"):
        client.send(Request(at(origin.port), "POST", (), broken()))
    assert not b"".join(heard).endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(
    "request_",
    [
        {"url": "ftp://127.0.0.1/"},
        {"url": "http:///"},
        {"url": "/a"},
        {"url": "http://127.0.0.1:port/"},
        {"url": "http://u:p@127.0.0.1/"},
        {"url": "http://127.0.0.1/ä"},
        {"url": "http://127.0.0.1/", "method": "CONNECT"},
        {"url": "http://127.0.0.1/", "method": "G T"},
        {"url": "http://127.0.0.1/", "fields": (("a", b"b\r\nc: d"),)},
        {"url": "http://127.0.0.1/", "fields": (("a b", b"c"),)},
    ],
)
def test_what_can_not_be_sent_is_refused(make: Make, request_: dict[str, Any]) -> None:
    with make() as client:
        assert failure(client, Request(**request_)) is Kind.INVALID_ARGUMENT


# How it fails


def test_a_server_that_is_not_there_is_transient(make: Make) -> None:
    with make() as client:
        assert failure(client, Request(at(closed_port()))) is Kind.TRANSIENT


def test_a_server_that_no_rule_allows_is_denied_and_hears_nothing(make: Make) -> None:
    with Origin(always(OK)) as origin, make(["127.0.0.1:1", "127.0.0.2:*"]) as client:
        assert failure(client, Request(at(origin.port))) is Kind.DENIED
        assert failure(client, Request(at(origin.port, host="localhost"))) is Kind.DENIED
        assert origin.accepted == 0


def test_a_rule_by_name_allows_the_name_and_not_its_address(make: Make) -> None:
    with Origin(always(OK)) as origin, make([f"localhost:{origin.port}"]) as client:
        assert failure(client, Request(at(origin.port))) is Kind.DENIED
        with client.send(Request(at(origin.port, host="localhost"))) as response:
            assert response.read() == b"hello"


def test_a_server_that_goes_without_an_answer_may_have_seen_the_request(make: Make) -> None:
    with Origin(read_request) as origin, make() as client:
        assert failure(client, Request(at(origin.port))) is Kind.CLOSED


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"hello\r\n\r\n", Kind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", Kind.PROTOCOL),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", Kind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", Kind.PROTOCOL),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n", Kind.EXHAUSTED),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", Kind.CLOSED),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", Kind.CLOSED),
    ],
)
def test_a_response_that_is_not_in_order_is_an_error(make: Make, answer: bytes, kind: Kind) -> None:
    with Origin(once(answer)) as origin, make() as client:
        assert failure(client, Request(at(origin.port))) is kind


def silent(sock: socket.socket) -> None:
    sock.recv(65536)
    threading.Event().wait(5)


def test_a_server_that_takes_too_long_is_a_timeout(make: Make) -> None:
    with Origin(silent) as origin, make(timeouts=ClientTimeouts(response=0.2)) as client:
        assert failure(client, Request(at(origin.port))) is Kind.TIMEOUT


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel"])
def test_a_request_is_given_up_at_its_deadline(make: Make, begun: bytes) -> None:
    def serve(sock: socket.socket) -> None:
        sock.recv(65536)
        sock.sendall(begun)
        threading.Event().wait(5)

    with Origin(serve) as origin, make() as client:
        assert failure(client, Request(at(origin.port), deadline=0.2)) is Kind.TIMEOUT


def test_a_server_that_takes_nothing_is_a_timeout(make: Make) -> None:
    def serve(sock: socket.socket) -> None:
        threading.Event().wait(5)

    with Origin(serve) as origin, make(timeouts=ClientTimeouts(send=0.2)) as client:
        assert failure(client, Request(at(origin.port), "POST", (), bytes(64 << 20))) is Kind.TIMEOUT


# TLS


def test_a_request_goes_over_tls_both_ways(make: Make) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE
    with serve_tls(answer) as origin, make(["localhost:*"], context=client_context()) as client:
        request = Request(at(origin.port, "/", "localhost", "https"), "POST", (), LARGE)
        with client.send(request) as response:
            assert response.read() == LARGE


def test_a_certificate_that_is_not_trusted_is_permanent(make: Make) -> None:
    with serve_tls(OK) as origin, make(context=ssl.create_default_context()) as client:
        assert failure(client, Request(at(origin.port, scheme="https"))) is Kind.PERMANENT


@pytest.mark.parametrize(("framing", "is_whole"), [(b"", False), (b"Content-Length: 5\r\n", True)])
def test_content_that_ends_without_the_end_of_tls_is_not_whole(make: Make, framing: bytes, is_whole: bool) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE)

    def serve(sock: socket.socket) -> None:
        with context.wrap_socket(sock, server_side=True) as secure:
            read_request(secure)
            secure.sendall(b"HTTP/1.1 200 OK\r\n" + framing + b"\r\nhello")
            # Nothing is said of an end.
            os.close(secure.detach())

    with Origin(serve) as origin, make(["localhost:*"], context=client_context()) as client:
        request = Request(at(origin.port, "/", "localhost", "https"))
        if is_whole:
            with client.send(request) as response:
                assert response.read() == b"hello"
        else:
            with pytest.raises(HttpError, match="without ending TLS"), client.send(request) as response:
                response.read()


def test_a_server_that_speaks_no_tls_is_permanent(make: Make) -> None:
    with Origin(lambda sock: sock.sendall(OK)) as origin, make(context=client_context()) as client:
        assert failure(client, Request(at(origin.port, scheme="https"))) is Kind.PERMANENT


def test_tls_that_is_not_granted_is_denied(make: Make) -> None:
    with serve_tls(OK) as origin, make() as client:
        assert failure(client, Request(at(origin.port, scheme="https"))) is Kind.DENIED


# URLs


@pytest.mark.parametrize(
    ("url", "rule", "path"),
    [
        ("http://a", "tcp://a:80", "/"),
        ("https://a?b", "tcp://a:443", "/?b"),
        ("http://A.example:8080/x/?y=z#f", "tcp://a.example:8080", "/x/?y=z"),
        ("http://[::1]:80/", "tcp://[::1]:80", "/"),
    ],
)
def test_a_url_says_whom_to_ask_and_for_what(url: str, rule: str, path: str) -> None:
    target = Target.parse(url)
    assert (target.rule, target.path) == (rule, path)

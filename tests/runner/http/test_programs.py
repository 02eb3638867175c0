"""Clients of others against `runner serve http`, with the component and with Python: curl, wrk, and h11 as a client."""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import h11
import pytest

from tests.runner.http.applications import describe
from tests.runner.http.cases import CASES, Case
from tests.runner.http.driver import Server
from tests.runner.http.programs import curl, needs, wrk
from tests.runner.http.serving import COMPONENT, PATIENCE, PYTHON, ROOT, Process, serving
from witgen import runtime as rt

LARGE = bytes(range(256)) * 40_000
DIGEST = hashlib.sha256(LARGE).hexdigest()


@pytest.fixture(scope="module", params=[COMPONENT, PYTHON], ids=["component", "python"])
def process(request: pytest.FixtureRequest) -> Iterator[Process]:
    with serving(ROOT, "--flag", request.param, app="tests.runner.http.app:asgi") as found:
        yield found


@pytest.fixture
def url(process: Process) -> str:
    return f"http://127.0.0.1:{process.port}"


# curl


@needs("curl")
def test_curl_gets_an_answer(url: str) -> None:
    assert curl(url) == b"hello"


@needs("curl")
@pytest.mark.parametrize("option", ["-d", "--data-binary", "--json"])
def test_curl_posts(url: str, option: str) -> None:
    assert curl(option, "a=b&c", f"{url}/echo") == b"a=b&c"


@needs("curl")
def test_curl_sends_a_form_with_a_file(url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(LARGE)
    answer = curl("-F", "a=b", "-F", f"file=@{tmp_path}/file", "-H", "Expect:", f"{url}/echo")
    assert LARGE in answer and b'name="a"' in answer


@needs("curl")
@pytest.mark.parametrize("options", [(), ("-H", "Expect:"), ("-H", "Transfer-Encoding: chunked"), ("--http1.0",)])
def test_curl_uploads_a_file(url: str, tmp_path: Path, options: tuple[str, ...]) -> None:
    (tmp_path / "file").write_bytes(LARGE)
    answer = curl("-T", tmp_path / "file", *options, f"{url}/digest")
    assert answer.decode().split()[:2] == [str(len(LARGE)), DIGEST]


@needs("curl")
def test_curl_uploads_what_comes_through_a_pipe_in_chunks(url: str) -> None:
    assert curl("-T", "-", f"{url}/digest", data=LARGE).decode().split()[:2] == [str(len(LARGE)), DIGEST]


@needs("curl")
def test_curl_is_told_to_continue(url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(LARGE)
    heads = tmp_path / "heads"
    curl(
        "-T", tmp_path / "file", "-H", "Expect: 100-continue", "--expect100-timeout", "20", "-D", heads, f"{url}/digest"
    )
    lines = heads.read_text().splitlines()
    assert [line.split()[1] for line in lines if line.startswith("HTTP/")] == ["100", "200"]


@needs("curl")
def test_curl_downloads_a_large_answer(url: str) -> None:
    found = curl(f"{url}/many/200/65536")
    assert found == b"".join(bytes([number % 251]) * 65536 for number in range(200))


@needs("curl")
def test_curl_with_http_1_0_gets_an_answer_without_chunks(url: str, tmp_path: Path) -> None:
    heads = tmp_path / "heads"
    assert curl("--http1.0", "-D", heads, f"{url}/many/3/70000") == b"".join(bytes([n]) * 70000 for n in range(3))
    assert "chunked" not in heads.read_text().lower()


@needs("curl")
def test_curl_asks_for_the_head_alone(url: str) -> None:
    head = curl("-I", url).decode()
    assert head.startswith("HTTP/1.1 200") and head.endswith("\r\n\r\n")


@needs("curl")
@pytest.mark.parametrize("method", ["OPTIONS", "DELETE", "PATCH", "BREW"])
def test_curl_uses_any_method(url: str, method: str) -> None:
    assert json.loads(curl("-X", method, f"{url}/scope"))["method"] == method


@needs("curl")
def test_curl_asks_with_fields_of_all_kinds(url: str) -> None:
    options = (
        "-H",
        "X-Empty;",
        "-H",
        "X-Long: " + "y" * 8000,
        "-A",
        "",
        "-e",
        "http://b/",
        "-b",
        "a=b; c=d",
        "-u",
        "u:p",
    )
    fields = dict(json.loads(curl(*options, "--compressed", f"{url}/scope"))["headers"])
    assert (fields["x-empty"], len(fields["x-long"]), fields["cookie"]) == ("", 8000, "a=b; c=d")
    assert "authorization" in fields and "user-agent" not in fields


@needs("curl")
def test_curl_asks_several_times_over_one_connection(url: str) -> None:
    written = curl("-w", "\n%{http_code} %{num_connects}\n", f"{url}/", f"{url}/many/3/5", "-d", "x", f"{url}/echo")
    lines = [line.split() for line in written.decode("latin-1").splitlines() if line.startswith("200 ")]
    assert [count for _, count in lines] == ["1", "0", "0"]


@needs("curl")
def test_curl_uses_a_connection_again_after_an_upload_that_was_awaited(url: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(LARGE)
    one = ["-T", str(tmp_path / "file"), "-w", " %{num_connects}\n", f"{url}/digest"]
    lines = curl(*one, "--next", *one).decode().splitlines()
    assert [line.split()[-1] for line in lines] == ["1", "0"]


@needs("curl")
def test_curl_asks_many_times_at_once(url: str) -> None:
    found = curl("-Z", "--parallel-max", "20", f"{url}/scope/[1-100]", "-w", "\n%{http_code}\n")
    assert found.count(b"\n200\n") == 100


@needs("curl")
def test_curl_notices_an_answer_that_breaks_off(url: str) -> None:
    curl(f"{url}/cut", status=18)


@needs("curl")
def test_curl_offers_an_upgrade_to_http_2_and_is_answered(url: str) -> None:
    assert curl("--http2", url) == b"hello"


# wrk

PIPELINE = """
init = function()
  local all = {}
  for i = 1, 16 do all[i] = wrk.format("GET", "/") end
  requests = table.concat(all)
end
request = function() return requests end
"""
UPLOAD = """
wrk.method = "POST"
wrk.path = "/echo"
wrk.body = string.rep("x", 100000)
"""


@needs("wrk")
def test_wrk_keeps_its_connections(url: str) -> None:
    assert wrk(url) > 100


@needs("wrk")
def test_wrk_may_close_its_connections(url: str) -> None:
    assert wrk(url, "-H", "Connection: close") > 10


@needs("wrk")
@pytest.mark.parametrize("script", [PIPELINE, UPLOAD], ids=["in advance", "with content"])
def test_wrk_sends_what_a_script_says(url: str, tmp_path: Path, script: str) -> None:
    (tmp_path / "script.lua").write_text(script)
    assert wrk(url, "-s", tmp_path / "script.lua") > 10


# h11


class Peer:
    """A connection whose every byte h11 has to agree with."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.machine = h11.Connection(h11.CLIENT)

    def send(self, event: h11.Event) -> None:
        data = self.machine.send(event)
        assert data is not None
        self.sock.sendall(data)

    def event(self) -> h11.Event:
        """What the server says next."""
        while True:
            event = self.machine.next_event()
            if event is h11.NEED_DATA:
                self.machine.receive_data(self.sock.recv(65536))
                continue
            assert not isinstance(event, type), event
            return event

    def ask(self, method: str, target: str, content: bytes = b"", *fields: tuple[str, str]) -> tuple[int, bytes]:
        """Status and content of the answer to a request."""
        self.send(h11.Request(method=method, target=target, headers=[("host", "a"), *fields]))
        if content:
            self.send(h11.Data(data=content))
        self.send(h11.EndOfMessage())
        return self.answer()

    def answer(self) -> tuple[int, bytes]:
        head = self.event()
        while isinstance(head, h11.InformationalResponse):
            head = self.event()
        assert isinstance(head, h11.Response)
        content = b""
        while isinstance(event := self.event(), h11.Data):
            content += event.data
        assert isinstance(event, h11.EndOfMessage)
        return head.status_code, content


@pytest.fixture
def peer(process: Process) -> Iterator[Peer]:
    found = Peer(process.port)
    with contextlib.closing(found.sock):
        yield found


def test_h11_goes_on_from_answer_to_answer(peer: Peer) -> None:
    chunked = ("transfer-encoding", "chunked")
    for _ in range(3):
        assert peer.ask("GET", "/") == (200, b"hello")
        peer.machine.start_next_cycle()
        assert peer.ask("HEAD", "/") == (200, b"")
        peer.machine.start_next_cycle()
        assert peer.ask("POST", "/echo", b"x" * 100_000, chunked) == (200, b"x" * 100_000)
        peer.machine.start_next_cycle()
        assert peer.ask("POST", "/echo", b"four", ("content-length", "4")) == (200, b"four")
        peer.machine.start_next_cycle()
        assert peer.ask("GET", "/many/20/1000") == (200, b"".join(bytes([n]) * 1000 for n in range(20)))
        peer.machine.start_next_cycle()


def test_h11_is_told_to_continue(peer: Peer) -> None:
    fields = [("host", "a"), ("content-length", "2"), ("expect", "100-continue")]
    peer.send(h11.Request(method="POST", target="/digest", headers=fields))
    assert isinstance(peer.event(), h11.InformationalResponse)
    peer.send(h11.Data(data=b"hi"))
    peer.send(h11.EndOfMessage())
    status, content = peer.answer()
    assert (status, content.split()[0]) == (200, b"2")


def test_h11_sees_that_the_last_answer_is_the_last(peer: Peer) -> None:
    assert peer.ask("GET", "/", b"", ("connection", "close")) == (200, b"hello")
    assert peer.machine.their_state is h11.MUST_CLOSE
    assert peer.sock.recv(1) == b""


def test_h11_takes_the_answer_to_a_failed_application(peer: Peer) -> None:
    assert peer.ask("GET", "/fail")[0] == 500


def test_h11_notices_an_answer_that_breaks_off(peer: Peer) -> None:
    with pytest.raises((h11.RemoteProtocolError, ConnectionResetError)):
        peer.ask("GET", "/cut")


@pytest.fixture(scope="module")
def server(component: rt.Component) -> Iterator[Server]:
    with Server(component, describe) as server:
        yield server


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_h11_takes_the_answer_to_any_request_whatever(server: Server, case: Case) -> None:
    peer = Peer(server.port)
    with contextlib.closing(peer.sock):
        peer.machine.send(h11.Request(method="HEAD" if case.heads else "GET", target="/", headers=[("host", "a")]))
        peer.machine.send(h11.EndOfMessage())
        peer.sock.sendall(case.request)
        status, _ = peer.answer()
        assert status == (200 if case.earlier else case.status)
        if not case.earlier and not case.kept:
            assert peer.machine.their_state is h11.MUST_CLOSE

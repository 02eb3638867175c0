"""What becomes of requests when the way to the registry is bad: retried within limits, else one line and no version."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from runner.registry.client import connect, digest_of
from runner.registry.errors import RegistryError
from runner.registry.reference import parse

from tests.runner.registry.component import make
from tests.runner.registry.service import ROOT, Registry, errors, run

#: Gets what a client begins with and the number of its connection; gives an answer in place of the registry's, or None.
Answer = Callable[[bytes, int], bytes | None]


class Between:
    """A way to a registry that can be bad: it answers in its place, or breaks off after some bytes of a client."""

    def __init__(self, port: int, answer: Answer, *, most: int = 1 << 40) -> None:
        self.connections = 0
        self._answer = answer
        self._most = most
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._run, daemon=True).start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def close(self) -> None:
        self._listener.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(client, self.connections), daemon=True).start()

    def _serve(self, client: socket.socket, number: int) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(("localhost", self._target)) as server:
            threading.Thread(target=self._back, args=(server, client), daemon=True).start()
            seen = 0
            while data := client.recv(1 << 16):
                own = self._answer(data, number)
                if own is not None:
                    client.sendall(own)
                    return
                seen += len(data)
                if seen > self._most:
                    return
                server.sendall(data)

    def _back(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 16):
                client.sendall(data)


@contextlib.contextmanager
def between(
    registry: Registry, answer: Answer = lambda data, number: None, *, most: int = 1 << 40
) -> Iterator[Between]:
    made = Between(registry.port, answer, most=most)
    try:
        yield made
    finally:
        made.close()


def answered(status: str, *fields: str, body: str = "") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *fields, "", body]
    return "\r\n".join(lines).encode()


def name(place: str) -> str:
    return place.partition("/")[2]


def test_a_registry_that_is_busy_for_a_moment_is_asked_again(registry: Registry, place: str, tmp_path: Path) -> None:
    busy = answered("503 Service Unavailable", "Retry-After: 0")
    many = answered("429 Too Many Requests", "Retry-After: 0")
    with between(registry, lambda data, number: (busy, many)[number % 2] if number <= 3 else None) as way:
        run("publish", make(tmp_path / "app"), f"{way.host}/{name(place)}")
        assert way.connections > 3
    assert registry.tags(name(place)) == ["1.0.0"]


def test_a_registry_that_stays_busy_is_given_up(registry: Registry, place: str, tmp_path: Path) -> None:
    busy = answered("503 Service Unavailable", "Retry-After: 0")
    with between(registry, lambda data, number: busy) as way:
        (line,) = errors("publish", make(tmp_path / "app"), f"{way.host}/{name(place)}")
        assert "answered with 503" in line
        assert way.connections == 5


def test_an_upload_that_breaks_off_begins_anew(registry: Registry, place: str, tmp_path: Path) -> None:
    first: list[int] = []

    def answer(data: bytes, number: int) -> bytes | None:
        if data.startswith(b"PUT /v2/") and b"/blobs/uploads/" in data and not first:
            first.append(number)
            return b""
        return None

    with between(registry, answer) as way:
        run("publish", make(tmp_path / "app"), f"{way.host}/{name(place)}")
    assert first
    assert registry.tags(name(place)) == ["1.0.0"]


def test_an_upload_that_keeps_breaking_off_leaves_no_version(registry: Registry, place: str, tmp_path: Path) -> None:
    # More than all requests have but that with the component.
    app = ROOT / "plugins/progress-runner/prebuilt"
    tagged = registry.tags(name(place))
    with between(registry, most=60_000) as way:
        (line,) = errors("publish", app, f"{way.host}/{name(place)}")
    assert line.startswith(f"runner: error: {way.host}: ")
    assert registry.tags(name(place)) == tagged == []


def test_a_publisher_that_is_killed_while_it_uploads_leaves_no_version(
    registry: Registry, place: str, tmp_path: Path
) -> None:
    uploading = threading.Event()

    def answer(data: bytes, number: int) -> bytes | None:
        if data.startswith(b"PUT /v2/"):
            uploading.set()
            time.sleep(60)
        return None

    with between(registry, answer) as way:
        command = [sys.executable, "-m", "runner.cli", "publish", str(make(tmp_path / "app"))]
        process = subprocess.Popen([*command, f"{way.host}/{name(place)}"], env=dict(os.environ))
        assert uploading.wait(60)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert registry.tags(name(place)) == []
    run("publish", tmp_path / "app", place)


def test_what_is_there_is_not_uploaded_again(registry: Registry, place: str, tmp_path: Path) -> None:
    app = make(tmp_path / "app")
    run("publish", app, place)
    sent: list[bytes] = []

    def answer(data: bytes, number: int) -> bytes | None:
        sent.append(data.partition(b"\r\n")[0])
        return None

    with between(registry, answer) as way:
        run("publish", app, f"{way.host}/{name(place)}", "--force")
    # The config has another time; the component stays where it is.
    assert len([line for line in sent if line.startswith(b"PUT") and b"/uploads/" in line]) <= 1


def test_more_versions_than_a_page_holds_are_found(registry: Registry, place: str, tmp_path: Path) -> None:
    app = make(tmp_path / "app")
    for number in range(3):
        run("publish", app, f"{place}:1.0.{number}")

    def answer(data: bytes, number: int) -> bytes | None:
        line = data.partition(b" HTTP/")[0].decode()
        if line != f"GET /v2/{name(place)}/tags/list":
            return None
        # As registries answer that give pages by themselves.
        return answered("200 OK", f'Link: </v2/{name(place)}/tags/list?n=2>; rel="next"', body='{"tags": ["1.0.0"]}')

    with between(registry, answer) as way:
        assert connect(parse(f"{way.host}/{name(place)}"), plain=None).tags() == ["1.0.0", "1.0.1", "1.0.2"]


# Answers that are wrong


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (answered("404 Not Found", body="<html>"), "there is no such version"),
        (
            answered("403 Forbidden", body='{"errors": [{"code": "DENIED", "message": "no\\u001b[31m"}]}'),
            r"403: DENIED no\u{1b}",
        ),
        (answered("418 I'm a teapot", body="[]"), "answered with 418"),
        (answered("200 OK", body="[]"), "is no manifest"),
        (answered("200 OK", body="[" * 100_000), "is no manifest"),
        (answered("200 OK", "Docker-Content-Digest: sha256:0", body="{}"), "its bytes have the digest"),
        (answered("200 OK", body="x" * (5 << 20)), "more than 4194304 bytes"),
        (answered("307 Moved", "Location: http://elsewhere.example/"), "there is no such host"),
        (answered("307 Moved", "Location: /again"), "redirected more than 5 times"),
        (answered("307 Moved", "Location: http://[::1/"), "leads to 'http://[::1/', which is no URL"),
        (answered("307 Moved", "Location: http://localhost:99999/"), "the connection broke"),
        (answered("401 Unauthorized", 'WWW-Authenticate: Bearer realm="http://["'), "'http://[', which is no URL"),
        (b"what?\r\n\r\n", "the connection broke"),
        (answered("401 Unauthorized", 'WWW-Authenticate: Bearer realm="file:///etc"'), "which is not https"),
    ],
    ids=range(14),
)
def test_an_answer_that_is_wrong_is_one_line(registry: Registry, answer: bytes, message: str) -> None:
    with between(registry, lambda data, number: answer) as way:
        try:
            found = connect(parse(f"{way.host}/app"), plain=None).manifest("1.0.0")
        except RegistryError as error:
            assert message in str(error)
            assert "\n" not in str(error)
            assert "\x1b" not in str(error)
        else:
            assert found is None
            assert message == "there is no such version"


def test_credentials_do_not_follow_to_another_host(
    registry: Registry, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("publish", make(tmp_path / "app"), place)
    monkeypatch.setenv("RUNNER_REGISTRY_USER", "ada")
    seen: dict[str, list[bytes]] = {"first": [], "second": []}

    def second(data: bytes, number: int) -> bytes | None:
        seen["second"].append(data)
        return None

    with between(registry, second) as other:

        def first(data: bytes, number: int) -> bytes | None:
            seen["first"].append(data)
            if b"authorization:" not in data.lower():
                return answered("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"')
            path = data.split(b" ")[1].decode()
            return answered("307 Moved", f"Location: http://{other.host}{path}") if "/blobs/" in path else None

        with between(registry, first) as way:
            run("pull", f"{way.host}/{name(place)}", tmp_path / "got")
    assert any(b"authorization:" in data.lower() for data in seen["first"])
    assert seen["second"]
    assert not any(b"authorization:" in data.lower() for data in seen["second"])


def test_nothing_goes_from_https_to_http(registry: Registry) -> None:
    from runner.registry.transport import Transport

    with pytest.raises(RegistryError, match=r"leads to localhost:[0-9]+ without https"):
        Transport("a.example", "a.example", None, plain=False).send("GET", f"http://{registry.host}/v2/")


def test_a_list_of_versions_that_leads_nowhere_is_an_error(registry: Registry) -> None:
    page = answered("200 OK", 'Link: <//[>; rel="next"', body='{"tags": ["1.0.0"]}')
    with between(registry, lambda data, number: page) as way, pytest.raises(RegistryError, match="which is no URL"):
        connect(parse(f"{way.host}/app"), plain=None).tags()


def test_a_list_of_versions_that_leads_in_a_circle_ends(registry: Registry) -> None:
    page = answered("200 OK", 'Link: </v2/app/tags/list?n=1>; rel="next"', body='{"tags": ["1.0.0", 3]}')
    with between(registry, lambda data, number: page) as way:
        assert connect(parse(f"{way.host}/app"), plain=None).tags() == ["1.0.0"]
        assert way.connections == 2


def test_a_proxy_that_the_environment_names_is_the_way_but_not_to_this_machine(
    registry: Registry, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with between(registry) as way:
        monkeypatch.setenv("http_proxy", f"http://{way.host}")
        app = make(tmp_path / "app")
        run("publish", app, place)
        assert way.connections == 0
        run("publish", app, f"registry.example/{name(place)}:1.1.0", "--plain-http")
        assert way.connections > 0
    assert registry.tags(name(place)) == ["1.0.0", "1.1.0"]


def test_large_blobs_come_back_as_they_went(registry: Registry, place: str) -> None:
    data = os.urandom(20 << 20)
    repository = connect(parse(place), plain=None)
    assert repository.put_blob(data)
    assert not repository.put_blob(data)
    assert repository.blob(digest_of(data), len(data)) == data

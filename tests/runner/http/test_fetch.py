"""`runner fetch` as a process, by the component and in Python: what it prints, how it ends, and whom it may ask."""

from __future__ import annotations

import hashlib
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.http.agent import Origin, always, once, read_request
from tests.runner.http.serving import COMPONENT, PATIENCE, PYTHON, ROOT, Process, component_with, serving
from tests.runner.http.test_client import closed_port
from tests.runner.http.test_tls import CERTIFICATE, serve_tls

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
LARGE = bytes(range(256)) * 20_000
DIGEST = hashlib.sha256(LARGE).hexdigest()


@pytest.fixture(params=[COMPONENT, PYTHON], ids=["component", "python"])
def flag(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(scope="module")
def process() -> Iterator[Process]:
    with serving(ROOT, "--flag", COMPONENT, app="tests.runner.http.app:asgi") as found:
        yield found


def fetch(flag: str, *args: str | Path, data: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "runner.cli", "fetch", "--flag", flag, *map(str, args)]
    found = subprocess.run(command, cwd=ROOT, input=data, capture_output=True, timeout=PATIENCE)
    assert b"Traceback" not in found.stderr, found.stderr.decode()
    return found


def printed(flag: str, *args: str | Path, data: bytes | None = None) -> bytes:
    found = fetch(flag, *args, data=data)
    assert found.returncode == 0, found.stderr.decode()
    assert found.stderr == b""
    return found.stdout


def test_it_prints_the_content(flag: str, process: Process) -> None:
    assert printed(flag, f"http://127.0.0.1:{process.port}/") == b"hello"


def test_it_prints_status_and_fields_where_that_is_asked_for(flag: str) -> None:
    with Origin(always(b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 2\r\n\r\nno")) as origin:
        found = printed(flag, "-i", f"http://127.0.0.1:{origin.port}/")
    assert found == b"HTTP/1.1 302\r\nlocation: /b\r\ncontent-length: 2\r\n\r\nno"


def test_it_sends_method_fields_and_content(flag: str) -> None:
    heard: list[tuple[bytes, bytes]] = []

    def serve(sock: socket.socket) -> None:
        heard.append(read_request(sock))
        sock.sendall(OK)

    with Origin(serve) as origin:
        printed(flag, "-X", "PATCH", "-H", "X-Thing: one", "-d", "a=b", f"http://127.0.0.1:{origin.port}/")
        printed(flag, "-d", "a=b", f"http://127.0.0.1:{origin.port}/")
    assert [head.split()[0] for head, _ in heard] == [b"PATCH", b"POST"]
    assert [content for _, content in heard] == [b"a=b", b"a=b"]
    assert b"x-thing: one" in heard[0][0].lower()


@pytest.mark.parametrize("pipe", [True, False])
def test_it_sends_a_file_and_what_comes_through_a_pipe(flag: str, process: Process, tmp_path: Path, pipe: bool) -> None:
    (tmp_path / "file").write_bytes(LARGE)
    data = "@-" if pipe else f"@{tmp_path / 'file'}"
    found = printed(flag, "-d", data, f"http://127.0.0.1:{process.port}/digest", data=LARGE if pipe else None)
    assert found.decode().split()[:2] == [str(len(LARGE)), DIGEST]


def test_content_goes_to_a_file(flag: str, process: Process, tmp_path: Path) -> None:
    assert printed(flag, "-o", tmp_path / "out", f"http://127.0.0.1:{process.port}/many/100/65536") == b""
    expected = b"".join(bytes([number % 251]) * 65536 for number in range(100))
    assert (tmp_path / "out").read_bytes() == expected


def test_it_asks_over_tls_and_trusts_whom_it_is_told_to(flag: str) -> None:
    with serve_tls(OK) as origin:
        url = f"https://localhost:{origin.port}/"
        assert printed(flag, "--cacert", CERTIFICATE, url) == b"hello"
        found = fetch(flag, url)
        assert (found.returncode, found.stdout) == (4, b"")
        assert found.stderr.startswith(b"runner: error: permanent: ") and b"not trusted" in found.stderr


def silent(sock: socket.socket) -> None:
    sock.recv(65536)
    threading.Event().wait(5)


def test_its_exit_code_says_how_it_failed(flag: str) -> None:
    with Origin(once(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel")) as cut, Origin(once(b"hello\r\n\r\n")) as odd:
        assert fetch(flag, f"http://127.0.0.1:{closed_port()}/").returncode == 3
        assert fetch(flag, f"http://127.0.0.1:{cut.port}/").returncode == 9
        assert fetch(flag, f"http://127.0.0.1:{odd.port}/").returncode == 10
        assert fetch(flag, "ftp://127.0.0.1/").returncode == 2
        assert fetch(flag, "-H", "no colon", f"http://127.0.0.1:{odd.port}/").returncode == 2
        assert fetch(flag, "--timeout", "inf", f"http://127.0.0.1:{odd.port}/").returncode == 2
        found = fetch(flag, "--cacert", "nowhere.pem", f"http://127.0.0.1:{odd.port}/")
        assert (found.returncode, found.stderr) == (
            1,
            b"runner: error: nowhere.pem has no certificates: No such file or directory\n",
        )
    with Origin(silent) as origin:
        found = fetch(flag, "--timeout", "0.3", f"http://127.0.0.1:{origin.port}/")
        assert (found.returncode, found.stderr.split(b": ")[2]) == (5, b"timeout")


def test_a_status_is_a_failure_where_that_is_asked_for(flag: str) -> None:
    with Origin(always(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno")) as origin:
        url = f"http://127.0.0.1:{origin.port}/"
        assert printed(flag, url) == b"no"
        found = fetch(flag, "--fail", url)
        assert (found.returncode, found.stdout, found.stderr) == (22, b"no", b"runner: error: the status is 404\n")


def test_it_asks_nobody_whom_no_rule_allows(flag: str, tmp_path: Path) -> None:
    component = component_with(tmp_path / "component")
    with Origin(always(OK)) as origin:
        url, rule = f"http://127.0.0.1:{origin.port}/", f"127.0.0.1:{origin.port}"
        assert fetch(flag, "--allow", "127.0.0.1:1", url).returncode == 8
        assert fetch(flag, "--component", component, url).returncode == 8
        assert origin.accepted == 0
        assert printed(flag, "--allow", rule, url) == b"hello"
        manifest = component / "component.toml"
        manifest.write_text(manifest.read_text().replace("[network]\n", f'[network]\nconnect = ["{rule}"]\n'))
        assert printed(flag, "--component", component, url) == b"hello"
        found = fetch(flag, "--allow", "127.0.0.1", url)
        assert found.returncode == 2 and b"it has no ports" in found.stderr


def test_a_component_that_is_not_what_it_says_sends_nothing(tmp_path: Path) -> None:
    component = component_with(tmp_path / "component")
    (component / "http_component.wasm").write_bytes(b"\0asm")
    with Origin(always(OK)) as origin:
        found = fetch(COMPONENT, "--component", component, f"http://127.0.0.1:{origin.port}/")
        assert found.returncode == 1 and b"http_component.wasm" in found.stderr
        assert origin.accepted == 0

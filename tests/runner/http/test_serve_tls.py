"""HTTPS by `runner serve http`, with the component and with Python: one certificate for both."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.driving import wait_until
from tests.runner.http.programs import curl, needs, wrk
from tests.runner.http.serving import COMPONENT, PATIENCE, PYTHON, ROOT, Process, serving

ASGI = "tests.runner.http.app:asgi"
CERTIFICATE = Path(__file__).parent / "localhost.pem"
FILES = ("--certificate", str(CERTIFICATE), "--key", str(CERTIFICATE))
MODES = pytest.mark.parametrize("flag", [COMPONENT, PYTHON], ids=["component", "python"])
NEEDS_OPENSSL = pytest.mark.skipif(
    shutil.which("openssl") is None, reason="openssl is not there to make keys and certificates"
)
GET = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"


@pytest.fixture(scope="module", params=[COMPONENT, PYTHON], ids=["component", "python"])
def process(request: pytest.FixtureRequest) -> Iterator[Process]:
    with serving(ROOT, "--flag", request.param, *FILES, app=ASGI) as found:
        yield found


@pytest.fixture
def url(process: Process) -> str:
    return f"https://localhost:{process.port}"


def trusting(file: Path = CERTIFICATE) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(file))


def connect(process: Process, context: ssl.SSLContext, session: ssl.SSLSession | None = None) -> ssl.SSLSocket:
    return context.wrap_socket(process.connect(), server_hostname="localhost", session=session)


def make_certificate(file: Path) -> None:
    """Another one for localhost, with its key."""
    key = file.with_suffix(".key")
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command: list[str | Path] = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run([*command, "-out", file, "-keyout", key], check=True, capture_output=True, timeout=PATIENCE)
    file.write_bytes(file.read_bytes() + key.read_bytes())


def ask(client: socket.socket) -> bytes:
    """All that is answered to one request."""
    client.sendall(GET)
    found = b""
    while data := client.recv(65536):
        found += data
    return found


def is_answered(process: Process, trusted: Path = CERTIFICATE) -> bool:
    with connect(process, trusting(trusted)) as client:
        return ask(client).startswith(b"HTTP/1.1 200 ")


def is_trusted(process: Process, trusted: Path) -> bool:
    try:
        connect(process, trusting(trusted)).close()
    except ssl.SSLCertVerificationError:
        return False
    return True


def test_the_application_is_told_that_it_is_https(process: Process) -> None:
    with connect(process, trusting()) as client:
        client.sendall(GET.replace(b"/", b"/scope", 1))
        found = b""
        while data := client.recv(65536):
            found += data
    assert json.loads(re.findall(rb"\{.*\}", found)[0])["scheme"] == "https"


@pytest.mark.parametrize(
    ("offered", "taken"), [(["h2", "http/1.1"], "http/1.1"), (["http/1.1"], "http/1.1"), (["h2"], None), ([], None)]
)
def test_of_the_protocols_that_are_offered_it_takes_http_1_1(
    process: Process, offered: list[str], taken: str | None
) -> None:
    context = trusting()
    if offered:
        context.set_alpn_protocols(offered)
    with connect(process, context) as client:
        assert client.selected_alpn_protocol() == taken
        assert ask(client).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_it_speaks_the_versions_of_tls_that_are_sound(process: Process, version: ssl.TLSVersion) -> None:
    context = trusting()
    context.minimum_version = context.maximum_version = version
    with connect(process, context) as client:
        assert client.version() == version.name.replace("_", ".")
        assert ask(client).startswith(b"HTTP/1.1 200 ")


def test_an_older_version_of_tls_is_refused_and_others_are_served(process: Process) -> None:
    context = trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        connect(process, context)
    assert is_answered(process)


def test_a_client_without_tls_gets_no_answer_and_others_are_served(process: Process) -> None:
    with process.connect() as client, contextlib.suppress(ConnectionResetError):
        assert b"HTTP" not in ask(client)
    assert is_answered(process)
    assert "Traceback" not in "\n".join(process.lines)


def test_a_client_that_breaks_off_its_handshake_stops_nobody(process: Process) -> None:
    with process.connect() as client:
        client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        assert is_answered(process)


@needs("curl")
def test_curl_trusts_the_certificate_that_it_is_given_and_no_other(url: str) -> None:
    assert curl("--cacert", CERTIFICATE, url) == b"hello"
    curl(url, status=60)


@needs("curl")
def test_curl_uploads_and_downloads_over_one_connection(url: str, tmp_path: Path) -> None:
    data = bytes(range(256)) * 40_000
    (tmp_path / "file").write_bytes(data)
    options = ("--cacert", CERTIFICATE, "-w", " %{num_connects}\n")
    found = curl(*options, "-T", tmp_path / "file", f"{url}/digest", "--next", *options, f"{url}/many/3/5")
    first, second = found.split(b"\n", 1)
    assert first.decode().split()[:2] == [str(len(data)), hashlib.sha256(data).hexdigest()]
    assert first.endswith(b" 1") and second.endswith(b" 0\n")


@needs("wrk")
def test_wrk_keeps_its_connections(url: str) -> None:
    assert wrk(url) > 50


# Sessions, workers, certificates


@MODES
def test_a_session_goes_on_at_any_of_several_workers(flag: str) -> None:
    with serving(ROOT, "--workers", "2", "--flag", flag, *FILES, app=ASGI) as process:
        process.wait_for('"event": "serving"', 2)
        context, session, reused = trusting(), None, 0
        for _ in range(40):
            with connect(process, context, session) as client:
                assert ask(client).startswith(b"HTTP/1.1 200 ")
                session, reused = client.session, reused + bool(client.session_reused)
        # Of two in a row about every second one meets the same worker; another worker begins anew.
        assert reused


def test_a_session_goes_on_when_python_takes_over_from_the_component(tmp_path: Path) -> None:
    flags = tmp_path / "feature_flags.toml"
    flags.write_text("[default]\nrunner.http_component = true\n")
    with serving(ROOT, "--flags-file", str(flags), *FILES, app=ASGI) as process:
        context = trusting()
        with connect(process, context) as client:
            ask(client)
            session = client.session
        flags.write_text("[default]\nrunner.http_component = false\n")
        process.wait_for('"event": "serving"', 2)
        with connect(process, context, session) as client:
            assert ask(client).startswith(b"HTTP/1.1 200 ")
            assert client.session_reused


@MODES
@NEEDS_OPENSSL
def test_told_to_reload_it_takes_the_new_certificate_and_keeps_the_old_one_where_that_is_broken(
    flag: str, tmp_path: Path
) -> None:
    used, other = tmp_path / "used.pem", tmp_path / "other.pem"
    used.write_bytes(CERTIFICATE.read_bytes())
    make_certificate(other)
    with serving(ROOT, "--certificate", str(used), "--key", str(used), "--flag", flag, app=ASGI) as process:
        used.write_bytes(b"nothing")
        process.process.send_signal(signal.SIGHUP)
        process.wait_for("the old certificate stays")
        assert is_answered(process)
        used.write_bytes(other.read_bytes())
        process.process.send_signal(signal.SIGHUP)
        if flag == COMPONENT:
            process.wait_for("it was loaded anew", 2)
        wait_until(lambda: is_trusted(process, other))
        assert is_answered(process, other)
        with pytest.raises(ssl.SSLCertVerificationError):
            connect(process, trusting())


@NEEDS_OPENSSL
def test_a_key_under_a_password_is_an_error_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    key = str(tmp_path / "key.pem")
    command = ["openssl", "pkey", "-aes256", "-passout", "pass:secret", "-in", str(CERTIFICATE), "-out", key]
    subprocess.run(command, check=True, capture_output=True)
    process = Process(ROOT, "--certificate", str(CERTIFICATE), "--key", key)
    process.wait_for(rf"runner: error: the key {re.escape(key)} is under a password")
    assert process.process.wait(PATIENCE) == 1
    assert "Traceback" not in "\n".join(process.lines)


def test_a_certificate_that_can_not_be_used_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "broken.pem").write_bytes(b"nothing")
    broken = str(tmp_path / "broken.pem")
    process = Process(ROOT, "--certificate", broken, "--key", broken)
    process.wait_for(rf"runner: error: the certificate {re.escape(broken)} can't be used: ")
    assert process.process.wait(PATIENCE) == 1
    assert "Traceback" not in "\n".join(process.lines)

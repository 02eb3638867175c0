"""Clients that others have written: curl and lftp, in plain text and in TLS, and ftplib in TLS."""

from __future__ import annotations

import ftplib
import hashlib
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.driving import wait_until
from tests.runner.ftp_serve.serving import (
    COMPONENT,
    PASSWORD,
    PATIENCE,
    PYTHON,
    USER,
    Process,
    fetched,
    lines_of,
    serving,
    stored,
)
from tests.runner.http.test_serve_tls import NEEDS_OPENSSL, make_certificate

#: For localhost and 127.0.0.1, with its key. It is trusted by nobody but tests.
CERTIFICATE = Path(__file__).parents[1] / "http/localhost.pem"
DATA = hashlib.shake_128(b"clients").digest(2_000_000)

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed (scripts/setup_clients.sh)")
needs_lftp = pytest.mark.skipif(shutil.which("lftp") is None, reason="lftp is not installed (scripts/setup_clients.sh)")


@pytest.fixture(scope="module", params=[COMPONENT, PYTHON], ids=["component", "python"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The same service by one and by the other, with TLS for who wants it."""
    options = ["--certificate", str(CERTIFICATE), "--key", str(CERTIFICATE), "--tls", "offered"]
    with serving(tmp_path_factory.mktemp("ftp"), "--flag", request.param, *options) as process:
        yield process


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def tls(request: pytest.FixtureRequest) -> bool:
    """Whether it goes over TLS."""
    return bool(request.param)


def secured(process: Process, certificate: Path = CERTIFICATE) -> ftplib.FTP_TLS:
    """A client of Python with TLS on all connections, which trusts a certificate."""
    context = ssl.create_default_context(cafile=str(certificate))
    found = ftplib.FTP_TLS(timeout=PATIENCE, context=context, encoding="utf-8")
    found.connect("127.0.0.1", process.port)
    found.login(USER, PASSWORD)
    found.prot_p()
    return found


@pytest.mark.parametrize("size", [0, 10, 100_000, 2_000_000])
def test_files_go_both_ways_over_tls(both: Process, size: int) -> None:
    with secured(both) as client:
        assert stored(client, "file", DATA[:size]).startswith("226")
        assert (both.root / "file").read_bytes() == DATA[:size]
        assert fetched(client, "file") == DATA[:size]
        assert "file" in client.nlst()


@NEEDS_OPENSSL
@pytest.mark.parametrize("flag", [COMPONENT, PYTHON], ids=["component", "python"])
def test_told_to_reload_it_takes_the_new_certificate(tmp_path: Path, flag: str) -> None:
    used, other = tmp_path / "used.pem", tmp_path / "other.pem"
    used.write_bytes(CERTIFICATE.read_bytes())
    make_certificate(other)
    with serving(tmp_path, "--certificate", str(used), "--key", str(used), "--flag", flag) as process:
        assert is_trusted(process, CERTIFICATE)
        used.write_bytes(other.read_bytes())
        process.process.send_signal(signal.SIGHUP)
        wait_until(lambda: is_trusted(process, other))
        with secured(process, other) as client:
            stored(client, "file", DATA)
            assert fetched(client, "file") == DATA
        assert not is_trusted(process, CERTIFICATE)


def is_trusted(process: Process, certificate: Path) -> bool:
    try:
        secured(process, certificate).close()
    except (ssl.SSLCertVerificationError, ftplib.error_temp):
        # Whoever comes in the moment of the change may be told 421.
        return False
    return True


def test_the_data_may_be_plain_under_tls(both: Process) -> None:
    with secured(both) as client:
        client.prot_c()
        stored(client, "clear", DATA)
        assert fetched(client, "clear") == DATA


@pytest.mark.parametrize("flag", [COMPONENT, PYTHON], ids=["component", "python"])
def test_where_tls_is_demanded_nobody_logs_in_without(tmp_path: Path, flag: str) -> None:
    options = ["--certificate", str(CERTIFICATE), "--key", str(CERTIFICATE), "--tls", "everything"]
    with serving(tmp_path, "--flag", flag, *options) as process:
        with process.ftp(log_in=False) as client, pytest.raises(ftplib.Error, match=r"5\d\d"):
            client.login(USER, PASSWORD)
        with secured(process) as client:
            stored(client, "file", b"secret")
            with pytest.raises(ftplib.Error, match=r"5\d\d"):
                client.prot_c()
                lines_of(client, "LIST")


def curl(process: Process, path: str, *args: str, tls: bool = False) -> subprocess.CompletedProcess[bytes]:
    command = ["curl", "--silent", "--show-error", "--max-time", "30", "--user", f"{USER}:{PASSWORD}"]
    if tls:
        command += ["--ssl-reqd", "--cacert", str(CERTIFICATE)]
    return subprocess.run([*command, *args, f"ftp://127.0.0.1:{process.port}/{path}"], capture_output=True, timeout=60)


@needs_curl
def test_curl_stores_fetches_lists_and_goes_on(both: Process, tls: bool, tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.write_bytes(DATA)
    done = curl(both, "curl/", "--ftp-create-dirs", "-T", str(local), tls=tls)
    assert done.returncode == 0, done.stderr
    assert (both.root / "curl/local").read_bytes() == DATA
    assert curl(both, "curl/local", tls=tls).stdout == DATA
    assert b"local" in curl(both, "curl/", tls=tls).stdout
    assert curl(both, "curl/", "--list-only", tls=tls).stdout.split() == [b"local"]
    assert curl(both, "curl/local", "-C", "1000", tls=tls).stdout == DATA[1000:]
    assert curl(both, "curl/local", "-r", "10-19", tls=tls).stdout == DATA[10:20]
    assert curl(both, "curl/", "--list-only", "-Q", "DELE curl/local", tls=tls).returncode == 0
    assert not (both.root / "curl/local").exists()


@needs_curl
def test_curl_fetches_in_active_mode(both: Process) -> None:
    # Not over TLS: versions 7.87 and 7.88 of curl never begin with it there.
    (both.root / "active").write_bytes(DATA)
    done = curl(both, "active", "--ftp-port", "127.0.0.1")
    assert (done.returncode, done.stdout) == (0, DATA), done.stderr


def lftp(process: Process, *commands: str, tls: bool) -> subprocess.CompletedProcess[str]:
    settings = [
        "set cmd:fail-exit yes",
        "set net:max-retries 1",
        "set net:timeout 20",
        f"set ftp:ssl-force {str(tls).lower()}",
        f"set ftp:ssl-allow {str(tls).lower()}",
        f"set ssl:ca-file {CERTIFICATE}",
        "set ssl:check-hostname no",
        f"open -u {USER},'{PASSWORD}' ftp://127.0.0.1:{process.port}",
    ]
    command = ["lftp", "-c", "; ".join([*settings, *commands])]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@needs_lftp
def test_lftp_fetches_in_active_mode(both: Process, tls: bool, tmp_path: Path) -> None:
    (both.root / "active").write_bytes(DATA)
    done = lftp(both, "set ftp:passive-mode no", f"get active -o {tmp_path / 'found'}", tls=tls)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "found").read_bytes() == DATA


@needs_lftp
def test_lftp_mirrors_a_tree_there_and_back(both: Process, tls: bool, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for number in range(30):
        path = tree / f"folder {number % 3}/größe {number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(DATA[: number * 1000])
    name = f"tree-{tls}"
    done = lftp(
        both,
        f"mirror --reverse --parallel=4 '{tree}' {name}",
        f"mirror --parallel=4 {name} '{tmp_path / 'back'}'",
        f"rm -r '{name}/folder 1'",
        f"cls -1 {name}",
        tls=tls,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:2] == [f"{name}/folder 0/", f"{name}/folder 2/"]
    found = {path.relative_to(tmp_path / "back"): path for path in (tmp_path / "back").rglob("*.bin")}
    assert {str(path): found[path].read_bytes() for path in found} == {
        str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*.bin")
    }

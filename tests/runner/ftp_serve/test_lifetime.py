"""What happens when clients, instances, disks and the Runner itself come to an end in the middle of something."""

from __future__ import annotations

import contextlib
import ftplib
import hashlib
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from runner.progress import Progress

from tests.runner.ftp_serve.serving import (
    COMPONENT,
    PATIENCE,
    PYTHON,
    component_with,
    fetched,
    reset,
    serving,
    stored,
    vanish,
)

BOTH = pytest.mark.parametrize("flag", [COMPONENT, PYTHON], ids=["component", "python"])
#: More than the system takes from a client before the server has begun to read.
LARGE = hashlib.shake_128(b"large").digest(8 << 20)


def left(root: Path) -> list[str]:
    """What there is in a folder, whatever it is called."""
    return sorted(path.name for path in root.iterdir())


def eventually(condition: object) -> None:
    """Returns when something has become true."""
    deadline = time.monotonic() + PATIENCE
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not become true"
        time.sleep(0.02)


@BOTH
def test_two_hundred_clients_are_served_at_once(tmp_path: Path, flag: str) -> None:
    with serving(tmp_path, "--flag", flag) as process, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(process.ftp()) for _ in range(200)]
        failures: list[BaseException] = []

        def work(number: int, client: ftplib.FTP) -> None:
            try:
                data = hashlib.shake_128(str(number).encode()).digest(20_000)
                stored(client, f"file{number}", data)
                assert fetched(client, f"file{number}") == data
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=item) for item in enumerate(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert len(left(process.root)) == 200


@BOTH
def test_a_client_that_goes_in_the_middle_of_an_upload_leaves_nothing(tmp_path: Path, flag: str) -> None:
    with serving(tmp_path, "--flag", flag) as process:
        client = process.ftp()
        client.voidcmd("TYPE I")
        data = client.transfercmd("STOR file")
        data.sendall(LARGE)
        reset(data)
        vanish(client)
        eventually(lambda: not left(process.root))
        with process.ftp() as another:
            assert another.nlst() == []


@BOTH
def test_an_upload_that_breaks_off_keeps_what_was_there(tmp_path: Path, flag: str) -> None:
    with serving(tmp_path, "--flag", flag) as process, process.ftp() as client:
        stored(client, "file", b"as it was")
        data = client.transfercmd("STOR file")
        data.sendall(LARGE)
        reset(data)
        with pytest.raises(ftplib.error_temp, match=r"4[25]"):
            client.voidresp()
        assert fetched(client, "file") == b"as it was"
        assert left(process.root) == ["file"]


@BOTH
def test_a_client_that_goes_in_the_middle_of_a_download_does_no_harm(tmp_path: Path, flag: str) -> None:
    with serving(tmp_path, "--flag", flag) as process:
        (process.root / "file").write_bytes(LARGE)
        for _ in range(5):
            client = process.ftp()
            client.voidcmd("TYPE I")
            data = client.transfercmd("RETR file")
            data.recv(1000)
            reset(data)
            vanish(client)
        with process.ftp() as another:
            assert fetched(another, "file") == LARGE


@BOTH
def test_a_download_is_called_off(tmp_path: Path, flag: str) -> None:
    with serving(tmp_path, "--flag", flag) as process, process.ftp() as client:
        (process.root / "file").write_bytes(LARGE * 4)
        client.voidcmd("TYPE I")
        data = client.transfercmd("RETR file")
        data.recv(1000)
        assert client.abort()[:3] in ("225", "226", "426")
        data.close()
        with contextlib.suppress(ftplib.error_temp):
            client.voidresp()
        client.close()
        with process.ftp() as another:
            assert another.nlst() == ["file"]


@BOTH
def test_a_runner_that_is_killed_in_the_middle_of_an_upload_leaves_nothing_behind(tmp_path: Path, flag: str) -> None:
    with serving(tmp_path, "--flag", flag) as process:
        client = process.ftp()
        client.voidcmd("TYPE I")
        stored(client, "acknowledged", LARGE)
        data = client.transfercmd("STOR broken")
        data.sendall(LARGE[: 4 << 20])
        process.process.kill()
        process.process.wait()
        data.close()
        client.close()
        assert "broken" not in left(process.root)
    with serving(tmp_path, "--flag", flag) as process, process.ftp() as client:
        assert client.nlst() == ["acknowledged"]
        assert (process.root / "acknowledged").read_bytes() == LARGE
        eventually(lambda: left(process.root) == ["acknowledged"])


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of four MiB."""
    folder = tmp_path / "small"
    (folder / "root").mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder / "root")]
    try:
        mounted = subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("a small disk can't be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder / "root")], check=True)


@BOTH
def test_a_disk_that_is_full_is_told_and_nothing_is_left(small_disk: Path, flag: str) -> None:
    with serving(small_disk, "--flag", flag) as process, process.ftp() as client:
        stored(client, "small", b"small")
        with pytest.raises((ftplib.Error, OSError)) as caught:
            stored(client, "large", LARGE)
        client.close()
        if isinstance(caught.value, ftplib.Error):
            # pyftpdlib has one code for all that goes wrong with a transfer.
            assert str(caught.value)[:3] in (("452",) if flag == COMPONENT else ("452", "426", "451"))
        with process.ftp() as another:
            assert another.nlst() == ["small"]
            assert stored(another, "next", b"next").startswith("226")
            assert fetched(another, "next") == b"next"


def test_an_instance_that_fails_under_transfers_is_replaced(tmp_path: Path) -> None:
    component = component_with(tmp_path / "component", handles=60)
    flags = ["--flag", COMPONENT, "--component", str(component)]
    with serving(tmp_path, *flags) as process, contextlib.ExitStack() as stack:
        (process.root / "file").write_bytes(LARGE)
        first = stack.enter_context(contextlib.closing(process.ftp()))
        first.voidcmd("TYPE I")
        upload = first.transfercmd("STOR broken")
        upload.sendall(b"a part")
        with contextlib.suppress(ftplib.Error, OSError, EOFError):
            # Each connection takes handles, until there are none.
            for _ in range(60):
                stack.enter_context(contextlib.closing(process.ftp()))
        process.wait_for('"event": "the component failed"')
        with pytest.raises((ftplib.error_temp, EOFError, OSError)):
            first.voidresp()
        with process.ftp() as client:
            assert fetched(client, "file") == LARGE
            assert client.nlst() == ["file"]
        eventually(lambda: left(process.root) == ["file"])


def test_a_component_that_fails_too_often_gives_way_to_python(tmp_path: Path) -> None:
    component = component_with(tmp_path / "component", handles=60)
    flags = ["--flag", COMPONENT, "--component", str(component)]
    with serving(tmp_path, *flags) as process:
        for _ in range(30):
            if any('"mode": "python"' in line for line in process.lines):
                break
            with contextlib.ExitStack() as stack, contextlib.suppress(ftplib.Error, OSError, EOFError):
                for _ in range(60):
                    stack.enter_context(contextlib.closing(process.ftp()))
        process.wait_for('"mode": "python", "reason": "the component failed')
        with process.ftp() as client:
            assert stored(client, "file", b"data").startswith("226")


def test_the_flag_changes_the_server_and_sessions_go_on(tmp_path: Path) -> None:
    flags = tmp_path / "feature_flags.toml"
    flags.write_text("[default]\nrunner.ftp_component = true\n")
    with serving(tmp_path, "--flags-file", str(flags)) as process:
        before = process.ftp()
        (process.root / "file").write_bytes(LARGE)
        before.voidcmd("TYPE I")
        data = before.transfercmd("RETR file")
        found = data.recv(1000)
        flags.write_text("[default]\nrunner.ftp_component = false\n")
        process.wait_for('"mode": "python"')
        while piece := data.recv(1 << 20):
            found += piece
        data.close()
        assert found == LARGE
        assert before.voidresp().startswith("226")
        during = process.ftp()
        assert fetched(during, "file") == LARGE
        flags.write_text("[default]\nrunner.ftp_component = true\n")
        process.wait_for('"mode": "component"', 2)
        with process.ftp() as after:
            assert fetched(after, "file") == LARGE


@BOTH
def test_told_to_end_it_ends_the_transfer_that_was_begun(tmp_path: Path, flag: str) -> None:
    with serving(tmp_path, "--flag", flag) as process:
        client, idle = process.ftp(), process.ftp()
        client.voidcmd("TYPE I")
        data = client.transfercmd("STOR file")
        data.sendall(LARGE[:100_000])
        process.process.send_signal(signal.SIGTERM)
        with pytest.raises((ftplib.error_temp, EOFError)):
            idle.sock.settimeout(PATIENCE)  # type: ignore[union-attr]
            idle.voidresp()
        data.sendall(LARGE[100_000:])
        data.close()
        assert client.voidresp().startswith("226")
        assert process.process.wait(PATIENCE) == 0
        assert (process.root / "file").read_bytes() == LARGE


@BOTH
def test_grace_is_the_most_that_a_transfer_gets(tmp_path: Path, flag: str) -> None:
    with serving(tmp_path, "--flag", flag, "--grace", "0.3") as process, process.ftp() as client:
        client.voidcmd("TYPE I")
        data = client.transfercmd("STOR file")
        data.sendall(b"a part")
        assert process.stop() == 0
        assert left(process.root) == []
        client.close()


def test_the_component_is_read_anew_on_hup(tmp_path: Path) -> None:
    with serving(tmp_path, "--flag", COMPONENT) as process, process.ftp() as before:
        process.process.send_signal(signal.SIGHUP)
        process.wait_for('"reason": "it was loaded anew"')
        with contextlib.suppress(ftplib.error_temp):
            assert before.pwd() == "/"
        with process.ftp() as after:
            assert after.pwd() == "/"


@BOTH
def test_a_storage_without_a_disk_is_served_as_well(tmp_path: Path, flag: str) -> None:
    with serving(tmp_path, "--flag", flag, url="memory://served") as process, process.ftp() as client:
        for size in (0, 1000, len(LARGE)):
            assert stored(client, f"file{size}", LARGE[:size]).startswith("226")
            assert fetched(client, f"file{size}") == LARGE[:size]
        assert fetched(client, f"file{len(LARGE)}", 5_000_000) == LARGE[5_000_000:]
        stored(client, "file1000", b"more", "APPE")
        assert client.size("file1000") == 1004
        client.mkd("folder")
        client.rename("file0", "folder/file")
        assert sorted(client.nlst()) == ["file1000", f"file{len(LARGE)}", "folder"]


@BOTH
def test_commands_are_progress(tmp_path: Path, flag: str) -> None:
    database = tmp_path / "progress.db"
    with serving(tmp_path, "--flag", flag, "--progress", str(database)) as process:
        with process.ftp() as client:
            stored(client, "file", bytes(1234))
        assert process.stop() == 0
    with Progress(database) as progress:
        updates = [update for update in progress.latest(0, 1000) if update.scope.user == "ftp-component"]
    fields = [{change.key: change.value and change.value.value for change in update.changes} for update in updates]
    assert any(item.get("verb") == "STOR" and item.get("received") == 1234 for item in fields)
    assert any(item.get("serves") == ("component" if flag == COMPONENT else "python") for item in fields)


@BOTH
def test_several_workers_share_the_address(tmp_path: Path, flag: str) -> None:
    with serving(tmp_path, "--flag", flag, "--workers", "2") as process:
        for number in range(10):
            with process.ftp() as client:
                stored(client, f"file{number}", b"data")
                assert fetched(client, f"file{number}") == b"data"
        assert len(left(process.root)) == 10
        assert process.stop() == 0

"""`runner rollout ftp` with sessions that come and go: every file that was acknowledged is there, whoever served."""

from __future__ import annotations

import ftplib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runner.ftp_serve.serving import PATIENCE, Process, component_with, fetched, serving, stored
from tests.runner.rollout.conftest import only

FAST = ("--stages", "50", "--hold", "1s", "--prove", "1s", "--window", "1s", "--samples", "50")


class Sessions:
    """Clients that log in, store, list and fetch, again and again, as long as a ``with`` lasts."""

    def __init__(self, process: Process, clients: int = 4) -> None:
        self._process = process
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=[number]) for number in range(clients)]
        self.stored: dict[str, bytes] = {}
        self.errors: list[str] = []

    def __enter__(self) -> Sessions:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Returns when no client wants anything any more."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def more(self, count: int) -> None:
        """Returns when so many more files were stored."""
        wanted, end = len(self.stored) + count, time.monotonic() + PATIENCE
        while len(self.stored) < wanted:
            assert time.monotonic() < end and self._process.process.poll() is None, self.errors[-3:]
            time.sleep(0.02)

    def _run(self, number: int) -> None:
        count = 0
        while not self._over.is_set():
            count += 1
            try:
                self._visit(f"{number}-{count}")
            except ftplib.error_temp as error:
                # What a server says that ends: come again.
                if not str(error).startswith("421"):
                    self.errors.append(repr(error))
            except (OSError, EOFError, ftplib.Error) as error:
                self.errors.append(repr(error))

    def _visit(self, name: str) -> None:
        with self._process.ftp() as client:
            content = name.encode() * 1000
            stored(client, name, content)
            self.stored[name] = content
            client.nlst()
            if fetched(client, name) != content:
                self.errors.append(f"{name} came back as something else")


def test_a_good_component_is_promoted_and_no_file_is_lost(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    with serving(tmp_path, *FAST, *only("failures"), "--report", str(report), verb="rollout") as process:
        with Sessions(process) as sessions:
            process.wait_for('"event": "promoted"')
            process.wait_for('"mode": "component".*"event": "serving"', 2)
        assert process.stop() == 0
    assert sessions.errors == []
    assert {path.name: path.read_bytes() for path in process.root.iterdir()} == sessions.stored
    course = [item["event"] for item in json.loads(report.read_text())["course"]]
    assert course == ["advanced", "judged", "promoted"]


@pytest.mark.parametrize(
    ("fault", "guard"), [("fault-failures", "failures"), ("fault-delay", "latency"), ("fault-leak", "memory")]
)
def test_a_faulty_build_is_found_out_by_the_right_guard(
    tmp_path: Path, faulty: Callable[[str, str], Path], fault: str, guard: str
) -> None:
    component = faulty("ftp", fault)
    args = [*FAST, "--prove", "60s", "--component", str(component), *only(guard)]
    with serving(tmp_path, *args, verb="rollout") as process:
        with Sessions(process) as sessions:
            said = json.loads(process.wait_for('{.*"event": "went back".*')[0])
            assert set(said["guards"]) == {guard}
            sessions.more(20)
        assert process.stop() == 3
    # Files that were acknowledged are there, also those that a faulty build has received.
    for name, content in sessions.stored.items():
        assert (process.root / name).read_bytes() == content
    if fault != "fault-failures":
        assert sessions.errors == []


def test_a_component_that_traps_all_the_time_is_taken_out(tmp_path: Path) -> None:
    # It needs more than that as soon as somebody asks for something.
    component = component_with(tmp_path / "component", handles=12)
    with serving(tmp_path, *FAST, "--component", str(component), *only("failures"), verb="rollout") as process:
        with Sessions(process) as sessions:
            said = json.loads(process.wait_for('{.*"event": "went back".*')[0])
            assert said["guards"][0] in ("component", "failures")
            process.wait_for('"mode": "python".*"event": "serving"', 2)
            sessions.more(20)
        assert process.stop() == 3
    for name, content in sessions.stored.items():
        assert (process.root / name).read_bytes() == content

"""`runner rollout ftp` with sessions that come and go: every file that was acknowledged is there, whoever served."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runner.ftp_serve.serving import component_with, serving
from tests.runner.ftp_serve.sessions import Sessions
from tests.runner.rollout.conftest import only

FAST = ("--stages", "50", "--hold", "1s", "--prove", "1s", "--window", "1s", "--samples", "50")


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

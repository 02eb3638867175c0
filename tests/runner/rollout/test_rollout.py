"""`runner rollout http` under load: good components are promoted, faulty ones found out, and no client notices."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.runner.http.serving import Process, component_with, serving
from tests.runner.rollout.conftest import only
from tests.runner.rollout.load import Load

#: A rollout in seconds.
FAST = ("--stages", "30,60", "--hold", "1s", "--prove", "1s", "--window", "1s", "--samples", "50")


@contextlib.contextmanager
def rollout(folder: Path, *args: str) -> Iterator[tuple[Process, Load]]:
    """A rollout of these arguments, and clients."""
    args = (*FAST, "--report", str(folder / "report.json"), *args)
    with serving(folder, *args, verb="rollout") as process, Load(process.port) as load:
        yield process, load


def events(folder: Path) -> list[str]:
    """What has happened, by the report."""
    document = json.loads((folder / "report.json").read_text())
    return [item["event"] for item in document["course"]]


def metric(process: Process, name: str, **labels: str) -> float:
    """A figure that is shown to Prometheus."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    for line in process.shown("/metrics")[1].splitlines():
        if line.startswith(name) and all(item in line for item in wanted):
            return float(line.rsplit(" ", 1)[1])
    return 0.0


def test_a_good_component_is_promoted_and_serves_all(tmp_path: Path) -> None:
    with rollout(tmp_path, *only("failures")) as (process, load):
        process.wait_for('"event": "promoted"')
        assert metric(process, "runner_rollout_share", component="http-component") == 0.6
        # Workers of the other side are followed by such as have the component.
        process.wait_for('"mode": "component".*"event": "serving"', 2)
        load.more()
        load.stop()
        assert process.stop() == 0
    assert events(tmp_path) == ["advanced", "judged", "advanced", "judged", "promoted"]
    assert (set(load.statuses), load.errors) == ({200}, [])


@pytest.mark.parametrize(
    ("fault", "guard", "statuses"),
    [
        ("fault-failures", "failures", {200, 500}),
        ("fault-delay", "latency", {200}),
        ("fault-leak", "memory", {200}),
    ],
)
def test_a_faulty_build_is_found_out_by_the_right_guard(
    tmp_path: Path, faulty: Callable[[str, str], Path], fault: str, guard: str, statuses: set[int]
) -> None:
    component, book = faulty("http", fault), tmp_path / "progress.db"
    # Stages are long enough for any of the guards.
    args = ["--hold", "60s", "--component", str(component), "--progress", str(book), *only(guard)]
    with rollout(tmp_path, *args) as (process, load):
        said = json.loads(process.wait_for('{.*"event": "went back".*')[0])
        assert set(said["guards"]) == {guard}
        assert said["reason"].startswith(f"{guard}: ")
        assert metric(process, "runner_rollout_share", component="http-component") == 0
        assert metric(process, "runner_rollout_events_total", event="went back", guard=guard) == 1
        process.wait_for('"mode": "python".*"event": "serving"', 2)
        load.more()
        before = load.statuses.copy()
        load.more(300)
        assert set(load.statuses - before) == {200}
        load.stop()
        assert process.stop() == 3
    assert (set(load.statuses), load.errors) == (statuses, [])
    assert events(tmp_path)[-1] == "went back"
    with contextlib.closing(sqlite3.connect(book)) as database:
        (count,) = database.execute("SELECT count(*) FROM progress_update WHERE changes LIKE '%went back%'").fetchone()
        assert count == 1


def test_a_component_that_cant_be_loaded_gets_no_connection(tmp_path: Path) -> None:
    broken = component_with(tmp_path / "broken")
    (broken / "http_component.wasm").write_bytes(b"\0asm")
    with rollout(tmp_path, "--component", str(broken), "--until-decided") as (process, load):
        said = process.wait_for('{.*"event": "went back".*')[0]
        assert "component: the component can't be used" in json.loads(said)["reason"]
        assert process.process.wait(30) == 3
    assert events(tmp_path) == ["went back"]
    assert set(load.statuses) <= {200}


def test_a_process_with_the_component_that_is_killed_ends_the_rollout(tmp_path: Path) -> None:
    with rollout(tmp_path, "--hold", "60s", *only("failures")) as (process, load):
        process.wait_for('"event": "advanced"')
        load.more()
        # Those of the new side are started first.
        children = Path(f"/proc/{process.process.pid}/task/{process.process.pid}/children").read_text()
        os.kill(int(children.split()[0]), signal.SIGKILL)
        said = json.loads(process.wait_for('{.*"event": "went back".*')[0])
        assert said["reason"] == "component: a process of it ended by signal 9"
        process.wait_for('"mode": "python".*"event": "serving"', 2)
        load.more()
        load.stop()
        assert process.stop() == 3
    assert set(load.statuses) == {200}


def test_a_report_that_cant_be_written_any_more_ends_no_service(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    report = ["--report", str(tmp_path / "reports/report.json")]
    with serving(tmp_path, *FAST, *only("failures"), *report, verb="rollout") as process, Load(process.port) as load:
        shutil.rmtree(tmp_path / "reports")
        process.wait_for('"event": "the report can.t be written"')
        process.wait_for('"event": "promoted"')
        load.more()
        load.stop()
        assert process.stop() == 0
    assert (set(load.statuses), load.errors) == ({200}, [])


def test_a_rollout_that_is_ended_before_its_end_is_undecided(tmp_path: Path) -> None:
    with rollout(tmp_path, "--samples", "1000000") as (process, load):
        process.wait_for('"event": "advanced"')
        load.more()
        assert process.stop(signal.SIGTERM) == 4
    assert events(tmp_path) == ["advanced", "undecided"]


def test_one_component_may_follow_another(tmp_path: Path) -> None:
    stable = component_with(tmp_path / "stable")
    with rollout(tmp_path, "--stable", str(stable), "--until-decided", *only("failures")) as (process, _):
        process.wait_for('"event": "promoted"')
        assert process.process.wait(60) == 0
        assert not [line for line in process.lines if '"mode": "python"' in line]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--stages", "50,10"], "no rising percentages"),
        (["--stages", "0"], "no rising percentages"),
        (["--hold", "soon"], "no time such as"),
        (["--guard", "speed=1"], "there is no guard 'speed'"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, args: list[str], message: str) -> None:
    command = [str(Path(sys.executable).with_name("runner")), "rollout", "http", "--bind", "127.0.0.1:0", *args]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr

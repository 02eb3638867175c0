"""Another version of a component takes over while requests come, and no client notices."""

from __future__ import annotations

import json
import signal
from functools import partial
from pathlib import Path

import pytest

from tests.runner.http.serving import COMPONENT, Process, component_with, serving
from tests.runner.rollout.load import Load


def set_version(folder: Path, version: str) -> None:
    """Puts another version of the component into a folder, as a deployment does."""
    manifest = folder / "component.toml"
    old = json.dumps(read_version(folder))
    manifest.write_text(manifest.read_text().replace(f"version = {old}", f'version = "{version}"'))


def read_version(folder: Path) -> str:
    lines = (folder / "component.toml").read_text().splitlines()
    return str(json.loads(next(line.partition("=")[2] for line in lines if line.startswith("version"))))


def shown_version(process: Process) -> str:
    return str(json.loads(process.shown("/status.json")[1])["component"]["version"])


def shows(process: Process, version: str) -> bool:
    return shown_version(process) == version


@pytest.mark.parametrize("workers", [1, 2])
def test_a_new_version_takes_over_without_a_refused_connection(tmp_path: Path, workers: int) -> None:
    folder = component_with(tmp_path / "component")
    args = ["--component", str(folder), "--workers", str(workers), "--flag", COMPONENT]
    with serving(tmp_path, *args) as process:
        process.wait_for('"mode": "component".*"event": "serving"', workers)
        with Load(process.port) as load:
            load.more(200)
            assert shown_version(process) == read_version(folder)
            for count, version in enumerate(["9.1.0", "9.2.0"], 2):
                set_version(folder, version)
                process.process.send_signal(signal.SIGHUP)
                process.wait_for('"mode": "component".*"event": "serving"', workers * count)
                load.more(200)
                load.until(partial(shows, process, version))
        assert (set(load.statuses), load.errors) == ({200}, [])


def test_a_new_version_that_cant_be_used_leaves_the_old_one_where_it_is(tmp_path: Path) -> None:
    folder = component_with(tmp_path / "component")
    with serving(tmp_path, "--component", str(folder), "--flag", COMPONENT) as process:
        with Load(process.port) as load:
            load.more()
            before = shown_version(process)
            (folder / "http_component.wasm").write_bytes(b"\0asm")
            process.process.send_signal(signal.SIGHUP)
            process.wait_for("can't be loaded anew")
            load.more()
            assert shown_version(process) == before
        assert (set(load.statuses), load.errors) == ({200}, [])

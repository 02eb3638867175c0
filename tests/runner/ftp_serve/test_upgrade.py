"""Another version of the FTP component takes over while sessions come and go, and no file is lost."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.runner.ftp_serve.serving import COMPONENT, component_with, serving
from tests.runner.ftp_serve.sessions import Sessions
from tests.runner.http.test_upgrade import read_version, set_version, shown_version


@pytest.mark.parametrize("workers", [1, 2])
def test_a_new_version_takes_over_without_a_refused_connection(tmp_path: Path, workers: int) -> None:
    folder = component_with(tmp_path / "component")
    args = ["--component", str(folder), "--workers", str(workers), "--flag", COMPONENT]
    with serving(tmp_path, *args) as process:
        process.wait_for('"mode": "component".*"event": "serving"', workers)
        with Sessions(process) as sessions:
            sessions.more(20)
            assert shown_version(process) == read_version(folder)
            for count, version in enumerate(["9.1.0", "9.2.0"], 2):
                set_version(folder, version)
                process.process.send_signal(signal.SIGHUP)
                process.wait_for('"mode": "component".*"event": "serving"', workers * count)
                sessions.more(20)
        assert sessions.errors == []
        assert {path.name: path.read_bytes() for path in process.root.iterdir()} == sessions.stored

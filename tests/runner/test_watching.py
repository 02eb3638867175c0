"""Flags follow their file: changes are told, broken files are survived."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from runner.watching import Watcher
from structlog.testing import capture_logs

from witgen.diagnostics import WitError

HTTP = "runner.http_component"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "feature_flags.toml"
    path.write_text(f"[default]\n{HTTP} = false\n")
    return path


def turn_on(file: Path) -> None:
    file.write_text(f"[default]\n{HTTP} = true\n")


def test_a_change_of_the_file_is_told_within_the_interval(file: Path) -> None:
    heard = threading.Event()
    changes = list[tuple[str, bool, bool]]()

    def listen(name: str, old: bool, new: bool) -> None:
        changes.append((name, old, new))
        heard.set()

    with Watcher(file, environ={}, interval=0.02) as watcher:
        watcher.on_change(listen)
        assert watcher.flags[HTTP] is False
        turn_on(file)
        assert heard.wait(20)
        assert watcher.flags[HTTP] is True
    assert changes == [(HTTP, False, True)]


def test_a_change_is_found_on_demand_and_logged_with_old_and_new(file: Path) -> None:
    watcher = Watcher(file, environ={})
    assert watcher.check() is False
    turn_on(file)
    with capture_logs() as logs:
        assert watcher.check() is True
    assert [(line["flag"], line["old"], line["new"]) for line in logs] == [(HTTP, False, True)]
    assert watcher.check() is False


def test_a_broken_file_keeps_the_values_and_warns_once(file: Path) -> None:
    watcher = Watcher(file, environ={})
    turn_on(file)
    watcher.check()
    with capture_logs() as logs:
        file.write_text("[default]\nrunner.unknown = true\n")
        assert watcher.check() is False
        assert watcher.check() is False
        file.unlink()
        assert watcher.check() is False
    assert watcher.flags[HTTP] is True
    assert [line["log_level"] for line in logs] == ["warning", "warning"]
    assert ":2:8: error: unknown flag" in logs[0]["problem"]
    assert "can't be read" in logs[1]["problem"]
    file.write_text("[default]\n")
    assert watcher.check() is True
    assert watcher.flags[HTTP] is False


def test_what_the_command_line_says_stays_said(file: Path) -> None:
    watcher = Watcher(file, environ={}, overrides={HTTP: False})
    turn_on(file)
    assert watcher.check() is False
    assert watcher.flags[HTTP] is False


def test_a_listener_that_fails_keeps_nobody_else_from_hearing(file: Path) -> None:
    watcher = Watcher(file, environ={})
    heard = list[str]()

    def fail(name: str, old: bool, new: bool) -> None:
        raise RuntimeError("no")

    watcher.on_change(fail)
    watcher.on_change(lambda name, old, new: heard.append(name))
    turn_on(file)
    with capture_logs() as logs:
        assert watcher.check() is True
    assert heard == [HTTP]
    assert logs[-1]["log_level"] == "error"


def test_a_file_that_is_wrong_at_the_start_is_an_error(file: Path) -> None:
    file.write_text("[default")
    with pytest.raises(WitError):
        Watcher(file, environ={})
    with pytest.raises(ValueError, match="within a minute"):
        Watcher(None, interval=61)

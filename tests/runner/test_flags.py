"""Feature flags: where values come from, what is refused, and what a running process learns of changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from runner.flags import KNOWN, Flag, Flags, Watched, read_layers

from witgen.diagnostics import WitError

FILE = """
[default]
runner.http_component = false
runner.ftp_component = true

[staging]
runner.http_component = true
"runner.sparse_store" = false

[prod.runner]
progress_bus = false
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with three tables, in three ways to write a dotted name."""
    path = tmp_path / "feature_flags.toml"
    path.write_text(FILE)
    return path


def flags(path: Path | None, environment: str | None = None, *overrides: str, **variables: str) -> Flags:
    """All flags."""
    return Flags(read_layers(path, environment, variables, overrides))


def test_every_source_goes_before_those_below_it(file: Path) -> None:
    name = "runner.http_component"
    variable = {"FEATURE_runner_http_component": "false"}
    assert flags(None)[name] is False
    assert flags(file)[name] is False
    assert flags(file, "staging")[name] is True
    assert flags(file, "staging", **variable)[name] is False
    assert flags(file, "staging", f"{name}=true", **variable)[name] is True
    sources = [
        flags(None).settings[name].source,
        flags(file).settings[name].source,
        flags(file, "staging").settings[name].source,
        flags(file, "staging", **variable).settings[name].source,
        flags(file, "staging", f"{name}=true", **variable).settings[name].source,
    ]
    assert sources == ["built in", f"{file} [default]", f"{file} [staging]", "process environment", "command line"]


def test_what_an_environment_does_not_set_comes_from_below(file: Path) -> None:
    found = flags(file, "staging")
    assert (found["runner.ftp_component"], found["runner.sparse_store"], found["runner.progress_bus"]) == (
        True,
        False,
        True,
    )
    assert flags(file, "prod")["runner.progress_bus"] is False
    assert found.active == ["runner.http_component", "runner.ftp_component", "runner.progress_bus"]


def test_components_are_off_and_the_rest_is_on_by_default() -> None:
    assert flags(None).active == ["runner.sparse_store", "runner.progress_bus"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[default]\nrunner.http_componnt = true\n", ":2:8: error: there is no flag runner.http_componnt"),
        ("[default]\nrunner.http_component = 1\n", ":2:8: error: runner.http_component must be true or false"),
        ("runner = true\n", ":1:1: error: runner stands outside of a table"),
        ("[default\n", ":1:9: error: "),
    ],
)
def test_a_wrong_file_is_named_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "feature_flags.toml"
    path.write_text(text)
    with pytest.raises(WitError) as caught:
        flags(path)
    assert str(caught.value).startswith(f"{path}{message}")


@pytest.mark.parametrize(
    ("overrides", "variables", "message"),
    [
        (["runner.nothing=true"], {}, "--flag: error: there is no flag runner.nothing"),
        (["runner.http_component"], {}, "--flag: error: 'runner.http_component' is not of the form NAME=VALUE"),
        (["runner.http_component=perhaps"], {}, "--flag: error: 'perhaps' is neither true nor false"),
        ([], {"FEATURE_runner_nothing": "true"}, "FEATURE_runner_nothing: error: there is no flag runner_nothing"),
        ([], {"FEATURE_runner_sparse_store": ""}, "FEATURE_runner_sparse_store: error: '' is neither true nor false"),
    ],
)
def test_unknown_flags_and_values_are_errors(overrides: list[str], variables: dict[str, str], message: str) -> None:
    with pytest.raises(WitError) as caught:
        flags(None, None, *overrides, **variables)
    assert str(caught.value).startswith(message)


def test_an_environment_that_the_file_does_not_have_is_an_error(file: Path) -> None:
    with pytest.raises(WitError, match=r"there is no environment \[stagin\]"):
        flags(file, "stagin")


def test_a_running_process_sees_changes_with_old_and_new_value(file: Path) -> None:
    watched = Watched(file, "staging", {}, ())
    changes: list[tuple[str, bool, bool]] = []
    warnings: list[str] = []

    def changed(flag: Flag, old: bool, new: bool) -> None:
        changes.append((flag.name, old, new))

    watched.look(changed, warnings.append)
    assert changes == []
    replace(file, FILE.replace("runner.http_component = true", "runner.http_component = false"))
    watched.look(changed, warnings.append)
    assert changes == [("runner.http_component", True, False)]
    assert watched.flags["runner.http_component"] is False
    assert warnings == []


def test_a_broken_file_keeps_the_values_and_warns_once(file: Path) -> None:
    watched = Watched(file, "staging", {}, ())
    warnings: list[str] = []

    def changed(flag: Flag, old: bool, new: bool) -> None:
        raise AssertionError

    replace(file, "[default")
    for _ in range(3):
        watched.look(changed, warnings.append, always=True)
    file.unlink()
    watched.look(changed, warnings.append)
    assert len(warnings) == 2 and "the values of flags stay as they were" in warnings[0]
    assert "can't be read" in warnings[1]
    assert watched.flags["runner.http_component"] is True
    replace(file, FILE)
    watched.look(changed, warnings.append)
    assert len(warnings) == 2


def replace(path: Path, text: str) -> None:
    """Writes a file as careful programs do."""
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


def test_the_command_shows_each_value_and_its_source(file: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "runner.cli",
        "flags",
        "--environment",
        "staging",
        "--flag",
        "runner.ftp_component=no",
    ]
    env = {**os.environ, "FEATURE_runner_progress_bus": "off"}
    shown = subprocess.run(command, cwd=file.parent, env=env, capture_output=True, text=True, check=True).stdout
    assert shown.splitlines() == [
        "runner.http_component  on   feature_flags.toml [staging]",
        "runner.ftp_component   off  command line",
        "runner.http_metrics    off  built in",
        "runner.sparse_store    off  feature_flags.toml [staging]",
        "runner.progress_bus    off  process environment",
    ]
    found = subprocess.run([*command, "--json"], cwd=file.parent, env=env, capture_output=True, text=True, check=True)
    assert json.loads(found.stdout).keys() == KNOWN.keys()


def test_the_command_names_a_mistake_and_ends_with_1(file: Path) -> None:
    command = [sys.executable, "-m", "runner.cli", "flags", "--flag", "runner.x=true"]
    found = subprocess.run(command, cwd=file.parent, capture_output=True, text=True)
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr.startswith("--flag: error: there is no flag runner.x")

"""``witgen check``: everything at once, and all of it told."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from witgen.cli import main

ROOT = Path(__file__).resolve().parents[2]
COMPONENT = ROOT / "plugins/progress-runner/prebuilt/progress_runner.wasm"

PROJECT = """
[contract.progress]
roots = ["progress.wit"]

[[generate]]
contract = "progress"
world = "progress-runner"
python = "bindings"

[verify]
components = ["*.wasm"]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in which all is well."""
    (tmp_path / "progress.wit").write_text((ROOT / "plugins/runner/wit/progress.wit").read_text())
    (tmp_path / "witgen.toml").write_text(PROJECT)
    (tmp_path / "progress_runner.wasm").write_bytes(COMPONENT.read_bytes())
    monkeypatch.chdir(tmp_path)
    for command in (["generate"], ["hash", "--write"]):
        assert CliRunner().invoke(main, command).exit_code == 0
    return tmp_path


def check(*args: str) -> Result:
    return CliRunner().invoke(main, ["check", *args], catch_exceptions=False)


def states(result: Result) -> dict[str, str]:
    return {line.split()[1]: line.split()[0] for line in result.stdout.splitlines()}


def test_all_is_well(folder: Path) -> None:
    result = check()
    assert result.exit_code == 0 and not result.stderr
    assert set(states(result).values()) == {"ok"}


def test_every_step_runs_and_every_mistake_is_told(folder: Path) -> None:
    contract = folder / "progress.wit"
    contract.write_text(
        contract.read_text().replace("  heartbeat: func(timestamp: u64", "heartbeat: func(timestamp: s64")
    )
    (folder / "bindings/progress_runner.py").write_text("")
    result = check()
    assert result.exit_code == 1
    assert [name for name, state in states(result).items() if state == "failed"] == [
        "fmt",
        "hash",
        "generate",
        "verify",
    ]
    for said in (
        "progress.wit:",
        "this is not formatted: run `witgen fmt` [fmt]",
        "function `heartbeat` of interface `runner:progress/telemetry@0.1.0` has changed [hash]",
        "bindings/progress_runner.py: error: is not up to date: run `witgen generate` [generate]",
        "#heartbeat: its type differs from the contract's [verify]",
    ):
        assert said in result.stderr


def test_a_finding_of_lint_has_its_rule(folder: Path) -> None:
    (folder / "witgen.toml").write_text(f'{PROJECT}\n[lint]\nenable = ["missing-member-docs"]\n')
    contract = folder / "progress.wit"
    contract.write_text(contract.read_text() + "\ninterface more {\n}\n")
    assert "[missing-docs]" in check().stderr


def test_steps_without_anything_to_do_are_skipped(folder: Path) -> None:
    (folder / "witgen.toml").write_text(PROJECT.partition("[[generate]]")[0])
    result = check()
    assert result.exit_code == 0
    assert states(result)["generate"] == states(result)["verify"] == "skipped"


def test_a_component_that_is_named_has_to_be_there(folder: Path) -> None:
    (folder / "witgen.toml").write_text(PROJECT.replace("*.wasm", "dist/other.wasm"))
    result = check()
    assert result.exit_code == 1
    assert "dist/other.wasm: error: can't be read: there is no such file; build it first [verify]" in result.stderr


def test_without_a_project_there_is_nothing_to_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for form in "text", "json", "junit":
        result = check("--format", form)
        assert result.exit_code == 1 and "not found in" in result.stderr


def test_reports_for_machines(folder: Path) -> None:
    (folder / "bindings/progress_runner.py").unlink()
    found = json.loads(check("--format", "json").stderr)["diagnostics"]
    assert [(entry["rule"], entry["path"]) for entry in found] == [("generate", "bindings/progress_runner.py")]
    sarif = json.loads(check("--format", "sarif").stderr)
    assert [entry["ruleId"] for entry in sarif["runs"][0]["results"]] == ["generate"]
    assert "::error title=witgen%3A generate" in check("--format", "github").stderr


def test_junit_has_a_case_for_each_step(folder: Path) -> None:
    (folder / "bindings/progress_runner.py").unlink()
    (folder / "witgen.toml").write_text(PROJECT.partition("[verify]")[0])
    assert check("--format", "junit", "--report", "junit.xml").exit_code == 1
    suite = ElementTree.parse(folder / "junit.xml").getroot()
    cases = {case.get("name"): [part.tag for part in case] for case in suite}
    assert cases == {
        "generate": ["failure"],
        "fmt": ["system-out"],
        "lint": ["system-out"],
        "hash": ["system-out"],
        "verify": ["skipped"],
    }
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("5", "1", "1")


def on_terminal(*args: str, **environment: str) -> str:
    """What a command shows on a terminal."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "witgen.cli", *args],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm", **environment},
    )
    os.close(terminal)
    shown = b""
    while True:
        try:
            read = os.read(controller, 65536)
        except OSError:
            break
        if not read:
            break
        shown += read
    process.wait()
    os.close(controller)
    return shown.decode()


def test_a_terminal_shows_progress_and_colour_and_nothing_else_does(folder: Path) -> None:
    (folder / "bindings/progress_runner.py").unlink()
    shown = on_terminal("check")
    assert "checking  generate" in shown and "\x1b[31m\x1b[1merror\x1b[0m" in shown
    plain = on_terminal("check", NO_COLOR="1")
    assert "\x1b[31m" not in plain and "error: is not up to date" in plain
    result = check()
    assert "\x1b" not in result.output and "checking" not in result.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete(shell: str) -> None:
    result = CliRunner().invoke(main, ["completion", shell])
    assert result.exit_code == 0 and "_WITGEN_COMPLETE" in result.stdout

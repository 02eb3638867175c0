"""`witgen inspect`: three forms of the same, and one error for what is none of the files that it knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from witgen.cli import main

ROOT = Path(__file__).resolve().parents[2]
COMPONENT = ROOT / "plugins/progress-runner/prebuilt/progress_runner.wasm"


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args], catch_exceptions=False)


def test_people_see_blocks() -> None:
    result = run("inspect", COMPONENT)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{COMPONENT}: component, ")
    assert "runner:progress/events@0.1.0" in result.stdout


def test_machines_get_a_document() -> None:
    result = run("inspect", COMPONENT, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["kind"] == "component"


def test_the_world_is_printed_as_the_command_wit_prints_it() -> None:
    assert run("inspect", COMPONENT, "--wit").stdout == run("wit", COMPONENT).stdout


def test_one_form_is_asked_for_at_a_time() -> None:
    assert run("inspect", COMPONENT, "--wit", "--json").exit_code == 2


@pytest.mark.parametrize("form", [[], ["--json"], ["--wit"]], ids=["text", "json", "wit"])
@pytest.mark.parametrize("length", [0, 3, 200, 100_000])
def test_a_cut_file_is_one_error(tmp_path: Path, length: int, form: list[str]) -> None:
    path = tmp_path / "cut.wasm"
    path.write_bytes(COMPONENT.read_bytes()[:length])
    result = run("inspect", path, *form)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"{path}: error: at offset 0x")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("form", [[], ["--json"], ["--wit"]], ids=["text", "json", "wit"])
def test_text_is_none_of_these_files(tmp_path: Path, form: list[str]) -> None:
    path = tmp_path / "a.wit"
    path.write_text("package a:b;\n")
    result = run("inspect", path, *form)
    assert result.exit_code == 1
    assert result.stderr == f"{path}: error: at offset 0x0: this is WIT text, not a component binary\n"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    result = run("inspect", tmp_path / "none.wasm")
    assert result.exit_code == 1
    assert result.stderr == f"{tmp_path}/none.wasm: error: can't be read: no such file or directory\n"

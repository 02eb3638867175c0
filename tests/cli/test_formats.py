"""``--format`` turns the report on errors into a document for machines; what the command prints stays what it is."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from witgen.cli import main
from witgen.reports import FORMATS


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args], catch_exceptions=False)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.wit"
    path.write_text("package a:b;\ninterface i {\n  type a = list<u8;\n  f: func(x u8);\n}\n")
    return path


#: What reads no contract has nothing to report.
READING = [command for name, command in main.commands.items() if name != "completion"]


@pytest.mark.parametrize("command", READING, ids=lambda c: c.name)
def test_every_command_knows_every_form(command: click.Command) -> None:
    (option,) = [param for param in command.params if "--format" in param.opts]
    assert isinstance(option.type, click.Choice)
    # What runs several checks knows one more, for tools that show checks as tests.
    assert list(option.type.choices) == [*FORMATS, *(["junit"] if command.name == "check" else [])]


def test_all_errors_of_a_run_are_in_one_document(broken: Path) -> None:
    result = run("hash", broken, "--format", "json")
    assert result.exit_code == 1
    assert result.stdout == ""
    entries = json.loads(result.stderr)["diagnostics"]
    assert [(entry["path"], entry["line"]) for entry in entries] == [(str(broken), 3), (str(broken), 4)]


def test_annotations_are_a_line_each(broken: Path) -> None:
    lines = run("hash", broken, "--format", "github").stderr.splitlines()
    assert [line.startswith("::error ") for line in lines] == [True, True]


def test_a_run_without_errors_leaves_an_empty_document_and_its_own_output(tmp_path: Path) -> None:
    path = tmp_path / "right.wit"
    path.write_text("package a:b;\ninterface i {}\n")
    result = run("hash", path, "--json", "--format", "sarif")
    assert result.exit_code == 0
    assert json.loads(result.stdout)
    assert json.loads(result.stderr)["runs"][0]["results"] == []


def test_an_unknown_form_is_a_usage_error(broken: Path) -> None:
    assert run("hash", broken, "--format", "xml").exit_code == 2

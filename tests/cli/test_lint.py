"""``witgen lint`` as it is called."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from witgen.cli import main

WIT = "package a:b@0.1.0;\n\n/// I.\ninterface i {\n  f: func() -> result<u8>;\n}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "contract.wit").write_text(WIT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, ["lint", *args], input=text)


def test_each_finding_has_its_place_and_its_rule(folder: Path) -> None:
    result = run("contract.wit")
    assert result.exit_code == 1
    assert [line for line in result.stderr.splitlines() if ": error: " in line] == [
        "contract.wit:1:9: error: the package has no documentation [missing-docs]",
        "contract.wit:5:3: error: function `f` has no documentation [missing-docs]",
        "contract.wit:5:16: error: `f` doesn't say why it failed: give its result an error type [missing-error]",
    ]


def test_rules_and_categories_are_chosen_by_options_and_by_the_project(folder: Path) -> None:
    assert run("contract.wit", "--disable", "docs,missing-error").exit_code == 0
    (folder / "witgen.toml").write_text(
        '[contract.c]\nroots = ["contract.wit"]\n\n[lint]\ndisable = ["docs", "errors"]\n'
    )
    assert run().exit_code == 0
    assert run("contract.wit").exit_code == 0
    (folder / "witgen.toml").write_text('[contract.c]\nroots = ["contract.wit"]\n\n[lint]\ndisable = ["dogs"]\n')
    result = run()
    assert result.exit_code == 1
    assert "witgen.toml:5:13: error: there is no rule or category 'dogs'" in result.stderr
    assert "did you mean `docs`?" in result.stderr


def test_stdin_is_linted(folder: Path) -> None:
    assert "<stdin>:5:3: error: " in run("-", text=WIT).stderr


@pytest.mark.parametrize(
    ("args", "says"), [(["--disable", "x"], "there is no rule or category 'x'"), (["-", "y"], "`-` stands alone")]
)
def test_a_wrong_call_is_refused(folder: Path, args: list[str], says: str) -> None:
    result = run(*args)
    assert result.exit_code == 2 and says in result.stderr


def test_what_is_no_wit_is_an_error_of_its_own(folder: Path) -> None:
    (folder / "broken.wit").write_text("interface {")
    result = run("contract.wit", "broken.wit", "missing.wit")
    assert result.exit_code == 1
    assert "broken.wit:1:11: error: expected" in result.stderr and "missing.wit: error: " in result.stderr
    assert "missing-docs" not in result.stderr


def test_reports_for_machines_name_the_rule(folder: Path) -> None:
    found = json.loads(run("contract.wit", "--format", "json").stderr)["diagnostics"]
    assert [entry["rule"] for entry in found] == ["missing-docs", "missing-docs", "missing-error"]
    results = json.loads(run("contract.wit", "--format", "sarif").stderr)["runs"][0]["results"]
    assert [entry["ruleId"] for entry in results] == ["missing-docs", "missing-docs", "missing-error"]
    assert "title=witgen%3A missing-error" in run("contract.wit", "--format", "github").stderr


def test_the_rules_are_listed(folder: Path) -> None:
    result = run("--list-rules")
    assert result.exit_code == 0 and "public-tuple" in result.stdout


def test_files_of_a_folder_are_a_package_together(folder: Path) -> None:
    (folder / "contract.wit").unlink()
    (folder / "one.wit").write_text(
        "/// P.\npackage a:b@0.1.0;\n\n/// T.\ninterface t {\n  /// A.\n  type a = u8;\n}\n"
    )
    (folder / "two.wit").write_text("/// W.\nworld w {\n  use t.{a};\n  export f: func() -> a;\n}\n")
    assert run(".").exit_code == 0
    (folder / "three.wit").write_text("package a:b@0.1.0;\n")
    assert run(".").exit_code == 0
    (folder / "two.wit").write_text("/// W.\nworld w {\n}\n")
    assert "one.wit:5:11: error: no world and no interface refers to interface `t`" in run(".").stderr

"""`witgen hash --write` and `--check`: the lock on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from witgen.cli import main

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = "package a:b;\ninterface i { f: func(); }\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("a.wit").write_text(CONTRACT)
    return tmp_path


def hash_(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["hash", *(str(arg) for arg in args)], catch_exceptions=False)


def test_a_lock_is_written_checked_and_refused() -> None:
    assert hash_("--write", "a.wit").stdout == "  written  wit.lock\n"
    assert hash_("--write", "a.wit").stdout == "unchanged  wit.lock\n"
    for _ in range(2):
        result = hash_("--check", "a.wit")
        assert (result.exit_code, result.stdout) == (0, "unchanged  wit.lock\n")
    Path("a.wit").write_text(CONTRACT.replace("func()", "func(x: u8)"))
    for _ in range(2):
        result = hash_("--check", "a.wit")
        assert result.exit_code == 1
        assert result.stderr.startswith("wit.lock:9:1: error: function `f` of interface `a:b/i` has changed\n")
        assert not result.stdout


def test_the_lock_lies_beside_the_project_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("witgen.toml").write_text('[contract.c]\nroots = ["a.wit"]\n')
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    assert hash_("--write").exit_code == 0
    assert (folder / "wit.lock").exists()
    assert hash_("--check").exit_code == 0


def test_the_lock_may_lie_elsewhere() -> None:
    assert hash_("--write", "--lock", "deep/er/my.lock", "a.wit").stdout == "  written  deep/er/my.lock\n"
    assert hash_("--check", "--lock", "deep/er/my.lock", "a.wit").exit_code == 0
    assert hash_("--check", "a.wit").stderr.startswith("wit.lock: error: there is no lock yet")


def test_without_contracts_there_is_nothing_to_lock() -> None:
    for option in ("--write", "--check"):
        result = hash_(option)
        assert result.exit_code == 1
        assert "witgen.toml: error: not found in" in result.stderr


def test_a_wrong_contract_leaves_the_lock_as_it_was() -> None:
    hash_("--write", "a.wit")
    before = Path("wit.lock").read_bytes()
    Path("a.wit").write_text("package a:b;\ninterface i { f func(); }\n")
    for option in ("--write", "--check"):
        result = hash_(option, "a.wit")
        assert result.exit_code == 1
        assert result.stderr.startswith("a.wit:2:17: error: ")
    assert Path("wit.lock").read_bytes() == before


@pytest.mark.parametrize("args", [("--write", "--check"), ("--json", "--check"), ("--lock", "x")])
def test_options_that_do_not_go_together_are_a_usage_error(args: tuple[str, ...]) -> None:
    assert hash_(*args, "a.wit").exit_code == 2


def test_the_lock_of_this_repository_agrees_with_its_contracts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = hash_("--check")
    assert result.exit_code == 0, result.stderr

"""A check that is remembered is taken back as soon as anything that it read is another."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from witgen.contract import lock as verbs
from witgen.contract import unchanged
from witgen.contract.lock_file import entries_of
from witgen.contract.unchanged import Subject, find_subject, is_unchanged
from witgen.diagnostics import WitError

LIB = "package a:lib;\ninterface i { f: func(); }\n"
MAIN = "package a:main;\nworld w { import a:lib/i; }\n"
FILE = "package a:file;\n"


@pytest.fixture
def subject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_cache: Path) -> Subject:
    """A project that was checked and found well."""
    folder = tmp_path / "project"
    (folder / "wit/deps/lib").mkdir(parents=True)
    (folder / "wit/main.wit").write_text(MAIN)
    (folder / "wit/deps/lib/lib.wit").write_text(LIB)
    (folder / "file.wit").write_text(FILE)
    (folder / "witgen.toml").write_text('[contract.c]\nroots = ["file.wit", "wit"]\n')
    monkeypatch.chdir(folder)
    subject = find_subject((), None)
    verbs.write(subject)
    assert not is_unchanged(subject)
    verbs.check(subject)
    assert is_unchanged(subject)
    return subject


CHANGES: dict[str, Callable[[], object]] = {
    "a byte of a file": lambda: Path("wit/main.wit").write_text(MAIN + " "),
    "a byte of a root that is a file": lambda: Path("file.wit").write_text(FILE + " "),
    "a byte of a dependency": lambda: Path("wit/deps/lib/lib.wit").write_text(LIB.replace("f:", "g:")),
    "a byte of the lock": lambda: Path("wit.lock").write_text(Path("wit.lock").read_text() + "\n"),
    "a byte of the project": lambda: Path("witgen.toml").write_text(Path("witgen.toml").read_text() + "\n"),
    "no lock": lambda: Path("wit.lock").unlink(),
    "a file that is gone": lambda: Path("wit/main.wit").unlink(),
    "a new file": lambda: Path("wit/more.wit").write_text("interface more {}\n"),
    "a new file of a dependency": lambda: Path("wit/deps/lib/more.wit").write_text("interface more {}\n"),
    "a new dependency": lambda: Path("wit/deps/more.wit").write_text("package a:more;\n"),
    "a dependency that is gone": lambda: shutil.rmtree("wit/deps/lib"),
    "a file where a folder was": lambda: (shutil.move("wit/deps/lib", "lib"), Path("wit/deps/lib").write_text("")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_each_change_is_seen(subject: Subject, change: Callable[[], object]) -> None:
    change()
    assert not is_unchanged(subject)


def test_other_code_checks_again(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unchanged, "fingerprint", lambda *parts: b"other code")
    assert not is_unchanged(subject)


def test_code_that_can_not_be_told_apart_remembers_nothing(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unchanged, "fingerprint", lambda *parts: None)
    verbs.check(subject)
    assert not is_unchanged(subject)


def test_a_nearer_project_is_another_check(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("wit")
    assert find_subject((), None) == subject
    Path("witgen.toml").write_text('[contract.c]\nroots = ["main.wit"]\n')
    assert find_subject((), None).project == str(Path("witgen.toml").absolute())
    assert not is_unchanged(find_subject((), None))


def test_another_lock_is_another_check(subject: Subject) -> None:
    assert find_subject((), Path("wit.lock")) == subject
    assert not is_unchanged(find_subject((), Path("other.lock")))


def test_a_check_that_found_a_difference_is_not_remembered(subject: Subject) -> None:
    Path("wit/deps/lib/lib.wit").write_text(LIB.replace("f:", "g:"))
    for _ in range(2):
        with pytest.raises(WitError, match="`g` of interface `a:lib/i` is not in the lock"):
            verbs.check(subject)
        assert not is_unchanged(subject)


def test_what_changes_during_a_check_is_not_remembered(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("wit/main.wit").write_text(MAIN + "// One.\n")

    def meanwhile(*args: object) -> object:
        Path("wit/main.wit").write_text(MAIN.replace("w {", "v {"))
        return entries_of(*args)  # type: ignore[arg-type]

    monkeypatch.setattr("witgen.contract.lock.entries_of", meanwhile)
    verbs.check(subject)
    assert not is_unchanged(subject)


def test_a_remembered_check_imports_next_to_nothing(subject: Subject) -> None:
    script = "import sys\nfrom witgen.cli import main\ntry:\n    main()\nfinally:\n    print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script, "hash", "--check"], capture_output=True, text=True, check=True)
    assert "unchanged  wit.lock" in done.stdout
    modules = {name for name in done.stdout.split() if name.partition(".")[0] == "witgen"}
    assert modules == {
        "witgen",
        "witgen.cli",
        "witgen.contract",
        "witgen.contract.unchanged",
        "witgen.fingerprint",
        "witgen.store",
    }

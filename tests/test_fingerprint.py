"""The fingerprint: it covers all code that makes what is kept under it, and each byte of that code counts."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from witgen import fingerprint as module
from witgen.contract import unchanged
from witgen.fingerprint import EMITTERS, FRONT_END, fingerprint

PACKAGE = Path(module.__file__).parent

#: What is left out: the store keeps bytes and decides none of them; the rest is empty.
INDIFFERENT = {"__init__.py", "store.py", "fingerprint.py", "contract/__init__.py"}


def imported_by(program: str) -> set[str]:
    """The files of witgen that a program imports, relative to the package."""
    script = (
        f"{program}\nimport sys\n"
        "print(*(m.__file__ for n, m in sys.modules.items() if n.partition('.')[0] == 'witgen'), sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {Path(line).relative_to(PACKAGE).as_posix() for line in done.stdout.splitlines()}


def covered(parts: tuple[str, ...]) -> set[str]:
    return {name for part in parts for name in module._sources(part)}


def test_it_covers_all_code_that_resolves(tmp_path: Path) -> None:
    contract = tmp_path / "a.wit"
    contract.write_text("package a:b;\ninterface i { f: func(); }\n")
    used = imported_by(
        "import os, pathlib, witgen.resolve\nos.environ['WITGEN_CACHE'] = 'off'\n"
        f"witgen.resolve.load([pathlib.Path({str(contract)!r})])"
    )
    assert "resolve/link.py" in used
    assert used - covered(FRONT_END) <= INDIFFERENT


def test_it_covers_all_code_that_checks_a_lock() -> None:
    used = imported_by("import witgen.contract.lock, witgen.resolve.assemble")
    assert "contract/digest.py" in used
    # Writing a lock is no part of checking it.
    assert used - covered(unchanged._CODE) <= INDIFFERENT | {"files.py"}


def test_it_covers_all_code_that_generates() -> None:
    used = imported_by("import witgen.emit.python, witgen.emit.rust, witgen.generate")
    assert "emit/python/codec.py" in used
    # Syntax makes models, which have keys of their own; the rest says what is to be generated, and refuses.
    others = {"garbage.py", "limits.py", "project.py", "toml.py", "syntax/words.py", "syntax/__init__.py"}
    assert used - covered(EMITTERS) <= INDIFFERENT | others


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package and its grammar that can be changed, in the place of the real one."""
    folder = tmp_path / "witgen"
    shutil.copytree(PACKAGE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("grammars", "templates"):
        shutil.copytree(PACKAGE.parent / name, tmp_path / name)
    monkeypatch.setattr(module, "_PACKAGE", str(folder))
    return folder


def test_a_change_in_code_or_grammar_is_another_fingerprint(copy: Path) -> None:
    def now() -> bytes | None:
        return fingerprint.__wrapped__(*FRONT_END)

    seen = {now(), fingerprint(*FRONT_END)}
    assert len(seen) == 1
    for name in ("ir.py", "resolve/link.py", "syntax/lexer.py", "../grammars/wit.lark"):
        path = copy / name
        path.write_text(path.read_text() + "\n")
        assert now() not in seen
        seen.add(now())
    emitted = fingerprint.__wrapped__(*EMITTERS)
    path = copy / "../templates/rust/rt/lists.rs.j2"
    path.write_text(path.read_text() + "\n")
    assert fingerprint.__wrapped__(*EMITTERS) != emitted and now() in seen
    (copy / "resolve/more.py").write_text("")
    assert now() not in seen


def test_without_sources_there_is_no_fingerprint(copy: Path) -> None:
    for path in copy.rglob("*.py"):
        path.unlink()
    assert fingerprint.__wrapped__(*FRONT_END) is None

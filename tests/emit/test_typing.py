"""Type checkers on programs that use an adapter: one is right, and in one each mistake is marked.

Both are in `programs`, and so is the contract. A line of the wrong one that ends in ``# wrong: …`` has a mistake that
checkers find by the annotations of generated code; in ``# wrong for mypy: …`` it alone does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools import pyright_errors
from witgen import ir
from witgen.emit import python
from witgen.resolve import load

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).with_name("programs")
#: Files and lines.
Places = set[tuple[str, int]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the programs and the adapter that they use."""
    found = tmp_path_factory.mktemp("programs")
    resolve = load([PROGRAMS / "library.wit"]).resolve
    (found / "library.py").write_text(python.emit(resolve, ir.WorldId(0), source="library.wit"))
    for name in ("right.py", "wrong.py"):
        shutil.copy(PROGRAMS / name, found)
    return found


def mypy(folder: Path) -> Places:
    """Where mypy finds errors."""
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(folder / "cache"), str(folder)]
    environment = os.environ | {"MYPYPATH": str(folder)}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode < 2, done.stdout + done.stderr
    errors = re.findall(r"^(.+?):(\d+): error: ", done.stdout, re.MULTILINE)
    return {(Path(file).name, int(line)) for file, line in errors}


def pyright(folder: Path) -> Places:
    """Where pyright finds errors in strict mode."""
    return {(file, line) for file, line, _ in pyright_errors(folder)}


CHECKERS: dict[str, Callable[[Path], Places]] = {"mypy": mypy, "pyright": pyright}


def marked(checker: str) -> Places:
    """The lines of the wrong program in which a checker has to find something."""
    lines = (PROGRAMS / "wrong.py").read_text().splitlines()
    found = re.compile(rf"# wrong( for {checker})?: ")
    return {("wrong.py", number) for number, line in enumerate(lines, 1) if found.search(line)}


@pytest.mark.parametrize("checker", CHECKERS)
def test_checkers_find_each_mistake_in_the_use_of_an_adapter_and_nothing_else(folder: Path, checker: str) -> None:
    found, wanted = CHECKERS[checker](folder), marked(checker)
    assert len(wanted) > 60
    assert sorted(found - wanted) == [], "found where nothing is wrong"
    assert sorted(wanted - found) == [], "not found"

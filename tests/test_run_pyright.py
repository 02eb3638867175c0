"""The script that runs pyright, or says why it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.tools import pyright_errors

SCRIPT = Path(__file__).resolve().parent.parent / "scripts/run_pyright.py"


def test_it_says_so_where_pyright_can_not_be_run() -> None:
    # Without the folder of installed packages.
    done = subprocess.run([sys.executable, "-S", SCRIPT], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "pyright skipped: the package pyright is not installed\n"


def test_it_fails_where_pyright_finds_something(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text("number: int = 'one'\n")
    assert [line for _, line, _ in pyright_errors(tmp_path)] == [1]
    done = subprocess.run([sys.executable, SCRIPT, program], capture_output=True, text=True)
    assert done.returncode == 1 and "program.py:1:15 - error" in done.stdout

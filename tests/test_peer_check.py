"""`make peer-check` needs another tool, and says so where there is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_a_machine_without_wasm_tools_is_told_what_is_missing(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts/check_with_wasm_tools.py")]
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 3
    assert done.stderr == "there is neither wasm-tools on the PATH nor node with npm to fetch it\n"

"""The demonstration of the README runs to its end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_demonstration_shows_what_it_says() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts/demo.py"], cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode, done.stdout + done.stderr
    assert "loaded: its types agree with the contract" in done.stdout
    assert "refused: the component does not implement the contract" in done.stdout
    assert "STOR notes: 226" in done.stdout
    assert "GET /headers?who=ada: 200 OK" in done.stdout
    assert done.stdout.endswith("\nDone.\n")

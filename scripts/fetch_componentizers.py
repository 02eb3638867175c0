"""Fetches what makes components of Python and JavaScript, for tests on them: componentize-py and componentize-js.

They go into ``target/componentizers``. Prints a line for each of the two: where it is, or why it can't be had.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FETCHED = ROOT / "target/componentizers"
PYTHON = FETCHED / "python"
JAVASCRIPT = FETCHED / "javascript"

COMPONENTIZE_PY = "componentize-py==0.25.1"
#: The second package is one that the first needs and does not say so.
COMPONENTIZE_JS = "@bytecodealliance/componentize-js@0.22.0 @bytecodealliance/preview2-shim@0.17.9"


def fetch_python() -> Path:
    """The folder of modules with componentize-py. Raises OSError or CalledProcessError where it can't be fetched."""
    if not _has(PYTHON, COMPONENTIZE_PY):
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--only-binary",
            ":all:",
        ]
        _run([*pip, "--target", str(PYTHON), COMPONENTIZE_PY])
        _note(PYTHON, COMPONENTIZE_PY)
    return PYTHON


def fetch_javascript() -> Path:
    """The folder of packages with componentize-js. Raises OSError or CalledProcessError where it can't be fetched."""
    if not _has(JAVASCRIPT, COMPONENTIZE_JS):
        npm = shutil.which("npm")
        if npm is None or shutil.which("node") is None:
            raise FileNotFoundError("node and npm are not installed")
        JAVASCRIPT.mkdir(parents=True, exist_ok=True)
        _run(
            [
                npm,
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--prefix",
                str(JAVASCRIPT),
                *COMPONENTIZE_JS.split(),
            ]
        )
        _note(JAVASCRIPT, COMPONENTIZE_JS)
    return JAVASCRIPT


def _has(folder: Path, wanted: str) -> bool:
    """Whether a folder was filled with this version; the note comes last, so that nothing half is taken for whole."""
    try:
        return (folder / "fetched").read_text() == wanted
    except OSError:
        return False


def _note(folder: Path, what: str) -> None:
    (folder / "fetched").write_text(what)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def main() -> int:
    """0 with both, 3 if one can't be had."""
    status = 0
    fetchers: dict[str, Callable[[], Path]] = {"componentize-py": fetch_python, "componentize-js": fetch_javascript}
    for name, fetch in fetchers.items():
        try:
            print(f"{name}: {fetch().relative_to(ROOT)}")
        except (OSError, subprocess.CalledProcessError) as error:
            said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            print(f"{name} could not be fetched: {said[-1] if said else error}", file=sys.stderr)
            status = 3
    return status


if __name__ == "__main__":
    sys.exit(main())

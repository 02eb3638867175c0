"""The guests of this folder, made by the componentizers of their languages, and a program that runs commands."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest

from tests.tools import import_file
from witgen import runtime as rt
from witgen.emit import python
from witgen.project import PROVIDED
from witgen.resolve import load, select_world

HERE = Path(__file__).resolve().parent
fetch_componentizers = import_file(HERE.parents[1] / "scripts/fetch_componentizers.py", "fetch_componentizers")
WORLD = HERE / "world.wit"
BUILT: Path = fetch_componentizers.FETCHED / "built"


@pytest.fixture(scope="session")
def wit(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The adapter of the guests' world."""
    loaded = load([WORLD])
    path = tmp_path_factory.mktemp("foreign") / "foreign.py"
    path.write_text(python.emit(loaded.resolve, select_world(loaded, None), source=WORLD.name, provided=PROVIDED))
    return import_file(path, "foreign")


@pytest.fixture(scope="session", params=["python", "javascript"])
def guest(request: pytest.FixtureRequest) -> rt.Component:
    """The guest in each language, compiled."""
    return rt.Component.from_file(_built(request.param))


def _built(language: str) -> Path:
    """The component of a language's folder. It is made once for each version of what it is made of."""
    folder = HERE / language
    sources = sorted(path for path in folder.iterdir() if path.is_file())
    tool, fetched, make = _TOOLS[language]
    try:
        have = (fetched / "fetched").read_text() == tool
    except OSError:
        have = False
    if not have:
        pytest.skip(f"{tool} is not there: `scripts/fetch_componentizers.py` fetches it")
    out = BUILT / f"{language}-{_digest([WORLD, *sources], tool)}.wasm"
    if not out.exists():
        BUILT.mkdir(parents=True, exist_ok=True)
        unfinished = out.with_suffix(f".{os.getpid()}")
        make(folder, fetched, unfinished)
        unfinished.rename(out)
    return out


def _digest(paths: Iterable[Path], tool: str) -> str:
    return hashlib.sha256(b"\0".join([tool.encode(), *(path.read_bytes() for path in paths)])).hexdigest()[:16]


def _make_python(folder: Path, fetched: Path, out: Path) -> None:
    program = "import componentize_py; componentize_py.script()"
    command = [sys.executable, "-c", program, "-d", str(WORLD), "-w", "foreign", "componentize", "app", "-o", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(fetched), "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)


def _make_javascript(folder: Path, fetched: Path, out: Path) -> None:
    # What is given as an argument finds its packages in the current folder.
    program = (folder / "componentize.mjs").read_text()
    arguments = [str(folder / "app.js"), str(WORLD), "foreign", str(out)]
    command = ["node", "--input-type=module", "--eval", program, *arguments]
    subprocess.run(command, cwd=fetched, check=True, stdout=subprocess.DEVNULL)


_TOOLS = {
    "python": (fetch_componentizers.COMPONENTIZE_PY, fetch_componentizers.PYTHON, _make_python),
    "javascript": (fetch_componentizers.COMPONENTIZE_JS, fetch_componentizers.JAVASCRIPT, _make_javascript),
}

"""What tests of generated code share: modules that were just written, and the compilers of this machine."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from witgen.build import _find_compiler
from witgen.diagnostics import WitError

ROOT = Path(__file__).resolve().parent.parent

__all__ = ["guest_compiler_or_skip", "import_file", "lint_rust", "pyright_errors"]


def import_file(path: Path, name: str) -> ModuleType:
    """The module in a file, imported under a name."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def guest_compiler_or_skip() -> None:
    """Skips the test on machines that can't build guests."""
    try:
        _find_compiler()
    except WitError:
        pytest.skip("no Rust that builds for wasm32-wasip2 on this machine")


def lint_rust(root: Path, edition: str = "2021") -> None:
    """Compiles a library beside its source, where any warning, clippy's too, is an error."""
    compiler = next((name for name in ("clippy-driver", "rustc") if shutil.which(name)), None)
    if compiler is None:
        pytest.skip("there is no rustc on this machine")
    command = [compiler, "--edition", edition, "--crate-type", "lib", "--emit", "metadata", "-Dwarnings"]
    done = subprocess.run([*command, "--out-dir", root.parent, root], capture_output=True, text=True)
    assert not done.returncode, done.stderr


def pyright_errors(folder: Path) -> list[tuple[str, int, str]]:
    """What pyright finds in the modules of a folder in strict mode: file, line and message of each error."""
    runner = import_file(ROOT / "scripts/run_pyright.py", "run_pyright")
    reason = runner.missing()
    if reason is not None:
        pytest.skip(f"pyright does not run here: {reason}")
    settings = {"include": ["."], "typeCheckingMode": "strict", "pythonVersion": "3.11", "extraPaths": [str(ROOT)]}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [*runner.COMMAND, "--outputjson", "--pythonpath", sys.executable, "--project", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | runner.ENVIRONMENT)
    assert done.returncode < 2, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] >= len(list(folder.glob("*.py")))
    errors = found["generalDiagnostics"]
    return [(Path(error["file"]).name, error["range"]["start"]["line"] + 1, error["message"]) for error in errors]

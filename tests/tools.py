"""What tests of generated code share: modules that were just written, and the compilers of this machine."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from witgen.build import _find_compiler
from witgen.diagnostics import WitError

__all__ = ["guest_compiler_or_skip", "import_file", "lint_rust"]


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

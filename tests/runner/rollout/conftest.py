"""Builds of the components in which something is wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.runner.ftp_serve import serving as ftp
from tests.runner.http import serving as http
from tests.tools import guest_compiler_or_skip

#: Limits that a machine with much else to do does not cross, by guard.
_LOOSE = {
    "failures": ("failures=50",),
    "latency": ("latency-slack=10000",),
    "memory": ("memory-slack=1000",),
    "progress": ("progress=10000",),
}
ROOT = Path(__file__).resolve().parents[3]
_COPIES: dict[str, Callable[[Path], Path]] = {"http": http.component_with, "ftp": ftp.component_with}


def only(*guards: str) -> list[str]:
    """The options that leave these guards as they are, and let the others go far."""
    limits = [limit for guard, limits in _LOOSE.items() if guard not in guards for limit in limits]
    return [text for limit in limits for text in ("--guard", limit)]


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Makes the folder of a component, by protocol and fault."""
    guest_compiler_or_skip()
    target = tmp_path_factory.mktemp("faulty")

    def build(protocol: str, fault: str) -> Path:
        folder = _COPIES[protocol](target / f"{protocol}-{fault}")
        package = f"{protocol}-component"
        command = ["cargo", "build", "--quiet", "--release", "--target", "wasm32-wasip2", "-p", package]
        environment = os.environ | {"CARGO_TARGET_DIR": str(target / "target")}
        subprocess.run([*command, "--features", fault], cwd=ROOT, env=environment, check=True)
        shutil.copy(target / f"target/wasm32-wasip2/release/{protocol}_component.wasm", folder)
        return folder

    return build

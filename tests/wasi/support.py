"""The guests of the tests of WASI, built when they are first asked for.

A program is a file of Rust in `guests`, of the standard library alone. A relay is a folder there, with a contract and
a guest without the standard library; its stubs and its adapter are generated from the contract and the WIT of WASI.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from tests.guests.family import CRATE, WORKSPACE, has_std
from tests.tools import guest_compiler_or_skip, import_file
from witgen.build import TARGET, build
from witgen.files import write_all
from witgen.generate import generate, target_for

GUESTS = Path(__file__).parent / "guests"
ROOT = Path(__file__).resolve().parents[2]
#: In the order in which they use each other.
PACKAGES = [ROOT / f"wit/wasi/deps/{name}.wit" for name in ("io", "clocks", "random", "filesystem", "sockets", "cli")]


def build_program(name: str, folder: Path) -> Path:
    """The component of a program, built into a folder. Skips the test where there is no standard library."""
    if not has_std():
        pytest.skip(f"no standard library for {TARGET} on this machine")
    component = folder / f"{name}.wasm"
    command = ["rustc", "--target", TARGET, "--edition", "2021", "-O", "-C", "strip=symbols", "-o", str(component)]
    done = subprocess.run([*command, str(GUESTS / f"{name}.rs")], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    return component


def build_relay(name: str, folder: Path) -> tuple[Path, ModuleType]:
    """The component of a relay and its adapter, built into a folder. Skips the test where there is no compiler."""
    guest_compiler_or_skip()
    source = folder / name / "src"
    source.mkdir(parents=True)
    (folder / "Cargo.toml").write_text(WORKSPACE.format(members=f'"{name}"'))
    (folder / "Cargo.lock").write_bytes((ROOT / "tests/guests/echo/Cargo.lock").read_bytes())
    (folder / "witgen.toml").write_text("")
    (folder / name / "Cargo.toml").write_text(CRATE.format(name=name))
    (source / "lib.rs").write_bytes((GUESTS / name / "guest.rs").read_bytes())
    (source / "support.rs").write_bytes((ROOT / "tests/guests/family/support.rs").read_bytes())
    contract = [*PACKAGES, GUESTS / name / f"{name}.wit"]
    stubs = target_for(contract, name, "rust", source / "bindings.rs")
    adapter = target_for(contract, name, "python", folder / f"{name}.py")
    write_all(generate([stubs, adapter], ROOT))
    [component] = build(None, root=folder, echo=lambda line: None)
    return component, import_file(folder / f"{name}.py", f"wasi_{name}")

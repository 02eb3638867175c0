"""The guests of `tests/guests/family`: one world each, built on stubs that were just generated, and their adapters."""

from __future__ import annotations

import functools
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.tools import import_file
from witgen import runtime as rt
from witgen.build import TARGET, build
from witgen.emit.names import snake
from witgen.emit.python.naming import class_name
from witgen.files import write_all
from witgen.generate import generate, target_for

FAMILY = Path(__file__).parent / "family"
WORLDS = sorted(path.parent.name for path in FAMILY.glob("*/*.wit"))
#: Worlds that not every tool chain can build: names for interfaces, the standard library.
NOT_EVERYWHERE = {"labels", "std-guest"}
#: Worlds whose components import more than the contract says, which is no reason not to build them.
UNSTAMPED = {"std-guest"}

WORKSPACE = """\
[workspace]
resolver = "2"
members = [{members}]

[profile.release]
opt-level = "s"
lto = true
codegen-units = 1
panic = "abort"
"""
CRATE = """\
[package]
name = "{name}"
version = "0.1.0"
edition = "2021"
publish = false

[lib]
crate-type = ["cdylib"]

[dependencies]
dlmalloc = {{ version = "0.2", default-features = false }}
"""
_TARGET = """
[contract.{name}]
roots = ["{name}/{name}.wit"]

[[generate]]
contract = "{name}"
rust = "{name}/src/bindings.rs"
"""


def has_std() -> bool:
    """Whether the compiler that builds guests has the standard library for them."""
    command = ["rustc", "--print", "target-libdir", "--target", TARGET]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return not done.returncode and any(Path(done.stdout.strip()).glob("libstd-*.rlib"))


def contract(name: str) -> Path:
    """The contract of a world."""
    return FAMILY / name / f"{name}.wit"


def make_workspace(folder: Path, names: list[str]) -> None:
    """Writes a Cargo workspace with the guests of some worlds, their stubs, and the ``witgen.toml`` of these."""
    (folder / "Cargo.toml").write_text(WORKSPACE.format(members=", ".join(f'"{name}"' for name in names)))
    shutil.copy(FAMILY.parent / "echo/Cargo.lock", folder / "Cargo.lock")
    (folder / "witgen.toml").write_text("".join(_TARGET.format(name=name) for name in names if name not in UNSTAMPED))
    for name in names:
        source = folder / name / "src"
        source.mkdir(parents=True)
        (folder / name / "Cargo.toml").write_text(CRATE.format(name=name))
        shutil.copy(contract(name), folder / name)
        shutil.copy(FAMILY / name / "guest.rs", source / "lib.rs")
        shutil.copy(FAMILY / "support.rs", source)
    stubs = [
        target_for([folder / name / f"{name}.wit"], None, "rust", folder / name / "src/bindings.rs") for name in names
    ]
    write_all(generate(stubs, folder))


def build_family(folder: Path, names: list[str]) -> dict[str, Path]:
    """The components of some worlds, built in a folder."""
    make_workspace(folder, names)
    built = {path.stem: path for path in build(None, root=folder, echo=lambda line: None)}
    return {name: built[name.replace("-", "_")] for name in names}


def load_adapter(folder: Path, contract: Path, world: str | None = None) -> ModuleType:
    """The adapter of a world, generated into a folder and imported."""
    path = folder / f"{snake(contract.stem)}.py"
    write_all(generate([target_for([contract], world, "python", path)], FAMILY))
    return import_file(path, f"family_{path.stem}")


class World:
    """A world of the family, its component and its adapter."""

    def __init__(self, name: str, path: Path, folder: Path) -> None:
        self.name, self.path, self._folder = name, path, folder

    @functools.cached_property
    def component(self) -> rt.Component:
        return rt.Component.from_file(self.path)

    @functools.cached_property
    def adapter(self) -> ModuleType:
        return load_adapter(self._folder, contract(self.name))

    def instance(self, /, **imports: Any) -> Any:
        """A new instance of the component with what it imports."""
        class_ = class_name(self.name)
        arguments = [getattr(self.adapter, f"{class_}Imports")(**imports)] if imports else []
        return getattr(self.adapter, class_)(self.component, *arguments)

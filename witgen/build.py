"""``witgen build``: Rust guests to components, with whatever compiler a machine has.

A guest is an ordinary Cargo crate, so this only finds the tools and runs ``cargo build``: with the ``wasm32-wasip2``
target of rustup where it is there, else with Debian's compiler, which builds ``core`` and ``alloc`` from their sources
and borrows the linker for components. Paths of the machine are kept out of what is built. A component whose contract
the project file knows gets its stamp.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from witgen.contract.stamping import contract_of, put_stamp, stamp_for
from witgen.diagnostics import Note, WitError
from witgen.project import FILE_NAME

__all__ = ["build"]

TARGET = "wasm32-wasip2"
_SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class _Compiler:
    """A way to build for the target: the cargo to run, with more arguments, environment and flags for rustc.

    `library` is the folder in which the sources of Rust's library may lie, and what it is called in what is built.
    """

    name: str
    cargo: Path
    library: tuple[Path, str]
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()


def build(crate: str | None, *, root: Path, offline: bool = False, echo: Callable[[str], None]) -> list[Path]:
    """Builds one guest of the Cargo workspace of `root`, or all, and gives the components, stamped.

    `echo` is told what is done. Raises `WitError` where there is no workspace, no such crate, no compiler, the build
    fails, or a component does not keep the contract that it is built for; cargo's own messages go to stderr as they
    come.
    """
    workspace = _workspace(root)
    members = _members(workspace)
    if crate is not None and crate not in members:
        close = difflib.get_close_matches(crate, members, n=1)
        notes = [Note(f"did you mean `{close[0]}`?" if close else f"there are: {', '.join(sorted(members))}")]
        raise WitError.at(str(workspace / "Cargo.toml"), f"there is no crate {crate} in the workspace", *notes)
    compiler = _find_compiler()
    echo(f"building {crate or 'all guests'} for {TARGET} with {compiler.name}")
    command = [str(compiler.cargo), "build", "--release", "--target", TARGET, *compiler.arguments]
    command += ["--message-format", "json-render-diagnostics"]
    command += ["-p", crate] if crate else ["--workspace"]
    command += ["--offline"] if offline else []
    environment = {**os.environ, **compiler.environment}
    environment.pop("RUSTFLAGS", None)
    remapped = _remapped(workspace, compiler, _packages(compiler, workspace, environment, offline))
    environment["CARGO_ENCODED_RUSTFLAGS"] = _SEPARATOR.join([*compiler.flags, *remapped])
    done = subprocess.run(command, cwd=workspace, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise WitError.at(crate or str(workspace), f"cargo ended with {done.returncode}")
    components = sorted(_components(done.stdout))
    for component, folder in components:
        _stamp(component, folder, echo)
    return [component for component, _ in components]


def _components(messages: str) -> Iterator[tuple[Path, Path]]:
    """The components among the artefacts that cargo tells of, each with the folder of its crate."""
    for line in messages.splitlines():
        message = json.loads(line) if line.startswith("{") else {}
        if message.get("reason") == "compiler-artifact" and "cdylib" in message["target"]["kind"]:
            folder = Path(message["manifest_path"]).parent
            yield from ((Path(name), folder) for name in message["filenames"] if name.endswith(".wasm"))


def _stamp(component: Path, crate: Path, echo: Callable[[str], None]) -> None:
    """Stamps a component with the contract of its crate, where that is known."""
    target = contract_of(crate)
    if target is None:
        echo(
            f"{component.name}: not stamped: {FILE_NAME} has no world, or several, whose Rust stubs lie in {crate.name}"
        )
        return
    stamp = stamp_for(target)
    put_stamp(component, stamp)
    echo(f"{component.name}: stamped for {stamp.world}, sha256:{stamp.digests.digest}")


def _workspace(root: Path) -> Path:
    for folder in (root.resolve(), *root.resolve().parents):
        path = folder / "Cargo.toml"
        if path.is_file() and "workspace" in _toml(path):
            return folder
    raise WitError.at("Cargo.toml", f"no Cargo workspace in {root.resolve()} or above")


def _members(workspace: Path) -> set[str]:
    patterns = _toml(workspace / "Cargo.toml")["workspace"].get("members", [])
    folders = [folder for pattern in patterns for folder in workspace.glob(pattern)]
    manifests = [folder / "Cargo.toml" for folder in folders if (folder / "Cargo.toml").is_file()]
    return {_toml(manifest)["package"]["name"] for manifest in manifests}


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise WitError.at(str(path), f"can't be read: {error}") from None


def _packages(
    compiler: _Compiler, workspace: Path, environment: Mapping[str, str], offline: bool
) -> list[dict[str, Any]]:
    """What cargo tells of the packages that the target needs; it fetches those that are not there."""
    command = [str(compiler.cargo), "metadata", "--format-version", "1", "--filter-platform", TARGET]
    command += ["--offline"] if offline else []
    done = subprocess.run(command, cwd=workspace, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise WitError.at(str(workspace), f"cargo metadata ended with {done.returncode}")
    packages: list[dict[str, Any]] = json.loads(done.stdout)["packages"]
    return packages


def _remapped(workspace: Path, compiler: _Compiler, packages: list[dict[str, Any]]) -> list[str]:
    """Flags that keep the folders of this machine out of the component.

    A crate is called by name and version wherever cargo has it from: a registry's folder, a mirror's, a vendored one.
    """
    pairs = [(workspace, "."), compiler.library]
    for package in packages:
        folder = Path(package["manifest_path"]).parent
        if package["source"] is not None or not folder.is_relative_to(workspace):
            pairs.append((folder, f"crates/{package['name']}-{package['version']}"))
    return [f"--remap-path-prefix={old}={new}" for old, new in pairs]


def _find_compiler() -> _Compiler:
    found = _rustup() or _debian()
    if found is None:
        commands = ("rustup target add wasm32-wasip2", "scripts/setup_toolchain.sh")
        notes = [Note(f"run `{command}`") for command in commands]
        raise WitError.at("cargo", f"no Rust that builds for {TARGET} was found", *notes)
    return found


def _rustup() -> _Compiler | None:
    """The cargo of the PATH, or of rustup's folder, if its compiler has the target."""
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    for cargo in (shutil.which("cargo"), home / "bin" / "cargo"):
        rustc = None if cargo is None else Path(cargo).parent / "rustc"
        if cargo is None or rustc is None or not rustc.exists():
            continue
        done = subprocess.run([rustc, "--print", "sysroot"], capture_output=True, text=True)
        rustlib = Path(done.stdout.strip()) / "lib/rustlib"
        if not done.returncode and (rustlib / TARGET / "lib").is_dir():
            return _Compiler("cargo", Path(cargo), (rustlib / "src/rust", f"/rustc/{_commit(Path(rustc))}"))
    return None


def _commit(rustc: Path) -> str:
    """The commit that a compiler was built from, by which it calls its library where it has no sources of it."""
    done = subprocess.run([rustc, "--version", "--verbose"], capture_output=True, text=True)
    found = re.search("^commit-hash: (.+)$", done.stdout, re.MULTILINE)
    return "unknown" if found is None else found[1]


def _debian() -> _Compiler | None:
    """Debian's compiler with the sources of its library, and a linker from wherever there is one."""
    cargo, rustc = Path("/usr/bin/cargo"), Path("/usr/bin/rustc")
    sources = next(iter(sorted(Path("/usr/src").glob("rustc-*/library/core"))), None)
    linker = _component_linker()
    if not cargo.exists() or not rustc.exists() or sources is None or linker is None:
        return None
    wasm_ld = _wasm_linker(linker)
    if wasm_ld is None:
        return None
    return _Compiler(
        "Debian's cargo, which builds the library first",
        cargo,
        (Path("/usr/src"), "src"),
        arguments=("-Zbuild-std=core,alloc",),
        environment={
            "RUSTC": str(rustc),
            "RUSTC_BOOTSTRAP": "1",
            "CARGO_TARGET_WASM32_WASIP2_LINKER": str(linker),
        },
        flags=("-Clink-self-contained=no", f"-Clink-arg=--wasm-ld-path={wasm_ld}"),
    )


def _component_linker() -> Path | None:
    on_path = shutil.which("wasm-component-ld")
    if on_path is not None:
        return Path(on_path)
    rustup = Path(os.environ.get("RUSTUP_HOME", Path.home() / ".rustup"))
    cargo = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    places = [cargo / "bin/wasm-component-ld", *rustup.glob("toolchains/*/lib/rustlib/*/bin/wasm-component-ld")]
    return next((place for place in sorted(places) if place.exists()), None)


def _wasm_linker(component_linker: Path) -> Path | None:
    beside = component_linker.parent / "gcc-ld" / "wasm-ld"
    if beside.exists():
        return beside
    found = shutil.which("wasm-ld") or next((str(p) for p in sorted(Path("/usr/bin").glob("wasm-ld-*"))), None)
    return None if found is None else Path(found)

"""Small components with contract, lock and manifest, in the versions that a test needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import wasmtime
from click.testing import CliRunner

from witgen.cli import main
from witgen.contract.lock_file import read_lock

_RANDOM = {"random": "get-random-u64", "insecure": "get-insecure-random-u64"}
_ONE = {"roll": "u64"}


def make(
    folder: Path,
    *,
    version: str = "1.0.0",
    contract: str = "1.0.0",
    exports: Mapping[str, Mapping[str, str]] | None = None,
    imports: Sequence[str] = (),
) -> Path:
    """A folder with ``component.toml``, ``app.wasm`` and ``wit.lock``.

    `version` is that of the component, `contract` that of its package, `exports` its interfaces with their functions
    and results, `imports` interfaces of wasi:random that it uses beside its world.
    """
    folder.mkdir(parents=True)
    interfaces = exports or {"dice": _ONE}
    (folder / "app.wit").write_text(_contract(contract, interfaces))
    done = CliRunner().invoke(main, ["hash", str(folder / "app.wit"), "--lock", str(folder / "wit.lock"), "--write"])
    assert done.exit_code == 0, done.output
    (folder / "app.wasm").write_bytes(wasmtime.wat2wasm(_component(contract, interfaces, imports)))
    digest = read_lock(folder / "wit.lock").entries[f"test:app@{contract}", "world", "app"]
    granted = ", ".join(f'"wasi:random/{name}"' for name in imports)
    (folder / "component.toml").write_text(
        f'# As it was written: "ä"\nname = "app"\nversion = "{version}"\nworld = "test:app/app@{contract}"\n'
        f'digest = "{digest}"\ncapabilities = [{granted}]\n\n[limits]\nseconds = 5\n'
    )
    return folder


def _contract(version: str, exports: Mapping[str, Mapping[str, str]]) -> str:
    lines = [f"package test:app@{version};"]
    for name, functions in exports.items():
        lines.append(
            f"interface {name} {{ {' '.join(f'{one}: func() -> {result};' for one, result in functions.items())} }}"
        )
    return "\n".join([*lines, f"world app {{ {' '.join(f'export {name};' for name in exports)} }}"])


def _component(version: str, exports: Mapping[str, Mapping[str, str]], imports: Sequence[str]) -> str:
    """The text of a component whose functions all give 6."""
    before = [
        f'(import "wasi:random/{name}@0.2.6" (instance ${name} (export "{_RANDOM[name]}" (func (result u64)))))'
        for name in imports
    ]
    module, after = [], []
    for interface, functions in exports.items():
        members = []
        for name, result in functions.items():
            core = "i64" if result.endswith("64") else "i32"
            module.append(f'(func (export "{interface}.{name}") (result {core}) {core}.const 6)')
            lift = f'(canon lift (core func $i "{interface}.{name}"))'
            after.append(f"(func ${interface}.{name} (result {result}) {lift})")
            members.append(f'(export "{name}" (func ${interface}.{name}))')
        after.append(f"(instance ${interface}-own {' '.join(members)})")
        after.append(f'(export "test:app/{interface}@{version}" (instance ${interface}-own))')
    whole = ["(component", *before, "(core module $m", *module, ")", "(core instance $i (instantiate $m))", *after, ")"]
    return "\n".join(whole)

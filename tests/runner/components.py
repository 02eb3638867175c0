"""A small component with a contract, a lock, a manifest and an adapter of its own, made on the spot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wasmtime
from click.testing import CliRunner

from tests.tools import import_file
from witgen.cli import main
from witgen.contract.lock_file import read_lock

CONTRACT = """
package test:app@1.0.0;
interface dice { roll: func() -> u64; }
world app { export dice; }
"""
#: It rolls what `wasi:random` and the clock say, which its world does not speak of: as with tool chains.
COMPONENT = """
(component
  (import "wasi:random/random@0.2.6" (instance $random (export "get-random-u64" (func (result u64)))))
  (import "wasi:clocks/monotonic-clock@0.2.6" (instance $clock (export "now" (func (result u64)))))
  (core func $draw (canon lower (func $random "get-random-u64")))
  (core func $now (canon lower (func $clock "now")))
  (core module $m
    (import "host" "draw" (func $draw (result i64)))
    (import "host" "now" (func $now (result i64)))
    (func (export "roll") (result RESULT) CODE))
  (core instance $i (instantiate $m (with "host" (instance
    (export "draw" (func $draw)) (export "now" (func $now))))))
  (func $roll (result TYPE) (canon lift (core func $i "roll")))
  (instance $dice (export "roll" (func $roll)))
  (export "test:app/dice@1.0.0" (instance $dice)))
"""
CAPABILITIES = ("wasi:random", "wasi:clocks/monotonic-clock")


@dataclass(frozen=True)
class App:
    """A folder with ``component.toml``, ``app.wasm`` and ``wit.lock``."""

    folder: Path

    @property
    def manifest(self) -> Path:
        return self.folder / "component.toml"

    def digests(self) -> tuple[str, str]:
        """Those of world and interface, by the lock."""
        entries = read_lock(self.folder / "wit.lock").entries
        return entries["test:app@1.0.0", "world", "app"], entries["test:app@1.0.0", "interface", "dice"]

    def claim(self, *more: str, capabilities: tuple[str, ...] = CAPABILITIES, **changed: str) -> None:
        """Writes the manifest; `more` are lines at its end, `changed` values of its keys."""
        world, interface = self.digests()
        keys = {"name": "app", "version": "1.0.0", "world": "test:app/app@1.0.0", "digest": world} | changed
        lines = [*(f'{key} = "{value}"' for key, value in keys.items()), f"capabilities = {list(capabilities)}"]
        lines += [] if "[interfaces]" in more else ["[interfaces]", f'"test:app/dice@1.0.0" = "{interface}"']
        self.manifest.write_text("\n".join([*lines, *more]) + "\n")

    def compile(self, code: str = "(i64.add (call $draw) (call $now))", type_: str = "u64") -> None:
        """Writes the component."""
        text = COMPONENT.replace("CODE", code).replace("TYPE", type_)
        text = text.replace("RESULT", "i64" if type_.endswith("64") else "i32")
        (self.folder / "app.wasm").write_bytes(wasmtime.wat2wasm(text))

    def adapter(self) -> Any:
        """The generated module."""
        _witgen("generate", str(self.folder / "app.wit"), "--lang", "python", "-o", str(self.folder / "adapter.py"))
        return import_file(self.folder / "adapter.py", "test_app_adapter")


def make_app(folder: Path) -> App:
    """A component that may be loaded."""
    (folder / "app.wit").write_text(CONTRACT)
    _witgen("hash", str(folder / "app.wit"), "--lock", str(folder / "wit.lock"), "--write")
    app = App(folder)
    app.compile()
    app.claim()
    return app


def _witgen(*arguments: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output

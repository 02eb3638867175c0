"""Components written in WAT, and adapters generated for them from WIT, for tests of the runtime."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from pathlib import Path
from types import ModuleType

import wasmtime

from tests.tools import import_file
from witgen import runtime as rt
from witgen.emit import python
from witgen.resolve import load, select_world

_numbers = itertools.count()
#: The text of each adapter that was asked for of late: large contracts serve several modules of tests.
_generated: dict[tuple[str, frozenset[str]], str] = {}
_KEPT = 200

#: A memory of one page and an allocator that never frees, as a guest's library would bring them.
LIBRARY = """
  (core module $libc
    (memory (export "memory") 1)
    (global $top (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local i32)
      (local.set 4 (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
      (global.set $top (i32.add (local.get 4) (local.get 3)))
      (block $enough (loop $grow
        (br_if $enough (i32.le_u (global.get $top) (i32.mul (memory.size) (i32.const 65536))))
        (drop (memory.grow (i32.const 1)))
        (br $grow)))
      (memory.copy (local.get 4) (local.get 0)
        (select (local.get 1) (local.get 3) (i32.lt_u (local.get 1) (local.get 3))))
      (local.get 4)))
  (core instance $libc (instantiate $libc))
  (alias core export $libc "memory" (core memory $memory))
  (alias core export $libc "realloc" (core func $realloc))
"""


def adapter(folder: Path, wit: str, *, provided: Collection[str] = ()) -> ModuleType:
    """The module that witgen generates for the only world of a package given as text."""
    contract = folder / "contract.wit"
    contract.write_text(wit)
    name = f"generated_adapter_{next(_numbers)}"
    path = folder / f"{name}.py"
    key = wit, frozenset(provided)
    if key not in _generated:
        loaded = load([contract])
        world = select_world(loaded, None)
        _generated[key] = python.emit(loaded.resolve, world, source="contract.wit", provided=provided)
    if len(_generated) > _KEPT:
        _generated.pop(next(iter(_generated)))
    path.write_text(_generated[key])
    return import_file(path, name)


def component(wat: str) -> rt.Component:
    """A component from its text, with `LIBRARY` in front of what it defines."""
    return rt.Component(component_bytes(wat))


def component_bytes(wat: str) -> bytes:
    """The binary form of such a component."""
    return bytes(wasmtime.wat2wasm(f"(component {LIBRARY} {wat})"))

"""The slots in which core values cross: each is filled whole, is checked, and is read where the engine has it."""

from __future__ import annotations

import ctypes
import struct
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.support import adapter, component
from witgen import runtime as rt
from witgen.runtime.core import Slots

#: Each function gives back its last argument as the core value that it is.
NARROW_WIT = """
package t:narrow;
world w {
  export one-u8: func(a: u8) -> u32;
  export one-bool: func(a: bool) -> u32;
  export third-u16: func(a: s64, b: s16, c: u16) -> u32;
  export fifth-u8: func(a: u32, b: u32, c: u32, d: u32, e: u8) -> u32;
  export one-s8: func(a: s8) -> u32;
  export option-u8: func(a: option<u8>) -> u32;
}
"""
NARROW = """
  (core module $m
    (func (export "one") (param i32) (result i32) local.get 0)
    (func (export "two") (param i32 i32) (result i32) local.get 1)
    (func (export "three") (param i64 i32 i32) (result i32) local.get 2)
    (func (export "five") (param i32 i32 i32 i32 i32) (result i32) local.get 4))
  (core instance $i (instantiate $m))
  (func (export "one-u8") (param "a" u8) (result u32) (canon lift (core func $i "one")))
  (func (export "one-bool") (param "a" bool) (result u32) (canon lift (core func $i "one")))
  (func (export "one-s8") (param "a" s8) (result u32) (canon lift (core func $i "one")))
  (func (export "option-u8") (param "a" (option u8)) (result u32) (canon lift (core func $i "two")))
  (func (export "third-u16") (param "a" s64) (param "b" s16) (param "c" u16) (result u32)
    (canon lift (core func $i "three")))
  (func (export "fifth-u8") (param "a" u32) (param "b" u32) (param "c" u32) (param "d" u32) (param "e" u8) (result u32)
    (canon lift (core func $i "five")))
"""


@pytest.mark.parametrize(
    ("name", "arguments", "core"),
    [
        ("one_u8", (1,), 1),
        ("one_bool", (True,), 1),
        ("third_u16", (-1, -1, 1), 1),
        ("fifth_u8", (0, 0, 0, 0, 1), 1),
        ("one_s8", (-1,), 0xFFFFFFFF),
        ("option_u8", (1,), 1),
    ],
)
def test_a_narrow_argument_is_a_core_value_whatever_lay_in_its_slot(
    tmp_path: Path, name: str, arguments: tuple[Any, ...], core: int
) -> None:
    guest = adapter(tmp_path, NARROW_WIT).W(component(NARROW))
    buffer = getattr(guest, f"_{name}").buffer
    buffer[:] = b"\xff" * (len(buffer) - 8) + bytes(8)
    assert getattr(guest, name)(*arguments) == core


DEEP_WIT = """
package t:deep;
world w {
  import told: func(a: u32, b: s64, c: f64) -> s64;
  export dive: func(depth: u32) -> s64;
}
"""
#: Calls the host at each depth, with arguments made of the depth, and adds up what that gives.
DEEP = """
  (import "told" (func $told (param "a" u32) (param "b" s64) (param "c" f64) (result s64)))
  (core func $told' (canon lower (func $told)))
  (core module $m
    (import "" "told" (func $told (param i32 i64 f64) (result i64)))
    (func $dive (export "dive") (param i32) (result i64)
      (if (result i64) (local.get 0)
        (then (i64.add
          (call $told
            (local.get 0)
            (i64.sub (i64.const 0) (i64.extend_i32_u (local.get 0)))
            (f64.convert_i32_u (local.get 0)))
          (call $dive (i32.sub (local.get 0) (i32.const 1)))))
        (else (i64.const 0)))))
  (core instance $i (instantiate $m (with "" (instance (export "told" (func $told'))))))
  (func (export "dive") (param "depth" u32) (result s64) (canon lift (core func $i "dive")))
"""


def test_host_code_is_given_its_arguments_at_every_depth_of_the_stack(tmp_path: Path) -> None:
    seen: list[tuple[int, int, float]] = []

    def told(a: int, b: int, c: float) -> int:
        seen.append((a, b, c))
        return b

    module = adapter(tmp_path, DEEP_WIT)
    guest = module.W(component(DEEP), module.WImports(told=told))
    depth = 2 * Slots.MOST + 10
    for _ in range(2):
        seen.clear()
        assert guest.dive(depth) == -depth * (depth + 1) // 2
        assert seen == [(n, -n, float(n)) for n in range(depth, 0, -1)]


def test_views_of_slots_are_made_once_an_address_and_are_not_kept_without_end() -> None:
    room = bytearray(16 * (Slots.MOST + 1))
    base = _address(room)
    slots = Slots("I", 1)
    first = slots[base]
    first[0] = 5
    assert room[:4] == b"\5\0\0\0" and slots[base] is first
    for number in range(Slots.MOST + 1):
        slots[base + 16 * number][0] = number
    assert 0 < len(slots) <= Slots.MOST
    assert [room[16 * n] | room[16 * n + 1] << 8 for n in range(Slots.MOST + 1)] == [*range(Slots.MOST + 1)]


def _address(buffer: bytearray) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(buffer))


RESULTS = {
    "bool": ("bool", "i32", True, None),
    "u8": ("u8", "i32", 255, 256),
    "s8": ("s8", "i32", -128, 128),
    "u16": ("u16", "i32", 65535, -1),
    "s16": ("s16", "i32", -1, 32768),
    "u32": ("u32", "i32", (1 << 32) - 1, 1 << 32),
    "s32": ("s32", "i32", -(1 << 31), 1 << 31),
    "u64": ("u64", "i64", (1 << 64) - 1, -1),
    "s64": ("s64", "i64", -(1 << 63), 1 << 63),
    "f32": ("f32", "f32", -1.5, 1e300),
    "f64": ("f64", "f64", 1 / 3, None),
    "char": ("char", "i32", "🎉", "\ud800"),
}


@pytest.mark.parametrize("name", RESULTS)
def test_what_host_code_returns_is_a_core_value_or_refused(tmp_path: Path, name: str) -> None:
    type_, core, good, bad = RESULTS[name]
    module = adapter(
        tmp_path, f"package t:r; world w {{ import get: func() -> {type_}; export put: func() -> {type_}; }}"
    )
    compiled = component(f"""
      (import "get" (func $get (result {type_})))
      (core func $get' (canon lower (func $get)))
      (core module $m (import "" "get" (func $get (result {core}))) (export "put" (func $get)))
      (core instance $i (instantiate $m (with "" (instance (export "get" (func $get'))))))
      (func (export "put") (result {type_}) (canon lift (core func $i "put")))
    """)
    assert module.W(compiled, module.WImports(get=lambda: good)).put() == good
    if bad is not None:
        with pytest.raises((ValueError, OverflowError)):
            module.W(compiled, module.WImports(get=lambda: bad)).put()
    if name != "bool":
        guest = module.W(compiled, module.WImports(get=lambda: None))
        with pytest.raises((TypeError, struct.error)):
            guest.put()
        with pytest.raises(rt.InstanceUnavailable):
            guest.put()

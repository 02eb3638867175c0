"""A guest that breaks a rule of the canonical ABI traps, by name; the host goes on and nothing else is harmed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.runtime.support import adapter, component
from witgen import runtime as rt

_PAIR = "(i32.store (i32.const 16) (i32.const {})) (i32.store (i32.const 20) (i32.const {})) i32.const 16"
_STRING = "(i32.store (i32.const 64) (i32.const {})) " + _PAIR.format(64, "{}")
_TAG = "(i32.store8 (i32.const 16) (i32.const {})) i32.const 16"

#: The rule, the WIT result, that type in the component's text, the body that breaks it, what the trap says.
BROKEN_RESULTS = [
    ("result area beyond memory", "string", "string", "i32.const 0x7fffff00", "outside the memory"),
    ("result area misaligned", "string", "string", "i32.const 17", "not aligned"),
    ("string beyond memory", "string", "string", _PAIR.format(65530, 7), "outside the memory"),
    ("string length that wraps", "string", "string", _PAIR.format(16, -1), "outside the memory"),
    ("string not UTF-8", "string", "string", _STRING.format("0xc3c3", 2), "not UTF-8"),
    ("string with a surrogate", "string", "string", _STRING.format("0x80a0ed", 3), "not UTF-8"),
    ("char that is a surrogate", "char", "char", "i32.const 0xd800", "not a Unicode scalar value"),
    ("char beyond Unicode", "char", "char", "i32.const 0x110000", "not a Unicode scalar value"),
    ("enum discriminant", "colour", "$colour", "i32.const 3", "discriminant"),
    ("list misaligned", "list<u32>", "(list u32)", _PAIR.format(66, 1), "not aligned"),
    ("list that overflows", "list<u64>", "(list u64)", _PAIR.format(64, "0x20000001"), "outside the memory"),
    ("option discriminant", "option<u32>", "(option u32)", _TAG.format(2), "discriminant"),
    ("variant discriminant", "choice", "$choice", _TAG.format(9), "discriminant"),
    ("result discriminant", "result<u32, u32>", "(result u32 (error u32))", _TAG.format(2), "discriminant"),
    ("handle out of nothing", "thing", "(own $thing)", "i32.const 7", "not a handle"),
    ("handle 0", "thing", "(own $thing)", "i32.const 0", "not a handle"),
    ("handle of another type", "thing", "(own $thing)", "(call $other-new (i32.const 1))", "not a thing"),
    (
        "handle dropped before",
        "thing",
        "(own $thing)",
        "(local $h i32) (local.set $h (call $thing-new (i32.const 1)))"
        " (call $thing-drop (local.get $h)) (local.get $h)",
        "not a handle",
    ),
]

WIT = """
package t:hostile;
interface api {{
  enum colour {{ red, green, blue }}
  variant choice {{ a(u32), b(string) }}
  resource thing;
  resource other;
  give: func() -> {result};
  add: func(a: u32) -> u32;
}}
world w {{ export api; }}
"""

COMPONENT = """
  (type $thing (resource (rep i32)))
  (type $other (resource (rep i32)))
  (type $colour (enum "red" "green" "blue"))
  (type $choice (variant (case "a" u32) (case "b" string)))
  (core func $thing-new (canon resource.new $thing))
  (core func $thing-drop (canon resource.drop $thing))
  (core func $other-new (canon resource.new $other))
  (core module $main
    (import "libc" "memory" (memory 1))
    (import "host" "thing-new" (func $thing-new (param i32) (result i32)))
    (import "host" "thing-drop" (func $thing-drop (param i32)))
    (import "host" "other-new" (func $other-new (param i32) (result i32)))
    (func (export "give") (result i32) {body})
    (func (export "add") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "thing-new" (func $thing-new))
      (export "thing-drop" (func $thing-drop))
      (export "other-new" (func $other-new))))))
  (func $give (result {type}) (canon lift (core func $main "give") (memory $memory) (realloc $realloc)))
  (func $add (param "a" u32) (result u32) (canon lift (core func $main "add")))
  (component $shim
    (type $colour-structure (enum "red" "green" "blue"))
    (type $choice-structure (variant (case "a" u32) (case "b" string)))
    (import "colour" (type $colour (eq $colour-structure)))
    (import "choice" (type $choice (eq $choice-structure)))
    (import "thing" (type $thing (sub resource)))
    (import "other" (type $other (sub resource)))
    (import "give" (func $give (result {type})))
    (import "add" (func $add (param "a" u32) (result u32)))
    (export $colour-out "colour" (type $colour))
    (export $choice-out "choice" (type $choice))
    (export $thing-out "thing" (type $thing))
    (export "other" (type $other))
    (export "give" (func $give) (func (result {exported})))
    (export "add" (func $add)))
  (instance $api (instantiate $shim
    (with "colour" (type $colour)) (with "choice" (type $choice))
    (with "thing" (type $thing)) (with "other" (type $other))
    (with "give" (func $give)) (with "add" (func $add))))
  (export "t:hostile/api" (instance $api))
"""


def running(folder: Path, result: str, type_: str, body: str) -> Any:
    """The interface of a running component whose `give` is declared to give `result` and does `body`."""
    exported = type_
    for name in ("$colour", "$choice", "$thing"):
        exported = exported.replace(name, f"{name}-out")
    module = adapter(folder, WIT.format(result=result))
    return module.W(component(COMPONENT.format(type=type_, exported=exported, body=body))).api


@pytest.mark.parametrize(
    ("result", "type_", "body", "says"), [row[1:] for row in BROKEN_RESULTS], ids=[row[0] for row in BROKEN_RESULTS]
)
def test_a_broken_result_is_a_trap_that_names_function_and_reason(
    tmp_path: Path, result: str, type_: str, body: str, says: str
) -> None:
    api = running(tmp_path, result, type_, body)
    assert api.add(1) == 2
    with pytest.raises(rt.Trap, match=says) as caught:
        api.give()
    # A handle that is dropped twice inside is met while the guest runs; all else when its result is read.
    assert caught.value.function == "t:hostile/api#give"
    with pytest.raises(rt.InstanceUnavailable, match="trapped before"):
        api.add(1)


def test_an_argument_out_of_range_leaves_the_instance_usable(tmp_path: Path) -> None:
    api = running(tmp_path, "char", "char", "i32.const 65")
    for wrong in (-1, 1 << 32, "1", None, 1.5):
        with pytest.raises((ValueError, TypeError)) as caught:
            api.add(wrong)
        assert caught.value.__notes__ == ["in the argument `a` of t:hostile/api#add"]
    assert api.add((1 << 32) - 1) == 0
    assert api.give() == "A"

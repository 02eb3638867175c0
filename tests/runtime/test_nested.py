"""Components inside a component: how they are put together, what each may do, and what is refused before it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import wasmtime

from tests.guests.oracle import Oracle
from tests.runtime.support import LIBRARY, adapter, component
from witgen import runtime as rt

WIT = """
package a:b;
interface api { greet: func(name: string) -> string; add: func(a: u32, b: u32) -> u32; }
world w { export api; }
"""

#: Greets with the bytes of the name and a mark behind them; adds.
INNER = f"""
(component $inner {LIBRARY}
  (core module $main
    (import "libc" "memory" (memory 1))
    (import "libc" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
    (func (export "greet") (param i32 i32) (result i32) (local i32)
      (local.set 2 (call $realloc (i32.const 0) (i32.const 0) (i32.const 1) (i32.add (local.get 1) (i32.const 1))))
      (memory.copy (local.get 2) (local.get 0) (local.get 1))
      (i32.store8 (i32.add (local.get 2) (local.get 1)) (i32.const 33))
      (i32.store (i32.const 16) (local.get 2)) (i32.store (i32.const 20) (i32.add (local.get 1) (i32.const 1)))
      (i32.const 16))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
  (core instance $main (instantiate $main (with "libc" (instance $libc))))
  (func (export "greet") (param "name" string) (result string)
    (canon lift (core func $main "greet") (memory $memory) (realloc $realloc)))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $main "add"))))
"""

_IMPORT = """
  (import "api" (instance $api
    (export "greet" (func (param "name" string) (result string)))
    (export "add" (func (param "a" u32) (param "b" u32) (result u32)))))
  (core func $greet (canon lower (func $api "greet") (memory $memory) (realloc $realloc)))
  (core func $add (canon lower (func $api "add")))
"""
_GREET = "(call $greet (local.get 0) (local.get 1) (i32.const 32)) (i32.const 32)"
_ADD = "(call $add (local.get 0) (local.get 1))"


def outer(greet: str = _GREET, add: str = _ADD, more: str = "") -> str:
    """A component that does `greet` and `add` with those that it imports; `more` functions are in its core module."""
    return f"""
    (component $outer {LIBRARY} {_IMPORT}
      (core module $main
        (import "libc" "memory" (memory 1))
        (import "host" "greet" (func $greet (param i32 i32 i32)))
        (import "host" "add" (func $add (param i32 i32) (result i32)))
        (func (export "greet") (param i32 i32) (result i32) {greet})
        (func (export "add") (param i32 i32) (result i32) {add})
        {more})
      (core instance $main (instantiate $main (with "libc" (instance $libc))
        (with "host" (instance (export "greet" (func $greet)) (export "add" (func $add))))))
      (func (export "greet") (param "name" string) (result string)
        (canon lift (core func $main "greet") (memory $memory) (realloc $realloc)))
      (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $main "add"))))
    """


_AROUND = """
  (instance $one (instantiate $inner))
  (instance $two (instantiate $outer (with "api" (instance $one))))
  (instance $api (export "greet" (func $two "greet")) (export "add" (func $two "add")))
  (export "a:b/api" (instance $api))
"""


def api(folder: Path, wat: str) -> Any:
    """The exported interface of a running component."""
    return adapter(folder, WIT).W(component(wat)).api


def agrees_with_wasmtime(folder: Path, wat: str) -> None:
    """Checks that wasmtime's own component API gives the same answers."""
    path = folder / "component.wasm"
    path.write_bytes(bytes(wasmtime.wat2wasm(f"(component {LIBRARY} {wat})")))
    oracle, here = Oracle(path, {}), api(folder, wat)
    for name in ("", "you", "\u20ac" * 100):
        assert oracle.call("a:b/api", "greet", name) == here.greet(name)
    assert oracle.call("a:b/api", "add", 40, 2) == here.add(40, 2)


def test_one_component_calls_another(tmp_path: Path) -> None:
    wat = INNER + outer() + _AROUND
    assert api(tmp_path, wat).greet("you") == "you!"
    assert api(tmp_path, wat).add(40, 2) == 42
    agrees_with_wasmtime(tmp_path, wat)


def test_a_function_lifted_in_a_component_inside_is_exported(tmp_path: Path) -> None:
    wat = INNER + """
      (instance $one (instantiate $inner))
      (instance $api (export "greet" (func $one "greet")) (export "add" (func $one "add")))
      (export "a:b/api" (instance $api))
    """
    assert api(tmp_path, wat).greet("you") == "you!"
    agrees_with_wasmtime(tmp_path, wat)


def test_two_instances_of_a_component_share_nothing(tmp_path: Path) -> None:
    counter = """
    (component $counter
      (core module $main (global $n (mut i32) (i32.const 0))
        (func (export "count") (result i32)
          (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n)))
      (core instance $main (instantiate $main))
      (func (export "count") (result u32) (canon lift (core func $main "count"))))
    (instance $a (instantiate $counter)) (instance $b (instantiate $counter))
    (export "a" (func $a "count")) (export "b" (func $b "count"))
    """
    world = adapter(tmp_path, "package a:b; world w { export a: func() -> u32; export b: func() -> u32; }").W(
        component(counter)
    )
    assert [world.a(), world.a(), world.b(), world.a()] == [1, 2, 1, 3]


def test_a_component_is_given_every_sort_of_thing(tmp_path: Path) -> None:
    wat = f"""
    (type $pair (tuple u32 u32))
    (core module $adder (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
    {INNER}
    (component $assembly
      (type $expected (tuple u32 u32))
      (import "pair" (type $pair (eq $expected)))
      (import "adder" (core module $adder (export "add" (func (param i32 i32) (result i32)))))
      (import "maker" (component $maker
        (export "greet" (func (param "name" string) (result string)))
        (export "add" (func (param "a" u32) (param "b" u32) (result u32)))))
      (import "sum" (func $sum (param "p" $pair) (result u32)))
      (core instance $adder (instantiate $adder))
      (core func $sum (canon lower (func $sum)))
      (core module $main
        (import "host" "sum" (func $sum (param i32 i32) (result i32)))
        (import "adder" "add" (func $add (param i32 i32) (result i32)))
        (func (export "add") (param i32 i32) (result i32)
          (call $sum (call $add (local.get 0) (i32.const 0)) (local.get 1))))
      (core instance $main (instantiate $main
        (with "adder" (instance $adder)) (with "host" (instance (export "sum" (func $sum))))))
      (instance $made (instantiate $maker))
      (export "greet" (func $made "greet"))
      (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $main "add"))))
    (component $summing
      (core instance $adder (instantiate $adder))
      (alias outer 1 $pair (type $pair))
      (alias outer 1 $adder (core module $again))
      (func (export "sum") (param "p" $pair) (result u32) (canon lift (core func $adder "add"))))
    (instance $summing (instantiate $summing))
    (alias export $summing "sum" (func $sum))
    (component $within
      (alias outer 1 $inner (component $given))
      (instance $of-it (instantiate $given))
      (export "add" (func $of-it "add")))
    (instance $within (instantiate $within))
    (instance $assembly (instantiate $assembly (with "pair" (type $pair)) (with "adder" (core module $adder))
      (with "maker" (component $inner)) (with "sum" (func $sum))))
    (instance $api (export "greet" (func $assembly "greet")) (export "add" (func $assembly "add")))
    (export "a:b/api" (instance $api))
    """
    agrees_with_wasmtime(tmp_path, wat)


def test_a_start_function_may_call_a_component_that_is_ready(tmp_path: Path) -> None:
    start = """
      (func $begin (i32.store (i32.const 64) (call $add (i32.const 40) (i32.const 1)))) (start $begin)
    """
    wat = INNER + outer(add="(i32.load (i32.const 64))", more=start) + _AROUND
    assert api(tmp_path, wat).add(0, 0) == 41


def test_a_trap_inside_names_the_export_and_ends_the_whole(tmp_path: Path) -> None:
    wat = INNER.replace(
        "(i32.add (local.get 0) (local.get 1))))\n  (core instance $main", "unreachable))\n  (core instance $main"
    )
    world = api(tmp_path, wat + outer() + _AROUND)
    with pytest.raises(rt.Trap, match="unreachable") as caught:
        world.add(1, 2)
    assert caught.value.function == "a:b/api#add"
    assert len(caught.value.frames) == 2
    with pytest.raises(rt.InstanceUnavailable):
        world.greet("x")


_PAIR = "(i32.store (i32.const 32) (i32.const {})) (i32.store (i32.const 36) (i32.const {})) (i32.const 32)"


@pytest.mark.parametrize(
    ("greet", "says"),
    [
        ("(call $greet (i32.const 0x10000) (i32.const 1) (i32.const 32)) (i32.const 32)", "outside the memory"),
        ("(call $greet (i32.const -1) (i32.const -1) (i32.const 32)) (i32.const 32)", "outside the memory"),
        ("(call $greet (local.get 0) (local.get 1) (i32.const 33)) (i32.const 32)", "is not aligned to 4 bytes"),
        ("(call $greet (local.get 0) (local.get 1) (i32.const 0x10000)) (i32.const 32)", "outside the memory"),
        (
            "(i32.store8 (i32.const 64) (i32.const 0xff)) (call $greet (i32.const 64) (i32.const 1) (i32.const 32))"
            " (i32.const 32)",
            "not UTF-8",
        ),
    ],
)
def test_a_caller_that_breaks_a_rule_is_a_trap(tmp_path: Path, greet: str, says: str) -> None:
    with pytest.raises(rt.Trap, match=says):
        api(tmp_path, INNER + outer(greet=greet) + _AROUND).greet("you")


@pytest.mark.parametrize(
    ("result", "says"),
    [
        ("(i32.const 17)", "is not aligned"),
        ("(i32.const 0x7fffffff)", "not aligned"),
        ("(i32.const 0x7ffffff0)", "outside the memory"),
        (_PAIR.format(0, -1), "outside the memory"),
        ("(i32.store8 (i32.const 64) (i32.const 0xc0)) " + _PAIR.format(64, 1), "not UTF-8"),
    ],
)
def test_a_callee_that_breaks_a_rule_is_a_trap(tmp_path: Path, result: str, says: str) -> None:
    wat = INNER.replace("(i32.add (local.get 1) (i32.const 1)))\n      (i32.const 16))", f"(i32.const 0)) {result})")
    assert wat != INNER
    with pytest.raises(rt.Trap, match=says):
        api(tmp_path, wat + outer() + _AROUND).greet("you")


@pytest.mark.parametrize("pointer", ["-1", "0x7fffffff"])
def test_a_realloc_inside_that_returns_nonsense_is_a_trap(tmp_path: Path, pointer: str) -> None:
    broken = INNER.replace("(local.get 4)))\n  (core instance", f"(i32.const {pointer})))\n  (core instance")
    assert broken != INNER
    with pytest.raises(rt.Trap, match="outside the memory"):
        api(tmp_path, broken + outer() + _AROUND).greet("you")


def test_a_component_can_t_call_into_the_one_around_it_nor_that_into_it(tmp_path: Path) -> None:
    down = INNER + f"""
      (instance $one (instantiate $inner))
      (alias export $one "add" (func $add))
      (core func $lowered (canon lower (func $add)))
      (core module $main (import "" "add" (func $add (param i32 i32) (result i32)))
        (func (export "add") (param i32 i32) (result i32) {_ADD}))
      (core instance $main (instantiate $main (with "" (instance (export "add" (func $lowered))))))
      (func $up (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $main "add")))
      (instance $api (export "greet" (func $one "greet")) (export "add" (func $up)))
      (export "a:b/api" (instance $api))
    """
    with pytest.raises(rt.Trap, match="might be recursive"):
        api(tmp_path, down).add(1, 2)
    up = f"""
      (core module $main
        (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
        (func (export "greet") (param i32 i32) (result i32) unreachable))
      (core instance $main (instantiate $main))
      (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $main "add")))
      (func $greet (param "name" string) (result string)
        (canon lift (core func $main "greet") (memory $memory) (realloc $realloc)))
      (instance $own (export "add" (func $add)) (export "greet" (func $greet)))
      {outer()}
      (instance $two (instantiate $outer (with "api" (instance $own))))
      (instance $api (export "greet" (func $two "greet")) (export "add" (func $two "add")))
      (export "a:b/api" (instance $api))
    """
    with pytest.raises(rt.Trap, match="might be recursive"):
        api(tmp_path, up).add(1, 2)


def test_a_post_return_runs_once_the_caller_has_the_result(tmp_path: Path) -> None:
    spoil = '(func (export "post") (param i32) (i32.store8 (i32.load (i32.const 16)) (i32.const 63)))'
    inner = INNER.replace('(func (export "add")', f'{spoil} (func (export "add")', 1).replace(
        "(memory $memory) (realloc $realloc)))",
        '(memory $memory) (realloc $realloc) (post-return (core func $main "post"))))',
    )
    assert inner.count("post") == 3
    greets = f"{_GREET} drop {_GREET}"
    world = api(tmp_path, inner + outer(greet=greets) + _AROUND)
    assert [world.greet("you"), world.greet("me")] == ["you!", "me!"]


_CALLS_OUT = """
  (core module $indirect
    (table (export "table") 1 funcref)
    (type $t (func))
    (func (export "call") (call_indirect (type $t) (i32.const 0))))
  (core instance $indirect (instantiate $indirect))
"""

_LEAVING = """
  (import "tick" (func $tick))
  {calls_out}
  (type $r (resource (rep i32)))
  (core func $tick (canon lower (func $tick)))
  (core func $new (canon resource.new $r))
  (core func $drop (canon resource.drop $r))
  (core module $main
    (import "" "call" (func $call))
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc} (i32.const 64))
    (func (export "post") (param i32) {post})
    (func (export "size") (param i32 i32) (result i32) (local.get 1)))
  (core instance $main (instantiate $main (with "" (instance (export "call" (func $indirect "call"))))))
  (core module $fill
    (import "" "table" (table 1 funcref))
    (import "" "tick" (func $tick))
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func $leave {leave})
    (elem (i32.const 0) $leave))
  (core instance (instantiate $fill (with "" (instance (export "table" (table $indirect "table"))
    (export "tick" (func $tick)) (export "new" (func $new)) (export "drop" (func $drop))))))
  (func (export "size") (param "text" string) (result u32) (canon lift (core func $main "size")
    (memory (core memory $main "memory")) (realloc (core func $main "realloc")) (post-return (core func $main "post"))))
"""


@pytest.mark.parametrize("place", ["realloc", "post"])
@pytest.mark.parametrize("leave", ["(call $tick)", "(drop (call $new (i32.const 1)))", "(call $drop (i32.const 1))"])
@pytest.mark.parametrize("inside", [False, True])
def test_neither_realloc_nor_post_return_may_call_out(tmp_path: Path, place: str, leave: str, inside: bool) -> None:
    calls = {"realloc": "", "post": "", place: "(call $call)"}
    text = _LEAVING.format(calls_out=_CALLS_OUT, leave=leave, **calls)
    if inside:
        text = f"""
          (import "tick" (func $tick))
          (component $one {text})
          (instance $one (instantiate $one (with "tick" (func $tick))))
          (component $two {LIBRARY}
            (import "size" (func $size (param "text" string) (result u32)))
            (core func $size (canon lower (func $size) (memory $memory)))
            (core module $main
              (import "" "size" (func $size (param i32 i32) (result i32)))
              (func (export "size") (param i32 i32) (result i32) (call $size (local.get 0) (local.get 1))))
            (core instance $main (instantiate $main (with "" (instance (export "size" (func $size))))))
            (func (export "size") (param "text" string) (result u32)
              (canon lift (core func $main "size") (memory $memory) (realloc $realloc))))
          (instance $two (instantiate $two (with "size" (func $one "size"))))
          (export "size" (func $two "size"))
        """
    wit = adapter(tmp_path, "package a:b; world w { import tick: func(); export size: func(text: string) -> u32; }")
    ticks: list[int] = []
    world = wit.W(component(text), wit.WImports(tick=lambda: ticks.append(1)))
    with pytest.raises(rt.Trap, match="realloc or post-return called an import or a resource built-in") as caught:
        world.size("four")
    assert caught.value.function == "size"
    assert ticks == []


def test_a_component_may_call_out_again_after_realloc_and_post_return(tmp_path: Path) -> None:
    text = _LEAVING.format(calls_out=_CALLS_OUT, leave="(call $tick)", realloc="", post="").replace(
        "(local.get 1)))\n  (core instance $main", "(call $call) (local.get 1)))\n  (core instance $main"
    )
    wit = adapter(tmp_path, "package a:b; world w { import tick: func(); export size: func(text: string) -> u32; }")
    ticks: list[int] = []
    world = wit.W(component(text), wit.WImports(tick=lambda: ticks.append(1)))
    assert [world.size("four"), world.size("seven")] == [4, 5]
    assert ticks == [1, 1]


def test_what_a_host_raises_comes_through_two_components_unchanged(tmp_path: Path) -> None:
    wat = f"""
      (import "a:b/api" (instance $host
        (export "greet" (func (param "name" string) (result string)))
        (export "add" (func (param "a" u32) (param "b" u32) (result u32)))))
      {outer()}
      (instance $one (instantiate $outer (with "api" (instance $host))))
      (instance $two (instantiate $outer (with "api" (instance $one))))
      (instance $api (export "greet" (func $two "greet")) (export "add" (func $two "add")))
      (export "a:b/api" (instance $api))
    """
    wit = adapter(tmp_path, WIT.replace("export api", "import api; export api"))

    class Host:
        def greet(self, name: str) -> str:
            raise KeyError(name)

        def add(self, a: int, b: int) -> int:
            return a * b

    world = wit.W(component(wat), wit.WImports(api=Host()))
    assert world.api.add(6, 7) == 42
    with pytest.raises(KeyError, match="you"):
        world.api.greet("you")


@pytest.mark.parametrize(
    ("wat", "says"),
    [
        ("(core func (canon task.cancel))", "task.cancel"),
        ("(core func (canon waitable-set.new))", "waitable-set.new"),
        ('(import "f" (func $f async))', "async functions"),
        ('(import "f" (func $f)) (core func (canon lower (func $f) async (memory $memory)))', "async functions"),
        ("(type (stream u8))", "values of type stream"),
        ("(type (future))", "values of type future"),
        ('(import "f" (func (param "x" error-context)))', "values of type error-context"),
        ('(core module (memory (export "m") i64 1))', "64-bit or shared memories"),
        ('(core module (memory (export "m") 1 1 shared))', "64-bit or shared memories"),
        ('(import "m" (core module))', "the import of a core module"),
        ('(import "c" (component))', "the import of a component"),
        ("(component (core func (canon task.cancel)))", "task.cancel"),
    ],
)
def test_what_can_t_be_run_is_refused_by_name_before_anything_runs(tmp_path: Path, wat: str, says: str) -> None:
    wit = adapter(tmp_path, "package a:b; world w { import tick: func(); }")
    boom = "(core module $boom (func $f unreachable) (start $f)) (core instance (instantiate $boom))"
    with pytest.raises(rt.UnsupportedComponent, match=says):
        wit.W(component(boom + wat), wit.WImports(tick=lambda: None))


@pytest.mark.parametrize(
    ("type_", "says"),
    [
        ("(type $t (func))", "what is no type of values stands where one is wanted"),
        ("(type $n u8) (type $t (own $n))", "refers to a type that is no resource"),
        ("(type $t u64)", "has another core type than the canonical ABI gives it"),
        ("(type $t string)", "has another core type than the canonical ABI gives it"),
    ],
)
def test_parts_that_do_not_fit_are_refused(tmp_path: Path, type_: str, says: str) -> None:
    wat = f"""
    (component $a {LIBRARY} {type_}
      (core module $main (func (export "f") (param i32)))
      (core instance $main (instantiate $main))
      (func (export "f") (param "a" $t) (canon lift (core func $main "f") (memory $memory) (realloc $realloc))))
    (component $b {LIBRARY} {type_}
      (import "f" (func $f (param "a" $t)))
      (core func (canon lower (func $f) (memory $memory) (realloc $realloc))))
    (instance $a (instantiate $a))
    (instance $b (instantiate $b (with "f" (func $a "f"))))
    """
    wit = adapter(tmp_path, "package a:b; world w { import tick: func(); }")
    with pytest.raises(rt.LinkError, match=says):
        wit.W(component(wat), wit.WImports(tick=lambda: None))

"""Arguments and return areas by which a guest breaks a rule of the canonical ABI, and the code that runs in between.

Each breach is a trap that names function and reason, reaches no code of the host, and poisons the instance; what the
rules let pass arrives as the value that they say.
"""

from __future__ import annotations

import functools
import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import wasmtime

from tests.runtime.support import LIBRARY, adapter
from witgen import runtime as rt

_MANY = 300
#: Types with names, in WIT; those of many cases come only where they are used.
_DEFINITIONS = {
    "colour": "enum colour { red, green, blue }",
    "many": f"enum many {{ {', '.join(f'c{i}' for i in range(_MANY))} }}",
    "choice": "variant choice { a(u32), b(string) }",
    "broad": f"variant broad {{ {', '.join(f'c{i}' for i in range(_MANY))}, last(u8) }}",
    "few": "flags few { a, b, c }",
}
_WIT = """
package t:hostile;
interface host {
  DEFINED
  resource thing;
  resource other;
  take: func(v: TYPE);
  give: func() -> string;
  swap: func(a: borrow<thing>, b: thing);
  thing-of: func(n: u32) -> thing;
  other-of: func(n: u32) -> other;
}
interface api {
  use host.{thing};
  run: func() -> u32;
  text: func(s: string) -> u32;
  longs: func(v: list<u64>) -> u32;
  lent: func(t: borrow<thing>) -> u32;
  add: func(a: u32) -> u32;
}
world w { import host; export api; }
"""

_LABELS = " ".join(f'"c{i}"' for i in range(_MANY))
_CASES = " ".join(f'(case "c{i}")' for i in range(_MANY))
_NAMED = {
    "colour": '(enum "red" "green" "blue")',
    "many": f"(enum {_LABELS})",
    "choice": '(variant (case "a" u32) (case "b" string))',
    "broad": f'(variant {_CASES} (case "last" u8))',
    "few": '(flags "a" "b" "c")',
}

_COMPONENT = """
  (import "t:hostile/host" (instance $host
    (export "thing" (type $thing (sub resource)))
    (export "other" (type $other (sub resource)))
    DEFINED
    (export "take" (func (param "v" TYPE)))
    (export "give" (func (result string)))
    (export "swap" (func (param "a" (borrow $thing)) (param "b" (own $thing))))
    (export "thing-of" (func (param "n" u32) (result (own $thing))))
    (export "other-of" (func (param "n" u32) (result (own $other))))))
  (alias export $host "thing" (type $thing))
  (alias export $host "other" (type $other))
  (core func $take (canon lower (func $host "take") (memory $memory) (realloc $realloc) ENCODING))
  (core func $give (canon lower (func $host "give") (memory $memory) (realloc $realloc) ENCODING))
  (core func $swap (canon lower (func $host "swap")))
  (core func $thing-of (canon lower (func $host "thing-of")))
  (core func $other-of (canon lower (func $host "other-of")))
  (core func $drop-thing (canon resource.drop $thing))
  (core func $drop-other (canon resource.drop $other))
  (core module $main
    (import "libc" "memory" (memory 1))
    (import "host" "take" (func $take (param CORE)))
    (import "host" "give" (func $give (param i32)))
    (import "host" "swap" (func $swap (param i32 i32)))
    (import "host" "thing" (func $thing (param i32) (result i32)))
    (import "host" "other" (func $other (param i32) (result i32)))
    (import "host" "drop-thing" (func $drop-thing (param i32)))
    (import "host" "drop-other" (func $drop-other (param i32)))
    (type $unary (func (param i32) (result i32)))
    (table 2 2 funcref)
    (global $kept (mut i32) (i32.const 0))
    (func $recurse (param i32) (result i32) (i32.add (call $recurse (local.get 0)) (i32.const 1)))
    (func (export "run") (result i32) (local $h i32) BODY (i32.const 7))
    (func (export "text") (param i32 i32) (result i32) TEXT)
    (func (export "lent") (param i32) (result i32) LENT (i32.const 7))
    (func (export "add") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func (export "post") (param i32) POST))
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "host" (instance
      (export "take" (func $take)) (export "give" (func $give)) (export "swap" (func $swap))
      (export "thing" (func $thing-of)) (export "other" (func $other-of))
      (export "drop-thing" (func $drop-thing)) (export "drop-other" (func $drop-other))))))
  (func $run (result u32) (canon lift (core func $main "run") (post-return (core func $main "post"))))
  (func $text (param "s" string) (result u32)
    (canon lift (core func $main "text") (memory $memory) (realloc $realloc) ENCODING))
  (func $longs (param "v" (list u64)) (result u32)
    (canon lift (core func $main "text") (memory $memory) (realloc $realloc)))
  (func $lent (param "t" (borrow $thing)) (result u32) (canon lift (core func $main "lent")))
  (func $add (param "a" u32) (result u32) (canon lift (core func $main "add")))
  (instance $api (export "thing" (type $thing))
    (export "run" (func $run)) (export "text" (func $text)) (export "longs" (func $longs))
    (export "lent" (func $lent)) (export "add" (func $add)))
  (export "t:hostile/api" (instance $api))
"""


class Thing:
    """A resource of the host."""


class Host:
    """A host that keeps what it is given."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    def take(self, v: Any) -> None:
        self.taken.append(v)

    def give(self) -> str:
        return "given"

    def swap(self, a: Thing, b: Thing) -> None:
        self.taken.append((a, b))

    def thing_of(self, n: int) -> Thing:
        return Thing()

    def other_of(self, n: int) -> Thing:
        return Thing()


@functools.cache
def _adapter(wit: str) -> ModuleType:
    with tempfile.TemporaryDirectory() as folder:
        return adapter(Path(folder), wit)


def running(
    body: str = "",
    *,
    host: Host | None = None,
    type_: tuple[str, str, str] = ("u32", "u32", "i32"),
    encoding: str = "",
    realloc: str = "",
    **code: str,
) -> Any:
    """The exports of a guest that does `body`; `type_` is what `take` takes: in WIT, in the component, in the core."""
    wit, text, core = type_
    used = [name for name in _NAMED if name in wit]
    module = _adapter(_WIT.replace("TYPE", wit).replace("DEFINED", " ".join(_DEFINITIONS[name] for name in used)))
    defined = " ".join(f'(type ${n}_ {_NAMED[n]}) (export "{n}" (type ${n} (eq ${n}_)))' for n in used)
    parts = {"DEFINED": defined, "TYPE": text, "CORE": core, "BODY": body}
    parts["ENCODING"] = encoding and f"string-encoding={encoding}"
    parts |= {"TEXT": code.get("text", "i32.const 0"), "LENT": code.get("lent", ""), "POST": code.get("post", "")}
    source = re.sub("|".join(parts), lambda found: parts[found[0]], _COMPONENT)
    library = LIBRARY
    if realloc:
        head, _, tail = LIBRARY.partition('(func (export "realloc")')
        end = tail.index("(local.get 4)))\n")
        library = f'{head}(func (export "realloc") (param i32 i32 i32 i32) (result i32) {realloc}))\n{tail[end + 16 :]}'
    made = rt.Component(bytes(wasmtime.wat2wasm(f"(component {library} {source})")))
    return module.W(made, module.WImports(host=host or Host())).api


def _bytes(*data: int, at: int = 64) -> str:
    return " ".join(f"(i32.store8 (i32.const {at + i}) (i32.const {byte}))" for i, byte in enumerate(data))


def _take(*arguments: object, before: str = "") -> str:
    return f"{before} (call $take {' '.join(f'(i32.const {argument})' for argument in arguments)})"


_STRING = ("string", "string", "i32 i32")
_U32S = ("list<u32>", "(list u32)", "i32 i32")


def _text(*data: int, length: int | None = None) -> str:
    return _take(64, len(data) if length is None else length, before=_bytes(*data))


#: The rule, the type of the argument, the code that breaks it, what the trap says, the encoding of strings.
BROKEN: list[tuple[str, tuple[str, str, str], str, str, str]] = [
    ("pointer out of bounds", _STRING, _take("0x10000", 1), "outside the memory", ""),
    ("pointer out of bounds with nothing there", _STRING, _take("0x10001", 0), "outside the memory", ""),
    ("pointer and length that wrap", _STRING, _take("0xffffffff", 2), "outside the memory", ""),
    ("longest string", _STRING, _take(0, "0xffffffff"), "outside the memory", ""),
    ("list misaligned", _U32S, _take(66, 1), "not aligned", ""),
    ("empty list misaligned", _U32S, _take(1, 0), "not aligned", ""),
    ("list whose size wraps", _U32S, _take(64, "0x40000000"), "outside the memory", ""),
    ("list of lists", ("list<list<u8>>", "(list (list u8))", "i32 i32"), _take(65532, 1), "outside the memory", ""),
    ("bytes", ("list<u8>", "(list u8)", "i32 i32"), _take(65535, 2), "outside the memory", ""),
    ("map misaligned", ("map<u8, u32>", "(map u8 u32)", "i32 i32"), _take(66, 1), "not aligned", ""),
    ("UTF-8 overlong", _STRING, _text(0xC0, 0x80), "not UTF-8", ""),
    ("UTF-8 cut off", _STRING, _text(0xE2, 0x82), "not UTF-8", ""),
    ("UTF-8 of a surrogate", _STRING, _text(0xED, 0xA0, 0x80), "not UTF-8", ""),
    ("UTF-8 beyond Unicode", _STRING, _text(0xF4, 0x90, 0x80, 0x80), "not UTF-8", ""),
    ("UTF-8 continuation alone", _STRING, _text(0x80), "not UTF-8", ""),
    ("UTF-8 byte that is none", _STRING, _text(0x61, 0xFF), "not UTF-8", ""),
    ("UTF-16 high surrogate alone", _STRING, _text(0, 0xD8, 0x61, 0, length=2), "not UTF-16", "utf16"),
    ("UTF-16 high surrogate at the end", _STRING, _text(0, 0xD8, length=1), "not UTF-16", "utf16"),
    ("UTF-16 low surrogate alone", _STRING, _text(0, 0xDC, length=1), "not UTF-16", "utf16"),
    ("UTF-16 misaligned", _STRING, _take(65, 1), "not aligned", "utf16"),
    ("UTF-16 out of bounds", _STRING, _take(65534, 2), "outside the memory", "utf16"),
    ("UTF-16 length that wraps", _STRING, _take(2, "0x80000000"), "outside the memory", "utf16"),
    ("Latin-1 misaligned", _STRING, _take(65, 1), "not aligned", "latin1+utf16"),
    ("Latin-1 out of bounds", _STRING, _take(65534, 3), "outside the memory", "latin1+utf16"),
    ("compact UTF-16 out of bounds", _STRING, _take(65534, "0x80000002"), "outside the memory", "latin1+utf16"),
    ("compact UTF-16 surrogate", _STRING, _text(0, 0xDC, length=(1 << 31) + 1), "not UTF-16", "latin1+utf16"),
    ("char that is a surrogate", ("char", "char", "i32"), _take("0xdfff"), "not a Unicode scalar value", ""),
    ("char beyond Unicode", ("char", "char", "i32"), _take(-1), "not a Unicode scalar value", ""),
    ("enum", ("colour", "COLOUR", "i32"), _take(3), "discriminant", ""),
    ("enum beyond a byte", ("colour", "COLOUR", "i32"), _take(256), "discriminant", ""),
    ("enum of the highest bit", ("colour", "COLOUR", "i32"), _take(-1), "discriminant", ""),
    ("enum of two bytes", ("many", "MANY", "i32"), _take(_MANY), "discriminant", ""),
    (
        "enums of two bytes in a list",
        ("list<many>", "(list MANY)", "i32 i32"),
        _take(64, 1, before=_bytes(_MANY & 255, _MANY >> 8)),
        "discriminant",
        "",
    ),
    ("variant", ("choice", "CHOICE", "i32 i32 i32"), _take(2, 0, 0), "discriminant", ""),
    ("variant of two bytes", ("broad", "BROAD", "i32 i32"), _take(_MANY + 1, 0), "discriminant", ""),
    (
        "variants of two bytes in a list",
        ("list<broad>", "(list BROAD)", "i32 i32"),
        _take(64, 1, before=_bytes(0xFF, 0xFF)),
        "discriminant",
        "",
    ),
    ("option", ("option<u8>", "(option u8)", "i32 i32"), _take(2, 0), "discriminant", ""),
    (
        "options in a list",
        ("list<option<u8>>", "(list (option u8))", "i32 i32"),
        _take(64, 1, before=_bytes(2)),
        "discriminant",
        "",
    ),
    ("result", ("result<u8, u8>", "(result u8 (error u8))", "i32 i32"), _take(-1, 0), "discriminant", ""),
    ("payload of a variant", ("choice", "CHOICE", "i32 i32 i32"), _take(1, "0x10000", 1), "outside the memory", ""),
    (
        "parameters in memory, misaligned",
        ("tuple<list<u8, 16>, u32>", "(tuple (list u8 16) u32)", "i32"),
        _take(66),
        "not aligned",
        "",
    ),
    (
        "parameters in memory, out of bounds",
        ("tuple<list<u8, 16>, u32>", "(tuple (list u8 16) u32)", "i32"),
        _take(65536 - 16),
        "outside the memory",
        "",
    ),
    ("handle out of nothing", ("thing", "(own THING)", "i32"), _take(7), "7 is not a handle", ""),
    ("handle 0", ("borrow<thing>", "(borrow THING)", "i32"), _take(0), "0 is not a handle", ""),
    ("handle below 0", ("borrow<thing>", "(borrow THING)", "i32"), _take(-1), "4294967295 is not a handle", ""),
    (
        "handle of another type",
        ("borrow<thing>", "(borrow THING)", "i32"),
        "(call $take (call $other (i32.const 1)))",
        "is a other, not a thing",
        "",
    ),
    (
        "handle given away before",
        ("thing", "(own THING)", "i32"),
        "(local.set $h (call $thing (i32.const 1))) (call $swap (call $thing (i32.const 1)) (local.get $h))"
        " (call $take (local.get $h))",
        "not a handle",
        "",
    ),
]
_COMPONENT_TYPES = {name.upper(): f"${name}" for name in (*_NAMED, "thing")}


def _with_names(type_: tuple[str, str, str]) -> tuple[str, str, str]:
    text = re.sub("|".join(_COMPONENT_TYPES), lambda found: _COMPONENT_TYPES[found[0]], type_[1])
    return type_[0], text, type_[2]


def poisoned(api: Any) -> bool:
    with pytest.raises(rt.InstanceUnavailable, match="trapped before"):
        api.add(1)
    return True


@pytest.mark.parametrize(("type_", "body", "says", "encoding"), [r[1:] for r in BROKEN], ids=[r[0] for r in BROKEN])
def test_an_argument_that_breaks_a_rule_is_a_trap(
    type_: tuple[str, str, str], body: str, says: str, encoding: str
) -> None:
    host = Host()
    api = running(body, type_=_with_names(type_), host=host, encoding=encoding)
    with pytest.raises(rt.Trap, match=says) as caught:
        api.run()
    assert caught.value.function == "t:hostile/api#run"
    assert [taken for taken in host.taken if not isinstance(taken, tuple)] == []
    assert poisoned(api)


#: What the rules let pass: the type, the code, what arrives.
PASSED = [
    ("bool of 2", ("bool", "bool", "i32"), _take(2), lambda wit: True),
    ("bool of the highest bit", ("bool", "bool", "i32"), _take(-(1 << 31)), lambda wit: True),
    (
        "bools in memory",
        ("list<bool>", "(list bool)", "i32 i32"),
        _take(64, 3, before=_bytes(0, 255, 2)),
        lambda wit: [False, True, True],
    ),
    ("flags that are not defined", ("few", "FEW", "i32"), _take("0xfa"), lambda wit: wit.Few.B),
    (
        "flags in memory that are not defined",
        ("list<few>", "(list FEW)", "i32 i32"),
        _take(64, 1, before=_bytes(0xFD)),
        lambda wit: [wit.Few.A | wit.Few.C],
    ),
    ("upper bits of a u8", ("u8", "u8", "i32"), _take("0x1ff"), lambda wit: 255),
    ("upper bits of an s16", ("s16", "s16", "i32"), _take("0x18000"), lambda wit: -32768),
    ("upper bits of a payload", ("option<s8>", "(option s8)", "i32 i32"), _take(1, "0x1ff"), lambda wit: -1),
    ("the last char", ("char", "char", "i32"), _take("0x10ffff"), lambda wit: chr(0x10FFFF)),
    ("an empty string at the end", _STRING, _take("0x10000", 0), lambda wit: ""),
    ("a string with a zero", _STRING, _text(0x61, 0, 0x62), lambda wit: "a\0b"),
    ("an empty list at 0", _U32S, _take(0, 0), lambda wit: []),
    (
        "a key that is there twice",
        ("map<u8, u8>", "(map u8 u8)", "i32 i32"),
        _take(64, 2, before=_bytes(1, 2, 1, 3)),
        lambda wit: {1: 3},
    ),
]


@pytest.mark.parametrize(("type_", "body", "value"), [r[1:] for r in PASSED], ids=[r[0] for r in PASSED])
def test_what_the_rules_let_pass_arrives(type_: tuple[str, str, str], body: str, value: Any) -> None:
    host = Host()
    api = running(body, type_=_with_names(type_), host=host)
    assert api.run() == 7 and api.add(1) == 2
    assert host.taken == [value(sys.modules[type(api).__module__])]


#: The rule, the code that breaks it, what the trap says.
CODE = [
    ("return area misaligned", "(call $give (i32.const 66))", "not aligned"),
    ("return area out of bounds", "(call $give (i32.const 65532))", "outside the memory"),
    ("return area far out of bounds", "(call $give (i32.const -4))", "outside the memory"),
    ("a handle dropped twice", "(local.set $h (call $thing (i32.const 1))) {drop} {drop}", "not a handle"),
    ("a handle dropped that is none", "(call $drop-thing (i32.const 3))", "3 is not a handle"),
    ("handle 0 dropped", "(call $drop-thing (i32.const 0))", "0 is not a handle"),
    ("a handle dropped as another type", "(call $drop-other (call $thing (i32.const 1)))", "is a thing, not a other"),
    ("an own given that is lent", "(local.set $h (call $thing (i32.const 1))) {swap}", "not a handle"),
    ("unreachable", "unreachable", "unreachable"),
    ("division by zero", "(drop (i32.div_u (i32.const 1) (i32.const 0)))", "divide by zero"),
    ("overflow", "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", "integer overflow"),
    ("float to integer", "(drop (i32.trunc_f32_s (f32.const nan)))", "invalid conversion to integer"),
    ("memory out of bounds", "(drop (i32.load (i32.const -1)))", "out of bounds memory access"),
    ("table out of bounds", "(drop (call_indirect (type $unary) (i32.const 1) (i32.const 2)))", "table"),
    ("null in the table", "(drop (call_indirect (type $unary) (i32.const 1) (i32.const 1)))", "uninitialized element"),
    ("deep recursion", "(drop (call $recurse (i32.const 1)))", "call stack exhausted"),
]


@pytest.mark.parametrize(("body", "says"), [row[1:] for row in CODE], ids=[row[0] for row in CODE])
def test_code_that_breaks_a_rule_is_a_trap(body: str, says: str) -> None:
    host = Host()
    body = body.replace("{drop}", "(call $drop-thing (local.get $h))")
    body = body.replace("{swap}", "(call $swap (local.get $h) (local.get $h))")
    api = running(body, host=host)
    with pytest.raises(rt.Trap, match=says) as caught:
        api.run()
    assert caught.value.function == "t:hostile/api#run"
    assert host.taken == [] and poisoned(api)


@pytest.mark.parametrize(
    ("lent", "says"),
    [
        ("", r"1 borrowed handle\(s\) were not dropped"),
        ("(call $drop-thing (local.get 0)) (call $drop-thing (local.get 0))", "not a handle"),
        ("(call $swap (local.get 0) (local.get 0))", "is a borrow, not an own"),
        ("(call $drop-other (local.get 0))", "is a thing, not a other"),
    ],
    ids=["kept", "dropped twice", "given away", "dropped as another type"],
)
def test_a_borrow_that_is_not_treated_as_one_is_a_trap(lent: str, says: str) -> None:
    api = running(lent=lent)
    with pytest.raises(rt.Trap, match=says) as caught:
        api.lent(Thing())
    assert caught.value.function == "t:hostile/api#lent" and poisoned(api)


@pytest.mark.parametrize(
    ("realloc", "says"),
    [
        ("i32.const 0x10000", "outside the memory"),
        ("i32.const -1", "not aligned|outside the memory"),
        ("i32.const 0xfffffff8", "outside the memory"),
        ("i32.const 4", "not aligned"),
        ("unreachable", "unreachable"),
        ("(i32.load (i32.const -1))", "out of bounds memory access"),
        ("(drop (memory.grow (i32.const 1))) (i32.const 0x20000)", "outside the memory"),
    ],
)
def test_an_allocator_that_breaks_a_rule_is_a_trap(realloc: str, says: str) -> None:
    api = running(realloc=realloc)
    with pytest.raises(rt.Trap, match=says) as caught:
        api.longs([1, 2])
    assert caught.value.function == "t:hostile/api#longs" and poisoned(api)
    api = running("(call $give (i32.const 64))", realloc=realloc)
    if says != "not aligned":
        with pytest.raises(rt.Trap, match=says) as caught:
            api.run()
        assert caught.value.function == "t:hostile/api#run" and poisoned(api)


def test_memory_that_an_allocator_has_just_got_is_written_to() -> None:
    realloc = "(i32.mul (memory.grow (i32.const 1)) (i32.const 65536))"
    api = running(realloc=realloc, text="(i32.load8_u (local.get 0))")
    assert [api.text(text) for text in "abc"] == [97, 98, 99]
    assert api.longs([7]) == 7


def test_a_post_return_that_traps_is_a_trap_of_the_call() -> None:
    api = running(post="unreachable")
    with pytest.raises(rt.Trap, match=r"t:hostile/api#run: .*unreachable"):
        api.run()
    assert poisoned(api)


@pytest.mark.parametrize(
    "code",
    ["(drop (call $thing (i32.const 1)))", "(call $drop-thing (global.get $kept))"],
    ids=["an import", "a resource dropped"],
)
def test_a_guest_that_calls_out_in_a_post_return_traps(code: str) -> None:
    with pytest.raises(rt.Trap, match="post-return called an import or a resource built-in"):
        running("(global.set $kept (call $thing (i32.const 1)))", post=code).run()


def test_the_process_goes_on_after_the_worst_of_them() -> None:
    """In a process of its own, so that a crash is a failure."""
    program = """
        from tests.runtime.test_hostile_arguments import *
        from tests.runtime.test_hostile_arguments import _take, _STRING, _U32S
        worst = [
            ("(drop (call $recurse (i32.const 1)))", ()),
            (_take("0xffffffff", "0xffffffff"), _STRING),
            (_take("0xfffffffc", "0x7fffffff"), _U32S),
            ("(call $give (i32.const -4))", ()),
        ]
        for body, type_ in worst * 5:
            api = running(body, **({"type_": type_} if type_ else {}))
            try:
                api.run()
            except rt.Trap as trap:
                print(trap.function)
        grown = "(i32.mul (memory.grow (i32.const 800)) (i32.const 65536))"
        api = running(realloc=grown, text="(i32.load8_u (local.get 0))")
        print(api.text("x" * 50_000_000))
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "t:hostile/api#run\n" * 20 + "120\n"

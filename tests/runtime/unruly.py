"""A guest that does not stop by itself: it loops, grows, floods handles, in any place where the host runs it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import wasmtime

from tests.runtime.support import LIBRARY, adapter
from witgen import runtime as rt

__all__ = ["WIT", "Host", "Unruly"]

WIT = """
package a:unruly;
interface host { tick: func(); }
interface api {
  resource thing { constructor(); }
  add: func(a: u32, b: u32) -> u32;
  spin: func();
  count: func(n: u64) -> u64;
  tick: func(times: u32);
  grow: func(pages: u32) -> u32;
  grow-or-fail: func();
  recurse: func();
  flood: func(n: u32);
  take: func(text: string) -> u32;
  give: func() -> string;
}
world w { import host; export api; }
"""

_FUNCTIONS = """
  (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $main "add")))
  (func $spin (canon lift (core func $main "spin")))
  (func $count (param "n" u64) (result u64) (canon lift (core func $main "count")))
  (func $tick (param "times" u32) (canon lift (core func $main "tick")))
  (func $grow (param "pages" u32) (result u32) (canon lift (core func $main "grow")))
  (func $grow-or-fail (canon lift (core func $main "grow-or-fail")))
  (func $recurse (canon lift (core func $main "recurse")))
  (func $flood (param "n" u32) (canon lift (core func $main "flood")))
  (func $take (param "text" string) (result u32)
    (canon lift (core func $main "take") (memory $memory) (realloc (core func $main "realloc"))))
  (func $give (result string)
    (canon lift (core func $main "give") (memory $memory) (post-return (core func $main "post-give"))))
"""

_COMPONENT = """
  (import "a:unruly/host" (instance $host (export "tick" (func))))
  (core func $tick' (canon lower (func $host "tick")))
  (core module $destructor
    (import "host" "tick" (func $tick))
    (func (export "dtor") (param i32) DROPPING))
  (core instance $destructor (instantiate $destructor (with "host" (instance (export "tick" (func $tick'))))))
  (alias core export $destructor "dtor" (core func $dtor))
  (type $thing (resource (rep i32) (dtor (core func $dtor))))
  (core func $new (canon resource.new $thing))
  (core module $main
    (import "libc" "memory" (memory 1))
    (import "host" "tick" (func $tick))
    (import "own" "new" (func $new (param i32) (result i32)))
    (func $forever (export "spin") (loop $l (br $l)))
    (func $begin BEGINNING)
    (start $begin)
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "count") (param i64) (result i64) (local i64)
      (loop $l
        (local.set 1 (i64.add (local.get 1) (i64.const 1)))
        (br_if $l (i64.lt_u (local.get 1) (local.get 0))))
      (local.get 1))
    (func (export "tick") (param i32)
      (loop $l
        (call $tick)
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (br_if $l (local.get 0))))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "grow-or-fail") (loop $l
      (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
      (br $l)))
    (func $recurse (export "recurse") (call $recurse))
    (func (export "flood") (param i32)
      (loop $l
        (drop (call $new (i32.const 1)))
        (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
        (br_if $l (local.get 0))))
    (func (export "[constructor]thing") (result i32) (call $new (i32.const 1)))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) ALLOCATING (i32.const 1024))
    (func (export "take") (param i32 i32) (result i32) (local.get 1))
    (func (export "give") (result i32)
      (i32.store (i32.const 16) (i32.const 64)) (i32.store (i32.const 20) (i32.const 1))
      (i32.store8 (i32.const 64) (i32.const 65)) (i32.const 16))
    (func (export "post-give") (param i32) RETURNING))
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "host" (instance (export "tick" (func $tick'))))
    (with "own" (instance (export "new" (func $new))))))
  FUNCTIONS
  (func $make (result (own $thing)) (canon lift (core func $main "[constructor]thing")))
  (component $shim
    (import "thing" (type $thing (sub resource)))
    (import "make" (func $make (result (own $thing))))
    IMPORTS
    (export $exported "thing" (type $thing))
    (export "[constructor]thing" (func $make) (func (result (own $exported))))
    EXPORTS)
  (instance $api (instantiate $shim (with "thing" (type $thing)) (with "make" (func $make)) GIVEN))
  (export "a:unruly/api" (instance $api))
"""

_TYPES = {
    "add": '(param "a" u32) (param "b" u32) (result u32)',
    "spin": "",
    "count": '(param "n" u64) (result u64)',
    "tick": '(param "times" u32)',
    "grow": '(param "pages" u32) (result u32)',
    "grow-or-fail": "",
    "recurse": "",
    "flood": '(param "n" u32)',
    "take": '(param "text" string) (result u32)',
    "give": "(result string)",
}

FOREVER = "(loop $l (br $l))"


class Host:
    """A host whose function does what a test wants."""

    def tick(self) -> None:
        """Called by the guest's `tick`."""


class Unruly:
    """The generated module, and components on which it runs."""

    def __init__(self, folder: Path) -> None:
        self.module = adapter(folder, WIT)

    def component(self, *, engine: wasmtime.Engine | None = None, **code: str) -> rt.Component:
        """The component, with code of its own when it is `beginning`, `dropping`, `allocating` or `returning`."""
        text = _COMPONENT.replace("FUNCTIONS", _FUNCTIONS)
        for place in ("BEGINNING", "DROPPING", "ALLOCATING", "RETURNING"):
            text = text.replace(place, code.get(place.lower(), ""))
        text = text.replace("IMPORTS", " ".join(f'(import "f-{n}" (func $f-{n} {t}))' for n, t in _TYPES.items()))
        text = text.replace("EXPORTS", " ".join(f'(export "{n}" (func $f-{n}))' for n in _TYPES))
        text = text.replace("GIVEN", " ".join(f'(with "f-{n}" (func ${n}))' for n in _TYPES))
        return rt.Component(bytes(wasmtime.wat2wasm(f"(component {LIBRARY} {text})")), engine=engine)

    def world(self, component: rt.Component, host: Host | None = None, limits: rt.Limits = rt.DEFAULT_LIMITS) -> Any:
        """A new instance, as an object of the generated class."""
        return self.module.W(component, self.module.WImports(host=host or Host()), limits=limits)

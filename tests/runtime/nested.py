"""Components inside components, written in WAT: one that gives resources, one that takes them, and what is around them.

The maker defines the resource `item`, counts how many have been dropped, and lends nothing. The user has no resource of
its own; what it does with the handles that it is given is a parameter of the tests.
"""

from __future__ import annotations

from tests.runtime.support import LIBRARY, component
from witgen import runtime as rt

__all__ = ["ITEMS", "items"]

ITEMS = """
package a:b;
interface maker {
  resource item { constructor(n: u32); get: func() -> u32; }
  dropped: func() -> u32;
}
interface user {
  use maker.{item};
  peek: func(x: borrow<item>) -> u32;
  swallow: func(x: item) -> u32;
  both: func(x: borrow<item>, y: item) -> u32;
  make: func(n: u32) -> item;
  run: func(n: u32) -> u32;
}
world w { export maker; export user; }
"""

_MAKER_TYPES = """
  (export "item" (type $item (sub resource)))
  (export "[constructor]item" (func (param "n" u32) (result (own $item))))
  (export "[method]item.get" (func (param "self" (borrow $item)) (result u32)))
  (export "take" (func (param "x" (own $item)) (result u32)))
  (export "both" (func (param "x" (borrow $item)) (param "y" (own $item)) (result u32)))
  (export "swap" (func (param "y" (own $item)) (param "x" (borrow $item)) (result u32)))
  (export "dropped" (func (result u32)))
"""

_MAKER = f"""
(component $maker {LIBRARY}
  (core module $counter
    (global $n (export "dropped") (mut i32) (i32.const 0))
    (func (export "dtor") (param i32) (global.set $n (i32.add (global.get $n) (i32.const 1)))))
  (core instance $counter (instantiate $counter))
  (type $item_ (resource (rep i32) (dtor (core func $counter "dtor"))))
  (core func $new (canon resource.new $item_))
  (core func $rep (canon resource.rep $item_))
  (core func $drop (canon resource.drop $item_))
  (core module $main
    (import "own" "new" (func $new (param i32) (result i32)))
    (import "own" "rep" (func $rep (param i32) (result i32)))
    (import "own" "drop" (func $drop (param i32)))
    (import "counter" "dropped" (global $dropped (mut i32)))
    (func (export "new") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "get") (param i32) (result i32) (local.get 0))
    (func (export "take") (param i32) (result i32) (local i32)
      (local.set 1 (call $rep (local.get 0))) (call $drop (local.get 0)) (local.get 1))
    (func (export "both") (param i32 i32) (result i32)
      (i32.add (local.get 0) (call $rep (local.get 1))))
    (func (export "dropped") (result i32) (global.get $dropped)))
  (core instance $main (instantiate $main (with "counter" (instance $counter)) (with "own" (instance
    (export "new" (func $new)) (export "rep" (func $rep)) (export "drop" (func $drop))))))
  (export $item "item" (type $item_))
  (func (export "[constructor]item") (param "n" u32) (result (own $item)) (canon lift (core func $main "new")))
  (func (export "[method]item.get") (param "self" (borrow $item)) (result u32) (canon lift (core func $main "get")))
  (func (export "take") (param "x" (own $item)) (result u32) (canon lift (core func $main "take")))
  (func (export "both") (param "x" (borrow $item)) (param "y" (own $item)) (result u32)
    (canon lift (core func $main "both")))
  (func (export "swap") (param "y" (own $item)) (param "x" (borrow $item)) (result u32)
    (canon lift (core func $main "both")))
  (func (export "dropped") (result u32) (canon lift (core func $main "dropped"))))
"""

_USER = f"""
(component $user {LIBRARY}
  (import "maker" (instance $maker {_MAKER_TYPES}))
  (alias export $maker "item" (type $item))
  (core func $new (canon lower (func $maker "[constructor]item")))
  (core func $get (canon lower (func $maker "[method]item.get")))
  (core func $take (canon lower (func $maker "take")))
  (core func $both (canon lower (func $maker "both")))
  (core func $swap (canon lower (func $maker "swap")))
  (core func $dropped (canon lower (func $maker "dropped")))
  (core func $drop (canon resource.drop $item))
  (core instance $host (export "new" (func $new)) (export "get" (func $get)) (export "take" (func $take))
    (export "both" (func $both)) (export "swap" (func $swap)) (export "dropped" (func $dropped))
    (export "drop" (func $drop)))
  (core module $main
    (import "host" "new" (func $new (param i32) (result i32)))
    (import "host" "get" (func $get (param i32) (result i32)))
    (import "host" "take" (func $take (param i32) (result i32)))
    (import "host" "both" (func $both (param i32 i32) (result i32)))
    (import "host" "swap" (func $swap (param i32 i32) (result i32)))
    (import "host" "dropped" (func $dropped (result i32)))
    (import "host" "drop" (func $drop (param i32)))
    (func (export "peek") (param i32) (result i32) (local i32) PEEK)
    (func (export "swallow") (param i32) (result i32) (local i32)
      (local.set 1 (call $get (local.get 0))) (call $drop (local.get 0)) (local.get 1))
    (func (export "both") (param i32 i32) (result i32) (local i32)
      (local.set 2 (call $both (local.get 0) (local.get 1))) (call $drop (local.get 0)) (local.get 2))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "run") (param i32) (result i32) (local i32) RUN))
  (core instance $main (instantiate $main (with "host" (instance $host))))
  (type $item' (own $item))
  (func (export "peek") (param "x" (borrow $item)) (result u32) (canon lift (core func $main "peek")))
  (func (export "swallow") (param "x" (own $item)) (result u32) (canon lift (core func $main "swallow")))
  (func (export "both") (param "x" (borrow $item)) (param "y" (own $item)) (result u32)
    (canon lift (core func $main "both")))
  (func (export "make") (param "n" u32) (result (own $item)) (canon lift (core func $main "make")))
  (func (export "run") (param "n" u32) (result u32) (canon lift (core func $main "run"))))
"""

_AROUND = """
  (instance $maker (instantiate $maker))
  (instance $user (instantiate $user (with "maker" (instance $maker))))
  (alias export $maker "item" (type $item))
  (instance $api (export "item" (type $item))
    (export "[constructor]item" (func $maker "[constructor]item"))
    (export "[method]item.get" (func $maker "[method]item.get"))
    (export "dropped" (func $maker "dropped")))
  (export $exported "a:b/maker" (instance $api))
  (alias export $exported "item" (type $named))
  (component $shim
    (import "item" (type $item (sub resource)))
    FUNCTIONS
    (export $named "item" (type $item))
    EXPORTS)
  (instance $uses (instantiate $shim (with "item" (type $named))
    (with "peek" (func $user "peek")) (with "swallow" (func $user "swallow")) (with "both" (func $user "both"))
    (with "make" (func $user "make")) (with "run" (func $user "run"))))
  (export "a:b/user" (instance $uses))
"""

_TYPES = {
    "peek": '(param "x" (borrow $T)) (result u32)',
    "swallow": '(param "x" (own $T)) (result u32)',
    "both": '(param "x" (borrow $T)) (param "y" (own $T)) (result u32)',
    "make": '(param "n" u32) (result (own $T))',
    "run": '(param "n" u32) (result u32)',
}

#: What the user does with what it borrows, unless a test says otherwise: asks it and gives it back.
PEEK = "(local.set 1 (call $get (local.get 0))) (call $drop (local.get 0)) (local.get 1)"


def items(run: str = "i32.const 0", peek: str = PEEK) -> rt.Component:
    """A component of both; `run` and `peek` are the bodies of functions of the user (local 0 the argument, 1 free)."""
    functions = " ".join(f'(import "{n}" (func ${n} {t.replace("$T", "$item")}))' for n, t in _TYPES.items())
    exports = " ".join(f'(export "{n}" (func ${n}) (func {t.replace("$T", "$named")}))' for n, t in _TYPES.items())
    around = _AROUND.replace("FUNCTIONS", functions).replace("EXPORTS", exports)
    return component(_MAKER + _USER.replace("PEEK", peek).replace("RUN", run) + around)

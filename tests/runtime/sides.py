"""A guest that has one interface on several sides: imported, exported, each by its name or under labels.

Its exports stand on its imports: an item that it exports is one that it imported. What it sums and what it peeks at is
one more than the host said, what it gets a thousand more, so that it shows whether a call went through the guest.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.runtime.support import LIBRARY, component
from witgen import runtime as rt

__all__ = ["STORE", "guest", "guest_inside", "passed_on"]

#: The package, with no world yet.
STORE = """
package a:b;
interface store {
  resource item { constructor(n: u32); get: func() -> u32; }
  record pair { first: item, second: option<item> }
  record plain { n: u32 }
  variant problem { none-left, kept(item) }
  sum: func(p: pair) -> u32;
  split: func(n: u32) -> result<pair, problem>;
  peek: func(x: borrow<item>, p: plain) -> plain;
  dropped: func() -> u32;
}
"""

_TYPES = (
    ("pair", '(record (field "first" (own $NAMEitem)) (field "second" (option (own $NAMEitem))))'),
    ("plain", '(record (field "n" u32))'),
    ("problem", '(variant (case "none-left") (case "kept" (own $NAMEitem)))'),
)
_FUNCTIONS = (
    ("[constructor]item", '(param "n" u32) (result (own $NAMEitem))'),
    ("[method]item.get", '(param "self" (borrow $NAMEitem)) (result u32)'),
    ("sum", '(param "p" $NAMEpair) (result u32)'),
    ("split", '(param "n" u32) (result (result $NAMEpair (error $NAMEproblem)))'),
    ("peek", '(param "x" (borrow $NAMEitem)) (param "p" $NAMEplain) (result $NAMEplain)'),
    ("dropped", "(result u32)"),
)

_CODE = """
  (core module $counter
    (global $n (export "dropped") (mut i32) (i32.const 0))
    (func (export "dtor") (param i32) (global.set $n (i32.add (global.get $n) (i32.const 1)))))
  (core module $code
    (import "libc" "memory" (memory 1))
    (import "own" "new" (func $own-new (param i32) (result i32)))
    (import "own" "rep" (func $own-rep (param i32) (result i32)))
    (import "own" "drop" (func $own-drop (param i32)))
    (import "host" "[constructor]item" (func $new (param i32) (result i32)))
    (import "host" "[method]item.get" (func $get (param i32) (result i32)))
    (import "host" "sum" (func $sum (param i32 i32 i32) (result i32)))
    (import "host" "split" (func $split (param i32 i32)))
    (import "host" "peek" (func $peek (param i32 i32) (result i32)))
    (import "counter" "dropped" (global $dropped (mut i32)))
    (func (export "[constructor]item") (param i32) (result i32) (call $own-new (call $new (local.get 0))))
    (func (export "[method]item.get") (param i32) (result i32)
      (i32.add (call $get (local.get 0)) (i32.const 1000)))
    (func $moved (param i32) (result i32) (local i32)
      (local.set 1 (call $own-rep (local.get 0))) (call $own-drop (local.get 0)) (local.get 1))
    (func (export "sum") (param i32 i32 i32) (result i32)
      (i32.add (i32.const 1) (call $sum (call $moved (local.get 0)) (local.get 1)
        (if (result i32) (local.get 1) (then (call $moved (local.get 2))) (else (i32.const 0))))))
    (func $wrap (param i32) (i32.store (local.get 0) (call $own-new (i32.load (local.get 0)))))
    (func (export "split") (param i32) (result i32)
      (call $split (local.get 0) (i32.const 64))
      (if (i32.load8_u (i32.const 64))
        (then (if (i32.load8_u (i32.const 68)) (then (call $wrap (i32.const 72)))))
        (else
          (call $wrap (i32.const 68))
          (if (i32.load8_u (i32.const 72)) (then (call $wrap (i32.const 76))))))
      (i32.const 64))
    (func (export "peek") (param i32 i32) (result i32)
      (i32.add (call $peek (local.get 0) (local.get 1)) (i32.const 1)))
    (func (export "dropped") (result i32) (global.get $dropped)))
"""

_EXPORT = """
  (core instance $NAMEcounter (instantiate $counter))
  (alias core export $NAMEcounter "dtor" (core func $NAMEdtor))
  (type $NAMEitem (resource (rep i32) (dtor (core func $NAMEdtor))))
  (core func $NAMEnew (canon resource.new $NAMEitem))
  (core func $NAMErep (canon resource.rep $NAMEitem))
  (core func $NAMEdrop (canon resource.drop $NAMEitem))
  (core instance $NAMEcode (instantiate $code
    (with "libc" (instance $libc)) (with "counter" (instance $NAMEcounter)) (with "host" (instance $HOST))
    (with "own" (instance
      (export "new" (func $NAMEnew)) (export "rep" (func $NAMErep)) (export "drop" (func $NAMEdrop))))))
  TYPES
  LIFTED
  (instance $NAMEown (instantiate $shim (with "import-type-item" (type $NAMEitem)) GIVEN))
  (export EXTERN (instance $NAMEown))
"""


def guest(imports: Mapping[str, str], exports: Mapping[str, tuple[str, str]], between: str = "") -> rt.Component:
    """The guest with these imports and exports, each by an identifier for this text and its name in the component.

    An export also has the identifier of the import on which it stands: a core instance, as there may be others in the
    text `between`. Core function ``$name-i`` is number i of import ``name``.
    """
    return component(_guest(imports, exports, between))


def guest_inside(name: str) -> rt.Component:
    """The guest of an interface twice, in a component that exports the second, which imports the first."""
    inner = _guest({"in": name}, {"out": (name, "in")})
    return component(f"""
      {_import(name, "host")}
      (component $guest {LIBRARY} {inner})
      (instance $first (instantiate $guest (with {name} (instance $host))))
      (alias export $first {name} (instance $between))
      (instance $second (instantiate $guest (with {name} (instance $between))))
      (alias export $second {name} (instance $api))
      (export {name} (instance $api))
    """)


def passed_on(name: str) -> rt.Component:
    """A component that exports the interface that it imports, as it is."""
    return component(f"{_import(name, 'host')} (export {name} (instance $host))")


def _guest(imports: Mapping[str, str], exports: Mapping[str, tuple[str, str]], between: str = "") -> str:
    parts = [_imported(name, extern) for name, extern in imports.items()]
    parts.append(between)
    parts += [_exported(name, extern, host) for name, (extern, host) in exports.items()]
    return " ".join([_CODE, _shim(), *parts])


def _import(extern: str, name: str) -> str:
    types = " ".join(f'(type ${item}_ {text}) (export "{item}" (type ${item} (eq ${item}_)))' for item, text in _TYPES)
    functions = " ".join(f'(export "{function}" (func {text}))' for function, text in _FUNCTIONS)
    text = f'(import {extern} (instance ${name} (export "item" (type $item (sub resource))) {types} {functions}))'
    return text.replace("$NAME", "$")


def _imported(name: str, extern: str) -> str:
    lowered = " ".join(
        f'(core func ${name}-{i} (canon lower (func ${name} "{function}") (memory $memory) (realloc $realloc)))'
        for i, (function, _) in enumerate(_FUNCTIONS)
    )
    return f"{_import(extern, name)} {lowered} (core instance ${name} {_bundle(name)})"


def _exported(name: str, extern: str, host: str) -> str:
    lifted = " ".join(
        f'(func ${name}-{i} {text} (canon lift (core func $NAMEcode "{function}") (memory $memory) (realloc $realloc)))'
        for i, (function, text) in enumerate(_FUNCTIONS)
    )
    given = " ".join(f'(with "import-type-{item}" (type $NAME{item}))' for item, _ in _TYPES)
    given += " ".join(f'(with "import-func-{i}" (func ${name}-{i}))' for i, _ in enumerate(_FUNCTIONS))
    text = _EXPORT.replace("TYPES", " ".join(f"(type $NAME{item} {text})" for item, text in _TYPES))
    text = text.replace("LIFTED", lifted).replace("GIVEN", given).replace("EXTERN", extern).replace("HOST", host)
    return text.replace("$NAME", f"${name}-")


def _shim() -> str:
    """The component whose instances give types their names, and functions types with these names."""
    types = " ".join(
        f'(type $i{item}_ {text}) (import "import-type-{item}" (type $i{item} (eq $i{item}_)))' for item, text in _TYPES
    )
    functions = " ".join(f'(import "import-func-{i}" (func $f{i} {text}))' for i, (_, text) in enumerate(_FUNCTIONS))
    imported = f'(import "import-type-item" (type $iitem (sub resource))) {types} {functions}'.replace("$NAME", "$i")
    named = " ".join(f'(type $e{item}_ {text}) (export $e{item} "{item}" (type $e{item}_))' for item, text in _TYPES)
    exports = " ".join(
        f'(export "{function}" (func $f{i}) (func {text}))' for i, (function, text) in enumerate(_FUNCTIONS)
    )
    exported = f'(export $eitem "item" (type $iitem)) {named} {exports}'.replace("$NAME", "$e")
    return f"(component $shim {imported} {exported})"


def _bundle(name: str) -> str:
    return " ".join(f'(export "{function}" (func ${name}-{i}))' for i, (function, _) in enumerate(_FUNCTIONS))

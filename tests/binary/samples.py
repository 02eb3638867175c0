"""Components in text, for the tests of this folder: one for each thing that a decoder has to understand."""

from __future__ import annotations

import functools

import wasmtime

#: A host interface used by an exported one, the way in which linkers write it: the exported instance comes from a small
#: component that takes functions and types as arguments and gives the types their names.
LINKED = """
(component
  (type $host (instance
    (type (record (field "x" s32) (field "y" s32)))
    (export "point" (type (eq 0)))
    (export "handle" (type (sub resource)))
    (type (borrow 2))
    (type (func (param "self" 3) (param "at" 1) (result u32)))
    (export "[method]handle.at" (func (type 4)))))
  (import "test:host/base@1.2.3" (instance $base (type $host)))
  (alias export $base "point" (type $point))
  (alias export $base "handle" (type $handle))
  (core module $m
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "f") (param i32 i32 i32) (result i32) unreachable)
    (func (export "post") (param i32)))
  (core instance $i (instantiate $m))
  (alias core export $i "memory" (core memory $memory))
  (alias core export $i "realloc" (core func $realloc))
  (core func $drop (canon resource.drop $handle))
  (core func $lowered (canon lower (func $base "[method]handle.at")))
  (type $line (record (field "from" $point) (field "to" (option $point))))
  (type $borrow (borrow $handle))
  (type $lifted (func (param "at" $point) (param "of" $borrow) (result (list $line))))
  (alias core export $i "f" (core func $f))
  (alias core export $i "post" (core func $post))
  (func $f-lifted (type $lifted)
    (canon lift (core func $f) (memory $memory) (realloc $realloc) (post-return $post)))
  (component $shim
    (type $p0 (record (field "x" s32) (field "y" s32)))
    (import "import-type-point" (type $p (eq $p0)))
    (import "import-type-handle" (type $h (sub resource)))
    (type $l0 (record (field "from" $p) (field "to" (option $p))))
    (import "import-type-line" (type $l (eq $l0)))
    (type $b (borrow $h))
    (type $t (func (param "at" $p) (param "of" $b) (result (list $l))))
    (import "import-func-f" (func $f (type $t)))
    (export $ep "point" (type $p))
    (export $eh "handle" (type $h))
    (export $el "line" (type $l))
    (type $eb (borrow $eh))
    (type $et (func (param "at" $ep) (param "of" $eb) (result (list $el))))
    (export "f" (func $f) (func (type $et))))
  (instance $made (instantiate $shim
    (with "import-type-point" (type $point))
    (with "import-type-handle" (type $handle))
    (with "import-type-line" (type $line))
    (with "import-func-f" (func $f-lifted))))
  (export "test:guest/shapes@0.1.0" (instance $made)))
"""

#: Components in a component: one exports a resource, the other uses it, both are put together.
COMPOSED = """
(component
  (component $store
    (type $r (resource (rep i32)))
    (core func $new (canon resource.new $r))
    (core module $m
      (import "" "new" (func $new (param i32) (result i32)))
      (func (export "open") (result i32) (call $new (i32.const 1))))
    (core instance $i (instantiate $m (with "" (instance (export "new" (func $new))))))
    (component $shim
      (import "r" (type $r (sub resource)))
      (import "open" (func $f (result (own $r))))
      (export $er "item" (type $r))
      (export "open" (func $f) (func (result (own $er)))))
    (func $open (result (own $r)) (canon lift (core func $i "open")))
    (instance $s (instantiate $shim (with "r" (type $r)) (with "open" (func $open))))
    (export "test:store/items@0.1.0" (instance $s)))
  (component $user
    (import "test:store/items@0.1.0" (instance $items
      (export "item" (type $item (sub resource)))
      (export "open" (func (result (own $item))))))
    (alias export $items "item" (type $item))
    (core func (canon lower (func $items "open")))
    (component $shim
      (import "r" (type $r (sub resource)))
      (import "f" (func $f (result (own $r))))
      (export $er "item" (type $r))
      (export "take" (func $f) (func (result (own $er)))))
    (alias export $items "open" (func $f))
    (instance $s (instantiate $shim (with "r" (type $item)) (with "f" (func $f))))
    (export "test:user/api@0.1.0" (instance $s)))
  (instance $a (instantiate $store))
  (alias export $a "test:store/items@0.1.0" (instance $items))
  (instance $b (instantiate $user (with "test:store/items@0.1.0" (instance $items))))
  (alias export $b "test:user/api@0.1.0" (instance $api))
  (export "test:store/items@0.1.0" (instance $items))
  (export "test:user/api@0.1.0" (instance $api)))
"""

#: Every value type, and what a world can have at its own level.
WORLD = """
(component
  (type $r (record (field "a" bool) (field "b" s8) (field "c" u8) (field "d" s16) (field "e" u16) (field "f" s32)
    (field "g" u32) (field "h" s64) (field "i" u64) (field "j" f32) (field "k" f64) (field "l" char)
    (field "m" string)))
  (import "all" (type $all (eq $r)))
  (import "thing" (type $thing (sub resource)))
  (type $own (own $thing))
  (type $borrow (borrow $thing))
  (type $list (list $all))
  (type $fixed (list u16 4))
  (type $tuple (tuple $own $list $fixed))
  (type $flags0 (flags "read" "write"))
  (import "access" (type $flags (eq $flags0)))
  (type $enum0 (enum "one" "two"))
  (import "number" (type $enum (eq $enum0)))
  (type $variant0 (variant (case "none") (case "some" $tuple) (case "other" $enum)))
  (import "choice" (type $variant (eq $variant0)))
  (type $result (result $variant (error string)))
  (type $nothing (result))
  (type $option (option $flags))
  (type $stream (stream u8))
  (type $future (future $nothing))
  (type $bare (stream))
  (import "[method]thing.go" (func (param "self" $borrow) (param "how" $option) (result $result)))
  (import "[static]thing.make" (func (result $own)))
  (import "[constructor]thing" (func (param "in" $fixed) (result $own)))
  (import "listen" (func async (param "on" $stream) (param "done" $future) (param "tick" $bare)))
  (import "plain" (instance
    (type (option string))
    (type (func (result 0)))
    (export "name" (func (type 1))))))
"""

#: What the formats of today have and few components use.
RARE = """
(component
  (core type $f (func (param i32 i64) (result f32)))
  (core type $m (module (import "a" "b" (func (param i32))) (export "c" (memory 1))))
  (import "a-module" (core module (type $m)))
  (component $c (import "x" (func)) (export "y" (func 0)))
  (type $ct (component (import "i" (func)) (export "o" (func (result u8)))))
  (import "a-component" (component (type $ct)))
  (import "f" (func $f))
  (instance $bundle (export "f" (func $f)) (export "c" (component $c)))
  (instance (instantiate $c (with "x" (func $f))))
  (core module $cm (table (export "t") 1 funcref) (global (export "g") i32 (i32.const 0)) (memory (export "m") 1)
    (func (export "f")))
  (core instance $ci (instantiate $cm))
  (alias core export $ci "t" (core table $t))
  (alias core export $ci "g" (core global $g))
  (alias core export $ci "m" (core memory $mem))
  (alias core export $ci "f" (core func $cf))
  (core instance (export "t" (table $t)) (export "g" (global $g)))
  (core func (canon lower (func $f) string-encoding=utf16 (memory $mem) (realloc $cf)))
  (core func (canon lower (func $f) string-encoding=latin1+utf16 (memory $mem)))
  (core func (canon task.cancel))
  (core func (canon waitable-set.new)))
"""

SAMPLES = {"linked": LINKED, "composed": COMPOSED, "world": WORLD, "rare": RARE}


@functools.cache
def sample(name: str) -> bytes:
    """The binary of a sample."""
    return bytes(wasmtime.wat2wasm(SAMPLES[name]))


def component(text: str) -> bytes:
    """The binary of ``(component TEXT)``."""
    return bytes(wasmtime.wat2wasm(f"(component {text})"))

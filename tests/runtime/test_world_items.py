"""Functions, types and resources of a world itself, beside its interfaces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.runtime.support import adapter, component
from witgen import runtime as rt

WIT = """
package a:b;
interface shapes { record point { x: u32, y: u32 } }
world w {
  use shapes.{point as place};
  resource handle {
    constructor(size: u32) -> result<handle, failure>;
    size: func() -> u32;
    merge: static func(a: handle, b: borrow<handle>) -> handle;
  }
  enum failure { full, gone }
  import log: func(at: place) -> result<_, failure>;
  import instance: func() -> u8;
  export run: func(given: handle, at: place) -> result<handle, failure>;
  export instance: func() -> u8;
  export load: func() -> u8;
}
"""

COMPONENT = """
  (type $point_ (record (field "x" u32) (field "y" u32)))
  (import "a:b/shapes" (instance $shapes
    (type $p (record (field "x" u32) (field "y" u32))) (export "point" (type (eq $p)))))
  (alias export $shapes "point" (type $point))
  (import "place" (type $place (eq $point)))
  (import "handle" (type $handle (sub resource)))
  (type $failure_ (enum "full" "gone"))
  (import "failure" (type $failure (eq $failure_)))
  (import "[constructor]handle" (func $new
    (param "size" u32) (result (result (own $handle) (error $failure)))))
  (import "[method]handle.size" (func $size (param "self" (borrow $handle)) (result u32)))
  (import "[static]handle.merge" (func $merge
    (param "a" (own $handle)) (param "b" (borrow $handle)) (result (own $handle))))
  (import "log" (func $log (param "at" $place) (result (result (error $failure)))))
  (import "instance" (func $instance (result u8)))
  (core func $new (canon lower (func $new) (memory $memory)))
  (core func $size (canon lower (func $size)))
  (core func $merge (canon lower (func $merge)))
  (core func $log (canon lower (func $log) (memory $memory)))
  (core func $instance (canon lower (func $instance)))
  (core func $drop (canon resource.drop $handle))
  (core module $main
    (import "libc" "memory" (memory 1))
    (import "" "new" (func $new (param i32 i32)))
    (import "" "size" (func $size (param i32) (result i32)))
    (import "" "merge" (func $merge (param i32 i32) (result i32)))
    (import "" "log" (func $log (param i32 i32 i32)))
    (import "" "drop" (func $drop (param i32)))
    (func $failed (param i32) (result i32)
      (i32.store8 (i32.const 32) (i32.const 1)) (i32.store8 (i32.const 36) (local.get 0)) (i32.const 32))
    ;; Logs the place, and merges what it was given with a new handle, whose size is that of the first.
    (func (export "run") (param i32 i32 i32) (result i32) (local i32)
      (call $log (local.get 1) (local.get 2) (i32.const 16))
      (if (i32.load8_u (i32.const 16)) (then (return (call $failed (i32.load8_u (i32.const 17))))))
      (call $new (call $size (local.get 0)) (i32.const 16))
      (if (i32.load8_u (i32.const 16)) (then (return (call $failed (i32.load8_u (i32.const 20))))))
      (local.set 3 (i32.load (i32.const 20)))
      (i32.store8 (i32.const 32) (i32.const 0))
      (i32.store (i32.const 36) (call $merge (local.get 0) (local.get 3)))
      (call $drop (local.get 3))
      (i32.const 32)))
  (core instance $main (instantiate $main
    (with "libc" (instance $libc))
    (with "" (instance
      (export "new" (func $new)) (export "size" (func $size)) (export "merge" (func $merge))
      (export "log" (func $log)) (export "drop" (func $drop))))))
  (func $run (param "given" (own $handle)) (param "at" $place) (result (result (own $handle) (error $failure)))
    (canon lift (core func $main "run") (memory $memory) (realloc $realloc)))
  (func $instance' (result u8) (canon lift (core func $instance)))
  (export "run" (func $run))
  (export "instance" (func $instance'))
  (export "load" (func $instance'))
"""


class Handle:
    """A resource of the host."""

    def __init__(self, size: int) -> None:
        self.number, self.closed = size, False

    def size(self) -> int:
        return self.number

    def close(self) -> None:
        self.closed = True


class World:
    """A running guest, and what its host has seen."""

    def __init__(self, folder: Path) -> None:
        self.wit = wit = adapter(folder, WIT)
        self.places: list[Any] = []
        self.made: list[Handle] = []
        self.full = False
        world = self

        class Handles:
            def __call__(self, size: int) -> Handle:
                if size > 100:
                    raise wit.FailureException(wit.Failure.GONE)
                world.made.append(Handle(size))
                return world.made[-1]

            def merge(self, a: Handle, b: Handle) -> Handle:
                return Handle(a.number + b.number)

        self.guest = wit.W(component(COMPONENT), wit.WImports(log=self.log, instance=lambda: 7, handle=Handles()))

    def log(self, at: Any) -> None:
        self.places.append(at)
        if self.full:
            raise self.wit.FailureException(self.wit.Failure.FULL)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_world_has_functions_and_resources_of_its_own(world: World) -> None:
    given = Handle(20)
    merged = world.guest.run(given, world.wit.Point(1, 2))
    assert merged.number == 40 and not given.closed
    assert world.places == [world.wit.Place(1, 2)]
    assert world.wit.Place is world.wit.Point
    assert [handle.closed for handle in world.made] == [True]


def test_a_constructor_that_fails_is_an_error_to_the_guest(world: World) -> None:
    with pytest.raises(world.wit.FailureException) as caught:
        world.guest.run(Handle(101), world.wit.Point(1, 2))
    assert caught.value.value is world.wit.Failure.GONE
    world.full = True
    with pytest.raises(world.wit.FailureException) as caught:
        world.guest.run(Handle(1), world.wit.Point(1, 2))
    assert caught.value.value is world.wit.Failure.FULL


def test_functions_with_names_that_the_class_of_a_world_has_itself(world: World) -> None:
    assert world.guest.instance() == 7
    assert world.guest.load_() == 7
    assert isinstance(world.guest._instance, rt.Instance)

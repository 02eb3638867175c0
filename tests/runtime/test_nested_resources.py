"""Resources that one component inside a component defines and others use: handles of each, and whose they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.runtime.nested import ITEMS, items
from tests.runtime.sides import STORE, guest_inside
from tests.runtime.support import adapter, component
from tests.runtime.test_sides import Store
from witgen import runtime as rt


def running(folder: Path, **bodies: str) -> Any:
    """The world of a running maker and user."""
    return adapter(folder, ITEMS).W(items(**bodies))


def test_an_item_of_one_component_is_lent_to_another_by_the_host(tmp_path: Path) -> None:
    world = running(tmp_path)
    with world.maker.item(7) as item:
        assert item.get() == 7
        assert world.user.peek(item) == 7
        assert world.user.peek(item) == 7
        assert world.maker.dropped() == 0
    assert world.maker.dropped() == 1


def test_an_item_is_given_away_and_dropped_by_the_other_component(tmp_path: Path) -> None:
    world = running(tmp_path)
    item = world.maker.item(8)
    assert world.user.swallow(item) == 8
    assert world.maker.dropped() == 1
    with pytest.raises(rt.ResourceDropped):
        item.get()


def test_an_item_that_the_other_component_got_is_that_of_its_maker(tmp_path: Path) -> None:
    world = running(tmp_path)
    with world.user.make(9) as item:
        assert item.get() == 9 == world.user.peek(item)
    assert world.maker.dropped() == 1


def test_two_items_travel_in_one_call(tmp_path: Path) -> None:
    world = running(tmp_path)
    with world.maker.item(30) as lent:
        assert world.user.both(lent, world.maker.item(12)) == 42


def test_an_item_made_and_dropped_between_the_components_never_meets_the_host(tmp_path: Path) -> None:
    run = """
      (local.set 1 (call $new (local.get 0)))
      (drop (call $get (local.get 1)))
      (drop (call $take (call $new (i32.const 1))))
      (call $drop (local.get 1))
      (call $dropped)
    """
    world = running(tmp_path, run=run)
    assert world.user.run(5) == 2
    assert world.user.run(5) == 4


@pytest.mark.parametrize(
    ("run", "says"),
    [
        ("(call $get (i32.const 77))", "77 is not a handle"),
        ("(call $get (i32.const 0))", "0 is not a handle"),
        (
            "(local.set 1 (call $new (i32.const 1))) (drop (call $take (local.get 1))) (call $get (local.get 1))",
            "not a handle",
        ),
        (
            "(local.set 1 (call $new (i32.const 1))) (call $both (local.get 1) (local.get 1))",
            "is given away and lent at once",
        ),
        (
            "(local.set 1 (call $new (i32.const 1))) (call $swap (local.get 1) (local.get 1))",
            "not a handle",
        ),
        (
            "(local.set 1 (call $new (i32.const 1))) (call $drop (local.get 1)) (call $drop (local.get 1)) i32.const 0",
            "not a handle",
        ),
    ],
)
def test_a_handle_that_a_component_does_not_hold_is_a_trap(tmp_path: Path, run: str, says: str) -> None:
    world = running(tmp_path, run=run)
    with pytest.raises(rt.Trap, match=says) as caught:
        world.user.run(1)
    assert caught.value.function == "a:b/user#run"
    with pytest.raises(rt.InstanceUnavailable):
        world.maker.dropped()


def test_handles_of_two_components_are_counted_apart(tmp_path: Path) -> None:
    # The maker holds no handle of what it gave away, whatever number it has at the user.
    run = "(local.set 1 (call $new (i32.const 3))) (drop (call $new (i32.const 4))) (call $get (local.get 1))"
    assert running(tmp_path, run=run).user.run(1) == 3


def test_a_borrow_that_a_component_keeps_is_a_trap(tmp_path: Path) -> None:
    world = running(tmp_path, peek="(call $get (local.get 0))")
    item = world.maker.item(7)
    with pytest.raises(rt.Trap, match="were not dropped before the call returned"):
        world.user.peek(item)


def test_a_borrow_can_t_be_given_away_by_another_component(tmp_path: Path) -> None:
    world = running(tmp_path, peek="(call $take (local.get 0))")
    item = world.maker.item(7)
    with pytest.raises(rt.Trap, match="is a borrow, not an own"):
        world.user.peek(item)


def test_a_borrow_is_taken_back_where_another_argument_does_not_fit(tmp_path: Path) -> None:
    world = running(tmp_path)
    item, gone = world.maker.item(1), world.maker.item(2)
    gone.close()
    with pytest.raises(rt.ResourceDropped):
        world.user.both(item, gone)
    assert world.user.peek(item) == 1


def test_a_component_can_t_drop_an_item_of_one_inside_it(tmp_path: Path) -> None:
    wit = adapter(
        tmp_path,
        "package a:b; interface api { resource r; make: func(n: u32) -> r; eat: func(r: r); } world w { export api; }",
    )
    api = wit.W(component("""
        (component $inner
          (type $r_ (resource (rep i32)))
          (core func $new (canon resource.new $r_))
          (core module $main (import "" "new" (func $new (param i32) (result i32))) (export "make" (func $new)))
          (core instance $main (instantiate $main (with "" (instance (export "new" (func $new))))))
          (export $r "r" (type $r_))
          (func (export "make") (param "n" u32) (result (own $r)) (canon lift (core func $main "make"))))
        (instance $inner (instantiate $inner))
        (alias export $inner "r" (type $r))
        (core func $drop (canon resource.drop $r))
        (core module $main
          (import "" "drop" (func $drop (param i32)))
          (func (export "eat") (param i32) (call $drop (local.get 0))))
        (core instance $main (instantiate $main (with "" (instance (export "drop" (func $drop))))))
        (func $eat (param "r" (own $r)) (canon lift (core func $main "eat")))
        (instance $api (export "r" (type $r)) (export "make" (func $inner "make")) (export "eat" (func $eat)))
        (export "a:b/api" (instance $api))
        """)).api
    api.make(1).close()
    with pytest.raises(rt.Trap, match="might be recursive"):
        api.eat(api.make(2))


def test_items_stand_on_items_of_another_component_that_stand_on_the_host_s(tmp_path: Path) -> None:
    wit = adapter(tmp_path, STORE + "world w { import store; export store; }")
    host = Store(wit)
    store = wit.W(guest_inside('"a:b/store"'), wit.WImports(store=host)).store
    with store.item(5) as item:
        # Each of the two components adds a thousand.
        assert item.get() == 2005
        # And one to what it peeks at.
        assert store.peek(item, wit.Plain(1)).n == 8
    pair = store.split(7)
    assert (pair.first.get(), pair.second.get()) == (2003, 2004)
    assert store.sum(pair) == 3 + 4 + 2
    with pytest.raises(wit.ProblemException) as none:
        store.split(0)
    assert none.value.value == wit.Problem_NoneLeft()
    with pytest.raises(wit.ProblemException) as kept:
        store.split(1)
    assert kept.value.value.value.get() == 2001
    assert all(type(item).__name__ == "Item" for item in host.made)

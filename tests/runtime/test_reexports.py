"""Imports that a component exports again: the host calls itself by way of the component."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.runtime.sides import STORE, passed_on
from tests.runtime.support import adapter, component
from tests.runtime.test_nested_values import Chain
from tests.runtime.test_sides import Store
from tests.runtime.test_values import TYPES
from tests.values import AdapterValues, models
from witgen import runtime as rt
from witgen.emit.names import snake


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return Chain(tmp_path_factory.mktemp("values"), ())


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=4, suppress_health_check=[*HealthCheck])
@given(data=st.data())
def test_a_value_of_any_type_is_passed_on(passed: Chain, data: st.DataObject, name: str) -> None:
    type_ = passed.functions[f"one-{name}"].params[0].type
    value = AdapterValues(passed.resolve, passed.wit).value(type_, data.draw(models(passed.resolve, type_)))
    one, spilled, fallible = (getattr(passed.guest, f"{form}_{snake(name)}") for form in ("one", "spilled", "fallible"))
    assert one(value) == value and passed.host.seen == (value,)
    assert spilled(*range(17), value) == value and passed.host.seen == (*range(17), value)
    assert fallible(value, False) == value
    with pytest.raises(rt.Err) as caught:
        fallible(value, True)
    assert caught.value.value == value


def test_what_was_passed_on_takes_no_memory_after_the_call(passed: Chain) -> None:
    data = bytes(1 << 20)
    for _ in range(20):
        assert passed.guest.one_bytes(data) == data
    instance = passed.world._instance
    assert instance._relay._memory.data_len(instance.store) < 4 << 20


def test_resources_of_the_host_are_passed_on(tmp_path: Path) -> None:
    wit = adapter(tmp_path, STORE + "world w { import store; export store; }")
    host = Store(wit)
    store = wit.W(passed_on('"a:b/store"'), wit.WImports(store=host)).store
    with store.item(5) as item:
        assert isinstance(item, wit.Item)
        assert item.get() == 5
        assert store.peek(item, wit.Plain(1)) == wit.Plain(6)
        assert [made.closed for made in host.made] == [False]
    assert [made.closed for made in host.made] == [True]
    pair = store.split(7)
    assert (pair.first.get(), pair.second.get()) == (3, 4)
    assert store.sum(pair) == 7
    with pytest.raises(wit.ProblemException) as none:
        store.split(0)
    assert none.value.value == wit.Problem_NoneLeft()


def test_an_object_of_the_host_that_nobody_holds_any_more_is_closed(tmp_path: Path) -> None:
    wit = adapter(tmp_path, STORE + "world w { import store; export store; }")
    host = Store(wit)
    store = wit.W(passed_on('"a:b/store"'), wit.WImports(store=host)).store
    store.item(5)
    gc.collect()
    assert [made.closed for made in host.made] == [True]


def test_functions_of_the_world_are_passed_on(tmp_path: Path) -> None:
    wit = adapter(
        tmp_path,
        "package a:b; world w { import size: func(a: string) -> u32; export again: func(a: string) -> u32; }",
    )
    wat = '(import "size" (func $f (param "a" string) (result u32))) (export "again" (func $f))'
    assert wit.W(component(wat), wit.WImports(size=len)).again("four") == 4


def test_what_the_host_raises_comes_back_to_it(tmp_path: Path) -> None:
    wit = adapter(tmp_path, "package a:b; world w { import lose: func(); export again: func(); }")
    wat = '(import "lose" (func $f)) (export "again" (func $f))'

    def lose() -> None:
        raise KeyError("lost")

    world = wit.W(component(wat), wit.WImports(lose=lose))
    with pytest.raises(KeyError, match="lost"):
        world.again()
    with pytest.raises(rt.InstanceUnavailable):
        world.again()


def test_an_argument_that_does_not_fit_is_refused_before_the_host_gets_it(passed: Chain) -> None:
    passed.guest.one_u8(1)
    with pytest.raises(ValueError):
        passed.guest.one_u8(256)
    assert passed.host.seen == (1,)
    assert passed.guest.one_u8(2) == 2

"""The same components and the same calls through wasmtime's own component API give the same answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import wasmtime
from wasmtime import component as wasm

from tests.guests.family import World, build_family, has_std
from tests.guests.oracle import Oracle, plain, record
from witgen.diagnostics import WitError

VALUES = "test:many-parameters/values"


def test_parameters_and_results_beyond_what_goes_flat(family: dict[str, World]) -> None:
    functions: dict[str, Any] = {
        "sixteen": lambda *args: args[-1] + args[-2],
        "seventeen": lambda *args: (args[12], args[14], args[6], args[8]),
        "none-back": lambda *args: None,
        "large": lambda: tuple(range(18)),
        "pair": lambda a: (a, a + 1),
    }
    oracle = Oracle(family["many-parameters"].path, {VALUES: functions})
    numbers = (255, -128, 65535, -32768, 4294967295, -1, (1 << 64) - 1, -(1 << 63), 0.5, -0.25, True, "ü", "m", "n")
    assert oracle.call(VALUES, "sixteen", *numbers) == "nm"
    assert oracle.call(VALUES, "seventeen", *numbers, 9) == ("m", 9, (1 << 64) - 1, 0.5)
    assert oracle.call(VALUES, "none-back", *"abcdefghi") is None
    assert oracle.call(VALUES, "large") == tuple(range(18))
    assert oracle.call(VALUES, "pair", 7) == (7, 8)


def test_versions_of_a_package_stay_apart(family: dict[str, World]) -> None:
    first, second = "dep:log/sink@1.2.0", "dep:log/sink@2.0.0"
    imports = {first: {"write": lambda v: len(v.text)}, second: {"write": lambda v: len(v.text) << 40}}
    oracle = Oracle(family["versions"].path, imports)
    old, new = record(text="abc"), record(text="abc", level=7)
    assert plain(oracle.call("test:versions/current", "convert", old)) == plain(new)
    assert oracle.call(first, "write", old) == 3
    assert oracle.call(second, "write", new) == 3 << 40


def test_functions_types_and_interfaces_of_the_world_itself(family: dict[str, World]) -> None:
    said: list[str] = []
    unused = {name: lambda *args: None for name in ("exchange", "[constructor]token", "[method]token.text")}
    imports: dict[str, Any] = {
        "": {
            "log": said.append,
            "shift": lambda v: record(x=v.x + 1, y=v.y - 1),
            "name-it": lambda v, name: record(name=f"host's {name}", point=v),
            **unused,
        },
        "inline": {"double": lambda v: 2 * v},
    }
    oracle = Oracle(family["world-items"].path, imports, resources={"": ["token"]})
    point = record(x=1, y=2)
    found = oracle.call("", "run", record(name="a", point=point))
    assert plain(found) == plain([record(name="host's a", point=point), record(name="a", point=point)])
    assert oracle.call("", "run", record(name="", point=point)) == "bad"
    assert plain(oracle.call("", "shift-twice", point)) == plain(record(x=3, y=0))
    assert oracle.call("inner", "double", 21) == 42
    assert said == ["run a", "run "]


def test_resources_of_the_host(family: dict[str, World]) -> None:
    """Without functions that lend: this API can't hand a borrowed handle to a function of the host."""
    store, user = "test:imported-resources/store", "test:imported-resources/user"
    labels: list[str] = []
    dropped: list[int] = []

    def make(label: str) -> Any:
        labels.append(label)
        return oracle.own(store, "thing", len(labels) - 1)

    def find(label: str) -> Any:
        return make(label) if label != "nothing" else None

    names = ["keep", "of-list", "of-option", "of-result", "of-tuple", "of-entry", "of-choice"]
    lent = ["peek", "peek-all", "peek-maybe", "[method]thing.label", "[method]thing.rename", "[method]picky.owner"]
    functions: dict[str, Any] = {
        "[constructor]thing": make,
        "[static]thing.find": find,
        **dict.fromkeys(names, lambda v: v),
        **dict.fromkeys([*lent, "[static]thing.merge", "[constructor]picky"], lambda *args: None),
    }
    oracle = Oracle(
        family["imported-resources"].path, {store: functions}, resources={store: ["thing", "picky"]}, dropped=dropped
    )
    for name in ("keep", "take"):
        oracle.call(user, name, oracle.call(user, "make", name))
    things = [oracle.call(user, "make", text) for text in "abc"]
    assert len(oracle.call(user, "of-list", things[:2])) == 2
    oracle.call(user, "of-tuple", (things[2], 7))
    assert oracle.call(user, "find", "nothing") is None
    assert labels == ["keep", "take", "a", "b", "c"]
    assert dropped == [1]


def test_resources_of_the_guest(family: dict[str, World]) -> None:
    counters = "test:exported-resources/counters"
    oracle = Oracle(family["exported-resources"].path, {})

    def call(name: str, *args: Any) -> Any:
        return oracle.call(counters, name, *args)

    one, two = call("[constructor]counter", 1), call("[constructor]counter", 10)
    assert [call("[method]counter.next", one) for _ in range(2)] == [2, 3]
    total = call("[static]counter.sum", one, two)
    assert call("[method]counter.next", total) == 14
    assert call("peek-all", [one, total]) == [3, 14]
    assert call("peek-view", record(name="total", counter=total)) == "total: 14"
    assert call("peek", call("keep", one)) == 103
    assert call("living") == 2
    assert call("take", total) == 14
    assert call("living") == 1
    assert call("[constructor]picky", 0) == "a counter does not begin at zero"
    picky = call("[constructor]picky", 5)
    assert call("[method]counter.next", call("[method]picky.counter", picky)) == 6


def test_one_interface_under_several_names(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    try:
        path = build_family(tmp_path, ["labels"])["labels"]
    except WitError:
        assert "linking with `wasm-component-ld` failed" in capfd.readouterr().err
        pytest.skip("the component linker of this Rust knows no names for interfaces")
    stores: dict[str, dict[str, Any]] = {"first": {}, "second": {}}

    def functions(store: dict[str, Any]) -> dict[str, Any]:
        return {"get": store.get, "set": lambda item: store.update({item.key: item})}

    oracle = Oracle(path, {name: functions(store) for name, store in stores.items()})
    item = record(key="a", value=b"bytes")
    oracle.call("cache", "set", item)
    assert plain(oracle.call("cache", "get", "a")) == plain(item)
    assert oracle.call("backup", "get", "a") is None
    assert [list(store) for store in stores.values()] == [["a"], []]

    class Store:
        def __init__(self) -> None:
            self.items: dict[str, Any] = {}

        def get(self, key: str) -> Any:
            return self.items.get(key)

        def set(self, item: Any) -> None:
            self.items[item.key] = item

    world = World("labels", path, tmp_path)
    first, second = Store(), Store()
    instance = world.instance(first=first, second=second)
    kept = world.adapter.Item("a", b"bytes")
    instance.cache.set(kept)
    assert (instance.cache.get("a"), instance.backup.get("a")) == (kept, None)
    assert (first.items, second.items) == ({"a": kept}, {})


def test_a_guest_with_the_standard_library(tmp_path: Path) -> None:
    if not has_std():
        pytest.skip("no standard library for wasm32-wasip2 on this machine")
    path = build_family(tmp_path, ["std-guest"])["std-guest"]
    values = "test:std-guest/values"

    def lookup(name: str) -> Any:
        return record(name=name, tags=["x", "y", "x"]) if name else "empty"

    oracle = Oracle(path, {values: {"lookup": lookup}}, wasi=True)
    assert plain(oracle.call(values, "lookup", "a")) == plain(record(name="a", tags=["x 2", "y 1"]))
    assert oracle.call(values, "lookup", "") == "empty"


def test_what_the_oracle_does_not_know_is_still_unknown_to_it(family: dict[str, World]) -> None:
    """When this fails, `NOT_IN_ORACLE` wants to be smaller."""
    for name in ("fixed-lengths", "maps"):
        with pytest.raises(wasmtime.WasmtimeError):
            Oracle(family[name].path, {})
    assert not hasattr(wasm, "MapType")

"""Interfaces that stand in a world several times: imported and exported, or under several labels."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.runtime.sides import STORE, guest
from tests.runtime.support import adapter, component
from witgen import runtime as rt

NAMED = '"a:b/store"'


def label(name: str) -> str:
    """A label for the interface, as the text of a component has it."""
    return f'"{name}" (implements "a:b/store")'


class Item:
    """A resource of the host."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.closed = False

    def get(self) -> int:
        return self.n

    def close(self) -> None:
        self.closed = True


class Store:
    """A host of the interface that remembers what it made and what it was given."""

    def __init__(self, wit: ModuleType) -> None:
        self.wit = wit
        self.made: list[Item] = []
        self.given: list[Any] = []

    def item(self, n: int) -> Item:
        self.made.append(Item(n))
        return self.made[-1]

    def sum(self, p: Any) -> int:
        self.given.append(p)
        return int(p.first.n + (p.second.n if p.second else 0))

    def split(self, n: int) -> Any:
        if n == 0:
            raise self.wit.ProblemImportException(self.wit.ProblemImport_NoneLeft())
        if n == 1:
            raise self.wit.ProblemImportException(self.wit.ProblemImport_Kept(Item(1)))
        return self.wit.PairImport(Item(n // 2), Item(n - n // 2) if n > 2 else None)

    def peek(self, x: Item, p: Any) -> Any:
        self.given.append((x, p))
        return self.wit.Plain(x.n + p.n)

    def dropped(self) -> int:
        return 0


class Both:
    """A running guest of a world that imports and exports the interface."""

    def __init__(self, folder: Path) -> None:
        self.wit = adapter(folder, STORE + "world w { import store; export store; }")
        self.host = Store(self.wit)
        component = guest({"in": NAMED}, {"out": (NAMED, "in")})
        self.store = self.wit.W(component, self.wit.WImports(store=self.host)).store


class Labels:
    """A running guest of a world that imports and exports the interface under labels."""

    def __init__(self, folder: Path, between: str = "", under_d: str = "b") -> None:
        world = "world w { import a: store; import b: store; export c: store; export d: store; }"
        self.wit = adapter(folder, STORE + world)
        self.a, self.b = Store(self.wit), Store(self.wit)
        component = guest(
            {"a": label("a"), "b": label("b")}, {"c": (label("c"), "a"), "d": (label("d"), under_d)}, between
        )
        self.world = self.wit.W(component, self.wit.WImports(a=self.a, b=self.b))


@pytest.fixture
def both(tmp_path: Path) -> Both:
    return Both(tmp_path)


@pytest.fixture
def labels(tmp_path: Path) -> Labels:
    return Labels(tmp_path)


def test_each_side_of_a_resource_has_its_own_objects(both: Both) -> None:
    item = both.store.item(5)
    assert isinstance(item, both.wit.Item) and isinstance(both.host.made[0], Item)
    assert item.get() == 1005
    assert both.store.peek(item, both.wit.Plain(3)) == both.wit.Plain(9)
    assert both.host.given == [(both.host.made[0], both.wit.Plain(3))]


def test_what_holds_resources_is_made_for_each_side_and_what_does_not_is_shared(both: Both) -> None:
    first, second = both.store.item(5), both.store.item(2)
    assert both.store.sum(both.wit.Pair(first, second)) == 8
    assert both.host.given == [both.wit.PairImport(*both.host.made)]
    assert not hasattr(both.wit, "PlainImport")
    assert both.store.dropped() == 2
    with pytest.raises(rt.ResourceDropped):
        first.get()


def test_resources_come_back_in_results_and_errors_of_their_side(both: Both) -> None:
    pair = both.store.split(7)
    assert isinstance(pair, both.wit.Pair)
    assert (pair.first.get(), pair.second.get()) == (1003, 1004)
    assert both.store.split(2).second is None
    with pytest.raises(both.wit.ProblemException) as caught:
        both.store.split(0)
    assert caught.value.value == both.wit.Problem_NoneLeft()
    with pytest.raises(both.wit.ProblemException) as caught:
        both.store.split(1)
    assert caught.value.value.value.get() == 1001


def test_a_dropped_export_ends_in_the_destructor_of_the_guest(both: Both) -> None:
    with both.store.item(1) as item:
        assert item.get() == 1001
    assert both.store.dropped() == 1


def test_each_label_has_its_own_host_and_its_own_exports(labels: Labels) -> None:
    c, d = labels.world.c.item(1), labels.world.d.item(2)
    assert (c.get(), d.get()) == (1001, 1002)
    assert [item.n for item in labels.a.made] == [1] and [item.n for item in labels.b.made] == [2]
    assert type(c) is labels.wit.CItem and type(d) is labels.wit.DItem
    assert labels.world.c.sum(labels.wit.CPair(c, None)) == 2
    assert labels.world.d.sum(labels.wit.DPair(d, labels.world.d.item(7))) == 10
    assert (labels.world.c.dropped(), labels.world.d.dropped()) == (1, 2)
    assert labels.a.given == [labels.wit.PairImport(labels.a.made[0], None)]


def test_a_resource_of_one_export_is_not_taken_for_that_of_another(labels: Labels) -> None:
    c = labels.world.c.item(1)
    with pytest.raises(TypeError, match="another export"):
        labels.world.d.peek(c, labels.wit.Plain(1))
    with pytest.raises(TypeError, match="another export"):
        labels.world.d.sum(labels.wit.DPair(c, None))
    assert c.get() == 1001
    assert labels.world.d.item(2).get() == 1002


def test_a_guest_cannot_pass_a_handle_of_one_import_to_another(tmp_path: Path) -> None:
    functions = ["[constructor]item", "[method]item.get", "sum", "split", "peek", "dropped"]
    exports = [f'(export "{name}" (func ${"b" if i else "a"}-{i}))' for i, name in enumerate(functions)]
    labels = Labels(tmp_path, f"(core instance $mixed {' '.join(exports)})", under_d="mixed")
    item = labels.world.d.item(3)
    assert [made.n for made in labels.a.made] == [3]
    with pytest.raises(rt.Trap, match="is a item of a, not a item of b"):
        item.get()


def test_a_component_with_one_label_too_few_is_refused(tmp_path: Path) -> None:
    wit = adapter(tmp_path, STORE + "world w { import a: store; export c: store; export d: store; }")
    component = guest({"a": label("a")}, {"c": (label("c"), "a")})
    with pytest.raises(rt.ContractError, match=r"export d#split: the component does not have it"):
        wit.W(component, wit.WImports(a=Store(wit)))


def test_a_resource_of_the_host_can_be_exported_as_the_component_s_own(tmp_path: Path) -> None:
    wit = adapter(
        tmp_path, "package a:b; interface i { resource r; make: func() -> r; } world w { import i; export i; }"
    )
    made: list[Closing] = []

    class Closing:
        closed = False

        def __init__(self) -> None:
            made.append(self)

        def close(self) -> None:
            self.closed = True

    class Host:
        def make(self) -> Closing:
            return Closing()

    text = """
      (import "a:b/i" (instance $host (export "r" (type $r (sub resource))) (export "make" (func (result (own $r))))))
      (alias export $host "r" (type $r))
      (alias export $host "make" (func $make))
      (core func $make (canon lower (func $make)))
      (core module $main (import "" "make" (func $make (result i32))) (export "make" (func $make)))
      (core instance $main (instantiate $main (with "" (instance (export "make" (func $make))))))
      (func $lifted (result (own $r)) (canon lift (core func $main "make")))
      (instance $own (export "r" (type $r)) (export "make" (func $lifted)))
      (export "a:b/i" (instance $own))
    """
    world = wit.W(component(text), wit.WImports(i=Host()))
    with world.i.make() as thing:
        assert isinstance(thing, wit.R)
        assert [one.closed for one in made] == [False]
    assert [one.closed for one in made] == [True]


def test_a_type_that_a_use_brought_in_is_that_of_its_interface(tmp_path: Path) -> None:
    wit = adapter(
        tmp_path,
        """
        package a:b;
        interface i { resource r; make: func() -> r; }
        interface user { use i.{r as mine}; }
        interface api { run: func(); }
        world w { import i; import user; export api; }
        """,
    )
    text = """
      (import "a:b/i" (instance $i (export "r" (type $r (sub resource))) (export "make" (func (result (own $r))))))
      (alias export $i "r" (type $r))
      (import "a:b/user" (instance $user (export "mine" (type (eq $r)))))
      (alias export $user "mine" (type $mine))
      (core func $make (canon lower (func $i "make")))
      (core func $drop (canon resource.drop $mine))
      (core module $main
        (import "" "make" (func $make (result i32))) (import "" "drop" (func $drop (param i32)))
        (func (export "run") (call $drop (call $make))))
      (core instance $main (instantiate $main
        (with "" (instance (export "make" (func $make)) (export "drop" (func $drop))))))
      (func $run (canon lift (core func $main "run")))
      (instance $api (export "run" (func $run)))
      (export "a:b/api" (instance $api))
    """
    item = Item(1)

    class Host:
        def make(self) -> Item:
            return item

    wit.W(component(text), wit.WImports(i=Host())).api.run()
    assert item.closed


def test_of_two_versions_that_link_each_gets_its_own(tmp_path: Path) -> None:
    wit = adapter(
        tmp_path,
        """
        package a:b;
        world w { import x:y/i@1.0.0; import x:y/i@1.1.0; export x:y/i@1.0.0; export x:y/i@1.1.0; }
        package x:y@1.0.0 { interface i { version: func() -> u32; } }
        package x:y@1.1.0 { interface i { version: func() -> u32; } }
        """,
    )
    versions = ("1.1.0", "1.0.0")
    imports = "".join(f"""(import "x:y/i@{v}" (instance $i{v} (export "version" (func (result u32)))))
        (core func $v{v} (canon lower (func $i{v} "version")))""" for v in versions)
    exports = "".join(f"""(func $e{v} (result u32) (canon lift (core func $v{v})))
        (instance $e{v} (export "version" (func $e{v}))) (export "x:y/i@{v}" (instance $e{v}))""" for v in versions)

    class Host:
        def __init__(self, number: int) -> None:
            self.number = number

        def version(self) -> int:
            return self.number

    world = wit.W(component(imports + exports), wit.WImports(*map(Host, (100, 110))))
    fields = sorted(name for name in vars(type(world)) if not name.startswith("_"))
    assert fields == ["close", "contract", "load"]
    found = {name: interface.version() for name, interface in vars(world).items() if not name.startswith("_")}
    assert sorted(found.values()) == [100, 110]
    assert all(("1_0_0" in name) == (number == 100) for name, number in found.items())

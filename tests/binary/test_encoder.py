"""Worlds and packages to bytes, and back."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
import wasmtime
import wasmtime.component
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.binary.support import Maker, describe, interface_text, items
from witgen import __version__, ir
from witgen.binary import (
    custom_sections,
    decode,
    encode_component_type,
    encode_package,
    encoded_package,
    encoded_world,
)
from witgen.binary.writer import name_bytes

P = ir.Primitive
_METHOD, _STATIC, _CONSTRUCTOR = ir.FunctionKind.METHOD, ir.FunctionKind.STATIC, ir.FunctionKind.CONSTRUCTOR


def shapes() -> tuple[Maker, ir.InterfaceId, ir.InterfaceId]:
    """Two interfaces: one with every kind of type, one that uses it."""
    made = Maker()
    base, user = made.interface("base"), made.interface("user")
    point = made.named(base, "point", ir.Record((ir.Field("x", P.S32), ir.Field("y", P.F64))))
    color = made.named(base, "color", ir.Enum((ir.Label("red"), ir.Label("green"))))
    made.named(base, "perms", ir.Flags((ir.Label("read"), ir.Label("write"))))
    pair = made.anonymous(ir.Tuple((P.CHAR, point)))
    made.named(base, "choice", ir.Variant((ir.Case("none", None), ir.Case("pair", pair))))
    made.named(base, "age", ir.Alias(P.U16))
    made.named(base, "point2", ir.Alias(point))
    made.named(base, "table", ir.Map(P.STRING, made.anonymous(ir.FixedLengthList(P.U8, 300))))
    handle = made.named(base, "handle", ir.Resource())
    own, borrow = made.anonymous(ir.Own(handle)), made.anonymous(ir.Borrow(handle))
    made.of_resource(base, _CONSTRUCTOR, handle, "", own, ir.Param("at", point))
    made.of_resource(base, _METHOD, handle, "move", None, ir.Param("self", borrow), ir.Param("to", point))
    made.of_resource(base, _STATIC, handle, "merge", own, ir.Param("a", own), ir.Param("b", borrow))
    bytes_ = made.anonymous(ir.List(P.U8))
    made.function(
        base, "send", made.anonymous(ir.Result(bytes_, color)), data=bytes_, deep=made.anonymous(ir.Option(pair))
    )
    made.function(base, "wait", made.anonymous(ir.Future(None)), on=made.anonymous(ir.Stream(P.ERROR_CONTEXT)))
    used = made.named(user, "spot", ir.Alias(point))
    used_handle = made.named(user, "handle", ir.Alias(handle))
    line = made.named(user, "line", ir.Record((ir.Field("from", used), ir.Field("to", used))))
    made.function(
        user, "draw", made.anonymous(ir.Result(None, None)), of=line, by=made.anonymous(ir.Borrow(used_handle))
    )
    return made, base, user


def round_trip(resolve: ir.Resolve, world: ir.WorldId) -> tuple[ir.Resolve, ir.WorldId]:
    return encoded_world(decode(encode_component_type(resolve, world)))


def test_a_world_comes_back_as_it_was() -> None:
    made, base, user = shapes()
    own_type = made.named(None, "local", ir.Record((ir.Field("n", P.BOOL),)))
    world = made.world(
        "guest",
        {
            **items(base, user),
            "local": ir.TypeItem(own_type),
            "log": ir.FunctionItem(made.function(None, "log", a_b=own_type)),
        },
        {**items(user), "run": ir.FunctionItem(made.function(None, "run", own_type))},
    )
    resolve = made.resolve()
    back, back_world = round_trip(resolve, world)
    assert describe(back, back_world) == describe(resolve, world)
    row = back.worlds[back_world]
    assert (row.name, str(back.packages[row.package].name)) == ("guest", "test:made@0.1.0")


def test_encoding_what_came_back_gives_the_same_bytes() -> None:
    made, base, user = shapes()
    world = made.world("guest", items(base), items(user))
    data = encode_component_type(made.resolve(), world)
    assert encode_component_type(*encoded_world(decode(data))) == data


def test_an_interface_uses_the_exported_instance_where_there_is_one() -> None:
    made, base, user = shapes()
    world = made.world("guest", items(base, user), items(user, base))
    resolve = made.resolve()
    back = round_trip(resolve, world)
    assert describe(*back) == describe(resolve, world)


def test_a_used_interface_comes_before_its_users_whatever_the_order_of_the_world() -> None:
    made, base, user = shapes()
    world = made.world("guest", items(user, base))
    resolve = made.resolve()
    assert describe(*round_trip(resolve, world)) == describe(resolve, world)


def test_an_interface_that_is_not_imported_cannot_be_used() -> None:
    made, _, user = shapes()
    world = made.world("guest", items(user))
    with pytest.raises(ValueError, match=r"type point of test:made/base.* is used, but"):
        encode_component_type(made.resolve(), world)


def test_inline_interfaces_and_attributes_come_back() -> None:
    made = Maker()
    inline, named = made.interface(None), made.interface("store")
    kind = made.named(inline, "kind", ir.Enum((ir.Label("a"),)))
    made.function(inline, "f", kind)
    made.function(named, "get", P.STRING)
    world = made.world(
        "guest",
        {"inside": ir.InterfaceItem(inline), "primary": ir.InterfaceItem(named, implements=True, external_id="x:1")},
        {"inside": ir.InterfaceItem(named, implements=True)},
    )
    resolve = made.resolve()
    back, back_world = round_trip(resolve, world)
    assert describe(back, back_world) == describe(resolve, world)
    item = back.worlds[back_world].imports["primary"]
    assert isinstance(item, ir.InterfaceItem)
    assert item.external_id == "x:1"


def test_the_section_says_its_format_and_the_string_encoding() -> None:
    made, base, _ = shapes()
    world = made.world("guest", items(base))
    data = encode_component_type(made.resolve(), world)
    assert custom_sections(data)[0] == ("wit-component-encoding", memoryview(b"\x04\x00"))


def test_what_is_written_says_that_witgen_wrote_it() -> None:
    made, base, _ = shapes()
    world = made.world("guest", items(base))
    for data in (encode_component_type(made.resolve(), world), encode_package(made.resolve(), ir.PackageId(0))):
        content = dict(custom_sections(data))["producers"]
        assert bytes(content) == b"\x01\x0cprocessed-by\x01\x06witgen" + name_bytes(__version__)


def test_a_package_comes_back_as_it_was() -> None:
    made, base, user = shapes()
    worlds = [made.world("one", items(base), items(user)), made.world("two", items(user, base))]
    resolve = made.resolve()
    back, package = encoded_package(decode(encode_package(resolve, ir.PackageId(0))))
    row = back.packages[package]
    assert str(row.name) == "test:made@0.1.0"
    assert list(row.interfaces) == ["base", "user"]
    for id_ in (base, user):
        name = resolve.interfaces[id_].name
        assert name is not None
        assert interface_text(back, row.interfaces[name]) == interface_text(resolve, id_)
    for world in worlds:
        name = resolve.worlds[world].name
        assert describe(back, row.worlds[name]) == describe(resolve, world)


def test_docs_and_gates_of_a_package_come_back() -> None:
    made = Maker()
    interface = made.interface("documented")
    field = ir.Field("x", P.U8, docs="The field.")
    made.named(interface, "r", ir.Record((field,)), docs="The type.\n\nMore of it.")
    made.named(interface, "e", ir.Enum((ir.Label("a", "Case."), ir.Label("b"))))
    made.named(interface, "v", ir.Variant((ir.Case("a", None, "Case."),)))
    gate = ir.Stability(since="0.1.0", deprecated="0.2.0")
    function = ir.Function("f", ir.FunctionKind.FREESTANDING, None, (), None, docs="The function.", stability=gate)
    made.interfaces[interface][2]["f"] = function
    draft = ir.Stability(unstable="draft")
    world = made.world("w", {interface: ir.InterfaceItem(interface, draft, "The import.")})
    made.worlds[world] = ir.World(
        "w",
        made.worlds[world].imports,
        {"run": ir.FunctionItem(ir.Function("run", ir.FunctionKind.FREESTANDING, None, (), None, docs="Runs."))},
        ir.PackageId(0),
        docs="The world.",
    )
    resolve = made.resolve()
    back, _ = encoded_package(decode(encode_package(resolve, ir.PackageId(0))))
    assert back == resolve


_NOMINAL: list[Callable[[random.Random, Sequence[ir.Type]], ir.Kind]] = [
    lambda r, known: ir.Record(tuple(ir.Field(f"f{i}", r.choice(known)) for i in range(r.randint(1, 4)))),
    lambda r, known: ir.Variant(tuple(ir.Case(f"c{i}", _maybe(r, known)) for i in range(r.randint(1, 4)))),
    lambda r, known: ir.Enum(tuple(ir.Label(f"e{i}") for i in range(r.randint(1, 300)))),
    lambda r, known: ir.Flags(tuple(ir.Label(f"g{i}") for i in range(r.randint(1, 32)))),
]
_STRUCTURAL: list[Callable[[random.Random, Sequence[ir.Type]], ir.Kind]] = [
    lambda r, known: ir.Tuple(tuple(r.choice(known) for _ in range(r.randint(1, 4)))),
    lambda r, known: ir.Option(r.choice(known)),
    lambda r, known: ir.Result(_maybe(r, known), _maybe(r, known)),
    lambda r, known: ir.List(r.choice(known)),
]
_NEW: list[Callable[[random.Random, Sequence[ir.Type]], ir.Kind]] = [
    lambda r, known: ir.FixedLengthList(r.choice(known), r.randrange(1, 4)),
    lambda r, known: ir.Map(r.choice((P.STRING, P.BOOL, P.S64)), P.U8),
    lambda r, known: ir.Stream(r.choice((None, P.U8, P.STRING))),
    lambda r, known: ir.Future(_maybe(r, known)),
]
#: Primitives that every engine knows.
_OLD = tuple(p for p in P if p is not P.ERROR_CONTEXT)


def _maybe(r: random.Random, known: Sequence[ir.Type]) -> ir.Type | None:
    return r.choice((None, *known))


def any_world(r: random.Random, *, old: bool = False) -> tuple[ir.Resolve, ir.WorldId]:
    """A valid world of two interfaces, with types of any depth and kind (or `old` ones), the second using the first."""
    made = Maker()
    first, second = made.interface("first"), made.interface("second")
    kinds = _STRUCTURAL + ([] if old else _NEW)
    for owner in (first, second):
        known: list[ir.Type] = [*(_OLD if old else P)]
        if owner == second:
            for name, id_ in list(made.interfaces[first][1].items()):
                alias = made.named(second, f"used-{name}", ir.Alias(id_))
                if name != "res":
                    known.append(alias)
        borrows: list[ir.Type] = []
        if r.random() < 0.5:
            resource = made.named(owner, "res", ir.Resource())
            known.append(made.anonymous(ir.Own(resource)))
            borrows.append(made.anonymous(ir.Borrow(resource)))
        for i in range(r.randrange(12)):
            if r.random() < 0.5:
                known.append(made.named(owner, f"t{i}", r.choice(_NOMINAL + kinds)(r, known)))
            else:
                known.append(made.anonymous(r.choice(kinds)(r, known)))
        for i in range(r.randrange(4)):
            params = {f"p{j}": r.choice(known + borrows) for j in range(r.randrange(4))}
            made.function(owner, f"f{i}", _maybe(r, known), **params)
    world = made.world("w", items(first, second), r.choice((items(), items(second), items(second, first))))
    return made.resolve(), world


@given(st.integers(0, 1 << 64))
def test_any_world_comes_back_as_it_was(seed: int) -> None:
    resolve, world = any_world(random.Random(seed))
    data = encode_component_type(resolve, world)
    back = encoded_world(decode(data))
    assert describe(*back) == describe(resolve, world)
    assert encode_component_type(*back) == data


@given(st.integers(0, 1 << 64))
def test_any_package_comes_back_as_it_was(seed: int) -> None:
    resolve, world = any_world(random.Random(seed))
    back, package = encoded_package(decode(encode_package(resolve, ir.PackageId(0))))
    assert describe(back, back.packages[package].worlds["w"]) == describe(resolve, world)


@settings(max_examples=25)
@given(st.integers(0, 1 << 64))
def test_an_engine_finds_no_fault_with_what_is_written(seed: int) -> None:
    resolve, world = any_world(random.Random(seed), old=True)
    engine = wasmtime.Engine()
    for data in (encode_component_type(resolve, world), encode_package(resolve, ir.PackageId(0))):
        wasmtime.component.Component(engine, data)

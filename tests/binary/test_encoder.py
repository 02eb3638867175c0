"""Worlds and packages to bytes, and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.binary.support import Maker, describe, interface_text, items
from witgen import ir
from witgen.binary import (
    custom_sections,
    decode,
    encode_component_type,
    encode_package,
    encoded_package,
    encoded_world,
)

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
    with pytest.raises(ValueError, match="type point of test:made/base@0.1.0 is used, but"):
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
    data = encode_component_type(made.resolve(), made.world("guest", items(base)))
    assert custom_sections(data) == [("wit-component-encoding", memoryview(b"\x04\x00"))]


def test_producers_are_written_where_they_are_given() -> None:
    made, base, _ = shapes()
    world = made.world("guest", items(base))
    data = encode_component_type(made.resolve(), world, {"processed-by": {"witgen": "0.1.0"}})
    assert dict(custom_sections(data))["producers"] == b"\x01\x0cprocessed-by\x01\x06witgen\x050.1.0"


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


_LABELS = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,4})?", fullmatch=True)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[ir.Resolve, ir.WorldId]:
    """Worlds of one or two interfaces with types of any kind and depth."""
    made = Maker()
    first, second = made.interface("first"), made.interface("second")
    known: list[ir.Type] = [*P]

    def kind(owner: ir.InterfaceId) -> ir.Kind:
        one = st.sampled_from(known)
        maybe = st.none() | one
        labels = draw(st.lists(_LABELS, min_size=1, max_size=4, unique=True))
        return draw(
            st.one_of(
                st.tuples(*[one] * len(labels)).map(lambda types: ir.Record(tuple(map(ir.Field, labels, types)))),
                st.tuples(*[maybe] * len(labels)).map(lambda types: ir.Variant(tuple(map(ir.Case, labels, types)))),
                st.just(ir.Enum(tuple(map(ir.Label, labels)))),
                st.just(ir.Flags(tuple(map(ir.Label, labels)))),
                st.lists(one, min_size=1, max_size=3).map(lambda types: ir.Tuple(tuple(types))),
                st.builds(ir.Option, one),
                st.builds(ir.Result, maybe, maybe),
                st.builds(ir.List, one),
                st.builds(ir.FixedLengthList, one, st.integers(0, 2**32 - 1)),
                st.builds(ir.Map, one, one),
                st.builds(ir.Stream, maybe),
                st.builds(ir.Future, maybe),
                st.builds(ir.Alias, one),
            )
        )

    for owner in (first, second):
        for i, named in enumerate(draw(st.lists(st.booleans(), max_size=8))):
            new = kind(owner)
            if isinstance(new, ir.Alias) and not named:
                continue
            known.append(made.named(owner, f"t{i}", new) if named else made.anonymous(new))
        if draw(st.booleans()):
            resource = made.named(owner, "res", ir.Resource())
            known += [made.anonymous(ir.Own(resource)), made.anonymous(ir.Borrow(resource))]
        for i, types in enumerate(draw(st.lists(st.lists(st.sampled_from(known), max_size=4), max_size=3))):
            made.function(
                owner, f"f{i}", draw(st.none() | st.sampled_from(known)), **{f"p{j}": t for j, t in enumerate(types)}
            )
        # What another interface uses without a `use` of its own would have no name there.
        known = [*P]
        for name, id_ in list(made.interfaces[first][1].items()):
            if owner == first and not isinstance(made.types[id_].kind, ir.Resource):
                known.append(made.named(second, f"used-{name}", ir.Alias(id_)))
    world = made.world("w", items(first), items(second) if draw(st.booleans()) else items(first, second))
    return made.resolve(), world


@given(worlds())
def test_any_world_comes_back_as_it_was(made: tuple[ir.Resolve, ir.WorldId]) -> None:
    resolve, world = made
    data = encode_component_type(resolve, world)
    back = encoded_world(decode(data))
    assert describe(*back) == describe(resolve, world)
    assert encode_component_type(*back) == data

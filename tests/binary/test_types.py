"""Components to the worlds that they implement."""

from __future__ import annotations

import pytest

from tests.binary.samples import component, sample
from tests.binary.support import describe
from witgen import ir
from witgen.binary import BinaryError, component_world, decode
from witgen.binary import opcodes as op
from witgen.binary.errors import NoWorldError
from witgen.binary.writer import name_bytes, section, vec


def world_of(data: bytes) -> dict[str, str]:
    return describe(*component_world(decode(data)))


def test_the_world_of_a_component_is_named_as_other_tools_name_it() -> None:
    resolve, world = component_world(decode(sample("linked")))
    row = resolve.worlds[world]
    assert (str(resolve.packages[row.package].name), row.name) == ("root:component", "root")


def test_an_exported_instance_gets_the_types_that_its_component_was_given() -> None:
    assert world_of(sample("linked")) == {
        "import test:host/base@1.2.3": "interface base implements=False",
        "import test:host/base@1.2.3.type point": "test:host/base@1.2.3#point = record(x: s32, y: s32) None",
        "import test:host/base@1.2.3.type handle": "test:host/base@1.2.3#handle = resource None",
        "import test:host/base@1.2.3.[method]handle.at": (
            "method test:host/base@1.2.3#handle"
            "(self: Borrow(test:host/base@1.2.3#handle), at: test:host/base@1.2.3#point) -> u32 None"
        ),
        "export test:guest/shapes@0.1.0": "interface shapes implements=False",
        "export test:guest/shapes@0.1.0.type point": (
            "test:guest/shapes@0.1.0#point = Alias(test:host/base@1.2.3#point) None"
        ),
        "export test:guest/shapes@0.1.0.type handle": (
            "test:guest/shapes@0.1.0#handle = Alias(test:host/base@1.2.3#handle) None"
        ),
        "export test:guest/shapes@0.1.0.type line": (
            "test:guest/shapes@0.1.0#line = "
            "record(from: test:host/base@1.2.3#point, to: Option(test:host/base@1.2.3#point)) None"
        ),
        "export test:guest/shapes@0.1.0.f": (
            "freestanding (at: test:guest/shapes@0.1.0#point, of: Borrow(test:guest/shapes@0.1.0#handle)) -> "
            "List(test:guest/shapes@0.1.0#line) None"
        ),
    }


def test_a_resource_keeps_its_identity_through_composed_components() -> None:
    found = world_of(sample("composed"))
    assert found["export test:store/items@0.1.0.type item"] == "test:store/items@0.1.0#item = resource None"
    assert (
        found["export test:user/api@0.1.0.type item"]
        == "test:user/api@0.1.0#item = Alias(test:store/items@0.1.0#item) None"
    )
    assert found["export test:user/api@0.1.0.take"] == "freestanding () -> Own(test:user/api@0.1.0#item) None"


def test_each_import_of_an_instance_type_has_resources_of_its_own() -> None:
    data = component("""
        (type $t (instance (export "r" (type (sub resource)))))
        (import "a:b/one" (instance (type $t)))
        (import "a:b/two" (instance (type $t)))""")
    resolve, _ = component_world(decode(data))
    assert [definition.kind for definition in resolve.types] == [ir.Resource(), ir.Resource()]


def test_a_world_has_types_and_functions_of_its_own() -> None:
    found = world_of(sample("world"))
    assert found["import thing"] == "type world#thing = resource None"
    assert found["import choice"] == (
        "type world#choice = variant(none: _, some: tuple(Own(world#thing), List(world#all), list(u16, 4)), "
        "other: world#number) None"
    )
    assert found["import [method]thing.go"] == (
        "method world#thing(self: Borrow(world#thing), how: Option(world#access)) -> Result(world#choice, string) None"
    )
    assert found["import [constructor]thing"] == "constructor world#thing(in: list(u16, 4)) -> Own(world#thing) None"
    assert found["import listen"] == (
        "async freestanding (on: Stream(u8), done: Future(Result(_, _)), tick: Stream(_)) -> _ None"
    )
    assert found["import plain"] == "interface None implements=False"
    assert found["import plain.name"] == "freestanding () -> Option(string) None"


def test_an_interface_on_both_sides_has_a_row_for_each() -> None:
    data = component("""
        (import "a:b/c" (instance $i (export "f" (func)) (export "r" (type (sub resource)))))
        (import "g" (func $g (result u8)))
        (alias export $i "f" (func $f))
        (instance $both (export "f" (func $f)) (export "g" (func $g)))
        (export "a:b/c" (instance $both))""")
    resolve, world = component_world(decode(data))
    (imported, _), (exported,) = (list(resolve.worlds[world].imports), list(resolve.worlds[world].exports))
    assert imported != exported
    assert not isinstance(exported, str)
    assert list(resolve.interfaces[exported].functions) == ["f", "g"]
    assert resolve.packages[0].interfaces == {"c": exported}


def test_an_export_shows_no_more_than_the_type_that_it_is_given() -> None:
    data = component("""
        (import "a:b/c" (instance $i
            (export "f" (func)) (export "secret" (func)) (export "r" (type (sub resource)))))
        (export "a:b/d" (instance $i) (instance (export "f" (func)) (export "r" (type (sub resource)))))""")
    found = world_of(data)
    assert {name for name in found if name.startswith("export")} == {
        "export a:b/d",
        "export a:b/d.f",
        "export a:b/d.type r",
    }
    assert found["export a:b/d.type r"] == "a:b/d#r = Alias(a:b/c#r) None"


def test_names_given_on_the_way_do_not_hide_where_a_type_is_defined() -> None:
    data = component("""
        (import "a:b/c" (instance $i (type (enum "x")) (export "e" (type (eq 0)))))
        (alias export $i "e" (type $e))
        (instance $once (export "passed" (type $e)))
        (alias export $once "passed" (type $p))
        (instance $twice (export "f" (type $p)))
        (export "a:b/d" (instance $twice))""")
    assert world_of(data)["export a:b/d.type f"] == "a:b/d#f = Alias(a:b/c#e) None"


def test_aliases_and_equal_types_are_told_apart() -> None:
    data = component("""
        (import "a:b/c" (instance
            (type (record (field "x" u8)))
            (export "one" (type (eq 0)))
            (export "two" (type (eq 1)))
            (export "three" (type (eq 0)))
            (type string)
            (export "text" (type (eq 4)))))""")
    found = world_of(data)
    assert found["import a:b/c.type two"] == "a:b/c#two = Alias(a:b/c#one) None"
    assert found["import a:b/c.type three"] == "a:b/c#three = record(x: u8) None"
    assert found["import a:b/c.type text"] == "a:b/c#text = Alias(string) None"


def record(*fields: str) -> bytes:
    """A component that imports a record of such fields."""
    type_ = b"\x72" + vec([name_bytes(field) + b"\x7f" for field in fields])
    named = b"\0" + name_bytes("r") + b"\x03\0\0"
    return op.PREAMBLE + section(op.TYPE, vec([type_])) + section(op.IMPORT, vec([named]))


def test_names_are_looked_at_before_anyone_relies_on_them() -> None:
    assert len(component_world(decode(record("a", "b-c")))[0].types) == 1
    with pytest.raises(BinaryError, match=r"`a bool\\u\{a\}field b` is not a name"):
        component_world(decode(record("a bool\nfield b")))
    with pytest.raises(BinaryError, match="two names are the same"):
        component_world(decode(record("a", "A")))


@pytest.mark.parametrize(
    ("kind", "type_"),
    [("record", b"\x72\x01\x01x\x7f"), ("variant", b"\x71\x01\x01x\0\0"), ("enum", b"\x6d\x01\x01x")],
)
def test_a_type_whose_name_is_part_of_it_cannot_be_used_without_one(kind: str, type_: bytes) -> None:
    func = section(op.IMPORT, vec([b"\0" + name_bytes("f") + b"\x01\x01"]))
    data = op.PREAMBLE + section(op.TYPE, vec([type_, b"\x40\x01\x01x\0\x01\0"])) + func
    with pytest.raises(BinaryError, match=f"the {kind} that is used here has no name"):
        component_world(decode(data))


def of_resource(name: str, *, params: bytes, result: bytes) -> bytes:
    """A component that imports an interface with resource r (type 0), own (1) and borrow (2) of it, and a function."""
    exports = [b"\x04\0" + name_bytes("r") + b"\x03\x01", b"\x01\x69\0", b"\x01\x68\0"]
    func = [b"\x01\x40" + params + result, b"\x04\0" + name_bytes(name) + b"\x01\x03"]
    imports = section(op.IMPORT, vec([b"\0" + name_bytes("a:b/c") + b"\x05\0"]))
    return op.PREAMBLE + section(op.TYPE, vec([b"\x42" + vec(exports + func)])) + imports


SELF, NONE = b"\1\4self\2", b"\1\0"


@pytest.mark.parametrize(
    ("name", "params", "result"),
    [
        ("[method]r.f", b"\0", NONE),
        ("[method]r.f", b"\1\4self\1", NONE),
        ("[method]r.f", b"\1\4self\x7f", NONE),
        ("[method]r.f", b"\1\3own\2", NONE),
        ("[constructor]r", b"\0", NONE),
        ("[constructor]r", b"\0", b"\0\x7f"),
        ("[constructor]r", b"\0", b"\0\2"),
    ],
)
def test_functions_of_resources_are_what_their_names_say(name: str, params: bytes, result: bytes) -> None:
    with pytest.raises(BinaryError, match=r"has no parameter self that borrows|does not return its resource"):
        component_world(decode(of_resource(name, params=params, result=result)))


@pytest.mark.parametrize(
    ("name", "params", "result"),
    [("[method]r.f", SELF, NONE), ("[static]r.f", b"\0", NONE), ("[constructor]r", b"\0", b"\0\1")],
)
def test_functions_of_resources_are_read(name: str, params: bytes, result: bytes) -> None:
    resolve, _ = component_world(decode(of_resource(name, params=params, result=result)))
    assert name in resolve.interfaces[0].functions


def test_names_that_would_disturb_a_terminal_are_not_printed_as_they_are() -> None:
    data = op.PREAMBLE + section(op.TYPE, vec([b"\x42\0"]))
    data += section(op.IMPORT, vec([b"\0" + name_bytes("\x1b[2J" + "x" * 5000) + b"\x05\0"]))
    with pytest.raises(BinaryError) as caught:
        component_world(decode(data))
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_a_version_suffix_completes_the_version() -> None:
    name = b"\2" + name_bytes("a:b/c@1") + vec([b"\1" + name_bytes(".2.3")])
    data = op.PREAMBLE + section(op.TYPE, vec([b"\x42\0"])) + section(op.IMPORT, vec([name + b"\x05\0"]))
    assert list(world_of(data)) == ["import a:b/c@1.2.3"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('(core type $m (module)) (import "m" (core module (type $m)))', "no world can have the core module `m`"),
        ('(import "c" (component))', "no world can have the component `c`"),
        ('(import "a:b/c" (instance (export "i" (instance))))', "no interface can have the instance `i`"),
        (
            '(import "unlocked-dep=<a:b>" (instance))',
            "no world can have `unlocked-dep=<a:b>` as the name of an interface",
        ),
        ('(import "[method]r.f" (func))', "`[method]r.f` belongs to a resource that is not there"),
        ('(import "i" (instance $i)) (alias export $i "f" (func))', "instance 0 exports no `f`"),
        (
            '(import "i" (instance $i (export "f" (func)))) (alias export $i "f" (instance))',
            "`f` is of sort func, not instance",
        ),
        (
            '(component $c (import "f" (func))) (instance (instantiate $c))',
            "import `f` is given no argument",
        ),
        (
            '(component $c (import "f" (func))) (import "i" (instance $i)) '
            '(instance (instantiate $c (with "f" (instance $i))))',
            "`f` is of sort func, but given instance",
        ),
        (
            '(component $c (import "f" (func (param "x" u8)))) (import "g" (func $g (param "x" u16))) '
            '(instance (instantiate $c (with "f" (func $g))))',
            "`f` is not of the type that is declared for it",
        ),
        (
            '(component $c (import "t" (type (sub resource)))) (type $t (list u8)) '
            '(instance (instantiate $c (with "t" (type $t))))',
            "`t` is not of the type that is declared for it",
        ),
        (
            '(import "f" (func $f (result u8))) (export "g" (func $f) (func (result u32)))',
            "`g` is not of the type that is declared for it",
        ),
        (
            '(import "i" (instance $i)) (export "a:b/c" (instance $i) (instance (export "f" (func))))',
            "`f` is declared, but not exported by what is given",
        ),
        ('(type $f (func)) (type $l (list $f)) (import "f" (func (result $l)))', "this is not the type of a value"),
        (
            '(import "t" (type $t (sub resource))) (import "f" (func (result $t)))',
            "a resource is used as a value, without own or borrow",
        ),
        ('(type $t u8) (type $o (own $t)) (import "f" (func (result $o)))', "a handle to what is not a resource"),
        ('(type $t u8) (import "f" (func (type $t)))', "type 0 describes no func"),
        ('(type $t u8) (import "i" (instance (type $t)))', "type 0 describes no instance"),
        (
            '(type $r (resource (rep i32))) (type $o (own $r)) (import "f" (func (result $o)))',
            "the resource that is used here has no name",
        ),
    ],
)
def test_what_does_not_fit_or_has_no_place_in_a_world_is_refused(text: str, message: str) -> None:
    with pytest.raises(BinaryError) as caught:
        component_world(decode(component(text)))
    assert caught.value.message == message
    assert caught.value.offset is not None


def test_a_component_may_export_types_but_no_text_can_say_so() -> None:
    decoded = decode(component('(type $t (record (field "a" u8))) (export "t" (type $t))'))
    assert describe(*component_world(decoded)) == {"export t": "type world#t = record(a: u8) None"}
    with pytest.raises(NoWorldError, match="no world can export the type `t`"):
        component_world(decoded, merge=True)

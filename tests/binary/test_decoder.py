"""Components to lists of definitions."""

from __future__ import annotations

import pytest

from tests.binary.samples import SAMPLES, component, sample
from witgen.binary import BinaryError, decode
from witgen.binary import model as m
from witgen.binary import opcodes as op
from witgen.binary.model import Sort
from witgen.binary.writer import name_bytes, section, unsigned, vec
from witgen.ir import Primitive


def only(kind: type[m.Definition], data: bytes) -> list[m.Definition]:
    return [definition for definition in decode(data).definitions if isinstance(definition, kind)]


def test_definitions_come_in_the_order_of_the_binary() -> None:
    kinds = [type(d) for d in decode(sample("linked")).definitions if not isinstance(d, m.CustomSection)]
    assert kinds[:4] == [m.TypeDef, m.Import, m.ExportAlias, m.ExportAlias]
    assert kinds[-3:] == [m.Component, m.InstantiateComponent, m.Export]


def test_definitions_say_which_index_space_they_extend() -> None:
    spaces = [definition.space for definition in decode(sample("linked")).definitions]
    assert spaces[:5] == [Sort.TYPE, Sort.INSTANCE, Sort.TYPE, Sort.TYPE, Sort.CORE_MODULE]
    assert spaces[-1] is None


def test_offsets_point_into_the_file() -> None:
    data = sample("linked")
    for definition in decode(data).definitions:
        assert 8 < definition.offset < len(data)
        if isinstance(definition, m.CoreModule | m.Component):
            assert data[definition.offset :].startswith(bytes(definition.data))


def test_core_modules_are_cut_out_whole() -> None:
    (module,) = only(m.CoreModule, sample("linked"))
    assert isinstance(module, m.CoreModule)
    assert bytes(module.data[:8]) == op.CORE_PREAMBLE
    assert b"realloc" in bytes(module.data)


def test_a_lifted_function_has_its_options() -> None:
    (lift,) = only(m.CanonLift, sample("linked"))
    assert isinstance(lift, m.CanonLift)
    assert lift.options == m.CanonOptions(memory=0, realloc=0, post_return=lift.core_func + 1)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("utf16", m.StringEncoding.UTF16), ("latin1+utf16", m.StringEncoding.LATIN1_UTF16)],
)
def test_string_encodings_are_read(text: str, encoding: m.StringEncoding) -> None:
    encodings = [d.options.string_encoding for d in only(m.CanonLower, sample("rare")) if isinstance(d, m.CanonLower)]
    assert encoding in encodings, text


def test_core_instances_and_their_aliases_are_read() -> None:
    definitions = decode(sample("rare")).definitions
    sorts = [d.sort for d in definitions if isinstance(d, m.CoreExportAlias)]
    assert sorts == [Sort.CORE_TABLE, Sort.CORE_GLOBAL, Sort.CORE_MEMORY, Sort.CORE_FUNC]
    (bundle,) = only(m.BundleCoreExports, sample("rare"))
    assert isinstance(bundle, m.BundleCoreExports)
    assert [(e.name, e.sort, e.index) for e in bundle.exports] == [
        ("t", Sort.CORE_TABLE, 0),
        ("g", Sort.CORE_GLOBAL, 0),
    ]


def test_core_types_are_read_as_far_as_components_need_them() -> None:
    function, module = [d.type for d in only(m.CoreTypeDef, sample("rare")) if isinstance(d, m.CoreTypeDef)]
    assert function == m.CoreFuncType(("i32", "i64"), ("f32",))
    assert isinstance(module, m.OpaqueCoreType)
    assert module.what == "module"


def test_instances_of_components_and_bundles_are_read() -> None:
    made = [d for d in decode(sample("rare")).definitions if d.space is Sort.INSTANCE]
    assert made[0] == m.BundleExports((m.InlineExport("f", Sort.FUNC, 0), m.InlineExport("c", Sort.COMPONENT, 0)))
    assert isinstance(made[1], m.InstantiateComponent)
    assert made[1].args == (m.Arg("x", Sort.FUNC, 0),)


def test_equal_components_are_equal_wherever_they_lie() -> None:
    inner = component('(type u8) (import "f" (func))')
    (nested,) = only(m.Component, op.PREAMBLE + section(op.COMPONENT, inner))
    assert nested == decode(inner)
    assert nested.offset == 10


def _canon(content: bytes) -> m.Definition:
    """A canonical definition in a component that has two of everything it may refer to."""
    module = component('(core module $m (memory (export "m") 1) (table (export "t") 1 funcref) (func (export "f")))')
    sections = [
        section(op.CORE_INSTANCE, vec([b"\0\0\0"])),
        section(
            op.ALIAS,
            vec([bytes((0, sort, 1, 0)) + name_bytes(name) for sort, name in ((0, "f"), (1, "t"), (2, "m"))] * 2),
        ),
        section(op.TYPE, vec([b"\x66\0", b"\x65\0"])),
        section(op.CORE_TYPE, vec([b"\x60\0\0"] * 2)),
        section(op.CANON, vec([content])),
    ]
    return decode(module + b"".join(sections)).definitions[-1]


#: Bytes of an operand, and what is made of them.
_OPERANDS: dict[str, bytes] = {"t": b"\1", "y": b"\1", "m": b"\1", "x": b"\1", "n": b"\1", "f": b"\1"}


@pytest.mark.parametrize("code", op.BUILTINS)
def test_canonical_built_ins_are_known_by_name(code: int) -> None:
    name, follows = op.BUILTINS[code]
    others = {"v": b"\x7f", "r": b"\0\x73", "o": b"\1\3\1"}
    found = _canon(bytes((code,)) + b"".join((_OPERANDS | others)[letter] for letter in follows))
    assert isinstance(found, m.CanonBuiltin)
    assert found.name == name
    assert found.operands == (1,) * sum(letter in _OPERANDS for letter in follows)
    assert found.value_type == ("i32" if "v" in follows else None)
    assert found.result == (Primitive.STRING if "r" in follows else None)
    assert found.options.memory == (1 if "o" in follows else None)


def test_resource_built_ins_have_classes_of_their_own() -> None:
    kinds = (m.ResourceNew, m.ResourceDrop, m.ResourceRep)
    assert [_canon(bytes((code, 1))) for code in (2, 3, 4)] == [kind(1) for kind in kinds]


def test_every_canonical_option_is_read() -> None:
    found = _canon(b"\x1c" + vec([b"\x01", b"\x03\1", b"\x04\0", b"\x05\1", b"\x06", b"\x07\0", b"\x08\1", b"\x09"]))
    assert isinstance(found, m.CanonBuiltin)
    assert found.options == m.CanonOptions(
        m.StringEncoding.UTF16, memory=1, realloc=0, post_return=1, callback=0, is_async=True, core_type=1, is_gc=True
    )


def _type(content: bytes) -> m.DefType:
    (definition,) = decode(op.PREAMBLE + section(op.TYPE, vec([content]))).definitions
    assert isinstance(definition, m.TypeDef)
    return definition.type


@pytest.mark.parametrize(
    ("content", "type_"),
    [
        (b"\x7f", Primitive.BOOL),
        (b"\x64", Primitive.ERROR_CONTEXT),
        (b"\x70\x7d", m.List(Primitive.U8)),
        (b"\x67\x7d\x80\x01", m.FixedLengthList(Primitive.U8, 128)),
        (b"\x63\x73\x79", m.Map(Primitive.STRING, Primitive.U32)),
        (b"\x6f\x02\x73\x79", m.Tuple((Primitive.STRING, Primitive.U32))),
        (b"\x6b\x64", m.Option(Primitive.ERROR_CONTEXT)),
        (b"\x6a\0\x01\x73", m.Result(None, Primitive.STRING)),
        (b"\x66\x01\x7d", m.Stream(Primitive.U8)),
        (b"\x65\0", m.Future(None)),
        (b"\x6d\x02\x01a\x01b", m.Enum(("a", "b"))),
        (b"\x6e\x01\x01a", m.Flags(("a",))),
        (b"\x72\x01\x01a\x73", m.Record((m.Labelled("a", Primitive.STRING),))),
        (b"\x71\x01\x01a\0\0", m.Variant((m.Labelled("a", None),))),
        (b"\x40\x01\x01a\x73\x01\0", m.FuncType((m.Labelled("a", Primitive.STRING),), None)),
        (b"\x43\0\0\x73", m.FuncType((), Primitive.STRING, is_async=True)),
        (b"\x3f\x7f\0", m.ResourceType("i32", None)),
        (b"\x42\x01\x01\x7f", m.InstanceType((m.TypeDef(Primitive.BOOL),))),
    ],
)
def test_types_are_read(content: bytes, type_: m.DefType) -> None:
    assert _type(content) == type_


def _import(name: bytes) -> m.Import:
    data = section(op.TYPE, vec([b"\x40\0\x01\0"])) + section(op.IMPORT, vec([name + b"\x01\0"]))
    found = decode(op.PREAMBLE + data).definitions[-1]
    assert isinstance(found, m.Import)
    return found


@pytest.mark.parametrize("form", [0, 1])
def test_plain_names_have_two_forms(form: int) -> None:
    assert _import(bytes((form,)) + name_bytes("a:b/c@1.0.0")) == m.Import("a:b/c@1.0.0", m.ExternDesc(Sort.FUNC, 0))


def test_names_can_carry_attributes() -> None:
    attributes = [b"\0" + name_bytes("a:b/c@1"), b"\1" + name_bytes(".2.3"), b"\2" + name_bytes("id")]
    found = _import(b"\2" + name_bytes("primary") + vec(attributes))
    assert found.name == "primary"
    assert found.attributes == m.NameAttributes("a:b/c@1", ".2.3", "id")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "at offset 0x0: the file is empty"),
        (op.PREAMBLE[:5], "at offset 0x5: unexpected end"),
        (op.CORE_PREAMBLE, "this is a core module, not a component"),
        (b"\0asm\x0a\0\x01\0", "component format version 0xa is not supported, only 0xd is"),
        (b"\0asm\x07\0\0\0", "neither a component nor a core module"),
        (b"/// Docs.\n\npackage a:b;\n", "this is WIT text, not a component binary"),
        (b"(component)", "this is WebAssembly text, not a component binary"),
        (b"\x7fELF\x02\x01\x01\0", "this is no WebAssembly, not a component binary"),
        (b"\xff\xfe", "this is no WebAssembly"),
    ],
)
def test_what_is_no_component_is_told_by_what_it_is(data: bytes, message: str) -> None:
    with pytest.raises(BinaryError, match=message.replace("(", r"\(")):
        decode(data)


def _sections(*parts: tuple[int, bytes]) -> bytes:
    return op.PREAMBLE + b"".join(section(number, content) for number, content in parts)


@pytest.mark.parametrize(
    ("data", "offset", "message"),
    [
        (_sections((13, b"")), 8, "section 13 is unknown"),
        (op.PREAMBLE + b"\x07\x7f\0", 9, "section of 127 bytes, more than remain (1)"),
        (op.PREAMBLE + b"\x07\x80\x80\x80\x80\x10", 9, "number does not fit into 32 bits"),
        (op.PREAMBLE + b"\x07\x80\x80\x80\x80\x80\x00", 9, "number does not fit into 32 bits"),
        (_sections((op.TYPE, b"\x05\x7f")), 10, "5 types, more than the bytes that remain (1)"),
        (_sections((op.TYPE, b"\x01\x7f\x7f")), 12, "section 7 goes on after its content"),
        (_sections((op.TYPE, b"\x01\x30")), 11, "0x30 is no type"),
        (_sections((op.TYPE, b"\x01\x70\x00")), 12, "type 0 does not exist: 0 defined so far"),
        (_sections((op.TYPE, b"\x01\x70\x40")), 12, "0x40 is no value type"),
        (_sections((op.TYPE, b"\x01\x69\x03")), 12, "type 3 does not exist: 0 defined so far"),
        (_sections((op.TYPE, b"\x01\x6d\x01\x09a")), 13, "name of 9 bytes, more than remain (1)"),
        (_sections((op.TYPE, b"\x01\x6d\x01\x02a\xff")), 15, "name is not UTF-8"),
        (_sections((op.TYPE, b"\x01\x6b")), 12, "unexpected end"),
        (_sections((op.TYPE, b"\x01\x6a\x02\x7f\0")), 12, "0x02 where 0x00 or 0x01 says whether a type follows"),
        (_sections((op.TYPE, b"\x01\x3f\x7e\0")), 12, "a resource is represented by i32, not by i64"),
        (_sections((op.TYPE, b"\x01\x42\x01\x03\0\0")), 13, "0x03 is no declaration here"),
        (_sections((op.ALIAS, b"\x01\x03\x02\x01\0")), 11, "outer alias 1 levels out, but only 0 enclose it"),
        (_sections((op.ALIAS, b"\x01\x03\x02\0\0")), 11, "type 0 does not exist 0 levels out"),
        (_sections((op.ALIAS, b"\x01\x01\x02\0\0")), 11, "func is no sort of alias target 0x02"),
        (_sections((op.ALIAS, b"\x01\x00\x13\0\0")), 11, "0x13 is no sort of an alias"),
        (_sections((op.CORE_INSTANCE, b"\x01\0\0\0")), 12, "core module 0 does not exist"),
        (_sections((op.INSTANCE, b"\x01\0\0\0")), 12, "component 0 does not exist"),
        (_sections((op.CANON, b"\x01\x00\x00\x00\0\0")), 13, "core func 0 does not exist"),
        (_sections((op.CANON, b"\x01\x1c\x02\0\0")), 14, "canonical option string-encoding twice"),
        (_sections((op.CANON, b"\x01\x1c\x01\x0f")), 13, "canonical option 0x0f is unknown"),
        (_sections((op.CANON, b"\x01\x3f")), 11, "canonical definition 0x3f is unknown"),
        (_sections((op.CORE_MODULE, b"junk")), 10, "this is not a core module"),
        (_sections((op.COMPONENT, op.CORE_PREAMBLE)), 10, "this is not a component"),
        (_sections((op.CORE_TYPE, b"\x01\x5f\0")), 11, "core type 0x5f is not supported"),
        (_sections((op.IMPORT, b"\x01\x03\x01a\x01\0")), 11, "0x03 is no form of a name"),
        (_sections((op.IMPORT, b"\x01\x02\x01a\x02\0\0\0\0\x01\0")), 17, "duplicate name attribute"),
        (_sections((op.EXPORT, b"\x01\0\x01a\x01\0\0")), 15, "func 0 does not exist"),
        (_sections((op.START, b"\0\0\0")), 10, "func 0 does not exist"),
    ],
)
def test_errors_name_the_byte_that_is_wrong(data: bytes, offset: int, message: str) -> None:
    with pytest.raises(BinaryError) as caught:
        decode(data)
    assert caught.value.offset == offset
    assert message in caught.value.message
    assert str(caught.value) == f"at offset 0x{offset:x}: {caught.value.message}"


def test_a_start_section_is_read() -> None:
    data = component('(import "f" (func $f))') + section(op.START, unsigned(0) + vec([]) + unsigned(0))
    assert decode(data).definitions[-1] == m.Start(0, (), 0)


def test_a_value_section_is_read() -> None:
    data = op.PREAMBLE + section(op.VALUE, vec([b"\x7d\x01\x2a"]))
    assert decode(data).definitions[-1] == m.ValueDef(Primitive.U8, memoryview(b"\x2a"))


@pytest.mark.parametrize("name", SAMPLES)
def test_any_kind_of_buffer_will_do(name: str) -> None:
    data = sample(name)
    assert decode(bytearray(data)) == decode(memoryview(data)) == decode(data)

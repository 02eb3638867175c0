"""Binaries that are cut off, changed or made to hurt: an error each, and no more work than they are worth."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.binary.samples import SAMPLES, component, sample
from tests.binary.support import describe, items
from tests.binary.test_encoder import shapes
from witgen.binary import (
    BinaryError,
    component_world,
    custom_sections,
    decode,
    encode_component_type,
    encode_package,
    encoded_package,
    encoded_world,
)
from witgen.binary import opcodes as op
from witgen.binary.writer import name_bytes, section, unsigned, vec
from witgen.ir import PackageId


def encoded_samples() -> list[bytes]:
    made, base, user = shapes()
    world = made.world("w", items(base), items(user))
    return [encode_component_type(made.resolve(), world), encode_package(made.resolve(), PackageId(0))]


ALL = [*(sample(name) for name in SAMPLES), *encoded_samples()]


def read_everything(data: bytes) -> None:
    """Whatever can be done with a binary; anything but `BinaryError` is a failure."""
    readers: list[Callable[[], object]] = [lambda: custom_sections(data)]
    try:
        component = decode(data)
    except BinaryError as error:
        assert error.offset is None or 0 <= error.offset <= len(data)
    else:
        readers += [
            lambda: component_world(component),
            lambda: encoded_world(component),
            lambda: encoded_package(component),
        ]
    for reader in readers:
        try:
            reader()
        except BinaryError as error:
            assert str(error)


def section_ends(data: bytes) -> set[int]:
    """Where a component may end without anyone being able to tell that it went on."""
    ends, at = {8}, 8
    while at < len(data):
        size, shift, at = 0, 0, at + 1
        while True:
            byte, at = data[at], at + 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        at += size
        ends.add(at)
    return ends


@pytest.mark.parametrize("data", ALL, ids=len)
def test_a_binary_cut_off_at_any_byte_is_an_error(data: bytes) -> None:
    ends = section_ends(data)
    for length in range(len(data)):
        if length in ends:
            read_everything(data[:length])
        else:
            with pytest.raises(BinaryError) as caught:
                decode(data[:length])
            assert caught.value.offset is not None
            assert caught.value.offset <= length


@pytest.mark.parametrize("data", ALL, ids=len)
def test_each_byte_may_be_anything(data: bytes) -> None:
    choice = random.Random(len(data))
    for at in range(8, len(data)):
        for value in {0, 0x7F, 0xFF, data[at] ^ 1, choice.randrange(256)}:
            read_everything(data[:at] + bytes((value,)) + data[at + 1 :])


@given(
    st.sampled_from(ALL),
    st.lists(st.tuples(st.integers(8, 2000), st.binary(max_size=6), st.integers(0, 6)), min_size=1, max_size=5),
)
def test_any_mutation_gives_a_result_or_an_error(data: bytes, changes: list[tuple[int, bytes, int]]) -> None:
    for at, put, dropped in changes:
        data = data[:at] + put + data[at + dropped :]
    read_everything(data)


@given(st.binary(max_size=300))
def test_any_content_gives_a_result_or_an_error(content: bytes) -> None:
    read_everything(op.PREAMBLE + content)


def types(*contents: bytes) -> bytes:
    return op.PREAMBLE + section(op.TYPE, vec(contents))


def imports(sort: int, index: int) -> bytes:
    return section(op.IMPORT, vec([b"\0" + name_bytes("a:b/c") + bytes((sort,)) + unsigned(index)]))


def nested(depth: int) -> bytes:
    data = op.PREAMBLE
    for _ in range(depth):
        data = op.PREAMBLE + section(op.COMPONENT, data)
    return data


def nested_types(depth: int) -> bytes:
    content = b"\x7f"
    for _ in range(depth):
        content = b"\x42\x01\x01" + content
    return types(content)


def test_components_and_types_may_be_nested_as_deep_as_anyone_needs() -> None:
    decode(nested(100))
    decode(nested_types(100))


@pytest.mark.parametrize("data", [nested(101), nested(2000), nested_types(101), nested_types(100_000)], ids=len)
def test_deeper_nesting_is_an_error(data: bytes) -> None:
    with pytest.raises(BinaryError, match="nested more than 100 levels deep"):
        decode(data)


def doubling_instances(levels: int) -> bytes:
    """Instance types that each export two instances of the one before: a tree of 2^levels."""
    two = [b"\x04\0" + name_bytes(name) + b"\x05\0" for name in ("a", "b")]
    contents = [b"\x42\0"]
    for level in range(levels):
        contents.append(b"\x42" + vec([b"\x02\x03\x02\x01" + unsigned(level), *two]))
    return types(*contents) + imports(5, levels)


def doubling_tuples(levels: int) -> bytes:
    """Tuples that each hold two of the one before."""
    contents = [b"\x6f\x02\x7f\x7f"] + [b"\x6f\x02" + bytes((level, level)) for level in range(levels)]
    return types(*contents, b"\x40\0\0" + unsigned(levels)) + imports(1, levels + 1)


def chain(levels: int) -> bytes:
    """Lists of lists."""
    contents = [b"\x70\x7f"] + [b"\x70" + signed_index(level) for level in range(levels)]
    return types(*contents, b"\x40\0\0" + signed_index(levels)) + imports(1, levels + 1)


def signed_index(value: int) -> bytes:
    return unsigned(value) if value < 64 else bytes((value & 0x7F | 0x80, *signed_index(value >> 7)))


def one_type_many_names(size: int) -> bytes:
    """A record of many fields that is exported under many names."""
    record = b"\x72" + vec([name_bytes(f"f{i}") + b"\x7f" for i in range(size)])
    exports = [b"\x04\0" + name_bytes(f"t{i}") + b"\x03\0\0" for i in range(size)]
    return types(b"\x42" + vec([b"\x01" + record, *exports])) + imports(5, 0)


def exported_backwards(levels: int) -> bytes:
    """Interfaces that each use a type of the one before, exported from the last to the first."""
    lines = ['(type $r0 (record (field "x" u8)))']
    for i in range(levels):
        lines += [
            f'(instance $b{i} (export "t" (type $r{i})))',
            f'(alias export $b{i} "t" (type $t{i}))',
            f'(type $r{i + 1} (record (field "x" $t{i})))',
        ]
    return component(" ".join(lines + [f'(export "a:b/i{i}" (instance $b{i}))' for i in reversed(range(levels))]))


def test_types_belong_to_their_interface_in_whatever_order_they_are_met() -> None:
    resolve, world = component_world(decode(exported_backwards(60)))
    assert describe(resolve, world)["export a:b/i59.type t"] == "a:b/i59#t = record(x: a:b/i58#t) None"


def chain_of_names(length: int) -> bytes:
    """A type that is exported again and again, and looked at each time."""
    exports = [b"\0" + name_bytes(f"a{i}") + b"\x03" + unsigned(i) + b"\0" for i in range(length)]
    exports += [
        b"\0" + name_bytes(f"b{i}") + b"\x03" + unsigned(length) + b"\x01\x03\0" + unsigned(length // 2)
        for i in range(length)
    ]
    return types(b"\x6d\x01\x01a") + section(op.EXPORT, vec(exports))


def test_a_long_chain_of_names_takes_no_long_time() -> None:
    component = decode(chain_of_names(20_000))
    start = time.perf_counter()
    with pytest.raises(BinaryError, match="types nested more than 64 levels deep"):
        component_world(component)
    assert time.perf_counter() - start < 10


@pytest.mark.parametrize(
    "data",
    [
        doubling_instances(60),
        doubling_instances(2000),
        doubling_tuples(60),
        chain(5000),
        one_type_many_names(20_000),
        exported_backwards(2000),
    ],
    ids=["instances", "nested instances", "tuples", "chain", "names", "interfaces"],
)
def test_types_that_unfold_to_more_than_they_say_are_an_error(data: bytes) -> None:
    component = decode(data)
    start = time.perf_counter()
    with pytest.raises(BinaryError):
        component_world(component)
    assert time.perf_counter() - start < 20


def named(name: str, sort: int, index: int) -> bytes:
    return b"\0" + name_bytes(name) + bytes((sort,)) + unsigned(index)


def used_often(levels: int, uses: int) -> bytes:
    """Functions whose parameter is a tuple that is much when it is written out."""
    contents = [b"\x6f\x02\x7f\x7f"] + [b"\x6f\x02" + bytes((level, level)) for level in range(levels)]
    func = b"\x40\x01\x01x" + unsigned(levels) + b"\x01\0"
    return types(*contents, func) + section(op.IMPORT, vec([named(f"f{i}", 1, levels + 1) for i in range(uses)]))


def wide(size: int, uses: int) -> bytes:
    """Functions whose parameter is a tuple of many numbers."""
    data = types(b"\x6f" + vec([b"\x7f"] * size), b"\x40\x01\x01x\0\x01\0")
    return data + section(op.IMPORT, vec([named(f"f{i}", 1, 1) for i in range(uses)]))


def one_long_name(size: int, uses: int) -> bytes:
    """Interfaces that all have the same function, whose name is long."""
    export = b"\x04\0" + name_bytes("f" * size) + b"\x01\0"
    instance = b"\x42" + vec([b"\x01\x40\0\x01\0", export])
    return types(instance) + section(op.IMPORT, vec([named(f"a:b/i{i}", 5, 0) for i in range(uses)]))


def one_bundle(exports: int, uses: int) -> bytes:
    """Instances of a component that puts many exports together."""
    bundle = b"\x01" + vec([b"\0" + name_bytes(f"t{i}") + b"\x03\0" for i in range(exports)])
    inner = types(b"\x6d\x01\x01a") + section(op.INSTANCE, vec([bundle]))
    instances = section(op.INSTANCE, vec([b"\0\0\0"] * uses))
    return op.PREAMBLE + section(op.COMPONENT, inner) + instances


def many_arguments(args: int, uses: int) -> bytes:
    """Instances of a component that are given many things that it does not ask for."""
    given = vec([name_bytes(f"a{i}") + b"\x03\0" for i in range(args)])
    middle = types(b"\x6d\x01\x01a") + section(op.COMPONENT, op.PREAMBLE)
    middle += section(op.INSTANCE, vec([b"\0\0" + given]))
    return op.PREAMBLE + section(op.COMPONENT, middle) + section(op.INSTANCE, vec([b"\0\0\0"] * uses))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (used_often(18, 3), "10000000 characters when they are written out"),
        (used_often(10, 10_000), "10000000 characters when they are written out"),
        (wide(50_000, 1_000), "10000000 characters when they are written out"),
        (one_long_name(100_000, 1_000), "10000000 characters when they are written out"),
        (one_bundle(20_000, 20_000), "too much work"),
        (many_arguments(20_000, 20_000), "too much work"),
    ],
    ids=["a large type", "a type often", "a wide type", "a name", "exports", "arguments"],
)
def test_what_is_said_once_and_meant_often_is_an_error(data: bytes, says: str) -> None:
    with pytest.raises(BinaryError, match=says) as caught:
        component_world(decode(data))
    assert caught.value.offset is not None


def package_of(wrapped: bytes, uses: int) -> bytes:
    """A package that exports the same component type again and again."""
    exports = [named(f"x{i}", 3, 0) + b"\0" for i in range(uses)]
    return types(wrapped) + section(op.EXPORT, vec(exports))


def test_a_package_has_each_of_its_items_once() -> None:
    wrapped = b"\x41" + vec([b"\x01\x42\0", b"\x04" + named("a:b/x0", 5, 0)])
    assert encoded_package(decode(package_of(wrapped, 1)))[0].packages[0].interfaces.keys() == {"x0"}
    with pytest.raises(BinaryError, match="`x0` is there twice"):
        encoded_package(decode(package_of(wrapped, 2)))


def test_all_items_of_a_package_have_one_budget() -> None:
    """Each has little to evaluate, but all of them have it."""
    names = [named(f"a:b/x{i}", 5, 0) for i in range(300)]
    shared = b"\x42" + vec([b"\x01\x7f"] * 1_000)
    wrapped = [b"\x41" + vec([b"\x02\x03\x02\x01\0", b"\x04" + name]) for name in names]
    exports = [named(f"x{i}", 3, 1 + i) + b"\0" for i in range(300)]
    data = types(shared, *wrapped) + section(op.EXPORT, vec(exports))
    with pytest.raises(BinaryError, match="too much work"):
        encoded_package(decode(data))


def test_a_package_is_documented_once() -> None:
    data = encoded_samples()[1]
    assert section(op.CUSTOM, name_bytes("package-docs") + b"\1{}") in data
    with pytest.raises(BinaryError, match="package-docs is there twice"):
        encoded_package(decode(data + section(op.CUSTOM, name_bytes("package-docs") + b"\1{}")))


@pytest.mark.parametrize("content", [b"", b"\2{}", b"\1", b"\1[]", b"\1{", b"\1" + b"[" * 100_000, b'\1{"docs":1}'])
def test_docs_that_cannot_be_read_are_an_error_at_their_place(content: bytes) -> None:
    data = encoded_samples()[1]
    at = data.index(b"package-docs") - 1
    broken = data[: at - 2] + section(op.CUSTOM, name_bytes("package-docs") + content)
    with pytest.raises(BinaryError, match="package-docs") as caught:
        encoded_package(decode(broken))
    assert caught.value.offset == broken.index(b"package-docs") - 1


def test_more_items_than_any_tool_writes_are_an_error() -> None:
    with pytest.raises(BinaryError, match="more than 200000 items"):
        decode(op.PREAMBLE + section(op.CUSTOM, b"\0") * 200_001)

"""Custom sections of components."""

from __future__ import annotations

import pytest

from tests.binary.samples import SAMPLES, component, sample
from witgen.binary import BinaryError, component_world, custom_sections, decode, with_custom_section
from witgen.binary import opcodes as op
from witgen.binary.writer import section


def test_sections_of_the_component_itself_are_listed() -> None:
    data = with_custom_section(with_custom_section(component(""), "one", b"1"), "two", b"22")
    assert custom_sections(data) == [("one", memoryview(b"1")), ("two", memoryview(b"22"))]


def test_sections_of_nested_components_and_modules_are_not() -> None:
    inner = with_custom_section(component(""), "inner", b"")
    assert custom_sections(op.PREAMBLE + section(op.COMPONENT, inner)) == []


def test_a_section_replaces_those_of_its_name() -> None:
    data = with_custom_section(component(""), "stamp", b"old")
    data = with_custom_section(data, "other", b"x")
    data = with_custom_section(data, "stamp", b"new")
    assert custom_sections(data) == [("other", memoryview(b"x")), ("stamp", memoryview(b"new"))]


@pytest.mark.parametrize("name", SAMPLES)
def test_nothing_else_changes(name: str) -> None:
    data = sample(name)
    stamped = with_custom_section(data, "stamp", b"\0" * 300)
    assert stamped.startswith(data)
    assert decode(stamped).definitions[:-1] == decode(data).definitions


def test_a_stamped_component_implements_the_same_world() -> None:
    data = sample("linked")
    assert component_world(decode(with_custom_section(data, "s", b""))) == component_world(decode(data))


@pytest.mark.parametrize("data", [b"", b"\0asm\1\0\0\0", op.PREAMBLE + b"\0\x05\x04ab", op.PREAMBLE + b"\0\x02\x04a"])
def test_what_is_no_component_is_refused(data: bytes) -> None:
    with pytest.raises(BinaryError):
        custom_sections(data)
    with pytest.raises(BinaryError):
        with_custom_section(data, "x", b"")

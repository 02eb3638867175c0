"""Values of every type on their way between components inside a component, as they were when they left."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.runtime.mirror import attacker, chain
from tests.runtime.support import adapter
from tests.runtime.test_values import CONTRACT, TYPES, Values
from tests.values import AdapterValues, models
from witgen import ir
from witgen import runtime as rt
from witgen.emit.names import snake
from witgen.resolve import load

ENCODINGS = ("utf8", "utf16", "latin1+utf16")


class Chain:
    """Running components of which each passes on what it gets, in an encoding of its own, and their host."""

    def __init__(self, folder: Path, encodings: Sequence[str]) -> None:
        self.wit = adapter(folder, CONTRACT)
        self.resolve = load([folder / "contract.wit"]).resolve
        self.functions = self.resolve.interfaces[0].functions
        self.host = Values()
        component = chain(self.resolve, ir.InterfaceId(0), encodings)
        self.world = self.wit.W(component, self.wit.WImports(values=self.host))
        self.guest = self.world.values


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    return Chain(tmp_path_factory.mktemp("values"), (*ENCODINGS, "utf8"))


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=8, suppress_health_check=[*HealthCheck])
@given(data=st.data())
def test_a_value_arrives_and_comes_back_through_four_components(links: Chain, data: st.DataObject, name: str) -> None:
    type_ = links.functions[f"one-{name}"].params[0].type
    value = AdapterValues(links.resolve, links.wit).value(type_, data.draw(models(links.resolve, type_)))
    one, spilled, fallible = (getattr(links.guest, f"{form}_{snake(name)}") for form in ("one", "spilled", "fallible"))
    assert one(value) == value and links.host.seen == (value,)
    assert spilled(*range(17), value) == value and links.host.seen == (*range(17), value)
    assert fallible(value, False) == value
    with pytest.raises(rt.Err) as caught:
        fallible(value, True)
    assert caught.value.value == value
    assert repr(one(value)) == repr(value)


@pytest.mark.parametrize("text", ["", "abc", "\xe4\xff", "\u20ac", "\U0001f600", "\0", "a" * 70000 + "\u20ac"])
def test_a_string_crosses_every_pair_of_encodings(tmp_path: Path, text: str) -> None:
    wit = adapter(
        tmp_path,
        "package a:b; interface values { one: func(v: string) -> string; } world w { import values; export values; }",
    )
    resolve = load([tmp_path / "contract.wit"]).resolve
    for first in ENCODINGS:
        for second in ENCODINGS:
            host = Values()
            guest = wit.W(chain(resolve, ir.InterfaceId(0), (first, second)), wit.WImports(values=host)).values
            assert guest.one(text) == text
            assert host.seen == (text,)


def test_a_number_keeps_its_sign_and_its_bits(links: Chain) -> None:
    for bits in (8, 16, 32, 64):
        for value in (-(1 << bits - 1), -1, (1 << bits - 1) - 1):
            assert getattr(links.guest, f"one_s{bits}")(value) == value
    for real in (-0.0, float("inf"), 5e-324):
        assert repr(links.guest.one_f64(real)) == repr(real)


def test_large_lists_cross(links: Chain) -> None:
    data = bytes(range(256)) * 4096
    assert links.guest.one_bytes(data) == data
    numbers: list[Any] = list(range(-50000, 50000))
    assert links.guest.one_numbers(numbers) == numbers


class Attack:
    """A component that calls another one with any bytes at all."""

    def __init__(self, folder: Path) -> None:
        names = [f"spilled-{name}" for name in TYPES]
        exports = " ".join(f"export go-{name}: func(data: list<u8>);" for name in names)
        text = CONTRACT.replace("world w { import values; export values; }", f"world w {{ import values; {exports} }}")
        self.wit = adapter(folder, text)
        self.component = attacker(load([folder / "contract.wit"]).resolve, ir.InterfaceId(0), names)
        self.host = Values()

    def run(self, name: str, data: bytes) -> None:
        """Attacks once, in a new instance."""
        world = self.wit.W(self.component, self.wit.WImports(values=self.host))
        getattr(world, f"go_spilled_{snake(name)}")(data)


@pytest.fixture(scope="module")
def attack(tmp_path_factory: pytest.TempPathFactory) -> Attack:
    return Attack(tmp_path_factory.mktemp("attack"))


#: Bytes that are often zero or small, so that some of what they say can be meant.
_BYTES = st.lists(st.one_of(st.just(0), st.integers(0, 8), st.integers(0, 255)), min_size=64, max_size=400).map(bytes)


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=5, deadline=None, suppress_health_check=[*HealthCheck])
@given(data=_BYTES)
def test_no_bytes_do_more_than_trap(attack: Attack, data: bytes, name: str) -> None:
    with contextlib.suppress(rt.Trap):
        attack.run(name, data)

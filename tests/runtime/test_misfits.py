"""Host values that do not fit: which errors say so, in which words, and that the instance goes on."""

from __future__ import annotations

import array
import copy
import itertools
import mmap
import pickle
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.runtime.mirror import mirror
from tests.runtime.support import adapter
from witgen import ir
from witgen import runtime as rt
from witgen.resolve import load

RANGES = {
    **{f"u{bits}": (0, (1 << bits) - 1) for bits in (8, 16, 32, 64)},
    **{f"s{bits}": (-(1 << bits - 1), (1 << bits - 1) - 1) for bits in (8, 16, 32, 64)},
}
#: Where a number stands, in WIT, and a value around it.
PLACES: dict[str, tuple[str, Callable[[Any, Any, str], Any]]] = {
    "alone": ("{t}", lambda wit, n, t: n),
    "in-field": ("field-{t}", lambda wit, n, t: getattr(wit, f"Field{t.upper()}")(True, n)),
    "in-case": ("case-{t}", lambda wit, n, t: getattr(wit, f"Case{t.upper()}_Number")(n)),
    "tuple": ("tuple<string, {t}>", lambda wit, n, t: ("a", n)),
    "list": ("list<{t}>", lambda wit, n, t: (b"" if t == "u8" else [n])),
    "list-of-tuples": ("list<tuple<{t}, bool>>", lambda wit, n, t: [(n, True)]),
    "option": ("option<{t}>", lambda wit, n, t: n),
    "options": ("option<option<{t}>>", lambda wit, n, t: rt.Some(n)),
    "ok": ("tuple<result<{t}>>", lambda wit, n, t: (rt.Ok(n),)),
    "err": ("option<result<_, {t}>>", lambda wit, n, t: rt.Err(n)),
    "map": ("map<string, {t}>", lambda wit, n, t: {"a": n}),
    "few": ("list<{t}, 2>", lambda wit, n, t: [0, n]),
    "long": ("list<{t}, 20>", lambda wit, n, t: [0] * 19 + [n]),
    "long-of-tuples": ("list<tuple<{t}, f32>, 20>", lambda wit, n, t: [(n, 0.5)] * 20),
}

CONTRACT = f"""
package a:b;
interface values {{
  {" ".join(f"record field-{t} {{ a: bool, n: {t} }} variant case-{t} {{ other(f64), number({t}) }}" for t in RANGES)}
  {" ".join(f"{p}-{t}: func(v: {w.format(t=t)}) -> {w.format(t=t)};" for t in RANGES for p, (w, _) in PLACES.items())}
  record point {{ x: u8, y: f32 }}
  enum colour {{ red, green }}
  enum size {{ small, big, huge }}
  flags few {{ a, b }}
  flags more {{ a, b, c }}
  variant shape {{ dot(point), off }}
  many: func(a: u8, b: s64, c: f32, d: string, e: colour, truth: bool, g: char, h: point) -> u8;
  single: func(v: f32) -> f32;
  singles: func(v: list<f32>) -> list<f32>;
  double: func(v: f64) -> f64;
  truth: func(v: bool) -> bool;
  letter: func(v: char) -> char;
  text: func(v: string) -> string;
  texts: func(v: list<string>) -> list<string>;
  raw: func(v: list<u8>) -> list<u8>;
  coloured: func(v: colour) -> colour;
  flagged: func(v: few) -> few;
  pointed: func(v: point) -> point;
  points: func(v: list<point>) -> list<point>;
  shaped: func(v: shape) -> shape;
  mapped: func(v: map<string, u8>) -> map<string, u8>;
  pair: func(v: tuple<u8, u8>) -> tuple<u8, u8>;
}}
world w {{ import values; export values; }}
"""


class Values:
    """A host that gives back what it gets, or what it is told to."""

    def __init__(self) -> None:
        self.answer: list[Any] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.answer[0] if self.answer else args[0]


class World:
    """Running guests, all with one host."""

    def __init__(self, folder: Path) -> None:
        self.wit = adapter(folder, CONTRACT)
        self._component = mirror(load([folder / "contract.wit"]).resolve, ir.InterfaceId(0))
        self.host = Values()
        self.guest = self.new()

    def new(self) -> Any:
        return self.wit.W(self._component, self.wit.WImports(values=self.host)).values


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("misfits"))


@pytest.fixture
def answer(world: World) -> Iterator[list[Any]]:
    yield world.host.answer
    world.host.answer.clear()


def _cases() -> list[tuple[str, str]]:
    return [(place, t) for place, t in itertools.product(PLACES, RANGES) if (place, t) != ("list", "u8")]


@pytest.mark.parametrize(("place", "t"), _cases())
def test_every_number_is_held_to_its_range_wherever_it_stands(
    world: World, answer: list[Any], place: str, t: str
) -> None:
    low, high = RANGES[t]
    make = PLACES[place][1]
    call = getattr(world.guest, f"{place}_{t}".replace("-", "_"))
    for fine in (low, high):
        assert call(make(world.wit, fine, t)) == make(world.wit, fine, t)
    for wrong in (low - 1, high + 1, 1 << 70, -(1 << 70)):
        with pytest.raises(ValueError, match=f"{t}") as caught:
            call(make(world.wit, wrong, t))
        assert caught.value.__notes__ == [f"in the argument `v` of a:b/values#{place}-{t}"]
    for other in (1.0, "1", Decimal(1)):
        with pytest.raises(TypeError):
            call(make(world.wit, other, t))
    assert call(make(world.wit, high, t)) == make(world.wit, high, t)
    answer.append(make(world.wit, high + 1, t))
    with pytest.raises(ValueError, match=f"{t}") as caught:
        getattr(world.new(), f"{place}_{t}".replace("-", "_"))(make(world.wit, 0, t))
    assert caught.value.__notes__[0] == f"in the result of a:b/values#{place}-{t}"


MANY = {"a": 1, "b": 2, "c": 3.0, "d": "d", "truth": True, "g": "g"}


@pytest.mark.parametrize(
    ("name", "value", "kind", "says"),
    [
        ("a", 256, ValueError, "256 is not a u8"),
        ("b", 1 << 63, ValueError, "9223372036854775808 is not an s64"),
        ("b", None, TypeError, "None is not an s64"),
        ("c", 1e300, ValueError, r"1e\+300 is not an f32"),
        ("c", 10**400, ValueError, "is not an f32"),
        ("c", "1", TypeError, "'1' is not an f32"),
        ("d", b"d", TypeError, "b'd' is not a string"),
        ("d", "\udc80", UnicodeEncodeError, "surrogates not allowed"),
        ("e", "red", TypeError, "'red' is not a Colour"),
        ("g", "ab", TypeError, "'ab' is not a char"),
        ("g", "", TypeError, "'' is not a char"),
        ("g", "\udfff", ValueError, r"U\+DFFF is a surrogate"),
        ("g", 65, TypeError, "65 is not a char"),
    ],
)
def test_the_argument_that_does_not_fit_is_named(
    world: World, name: str, value: Any, kind: type[Exception], says: str
) -> None:
    fine = {**MANY, "e": world.wit.Colour.RED, "h": world.wit.Point(1, 2)}
    with pytest.raises(kind, match=says) as caught:
        world.guest.many(**{**fine, name: value})
    assert caught.value.__notes__ == [f"in the argument `{name}` of a:b/values#many"]
    assert world.guest.many(**fine) == 1


def test_the_field_that_does_not_fit_is_named(world: World) -> None:
    for call, value in (
        (world.guest.pointed, world.wit.Point(256, 0.0)),
        (world.guest.points, [world.wit.Point(1, 0.0), world.wit.Point(-1, 0.0)]),
    ):
        with pytest.raises(ValueError, match=r"x: (256|-1) is not a u8"):
            call(value)
    with pytest.raises(TypeError, match="'far' has no `x`"):
        world.guest.pointed("far")
    with pytest.raises(TypeError, match="None has no `x`"):
        world.guest.points([None])


def test_cases_and_flags_of_another_type_are_refused_though_their_numbers_would_fit(world: World) -> None:
    wit = world.wit
    for call, value in (
        (world.guest.coloured, wit.Size.SMALL),
        (world.guest.coloured, wit.Few.A),
        (world.guest.coloured, 0),
        (world.guest.flagged, wit.More.A),
        (world.guest.flagged, 1),
        (world.guest.flagged, {"a"}),
        (world.guest.shaped, wit.CaseU8_Number(1)),
        (world.guest.shaped, wit.Shape_Dot),
        (world.guest.shaped, None),
    ):
        with pytest.raises(TypeError, match=r"is not a (Colour|Few|Shape)"):
            call(value)
    assert world.guest.flagged(wit.Few.A | wit.Few.B) == ~wit.Few(0)


def test_containers_of_another_form_are_refused(world: World) -> None:
    for call, value in (
        (world.guest.texts, 3),
        (world.guest.texts, None),
        (world.guest.texts, ["a", 1]),
        (world.guest.singles, [1.0, "2"]),
        (world.guest.mapped, [("a", 1)]),
        (world.guest.raw, "text"),
        (world.guest.raw, [1, 2]),
        (world.guest.raw, []),
        (world.guest.raw, None),
        (world.guest.pair, 1),
    ):
        with pytest.raises(TypeError) as caught:
            call(value)
        assert "in the argument `v` of a:b/values#" in caught.value.__notes__[0]
    for wrong in ((1,), (1, 2, 3)):
        with pytest.raises(ValueError, match="values to unpack"):
            world.guest.pair(wrong)


def test_whatever_has_bytes_is_taken_as_bytes(world: World) -> None:
    with mmap.mmap(-1, 3) as mapped:
        mapped[:] = b"abc"
        assert world.guest.raw(mapped) == b"abc"
    assert world.guest.raw(array.array("H", [0x6261, 0x6463])) == b"abcd"
    assert world.guest.raw(memoryview(b"abcdef")[1:4]) == b"bcd"
    assert world.guest.raw(memoryview(bytes(range(6))).cast("B", (2, 3))) == bytes(range(6))
    assert world.guest.raw(memoryview(b"abcdef")[::2]) == b"ace"


def test_numbers_of_other_classes_are_taken_where_python_takes_them(world: World) -> None:
    assert world.guest.double(3) == 3.0
    assert world.guest.alone_u8(True) == 1
    assert world.guest.truth("anything") is True and world.guest.truth(0) is False


@pytest.mark.parametrize("value", [0.0, -0.0, float("inf"), float("-inf"), 3.4028234663852886e38, 1e-45, 0.1])
def test_a_float_is_rounded_and_nothing_else(world: World, value: float) -> None:
    rounded = array.array("f", [value])[0]
    assert repr(world.guest.single(value)) == repr(world.guest.singles([value])[0]) == repr(rounded)
    assert repr(world.guest.double(value)) == repr(value)


def test_a_result_of_the_host_that_does_not_fit_names_its_function(world: World, answer: list[Any]) -> None:
    for name, wrong, kind in (
        ("single", 1e300, ValueError),
        ("letter", "ab", TypeError),
        ("text", 1, TypeError),
        ("coloured", world.wit.Size.HUGE, TypeError),
        ("pointed", world.wit.Point(0, None), TypeError),
        ("raw", "text", TypeError),
    ):
        answer[:] = [wrong]
        fine = {"coloured": world.wit.Colour.RED, "pointed": world.wit.Point(1, 1), "single": 1.0, "raw": b""}
        with pytest.raises(kind) as caught:
            getattr(world.new(), name)(fine.get(name, "a"))
        assert caught.value.__notes__[0] == f"in the result of a:b/values#{name}"


def test_values_can_be_compared_copied_and_pickled(world: World) -> None:
    wit = world.wit
    values: list[Any] = [wit.Point(1, 2.0), wit.Shape_Dot(wit.Point(1, 2.0)), wit.Shape_Off(), wit.Colour.RED]
    values += [wit.Few.A | wit.Few.B, wit.Few(0), rt.Ok(1), rt.Err("no"), rt.Some(None)]
    for value in values:
        for again in (copy.deepcopy(value), pickle.loads(pickle.dumps(value))):
            assert again == value and type(again) is type(value) and repr(again) == repr(value)
    for hashable in values[2:]:
        assert hash(copy.deepcopy(hashable)) == hash(hashable)
    trap = pickle.loads(pickle.dumps(rt.Trap("unreachable", "f", ["code!f"])))
    assert (trap.reason, trap.function, trap.frames, str(trap)) == ("unreachable", "f", ("code!f",), "f: unreachable")
    refused = pickle.loads(pickle.dumps(rt.ContractError("w", ["a", "b"])))
    assert (refused.world, refused.differences) == ("w", ("a", "b"))

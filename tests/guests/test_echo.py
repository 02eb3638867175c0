"""Values of every kind, to a Rust guest on a generated stub, from there to the host, and all the way back.

Each function of the guest calls the host's of the same name with what it was given, and the host gives it back: so both
the adapter and the stub lower and lift each value twice, as parameters and as results.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools import guest_compiler_or_skip, import_file
from witgen import runtime as rt
from witgen.build import build
from witgen.files import write_all
from witgen.generate import generate, target_for

CRATE = Path(__file__).parent / "echo"
CONTRACT = CRATE / "wit/echo.wit"
SUPPORT = CRATE.parent / "family/support.rs"


class Echo:
    """A host whose functions give back what they get."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self.calls: list[str] = []
        self.things: list[Thing] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def give_back(*args: Any) -> Any:
            self.calls.append(name)
            if name == "many":
                return "|".join(str(arg) for arg in args)
            return args[0] if len(args) == 1 else args

        return give_back

    def fallible(self, v: Any) -> Any:
        """A result as the result: given back as a value, or raised."""
        if isinstance(v, rt.Err):
            raise self._module.FailureException(v.value)
        return v.value

    def bare(self, v: Any) -> None:
        """A result without payloads."""
        if isinstance(v, rt.Err):
            raise rt.Err(None)

    def nothing(self) -> None:
        """Neither takes nor gives anything."""
        self.calls.append("nothing")

    @property
    def thing(self) -> Things:
        """What makes things."""
        return Things(self)


class Things:
    """The constructor and the static function of `thing`."""

    def __init__(self, host: Echo) -> None:
        self._host = host

    def __call__(self, label: str) -> Thing:
        self._host.things.append(Thing(label))
        return self._host.things[-1]

    def merge(self, a: Thing, b: Thing) -> Thing:
        return self(a.text + b.text)


class Thing:
    """A resource of the host."""

    def __init__(self, text: str) -> None:
        self.text, self.closed = text, False

    def label(self) -> str:
        return self.text

    def close(self) -> None:
        self.closed = True


@pytest.fixture(scope="module")
def wit(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The adapter of the world."""
    path = tmp_path_factory.mktemp("adapter") / "echo.py"
    write_all(generate([target_for([CONTRACT], None, "python", path)], CRATE))
    return import_file(path, "echo_adapter")


@pytest.fixture(scope="module")
def component(tmp_path_factory: pytest.TempPathFactory) -> rt.Component:
    """The guest, built on a stub that was just generated."""
    guest_compiler_or_skip()
    folder = tmp_path_factory.mktemp("guest") / "echo"
    shutil.copytree(CRATE, folder)
    shutil.copy(SUPPORT, folder / "src")
    write_all(generate([target_for([CONTRACT], None, "rust", folder / "src/bindings.rs")], CRATE))
    (path,) = build(None, root=folder, echo=lambda line: None)
    return rt.Component.from_file(path)


class Pair:
    """A running guest and its host."""

    def __init__(self, wit: ModuleType, component: rt.Component) -> None:
        self.wit = wit
        self.host = Echo(wit)
        self.guest = wit.Echo(component, wit.EchoImports(host=self.host)).guest


@pytest.fixture(scope="module")
def pair(wit: ModuleType, component: rt.Component) -> Pair:
    return Pair(wit, component)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
CHAR = st.characters(exclude_categories=["Cs"])
F32 = st.floats(width=32, allow_nan=False)
F64 = st.floats(allow_nan=False)


def integers(bits: int, signed: bool) -> st.SearchStrategy[int]:
    low = -(1 << bits - 1) if signed else 0
    return st.integers(low, low + (1 << bits) - 1)


def values(wit: ModuleType) -> dict[str, st.SearchStrategy[Any]]:
    """Arguments for each function that gives back what it gets, as tuples."""
    colour = st.sampled_from(list(wit.Colour))
    point = st.builds(wit.Point, integers(8, True), integers(64, False))
    mixed = st.builds(
        wit.Mixed,
        st.booleans(),
        integers(8, True),
        integers(16, False),
        TEXT,
        CHAR,
        F32,
        st.none() | point,
        st.lists(point, max_size=3),
        colour,
    )
    outcome = st.builds(rt.Ok, integers(8, False)) | st.builds(rt.Err, TEXT)
    shape = st.one_of(
        st.builds(wit.Shape_Nothing),
        st.builds(wit.Shape_Dot, point),
        st.builds(wit.Shape_Text, TEXT),
        st.builds(wit.Shape_Number, F64),
        st.builds(wit.Shape_Small, F32),
        st.builds(wit.Shape_Signed, integers(64, True)),
        st.builds(wit.Shape_Many, st.lists(st.none() | integers(16, False), max_size=3)),
        st.builds(wit.Shape_Outcome, outcome),
    )
    wide = st.builds(
        wit.Wide,
        integers(64, False),
        TEXT,
        F64,
        st.none() | TEXT,
        st.binary(max_size=9),
        integers(32, True),
        shape,
        mixed,
    )
    failure = st.builds(wit.Failure, colour, TEXT)

    def flags(class_: Any) -> st.SearchStrategy[Any]:
        return st.integers(0, (1 << len(class_)) - 1).map(class_)

    single: dict[str, st.SearchStrategy[Any]] = {
        "booleans": st.booleans(),
        "chars": CHAR,
        "strings": TEXT,
        "bytes_": st.binary(max_size=200),
        "numbers": st.lists(integers(32, True), max_size=9),
        "names": st.lists(TEXT, max_size=4),
        "colours": colour,
        "few_flags": flags(wit.Few),
        "dozen_flags": flags(wit.Dozen),
        "full_flags": flags(wit.Full),
        "records": mixed,
        "wides": wide,
        "shapes": shape,
        "shape_lists": st.lists(shape, max_size=3),
        "pairs": st.lists(st.tuples(integers(8, False), TEXT), max_size=3),
        "options": st.none() | st.builds(rt.Some, st.none() | integers(32, False)),
        "outcomes": st.builds(rt.Ok, st.none() | TEXT) | st.builds(rt.Err, failure),
    }
    several = {
        "signed": st.tuples(*(integers(bits, True) for bits in (8, 16, 32, 64))),
        "unsigned": st.tuples(*(integers(bits, False) for bits in (8, 16, 32, 64))),
        "floats": st.tuples(F32, F64),
    }
    return {**{name: st.tuples(strategy) for name, strategy in single.items()}, **several}


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_value_comes_back_as_it_was(pair: Pair, data: st.DataObject) -> None:
    strategies = values(pair.wit)
    name = data.draw(st.sampled_from(sorted(strategies)))
    args = data.draw(strategies[name])
    found = getattr(pair.guest, name)(*args)
    assert pair.host.calls[-1] == name
    assert found == (args[0] if len(args) == 1 else args)
    assert repr(found) == repr(args[0] if len(args) == 1 else args)


def test_nan_stays_a_nan(pair: Pair) -> None:
    assert all(math.isnan(number) for number in pair.guest.floats(math.nan, math.nan))


def test_more_parameters_than_go_flat(pair: Pair) -> None:
    assert pair.guest.many(255, *"bcdefgh", 0.5) == "255|b|c|d|e|f|g|h|0.5"
    assert pair.guest.many(0, "", "ü", "", "", "", "", "", None) == "0||ü||||||None"


def test_results_are_returned_or_raised(pair: Pair) -> None:
    wit = pair.wit
    point, failure = wit.Point(-1, 1), wit.Failure(wit.Colour.BLUE, "no")
    assert pair.guest.fallible(rt.Ok(point)) == point
    with pytest.raises(wit.FailureException) as caught:
        pair.guest.fallible(rt.Err(failure))
    assert caught.value.value == failure
    pair.guest.bare(rt.Ok(None))
    with pytest.raises(rt.Err):
        pair.guest.bare(rt.Err(None))


def test_a_function_without_anything(pair: Pair) -> None:
    pair.guest.nothing()
    assert pair.host.calls[-1] == "nothing"


def test_host_resources_go_there_and_back(pair: Pair) -> None:
    made = pair.guest.make("one")
    assert made is pair.host.things[-1] and made.text == "one"
    other = Thing("two")
    assert pair.guest.look(other) == "two"
    merged = pair.guest.merge(made, other)
    assert merged.text == "onetwo"
    assert not other.closed


def test_guest_resources_are_dropped_when_they_are_closed_given_or_collected(pair: Pair) -> None:
    guest = pair.guest
    with guest.counter(1) as one:
        assert (one.next(), one.next()) == (2, 3)
        two = guest.counter(10)
        assert guest.living() == 2
        three = guest.counter.sum(one, two)
        assert three.next() == 14
        assert guest.living() == 2
        with pytest.raises(rt.ResourceDropped):
            two.next()
        three.close()
        three.close()
        assert guest.living() == 1
    guest.counter(5)
    assert guest.living() == 0


def test_an_object_that_is_collected_during_a_call_is_dropped_with_the_next(
    wit: ModuleType, component: rt.Component
) -> None:
    pair = Pair(wit, component)
    held = [pair.guest.counter(1)]
    pair.host.nothing = held.clear  # type: ignore[method-assign]
    pair.guest.nothing()
    assert pair.guest.living() == 1
    pair.guest.counter(2).close()
    assert pair.guest.living() == 0


def test_closing_during_a_call_is_refused_and_can_be_done_later(wit: ModuleType, component: rt.Component) -> None:
    pair = Pair(wit, component)
    counter = pair.guest.counter(1)
    pair.host.nothing = counter.close  # type: ignore[method-assign]
    with pytest.raises(rt.InstanceUnavailable, match="in another call"):
        pair.guest.nothing()


def test_nothing_leaks_in_the_guest(pair: Pair) -> None:
    wit, guest = pair.wit, pair.guest
    point = wit.Point(1, 2)
    mixed = wit.Mixed(True, 1, 2, "name", "c", 0.5, point, [point, point], wit.Colour.RED)
    shapes = [wit.Shape_Text("t"), wit.Shape_Many([1, None]), wit.Shape_Outcome(rt.Err("e"))]
    wide = wit.Wide(1, "b", 0.5, "d", b"bytes", -1, shapes[1], mixed)

    def round_trip() -> None:
        guest.strings("text")
        guest.names(["a", "b", ""])
        guest.bytes_(b"bytes")
        guest.records(mixed)
        guest.wides(wide)
        guest.shape_lists(shapes)
        guest.pairs([(1, "a")])
        guest.outcomes(rt.Ok("text"))
        guest.many(1, *"bcdefgh", None)
        guest.make("thing")
        guest.counter(1).close()

    round_trip()
    before = guest.allocated()
    for _ in range(1000):
        round_trip()
    assert guest.allocated() == before


def test_a_panic_is_a_trap_and_only_of_its_instance(wit: ModuleType, component: rt.Component) -> None:
    first, second = Pair(wit, component), Pair(wit, component)
    with pytest.raises(rt.Trap, match="#panic: "):
        first.guest.panic()
    with pytest.raises(rt.InstanceUnavailable):
        first.guest.strings("x")
    assert second.guest.strings("x") == "x"

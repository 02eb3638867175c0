"""A guest for each feature of WIT, driven from Python in both directions.

The functions of a guest call the host's of the same name with what they were given, and the host gives it back: so
adapter and stub lower and lift each value twice, as parameters and as results. The same components under wasmtime's own
component API are the second opinion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.guests.family import WORLDS, World, contract
from tests.guests.oracle import Oracle, component_value, plain
from tests.values import AdapterValues, models, sample
from witgen import ir
from witgen import runtime as rt
from witgen.emit.python.naming import member_name
from witgen.resolve import load

#: Worlds whose interface `values` is imported and exported, with functions that give back what they get.
ECHOES = [
    "aliases",
    "enums",
    "fixed-lengths",
    "flags",
    "lists",
    "maps",
    "options-and-results",
    "primitives",
    "records",
    "tuples",
    "variants",
]
#: What wasmtime-py's component API has no types for.
NOT_IN_ORACLE = {"fixed-lengths", "maps"}
#: Functions whose values it can't tell apart: it takes and gives the payload of a case without the case.
AMBIGUOUS = {"nested", "of-error"}
#: Calls of a function, and the different arguments among them.
ROUNDS, SAMPLES = 10_000, 10

Outcome = tuple[str, Any]


def test_every_world_is_tried() -> None:
    elsewhere = {"exported-resources", "imported-resources", "labels", "many-parameters", "names"}
    elsewhere |= {"resources-both-ways", "std-guest", "versions", "world-items"}
    assert set(WORLDS) == {*ECHOES} | elsewhere


def give_back(*args: Any) -> Any:
    """What a function gives back of what it gets: nothing, the value, or a tuple of them."""
    return None if not args else args[0] if len(args) == 1 else args


class Echo:
    """A host whose functions give back what they get; failures of a `result` are raised."""

    def __init__(self, fails: Callable[[str, Any], BaseException | None]) -> None:
        self._fails = fails
        self.calls: list[tuple[str, tuple[Any, ...]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def called(*args: Any) -> Any:
            self.calls.append((name, args))
            if isinstance(args[0] if args else None, rt.Ok | rt.Err) and len(args) == 1:
                failure = self._fails(name, args[0])
                if failure is not None:
                    raise failure
                return args[0].value
            return give_back(*args)

        return called


class Pair:
    """A guest under the adapter and under the oracle, and what its functions take."""

    def __init__(self, world: World) -> None:
        self.resolve = load([contract(world.name)]).resolve
        (self.interface,) = (i for i in self.resolve.interfaces if i.name == "values")
        self.values = AdapterValues(self.resolve, world.adapter)
        self.host = Echo(self._failure)
        instance = world.instance(values=self.host)
        self.guest = instance.values
        self.allocated: Callable[[], int] = instance.allocated
        self._module = world.adapter
        self._package = f"test:{world.name}/values"
        imports = {self._package: dict.fromkeys(self.interface.functions, give_back)}
        self._oracle = None if world.name in NOT_IN_ORACLE else Oracle(world.path, imports)

    def arguments(self, function: ir.Function) -> st.SearchStrategy[tuple[Any, ...]]:
        return st.tuples(*(models(self.resolve, param.type) for param in function.params))

    def call(self, function: ir.Function, arguments: tuple[Any, ...]) -> Outcome:
        """Calls the adapter with models."""
        values = [self.values.value(p.type, model) for p, model in zip(function.params, arguments, strict=True)]
        try:
            return ("returned", getattr(self.guest, member_name(function.name))(*values))
        except rt.Err as error:
            return ("raised", error.value)

    def expected(self, function: ir.Function, arguments: tuple[Any, ...]) -> Outcome:
        """What a function that gives back what it gets gives."""
        values = [self.values.value(p.type, model) for p, model in zip(function.params, arguments, strict=True)]
        if function.result is not None and isinstance(self.resolve.kind(function.result), ir.Result):
            (value,) = values
            return ("raised" if isinstance(value, rt.Err) else "returned", value.value)
        return ("returned", give_back(*values))

    def oracle_agrees(self, function: ir.Function, arguments: tuple[Any, ...]) -> bool:
        """Whether wasmtime's component API gives back what it is given, if it can say so."""
        if self._oracle is None or function.name in AMBIGUOUS:
            return True
        params = self._oracle.function(self._package, function.name).type(self._oracle.store).params
        values = [component_value(type_, model) for (_, type_), model in zip(params, arguments, strict=True)]
        found = self._oracle.call(self._package, function.name, *values)
        return bool(plain(found) == plain(give_back(*values)))

    def _failure(self, name: str, value: Any) -> BaseException | None:
        if isinstance(value, rt.Ok):
            return None
        class_ = getattr(self._module, f"{type(value.value).__name__.partition('_')[0]}Exception", rt.Err)
        return class_(value.value)


@pytest.fixture(scope="module", params=ECHOES)
def pair(request: pytest.FixtureRequest, family: dict[str, World]) -> Iterator[Pair]:
    yield Pair(family[request.param])


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_every_value_comes_back_as_it_was(pair: Pair, data: st.DataObject) -> None:
    function = data.draw(st.sampled_from(sorted(pair.interface.functions.values(), key=lambda f: f.name)))
    arguments = data.draw(pair.arguments(function))
    found = pair.call(function, arguments)
    expected = pair.expected(function, arguments)
    assert found == expected and repr(found) == repr(expected)
    name, seen = pair.host.calls[-1]
    assert name == member_name(function.name)
    assert list(seen) == [pair.values.value(p.type, m) for p, m in zip(function.params, arguments, strict=True)]
    assert pair.oracle_agrees(function, arguments)


def test_nothing_is_left_behind(pair: Pair) -> None:
    for function in pair.interface.functions.values():
        samples = [
            tuple(sample(pair.resolve, param.type, number) for param in function.params) for number in range(SAMPLES)
        ]
        for arguments in samples:
            pair.call(function, arguments)
        before = pair.allocated()
        for _ in range(ROUNDS // SAMPLES):
            for arguments in samples:
                pair.call(function, arguments)
        pair.host.calls.clear()
        assert pair.allocated() == before, function.name

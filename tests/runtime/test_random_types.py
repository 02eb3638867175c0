"""Random types, each through our adapter in both directions and through wasmtime's own component API.

The guest passes on what it gets (`mirror`), so that a value goes into an export, arrives at the host's import, comes
back from there and out of the export. What wasmtime-py can't carry goes through the adapter alone.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.guests.oracle import Oracle, component_value, plain
from tests.runtime.mirror import mirror_text
from tests.runtime.support import adapter, component_bytes
from tests.values import AdapterValues, models
from witgen import ir
from witgen import runtime as rt
from witgen.emit.python.naming import member_name
from witgen.resolve import load

_PRIMITIVES = ("bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string")
_KEYS = ("bool", "s8", "u8", "u16", "s32", "u64", "char", "string")
_COUNTS = (1, 2, 3, 5, 8, 9, 16, 17, 32)
INTERFACE = "t:random/values"
#: How the guests' strings may be encoded.
ENCODINGS = ("utf8", "utf16", "latin1+utf16")


class Maker:
    """Makes definitions and types as text; `depth` bounds how far types are nested."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self.definitions: list[str] = []

    def type(self, depth: int = 3) -> str:
        """A type, of named ones too."""
        random = self._random
        if depth == 0 or random.random() < 0.25:
            return random.choice(_PRIMITIVES)
        return str(getattr(self, f"_{random.choice(_KINDS)}")(depth - 1))

    def _named(self, keyword: str, parts: list[str]) -> str:
        name = f"{keyword}-{len(self.definitions)}"
        self.definitions.append(f"{keyword} {name} {{ {', '.join(parts)} }}")
        return name

    def _record(self, depth: int) -> str:
        return self._named("record", [f"f{i}: {self.type(depth)}" for i in range(self._random.randint(1, 5))])

    def _variant(self, depth: int) -> str:
        count = 300 if self._random.random() < 0.05 else self._random.randint(1, 5)
        cases = [f"c{i}({self.type(depth)})" if self._random.random() < 0.7 else f"c{i}" for i in range(min(count, 5))]
        return self._named("variant", cases + [f"c{i}" for i in range(5, count)])

    def _enum(self, depth: int) -> str:
        return self._named("enum", [f"c{i}" for i in range(self._random.choice((*_COUNTS, 257)))])

    def _flags(self, depth: int) -> str:
        return self._named("flags", [f"c{i}" for i in range(self._random.choice(_COUNTS))])

    def _list(self, depth: int) -> str:
        return f"list<{self.type(depth)}>"

    def _fixed(self, depth: int) -> str:
        return f"list<{self.type(depth)}, {self._random.choice((1, 2, 3, 20))}>"

    def _map(self, depth: int) -> str:
        return f"map<{self._random.choice(_KEYS)}, {self.type(depth)}>"

    def _tuple(self, depth: int) -> str:
        return f"tuple<{', '.join(self.type(depth) for _ in range(self._random.randint(1, 4)))}>"

    def _option(self, depth: int) -> str:
        return f"option<{self.type(depth)}>"

    def _result(self, depth: int) -> str:
        ok, err = self.type(depth), self.type(depth)
        return self._random.choice(("result", f"result<{ok}>", f"result<_, {err}>", f"result<{ok}, {err}>"))


_KINDS = ("record", "variant", "enum", "flags", "list", "fixed", "map", "tuple", "option", "result")


def contract(random: Random) -> str:
    """A world that imports and exports an interface of some functions of random types."""
    maker = Maker(random)
    functions = []
    for number in range(random.randint(1, 3)):
        type_ = maker.type()
        more = [f"p{i}: {maker.type(2)}" for i in range(random.randint(0, 4))]
        functions.append(f"f{number}: func({', '.join([f'v: {type_}', *more])}) -> {type_};")
    body = " ".join([*maker.definitions, *functions])
    return f"package t:random; interface values {{ {body} }} world w {{ import values; export values; }}"


class Echo:
    """A host that gives back the first of what it gets, which is the error case where the function can fail."""

    def __init__(self, fallible: set[str]) -> None:
        self.seen: tuple[Any, ...] = ()
        self._fallible = fallible

    def __getattr__(self, name: str) -> Any:
        def call(*args: Any) -> Any:
            self.seen = args
            if name not in self._fallible:
                return args[0]
            if isinstance(args[0], rt.Err):
                raise args[0]
            return args[0].value

        return call


class Pair:
    """A mirror under our adapter, and under wasmtime's component API where that can carry its types."""

    def __init__(self, wit: str, encoding: str) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            self.module = adapter(folder, wit)
            self.resolve = load([folder / "contract.wit"]).resolve
            data = component_bytes(mirror_text(self.resolve, ir.InterfaceId(0), encoding))
            self.functions = list(self.resolve.interfaces[0].functions.values())
            fallible = {member_name(f.name) for f in self.functions if self._is_result(f.result)}
            self.host = Echo(fallible)
            world = self.module.W(rt.Component(data), self.module.WImports(values=self.host))
            self.guest = world.values
            self.oracle: Oracle | None = None
            if not any(isinstance(t.kind, ir.Map | ir.FixedLengthList) for t in self.resolve.types):
                path = folder / "mirror.wasm"
                path.write_bytes(data)
                self.oracle = Oracle(path, {INTERFACE: {f.name: self._answer for f in self.functions}})

    def _answer(self, *args: Any) -> Any:
        self.arrived = args
        return args[0]

    def _is_result(self, type_: ir.Type | None) -> bool:
        return type_ is not None and isinstance(self.resolve.kind(type_), ir.Result)

    def check(self, function: ir.Function, arguments: list[Any]) -> None:
        """A call with these models: what arrives and what comes back, on both."""
        values = AdapterValues(self.resolve, self.module)
        given = [values.value(param.type, model) for param, model in zip(function.params, arguments, strict=True)]
        assert self._call(function, given) == given[0]
        assert list(self.host.seen) == given
        assert repr(list(self.host.seen)) == repr(given)
        if self.oracle is None:
            return
        found = self.oracle.function(INTERFACE, function.name)
        params = [type_ for _, type_ in found.type(self.oracle.store).params]
        theirs = [component_value(type_, model) for type_, model in zip(params, arguments, strict=True)]
        back = self.oracle.call(INTERFACE, function.name, *theirs)
        assert plain(list(self.arrived)) == plain(theirs) and plain(back) == plain(theirs[0])

    def _call(self, function: ir.Function, given: list[Any]) -> Any:
        call = getattr(self.guest, member_name(function.name))
        if not self._is_result(function.result):
            return call(*given)
        try:
            return rt.Ok(call(*given))
        except rt.Err as error:
            return rt.Err(error.value)


def check_package(number: int, encoding: str, examples: int) -> None:
    """All that must hold for the package of a number, for some values."""
    pair = Pair(contract(Random(number)), encoding)

    @seed(number)
    @settings(max_examples=examples, database=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck])
    @given(st.data())
    def check(data: st.DataObject) -> None:
        for function in pair.functions:
            pair.check(function, [data.draw(models(pair.resolve, param.type)) for param in function.params])

    try:
        check()
    finally:
        # Whoever checks thousands of packages needs none of their modules any more.
        del sys.modules[pair.module.__name__]


@pytest.mark.parametrize("number", range(20))
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_values_of_random_types_arrive_and_come_back(number: int, encoding: str) -> None:
    check_package(20 * len(encoding) + number, encoding, 4)

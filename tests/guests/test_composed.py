"""Two Rust guests in one component, one behind the other: the second gives each call to the first, that to the host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st
from wasmtime import component as wasm

from tests.guests.compose import doubled
from tests.guests.family import World
from tests.guests.test_family import ECHOES, NOT_IN_ORACLE, Pair
from tests.guests.test_family_worlds import File
from tests.values import sample
from witgen.emit.python.naming import member_name


def composed(world: World, folder: Path) -> World:
    """A world whose component consists of two of its guests."""
    path = folder / f"{world.name}.wasm"
    path.write_bytes(doubled(world.path.read_bytes()))
    if world.name not in NOT_IN_ORACLE:
        # The engine's own validation is the second opinion on what was put together.
        wasm.Component.from_file(wasmtime.Engine(), str(path))
    return World(world.name, path, folder)


@pytest.fixture(scope="module", params=ECHOES)
def pair(
    request: pytest.FixtureRequest, family: dict[str, World], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    yield Pair(composed(family[request.param], tmp_path_factory.mktemp("composed")))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_value_goes_through_both_and_comes_back(pair: Pair, data: st.DataObject) -> None:
    function = data.draw(st.sampled_from(sorted(pair.interface.functions.values(), key=lambda f: f.name)))
    arguments = data.draw(pair.arguments(function))
    found = pair.call(function, arguments)
    expected = pair.expected(function, arguments)
    assert found == expected and repr(found) == repr(expected)
    name, seen = pair.host.calls[-1]
    assert name == member_name(function.name)
    assert list(seen) == [pair.values.value(p.type, m) for p, m in zip(function.params, arguments, strict=True)]
    assert pair.oracle_agrees(function, arguments)


def test_neither_leaves_anything_behind(pair: Pair) -> None:
    for function in pair.interface.functions.values():
        arguments = tuple(sample(pair.resolve, param.type, 1) for param in function.params)
        pair.call(function, arguments)
        before = pair.allocated()
        for _ in range(200):
            pair.call(function, arguments)
        pair.host.calls.clear()
        assert pair.allocated() == before, function.name


def test_resources_stand_on_resources_of_the_other_and_those_on_the_host_s(
    family: dict[str, World], tmp_path: Path
) -> None:
    world = composed(family["resources-both-ways"], tmp_path)
    module = world.adapter
    File.living = 0

    class Files:
        def __call__(self, name: str) -> File:
            return File(name)

        def open(self, name: str) -> File:
            if not name:
                raise module.ProblemException(module.Problem.MISSING)
            return File(name)

    class Host:
        file = Files()

        def newest(self, v: list[File]) -> File | None:
            for file in v[:-1]:
                file.close()
            return v[-1] if v else None

        def describe(self, v: File) -> str:
            return f"file {v.name()}"

        def of_entry(self, v: Any) -> Any:
            return module.EntryImport(v.name.upper(), v.file)

    instance = world.instance(files=Host())
    guest = instance.files

    def round_trip() -> None:
        with guest.file("a") as a, guest.file.open("b") as b:
            assert (a.name(), guest.describe(b)) == ("guest's guest's a", "file b")
            assert (a.same(a), a.same(b)) == (True, False)
            assert guest.newest([]) is None
            newest = guest.newest([guest.file("c"), guest.file("d")])
            entry = guest.of_entry(module.Entry("e", newest))
            assert (entry.name, entry.file.name()) == ("E", "guest's guest's d")
            entry.file.close()
        with pytest.raises(module.ProblemException):
            guest.file.open("")

    round_trip()
    before = instance.allocated()
    for _ in range(300):
        round_trip()
    assert instance.allocated() == before
    assert File.living == 0

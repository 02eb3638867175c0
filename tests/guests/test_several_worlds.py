"""The stubs of several worlds in one component: two in one crate, a third there and in a library that it depends on."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.guests.family import CRATE, FAMILY, WORKSPACE, load_adapter
from tests.tools import guest_compiler_or_skip
from witgen import runtime as rt
from witgen.build import build
from witgen.files import write_all
from witgen.generate import generate, target_for

SOURCES = Path(__file__).parent / "several-worlds"
CONTRACT = SOURCES / "several-worlds.wit"
#: The stubs and the worlds that they are of.
STUBS = {
    "library/src/bindings.rs": "library",
    "guest/src/again.rs": "library",
    "guest/src/first.rs": "first",
    "guest/src/second.rs": "second",
}
ROUNDS = 1000


def make_workspace(folder: Path) -> None:
    (folder / "Cargo.toml").write_text(WORKSPACE.format(members='"guest", "library"'))
    shutil.copy(FAMILY.parent / "echo/Cargo.lock", folder / "Cargo.lock")
    for name in ("guest", "library"):
        (folder / name / "src").mkdir(parents=True)
        shutil.copy(SOURCES / f"{name}.rs", folder / name / "src/lib.rs")
    shutil.copy(FAMILY / "support.rs", folder / "guest/src")
    (folder / "guest/Cargo.toml").write_text(CRATE.format(name="guest") + 'library = { path = "../library" }\n')
    (folder / "library/Cargo.toml").write_text('[package]\nname = "library"\nversion = "0.1.0"\nedition = "2018"\n')
    write_all(generate([target_for([CONTRACT], world, "rust", folder / path) for path, world in STUBS.items()], folder))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The component, with a host that says every text twice."""
    guest_compiler_or_skip()
    folder = tmp_path_factory.mktemp("several-worlds")
    make_workspace(folder)
    (component,) = build("guest", root=folder, echo=lambda line: None)
    module = load_adapter(folder, CONTRACT, "whole")

    class Log:
        def say(self, text: str) -> list[str]:
            return [text, text]

    return module.Whole(rt.Component.from_file(component), module.WholeImports(log=Log()))


def test_each_world_is_exported_and_one_is_imported_twice(whole: Any) -> None:
    with whole.greetings.person("hello") as person:
        assert person.greet() == "hello hello again again"
    assert whole.numbers.sum([1, 2, 4294967295])[0] == 4294967298


def test_static_constructors_run_once_for_all_worlds(whole: Any) -> None:
    whole.greetings.person("x").close()
    assert whole.numbers.sum([])[1] == whole.numbers.sum([])[1] == 1


def test_memory_of_every_world_is_given_back(whole: Any) -> None:
    def round_trip() -> None:
        with whole.greetings.person("some one") as person:
            person.greet()
        whole.numbers.sum([1] * 100)

    round_trip()
    before = whole.allocated()
    for _ in range(ROUNDS):
        round_trip()
    assert whole.allocated() == before

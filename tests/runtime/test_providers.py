"""Imports that come from providers: who serves what, common resources, grants, what keeps components from linking."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.runtime.support import adapter, component
from witgen import runtime as rt
from witgen.emit import python
from witgen.resolve import load, select_world

STORE = """
package lib:store@0.2.3;
interface files {
  resource file { size: func() -> u32; }
  open: func(name: string) -> file;
}
interface clock { now: func() -> u64; }
world everything { import files; import clock; }
"""

#: The world of the component, with a copy of what it uses of the package above.
USER = """
package a:b;
interface local { scale: func() -> u32; }
world w {
  import local;
  import lib:store/files@0.2.1;
  import lib:store/clock@0.2.1;
  export measure: func(at: borrow<file>) -> u32;
  use lib:store/files@0.2.1.{file};
  export find: func(name: string) -> file;
  export time: func() -> u64;
}
package lib:store@0.2.1 {
  interface files {
    resource file { size: func() -> u32; }
    open: func(name: string) -> file;
  }
  interface clock { now: func() -> u64; }
}
"""

COMPONENT = """
  (import "lib:store/files@0.2.1" (instance $files
    (export "file" (type $file (sub resource)))
    (export "[method]file.size" (func (param "self" (borrow $file)) (result u32)))
    (export "open" (func (param "name" string) (result (own $file))))))
  (alias export $files "file" (type $file'))
  (import "file" (type $file (eq $file')))
  (import "a:b/local" (instance $own (export "scale" (func (result u32)))))
  (import "lib:store/clock@0.2.1" (instance $clock (export "now" (func (result u64)))))
  (core func $size (canon lower (func $files "[method]file.size")))
  (core func $open (canon lower (func $files "open") (memory $memory)))
  (core func $scale (canon lower (func $own "scale")))
  (core func $now (canon lower (func $clock "now")))
  (core func $drop (canon resource.drop $file'))
  (core module $main
    (import "" "size" (func $size (param i32) (result i32)))
    (import "" "open" (func $open (param i32 i32) (result i32)))
    (import "" "scale" (func $scale (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (func (export "measure") (param i32) (result i32) (local i32)
      (local.set 1 (i32.mul (call $scale) (call $size (local.get 0))))
      (call $drop (local.get 0))
      (local.get 1))
    (func (export "find") (param i32 i32) (result i32) (call $open (local.get 0) (local.get 1))))
  (core instance $main (instantiate $main (with "" (instance
    (export "size" (func $size)) (export "open" (func $open))
    (export "scale" (func $scale)) (export "drop" (func $drop))))))
  (core module $time (import "" "now" (func $now (result i64))) (func (export "time") (result i64) (call $now)))
  (core instance $time (instantiate $time (with "" (instance (export "now" (func $now))))))
  (func $measure (param "at" (borrow $file)) (result u32) (canon lift (core func $main "measure")))
  (func $find (param "name" string) (result (own $file))
    (canon lift (core func $main "find") (memory $memory) (realloc $realloc)))
  (func $time (result u64) (canon lift (core func $time "time")))
  (export "measure" (func $measure))
  (export "find" (func $find))
  (export "time" (func $time))
"""


class File:
    """A resource of a provider."""

    def __init__(self, name: str) -> None:
        self.name = name

    def size(self) -> int:
        return len(self.name)


class Files:
    """What a provider gives."""

    def open(self, name: str) -> File:
        return File(name)


class Clock:
    """A clock that stands."""

    def __init__(self, time: int = 7) -> None:
        self.time = time

    def now(self) -> int:
        return self.time


class Own:
    """What the component's own world asks of its host."""

    def scale(self) -> int:
        return 10


def user(folder: Path, wit: str = USER) -> ModuleType:
    """The adapter of the component, which leaves the package to providers."""
    return adapter(folder, wit, provided=["lib:store"])


def provided(folder: Path, clock: Clock | None = None, wit: str = STORE) -> rt.Provider:
    """A provider of the package."""
    store = adapter(folder, wit)
    made: rt.Provider = store.provider(store.EverythingImports(files=Files(), clock=clock or Clock()))
    return made


def test_a_provider_serves_what_the_adapter_leaves_to_it(tmp_path: Path) -> None:
    module = user(tmp_path)
    running = module.W(component(COMPONENT), module.WImports(local=Own()), providers=[provided(tmp_path)])
    assert running.time() == 7
    assert running.measure(File("four")) == 40


def test_an_object_of_a_provider_comes_out_of_the_component_and_goes_in_again(tmp_path: Path) -> None:
    module = user(tmp_path)
    running = module.W(component(COMPONENT), module.WImports(local=Own()), providers=[provided(tmp_path)])
    found = running.find("name")
    assert isinstance(found, File) and found.name == "name"
    assert running.measure(found) == 40


def test_the_first_provider_that_has_a_function_serves_it(tmp_path: Path) -> None:
    module = user(tmp_path)
    one, two = provided(tmp_path, Clock(1)), provided(tmp_path, Clock(2))
    given = module.WImports(local=Own())
    assert module.W(component(COMPONENT), given, providers=[one, two]).time() == 1
    assert module.W(component(COMPONENT), given, providers=[one.withhold("lib:store/clock"), two]).time() == 2


def test_the_host_of_the_world_comes_before_providers(tmp_path: Path) -> None:
    module = adapter(tmp_path, USER)
    given = module.WImports(local=Own(), files=Files(), clock=Clock(3))
    assert module.W(component(COMPONENT), given, providers=[provided(tmp_path)]).time() == 3


@pytest.mark.parametrize(
    ("withheld", "says"),
    [
        (["lib:store"], ["clock@0.2.1 (now): not granted", "files@0.2.1 ([method]file.size, open): not granted"]),
        (["lib:store/clock"], ["lib:store/clock@0.2.1 (now): not granted"]),
    ],
)
def test_what_is_not_granted_is_refused_by_name(tmp_path: Path, withheld: list[str], says: list[str]) -> None:
    module = user(tmp_path)
    with pytest.raises(rt.LinkError) as caught:
        module.W(component(COMPONENT), module.WImports(local=Own()), providers=[provided(tmp_path).withhold(*withheld)])
    lines = str(caught.value).splitlines()
    assert "asks for what it is not given" in lines[0]
    assert len(lines) == 1 + len(says)
    assert all(wanted in line for wanted, line in zip(says, lines[1:], strict=True))


def test_nothing_of_a_component_runs_that_does_not_link(tmp_path: Path) -> None:
    starting = """
      (core module $first (func $start unreachable) (start $start))
      (core instance (instantiate $first))
    """
    module = user(tmp_path)
    with pytest.raises(rt.LinkError, match="nothing gives it"):
        module.W(component(starting + COMPONENT), module.WImports(local=Own()))


def test_a_provider_of_another_contract_is_refused(tmp_path: Path) -> None:
    module = user(tmp_path)
    other = provided(tmp_path, wit=STORE.replace("now: func() -> u64", "now: func() -> u32"))
    with pytest.raises(rt.ContractError, match=r"clock@0\.2\.1#now: its type differs from the provider 1's"):
        module.W(component(COMPONENT), module.WImports(local=Own()), providers=[other])


def test_what_a_world_does_not_mention_may_come_from_a_provider(tmp_path: Path) -> None:
    """As WASI does, which the tool chain of a guest adds to what its contract says."""
    module = adapter(
        tmp_path, "package a:b; interface local { scale: func() -> u32; } world w { export time: func() -> u64; }"
    )
    narrow = component(
        COMPONENT[COMPONENT.index('  (import "lib:store/clock') :].partition("  (core func $size")[0] + TIME
    )
    with pytest.raises(rt.ContractError, match="the contract does not offer it"):
        module.W(narrow)
    assert module.W(narrow, providers=[provided(tmp_path)]).time() == 7


TIME = """
  (core func $now (canon lower (func $clock "now")))
  (core module $time (import "" "now" (func $now (result i64))) (func (export "time") (result i64) (call $now)))
  (core instance $time (instantiate $time (with "" (instance (export "now" (func $now))))))
  (func $time (result u64) (canon lift (core func $time "time")))
  (export "time" (func $time))
"""


def emitted(folder: Path, wit: str, names: list[str]) -> str:
    (folder / "c.wit").write_text(wit)
    loaded = load([folder / "c.wit"])
    return python.emit(loaded.resolve, select_world(loaded, None), source="c.wit", provided=names)


def test_types_of_a_provider_stay_where_the_world_uses_them(tmp_path: Path) -> None:
    text = emitted(tmp_path, USER, ["lib:store"])
    assert "class File(Protocol):" in text
    assert "class Files" not in text and "class Clock" not in text


def test_an_interface_alone_can_be_left_to_providers(tmp_path: Path) -> None:
    text = emitted(tmp_path, USER, ["lib:store/clock"])
    assert "class Files(Protocol)" in text and "class Clock" not in text


def test_what_the_world_exports_as_well_stays(tmp_path: Path) -> None:
    both = "package a:b; interface i { f: func(); } world w { import i; export i; }"
    assert emitted(tmp_path, both, ["a:b"]) == emitted(tmp_path, both, [])


def test_a_provider_is_typed(tmp_path: Path) -> None:
    made: Any = provided(tmp_path)
    assert made.contract.world == "lib:store/everything@0.2.3"
    assert set(made.functions) == {"lib:store/files@0.2.3", "lib:store/clock@0.2.3"}

"""Adapters that are loaded: names that collide, sides of interfaces, and whatever else a package can hold."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.packages import random_package
from tests.runtime.support import adapter
from witgen import ir
from witgen import runtime as rt
from witgen.diagnostics import WitError
from witgen.emit import python
from witgen.limits import check_types
from witgen.resolve import load

ROOT = Path(__file__).resolve().parents[2]


def problems(module: ModuleType, use: str = "") -> str:
    """What mypy says to a module, and to a program that uses it as ``wit``."""
    path = Path(str(module.__file__))
    program = path.with_name("program.py")
    program.write_text(f"import {path.stem} as wit\nfrom witgen import runtime as rt\n{use}")
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(path.parent / "cache")]
    done = subprocess.run(
        [*command, str(path), str(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"MYPYPATH": str(path.parent), "PATH": ""},
    )
    return done.stdout if done.returncode else ""


NAMES = """
package a:b;
interface host {
  record none { self: u8, rt: option<option<u8>>, property: u8, %type: u8, list-of: list<none-two>, %list: u8 }
  record none-two { class: bool, int: u8, dict: tuple<u8> }
  record path { any: u8 }
  enum base-exception { s0, none, true }
  enum s0 { a, b }
  enum x-y { x }
  enum xy { x }
  flags not-implemented-error { value, name }
  variant choice { a-1, a1(u8), none(none) }
  variant problem { a }
  record problem-exception { b: u8 }
  record thing-factory { c: u8 }
  resource thing {
    constructor();
    open: static func() -> result<thing, problem>;
    close: func();
    i: func() -> base-exception;
  }
  resource property { property: func() -> s0; make: static func() -> property; }
  resource self { constructor(self: u8); cx: func(f: u8, host: u8, failed: u8, tag: list<u8>, p: string) -> x-y; }
  thing-new: func(self: u8, value: u8, len: u8, dict: u8, range: u8, isinstance: u8, struct: u8, error: string) -> xy;
  rt: func(rt: list<u8>) -> list<u8>;
  object: func(x: option<path>) -> result<choice, problem>;
  any: func() -> not-implemented-error;
  other: func(a: none, b: thing-factory, c: problem-exception);
}
interface a-b { f: func(); }
interface ab { f: func(); }
interface protocol { f: func(); }
interface imports { f: func(); }
"""


def test_names_that_collide_give_way(tmp_path: Path) -> None:
    members = "host; SIDE a-b; SIDE ab; SIDE protocol; SIDE imports"
    worlds = {side: members.replace("SIDE", side) for side in ("import", "export")}
    for number, (side, items) in enumerate(worlds.items()):
        more = """
          SIDE host2: func() -> u8; SIDE %world: interface { %from: func(a: u8) -> u8; }
          SIDE inner: interface { record none { a: u8 } f: func(n: none); }
          import w-imports: func() -> u8; export instance: func(); export load: func(); export contract: func();
        """.replace("SIDE", side)
        folder = tmp_path / str(number)
        folder.mkdir()
        module = adapter(folder, f"{NAMES} world w {{ {side} {items}; {more} }}")
        assert problems(module) == ""
        for value in list(vars(module).values()):
            if isinstance(value, type) and value.__module__ == module.__name__:
                get_type_hints(value)
        assert module.HostNone(1, None, 2, 3, [], 4).property_ == 2
        assert (module.Choice_A1(), module.Choice_A1_(1)) and issubclass(module.ProblemException_, rt.Err)
        assert [member.name for member in module.HostBaseException] == ["S0", "NONE", "TRUE"]
        assert module._S0.size and module._S0_[0] is module.S0.A
        assert {module._XY, module._XY_} == {tuple(module.XY), tuple(module.Xy)}


def test_a_world_can_have_a_name_of_python(tmp_path: Path) -> None:
    for name in ("path", "any", "none"):
        module = adapter(tmp_path, f"package a:b; world {name} {{ import f: func(); export g: func(); }}")
        assert module.CONTRACT.world == f"a:b/{name}"
        assert problems(module) == ""
        assert hasattr(module, f"{name.capitalize()}_") and hasattr(module, f"{name.capitalize()}_Imports")


def test_docs_do_not_decide_what_a_module_imports(tmp_path: Path) -> None:
    words = "Any Callable Collection Path Mapping dataclass enum.x struct.x"
    docs = f'/// {words}\\ """ {words}'
    members = f"import g: func();\n{docs}\nimport f: func(n: u8);\n{docs}\nimport i: interface {{ {docs}\nh: func(); }}"
    module = adapter(tmp_path, f"{docs}\npackage a:b;\n{docs}\nworld w {{ {members} }}")
    text = Path(str(module.__file__)).read_text()
    tree = ast.parse(text)
    imports = [name for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for name in node.names]
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert text.count("Any Callable") > 2
    assert {name.asname or name.name for name in imports} <= used | {"annotations"}


STORE = """
package a:b;
interface store {
  resource item { constructor(n: u32); get: func() -> u32; }
  record pair { first: item, second: item }
  record plain { n: u32 }
  split: func(n: u32) -> result<pair, plain>;
  join: func(p: pair, q: plain) -> item;
}
interface user { use store.{pair, item}; swap: func(p: pair) -> item; }
"""

HOST = """
class Item:
    def get(self) -> int:
        return 1
class Items:
    def __call__(self, n: int) -> Item:
        return Item()
class Store:
    item = Items()
    def split(self, n: int) -> wit.PAIR:
        raise wit.PlainException(wit.Plain(n))
    def join(self, p: wit.PAIR, q: wit.Plain) -> wit.ITEM:
        return p.first
class User:
    def swap(self, p: wit.PAIR) -> wit.ITEM:
        return p.second
"""


def host(suffix: str) -> str:
    """A host in Python of the interfaces; `suffix` is that of the types of its side."""
    return HOST.replace("PAIR", f"Pair{suffix}").replace("ITEM", f"Item{suffix}")


def test_the_sides_of_a_resource_are_types_that_mypy_tells_apart(tmp_path: Path) -> None:
    module = adapter(tmp_path, STORE + "world w { import store; export store; import user; export user; }")
    program = host("Import") + """
def run(component: rt.Component) -> None:
    world = wit.W(component, wit.WImports(store=Store(), user=User()))
    item: wit.Item = world.store.item(1)
    other: wit.Item = world.store.join(wit.Pair(item, world.store.item(2)), wit.Plain(3))
    last: wit.Item = world.user.swap(wit.Pair(other, other))
    host_side: wit.PairImport = wit.PairImport(Item(), Item())
"""
    assert problems(module, program) == ""
    wrong = f"{program}    world.store.join(host_side, wit.Plain(3))\n"
    assert 'has incompatible type "PairImport"; expected "Pair"' in problems(module, wrong)
    wrong = f"{program}    wit.Pair(Item(), Item())\n"
    assert 'has incompatible type "Item"; expected "generated_adapter' in problems(module, wrong).replace(
        "program.Item", "Item"
    )


def test_imports_under_labels_are_served_by_objects_of_their_own_and_share_a_protocol(tmp_path: Path) -> None:
    module = adapter(tmp_path, STORE + "world w { import a: store; import b: store; import c: user; }")
    program = host("") + """
class Other(Store):
    pass
def serve(one: wit.Store) -> wit.WImports:
    return wit.WImports(a=one, b=Other(), store=Store(), c=User())
def run(component: rt.Component) -> None:
    wit.W(component, serve(Store()))
"""
    assert problems(module, program) == ""
    assert [owner for owner, _, host in module.CONTRACT.resources if host] == ["a", "b", "a:b/store"]


def test_exports_under_labels_share_a_class_unless_their_resources_differ(tmp_path: Path) -> None:
    module = adapter(tmp_path, STORE + "world w { import store; export a: user; export b: user; export user; }")
    program = host("") + """
def swap(user: wit.User, pair: wit.Pair) -> wit.Item:
    return user.swap(pair)
def run(component: rt.Component, pair: wit.Pair) -> list[wit.Item]:
    world = wit.W(component, wit.WImports(store=Store()))
    return [swap(world.a, pair), swap(world.b, pair), swap(world.user, pair)]
"""
    assert problems(module, program) == ""
    module = adapter(tmp_path, STORE + "world w { export a: store; export b: store; }")
    program = """
def run(component: rt.Component) -> None:
    world = wit.W(component)
    a: wit.AItem = world.a.item(1)
    b: wit.BItem = world.b.item(1)
    world.a.join(wit.APair(a, a), wit.Plain(1))
    world.b.join(wit.BPair(b, b), wit.Plain(1))
"""
    assert problems(module, program) == ""
    wrong = f"{program}    wit.APair(a, b)\n"
    assert 'has incompatible type "BItem"; expected "AItem"' in problems(module, wrong)


def test_a_label_names_the_attribute_and_an_interface_gives_way(tmp_path: Path) -> None:
    wit = """
    package a:b;
    interface one { f: func() -> u8; }
    interface two { f: func() -> u8; }
    world w { import two; import two: one; import one: func() -> u8; export two; export two: one; export one; }
    """
    module = adapter(tmp_path, wit)
    fields: dict[str, Any] = module.WImports.__annotations__
    assert fields == {"two": "OneImport", "two_": "TwoImport", "one": "Callable[[], int]"}
    assert problems(module) == ""


@settings(max_examples=20, suppress_health_check=[*HealthCheck])
@given(seed=st.integers(0, 2**32 - 1))
def test_any_world_is_carried_or_refused_by_name(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    path = tmp_path_factory.mktemp("package") / "contract.wit"
    path.write_text(random_package(Random(seed)).replace("async func", "func"))
    resolve = load([path], all_features=True).resolve
    try:
        check_types(resolve)
    except WitError:
        return
    for number in range(len(resolve.worlds)):
        try:
            text = python.emit(resolve, ir.WorldId(number), source="contract.wit")
        except WitError as error:
            assert "not supported" in str(error)
            continue
        module = ModuleType(f"random_adapter_{number}")
        sys.modules[module.__name__] = module
        exec(compile(text, "adapter.py", "exec"), vars(module))
        assert module.CONTRACT.world == resolve.world_name(ir.WorldId(number))

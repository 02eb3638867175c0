"""The laws of digests: blind to what nobody can notice, changed by everything else."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from witgen.contract.digest import Digests, WorldDigest
from witgen.resolve import load, select_world

CONTRACT = """
package a:b@1.0.0;

interface types {
  record point { x: u32, y: u32 }
  enum colour { red, green }
  flags marks { bold, tall }
  variant shape { dot(point), line(tuple<point, point>), none }
  resource pen {
    constructor(colour: colour);
    draw: func(shape: shape) -> result<u32, string>;
    join: static func(a: borrow<pen>, b: pen) -> pen;
  }
}

interface paper {
  use types.{point, shape, pen};
  type points = list<point>;
  put: func(at: point, shapes: list<shape>) -> option<points>;
  lend: func(pen: borrow<pen>, marks: string);
}

world desk {
  import types;
  export paper;
  export ready: func() -> bool;
}
"""

#: What a caller or callee can notice, and in which function or item it shows.
NOTICEABLE = {
    "a field's type at depth": ("x: u32", "x: u64"),
    "the order of fields": ("x: u32, y: u32", "y: u32, x: u32"),
    "a field's name": ("y: u32", "z: u32"),
    "the order of enum cases": ("red, green", "green, red"),
    "a new enum case": ("red, green", "red, green, blue"),
    "a flag's name": ("bold, tall", "bold, small"),
    "a case without its payload": ("dot(point)", "dot"),
    "a parameter's name": ("put: func(at: point", "put: func(to: point"),
    "the order of parameters": ("a: borrow<pen>, b: pen", "b: pen, a: borrow<pen>"),
    "own for borrow": ("lend: func(pen: borrow<pen>", "lend: func(pen: pen"),
    "a result that can't fail": ("-> result<u32, string>", "-> u32"),
    "a method that is static": ("draw: func(", "draw: static func("),
    "the type behind an alias": ("type points = list<point>", "type points = list<u8>"),
    "the name of a type": ("record point", "record spot"),
    "a function of the world": ("ready: func() -> bool", "ready: func() -> u8"),
    "the version of the package": ("a:b@1.0.0", "a:b@1.1.0"),
    "the name of the world": ("world desk", "world table"),
    "an export less": ("export paper;", ""),
}

PUT = "  put: func(at: point, shapes: list<shape>) -> option<points>;"
LEND = "  lend: func(pen: borrow<pen>, marks: string);"

#: What nobody can notice.
INVISIBLE = {
    "comments": ("interface paper", "/* paper */ // here\ninterface paper"),
    "docs": ("interface paper", "/// Paper.\ninterface paper"),
    "white space": ("record point { x: u32, y: u32 }", "record point {\n\n  x : u32 ,\n\ty: u32,\n}"),
    "the order of functions": (f"{PUT}\n{LEND}", f"{LEND}\n{PUT}"),
    "an import that is implied anyway": ("import types;", ""),
    "an escaped name": ("ready: func", "%ready: func"),
    "the order of types": (
        "  enum colour { red, green }\n  flags marks { bold, tall }",
        "  flags marks { bold, tall }\n  enum colour { red, green }",
    ),
}


def digest(folder: Path, text: str) -> WorldDigest:
    path = folder / "contract.wit"
    path.write_text(text)
    loaded = load([path])
    return Digests(loaded.resolve).world(select_world(loaded, None))


def changed(old: str, new: str) -> str:
    assert CONTRACT.count(old) >= 1, old
    text = CONTRACT.replace(old, new)
    if old == "record point":
        text = re.sub(r"\bpoint\b", "spot", text)
    return text


@pytest.mark.parametrize("what", NOTICEABLE)
def test_what_can_be_noticed_changes_the_world(tmp_path: Path, what: str) -> None:
    assert digest(tmp_path, CONTRACT).digest != digest(tmp_path, changed(*NOTICEABLE[what])).digest


@pytest.mark.parametrize("what", INVISIBLE)
def test_what_cannot_be_noticed_does_not(tmp_path: Path, what: str) -> None:
    assert digest(tmp_path, CONTRACT) == digest(tmp_path, changed(*INVISIBLE[what]))


def test_a_change_shows_in_the_functions_that_it_reaches_and_in_no_other(tmp_path: Path) -> None:
    before = digest(tmp_path, CONTRACT)
    after = digest(tmp_path, changed("red, green", "green, red"))
    differing = {
        f"{interface}#{name}"
        for interface, item in before.imports.items()
        for name in item.functions
        if item.functions[name] != after.imports[interface].functions[name]
    }
    assert differing == {"a:b/types@1.0.0#[constructor]pen"}
    assert before.exports == after.exports


def test_the_version_is_part_of_a_world_and_not_of_an_interface(tmp_path: Path) -> None:
    before = digest(tmp_path, CONTRACT)
    after = digest(tmp_path, changed("a:b@1.0.0", "a:b@1.0.1"))
    assert before.imports["a:b/types@1.0.0"] == after.imports["a:b/types@1.0.1"]
    assert before.digest != after.digest


def test_a_package_may_be_spread_over_files(tmp_path: Path) -> None:
    whole = digest(tmp_path, CONTRACT)
    at = CONTRACT.index("interface paper")
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "one.wit").write_text(CONTRACT[:at])
    (folder / "two.wit").write_text(CONTRACT[at:])
    loaded = load([folder])
    assert Digests(loaded.resolve).world(select_world(loaded, None)) == whole


@pytest.mark.parametrize("kind", ["t{0}", "list<t{0}>", "tuple<t{0}, t{0}>", "result<t{0}, list<t{0}>>"])
def test_types_built_of_each_other_ten_thousand_times_have_a_digest(tmp_path: Path, kind: str) -> None:
    def chain(first: str) -> WorldDigest:
        types = "".join(f"  type t{n + 1} = {kind.format(n)};\n" for n in range(10_000))
        return digest(
            tmp_path,
            f"package a:b;\ninterface i {{\n  type t0 = {first};\n{types}  f: func(x: t10000);\n}}\n"
            "world w { import i; }\n",
        )

    assert chain("u8").imports["a:b/i"].functions != chain("u16").imports["a:b/i"].functions


def test_a_structure_with_a_long_text_is_put_as_its_digest(tmp_path: Path) -> None:
    def text(count: int) -> str:
        types = ", ".join(["bool"] * count)
        source = f"package a:b;\ninterface i {{ type t = tuple<{types}>; }}\nworld w {{ import i; }}\n"
        return digest(tmp_path, source).imports["a:b/i"].types["t"]

    long = f"tuple<{','.join(['bool'] * 199)}>"
    assert text(198) == f"tuple<{','.join(['bool'] * 198)}>"
    assert len(long) == 1001
    assert text(199) == "#" + hashlib.sha256(f"wit-digest/1 structure\n{long}\n".encode()).hexdigest()

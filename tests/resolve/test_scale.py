"""Work grows with the text and no faster: twice the items, twice the lines of Python that are run.

Lines are counted instead of seconds, so that the answer is the same on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from witgen.contract.digest import Digests
from witgen.diagnostics import WitError
from witgen.resolve import load


def each(number: int, template: str, first: int = 0) -> str:
    """The template for each number; `#` is the number, `@` the one before."""
    return "".join(template.replace("#", str(i)).replace("@", str(i - 1)) for i in range(first, number))


def chain(number: int) -> str:
    return "interface i0 { resource t; }" + each(number, "interface i# { use i@.{t}; f: func(x: borrow<t>) -> t; }", 1)


SHAPES: dict[str, Callable[[int], str]] = {
    "fields": lambda n: f"interface i {{ record r {{ {each(n, 'x#: u32,')} }} }}",
    "functions": lambda n: f"interface i {{ {each(n, 'call#: func(x: list<u8>) -> u32;')} }}",
    "resources": lambda n: f"interface i {{ {each(n, 'resource r# { constructor(); m: func(o: borrow<r#>); }')} }}",
    "interfaces": lambda n: each(n, "interface i# { f: func(); }"),
    "aliases of aliases": lambda n: f"interface i {{ type a0 = u8; {each(n, 'type a# = a@;', 1)} }}",
    "aliases of resources": lambda n: (
        f"interface i {{ resource a0; {each(n, 'type a# = a@; call#: func(x: borrow<a#>) -> a#;', 1)} }}"
    ),
    "interfaces that use interfaces": chain,
    "worlds at the end of a chain": lambda n: chain(n) + f"world w {{ import i{n - 1}; export i{n - 1}; }}",
    "imports": lambda n: f"world w {{ {each(n, 'import call#: func();')} }}",
    "interfaces in a world": lambda n: f"world w {{ {each(n, 'import in#: interface { f: func(); }')} }}",
    "resources of a world": lambda n: f"world w {{ {each(n, 'resource r# { m: func(o: borrow<r#>); }')} }}",
    "includes": lambda n: each(n, "world w# { import call#: func(); }") + f"world w {{ {each(n, 'include w#;')} }}",
    "renames": lambda n: (
        f"world v {{ {each(n, 'import call#: func();')} }}"
        f"world w {{ include v with {{ {each(n, 'call# as other#,')} }} }}"
    ),
    "packages": lambda n: (
        "package c:p0 { interface i { type t = u8; } }" + each(n, "package c:p# { interface i { use c:p@/i.{t}; } }", 1)
    ),
    "uses of one interface": lambda n: (
        f"package c:p {{ interface i {{ {each(n, 'type t# = u8;')} }} }}"
        f"interface k {{ {each(n, 'use c:p/i.{t#};')} }}"
    ),
    "functions of missing types": lambda n: f"interface i {{ {each(n, 'call#: func(x: missing#);')} }}",
    "missing types": lambda n: f"interface i {{ {each(n, 'type t# = missing#; call#: func();')} }}",
    "missing packages": lambda n: f"interface k {{ {each(n, 'use c:p#/i.{t as t#};')} }}",
    "types that depend on themselves": lambda n: (
        f"interface i {{ type t0 = t{n - 1}; {each(n, 'type t# = t@;', 1)} }}"
    ),
}


def lines_run(path: Path) -> int:
    """How many lines it takes to resolve a file and to work out all its digests."""
    count = 0

    def local(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        count += event == "line"
        return local

    def entered(frame: FrameType, event: str, argument: Any) -> Any:
        module = frame.f_globals.get("__name__", "")
        return local if module.startswith(("witgen.resolve", "witgen.contract", "difflib")) else None

    before = sys.gettrace()
    sys.settrace(entered)
    try:
        resolve = load([path]).resolve
        digests = Digests(resolve)
        for package in resolve.packages:
            for interface in package.interfaces.values():
                digests.interface(interface)
            for world in package.worlds.values():
                digests.world(world)
    except WitError:
        pass
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_work_grows_with_the_text(tmp_path: Path, shape: Callable[[int], str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WITGEN_CACHE", "off")
    counts = []
    # More than a run tells of mistakes, and more than suggestions are chosen from.
    for number in (600, 1200):
        path = tmp_path / "a.wit"
        path.write_text(f"package a:b;\n{shape(number)}\n")
        counts.append(lines_run(path))
    assert counts[0] > 600
    assert counts[1] < 2.2 * counts[0]

"""Text made to hurt: an answer or a clear error, in time and memory that grow with the text."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from witgen.diagnostics import Source, WitError
from witgen.resolve import load
from witgen.syntax import parse

#: What WIT text is made of, for texts that look like it.
PIECES = [
    "package", "a:b", ";", "interface", "world", "i", "{", "}", "record", "variant", "resource", "func", "(", ")", "->",
    "list", "<", ">", ",", ":", "u8", "string", "use", ".", "%x", "@since(version = 1.0.0)", "/*", "*/", "//", "///",
    "\n", " ", "\0", "\u202e", "result", "_", "export", "import", "include", "with", "as", "option", "borrow", "1.0.0",
]  # fmt: skip


def verdict(text: str) -> str:
    try:
        parse(Source("a.wit", text))
    except WitError as error:
        return str(error)
    return ""


def test_comments_nest_as_deep_as_one_likes() -> None:
    depth = 10_000
    assert verdict(f"package a:b;\n{'/*' * depth}{'*/' * depth}\ninterface i {{}}\n") == ""
    assert "never closed" in verdict(f"package a:b;\n{'/*' * depth}{'*/' * (depth - 1)}\n")


def test_types_that_nest_too_deep_are_refused(tmp_path: Path) -> None:
    depth = 10_000
    path = tmp_path / "deep.wit"
    path.write_text(f"package a:b;\ninterface i {{ type t = {'option<' * depth}u8{'>' * depth}; }}\n")
    with pytest.raises(WitError, match="deep"):
        load([path])


def test_a_hundred_thousand_functions_resolve(tmp_path: Path) -> None:
    path = tmp_path / "large.wit"
    functions = "".join(f"  g{number}: func(a: string) -> list<u8>;\n" for number in range(100_000))
    path.write_text(f"package a:b;\ninterface i {{\n{functions}}}\n")
    assert len(load([path]).resolve.interfaces[0].functions) == 100_000


@pytest.mark.parametrize("char", ["\0", "\u202e", "\u2066", "\x07", "é", "’"])
def test_characters_that_do_not_belong_are_refused_at_their_place(char: str) -> None:
    assert verdict(f"package a:b;\ninterface {char} {{}}\n").startswith("a.wit:2:11: error: ")


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    verdict(text)


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40))
def test_any_row_of_words_is_parsed_or_refused(pieces: list[str]) -> None:
    verdict(" ".join(pieces))


PACKAGE = "package a:b;\n"
#: Texts of a few ten thousand items each of which must take no longer for standing among the others.
MANY = {
    "interfaces that use each other in a row": lambda n: "interface i0 { type t = u8; }\n"
    + "".join(f"interface i{k} {{ use i{k - 1}.{{t}}; }}\n" for k in range(1, n))
    + f"world w {{ import i{n - 1}; export i{n // 2}; }}\n",
    "types that are made of the one after them": lambda n: "interface i {\n"
    + "".join(f"type t{k} = tuple<t{k + 1}, t{k + 1}>;\n" for k in range(n))
    + f"type t{n} = u8;\n}}\n",
    "worlds that include each other in a row": lambda n: "world w0 { import f: func(); }\n"
    + "".join(f"world w{k} {{ include w{k - 1}; }}\n" for k in range(1, n)),
    "names that an include changes": lambda n: f"world v {{ {' '.join(f'import a{k}: func();' for k in range(n))} }}\n"
    f"world w {{ include v with {{ {', '.join(f'a{k} as b{k}' for k in range(n))} }} }}\n",
    "packages that use each other in a row": lambda n: "package a:p0 { interface i { type t = u8; } }\n"
    + "".join(f"package a:p{k} {{ interface i {{ use a:p{k - 1}/i.{{t}}; }} }}\n" for k in range(1, n)),
    "resources": lambda n: "interface i {\n"
    + "".join(f"resource r{k} {{ constructor(); m: func(); }}\n" for k in range(n))
    + "}\n",
    "fields": lambda n: f"interface i {{ record r {{ {', '.join(f'a{k}: u8' for k in range(n))} }} }}\n",
}


@pytest.mark.parametrize("what", MANY)
def test_ten_thousand_of_anything_resolve(tmp_path: Path, what: str) -> None:
    path = tmp_path / "many.wit"
    path.write_text(PACKAGE + MANY[what](10_000))
    assert load([path]).resolve.packages


@pytest.mark.parametrize(
    "text",
    [
        "interface i { " + "type t = unknown;\n" * 20_000 + "}",
        "interface i { " + "".join(f"type t{k} = x{k};\n" for k in range(20_000)) + "}",
        "interface i { " + "".join(f"type t{k} = t{(k + 1) % 20_000};\n" for k in range(20_000)) + "}",
        "".join(f"package a:p{k} {{ interface i {{ use a:p{(k + 1) % 9_000}/i.{{t}}; }} }}\n" for k in range(9_000)),
        "interface i { " + "foo_bar: func();\n" * 20_000 + "}",
        "interface i { " * 20_000,
        "interface i { f: func" + "(" * 20_000,
        "@since(version = 1.0.0)\n" * 20_000,
        '@external-id("' + "a\\n" * 20_000,
    ],
    ids=lambda text: text[:32],
)
def test_the_report_on_twenty_thousand_mistakes_is_short(tmp_path: Path, text: str) -> None:
    path = tmp_path / "wrong.wit"
    path.write_text(PACKAGE + text)
    with pytest.raises(WitError) as caught:
        load([path])
    assert 1 <= len(caught.value.diagnostics) <= 100
    assert len(str(caught.value)) < 100_000

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

"""Several mistakes in a file are told of in one run, each at its place; what follows from a mistake is not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from witgen.diagnostics import Source, Span, WitError
from witgen.syntax import parse
from witgen.syntax.lexer import MOST_ERRORS

#: Items of an interface, each on a line; the second half with a mistake.
RIGHT = (
    "type t{n} = list<u8>;",
    "h{n}: func(a: u32) -> string;",
    "record r{n} {{ a: u8, b: option<u8> }}",
    "resource q{n} {{ constructor(); m: func(); }}",
    "use x.{{a as a{n}}};",
    "flags g{n} {{ a, b, }}",
)
WRONG = (
    "type t{n} = list<u8;",
    "h{n}: func(a u32) -> string;",
    "h{n}: func( -> string;",
    "record r{n} {{ a: u8 b: option<u8> }}",
    "resource q{n} {{ constructor(; m: func(); }}",
    "use x.{{a b}};",
    "flags g{n} {{ a b, }}",
    "type under_score{n} = u8;",
    "h{n}: func() -> ();",
    "enum e{n} {{ a; b }}",
    "let t{n} = u8;",
    "type t{n} = list<u8, 99999999999>;",
)


def lines_of_errors(text: str) -> list[int]:
    try:
        parse(Source("a.wit", text))
    except WitError as error:
        spans = [diagnostic.where for diagnostic in error.diagnostics]
        return [span.source.position(span.start)[0] for span in spans if isinstance(span, Span)]
    return []


@given(st.lists(st.tuples(st.sampled_from(RIGHT), st.booleans()) | st.tuples(st.sampled_from(WRONG), st.just(True))))
def test_each_broken_item_is_told_of_and_no_other(items: list[tuple[str, bool]]) -> None:
    text = "package a:b;\ninterface i {\n"
    text += "".join(f"  {item.format(n=n)}\n" for n, (item, _) in enumerate(items))
    expected = [n + 3 for n, (item, _) in enumerate(items) if item in WRONG]
    assert lines_of_errors(text + "}\n") == expected[:MOST_ERRORS]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("package a:b\n\ninterface i {}\ninterface j { x }\n", [3, 4]),
        ("package a:b;\ninterface i {\n  type a = u8\n  type b = u16;\n  c d;\n}\n", [4, 5]),
        ("package a:b;\ninterface i {\n  f: func();\n\ninterface j {\n  g: fun();\n}\n", [5, 6]),
        ("package a:b;\nworld w {\n  import f: fun();\n  export interface;\n  import i;\n}\n", [3, 4]),
        ("package a:b;\nworld w {\n  include x with { a as };\n  import é: func();\n}\n", [3, 4]),
        ("package a:b;\n}\ninterface i { f: func(a: b: c); }\n", [2, 3]),
        ("package a:b;\n@since(version = 01.0.0)\ninterface i {}\n@nothing\ninterface j {}\n", [2, 4]),
        ("package a:b;\npackage c:d {\n  interface i { x y }\n  world w { y z }\n}\nworld { }\n", [3, 4, 6]),
        ("package a:b;\ninterface i {\n  /* never closed\n  f: func()\n", [3]),
        ("package a:b;\ninterface i {\n  x y;\n  /* never closed\n", [3, 4]),
        ("package a:b;\ninterface i {\n  func a();\n  func b(); func c();\n}\n", [3, 4, 4]),
        ("package a:b;\nworld w { f: func(); g: func(); }\n", [2, 2]),
        ("package a:b;\ninterface i {\n  / Returns the Foo of Bar\n  f: func();\n  g func();\n}\n", [3, 5]),
        ("package a:b;\ninterface i {\n  # Returns the Foo of `Bar` (see Baz)\n  g func();\n}\n# End", [3, 4, 6]),
        ("package a:b;\ninterface i {\n  x Foo Bar Baz;\n  y_z: func();\n}\n", [3, 4]),
        ("\u202e\n\u202e\n", [1, 2]),
        ("package a:b;\r\rinterface i {\r}\rx\r", [1, 1]),
        ("interface i { f: func() }", [1]),
        ("interface i {", [1]),
        ("interface", [1]),
        ("€", [1]),
    ],
)
def test_the_parse_goes_on_after_what_is_broken(text: str, lines: list[int]) -> None:
    assert lines_of_errors(text) == lines


def test_a_text_that_is_no_wit_at_all_ends_with_a_few_errors() -> None:
    assert len(lines_of_errors("x y\n" * 100_000)) <= MOST_ERRORS
    assert lines_of_errors("é è\n" * 100_000) == [1]
    assert len(lines_of_errors("interface é {}\n" * 100_000)) == MOST_ERRORS
    assert len(lines_of_errors("\0" * 100_000)) == MOST_ERRORS

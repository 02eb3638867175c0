"""Every rule finds what it is for, and nothing where that is mended; its page says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from witgen.lint.checks import CHECKS
from witgen.lint.listing import as_markdown, as_table
from witgen.lint.rules import CATEGORIES, RULES, Rule
from witgen.lint.run import lint_text
from witgen.project import LintRules
from witgen.resolve import load

DOCS = Path(__file__).resolve().parents[2] / "docs/lint.md"


def found(text: str, *, enable: tuple[str, ...] = (), disable: tuple[str, ...] = ()) -> list[str]:
    """The rules that a text breaks, in the order of places."""
    return [diagnostic.rule for diagnostic in lint_text("x.wit", text.encode(), LintRules(enable, disable))]


def test_every_rule_is_found_by_something_and_has_a_category() -> None:
    assert [rule.id for rule in RULES] == list(CHECKS)
    assert {rule.category for rule in RULES} == set(CATEGORIES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_an_example_breaks_its_rule_alone_and_the_better_one_none(rule: Rule, tmp_path: Path) -> None:
    enable = () if rule.by_default else (rule.id,)
    assert found(rule.wrong, enable=enable) == [rule.id]
    assert found(rule.right, enable=enable) == []
    assert found(rule.wrong, enable=enable, disable=(rule.id,)) == []
    assert found(rule.wrong, enable=enable, disable=(rule.category,)) == []
    for text in rule.wrong, rule.right:
        path = tmp_path / "example.wit"
        path.write_text(text)
        load([path])


def test_the_page_and_the_table_have_all_rules() -> None:
    assert as_markdown().strip() in DOCS.read_text()
    assert [line.split()[0] for line in as_table().splitlines()] == [rule.id for rule in RULES]


HEAD = "/// P.\npackage a:b@0.1.0;\n\n/// I.\ninterface i {\n"


@pytest.mark.parametrize(
    ("items", "rules"),
    [
        ("/// X.\nresource r { constructor(); }", []),
        ("/// X.\nresource r { x: func(); }", ["missing-docs"]),
        ("/// X.\nresource r;\n/// Y.\nf: func(a: borrow<r>);", []),
        ("/// X.\nrecord a { b: u8 }\n/// X.\nf: func(a: list<option<a>>);", []),
        ("/// X.\nvariant a { b(list<a-2>) }\n/// X.\nrecord a-2 { b: u8 }\n/// X.\nf: func(a: a);", []),
        ("/// X.\ntype a = tuple<u8, u8>;\n/// X.\nf: func(a: a);", ["public-tuple"]),
        ("/// X.\nf: func(a: list<tuple<string, u8>>);", []),
        ("/// X.\nf: func(a: tuple<u8>);", []),
        ("/// X.\nf: func(a: list<tuple<string, tuple<u8, u8>>>);", ["public-tuple"]),
        ("/// X.\nrecord e { why: string }\n/// X.\nf: func() -> result<_, e>;", ["error-without-kind"]),
        ("/// X.\nrecord e { why: string, k: k }\n/// K.\nenum k { a }\n/// X.\nf: func() -> result<_, e>;", []),
        ("/// X.\ntype e = list<u8>;\n/// X.\nf: func() -> result<_, e>;", ["error-without-kind"]),
        ("/// X.\nresource e;\n/// X.\nf: func() -> result<_, e>;", []),
        ("/// X.\nf: func() -> option<result<u8>>;", []),
        ("/// X.\nf: func(GET: u8);", ["upper-case-word"]),
        ("/// X.\ni-f: func();", ["repeated-name"]),
        ("/// X.\nresource r {\n/// X.\nr-x: func();\n}", ["repeated-name"]),
    ],
)
def test_what_counts(items: str, rules: list[str]) -> None:
    assert found(f"{HEAD}{items}\n}}\n") == rules


def test_names_are_used_across_interfaces_and_worlds() -> None:
    text = """\
/// P.
package a:b@0.1.0;
/// Types, and a function.
interface types {
  /// T.
  record t { a: u8 }
  /// N.
  now: func() -> u8;
}
/// Handing on.
interface again {
  use types.{t};
}
/// W.
world w {
  use again.{t as other};
  import types;
  export f: func(a: other);
}
"""
    assert found(text) == []
    assert found(text.replace("f: func(a: other)", "f: func()")) == ["unused-use"]
    assert found(text.replace("use again.{t as other};", "use types.{t as other};")) == [
        "unused-interface",
        "unused-use",
    ]

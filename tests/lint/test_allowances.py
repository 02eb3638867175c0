"""Comments that allow what a rule forbids."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lint.test_rules import found
from witgen.lint.run import lint_text
from witgen.printer import json_text
from witgen.project import LintRules
from witgen.resolve import load

TUPLE = """\
/// P.
package a:b@0.1.0;
/// I.
interface i {
  /// Where.
  // witgen: allow(public-tuple): as the older protocol has it
  at: func() -> tuple<u8, u8>;
  /// Where else.
  also: func() -> tuple<u8, u8>;
}
"""


def test_one_item_is_allowed_what_the_next_is_not() -> None:
    assert found(TUPLE) == ["public-tuple"]


def test_an_interface_is_allowed_for_all_that_is_in_it() -> None:
    allowed = TUPLE.replace("  // witgen: allow", "  // other").replace(
        "interface i", "// witgen: allow(public-tuple): pairs of numbers all over\ninterface i"
    )
    assert found(allowed) == []


def test_a_file_is_allowed_before_the_name_of_its_package() -> None:
    assert (
        found(
            "// witgen: allow(public-tuple, missing-docs): a sketch\npackage a:b@0.1.0;\ninterface i {\n"
            "  f: func() -> tuple<u8, u8>;\n}\n"
        )
        == []
    )


@pytest.mark.parametrize(
    ("comment", "says"),
    [
        ("// witgen: allow(public-tuple)", "this allowance has no reason"),
        ("// witgen: allow(public-tupel): because", "there is no rule `public-tupel` to allow"),
        ("// witgen: allow(public-tuple, full-flags): because", "nothing here breaks `full-flags`"),
    ],
)
def test_an_allowance_has_a_reason_a_rule_and_an_effect(comment: str, says: str) -> None:
    text = TUPLE.replace("// witgen: allow(public-tuple): as the older protocol has it", comment)
    said = [d.message for d in lint_text("x.wit", text.encode(), LintRules()) if d.rule == "allowance"]
    assert len(said) == 1 and says in said[0]


def test_an_allowance_of_a_rule_that_does_not_count_is_no_mistake() -> None:
    assert found(TUPLE, disable=("shapes",)) == []


def test_an_allowance_before_nothing_is_a_mistake() -> None:
    assert found("/// P.\npackage a:b@0.1.0;\n// witgen: allow(public-tuple): because\n") == ["allowance"]


def test_an_allowance_is_no_documentation(tmp_path: Path) -> None:
    path = tmp_path / "x.wit"
    path.write_text(TUPLE)
    loaded = load([path])
    (interface,) = json.loads(json_text(loaded.resolve))["interfaces"]
    assert interface["functions"]["at"]["docs"] == {"contents": "Where."}

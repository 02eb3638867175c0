"""Each rule tells of its own example, and of nothing else; the document has the table of rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.breaking.support import changes
from witgen.breaking.rule import Built, Effect, Frame, Level, Rule
from witgen.breaking.rules import BY_ID, RULES, as_markdown, as_text

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/breaking-changes.md"

#: What an example can't be without.
BESIDE = {
    "package-removed": {"package-added"},
    "type-renamed": {"type-added"},
    "used-type-changed": {"field-type-changed"},
    "since-too-early": {"function-added"},
}
#: What the example is the other way round; of the others it is the same rule.
REVERSE = {
    "package-removed": {"package-removed", "package-added"},
    "package-added": set(),
    "version-lowered": set(),
    "import-version-raised": {"import-version-changed"},
    "export-version-raised": {"export-version-changed"},
    "exported-function-added": {"function-removed"},
    "exported-type-added": {"type-removed"},
    "resource-added": {"type-removed"},
    "exported-resource-added": {"type-removed"},
    "type-renamed": {"type-renamed", "type-removed"},
    "used-type-changed": {"used-type-changed", "field-type-changed"},
    "used-version-changed": {"used-version-changed", "version-lowered"},
    "made-unstable": {"function-added"},
    "since-too-early": {"function-removed"},
    "deprecated": {"deprecation-changed"},
    "deprecation-changed": {"deprecated"},
}


def told(rule: Rule, before: str, after: str, folder: Path) -> set[str]:
    found = changes(
        rule.frame.around(before), rule.frame.around(after), folder, all_features=rule.id == "feature-changed"
    )
    return {difference.rule.id for change in found for difference in change.differences}


def reverse(rule: Rule) -> set[str]:
    for one, other in (("-added", "-removed"), ("-removed", "-added")):
        name = rule.id.removesuffix(one) + other
        if rule.id.endswith(one) and name in BY_ID:
            return {name}
    return {rule.id}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_example_of_a_rule_is_told_by_it(rule: Rule, tmp_path: Path) -> None:
    assert told(rule, rule.before, rule.after, tmp_path) == {rule.id} | BESIDE.get(rule.id, set())


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_other_way_round_it_is_told_by_the_opposite_rule(rule: Rule, tmp_path: Path) -> None:
    assert told(rule, rule.after, rule.before, tmp_path) == REVERSE.get(rule.id, reverse(rule))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_an_example_does_not_differ_from_itself(rule: Rule, tmp_path: Path) -> None:
    for text in (rule.before, rule.after):
        assert told(rule, text, text, tmp_path) == set()


def test_ids_are_unique_and_in_lower_case() -> None:
    assert len(BY_ID) == len(RULES)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in BY_ID)


def test_what_keeps_built_components_from_linking_is_breaking() -> None:
    for rule in RULES:
        assert rule.level >= Level.BREAKING or not rule.built, rule.id


def test_additions_break_no_caller() -> None:
    for rule in RULES:
        assert rule.level >= Level.BREAKING or rule.callers is Effect.NONE, rule.id


def test_what_is_new_breaks_where_components_export_it() -> None:
    for rule in RULES:
        if rule.frame is Frame.EXPORTED:
            assert (rule.level, rule.built) == (Level.BREAKING, Built.EXPORTING)
            assert BY_ID[rule.id.removeprefix("exported-")].level is Level.ADDITION


def test_the_document_has_the_table() -> None:
    assert as_markdown() in DOCUMENT.read_text()


def test_the_printed_table_has_a_line_for_each_rule() -> None:
    lines = as_text().splitlines()
    assert len(lines) == len(RULES) + 1
    assert [line.split()[0] for line in lines[1:]] == list(BY_ID)

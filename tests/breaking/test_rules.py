"""Each rule applies to its own example, and to nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.breaking.support import changes
from witgen.breaking.rule import Rule
from witgen.breaking.rules import RULES


def told(before: str, after: str, rule: Rule, folder: Path, **options: bool) -> set[str]:
    found = changes(rule.frame.around(before), rule.frame.around(after), folder, **options)
    return {difference.rule.id for change in found for difference in change.differences}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_example_of_a_rule_is_told_as_that(rule: Rule, tmp_path: Path) -> None:
    found = told(rule.before, rule.after, rule, tmp_path, all_features=rule.id == "feature-changed")
    print(found)
    assert rule.id in found

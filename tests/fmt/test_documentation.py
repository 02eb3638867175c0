"""What ``docs/formatting.md`` shows is what comes out."""

from __future__ import annotations

import re

import pytest

from tests.fmt.support import ROOT, check_laws, formatted

EXAMPLE = re.compile(r"```wit\n(.*?)```\n\nbecomes\n\n```wit\n(.*?)```", re.DOTALL)
EXAMPLES = EXAMPLE.findall((ROOT / "docs/formatting.md").read_text())


@pytest.mark.parametrize(("before", "after"), EXAMPLES)
def test_examples_are_true(before: str, after: str) -> None:
    assert formatted(before) == after
    assert formatted(after) == after
    check_laws(before)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 5

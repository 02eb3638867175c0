"""The table of all rules: ``--list-rules``, ``docs/breaking-changes.md``, the settings and the tests are made of it.

It knows no contract. Why a rule has its level is said in the document.
"""

from __future__ import annotations

from witgen.breaking.item_rules import FUNCTIONS, PACKAGES, WORLDS
from witgen.breaking.rule import Rule
from witgen.breaking.type_rules import GATES, TYPES

__all__ = ["BY_ID", "RULES", "as_markdown", "as_text"]

#: All rules, in the order of tables.
RULES: tuple[Rule, ...] = (*PACKAGES, *WORLDS, *FUNCTIONS, *TYPES, *GATES)
BY_ID = {rule.id: rule for rule in RULES}

_HEADS = ("rule", "level", "implementers", "callers", "built components", "what it says")


def _row(rule: Rule) -> tuple[str, ...]:
    return (rule.id, rule.level.word, rule.implementers.value, rule.callers.value, rule.built.words, rule.summary)


def as_text() -> str:
    """The table for a terminal."""
    rows = [_HEADS, *map(_row, RULES)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADS) - 1)]
    lines = ("  ".join([*(f"{c:<{w}}" for c, w in zip(row, widths, strict=False)), row[-1]]) for row in rows)
    return "\n".join(lines)


def as_markdown() -> str:
    """The table for the document."""
    rows = [tuple(head.capitalize() for head in _HEADS), ("---",) * len(_HEADS)]
    rows += [(f"`{name}`", *others) for name, *others in map(_row, RULES)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)

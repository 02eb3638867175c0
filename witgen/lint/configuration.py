"""Which rules count: those that do by default, and what ``[lint]`` of ``witgen.toml`` or options make of it."""

from __future__ import annotations

from witgen.lint.rules import CATEGORIES, RULES
from witgen.project import LintRules

__all__ = ["NAMES", "counting"]

#: What can be enabled and disabled: rules and categories.
NAMES = (*(rule.id for rule in RULES), *CATEGORIES)


def counting(choice: LintRules) -> frozenset[str]:
    """The rules that count. What is disabled is so even if it is enabled as well."""
    return frozenset(
        rule.id
        for rule in RULES
        if (rule.by_default or {rule.id, rule.category} & set(choice.enable))
        and not {rule.id, rule.category} & set(choice.disable)
    )

"""The rules as people read them: a table for the terminal, a page for the documentation."""

from __future__ import annotations

from witgen.lint.rules import CATEGORIES, RULES

__all__ = ["as_markdown", "as_table"]


def as_table() -> str:
    """A line for each rule: its id, its category, what it finds."""
    first = max(len(rule.id) for rule in RULES)
    second = max(len(category) for category in CATEGORIES)
    return "\n".join(
        f"{rule.id:{first}}  {rule.category:{second}}  {rule.summary}{'' if rule.by_default else ' (not by default)'}"
        for rule in RULES
    )


def as_markdown() -> str:
    """The rules by category, each with an example, as ``docs/lint.md`` has them."""
    parts = []
    for category, about in CATEGORIES.items():
        parts.append(f"### {category}: {about}\n")
        for rule in RULES:
            if rule.category == category:
                off = "" if rule.by_default else " Not by default."
                parts.append(f"#### `{rule.id}`\n\n{rule.summary[0].upper()}{rule.summary[1:]}.{off} {rule.why}\n")
                parts.append(f"```wit\n{rule.wrong.strip()}\n```\n\nBetter:\n\n```wit\n{rule.right.strip()}\n```\n")
    return "\n".join(parts)

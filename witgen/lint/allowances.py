"""Comments that allow what a rule forbids: ``// witgen: allow(rule, …): reason``, before the item that they are for.

Before the package's name they are for the whole file. An allowance needs a reason, names rules that there are, and has
to be of use; else it is itself reported, under `ID`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from witgen.diagnostics import Span
from witgen.lint.checks import Finding
from witgen.syntax import ast

__all__ = ["ID", "Allowances"]

#: What findings on allowances are called.
ID = "allowance"

_ALLOWS = re.compile(r"// ?witgen: \s*allow\(([^)]*)\)\s*(?::\s*(.*\S))?\s*$")


@dataclass(slots=True, eq=False)
class _Allowance:
    """One rule that a comment allows in a stretch of a file."""

    rule: str
    place: Span
    start: int
    end: int
    used: bool = field(default=False)


class Allowances:
    """The allowances of one file."""

    def __init__(self, file: ast.File, known: Collection[str]) -> None:
        #: What is wrong with the comments themselves.
        self.findings: list[Finding] = []
        self._found: list[_Allowance] = []
        claimed: set[Span] = set()
        if file.header is not None:
            self._take(file.header.comments, 0, len(file.source.text), known, claimed)
        for item in file.items:
            for node in _commented(item):
                self._take(node.comments, node.span.start, node.span.end, known, claimed)
        for comment in file.comments:
            if comment.span not in claimed and _ALLOWS.match(comment.text):
                self.findings.append(Finding(comment.span, "this allowance stands before nothing that it could be for"))

    def allow(self, rule: str, span: Span) -> bool:
        """Whether a finding is allowed."""
        found = [a for a in self._found if a.rule == rule and a.start <= span.start and span.end <= a.end]
        for allowance in found:
            allowance.used = True
        return bool(found)

    def unused(self, rules: Collection[str]) -> Iterator[Finding]:
        """The allowances of `rules` that have allowed nothing."""
        for allowance in self._found:
            if not allowance.used and allowance.rule in rules:
                yield Finding(allowance.place, f"nothing here breaks `{allowance.rule}`: the allowance can go")

    def _take(
        self, comments: Sequence[ast.Comment], start: int, end: int, known: Collection[str], claimed: set[Span]
    ) -> None:
        for comment in comments:
            match = _ALLOWS.match(comment.text)
            if match is None:
                continue
            claimed.add(comment.span)
            if not match[2]:
                self.findings.append(Finding(comment.span, "this allowance has no reason: `allow(…): why`"))
            for rule in (part.strip() for part in match[1].split(",")):
                if rule not in known:
                    self.findings.append(Finding(comment.span, f"there is no rule `{rule}` to allow"))
                else:
                    self._found.append(_Allowance(rule, comment.span, start, end))


def _commented(item: object) -> Iterator[ast.Interface]:
    """A node and all below it that have comments of their own."""
    pending = [item]
    while pending:
        node = pending.pop()
        if isinstance(node, tuple):
            pending += node
        elif hasattr(node, "span") and not isinstance(node, ast.Comment):
            if hasattr(node, "comments"):
                yield node  # type: ignore[misc]
            pending += (getattr(node, name) for name in type(node).__match_args__)  # type: ignore[attr-defined]

"""The difference between a text and its layout, as a unified diff.

Both texts hold the same characters in the same order, apart from white space and commas. Therefore the lines that
belong together are found by counting, in time that grows with the text. A comparison of lines in general can take hours
for a large file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["unified_diff"]

_CONTEXT = 3
_INSIGNIFICANT = re.compile(r"[\s,\ufeff]+")

#: A line and what becomes of it: a space where it stays, else a minus or plus sign.
_Row = tuple[str, str]


def unified_diff(path: str, before: str, after: str) -> str:
    """The diff from `before` to its formatted text `after`, for a file called `path`; empty if they are equal."""
    rows = list(_rows(_lines(before), _lines(after)))
    hunks = list(_hunks(rows))
    return "".join([f"--- {path}\n+++ {path}\n", *hunks]) if hunks else ""


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _rows(before: list[str], after: list[str]) -> Iterator[_Row]:
    """All lines of both texts."""
    removed: list[str] = []
    added: list[str] = []
    for old, new in _blocks(before, after):
        if old == new:
            yield from _changes(removed, added)
            yield from ((" ", line) for line in old)
            removed, added = [], []
        else:
            removed += old
            added += new
    yield from _changes(removed, added)


def _changes(removed: list[str], added: list[str]) -> Iterator[_Row]:
    yield from (("-", line) for line in removed)
    yield from (("+", line) for line in added)


def _blocks(before: list[str], after: list[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Both texts in pieces as small as can be: those with the same number say the same."""
    sizes, others = _sizes(before), _sizes(after)
    i = j = 0
    while i < len(before) or j < len(after):
        start, other = i, j
        line, match = sizes[i : i + 1], others[j : j + 1]
        # A blank line is a piece of its own, on one side or on both.
        i += len(line) if line == [0] or match != [0] else 0
        j += len(match) if match == [0] or line != [0] else 0
        old, new = sum(sizes[start:i]), sum(others[other:j])
        while old != new and (i < len(before) if old < new else j < len(after)):
            if old < new:
                old += sizes[i]
                i += 1
            else:
                new += others[j]
                j += 1
        yield before[start:i], after[other:j]


def _sizes(lines: list[str]) -> list[int]:
    """How much of each line counts."""
    return [len(_INSIGNIFICANT.sub("", line)) for line in lines]


def _hunks(rows: list[_Row]) -> Iterator[str]:
    """The stretches of rows with changes and the lines around them."""
    old = new = at = 0
    for start, end in _stretches(rows):
        skipped = start - at
        stretch = rows[start:end]
        removed = sum(sign != "+" for sign, _ in stretch)
        added = sum(sign != "-" for sign, _ in stretch)
        old += skipped
        new += skipped
        yield f"@@ -{_range(old, removed)} +{_range(new, added)} @@\n{''.join(map(_shown, stretch))}"
        old += removed
        new += added
        at = end


def _stretches(rows: list[_Row]) -> Iterator[tuple[int, int]]:
    start, end = 0, 0
    for i, (sign, _) in enumerate(rows):
        if sign == " ":
            continue
        if i - _CONTEXT > end and end:
            yield start, end
            start = i - _CONTEXT
        elif not end:
            start = max(0, i - _CONTEXT)
        end = min(len(rows), i + 1 + _CONTEXT)
    if end:
        yield start, end


def _range(before: int, length: int) -> str:
    """A range of lines: the number of the first, or of the line before if there are none, and how many there are."""
    return f"{before + 1 if length else before},{length}"


def _shown(row: _Row) -> str:
    sign, line = row
    return f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"

"""Differences in words: a summary of each package, and what to do where its version does not allow them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from witgen import ir
from witgen.breaking.difference import Difference
from witgen.breaking.packages import Change
from witgen.breaking.rule import Level
from witgen.breaking.versions import smallest
from witgen.diagnostics import Note

__all__ = ["advice", "message", "summary"]


def message(difference: Difference) -> str:
    """A difference with the interface or world in which it is."""
    place = difference.place
    if len(place) < 3:
        return difference.message
    inside = place[1]
    if place[0] == "world" and len(place) > 4 and place[4] != "part":
        inside = f"{inside}, {place[2]} {place[3]}"
    return f"{inside}: {difference.message}"


def advice(change: Change, refused: Sequence[Difference]) -> list[Note]:
    """What to do."""
    levels = [difference.rule.level for difference in refused if difference.rule.level < Level.MISTAKE]
    if not levels or change.old is None or change.new is None:
        return []
    if change.new.version is None:
        return [Note("give the package a version, which can tell of it, or allow it with --allow-unversioned")]
    return [Note(f"if it is meant, make it `{_needed(change, max(levels))}`")]


def _needed(change: Change, level: Level) -> ir.PackageName:
    """The package in the smallest version that allows differences of a level."""
    assert change.old is not None
    return ir.PackageName(change.name.namespace, change.name.name, smallest(change.old.version, level))


def summary(change: Change, kept: Sequence[Difference], limit: Level) -> Iterator[str]:
    """A line on a package, and one for each difference that its version allows: up to the level `limit`."""
    yield f"{_headline(change)}: {_verdict(change, kept)}"
    for difference in kept:
        if difference.rule.level <= limit:
            yield f"  {difference.rule.level.word:<9} {message(difference)} [{difference.rule.id}]"


def _headline(change: Change) -> str:
    if change.old is None or change.new is None or change.old == change.new:
        return f"package {change.new or change.old}"
    return f"package {change.old} → {change.new}"


def _verdict(change: Change, kept: Sequence[Difference]) -> str:
    if change.old is None:
        return "is new"
    if change.new is None:
        return "is gone"
    if not kept:
        return "unchanged"
    levels = [difference.rule.level for difference in kept]
    counted = [(levels.count(level), level) for level in sorted(set(levels), reverse=True)]
    told = ", ".join(f"{count} {_PLURALS[level][count > 1]}" for count, level in counted)
    level = max((level for level in levels if level < Level.MISTAKE), default=Level.NOTICE)
    needed = smallest(change.old.version, level)
    return f"{told}; needs {needed} or later" if needed not in (None, change.old.version) else told


_PLURALS = {
    Level.MISTAKE: ("mistake", "mistakes"),
    Level.BREAKING: ("breaking change", "breaking changes"),
    Level.ADDITION: ("addition", "additions"),
    Level.NOTICE: ("change of no consequence", "changes of no consequence"),
}

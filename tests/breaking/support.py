"""Comparing texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from witgen.breaking.gated import features_of
from witgen.breaking.packages import Change, Side, compare_sides
from witgen.breaking.shapes import Model
from witgen.project import Contract
from witgen.resolve import load

__all__ = ["changes", "compared", "side"]


def side(roots: Sequence[Path], *, all_features: bool = False) -> Side:
    """The packages of some roots."""
    loaded = load(roots, all_features=all_features)
    model = Model(loaded.resolve)
    names = [package.name for package in loaded.resolve.packages]
    return Side(dict.fromkeys(names, model), (names[loaded.main],))


def compared(old: Path, new: Path, *, all_features: bool = False) -> list[Change]:
    """What has become of the packages of a root."""
    gates = {} if all_features else features_of([Contract("", (new,))], ())
    return compare_sides(
        side([old], all_features=all_features),
        side([new], all_features=all_features),
        features=None if all_features else (),
        gated=lambda name, place: gates.get((name, place)),
    )


def changes(before: str, after: str, folder: Path, *, all_features: bool = False) -> list[Change]:
    """What has become of the packages of a text."""
    old, new = folder / "old.wit", folder / "new.wit"
    old.write_text(before)
    new.write_text(after)
    return compared(old, new, all_features=all_features)

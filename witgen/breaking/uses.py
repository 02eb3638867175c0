"""Compares uses of types: whether they differ, and whether that is told elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from witgen import ir
from witgen.breaking.difference import Pair

__all__ = ["Parts", "is_told", "renamed", "was_and_is"]

#: The parts of a whole in order: the names of parameters, fields, cases or flags, with types where they have some.
Parts: TypeAlias = Sequence[tuple[str, ir.Type | None]]


def is_told(pair: Pair, old: ir.Type | None, new: ir.Type | None) -> bool:
    """Whether there is nothing to say of two uses: they are the same, or name the same definitions.

    A definition that has changed is told of where it stands; one of another package where it is brought in by ``use``.
    """
    return (
        pair.old.text(old) == pair.new.text(new)
        or pair.old.shape(old) == pair.new.shape(new)
        or pair.old.named(old) == pair.new.named(new)
    )


def was_and_is(pair: Pair, old: ir.Type | None, new: ir.Type | None) -> str:
    """Two types in a message, as they are written."""
    before, after = pair.old.shown(old), pair.new.shown(new)
    return f"was `{before}`, is `{after}`" if before != after else f"is another `{after}`"


def renamed(pair: Pair, old: Parts, new: Parts) -> dict[str, str]:
    """Which parts have only got another name: those that stand at the same place with the same type."""
    if len(old) != len(new):
        return {}
    before, after = {name for name, _ in old}, {name for name, _ in new}
    return {
        name: other
        for (name, type_), (other, other_type) in zip(old, new, strict=True)
        if name not in after and other not in before and is_told(pair, type_, other_type)
    }

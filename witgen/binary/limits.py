"""How much the types of a file may come to: a small binary can ask for very much.

Types refer to types, so that what is written once may be meant a million times. Whoever walks the types of a model that
kept these limits may recurse without fear, and whoever writes them down needs no more memory than he has. This module
knows the resolved model; how it is read, `witgen.binary.builder` knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from witgen import ir
from witgen.binary.errors import BinaryError, Budget

__all__ = ["Limits", "names_in", "references", "with_resources"]

#: How deep types may refer to types, how many a type may consist of when all references are written out, and how many
#: fields, cases and other parts all types together may have.
MAX_TYPE_DEPTH = 64
MAX_TYPE_SIZE = 1_000_000
MAX_PARTS = 1_000_000
#: How many characters there may be in a text that names all types and functions and writes out types without a name.
MAX_TEXT = 10_000_000

#: The characters of a keyword and what stands around it.
_KEYWORD = 8


@dataclass(slots=True)
class _Extent:
    """Of a type: how deep it is, of how many it consists, and how many characters it takes where it is used."""

    depth: int
    size: int
    text: int


class Limits:
    """What the types of one file have come to so far. Each method raises `BinaryError` where it is too much.

    `parts` is the budget of fields, cases, parameters and other parts.
    """

    def __init__(self) -> None:
        self.parts = Budget(MAX_PARTS)
        self._text = Budget(MAX_TEXT, f"its types are more than {MAX_TEXT} characters when they are written out")
        self._depth = 0
        self._extents: list[_Extent] = []

    @contextmanager
    def deeper(self, offset: int) -> Iterator[None]:
        """While one goes from a type to those in it."""
        self._depth += 1
        try:
            if self._depth > MAX_TYPE_DEPTH:
                raise BinaryError(f"types nested more than {MAX_TYPE_DEPTH} levels deep", offset)
            yield
        finally:
            self._depth -= 1

    def add(self, definition: ir.TypeDef, offset: int) -> None:
        """Takes note of the next type of the model."""
        parts = [self._extents[part] for part in _parts(definition.kind)]
        depth = 1 + max((part.depth for part in parts), default=0)
        size = 1 + sum(part.size for part in parts)
        if depth > MAX_TYPE_DEPTH:
            raise BinaryError(f"types nested more than {MAX_TYPE_DEPTH} levels deep", offset)
        if size > MAX_TYPE_SIZE:
            raise BinaryError(f"a type of more than {MAX_TYPE_SIZE} parts", offset)
        inner = references(definition.kind)
        text = _KEYWORD * (1 + len(inner)) + sum(part.text for part in parts)
        self._extents.append(_Extent(depth, size, text if definition.name is None else len(definition.name)))

    def write(self, names: Iterable[str], types: Iterable[ir.Type | None], offset: int) -> None:
        """Takes note of an item with these names in it that uses these types."""
        used = sum(self._extents[type_].text for type_ in types if isinstance(type_, int))
        self._text.spend(sum(map(len, names)) + used, offset)


def references(kind: ir.Kind) -> tuple[ir.Type | None, ...]:
    """The types that a kind refers to, resources aside: one for each reference that its definition has."""
    match kind:
        case ir.Record(fields):
            return tuple(f.type for f in fields)
        case ir.Variant(cases):
            return tuple(c.type for c in cases)
        case ir.Tuple(of):
            return of
        case ir.Option(of_one) | ir.List(of_one) | ir.FixedLengthList(of_one) | ir.Alias(of_one):
            return (of_one,)
        case ir.Future(perhaps) | ir.Stream(perhaps):
            return (perhaps,)
        case ir.Result(first, second) | ir.Map(first, second):
            return (first, second)
        case _:
            return ()


def with_resources(kind: ir.Kind) -> tuple[ir.Type | None, ...]:
    """As `references`, with the resource of a handle."""
    return (kind.resource,) if isinstance(kind, ir.Own | ir.Borrow) else references(kind)


def names_in(kind: ir.Kind) -> list[str]:
    """The names in the definition of a type."""
    match kind:
        case ir.Record(named) | ir.Variant(named) | ir.Enum(named) | ir.Flags(named):
            return [each.name for each in named]
        case _:
            return []


def _parts(kind: ir.Kind) -> list[ir.TypeId]:
    """The types with a row that a kind consists of directly."""
    return [t for t in references(kind) if t is not None and not isinstance(t, ir.Primitive)]

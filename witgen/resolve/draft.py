"""A package as its own files define it, before it meets the packages that it uses.

A `Draft` has tables of its own: ids count from 0 in each, and what belongs to other packages comes first in them as a
placeholder under the name by which it is used. `witgen.resolve.link` carries a draft over into the tables of all.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from witgen import ir
from witgen.diagnostics import Span
from witgen.syntax import ast

__all__ = [
    "Draft",
    "DraftFunction",
    "DraftInclude",
    "DraftInterface",
    "DraftItem",
    "DraftType",
    "DraftWorld",
    "ForeignItem",
    "ForeignPackage",
]


@dataclass(slots=True)
class DraftType:
    """A type; `kind` is None for one of another package. `field_spans` are those of a record's fields."""

    name: str | None
    kind: ir.Kind | None
    owner: ir.Owner | None
    span: Span
    docs: str = ""
    stability: ir.Stability = ir.STABLE
    external_id: str | None = None
    field_spans: tuple[Span, ...] = ()


@dataclass(slots=True)
class DraftFunction:
    """A function and the place of its name."""

    function: ir.Function
    span: Span


@dataclass(slots=True)
class DraftInterface:
    """An interface; `name` is None for one inside a world, and until it is defined for one of another package."""

    name: str | None
    span: Span
    types: dict[str, ir.TypeId] = field(default_factory=dict)
    functions: list[DraftFunction] = field(default_factory=list)
    docs: str = ""
    stability: ir.Stability = ir.STABLE


@dataclass(slots=True)
class DraftItem:
    """An import or export and the place of its name."""

    item: ir.WorldItem
    span: Span


@dataclass(slots=True)
class DraftInclude:
    """``include``: a world, and the names that are to be others."""

    world: ir.WorldId
    names: tuple[ast.IncludeName, ...]
    stability: ir.Stability
    span: Span


@dataclass(slots=True)
class DraftWorld:
    """A world before its includes and implied imports are carried out."""

    name: str
    span: Span
    imports: dict[ir.WorldKey, DraftItem] = field(default_factory=dict)
    exports: dict[ir.WorldKey, DraftItem] = field(default_factory=dict)
    includes: list[DraftInclude] = field(default_factory=list)
    docs: str = ""
    stability: ir.Stability = ir.STABLE


@dataclass(slots=True)
class ForeignItem:
    """An interface or a world of another package, and the gates of all places that use it."""

    id: ir.InterfaceId | ir.WorldId
    is_world: bool
    name: str
    span: Span
    gates: list[ir.Stability] = field(default_factory=list)


@dataclass(slots=True)
class ForeignPackage:
    """What a package uses of another; `span` is the first place."""

    span: Span
    items: dict[str, ForeignItem] = field(default_factory=dict)


@dataclass(slots=True)
class Draft:
    """A package of which all names of its own are resolved."""

    name: ir.PackageName
    span: Span
    docs: str = ""
    worlds: list[DraftWorld] = field(default_factory=list)
    interfaces: list[DraftInterface] = field(default_factory=list)
    types: list[DraftType] = field(default_factory=list)
    foreign: dict[ir.PackageName, ForeignPackage] = field(default_factory=dict)
    #: Types of other packages that handles are made of, so that they must turn out to be resources.
    resources: list[tuple[ir.TypeId, Span]] = field(default_factory=list)

"""What the indices of a component refer to, as far as types go: nodes, functions, instances, components.

Each object is itself and equal to no other; how they come about is for `evaluate`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from witgen.binary import model as m

__all__ = [
    "Component",
    "Defined",
    "Entity",
    "Extern",
    "Externs",
    "Func",
    "Instance",
    "Named",
    "Node",
    "ResourceNode",
    "Scope",
    "bare",
]


@dataclass(slots=True, eq=False)
class Scope:
    """The index spaces of one evaluation of a component or of a component or instance type.

    Core spaces aren't kept. Items of the space of values are None.
    """

    outer: Scope | None
    types: list[Node] = field(default_factory=list)
    funcs: list[Func] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Defined:
    """A type definition and the scope that its indices are of."""

    type: m.DefType
    scope: Scope
    offset: int


@dataclass(slots=True, eq=False)
class ResourceNode:
    """A resource, unequal to any other."""

    offset: int


@dataclass(slots=True, eq=False)
class Named:
    """A type as an import or export has it: equal to `target`, but seen under a name.

    `origin` is the type at the end of all names.
    """

    target: Node
    origin: Defined | ResourceNode = field(init=False)

    def __post_init__(self) -> None:
        self.origin = bare(self.target)


Node: TypeAlias = Defined | ResourceNode | Named


@dataclass(slots=True, eq=False)
class Func:
    """A function; `type` is the definition of its type."""

    type: Defined


@dataclass(slots=True, eq=False)
class Instance:
    """An instance: its exports."""

    exports: Externs


@dataclass(slots=True, eq=False)
class Component:
    """A component that can be instantiated: its definitions (or the declarations of its type), and where they stand."""

    definitions: tuple[m.Definition | m.Declaration, ...]
    scope: Scope


#: What an index refers to; None for a core module and for a value, of which nothing is known here.
Entity: TypeAlias = Node | Func | Instance | Component | None


@dataclass(slots=True, eq=False)
class Extern:
    """An import or export of a component or instance."""

    sort: m.Sort
    entity: Entity
    attributes: m.NameAttributes
    offset: int


Externs: TypeAlias = dict[str, Extern]


def bare(node: Node) -> Defined | ResourceNode:
    """The type that a node stands for, names looked through."""
    return node.origin if isinstance(node, Named) else node

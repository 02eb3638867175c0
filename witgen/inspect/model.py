"""What is in a WebAssembly file, as `witgen inspect` tells of it.

Data alone: where it comes from, `gather` knows; how it is shown, `text` and `document`.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from witgen.binary.producers import Producer
from witgen.contract.digest import InterfaceDigest, WorldDigest
from witgen.contract.stamp import Stamp

__all__ = [
    "Component",
    "Contents",
    "Extern",
    "Inspection",
    "Kind",
    "Module",
    "Obstacle",
    "Part",
    "Section",
    "StampCheck",
    "World",
]


class Kind(enum.Enum):
    """What a file is."""

    COMPONENT = "component"
    PACKAGE = "package"
    MODULE = "module"


@dataclass(frozen=True, slots=True)
class Section:
    """A custom section: its name, the byte of the file at which its content begins (with its name), its size without
    the name."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Module:
    """A core module; `index` is its place among those of the same component."""

    index: int
    name: str | None
    offset: int
    size: int
    imports: int
    exports: int
    sections: tuple[Section, ...]
    producers: tuple[Producer, ...]


@dataclass(frozen=True, slots=True)
class Extern:
    """An import or export of a component; `sort` is the word of the text format."""

    name: str
    sort: str


@dataclass(frozen=True, slots=True)
class Contents:
    """What a component consists of."""

    modules: tuple[Module, ...] = ()
    components: tuple[Component, ...] = ()
    sections: tuple[Section, ...] = ()
    producers: tuple[Producer, ...] = ()


@dataclass(frozen=True, slots=True)
class Component:
    """A component inside another; `index` is its place among those of the same component."""

    index: int
    offset: int
    size: int
    imports: tuple[Extern, ...]
    exports: tuple[Extern, ...]
    contents: Contents


@dataclass(frozen=True, slots=True)
class World:
    """A world and its digests, under its full name."""

    name: str
    digests: WorldDigest


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps a component from being a world: an import or export (`side`), and what no world can have of it, at
    which byte."""

    side: str
    extern: Extern
    message: str
    offset: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """What a world could have of a component that is none: the digests of its interfaces by link name, of its functions
    under ``""``."""

    imports: Mapping[str, InterfaceDigest]
    exports: Mapping[str, InterfaceDigest]


@dataclass(frozen=True, slots=True)
class StampCheck:
    """The stamp of a component, and where the component is not what it says: a line each."""

    stamp: Stamp
    differences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """A file.

    `worlds` are the one that a component implements, those of a package, or those that a core module carries for the
    linker; `interfaces` are those of a package, by full name. `imports` and `exports` are those of a component as they
    are in the file. Where no world can have some of them, these are `obstacles`, the others are `part`, and there is no
    world. A core module stands as the only one in `contents`.
    """

    path: str
    kind: Kind
    size: int
    worlds: tuple[World, ...]
    interfaces: Mapping[str, InterfaceDigest] = field(default_factory=dict)
    imports: tuple[Extern, ...] = ()
    exports: tuple[Extern, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    part: Part | None = None
    stamp: StampCheck | None = None
    contents: Contents = field(default_factory=Contents)

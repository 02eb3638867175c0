"""A world as the template of Python adapters sees it: classes, methods and constants with their text.

What they look like is the template's, which of them there are is said by the modules that make them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from witgen.contract.digest import WorldDigest

__all__ = [
    "ExportMember",
    "ImportFunction",
    "ImportTable",
    "InterfaceClass",
    "Member",
    "Method",
    "Module",
    "ResourceClass",
    "TypeClass",
]


@dataclass(frozen=True, slots=True)
class Member:
    """A field, case or label: its Python name, its annotation or value, its docs."""

    name: str
    type: str
    docs: str


@dataclass(frozen=True, slots=True)
class TypeClass:
    """A named type: `kind` chooses the form, `members` are what it consists of."""

    kind: str
    name: str
    docs: str
    members: list[Member] = field(default_factory=list)
    target: str = ""
    wit: str = ""


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a generated class or Protocol. `attribute` is where the `LiftedFunction` is kept."""

    name: str
    parameters: str
    returns: str
    docs: str
    raises: str
    body: list[str] = field(default_factory=list)
    attribute: str = ""
    wit: str = ""
    params: str = ""
    results: str = ""


@dataclass(frozen=True, slots=True)
class ResourceClass:
    """A resource: its methods, and the constructor and static functions that make up its factory."""

    name: str
    factory: str
    member: str
    docs: str
    index: int
    methods: list[Method]
    statics: list[Method]


@dataclass(frozen=True, slots=True)
class InterfaceClass:
    """An imported or exported interface: one class, or one Protocol; no `name` where there is nothing to provide.

    `link` is the code for the name by which the functions of an exported one are found: a literal, or the parameter
    ``name`` where a class serves for several exports.
    """

    name: str
    full_name: str
    docs: str
    methods: list[Method]
    resources: list[ResourceClass]
    lifted: list[Method] = field(default_factory=list)
    link: str = ""


@dataclass(frozen=True, slots=True)
class ImportFunction:
    """An entry of the table of imports of an interface."""

    wit: str
    maker: str
    params: str
    results: str


@dataclass(frozen=True, slots=True)
class ImportTable:
    """The functions of an import: link name, expression of the object that serves them, entries."""

    link_name: str
    host: str
    functions: list[ImportFunction]


@dataclass(frozen=True, slots=True)
class ExportMember:
    """An attribute of the world's class: the export of an interface, as a call of its class."""

    member: str
    call: str


@dataclass(frozen=True, slots=True)
class Module:
    """All that the template needs."""

    world: str
    link_name: str
    docs: str
    digest: WorldDigest
    imports_digests: list[tuple[str, Mapping[str, str]]]
    exports_digests: list[tuple[str, Mapping[str, str]]]
    resources: list[tuple[str, str, bool]]
    types: list[TypeClass]
    exceptions: list[tuple[str, str]]
    imports: list[InterfaceClass]
    world_imports: list[Member]
    import_tables: list[ImportTable]
    exports: list[InterfaceClass]
    export_members: list[ExportMember]
    world_exports: list[Method]
    structs: list[tuple[str, str]]
    enums: list[tuple[str, str]]
    helpers: list[list[str]]
    import_functions: list[list[str]]

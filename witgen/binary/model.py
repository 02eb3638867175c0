"""A component as its binary has it: an ordered list of definitions.

The order is the meaning: each definition may append to one of the component's index spaces (`space` says to which) and
may refer to what stands before it, by index. Nothing here resolves an index or follows an alias; whoever walks the list
keeps the spaces (``spaces[definition.space].append(…)``).

After `Binary.md` of the component model, one class a production; types and names are those of `model_types`, which can
be had from here as well. Everything is immutable and compares by content; offsets (bytes from the start of the file)
and the extent of a component's bytes do not take part in comparisons.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from witgen.binary.model_types import (
    NO_ATTRIBUTES,
    Borrow,
    ComponentType,
    CoreDefType,
    CoreFuncType,
    DefType,
    DefValType,
    Enum,
    ExternDesc,
    FixedLengthList,
    Flags,
    FuncType,
    Future,
    InstanceType,
    Labelled,
    List,
    Map,
    NameAttributes,
    OpaqueCoreType,
    Option,
    Own,
    Record,
    ResourceType,
    Result,
    Sort,
    Stream,
    Tuple,
    ValType,
    Variant,
)

__all__ = [
    "NO_ATTRIBUTES",
    "NO_OPTIONS",
    "Alias",
    "Arg",
    "Borrow",
    "BundleCoreExports",
    "BundleExports",
    "Canon",
    "CanonBuiltin",
    "CanonLift",
    "CanonLower",
    "CanonOptions",
    "Component",
    "ComponentType",
    "CoreArg",
    "CoreDefType",
    "CoreExportAlias",
    "CoreFuncType",
    "CoreInlineExport",
    "CoreModule",
    "CoreTypeDef",
    "CustomSection",
    "Declaration",
    "DefType",
    "DefValType",
    "Definition",
    "Enum",
    "Export",
    "ExportAlias",
    "ExportDecl",
    "ExternDesc",
    "FixedLengthList",
    "Flags",
    "FuncType",
    "Future",
    "Import",
    "InlineExport",
    "InstanceType",
    "InstantiateComponent",
    "InstantiateModule",
    "Labelled",
    "List",
    "Map",
    "NameAttributes",
    "OpaqueCoreType",
    "Option",
    "OuterAlias",
    "Own",
    "Record",
    "ResourceDrop",
    "ResourceNew",
    "ResourceRep",
    "ResourceType",
    "Result",
    "Sort",
    "Start",
    "Stream",
    "StringEncoding",
    "Tuple",
    "TypeDef",
    "ValType",
    "ValueDef",
    "Variant",
]


@dataclass(frozen=True, slots=True)
class CustomSection:
    """A custom section; it extends no index space."""

    space: ClassVar[None] = None

    name: str
    data: memoryview
    offset: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CoreModule:
    """A core module: `data` is the whole module, preamble included, `offset` where it begins in the file."""

    space: ClassVar[Sort] = Sort.CORE_MODULE

    data: memoryview
    offset: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CoreArg:
    """``(with name (instance i))`` of a core instantiation."""

    name: str
    instance: int


@dataclass(frozen=True, slots=True)
class CoreInlineExport:
    """``(export name (sort i))`` of a core instance."""

    name: str
    sort: Sort
    index: int


@dataclass(frozen=True, slots=True)
class InstantiateModule:
    """``(core instance (instantiate m …))``"""

    space: ClassVar[Sort] = Sort.CORE_INSTANCE

    module: int
    args: tuple[CoreArg, ...]
    offset: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class BundleCoreExports:
    """``(core instance (export …)*)``: an instance made of what is there already."""

    space: ClassVar[Sort] = Sort.CORE_INSTANCE

    exports: tuple[CoreInlineExport, ...]
    offset: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CoreTypeDef:
    """``(core type …)``"""

    space: ClassVar[Sort] = Sort.CORE_TYPE

    type: CoreDefType
    offset: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Component:
    """A component, top-level or nested: its definitions in order.

    `data` are all its bytes, preamble included, and `offset` is where they begin in the file.
    """

    space: ClassVar[Sort] = Sort.COMPONENT

    definitions: tuple[Definition, ...]
    data: memoryview = field(default=memoryview(b""), compare=False, repr=False)
    offset: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Arg:
    """``(with name (sort i))`` of an instantiation."""

    name: str
    sort: Sort
    index: int


@dataclass(frozen=True, slots=True)
class InlineExport:
    """``(export name (sort i))`` of an instance."""

    name: str
    sort: Sort
    index: int
    attributes: NameAttributes = NO_ATTRIBUTES


@dataclass(frozen=True, slots=True)
class InstantiateComponent:
    """``(instance (instantiate c …))``"""

    space: ClassVar[Sort] = Sort.INSTANCE

    component: int
    args: tuple[Arg, ...]
    offset: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class BundleExports:
    """``(instance (export …)*)``: an instance made of what is there already."""

    space: ClassVar[Sort] = Sort.INSTANCE

    exports: tuple[InlineExport, ...]
    offset: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ExportAlias:
    """``(alias export i name (sort))``: what component instance `instance` exports as `name`."""

    sort: Sort
    instance: int
    name: str
    offset: int = field(default=0, compare=False, repr=False)

    @property
    def space(self) -> Sort:
        """The index space that the alias extends."""
        return self.sort


@dataclass(frozen=True, slots=True)
class CoreExportAlias:
    """``(alias core export i name (sort))``: what core instance `instance` exports as `name`."""

    sort: Sort
    instance: int
    name: str
    offset: int = field(default=0, compare=False, repr=False)

    @property
    def space(self) -> Sort:
        """The index space that the alias extends."""
        return self.sort


@dataclass(frozen=True, slots=True)
class OuterAlias:
    """``(alias outer n i (sort))``: item `index` of the component (or type) `count` levels out; 0 is this one."""

    sort: Sort
    count: int
    index: int
    offset: int = field(default=0, compare=False, repr=False)

    @property
    def space(self) -> Sort:
        """The index space that the alias extends."""
        return self.sort


Alias: TypeAlias = ExportAlias | CoreExportAlias | OuterAlias


@dataclass(frozen=True, slots=True)
class TypeDef:
    """``(type …)``"""

    space: ClassVar[Sort] = Sort.TYPE

    type: DefType
    offset: int = field(default=0, compare=False, repr=False)


class StringEncoding(enum.Enum):
    """``string-encoding`` of a lifted or lowered function."""

    UTF8 = "utf8"
    UTF16 = "utf16"
    LATIN1_UTF16 = "latin1+utf16"


@dataclass(frozen=True, slots=True)
class CanonOptions:
    """Canonical options (`Binary.md`, ``opts``): indices of a core memory and of core functions, None where absent."""

    string_encoding: StringEncoding = StringEncoding.UTF8
    memory: int | None = None
    realloc: int | None = None
    post_return: int | None = None
    callback: int | None = None
    is_async: bool = False
    core_type: int | None = None
    is_gc: bool = False


NO_OPTIONS = CanonOptions()


@dataclass(frozen=True, slots=True)
class CanonLift:
    """``(canon lift f opts (func (type t)))``: a core function becomes a component function of type `type`."""

    space: ClassVar[Sort] = Sort.FUNC

    core_func: int
    type: int
    options: CanonOptions = NO_OPTIONS
    offset: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CanonLower:
    """``(canon lower f opts)``: a component function becomes a core function."""

    space: ClassVar[Sort] = Sort.CORE_FUNC

    func: int
    options: CanonOptions = NO_OPTIONS
    offset: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ResourceNew:
    """``(canon resource.new r)``; `resource` is a type index."""

    space: ClassVar[Sort] = Sort.CORE_FUNC

    resource: int
    offset: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ResourceDrop:
    """``(canon resource.drop r)``; `resource` is a type index."""

    space: ClassVar[Sort] = Sort.CORE_FUNC

    resource: int
    offset: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ResourceRep:
    """``(canon resource.rep r)``; `resource` is a type index."""

    space: ClassVar[Sort] = Sort.CORE_FUNC

    resource: int
    offset: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CanonBuiltin:
    """Any other canonical built-in (async, threads, error contexts), by its name in the text format.

    `operands` are its immediates in the order of the binary: indices, numbers, or 0 and 1 for flags; `result` is that
    of ``task.return``, `value_type` the core type of ``context.get`` and ``context.set``.
    """

    space: ClassVar[Sort] = Sort.CORE_FUNC

    name: str
    operands: tuple[int, ...] = ()
    result: ValType | None = None
    value_type: str | None = None
    options: CanonOptions = NO_OPTIONS
    offset: int = field(default=0, compare=False, repr=False)


Canon: TypeAlias = CanonLift | CanonLower | ResourceNew | ResourceDrop | ResourceRep | CanonBuiltin


@dataclass(frozen=True, slots=True)
class Start:
    """``(start f (value i)* (result …)*)``; it appends `results` values to the value space."""

    space: ClassVar[None] = None

    func: int
    args: tuple[int, ...]
    results: int
    offset: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Import:
    """``(import name desc)``, of a component or of a component type."""

    name: str
    desc: ExternDesc
    attributes: NameAttributes = NO_ATTRIBUTES
    offset: int = field(default=0, compare=False, repr=False)

    @property
    def space(self) -> Sort:
        """The index space that the import extends."""
        return self.desc.sort


@dataclass(frozen=True, slots=True)
class Export:
    """``(export name (sort i) desc?)``: it also appends to the index space of its sort."""

    name: str
    sort: Sort
    index: int
    desc: ExternDesc | None = None
    attributes: NameAttributes = NO_ATTRIBUTES
    offset: int = field(default=0, compare=False, repr=False)

    @property
    def space(self) -> Sort:
        """The index space that the export extends."""
        return self.sort


@dataclass(frozen=True, slots=True)
class ExportDecl:
    """``(export name desc)`` of a component or instance type."""

    name: str
    desc: ExternDesc
    attributes: NameAttributes = NO_ATTRIBUTES
    offset: int = field(default=0, compare=False, repr=False)

    @property
    def space(self) -> Sort:
        """The index space that the export extends."""
        return self.desc.sort


@dataclass(frozen=True, slots=True)
class ValueDef:
    """``(value t v)``; `data` is the encoded value."""

    space: ClassVar[Sort] = Sort.VALUE

    type: ValType
    data: memoryview
    offset: int = field(default=0, compare=False, repr=False)


#: What a component type or instance type consists of (an instance type has no imports).
Declaration: TypeAlias = CoreTypeDef | TypeDef | Alias | Import | ExportDecl

#: What a component consists of.
Definition: TypeAlias = (
    CustomSection
    | CoreModule
    | InstantiateModule
    | BundleCoreExports
    | CoreTypeDef
    | Component
    | InstantiateComponent
    | BundleExports
    | Alias
    | TypeDef
    | Canon
    | Start
    | Import
    | Export
    | ValueDef
)

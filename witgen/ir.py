"""The resolved model of WIT: what every emitter, digest and encoder reads.

A `Resolve` is four tables (worlds, interfaces, types, packages) whose rows refer to each other by index, in the order
and with the meaning of wit-parser's `Resolve`, so that both print the same JSON. Everything here is data that can't
change; nothing here knows where it came from (text or binary) or what is made of it.

Types follow the component model's `Explainer.md`, "Type definitions"; names are WIT names (kebab-case, without ``%``).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NewType, TypeAlias

TypeId = NewType("TypeId", int)
InterfaceId = NewType("InterfaceId", int)
WorldId = NewType("WorldId", int)
PackageId = NewType("PackageId", int)


class Primitive(enum.Enum):
    """A type without a definition; the value is its WIT keyword."""

    BOOL = "bool"
    S8 = "s8"
    U8 = "u8"
    S16 = "s16"
    U16 = "u16"
    S32 = "s32"
    U32 = "u32"
    S64 = "s64"
    U64 = "u64"
    F32 = "f32"
    F64 = "f64"
    CHAR = "char"
    STRING = "string"
    ERROR_CONTEXT = "error-context"


#: A use of a type: a primitive, or the index of its definition in `Resolve.types`.
Type: TypeAlias = Primitive | TypeId


class BlankDocs(str):
    """Documentation that is there, but says nothing: the text of an empty comment. To most it is no documentation."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Stability:
    """The gate of an item: exactly what stood before it in the source, versions as text."""

    since: str | None = None
    unstable: str | None = None
    deprecated: str | None = None


STABLE = Stability()


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record."""

    name: str
    type: Type
    docs: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """A case of a variant; `type` is None where it carries nothing."""

    name: str
    type: Type | None
    docs: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """A flag of a flags type or a case of an enum: a name alone."""

    name: str
    docs: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """``record``: named fields, in order."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """``variant``: exactly one of the cases."""

    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Enum:
    """``enum``: a variant without payloads."""

    cases: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Flags:
    """``flags``: any subset of the labels."""

    flags: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Tuple:
    """``tuple<…>``."""

    types: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """``option<…>``."""

    type: Type


@dataclass(frozen=True, slots=True)
class Result:
    """``result<ok, err>``; either may be None for ``_``."""

    ok: Type | None
    err: Type | None


@dataclass(frozen=True, slots=True)
class List:
    """``list<…>``."""

    element: Type


@dataclass(frozen=True, slots=True)
class FixedLengthList:
    """``list<…, length>``."""

    element: Type
    length: int


@dataclass(frozen=True, slots=True)
class Map:
    """``map<key, value>``."""

    key: Type
    value: Type


@dataclass(frozen=True, slots=True)
class Resource:
    """``resource``: an abstract type; its functions are the interface's (or world's) functions that name it."""


@dataclass(frozen=True, slots=True)
class Own:
    """An owning handle to a resource."""

    resource: TypeId


@dataclass(frozen=True, slots=True)
class Borrow:
    """``borrow<…>``: a handle that is valid during a call."""

    resource: TypeId


@dataclass(frozen=True, slots=True)
class Future:
    """``future<…>``."""

    type: Type | None


@dataclass(frozen=True, slots=True)
class Stream:
    """``stream<…>``."""

    type: Type | None


@dataclass(frozen=True, slots=True)
class Alias:
    """Another name for a type: ``type a = b``, or a name brought in by ``use``."""

    target: Type


Kind: TypeAlias = (
    Record
    | Variant
    | Enum
    | Flags
    | Tuple
    | Option
    | Result
    | List
    | FixedLengthList
    | Map
    | Resource
    | Own
    | Borrow
    | Future
    | Stream
    | Alias
)


@dataclass(frozen=True, slots=True)
class InterfaceOwner:
    """The type is defined in this interface."""

    id: InterfaceId


@dataclass(frozen=True, slots=True)
class WorldOwner:
    """The type is defined in this world."""

    id: WorldId


Owner: TypeAlias = InterfaceOwner | WorldOwner


@dataclass(frozen=True, slots=True)
class TypeDef:
    """A row of `Resolve.types`. Anonymous types (``list<u8>`` in a parameter) have neither name nor owner."""

    name: str | None
    kind: Kind
    owner: Owner | None
    docs: str = ""
    stability: Stability = STABLE
    external_id: str | None = None


class FunctionKind(enum.Enum):
    """What a function is to a resource."""

    FREESTANDING = "freestanding"
    METHOD = "method"
    STATIC = "static"
    CONSTRUCTOR = "constructor"


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter; that of a method named ``self`` comes first and is a borrow of the resource."""

    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Function:
    """A function.

    `name` is the full name in the component (``[method]blob.write``), `resource` the resource of a method, static
    function or constructor and None for a freestanding one. The result of a constructor is spelled out.
    """

    name: str
    kind: FunctionKind
    resource: TypeId | None
    params: tuple[Param, ...]
    result: Type | None
    is_async: bool = False
    docs: str = ""
    stability: Stability = STABLE
    external_id: str | None = None

    @property
    def item_name(self) -> str:
        """The name as it stands in the source: ``write`` of ``[method]blob.write``; that of a constructor is its
        resource's."""
        bare = self.name.rsplit("]", 1)[-1]
        return bare if self.resource is None else bare.split(".", 1)[-1]


@dataclass(frozen=True, slots=True)
class Interface:
    """A row of `Resolve.interfaces`. `name` is None for one written inside a world.

    `clone_of` is the interface inside another world of which this is the copy that came with an ``include``.
    """

    name: str | None
    types: Mapping[str, TypeId]
    functions: Mapping[str, Function]
    package: PackageId
    docs: str = ""
    stability: Stability = STABLE
    clone_of: InterfaceId | None = None


@dataclass(frozen=True, slots=True)
class InterfaceItem:
    """An interface as an import or export of a world.

    `implements` is the named interface of ``import primary: wasi:keyvalue/store`` (its key in the world is the plain
    name), None otherwise.
    """

    id: InterfaceId
    stability: Stability = STABLE
    docs: str = ""
    implements: bool = False
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class FunctionItem:
    """A function as an import or export of a world."""

    function: Function


@dataclass(frozen=True, slots=True)
class TypeItem:
    """A type that a world defines or uses; always an import."""

    id: TypeId


WorldItem: TypeAlias = InterfaceItem | FunctionItem | TypeItem

#: How a world names an item: a plain name, or the interface itself (``ns:pkg/name@version`` in the component).
WorldKey: TypeAlias = str | InterfaceId


@dataclass(frozen=True, slots=True)
class World:
    """A row of `Resolve.worlds`, with implied imports spelled out and includes carried out."""

    name: str
    imports: Mapping[WorldKey, WorldItem]
    exports: Mapping[WorldKey, WorldItem]
    package: PackageId
    docs: str = ""
    stability: Stability = STABLE


@dataclass(frozen=True, slots=True, order=True)
class PackageName:
    """``namespace:name@version``; `version` is the semver text or None."""

    namespace: str
    name: str
    version: str | None = None

    def __str__(self) -> str:
        return self.interface(None)

    def interface(self, interface: str | None) -> str:
        """The name by which components link an interface of the package: ``ns:pkg/interface@version``."""
        tail = "" if self.version is None else f"@{self.version}"
        middle = "" if interface is None else f"/{interface}"
        return f"{self.namespace}:{self.name}{middle}{tail}"


@dataclass(frozen=True, slots=True)
class Package:
    """A row of `Resolve.packages`."""

    name: PackageName
    interfaces: Mapping[str, InterfaceId]
    worlds: Mapping[str, WorldId]
    docs: str = ""


@dataclass(frozen=True, slots=True)
class Resolve:
    """Packages that know each other: everything that a set of roots and their dependencies define."""

    worlds: tuple[World, ...] = ()
    interfaces: tuple[Interface, ...] = ()
    types: tuple[TypeDef, ...] = ()
    packages: tuple[Package, ...] = field(default=())

    def dealias(self, type_: Type) -> Type:
        """`type_` with aliases followed to the type that they stand for."""
        while not isinstance(type_, Primitive):
            kind = self.types[type_].kind
            if not isinstance(kind, Alias):
                break
            type_ = kind.target
        return type_

    def kind(self, type_: Type) -> Primitive | Kind:
        """What a type is, aliases followed: a primitive or a kind that is not an `Alias`."""
        type_ = self.dealias(type_)
        return type_ if isinstance(type_, Primitive) else self.types[type_].kind

    def link_name(self, key: WorldKey) -> str:
        """The name in a component of an import or export: ``ns:pkg/iface@1.2.3`` or the plain name."""
        if isinstance(key, str):
            return key
        interface = self.interfaces[key]
        return self.packages[interface.package].name.interface(interface.name)

    def world_name(self, id_: WorldId) -> str:
        """The full name of a world: ``ns:pkg/world@1.2.3``."""
        world = self.worlds[id_]
        return self.packages[world.package].name.interface(world.name)

    def world_types(self, items: Mapping[WorldKey, WorldItem]) -> Iterator[TypeId]:
        """The types among the items of a world itself (not those of its interfaces)."""
        for item in items.values():
            if isinstance(item, TypeItem):
                yield item.id

    def world_functions(self, items: Mapping[WorldKey, WorldItem]) -> Iterator[Function]:
        """The functions among the items of a world itself (not those of its interfaces)."""
        for item in items.values():
            if isinstance(item, FunctionItem):
                yield item.function

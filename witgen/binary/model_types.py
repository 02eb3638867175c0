"""Types, names and sorts as the binary has them: the parts of which the definitions of `model` are made.

After `Binary.md` of the component model, "Type Definitions", one class a production. Indices are into the spaces of the
scope that a type is written in. Everything is immutable and compares by content.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from witgen.ir import Primitive

if TYPE_CHECKING:
    from witgen.binary.model import Declaration


class Sort(enum.Enum):
    """An index space of a component; the value is how the text format calls it (`Binary.md`, ``sort``)."""

    CORE_FUNC = "core func"
    CORE_TABLE = "core table"
    CORE_MEMORY = "core memory"
    CORE_GLOBAL = "core global"
    CORE_TAG = "core tag"
    CORE_TYPE = "core type"
    CORE_MODULE = "core module"
    CORE_INSTANCE = "core instance"
    FUNC = "func"
    VALUE = "value"
    TYPE = "type"
    COMPONENT = "component"
    INSTANCE = "instance"

    #: Members are singletons: identity will do, and is much faster than the hash of a name.
    __hash__ = object.__hash__


#: A value type: a primitive, or an index into the type space (`Binary.md`, ``valtype``).
ValType: TypeAlias = Primitive | int


# Names


@dataclass(frozen=True, slots=True)
class NameAttributes:
    """What an import or export name carries beside its text; each is None where it is not there.

    `implements` is the interface name of an instance with a plain name, `version_suffix` what the canonical version
    in the name leaves out (``.1`` of ``1.2.1`` named ``@1.2``), `external_id` is for the world outside.
    """

    implements: str | None = None
    version_suffix: str | None = None
    external_id: str | None = None


NO_ATTRIBUTES = NameAttributes()


# Types


@dataclass(frozen=True, slots=True)
class Labelled:
    """A record field, variant case or parameter; `type` is None for a case without payload only."""

    name: str
    type: ValType | None


@dataclass(frozen=True, slots=True)
class Record:
    """``(record (field …)*)``"""

    fields: tuple[Labelled, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """``(variant (case …)*)``"""

    cases: tuple[Labelled, ...]


@dataclass(frozen=True, slots=True)
class List:
    """``(list t)``"""

    element: ValType


@dataclass(frozen=True, slots=True)
class FixedLengthList:
    """``(list t n)``"""

    element: ValType
    length: int


@dataclass(frozen=True, slots=True)
class Map:
    """``(map k v)``"""

    key: ValType
    value: ValType


@dataclass(frozen=True, slots=True)
class Tuple:
    """``(tuple t*)``"""

    types: tuple[ValType, ...]


@dataclass(frozen=True, slots=True)
class Flags:
    """``(flags "l"*)``"""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Enum:
    """``(enum "l"*)``"""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """``(option t)``"""

    type: ValType


@dataclass(frozen=True, slots=True)
class Result:
    """``(result t? (error u)?)``"""

    ok: ValType | None
    err: ValType | None


@dataclass(frozen=True, slots=True)
class Own:
    """``(own r)``; `resource` is a type index."""

    resource: int


@dataclass(frozen=True, slots=True)
class Borrow:
    """``(borrow r)``; `resource` is a type index."""

    resource: int


@dataclass(frozen=True, slots=True)
class Stream:
    """``(stream t?)``"""

    type: ValType | None


@dataclass(frozen=True, slots=True)
class Future:
    """``(future t?)``"""

    type: ValType | None


#: A type that a value can have (`Binary.md`, ``defvaltype``).
DefValType: TypeAlias = (
    Primitive
    | Record
    | Variant
    | List
    | FixedLengthList
    | Map
    | Tuple
    | Flags
    | Enum
    | Option
    | Result
    | Own
    | Borrow
    | Stream
    | Future
)


@dataclass(frozen=True, slots=True)
class FuncType:
    """``(func async? (param …)* (result t)?)``"""

    params: tuple[Labelled, ...]
    result: ValType | None
    is_async: bool = False


@dataclass(frozen=True, slots=True)
class ResourceType:
    """``(resource (rep i32) (dtor f)?)``: `rep` is a core type name, `dtor` a core function index."""

    rep: str
    dtor: int | None


@dataclass(frozen=True, slots=True)
class ComponentType:
    """``(component decl*)``; its index spaces begin empty."""

    decls: tuple[Declaration, ...]


@dataclass(frozen=True, slots=True)
class InstanceType:
    """``(instance decl*)``; its index spaces begin empty."""

    decls: tuple[Declaration, ...]


#: `Binary.md`, ``deftype``.
DefType: TypeAlias = DefValType | FuncType | ResourceType | ComponentType | InstanceType


@dataclass(frozen=True, slots=True)
class ExternDesc:
    """The type of an import or export (`Binary.md`, ``externdesc``).

    `index` is a type index (core type for a core module). For a type it is the bound: ``(eq index)``, or
    ``(sub resource)`` where it is None. For a value it is the value that it equals, or None and `type` is its type.
    """

    sort: Sort
    index: int | None
    type: ValType | None = None


@dataclass(frozen=True, slots=True)
class CoreFuncType:
    """A core function type; core value types by name (``i32``)."""

    params: tuple[str, ...]
    results: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpaqueCoreType:
    """A core type that is skipped, not read: a module type or a type of the GC proposal. `what` names it."""

    what: str
    data: memoryview


CoreDefType: TypeAlias = CoreFuncType | OpaqueCoreType

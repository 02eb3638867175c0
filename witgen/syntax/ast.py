"""What a WIT file says, item by item, as it was written.

Every node carries the span of its text; items carry the comments that stand before them. Names are names, not
references: whether anything exists is for `witgen.resolve` to say. Nothing is added or left out, so that a formatter
can print the file back; white space alone is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from witgen.diagnostics import Source, Span
from witgen.ir import FunctionKind
from witgen.ir import Primitive as PrimitiveKind

__all__ = [
    "Borrow",
    "Case",
    "Comment",
    "Deprecated",
    "Enum",
    "Export",
    "Extern",
    "ExternFunction",
    "ExternInterface",
    "ExternPath",
    "ExternalId",
    "Field",
    "File",
    "FixedLengthList",
    "Flags",
    "Function",
    "Future",
    "Gate",
    "Import",
    "Include",
    "IncludeName",
    "Interface",
    "InterfaceItem",
    "Item",
    "Label",
    "List",
    "Map",
    "Name",
    "NamedFunction",
    "NamedType",
    "NestedPackage",
    "Option",
    "Own",
    "PackageHeader",
    "PackageName",
    "Parameter",
    "Primitive",
    "Record",
    "Resource",
    "ResourceFunction",
    "Result",
    "Since",
    "Stream",
    "TopLevelUse",
    "Tuple",
    "Type",
    "TypeAlias_",
    "TypeDefinition",
    "Unstable",
    "Use",
    "UseName",
    "UsePath",
    "Variant",
    "Version",
    "World",
    "WorldItem",
]


# Words


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier, without the ``%`` that may stand before it in the text."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Version:
    """A version as it was written: a valid semver."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its delimiters, without the line break after it."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True)
class PackageName:
    """``namespace:name@version``; in a path the span ends before the version."""

    namespace: Name
    name: Name
    version: Version | None
    span: Span


@dataclass(frozen=True, slots=True)
class UsePath:
    """``name`` or ``namespace:package/name@version``."""

    package: PackageName | None
    name: Name
    span: Span


# Gates and other attributes


@dataclass(frozen=True, slots=True)
class Since:
    """``@since(version = …)``"""

    version: Version
    span: Span


@dataclass(frozen=True, slots=True)
class Unstable:
    """``@unstable(feature = …)``"""

    feature: Name
    span: Span


@dataclass(frozen=True, slots=True)
class Deprecated:
    """``@deprecated(version = …)``"""

    version: Version
    span: Span


@dataclass(frozen=True, slots=True)
class ExternalId:
    """``@external-id("…")``; `value` is the text that the literal stands for."""

    value: str
    span: Span


Gate: TypeAlias = Since | Unstable | Deprecated | ExternalId


# Types


@dataclass(frozen=True, slots=True)
class Primitive:
    """A type with a keyword of its own."""

    kind: PrimitiveKind
    span: Span


@dataclass(frozen=True, slots=True)
class NamedType:
    """A type by its name."""

    name: Name
    span: Span


@dataclass(frozen=True, slots=True)
class List:
    """``list<…>``"""

    element: Type
    span: Span


@dataclass(frozen=True, slots=True)
class FixedLengthList:
    """``list<…, length>``"""

    element: Type
    length: int
    span: Span


@dataclass(frozen=True, slots=True)
class Map:
    """``map<key, value>``"""

    key: Type
    value: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Option:
    """``option<…>``"""

    element: Type
    span: Span


@dataclass(frozen=True, slots=True)
class Result:
    """``result``, ``result<ok>``, ``result<ok, err>`` or ``result<_, err>``"""

    ok: Type | None
    err: Type | None
    span: Span


@dataclass(frozen=True, slots=True)
class Tuple:
    """``tuple<…>``"""

    elements: tuple[Type, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Future:
    """``future`` or ``future<…>``"""

    element: Type | None
    span: Span


@dataclass(frozen=True, slots=True)
class Stream:
    """``stream`` or ``stream<…>``"""

    element: Type | None
    span: Span


@dataclass(frozen=True, slots=True)
class Own:
    """``own<…>``"""

    resource: Name
    span: Span


@dataclass(frozen=True, slots=True)
class Borrow:
    """``borrow<…>``"""

    resource: Name
    span: Span


Type: TypeAlias = (
    Primitive | NamedType | List | FixedLengthList | Map | Option | Result | Tuple | Future | Stream | Own | Borrow
)


# Functions


@dataclass(frozen=True, slots=True)
class Parameter:
    """``name: type``"""

    name: Name
    type: Type
    span: Span
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Function:
    """``async func(…) -> …``: what stands after the name and the colon."""

    parameters: tuple[Parameter, ...]
    result: Type | None
    is_async: bool
    span: Span


@dataclass(frozen=True, slots=True)
class NamedFunction:
    """A function of an interface."""

    name: Name
    function: Function
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class ResourceFunction:
    """A method, static function or constructor; the name of a constructor is its keyword."""

    kind: FunctionKind
    name: Name
    function: Function
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


# Type definitions


@dataclass(frozen=True, slots=True)
class TypeAlias_:
    """``type name = …;``"""

    name: Name
    type: Type
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """``name: type`` in a record"""

    name: Name
    type: Type
    span: Span
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """``record name { … }``"""

    name: Name
    fields: tuple[Field, ...]
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """``name`` or ``name(type)`` in a variant"""

    name: Name
    type: Type | None
    span: Span
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Variant:
    """``variant name { … }``"""

    name: Name
    cases: tuple[Case, ...]
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """A case of an enum, a flag of a flags type"""

    name: Name
    span: Span
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Enum:
    """``enum name { … }``"""

    name: Name
    cases: tuple[Label, ...]
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Flags:
    """``flags name { … }``"""

    name: Name
    flags: tuple[Label, ...]
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Resource:
    """``resource name;`` (`functions` is None) or ``resource name { … }``"""

    name: Name
    functions: tuple[ResourceFunction, ...] | None
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


TypeDefinition: TypeAlias = TypeAlias_ | Record | Variant | Enum | Flags | Resource


# Interfaces


@dataclass(frozen=True, slots=True)
class UseName:
    """``name`` or ``name as alias`` in a ``use``"""

    name: Name
    alias: Name | None
    span: Span
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """``use path.{ … };``"""

    path: UsePath
    names: tuple[UseName, ...]
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


InterfaceItem: TypeAlias = Use | TypeDefinition | NamedFunction


@dataclass(frozen=True, slots=True)
class Interface:
    """``interface name { … }``"""

    name: Name
    items: tuple[InterfaceItem, ...]
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


# Worlds


@dataclass(frozen=True, slots=True)
class ExternFunction:
    """``name: func(…);``"""

    name: Name
    function: Function
    span: Span


@dataclass(frozen=True, slots=True)
class ExternInterface:
    """``name: interface { … }``"""

    name: Name
    items: tuple[InterfaceItem, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class ExternPath:
    """``path;``, or ``label: path;`` for an interface under a plain name"""

    label: Name | None
    path: UsePath
    span: Span


Extern: TypeAlias = ExternFunction | ExternInterface | ExternPath


@dataclass(frozen=True, slots=True)
class Import:
    """``import …``"""

    extern: Extern
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Export:
    """``export …``"""

    extern: Extern
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class IncludeName:
    """``name as alias`` in an ``include``"""

    name: Name
    alias: Name
    span: Span
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class Include:
    """``include path;`` or ``include path with { … }``"""

    path: UsePath
    names: tuple[IncludeName, ...]
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


WorldItem: TypeAlias = Use | TypeDefinition | Include | Import | Export


@dataclass(frozen=True, slots=True)
class World:
    """``world name { … }``"""

    name: Name
    items: tuple[WorldItem, ...]
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


# Files


@dataclass(frozen=True, slots=True)
class TopLevelUse:
    """``use path as name;`` beside interfaces and worlds"""

    path: UsePath
    alias: Name | None
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class PackageHeader:
    """``package name;``"""

    name: PackageName
    span: Span
    comments: tuple[Comment, ...]


@dataclass(frozen=True, slots=True)
class NestedPackage:
    """``package name { … }``"""

    name: PackageName
    items: tuple[Item, ...]
    span: Span
    comments: tuple[Comment, ...]


Item: TypeAlias = Interface | World | TopLevelUse | NestedPackage


@dataclass(frozen=True, slots=True)
class File:
    """A whole file. `comments` are all that it holds, in order, those of the items among them."""

    source: Source
    header: PackageHeader | None
    items: tuple[Item, ...]
    comments: tuple[Comment, ...]

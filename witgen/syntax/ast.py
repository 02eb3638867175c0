"""What a WIT file says, item by item, as it was written.

Every node carries the span of its text; items carry the comments that stand before them. Names are names, not
references: whether anything exists is for `witgen.resolve` to say. Nothing is added or left out, so that a formatter
can print the file back; white space alone is lost.
"""

from __future__ import annotations

from typing import TypeAlias

from witgen.diagnostics import Source, Span
from witgen.ir import FunctionKind
from witgen.ir import Primitive as PrimitiveKind
from witgen.nodes import node

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


@node
class Name:
    """An identifier, without the ``%`` that may stand before it in the text."""

    text: str
    span: Span


@node
class Version:
    """A version as it was written: a valid semver."""

    text: str
    span: Span


@node
class Comment:
    """A comment with its delimiters, without the line break after it."""

    text: str
    span: Span


@node
class PackageName:
    """``namespace:name@version``; in a path the span ends before the version."""

    namespace: Name
    name: Name
    version: Version | None
    span: Span


@node
class UsePath:
    """``name`` or ``namespace:package/name@version``."""

    package: PackageName | None
    name: Name
    span: Span


# Gates and other attributes


@node
class Since:
    """``@since(version = …)``"""

    version: Version
    span: Span


@node
class Unstable:
    """``@unstable(feature = …)``"""

    feature: Name
    span: Span


@node
class Deprecated:
    """``@deprecated(version = …)``"""

    version: Version
    span: Span


@node
class ExternalId:
    """``@external-id("…")``; `value` is the text that the literal stands for."""

    value: str
    span: Span


Gate: TypeAlias = Since | Unstable | Deprecated | ExternalId


# Types


@node
class Primitive:
    """A type with a keyword of its own."""

    kind: PrimitiveKind
    span: Span


@node
class NamedType:
    """A type by its name."""

    name: Name
    span: Span


@node
class List:
    """``list<…>``"""

    element: Type
    span: Span


@node
class FixedLengthList:
    """``list<…, length>``"""

    element: Type
    length: int
    span: Span


@node
class Map:
    """``map<key, value>``"""

    key: Type
    value: Type
    span: Span


@node
class Option:
    """``option<…>``"""

    element: Type
    span: Span


@node
class Result:
    """``result``, ``result<ok>``, ``result<ok, err>`` or ``result<_, err>``"""

    ok: Type | None
    err: Type | None
    span: Span


@node
class Tuple:
    """``tuple<…>``"""

    elements: tuple[Type, ...]
    span: Span


@node
class Future:
    """``future`` or ``future<…>``"""

    element: Type | None
    span: Span


@node
class Stream:
    """``stream`` or ``stream<…>``"""

    element: Type | None
    span: Span


@node
class Own:
    """``own<…>``"""

    resource: Name
    span: Span


@node
class Borrow:
    """``borrow<…>``"""

    resource: Name
    span: Span


Type: TypeAlias = (
    Primitive | NamedType | List | FixedLengthList | Map | Option | Result | Tuple | Future | Stream | Own | Borrow
)


# Functions


@node
class Parameter:
    """``name: type``"""

    name: Name
    type: Type
    span: Span
    comments: tuple[Comment, ...]


@node
class Function:
    """``async func(…) -> …``: what stands after the name and the colon."""

    parameters: tuple[Parameter, ...]
    result: Type | None
    is_async: bool
    span: Span


@node
class NamedFunction:
    """A function of an interface."""

    name: Name
    function: Function
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@node
class ResourceFunction:
    """A method, static function or constructor; the name of a constructor is its keyword."""

    kind: FunctionKind
    name: Name
    function: Function
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


# Type definitions


@node
class TypeAlias_:
    """``type name = …;``"""

    name: Name
    type: Type
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@node
class Field:
    """``name: type`` in a record"""

    name: Name
    type: Type
    span: Span
    comments: tuple[Comment, ...]


@node
class Record:
    """``record name { … }``"""

    name: Name
    fields: tuple[Field, ...]
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@node
class Case:
    """``name`` or ``name(type)`` in a variant"""

    name: Name
    type: Type | None
    span: Span
    comments: tuple[Comment, ...]


@node
class Variant:
    """``variant name { … }``"""

    name: Name
    cases: tuple[Case, ...]
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@node
class Label:
    """A case of an enum, a flag of a flags type"""

    name: Name
    span: Span
    comments: tuple[Comment, ...]


@node
class Enum:
    """``enum name { … }``"""

    name: Name
    cases: tuple[Label, ...]
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@node
class Flags:
    """``flags name { … }``"""

    name: Name
    flags: tuple[Label, ...]
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@node
class Resource:
    """``resource name;`` (`functions` is None) or ``resource name { … }``"""

    name: Name
    functions: tuple[ResourceFunction, ...] | None
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


TypeDefinition: TypeAlias = TypeAlias_ | Record | Variant | Enum | Flags | Resource


# Interfaces


@node
class UseName:
    """``name`` or ``name as alias`` in a ``use``"""

    name: Name
    alias: Name | None
    span: Span
    comments: tuple[Comment, ...]


@node
class Use:
    """``use path.{ … };``"""

    path: UsePath
    names: tuple[UseName, ...]
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


InterfaceItem: TypeAlias = Use | TypeDefinition | NamedFunction


@node
class Interface:
    """``interface name { … }``"""

    name: Name
    items: tuple[InterfaceItem, ...]
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


# Worlds


@node
class ExternFunction:
    """``name: func(…);``"""

    name: Name
    function: Function
    span: Span


@node
class ExternInterface:
    """``name: interface { … }``"""

    name: Name
    items: tuple[InterfaceItem, ...]
    span: Span


@node
class ExternPath:
    """``path;``, or ``label: path;`` for an interface under a plain name"""

    label: Name | None
    path: UsePath
    span: Span


Extern: TypeAlias = ExternFunction | ExternInterface | ExternPath


@node
class Import:
    """``import …``"""

    extern: Extern
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@node
class Export:
    """``export …``"""

    extern: Extern
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@node
class IncludeName:
    """``name as alias`` in an ``include``"""

    name: Name
    alias: Name
    span: Span
    comments: tuple[Comment, ...]


@node
class Include:
    """``include path;`` or ``include path with { … }``"""

    path: UsePath
    names: tuple[IncludeName, ...]
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


WorldItem: TypeAlias = Use | TypeDefinition | Include | Import | Export


@node
class World:
    """``world name { … }``"""

    name: Name
    items: tuple[WorldItem, ...]
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


# Files


@node
class TopLevelUse:
    """``use path as name;`` beside interfaces and worlds"""

    path: UsePath
    alias: Name | None
    gates: tuple[Gate, ...]
    span: Span
    comments: tuple[Comment, ...]


@node
class PackageHeader:
    """``package name;``"""

    name: PackageName
    span: Span
    comments: tuple[Comment, ...]


@node
class NestedPackage:
    """``package name { … }``"""

    name: PackageName
    items: tuple[Item, ...]
    span: Span
    comments: tuple[Comment, ...]


Item: TypeAlias = Interface | World | TopLevelUse | NestedPackage


@node
class File:
    """A whole file. `comments` are all that it holds, in order, those of the items among them."""

    source: Source
    header: PackageHeader | None
    items: tuple[Item, ...]
    comments: tuple[Comment, ...]

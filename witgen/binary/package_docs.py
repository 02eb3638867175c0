"""The custom section ``package-docs``: docs and gates of a WIT package, which the component types have no place for.

One version byte and a JSON object, as current tools write and read it (version 1). This module knows that object and
the resolved model; where the section lies is for the encoder.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

from witgen import ir
from witgen.binary.errors import BinaryError
from witgen.binary.names import VERSION, is_plain
from witgen.semver import order_key

__all__ = ["SECTION", "package_docs", "with_package_docs"]

SECTION = "package-docs"
_VERSION = 1
_READABLE = (0, 1)
#: What is said of the items of a world, in the order in which it is written.
_WORLD_TABLES = (
    "interfaces",
    "types",
    "funcs",
    "interface_exports",
    "func_exports",
    "interface_import_stability",
    "interface_export_stability",
    "interface_import_docs",
    "interface_export_docs",
)

_Json: TypeAlias = dict[str, Any]
_Item = TypeVar("_Item", ir.Field, ir.Case, ir.Label)
_Documented = TypeVar("_Documented", ir.Function, ir.TypeDef, ir.Interface, ir.World)


def package_docs(resolve: ir.Resolve, package: ir.PackageId) -> bytes:
    """The content of the section for a package."""
    row = resolve.packages[package]
    interfaces = {name: _interface(resolve, resolve.interfaces[id_]) for name, id_ in row.interfaces.items()}
    worlds = {name: _world(resolve, resolve.worlds[id_]) for name, id_ in row.worlds.items()}
    content = _compact({"docs": row.docs, "worlds": _compact(worlds), "interfaces": _compact(interfaces)})
    return bytes((_VERSION,)) + json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _compact(content: Mapping[str, Any]) -> _Json:
    """What is not empty, and docs that are blank."""
    return {name: value for name, value in content.items() if _counts(value)}


def _counts(value: object) -> bool:
    return bool(value) or isinstance(value, ir.BlankDocs)


def _stability(stability: ir.Stability) -> _Json:
    deprecated = {} if stability.deprecated is None else {"deprecated": stability.deprecated}
    if stability.unstable is not None:
        return {"unstable": {"feature": stability.unstable, **deprecated}}
    if stability.since is not None:
        return {"stable": {"since": stability.since, **deprecated}}
    return {}


def _documented(item: ir.Function | ir.TypeDef | ir.Interface | ir.World, **more: _Json) -> _Json:
    return _compact({"docs": item.docs, "stability": _stability(item.stability), **more})


def _items(kind: ir.Kind) -> Iterable[ir.Field | ir.Case | ir.Label]:
    """What a type has names and docs for."""
    match kind:
        case ir.Record(fields):
            return fields
        case ir.Variant(cases):
            return cases
        case ir.Enum(labels) | ir.Flags(labels):
            return labels
        case _:
            return ()


def _type(definition: ir.TypeDef) -> _Json:
    return _documented(definition, items=_compact({item.name: item.docs for item in _items(definition.kind)}))


def _interface(resolve: ir.Resolve, interface: ir.Interface) -> _Json:
    return _documented(
        interface,
        funcs=_compact({name: _documented(function) for name, function in interface.functions.items()}),
        types=_compact({name: _type(resolve.types[id_]) for name, id_ in interface.types.items()}),
    )


def _world(resolve: ir.Resolve, world: ir.World) -> _Json:
    content: dict[str, _Json] = {table: {} for table in _WORLD_TABLES}

    def put(table: str, name: str, value: object) -> None:
        if _counts(value):
            content[table][name] = value

    for items, side in ((world.imports, "import"), (world.exports, "export")):
        exported = side == "export"
        for key, item in items.items():
            name = resolve.link_name(key)
            match item:
                case ir.FunctionItem(function):
                    put("func_exports" if exported else "funcs", name, _documented(function))
                case ir.TypeItem(id_):
                    put("types", name, _type(resolve.types[id_]))
                case ir.InterfaceItem(id_) if resolve.interfaces[id_].name is None:
                    value = _interface(resolve, resolve.interfaces[id_])
                    put("interface_exports" if exported else "interfaces", name, value)
                case ir.InterfaceItem():
                    put(f"interface_{side}_stability", name, _stability(item.stability))
                    put(f"interface_{side}_docs", name, item.docs)
    return _documented(world, **content)


def with_package_docs(resolve: ir.Resolve, package: ir.PackageId, data: bytes, offset: int | None = None) -> ir.Resolve:
    """`resolve` with the docs and gates in the content of a section; `package` is the package that it speaks of.

    Raises `BinaryError`, put down to `offset`, where the content is not of the known form. Names that the package
    does not have are passed by.
    """
    if not data or data[0] not in _READABLE:
        raise BinaryError(f"{SECTION} of an unknown version", offset)
    try:
        content = json.loads(data[1:].decode())
        return _Injection(resolve, resolve.packages[package].name.version, offset).package(package, content)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        raise BinaryError(f"{SECTION} is not of the form that it should be", offset) from None


class _Injection:
    """The tables of a `Resolve`, as they are being documented."""

    def __init__(self, resolve: ir.Resolve, version: str | None, offset: int | None) -> None:
        self.resolve = resolve
        self.version = version
        self.offset = offset
        self.types = list(resolve.types)
        self.interfaces = list(resolve.interfaces)
        self.worlds = list(resolve.worlds)
        self.packages = list(resolve.packages)

    def package(self, id_: ir.PackageId, content: _Json) -> ir.Resolve:
        """The whole, with the docs of a package put in."""
        row = self.packages[id_]
        for name, of_interface in content.get("interfaces", {}).items():
            if name in row.interfaces:
                self._interface(row.interfaces[name], of_interface)
        for name, of_world in content.get("worlds", {}).items():
            if name in row.worlds:
                self._world(row.worlds[name], of_world)
        self.packages[id_] = replace(row, docs=_text(content.get("docs")))
        return replace(
            self.resolve,
            types=tuple(self.types),
            interfaces=tuple(self.interfaces),
            worlds=tuple(self.worlds),
            packages=tuple(self.packages),
        )

    def _with(self, item: _Documented, content: _Json) -> _Documented:
        return replace(item, docs=_text(content.get("docs")), stability=self._gate(content.get("stability")))

    def _gate(self, value: object) -> ir.Stability:
        """A gate, which may not say a version that the package has not reached."""
        found = _read_stability(value)
        if found.since is not None and order_key(found.since) > order_key(self.version):
            raise BinaryError(
                f"{SECTION} says `@since(version = {found.since})` "
                f"in a package {'without a version' if self.version is None else 'of version ' + self.version}",
                self.offset,
            )
        return found

    def _function(self, function: ir.Function, content: object) -> ir.Function:
        """A function with its docs, which the oldest form gives as text alone."""
        if content is None or isinstance(content, str):
            return replace(function, docs=_text(content))
        if not isinstance(content, dict):
            raise TypeError
        return self._with(function, content)

    def _type(self, id_: ir.TypeId, content: _Json) -> None:
        definition = self._with(self.types[id_], content)
        docs = content.get("items", {})
        kind = definition.kind
        match kind:
            case ir.Record(fields):
                kind = ir.Record(_documented_items(fields, docs))
            case ir.Variant(cases):
                kind = ir.Variant(_documented_items(cases, docs))
            case ir.Enum(labels):
                kind = ir.Enum(_documented_items(labels, docs))
            case ir.Flags(labels):
                kind = ir.Flags(_documented_items(labels, docs))
        self.types[id_] = replace(definition, kind=kind)

    def _types(self, types: Mapping[str, ir.TypeId], content: _Json) -> None:
        for name, of_type in content.items():
            if name in types:
                self._type(types[name], of_type)

    def _interface(self, id_: ir.InterfaceId, content: _Json) -> None:
        row = self.interfaces[id_]
        self._types(row.types, content.get("types", {}))
        documented = content.get("funcs", {})
        functions = {name: self._function(function, documented.get(name)) for name, function in row.functions.items()}
        self.interfaces[id_] = self._with(replace(row, functions=functions), content)

    def _world(self, id_: ir.WorldId, content: _Json) -> None:
        world = self.worlds[id_]
        types = {item_name: item.id for item_name, item in world.imports.items() if isinstance(item, ir.TypeItem)}
        self._types({name: type_ for name, type_ in types.items() if isinstance(name, str)}, content.get("types", {}))
        imports = self._world_items(world.imports, content, "import", "funcs", "interfaces")
        exports = self._world_items(world.exports, content, "export", "func_exports", "interface_exports")
        self.worlds[id_] = self._with(replace(world, imports=imports, exports=exports), content)

    def _world_items(
        self, items: Mapping[ir.WorldKey, ir.WorldItem], content: _Json, side: str, functions: str, interfaces: str
    ) -> dict[ir.WorldKey, ir.WorldItem]:
        found: dict[ir.WorldKey, ir.WorldItem] = {}
        for key, item in items.items():
            name = self.resolve.link_name(key)
            match item:
                case ir.FunctionItem(function):
                    item = ir.FunctionItem(self._function(function, content.get(functions, {}).get(name)))
                case ir.InterfaceItem(id_) if self.interfaces[id_].name is None:
                    if name in content.get(interfaces, {}):
                        self._interface(id_, content[interfaces][name])
                        item = replace(item, stability=self.interfaces[id_].stability)
                case ir.InterfaceItem():
                    stability = self._gate(content.get(f"interface_{side}_stability", {}).get(name))
                    docs = _text(content.get(f"interface_{side}_docs", {}).get(name))
                    item = replace(item, stability=stability, docs=docs)
            found[key] = item
        return found


def _documented_items(items: tuple[_Item, ...], docs: _Json) -> tuple[_Item, ...]:
    return tuple(replace(item, docs=_text(docs.get(item.name))) for item in items)


def _text(value: object) -> str:
    if value is not None and not isinstance(value, str):
        raise TypeError
    return "" if value is None else value or ir.BlankDocs()


def _version(value: object) -> str | None:
    """A version where there is one; what is none is out of the form."""
    if value is not None and not (isinstance(value, str) and VERSION.fullmatch(value)):
        raise TypeError
    return value


def _feature(value: object) -> str:
    if not isinstance(value, str) or not is_plain(value):
        raise TypeError
    return value


def _read_stability(value: object) -> ir.Stability:
    if value is None or value == "unknown":
        return ir.STABLE
    if not isinstance(value, dict):
        raise TypeError
    if "unstable" in value:
        gate = value["unstable"]
        return ir.Stability(unstable=_feature(gate["feature"]), deprecated=_version(gate.get("deprecated")))
    gate = value["stable"]
    return ir.Stability(since=_version(gate["since"]), deprecated=_version(gate.get("deprecated")))

"""Adds decoded packages to the tables that all packages share.

A binary holds what it uses of other packages too, so that a package may come in several: what is there already has to
be the same, and the package gains what is new, gates as well. Nameless types come along as often as they are there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from witgen import ir
from witgen.diagnostics import Note, WitError
from witgen.resolve import kinds
from witgen.resolve.binaries import Decoded
from witgen.resolve.tables import Tables

__all__ = ["Merge"]


class Merge:
    """Adds one decoded package after another. `places` says in which file each package was first."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self.places: dict[ir.PackageName, str] = {}

    def add(self, decoded: Decoded) -> None:
        """Add a package and those that it uses.

        Raises WitError where it contradicts what another file says of the same package.
        """
        _Merger(self._tables, decoded, self.places).run()
        for package in decoded.resolve.packages:
            self.places.setdefault(package.name, decoded.path)


class _Merger:
    def __init__(self, tables: Tables, decoded: Decoded, places: dict[ir.PackageName, str]) -> None:
        self._tables = tables
        self._resolve = decoded.resolve
        self._path = decoded.path
        self._places = places
        #: From here on, rows of the tables are new.
        self._first_interface = len(tables.interfaces)
        self._first_world = len(tables.worlds)
        #: For each id of the decoded package the id in the tables.
        self._types: list[ir.TypeId] = []
        self._interfaces: dict[ir.InterfaceId, ir.InterfaceId] = {}
        self._worlds: dict[ir.WorldId, ir.WorldId] = {}
        self._packages: dict[ir.PackageId, ir.PackageId] = {}

    def run(self) -> None:
        self._match()
        self._number()
        for type_ in self._resolve.types:
            self._types.append(self._add_type(type_))
        for i, interface in enumerate(self._resolve.interfaces):
            self._add_interface(ir.InterfaceId(i), interface)
        for i, world in enumerate(self._resolve.worlds):
            self._add_world(ir.WorldId(i), world)
        for i, package in enumerate(self._resolve.packages):
            self._add_package(ir.PackageId(i), package)

    # Ids

    def _match(self) -> None:
        """Find what the tables have already."""
        tables, resolve = self._tables, self._resolve
        for i, package in enumerate(resolve.packages):
            id_ = tables.package_ids.get(package.name)
            if id_ is None:
                continue
            self._packages[ir.PackageId(i)] = id_
            there = tables.packages[id_]
            for name, interface in package.interfaces.items():
                if name in there.interfaces:
                    self._interfaces[interface] = there.interfaces[name]
            for name, world in package.worlds.items():
                if name in there.worlds:
                    self._worlds[world] = there.worlds[name]
                    self._match_inline(resolve.worlds[world], tables.worlds[there.worlds[name]])

    def _match_inline(self, world: ir.World, there: ir.World) -> None:
        """Find the interfaces that stand in a world."""
        for items, items_there in ((world.imports, there.imports), (world.exports, there.exports)):
            for key, item in items.items():
                old = items_there.get(key) if isinstance(key, str) else None
                if isinstance(item, ir.InterfaceItem) and isinstance(old, ir.InterfaceItem):
                    self._interfaces.setdefault(item.id, old.id)

    def _number(self) -> None:
        """Give the next ids to all that is new, in order."""
        tables, resolve = self._tables, self._resolve
        interface, world, package = self._first_interface, self._first_world, len(tables.packages)
        for i in range(len(resolve.interfaces)):
            interface += self._interfaces.setdefault(ir.InterfaceId(i), ir.InterfaceId(interface)) == interface
        for i in range(len(resolve.worlds)):
            world += self._worlds.setdefault(ir.WorldId(i), ir.WorldId(world)) == world
        for i in range(len(resolve.packages)):
            package += self._packages.setdefault(ir.PackageId(i), ir.PackageId(package)) == package

    # Rows

    def _add_type(self, type_: ir.TypeDef) -> ir.TypeId:
        kind = kinds.convert_kind(type_.kind, lambda inner, _: self._type(inner))
        if type_.name is None or type_.owner is None:
            return self._tables.add_type(dataclasses.replace(type_, kind=kind))
        owner = self._owner(type_.owner)
        there = self._type_there(owner, type_.name)
        if there is None:
            return self._tables.add_type(dataclasses.replace(type_, kind=kind, owner=owner))
        row = self._tables.types[there]
        if not self._same_kind(kind, row.kind):
            raise self._contradiction(f"type `{type_.name}`", owner)
        stability = self._stability(type_.stability, row.stability, f"the gate of type `{type_.name}`", owner)
        self._tables.types[there] = dataclasses.replace(row, stability=stability)
        return there

    def _owner(self, owner: ir.Owner) -> ir.Owner:
        if isinstance(owner, ir.InterfaceOwner):
            return ir.InterfaceOwner(self._interfaces[owner.id])
        return ir.WorldOwner(self._worlds[owner.id])

    def _type_there(self, owner: ir.Owner, name: str) -> ir.TypeId | None:
        tables = self._tables
        if isinstance(owner, ir.InterfaceOwner):
            return tables.interfaces[owner.id].types.get(name) if owner.id < self._first_interface else None
        item = tables.worlds[owner.id].imports.get(name) if owner.id < self._first_world else None
        return item.id if isinstance(item, ir.TypeItem) else None

    def _add_interface(self, id_: ir.InterfaceId, row: ir.Interface) -> None:
        tables = self._tables
        types = {name: self._types[type_] for name, type_ in row.types.items()}
        functions = {name: self._function(function) for name, function in row.functions.items()}
        new_id = self._interfaces[id_]
        if new_id >= self._first_interface:
            package = self._packages[row.package]
            tables.interfaces.append(dataclasses.replace(row, types=types, functions=functions, package=package))
            return
        there = tables.interfaces[new_id]
        for name, function in functions.items():
            if name in there.functions and not self._same_function(function, there.functions[name]):
                raise self._contradiction(f"function `{name}`", ir.InterfaceOwner(new_id))
        new_functions = {name: function for name, function in functions.items() if name not in there.functions}
        tables.interfaces[new_id] = dataclasses.replace(
            there,
            types={**there.types, **types},
            functions={**there.functions, **new_functions},
            stability=self._stability(row.stability, there.stability, "the gate", ir.InterfaceOwner(new_id)),
        )

    def _add_world(self, id_: ir.WorldId, row: ir.World) -> None:
        imports, exports = self._items(row.imports), self._items(row.exports)
        new_id = self._worlds[id_]
        if new_id >= self._first_world:
            package = self._packages[row.package]
            world = dataclasses.replace(row, imports=imports, exports=exports, package=package)
            self._check_world(world)
            self._tables.worlds.append(world)
            return
        there = self._tables.worlds[new_id]
        for items, items_there in ((imports, there.imports), (exports, there.exports)):
            if items.keys() != items_there.keys():
                raise self._contradiction("what is imported and exported", ir.WorldOwner(new_id))
            for key, item in items.items():
                if not self._same_item(item, items_there[key]):
                    raise self._contradiction(f"`{key}`", ir.WorldOwner(new_id))

    def _check_world(self, world: ir.World) -> None:
        """Raise WitError for a world that WIT can't say: one without an interface that its items use."""
        tables = self._tables
        interfaces: set[ir.InterfaceId] = set()
        types: list[tuple[str, ir.TypeId]] = []
        for item in (*world.imports.values(), *world.exports.values()):
            match item:
                case ir.InterfaceItem(id=interface):
                    interfaces.add(interface)
                    name = tables.interfaces[interface].name or "an interface of its own"
                    types += ((name, type_) for type_ in tables.interfaces[interface].types.values())
                case ir.TypeItem(id=type_):
                    types.append((tables.types[type_].name or "", type_))
        for name, type_ in types:
            used = tables.used_interface(type_)
            if used is not None and used not in interfaces:
                missing = tables.interfaces[used].name
                raise self._error(f"world `{world.name}` has `{name}` without `{missing}`, which that uses")

    def _items(self, items: Mapping[ir.WorldKey, ir.WorldItem]) -> dict[ir.WorldKey, ir.WorldItem]:
        converted: dict[ir.WorldKey, ir.WorldItem] = {}
        for key, item in items.items():
            match item:
                case ir.TypeItem(id=type_):
                    item = ir.TypeItem(self._types[type_])
                case ir.FunctionItem(function=function):
                    item = ir.FunctionItem(self._function(function))
                case ir.InterfaceItem(id=interface):
                    item = dataclasses.replace(item, id=self._interfaces[interface])
            converted[key if isinstance(key, str) else self._interfaces[key]] = item
        return converted

    def _add_package(self, id_: ir.PackageId, row: ir.Package) -> None:
        tables = self._tables
        interfaces = {name: self._interfaces[interface] for name, interface in row.interfaces.items()}
        worlds = {name: self._worlds[world] for name, world in row.worlds.items()}
        new_id = self._packages[id_]
        if new_id == len(tables.packages):
            tables.package_ids[row.name] = new_id
            tables.packages.append(dataclasses.replace(row, interfaces=interfaces, worlds=worlds))
        else:
            there = tables.packages[new_id]
            tables.packages[new_id] = dataclasses.replace(
                there, interfaces={**there.interfaces, **interfaces}, worlds={**there.worlds, **worlds}
            )

    def _function(self, function: ir.Function) -> ir.Function:
        return dataclasses.replace(
            function,
            resource=None if function.resource is None else self._types[function.resource],
            params=tuple(ir.Param(param.name, self._type(param.type)) for param in function.params),
            result=None if function.result is None else self._type(function.result),
        )

    def _type(self, type_: ir.Type) -> ir.Type:
        return type_ if isinstance(type_, ir.Primitive) else self._types[type_]

    # Whether two say the same, documentation and gates aside

    def _same_kind(self, a: ir.Kind, b: ir.Kind) -> bool:
        if type(a) is not type(b) or _shape(a) != _shape(b):
            return False
        return all(map(self._same_type, kinds.references(a), kinds.references(b)))

    def _same_type(self, a: ir.Type | None, b: ir.Type | None) -> bool:
        if isinstance(a, int) and isinstance(b, int) and a != b:
            a_row, b_row = self._tables.types[a], self._tables.types[b]
            return a_row.name is None and b_row.name is None and self._same_kind(a_row.kind, b_row.kind)
        return a == b

    def _same_function(self, a: ir.Function, b: ir.Function) -> bool:
        if (a.kind, a.resource, a.is_async) != (b.kind, b.resource, b.is_async):
            return False
        if [param.name for param in a.params] != [param.name for param in b.params]:
            return False
        results = self._same_type(a.result, b.result)
        return results and all(self._same_type(p.type, q.type) for p, q in zip(a.params, b.params, strict=True))

    def _same_item(self, a: ir.WorldItem, b: ir.WorldItem) -> bool:
        match a, b:
            case ir.FunctionItem(function=function), ir.FunctionItem(function=there):
                return self._same_function(function, there)
            case (ir.TypeItem(id=id_), ir.TypeItem(id=there)) | (
                ir.InterfaceItem(id=id_),
                ir.InterfaceItem(id=there),
            ):
                return id_ == there
        return False

    def _stability(self, new: ir.Stability, there: ir.Stability, what: str, owner: ir.Owner) -> ir.Stability:
        """The gate that both give: where a package is used by another, its gates aren't known."""
        if ir.STABLE in (new, there) or new == there:
            return new if there == ir.STABLE else there
        raise self._contradiction(what, owner)

    def _error(self, message: str) -> WitError:
        return WitError.at(self._path, message)

    def _contradiction(self, what: str, owner: ir.Owner) -> WitError:
        tables = self._tables
        row = tables.interfaces[owner.id] if isinstance(owner, ir.InterfaceOwner) else tables.worlds[owner.id]
        package = tables.packages[row.package].name
        return WitError.at(
            self._path,
            f"{what} in `{package.interface(row.name)}` is not what it is in another file of that package",
            Note(f"the other file is {self._places[package]}"),
        )


def _shape(kind: ir.Kind) -> object:
    """What two kinds must have in common beside the types that they refer to."""
    match kind:
        case ir.Record(fields=fields):
            return [field.name for field in fields]
        case ir.Variant(cases=cases):
            return [(case.name, case.type is None) for case in cases]
        case ir.Enum(cases=labels) | ir.Flags(flags=labels):
            return [label.name for label in labels]
    return kinds.convert_kind(kind, lambda _, __: ir.Primitive.BOOL)

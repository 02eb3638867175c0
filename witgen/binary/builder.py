"""Rows of the resolved model, made out of the imports and exports that `witgen.binary.evaluate` found.

This module knows how interfaces, functions and worlds look in the binary, and what no world can have (core modules,
instances in instances): that it leaves out and keeps account of. Types are made by `builder_types`.
"""

from __future__ import annotations

from dataclasses import dataclass

from witgen import ir
from witgen.binary import entities as en
from witgen.binary import model as m
from witgen.binary.builder_types import Home, TypeBuilder
from witgen.binary.errors import BinaryError, NoWorldError, quoted
from witgen.binary.names import VERSION, function_name, interface_name, is_plain
from witgen.binary.tables import InterfaceRow, TypeNames, WorldRow, freeze
from witgen.binary.text_rules import WitRules

__all__ = ["Builder", "Obstacle"]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """An import or export that no world can have.

    `side` is ``import`` or ``export``; `error` says what no world can have, which may be something inside of an
    instance, and at which byte that is.
    """

    side: str
    name: str
    sort: m.Sort
    error: NoWorldError


@dataclass(slots=True)
class _Place:
    """A world's side that is being filled, or None and no side for the interfaces of a package."""

    world: ir.WorldId | None
    side: str


class Builder(TypeBuilder):
    """Rows of a `Resolve` in the making.

    With `merge`, an interface has one row, whatever the places where it is seen; types in it are told by their names.
    With `as_text`, what WIT text can't say is an obstacle even where all types are known.
    `obstacles` are the imports and exports that were left out, as no world can have them.
    """

    def __init__(self, *, merge: bool, as_text: bool = True) -> None:
        super().__init__()
        self.merge = merge
        self.worlds: list[WorldRow] = []
        if as_text:
            self.rules = WitRules(self.rows, self.worlds, self.types, self.limits.parts)
        self.row_ids: dict[tuple[object, ...], ir.InterfaceId] = {}
        self.obstacles: list[Obstacle] = []

    # Worlds and interfaces

    def world(self, name: str, package: ir.PackageName, imports: en.Externs, exports: en.Externs) -> ir.WorldId:
        """Adds a world with these imports and exports."""
        id_ = ir.WorldId(len(self.worlds))
        world = WorldRow(name, package)
        self.worlds.append(world)
        sides = ((imports, world.imports, _Place(id_, "import")), (exports, world.exports, _Place(id_, "export")))
        for externs, _, place in sides:
            self._note_homes(externs, place)
        for externs, items, place in sides:
            for extern_name, extern in externs.items():
                found = self._item_or_obstacle(extern_name, extern, place)
                if found is not None:
                    key, items[key] = found[0], found[1]
        if self.rules is not None:
            self._check_exports(exports, world.exports, self.rules)
        return id_

    def _check_exports(self, externs: en.Externs, items: dict[ir.WorldKey, ir.WorldItem], rules: WitRules) -> None:
        """Makes obstacles of exports that see an interface twice."""
        keys = {self.rows[key].link_name or "" if isinstance(key, int) else key: key for key in items}
        exported = {name for name, key in keys.items() if isinstance(key, int)}
        for name, extern in externs.items():
            item = items.get(keys.get(name, name))
            if isinstance(item, ir.InterfaceItem):
                try:
                    rules.check_export(self.rows[item.id], exported, extern.offset)
                except NoWorldError as error:
                    self.obstacles.append(Obstacle("export", name, extern.sort, error))
                    del items[keys[name]]

    def interfaces(self, *externs: en.Externs) -> None:
        """Adds interfaces that belong to no world: those of a package, and those that they use."""
        place = _Place(None, "")
        for table in externs:
            self._note_homes(table, place)
        for table in externs:
            for name, extern in table.items():
                self._item_or_obstacle(name, extern, place)

    def _note_homes(self, externs: en.Externs, place: _Place) -> None:
        """Notes under which name each type is known, before any of them is looked at."""
        for name, extern in externs.items():
            if isinstance(extern.entity, en.Instance):
                try:
                    owner = self._interface(name, extern, place)
                except NoWorldError:
                    # This becomes an obstacle when it is looked at.
                    self._note_hidden([extern.entity])
                    continue
                exports = extern.entity.exports
                self._note_types(exports, ir.InterfaceOwner(owner), self.rows[owner].types)
                self._note_hidden([e.entity for e in exports.values() if isinstance(e.entity, en.Instance)])
            elif place.world is not None:
                self._note_types({name: extern}, ir.WorldOwner(place.world), self.worlds[place.world].types)

    def _note_types(self, externs: en.Externs, owner: ir.Owner, table: TypeNames) -> None:
        for name, extern in externs.items():
            if isinstance(extern.entity, en.Named | en.ResourceNode):
                self.homes.setdefault(extern.entity, Home(owner, name, table, extern))

    def _note_hidden(self, instances: list[en.Instance]) -> None:
        """Notes the types that have their names in instances that no world can have."""
        seen = set(instances)
        while instances:
            for extern in instances.pop().exports.values():
                if isinstance(extern.entity, en.Named | en.ResourceNode):
                    self.hidden.add(extern.entity)
                elif isinstance(extern.entity, en.Instance) and extern.entity not in seen:
                    seen.add(extern.entity)
                    instances.append(extern.entity)

    def _interface(self, name: str, extern: en.Extern, place: _Place) -> ir.InterfaceId:
        """The row of an interface that is imported or exported as `name`."""
        attributes = extern.attributes
        link_name = name if attributes.implements is None else attributes.implements
        key: tuple[object, ...]
        if is_plain(link_name):
            if place.world is None:
                raise BinaryError(f"{quoted(name)} is not the name of an interface", extern.offset)
            row = InterfaceRow(None, self.worlds[place.world].package)
            key = (place.world, place.side, name)
        else:
            found = interface_name(link_name, attributes, extern.offset)
            if self.rules is not None and VERSION.fullmatch(found.package.version or "0.0.0") is None:
                raise NoWorldError(f"no world can have {quoted(link_name)}, whose version is not whole", extern.offset)
            row = InterfaceRow(found.item, found.package)
            key = (found,) if self.merge else (found, place.side, name)
        id_ = self.row_ids.setdefault(key, ir.InterfaceId(len(self.rows)))
        if id_ == len(self.rows):
            self.rows.append(row)
        return id_

    def _item_or_obstacle(self, name: str, extern: en.Extern, place: _Place) -> tuple[ir.WorldKey, ir.WorldItem] | None:
        """An import or export as an item of a world; None where it has become an obstacle."""
        try:
            if self.rules is None:
                return self._item(name, extern, place)
            self.rules.begin()
            item = self._item(name, extern, place)
            self.rules.settle()
            return item
        except NoWorldError as error:
            self.obstacles.append(Obstacle(place.side, name, extern.sort, error))
            return None

    def _item(self, name: str, extern: en.Extern, place: _Place) -> tuple[ir.WorldKey, ir.WorldItem]:
        """An import or export as an item of a world."""
        entity, attributes = extern.entity, extern.attributes
        self.limits.write([name, attributes.implements or "", attributes.external_id or ""], (), extern.offset)
        if isinstance(entity, en.Instance):
            id_ = self._interface(name, extern, place)
            if self.rules is not None and place.world is not None:
                self.rules.check_interface(place.world, self.rows[id_], extern.offset)
            self._fill(id_, entity)
            key = name if is_plain(name) else id_
            implements = attributes.implements is not None
            return key, ir.InterfaceItem(id_, implements=implements, external_id=attributes.external_id)
        if place.world is None or not isinstance(entity, en.Func | en.Named | en.ResourceNode):
            raise NoWorldError(f"no world can have the {extern.sort.value} {quoted(name)}", extern.offset)
        types = self.worlds[place.world].types
        if isinstance(entity, en.Func):
            return name, ir.FunctionItem(self._function(name, entity, ir.WorldOwner(place.world), types, extern))
        if place.side == "export" and self.rules is not None:
            raise NoWorldError(f"no world can export the type {quoted(name)}", extern.offset)
        return name, ir.TypeItem(self.declare(entity, Home(ir.WorldOwner(place.world), name, types, extern)))

    def _fill(self, id_: ir.InterfaceId, instance: en.Instance) -> None:
        """Adds the types and functions of an instance to the row of its interface."""
        row = self.rows[id_]
        for name, extern in instance.exports.items():
            entity = extern.entity
            if isinstance(entity, en.Named | en.ResourceNode):
                self.declare(entity, Home(ir.InterfaceOwner(id_), name, row.types, extern))
            elif isinstance(entity, en.Func):
                if name not in row.functions:
                    row.functions[name] = self._function(name, entity, ir.InterfaceOwner(id_), row.types, extern)
            else:
                raise NoWorldError(f"no interface can have the {extern.sort.value} {quoted(name)}", extern.offset)

    def _function(self, name: str, func: en.Func, owner: ir.Owner, types: TypeNames, extern: en.Extern) -> ir.Function:
        parts = function_name(name, extern.offset)
        resource = None if parts.resource is None else types.get(parts.resource)
        if parts.resource is not None and resource is None:
            raise BinaryError(f"{quoted(name)} belongs to a resource that is not there", extern.offset)
        definition, scope = func.type.type, func.type.scope
        assert isinstance(definition, m.FuncType)
        at = func.type.offset
        params = tuple(
            [ir.Param(p.name, self.required(p.type, scope, at)) for p in self.checked(definition.params, at)]
        )
        result = self.valtype(definition.result, scope, at)
        external_id = extern.attributes.external_id
        names = [name, external_id or "", *(param.name for param in params)]
        self.limits.write(names, [*(param.type for param in params), result], extern.offset)
        function = ir.Function(
            name, parts.kind, resource, params, result, is_async=definition.is_async, external_id=external_id
        )
        self._check(function, extern.offset)
        if self.has_borrow(result):
            raise BinaryError(f"{quoted(name)} returns a borrow, which is valid during a call only", at)
        if self.rules is not None:
            self.rules.check_function(owner, types, function, extern.offset)
        return function

    def _check(self, function: ir.Function, offset: int) -> None:
        """Raises `BinaryError` for a function that is not what its name says."""
        resource = None if function.resource is None else self.bare(function.resource)
        if function.kind is ir.FunctionKind.METHOD:
            first = function.params[0] if function.params else None
            if first is None or first.name != "self" or not self._is_handle(first.type, ir.Borrow, resource):
                raise BinaryError(f"{quoted(function.name)} has no parameter self that borrows its resource", offset)
        elif function.kind is ir.FunctionKind.CONSTRUCTOR:
            kind = self.kind(function.result)
            result = kind.ok if isinstance(kind, ir.Result) else function.result
            if not self._is_handle(result, ir.Own, resource):
                raise BinaryError(f"{quoted(function.name)} does not return its resource", offset)
            if function.is_async:
                raise BinaryError(f"{quoted(function.name)} is async, as no constructor can be", offset)

    def _is_handle(self, type_: ir.Type | None, of: type[ir.Own | ir.Borrow], resource: ir.TypeId | None) -> bool:
        kind = self.kind(type_)
        return isinstance(kind, of) and self.bare(kind.resource) == resource

    def finish(self, root: ir.PackageName) -> ir.Resolve:
        """The finished model, without what is an obstacle; `root` is its last package."""
        return freeze(self.types, self.rows, self.worlds, root)

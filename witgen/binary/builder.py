"""Rows of the resolved model, made out of the imports and exports that `witgen.binary.evaluate` found.

A type belongs to the interface or world under whose name it was first seen; wherever it turns up again it is an
`ir.Alias` of that. This module knows how interfaces and worlds look in the binary, and refuses what no world can
express (core modules as imports, instances in instances).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from witgen import ir
from witgen.binary import entities as en
from witgen.binary import model as m
from witgen.binary.errors import BinaryError, quoted
from witgen.binary.limits import Limits, names_in, references
from witgen.binary.matching import parts_of
from witgen.binary.names import check_labels, function_name, interface_name, is_plain
from witgen.binary.tables import InterfaceRow, TypeNames, WorldRow, freeze

__all__ = ["Builder"]


@dataclass(slots=True)
class _Home:
    """Where a type has its name."""

    owner: ir.Owner
    name: str
    table: TypeNames
    extern: en.Extern


@dataclass(slots=True)
class _Place:
    """A world's side that is being filled, or None and no side for the interfaces of a package."""

    world: ir.WorldId | None
    side: str


class Builder:
    """Rows of a `Resolve` in the making.

    With `merge`, an interface has one row, whatever the places where it is seen; types in it are told by their names.
    """

    def __init__(self, *, merge: bool) -> None:
        self.merge = merge
        self.rows: list[InterfaceRow] = []
        self.worlds: list[WorldRow] = []
        self.types: list[ir.TypeDef] = []
        self.limits = Limits()
        self.ids: dict[en.Node, ir.TypeId] = {}
        #: Nodes that have no name of their own in any interface or world, to the type behind them.
        self.behind: dict[en.Node, ir.Type] = {}
        self.homes: dict[en.Node, _Home] = {}
        self.row_ids: dict[tuple[object, ...], ir.InterfaceId] = {}

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
                key, item = self._item(extern_name, extern, place)
                items[key] = item
        return id_

    def interfaces(self, *externs: en.Externs) -> None:
        """Adds interfaces that belong to no world: those of a package, and those that they use."""
        place = _Place(None, "")
        for table in externs:
            self._note_homes(table, place)
        for table in externs:
            for name, extern in table.items():
                self._item(name, extern, place)

    def _note_homes(self, externs: en.Externs, place: _Place) -> None:
        """Notes under which name each type is known, before any of them is looked at."""
        for name, extern in externs.items():
            if isinstance(extern.entity, en.Instance):
                owner = self._interface(name, extern, place)
                self._note_types(extern.entity.exports, ir.InterfaceOwner(owner), self.rows[owner].types)
            elif place.world is not None:
                self._note_types({name: extern}, ir.WorldOwner(place.world), self.worlds[place.world].types)

    def _note_types(self, externs: en.Externs, owner: ir.Owner, table: TypeNames) -> None:
        for name, extern in externs.items():
            if isinstance(extern.entity, en.Named | en.ResourceNode):
                self.homes.setdefault(extern.entity, _Home(owner, name, table, extern))

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
            row = InterfaceRow(found.item, found.package)
            key = (found,) if self.merge else (found, place.side, name)
        id_ = self.row_ids.setdefault(key, ir.InterfaceId(len(self.rows)))
        if id_ == len(self.rows):
            self.rows.append(row)
        return id_

    def _item(self, name: str, extern: en.Extern, place: _Place) -> tuple[ir.WorldKey, ir.WorldItem]:
        """An import or export as an item of a world."""
        entity, attributes = extern.entity, extern.attributes
        self.limits.write([name, attributes.implements or "", attributes.external_id or ""], (), extern.offset)
        if isinstance(entity, en.Instance):
            id_ = self._interface(name, extern, place)
            self._fill(id_, entity)
            key = name if is_plain(name) else id_
            implements = attributes.implements is not None
            return key, ir.InterfaceItem(id_, implements=implements, external_id=attributes.external_id)
        if place.world is None or not isinstance(entity, en.Func | en.Named | en.ResourceNode):
            raise BinaryError(f"no world can have the {extern.sort.value} {quoted(name)}", extern.offset)
        types = self.worlds[place.world].types
        if isinstance(entity, en.Func):
            return name, ir.FunctionItem(self._function(name, entity, types, extern))
        return name, ir.TypeItem(self._declare(entity, _Home(ir.WorldOwner(place.world), name, types, extern)))

    def _fill(self, id_: ir.InterfaceId, instance: en.Instance) -> None:
        """Adds the types and functions of an instance to the row of its interface."""
        row = self.rows[id_]
        for name, extern in instance.exports.items():
            entity = extern.entity
            if isinstance(entity, en.Named | en.ResourceNode):
                self._declare(entity, _Home(ir.InterfaceOwner(id_), name, row.types, extern))
            elif isinstance(entity, en.Func):
                if name not in row.functions:
                    row.functions[name] = self._function(name, entity, row.types, extern)
            else:
                raise BinaryError(f"no interface can have the {extern.sort.value} {quoted(name)}", extern.offset)

    def _function(self, name: str, func: en.Func, types: TypeNames, extern: en.Extern) -> ir.Function:
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
        return function

    def _check(self, function: ir.Function, offset: int) -> None:
        """Raises `BinaryError` for a function that is not what its name says."""
        resource = None if function.resource is None else self._bare(function.resource)
        if function.kind is ir.FunctionKind.METHOD:
            first = function.params[0] if function.params else None
            if first is None or first.name != "self" or not self._is_handle(first.type, ir.Borrow, resource):
                raise BinaryError(f"{quoted(function.name)} has no parameter self that borrows its resource", offset)
        elif function.kind is ir.FunctionKind.CONSTRUCTOR:
            kind = self._kind(function.result)
            result = kind.ok if isinstance(kind, ir.Result) else function.result
            if not self._is_handle(result, ir.Own, resource):
                raise BinaryError(f"{quoted(function.name)} does not return its resource", offset)

    def _is_handle(self, type_: ir.Type | None, of: type[ir.Own | ir.Borrow], resource: ir.TypeId | None) -> bool:
        kind = self._kind(type_)
        return isinstance(kind, of) and self._bare(kind.resource) == resource

    def _kind(self, type_: ir.Type | None) -> ir.Kind | None:
        """The kind of a type that is not a primitive, aliases looked through."""
        return None if type_ is None or isinstance(type_, ir.Primitive) else self.types[self._bare(type_)].kind

    def _bare(self, id_: ir.TypeId) -> ir.TypeId:
        """A type, aliases of it looked through."""
        kind = self.types[id_].kind
        while isinstance(kind, ir.Alias) and not isinstance(kind.target, ir.Primitive):
            id_ = kind.target
            kind = self.types[id_].kind
        return id_

    # Types

    def _declare(self, node: en.Node, here: _Home) -> ir.TypeId:
        """The type that an interface or world has under a name."""
        found = here.table.get(here.name)
        if found is not None:
            if node not in self.ids:
                self.ids[node] = found
                self._equate(node, found)
            return found
        home = self.homes[node]
        if home.table is here.table and home.name == here.name:
            return self._register(node)
        return self._add_named(here, ir.Alias(self._use(node, here.extern.offset)))

    def _equate(self, node: en.Node, found: ir.TypeId) -> None:
        """Notes that the parts of a type which is seen again are those that it had before."""
        pending = [(node, found)]
        while pending:
            node, found = pending.pop()
            definition, kind = en.bare(node), self.types[found].kind
            if not isinstance(definition, en.Defined) or isinstance(kind, ir.Alias):
                continue
            self.limits.parts.spend(len(parts_of(definition.type)), definition.offset)
            for index, type_ in zip(parts_of(definition.type), references(kind), strict=False):
                if not isinstance(index, int) or index >= len(definition.scope.types):
                    continue
                part = definition.scope.types[index]
                if isinstance(type_, int) and part not in self.ids and part not in self.homes:
                    self.ids[part] = type_
                    pending.append((part, type_))

    def _register(self, node: en.Node) -> ir.TypeId:
        """The row of a type in the place where it has its name."""
        home = self.homes[node]
        found = home.table.get(home.name)
        if found is None:
            self.limits.descend(home.extern.offset)
            # Nodes that nobody outside can name stand for the type that they lead to.
            passed = [node]
            kind = self._kind_behind(node, passed)
            found = self._add_named(home, kind)
            self.limits.ascend()
            for each in passed[1:]:
                if isinstance(kind, ir.Alias):
                    self.behind[each] = kind.target
                else:
                    self.ids[each] = found
        self.ids[node] = found
        return found

    def _kind_behind(self, node: en.Node, passed: list[en.Node]) -> ir.Kind:
        """What a named type is; `passed` are the nodes that lead there, itself the first."""
        while isinstance(node, en.Named):
            node = node.target
            if node in self.ids or node in self.homes:
                return ir.Alias(self._use(node, self.homes[passed[0]].extern.offset))
            if not isinstance(node, en.Defined):
                passed.append(node)
        return ir.Resource() if isinstance(node, en.ResourceNode) else self._structure(node)

    def _add_named(self, home: _Home, kind: ir.Kind) -> ir.TypeId:
        check_labels([home.name], home.extern.offset)
        external_id = home.extern.attributes.external_id
        names = [home.name, external_id or "", *names_in(kind), self._origin(kind, home.owner)]
        self.limits.write(names, references(kind), home.extern.offset)
        id_ = self._add(ir.TypeDef(home.name, kind, home.owner, external_id=external_id), home.extern.offset)
        home.table[home.name] = id_
        return id_

    def _origin(self, kind: ir.Kind, owner: ir.Owner) -> str:
        """The interface from which a type is used; nothing where it is none of another."""
        if isinstance(kind, ir.Alias) and not isinstance(kind.target, ir.Primitive):
            origin = self.types[kind.target].owner
            if isinstance(origin, ir.InterfaceOwner) and origin != owner:
                return self.rows[origin.id].package.interface(self.rows[origin.id].name)
        return ""

    def _add(self, definition: ir.TypeDef, offset: int) -> ir.TypeId:
        self.limits.add(definition, offset)
        self.types.append(definition)
        return ir.TypeId(len(self.types) - 1)

    def _use(self, node: en.Node, offset: int) -> ir.Type:
        """The type that a node stands for."""
        passed: list[en.Node] = []
        while True:
            found = self.ids.get(node, self.behind.get(node))
            if found is not None:
                break
            if node in self.homes:
                found = self._register(node)
                break
            if not isinstance(node, en.Named):
                found = self._anonymous(node, offset)
                break
            passed.append(node)
            node = node.target
        for each in passed:
            self.behind[each] = found
        return found

    def _anonymous(self, node: en.Defined | en.ResourceNode, offset: int) -> ir.Type:
        """The type of a definition that has no name."""
        if isinstance(node, en.ResourceNode):
            raise BinaryError("a resource that is used has no name", offset)
        if isinstance(node.type, ir.Primitive):
            return node.type
        if isinstance(node.type, _NAMED):
            raise BinaryError(f"the {type(node.type).__name__.lower()} that is used here has no name", offset)
        self.limits.descend(offset)
        found = self.ids[node] = self._add(ir.TypeDef(None, self._structure(node), None), node.offset)
        self.limits.ascend()
        return found

    def _structure(self, node: en.Defined) -> ir.Kind:
        """A type definition as it stands."""
        if isinstance(node.type, ir.Primitive):
            return ir.Alias(node.type)
        convert = _KINDS.get(type(node.type))
        if convert is None:
            raise BinaryError("this is not the type of a value", node.offset)
        return convert(self, node.type, node.scope, node.offset)

    def valtype(self, type_: m.ValType | None, scope: en.Scope, offset: int) -> ir.Type | None:
        """A value type of the binary, or its absence."""
        if type_ is None:
            self.limits.parts.spend(1, offset)
            return None
        return self.required(type_, scope, offset)

    def required(self, type_: m.ValType | None, scope: en.Scope, offset: int) -> ir.Type:
        """A value type of the binary that must be there."""
        self.limits.parts.spend(1, offset)
        if isinstance(type_, ir.Primitive):
            return type_
        assert type_ is not None
        if type_ >= len(scope.types):
            raise BinaryError(f"type {type_} does not exist", offset)
        found = self._use(scope.types[type_], offset)
        if not isinstance(found, ir.Primitive) and self._is_resource(found):
            raise BinaryError("a resource is used as a value, without own or borrow", offset)
        return found

    def resource(self, index: int, scope: en.Scope, offset: int) -> ir.TypeId:
        """The resource of a handle."""
        found = self._use(scope.types[index], offset) if index < len(scope.types) else ir.Primitive.BOOL
        if isinstance(found, ir.Primitive) or not self._is_resource(found):
            raise BinaryError("a handle to what is not a resource", offset)
        return found

    def labels(self, labels: tuple[str, ...], offset: int) -> tuple[ir.Label, ...]:
        """The labels of an enum or of flags."""
        self.limits.parts.spend(len(labels), offset)
        check_labels(labels, offset)
        return tuple([ir.Label(label) for label in labels])

    def checked(self, items: tuple[m.Labelled, ...], offset: int) -> tuple[m.Labelled, ...]:
        """Fields, cases or parameters, whose names have been looked at."""
        check_labels([item.name for item in items], offset)
        return items

    def _is_resource(self, type_: ir.TypeId) -> bool:
        return isinstance(self._kind(type_), ir.Resource)

    def finish(self, root: ir.PackageName) -> ir.Resolve:
        """The finished model; `root` is its last package."""
        return freeze(self.types, self.rows, self.worlds, root)


#: Definitions that no one can use but by a name.
_NAMED = (m.Record, m.Variant, m.Enum, m.Flags)

#: What the definition of a value type is in the resolved model.
_KINDS: dict[type, Callable[[Builder, Any, en.Scope, int], ir.Kind]] = {
    m.Record: lambda b, t, s, at: ir.Record(
        tuple([ir.Field(f.name, b.required(f.type, s, at)) for f in b.checked(t.fields, at)])
    ),
    m.Variant: lambda b, t, s, at: ir.Variant(
        tuple([ir.Case(c.name, b.valtype(c.type, s, at)) for c in b.checked(t.cases, at)])
    ),
    m.Tuple: lambda b, t, s, at: ir.Tuple(tuple([b.required(each, s, at) for each in t.types])),
    m.Flags: lambda b, t, s, at: ir.Flags(b.labels(t.labels, at)),
    m.Enum: lambda b, t, s, at: ir.Enum(b.labels(t.labels, at)),
    m.List: lambda b, t, s, at: ir.List(b.required(t.element, s, at)),
    m.FixedLengthList: lambda b, t, s, at: ir.FixedLengthList(b.required(t.element, s, at), t.length),
    m.Map: lambda b, t, s, at: ir.Map(b.required(t.key, s, at), b.required(t.value, s, at)),
    m.Option: lambda b, t, s, at: ir.Option(b.required(t.type, s, at)),
    m.Result: lambda b, t, s, at: ir.Result(b.valtype(t.ok, s, at), b.valtype(t.err, s, at)),
    m.Stream: lambda b, t, s, at: ir.Stream(b.valtype(t.type, s, at)),
    m.Future: lambda b, t, s, at: ir.Future(b.valtype(t.type, s, at)),
    m.Own: lambda b, t, s, at: ir.Own(b.resource(t.resource, s, at)),
    m.Borrow: lambda b, t, s, at: ir.Borrow(b.resource(t.resource, s, at)),
}

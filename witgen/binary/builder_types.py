"""Types of the resolved model, made out of the type nodes that `witgen.binary.evaluate` found.

A type belongs to the interface or world under whose name it was first seen; wherever it turns up again it is an
`ir.Alias` of that. This module knows how types are defined in the binary; what interfaces and worlds are made of,
`builder` knows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from witgen import ir
from witgen.binary import entities as en
from witgen.binary import model as m
from witgen.binary.errors import BinaryError, NoWorldError, quoted
from witgen.binary.limits import Limits, names_in, references
from witgen.binary.matching import parts_of
from witgen.binary.names import check_labels
from witgen.binary.tables import InterfaceRow, TypeNames
from witgen.binary.text_rules import WitRules

__all__ = ["Home", "TypeBuilder"]


@dataclass(slots=True)
class Home:
    """Where a type has its name."""

    owner: ir.Owner
    name: str
    table: TypeNames
    extern: en.Extern


class TypeBuilder:
    """Rows of the table of types in the making, and of the interfaces that they belong to."""

    def __init__(self) -> None:
        self.rows: list[InterfaceRow] = []
        self.types: list[ir.TypeDef] = []
        self.limits = Limits()
        #: For each type, whether a value of it can hold a borrowed handle.
        self.borrows: list[bool] = []
        #: None where types are taken as they are, whether text can say them or not.
        self.rules: WitRules | None = None
        self.ids: dict[en.Node, ir.TypeId] = {}
        #: Nodes that have no name of their own in any interface or world, to the type behind them.
        self.behind: dict[en.Node, ir.Type] = {}
        self.homes: dict[en.Node, Home] = {}
        #: Nodes that have their names where no world can have them.
        self.hidden: set[en.Node] = set()

    def declare(self, node: en.Node, here: Home) -> ir.TypeId:
        """The type that an interface or world has under a name."""
        definition = en.bare(node)
        if isinstance(definition, en.Defined) and isinstance(definition.type, _NO_VALUES):
            what = type(definition.type).__name__.removesuffix("Type").lower()
            raise NoWorldError(f"no world can have the type {quoted(here.name)}, that of a {what}", here.extern.offset)
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
            # Nodes that nobody outside can name stand for the type that they lead to.
            passed = [node]
            with self.limits.deeper(home.extern.offset):
                kind = self._kind_behind(node, passed)
                found = self._add_named(home, kind)
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

    def _add_named(self, home: Home, kind: ir.Kind) -> ir.TypeId:
        check_labels([home.name], home.extern.offset)
        external_id = home.extern.attributes.external_id
        if self.rules is not None:
            self.rules.check_type(home.owner, home.table, home.name, kind, home.extern.offset)
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
                return self.rows[origin.id].link_name or ""
        return ""

    def _add(self, definition: ir.TypeDef, offset: int) -> ir.TypeId:
        self.limits.add(definition, offset)
        kind = definition.kind
        self.borrows.append(isinstance(kind, ir.Borrow) or any(map(self.has_borrow, references(kind))))
        self.types.append(definition)
        return ir.TypeId(len(self.types) - 1)

    def has_borrow(self, type_: ir.Type | None) -> bool:
        """Whether a value of the type can hold a borrowed handle."""
        return isinstance(type_, int) and self.borrows[type_]

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
                found = self._anonymous(node, passed, offset)
                break
            passed.append(node)
            node = node.target
        for each in passed:
            self.behind[each] = found
        return found

    def _anonymous(self, node: en.Defined | en.ResourceNode, passed: list[en.Node], offset: int) -> ir.Type:
        """The type of a definition that has no name; `passed` are the nodes that lead to it."""
        if isinstance(node, en.Defined) and isinstance(node.type, ir.Primitive):
            return node.type
        if isinstance(node, en.ResourceNode) or isinstance(node.type, _NAMED):
            what = "resource" if isinstance(node, en.ResourceNode) else type(node.type).__name__.lower()
            if not self.hidden.isdisjoint((*passed, node)):
                raise NoWorldError(f"no world can have the {what} that is used here, where it has its name", offset)
            raise BinaryError(f"the {what} that is used here has no name", offset)
        with self.limits.deeper(offset):
            kind = self._structure(node)
            if self.rules is not None:
                self.rules.check_kind(kind, node.offset)
            found = self.ids[node] = self._add(ir.TypeDef(None, kind, None), node.offset)
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
        return isinstance(self.kind(type_), ir.Resource)

    def kind(self, type_: ir.Type | None) -> ir.Kind | None:
        """The kind of a type that is not a primitive, aliases looked through."""
        return None if type_ is None or isinstance(type_, ir.Primitive) else self.types[self.bare(type_)].kind

    def bare(self, id_: ir.TypeId) -> ir.TypeId:
        """A type, aliases of it looked through."""
        kind = self.types[id_].kind
        while isinstance(kind, ir.Alias) and not isinstance(kind.target, ir.Primitive):
            id_ = kind.target
            kind = self.types[id_].kind
        return id_


#: Definitions that no one can use but by a name.
_NAMED = (m.Record, m.Variant, m.Enum, m.Flags)

#: Definitions that are not of values, so that WIT has no name for them.
_NO_VALUES = (m.FuncType, m.InstanceType, m.ComponentType)

#: What the definition of a value type is in the resolved model.
_KINDS: dict[type, Callable[[TypeBuilder, Any, en.Scope, int], ir.Kind]] = {
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

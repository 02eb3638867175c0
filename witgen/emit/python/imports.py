"""The imports of a world as a host provides them: Protocols, the class that holds them all, and the table of functions.

All imports of an interface share one Protocol. Each has a field, and functions, of its own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from witgen import ir
from witgen.emit.names import Scope
from witgen.emit.python.functions import Functions, core_letters
from witgen.emit.python.naming import function_member, local_name, member_name, short_member
from witgen.emit.python.sides import Side, Sides
from witgen.emit.python.view import ImportFunction, ImportTable, InterfaceClass, Member, Method, ResourceClass

__all__ = ["Imports"]


class Imports:
    """The imports of one world."""

    def __init__(self, sides: Sides, world: ir.World, functions: Functions) -> None:
        self._all_sides = sides
        self._resolve = sides.resolve
        self._functions = functions
        self._names = functions.annotations.names
        self._world_functions = list(sides.resolve.world_functions(world.imports))
        self._world_types = list(sides.resolve.world_types(world.imports))
        self._provided = [side for side in sides.imports if self._resolve.interfaces[side.id].functions]
        scope = Scope()
        self._members = self._names.attributes(self._provided, scope)
        self._function_members = {
            function: scope.take(local_name(function.name))
            for function in self._world_functions
            if function.resource is None
        }
        self._resource_members = {
            type_: scope.take(member_name(self._resolve.types[type_].name or ""))
            for type_ in self._world_types
            if self._is_resource(type_)
        }
        #: The functions that make core functions, each as its lines.
        self.texts: list[list[str]] = []
        self._makers = Scope()
        self._entries: dict[ir.InterfaceId, list[ImportFunction]] = {}

    def interfaces(self) -> list[InterfaceClass]:
        """The Protocol of each interface, then what the world itself imports."""
        sides = {side.id: side for side in reversed(self._all_sides.imports)}
        ids = [id_ for id_ in self._all_sides.interfaces() if id_ in sides]
        return [*(self._interface(sides[id_]) for id_ in ids), InterfaceClass("", "", "", [], self._world_resources())]

    def members(self) -> list[Member]:
        """The fields of the class that holds all that a host provides."""
        found = [
            Member(self._members[side], self._names.imported(side.id), self._resolve.interfaces[side.id].docs)
            for side in self._provided
        ]
        for function in self._world_functions:
            if function.resource is None:
                parameters = ", ".join(self._functions.annotations.of(p.type) for p in function.params)
                type_ = f"Callable[[{parameters}], {self._functions.returned(function)}]"
                found.append(Member(self._function_members[function], type_, function.docs))
        found += [Member(r.member, r.factory, r.docs) for r in self._world_resources() if r.statics]
        return found

    def tables(self) -> list[ImportTable]:
        """The functions of each import; fills `texts`."""
        tables = []
        for side in self._provided:
            member = self._members[side]
            tables.append(ImportTable(self._resolve.link_name(side.key), f"imports.{member}", self._entries_of(side)))
        if self._world_functions:
            host = f"{self._names.world}Imports"
            entries = [self._entry(function, "", host, "_import_world") for function in self._world_functions]
            tables.append(ImportTable("", "imports", entries))
        return tables

    # Protocols

    def _is_resource(self, type_: ir.TypeId) -> bool:
        return isinstance(self._resolve.types[type_].kind, ir.Resource)

    def _interface(self, side: Side) -> InterfaceClass:
        interface = self._resolve.interfaces[side.id]
        functions = list(interface.functions.values())
        return InterfaceClass(
            self._names.imported(side.id) if functions else "",
            self._resolve.link_name(side.key if interface.name is None else side.id),
            interface.docs,
            [self._method(f) for f in functions if f.resource is None],
            [
                self._resource(type_, member_name(name), functions)
                for name, type_ in interface.types.items()
                if self._is_resource(type_)
            ],
        )

    def _resource(self, type_: ir.TypeId, member: str, functions: Sequence[ir.Function]) -> ResourceClass:
        own = [f for f in functions if f.resource is not None and self._resolve.dealias(f.resource) == type_]
        statics = [self._method(f) for f in own if f.kind is not ir.FunctionKind.METHOD]
        return ResourceClass(
            self._names.type(type_),
            self._names.factory(type_) if statics else "",
            member,
            self._resolve.types[type_].docs,
            self._functions.annotations.resource(type_).index,
            [self._method(f) for f in own if f.kind is ir.FunctionKind.METHOD],
            statics,
        )

    def _world_resources(self) -> list[ResourceClass]:
        """The resources that the world itself imports."""
        return [
            self._resource(type_, member, self._world_functions) for type_, member in self._resource_members.items()
        ]

    def _method(self, function: ir.Function) -> Method:
        return Method(
            name=function_member(function),
            parameters=self._functions.parameters(function, exported=False),
            returns=self._functions.returned(function),
            docs=function.docs,
            raises=self._functions.raised(function),
        )

    # Functions

    def _entries_of(self, side: Side) -> list[ImportFunction]:
        """The entries of an interface; imports that do not differ share them."""
        if side.id not in self._entries:
            host, prefix = self._names.imported(side.id), f"_import_{self._members[side]}"
            owner, functions = self._resolve.link_name(side.key), self._resolve.interfaces[side.id].functions.values()
            self._entries[side.id] = [self._entry(function, owner, host, prefix) for function in functions]
        return self._entries[side.id]

    def _entry(self, function: ir.Function, owner: str, host: str, prefix: str) -> ImportFunction:
        resource = self._resource_member(function)
        maker = self._makers.take("_".join(part for part in (prefix, resource, short_member(function)) if part))
        target, shown = self._target(function, resource), json.dumps(f"{owner}#{function.name}".removeprefix("#"))
        self.texts.append(self._functions.import_function(maker, function, host, target, shown))
        signature = self._functions.codec.abi.signature(function, lowered=True)
        return ImportFunction(function.name, maker, core_letters(signature.params), core_letters(signature.results))

    def _resource_member(self, function: ir.Function) -> str:
        """The attribute of a host object that makes objects of a function's resource."""
        if function.resource is None:
            return ""
        type_ = self._resolve.dealias(function.resource)
        assert not isinstance(type_, ir.Primitive)
        return self._resource_members.get(type_) or member_name(self._resolve.types[type_].name or "")

    def _target(self, function: ir.Function, resource: str) -> str:
        """What is called for a function; of a method, its name."""
        match function.kind:
            case ir.FunctionKind.METHOD:
                return function_member(function)
            case ir.FunctionKind.CONSTRUCTOR:
                return f"host.{resource}"
            case ir.FunctionKind.STATIC:
                return f"host.{resource}.{function_member(function)}"
            case _:
                return f"host.{self._function_members.get(function) or function_member(function)}"

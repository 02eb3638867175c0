"""The exports of a world as Python calls them: classes of interfaces and resources, methods of the world's class."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from witgen import ir
from witgen.emit.names import Scope
from witgen.emit.python.functions import Functions, core_letters
from witgen.emit.python.naming import function_member, member_name, short_member
from witgen.emit.python.sides import Side, Sides
from witgen.emit.python.view import ExportMember, InterfaceClass, Method, ResourceClass

__all__ = ["Exports"]

#: What the class of a world has beside its interfaces, for all to see and for itself.
_WORLD_MEMBERS = ("close", "contract", "load")
_WORLD_ATTRIBUTES = ("_instance",)


class Exports:
    """The exports of one world."""

    def __init__(self, sides: Sides, functions: Functions) -> None:
        self._sides = sides.exports
        self._resolve = sides.resolve
        self._functions = functions
        self._names = functions.annotations.names
        self._scope = Scope(_WORLD_MEMBERS)
        self._members = self._names.attributes(self._sides, self._scope)

    def interfaces(self) -> list[InterfaceClass]:
        """The class of each interface; one serves for all exports that do not differ."""
        sides = {side.id: side for side in reversed(self._sides)}
        return [self._interface(sides[id_]) for id_ in dict.fromkeys(side.id for side in self._sides)]

    def members(self) -> list[ExportMember]:
        """The attributes by which the world's class offers its interfaces."""
        found = []
        for side in self._sides:
            name = f", {json.dumps(self._resolve.link_name(side.key))}" if self._shared(side) else ""
            call = f"{self._names.interface(side.id)}(instance{name})"
            found.append(ExportMember(self._members[side], call))
        return found

    def methods(self, functions: Sequence[ir.Function]) -> list[Method]:
        """The functions that the world itself exports, as methods of its class."""
        attributes = Scope(_WORLD_ATTRIBUTES)
        found = []
        for function in functions:
            attribute = attributes.take(f"_{member_name(function.name)}")
            method = self._method(function, f"self.{attribute}", attribute)
            found.append(replace(method, name=self._scope.take(method.name)))
        return found

    def _shared(self, side: Side) -> bool:
        return sum(other.id == side.id for other in self._sides) > 1

    def _interface(self, side: Side) -> InterfaceClass:
        interface = self._resolve.interfaces[side.id]
        attributes = Scope()
        methods = []
        for function in interface.functions.values():
            if function.kind is ir.FunctionKind.FREESTANDING:
                attribute = attributes.take(f"_{member_name(function.name)}")
                methods.append(self._method(function, f"self.{attribute}", attribute))
        resources = [
            self._resource(type_, interface, attributes)
            for type_ in interface.types.values()
            if isinstance(self._resolve.types[type_].kind, ir.Resource)
        ]
        link_name = self._resolve.link_name(side.key)
        return InterfaceClass(
            self._names.interface(side.id),
            link_name if interface.name is None else self._resolve.link_name(side.id),
            interface.docs,
            methods,
            resources,
            [*methods, *(m for r in resources for m in (*r.methods, *r.statics))],
            "name" if self._shared(side) else json.dumps(link_name),
        )

    def _resource(self, type_: ir.TypeId, interface: ir.Interface, attributes: Scope) -> ResourceClass:
        definition = self._resolve.types[type_]
        member = member_name(definition.name or "")
        methods: list[Method] = []
        statics: list[Method] = []
        for function in interface.functions.values():
            if function.resource is None or self._resolve.dealias(function.resource) != type_:
                continue
            attribute = attributes.take(f"_{member}_{short_member(function)}")
            method = self._method(function, f"self._i.{attribute}", attribute)
            (methods if function.kind is ir.FunctionKind.METHOD else statics).append(method)
        return ResourceClass(
            self._names.type(type_),
            self._names.factory(type_) if statics else "",
            member,
            definition.docs,
            self._functions.annotations.resource(type_).index,
            methods,
            statics,
        )

    def _method(self, function: ir.Function, target: str, attribute: str) -> Method:
        signature = self._functions.codec.abi.signature(function, lowered=False)
        return Method(
            name=function_member(function),
            parameters=self._functions.parameters(function, exported=True),
            returns=self._functions.returns(function),
            docs=function.docs,
            raises=self._functions.raised(function),
            body=self._functions.export_body(function, target),
            attribute=attribute,
            wit=function.name,
            params=core_letters(signature.params),
            results=core_letters(signature.results),
        )

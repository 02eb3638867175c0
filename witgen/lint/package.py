"""A package as rules see it: its files, what is declared in them, and what refers to what. By syntax alone.

A name counts as used wherever something of that name is used, so that no rule complains of what it can't be sure of.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from witgen.syntax import ast

__all__ = [
    "Declared",
    "Documented",
    "Package",
    "Scope",
    "function_of",
    "members",
    "parts",
    "scope_functions",
    "scope_types",
    "signature",
    "stated_types",
    "type_names",
]

AnyFunction: TypeAlias = ast.NamedFunction | ast.ResourceFunction
#: What stands for itself in documentation.
Documented: TypeAlias = ast.Interface | ast.World | ast.TypeDefinition | AnyFunction
#: What is declared with a name of its own.
Declared: TypeAlias = Documented | ast.Field | ast.Case | ast.Label


@dataclass(frozen=True, slots=True)
class Scope:
    """An interface, a world, or an interface written inside a world: what holds types and functions.

    `owner` is the item that has the name and the comments.
    """

    name: ast.Name
    items: Sequence[ast.InterfaceItem | ast.WorldItem]
    owner: ast.Interface | ast.World | ast.Import | ast.Export


@dataclass(frozen=True)
class Package:
    """The files of a package, or what one of them nests as a package of its own."""

    header: ast.PackageHeader | ast.NestedPackage | None
    items: tuple[ast.Item, ...]

    @functools.cached_property
    def scopes(self) -> list[Scope]:
        """All interfaces and worlds, those inside worlds too."""
        return [scope for item in self.items for scope in _scopes(item)]

    @functools.cached_property
    def worlds(self) -> list[ast.World]:
        """The worlds."""
        return [item for item in self.items if isinstance(item, ast.World)]

    @functools.cached_property
    def uses(self) -> list[ast.Use]:
        """Every ``use`` of types."""
        return [item for scope in self.scopes for item in scope.items if isinstance(item, ast.Use)]

    @functools.cached_property
    def named_interfaces(self) -> set[str]:
        """The names of interfaces to which something refers: ``use``, ``import``, ``export``."""
        found = {use.path.name.text for use in self.uses}
        for item in self.items:
            if isinstance(item, ast.TopLevelUse):
                found.add(item.path.name.text)
        for world in self.worlds:
            for inner in world.items:
                if isinstance(inner, ast.Import | ast.Export) and isinstance(inner.extern, ast.ExternPath):
                    found.add(inner.extern.path.name.text)
        return found


def _scopes(item: ast.Item) -> Iterator[Scope]:
    if isinstance(item, ast.Interface | ast.World):
        yield Scope(item.name, item.items, item)
    if isinstance(item, ast.World):
        for inner in item.items:
            if isinstance(inner, ast.Import | ast.Export) and isinstance(inner.extern, ast.ExternInterface):
                yield Scope(inner.extern.name, inner.extern.items, inner)


def scope_types(scope: Scope) -> Iterator[ast.TypeDefinition]:
    """The types that are defined in a scope."""
    return (item for item in scope.items if isinstance(item, ast.TypeDefinition))


def scope_functions(scope: Scope) -> Iterator[tuple[ast.Name, ast.Function]]:
    """The functions of a scope with their names: its own, those of its resources, those that a world has."""
    for item in scope.items:
        if isinstance(item, ast.NamedFunction):
            yield item.name, item.function
        elif isinstance(item, ast.Resource):
            yield from ((method.name, method.function) for method in item.functions or ())
        elif isinstance(item, ast.Import | ast.Export) and isinstance(item.extern, ast.ExternFunction):
            yield item.extern.name, item.extern.function


def function_of(item: AnyFunction) -> ast.Function:
    """What stands after the name."""
    return item.function


def signature(function: ast.Function) -> Iterator[ast.Type]:
    """The types of parameters and result."""
    yield from (parameter.type for parameter in function.parameters)
    if function.result is not None:
        yield function.result


def members(type_: ast.TypeDefinition) -> Sequence[ast.Field | ast.Case | ast.Label]:
    """Fields, cases or flags."""
    match type_:
        case ast.Record(fields=found) | ast.Variant(cases=found) | ast.Enum(cases=found) | ast.Flags(flags=found):
            return found
    return ()


def stated_types(type_: ast.TypeDefinition) -> Iterator[ast.Type]:
    """The types that a definition is made of, those in functions of a resource apart."""
    match type_:
        case ast.TypeAlias_(type=target):
            yield target
        case ast.Record(fields=fields):
            yield from (field.type for field in fields)
        case ast.Variant(cases=cases):
            yield from (case.type for case in cases if case.type is not None)


def parts(type_: ast.Type) -> Iterator[ast.Type]:
    """A type and all that it is written with."""
    yield type_
    inner: tuple[ast.Type | None, ...]
    match type_:
        case ast.List(element=element) | ast.FixedLengthList(element=element) | ast.Option(element=element):
            inner = (element,)
        case ast.Future(element=optional) | ast.Stream(element=optional):
            inner = (optional,)
        case ast.Map(key=key, value=value):
            inner = (key, value)
        case ast.Result(ok=ok, err=err):
            inner = (ok, err)
        case ast.Tuple(elements=elements):
            inner = elements
        case _:
            inner = ()
    for found in inner:
        if found is not None:
            yield from parts(found)


def type_names(type_: ast.Type) -> Iterator[str]:
    """The names in a type."""
    for part in parts(type_):
        match part:
            case ast.NamedType(name=name) | ast.Own(resource=name) | ast.Borrow(resource=name):
                yield name.text

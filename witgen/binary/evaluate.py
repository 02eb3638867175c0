"""What a component imports and exports: the type evaluation that a validator does.

`evaluate` walks the definitions of a component, instantiates what it instantiates (nested components with the types
that they are given, instance types with fresh resources) and ends in two tables, imports and exports. Types are nodes
with an identity: each import or export of a type makes a node of its own (`Named`) over what it stands for, so that a
name and the place where it was given are not lost on the way through aliases.

A component or instance type is a closure: its definitions and the scope that they were written in. Evaluating it again
gives new resources, as `Explainer.md`, "Type definitions", demands. Core definitions play no part here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from witgen.binary import model as m
from witgen.binary.entities import (
    Component,
    Defined,
    Entity,
    Extern,
    Externs,
    Func,
    Instance,
    Named,
    Node,
    ResourceNode,
    Scope,
    bare,
)
from witgen.binary.errors import BinaryError, Budget, quoted
from witgen.binary.matching import equal_types
from witgen.binary.names import unique_key

__all__ = ["MAX_STEPS", "evaluate", "evaluate_type"]

#: How deep instantiations may be nested, and how many definitions and parts of types they may look at altogether.
MAX_DEPTH = 64
MAX_STEPS = 200_000

#: Names by what makes them unique.
Taken: TypeAlias = dict[tuple[bool, str], str]


def evaluate(component: m.Component, budget: Budget | None = None) -> tuple[Externs, Externs]:
    """The imports and exports of a component that is on its own, in the order of the binary.

    What is evaluated together has one `budget`. Raises `BinaryError` where an alias, an instantiation or an index does
    not fit what it refers to, or the budget is spent.
    """
    return _Evaluation(0, budget or Budget(MAX_STEPS)).run(Component(component.definitions, Scope(None)))


def evaluate_type(component: Component, budget: Budget) -> tuple[Externs, Externs]:
    """The imports and exports of a component type that `evaluate` found, with resources of their own."""
    return _Evaluation(0, budget).run(component)


class _Evaluation:
    """One walk over a list of definitions. Its budget is shared with the walks inside it."""

    def __init__(self, depth: int, budget: Budget) -> None:
        self.depth = depth
        self.budget = budget
        self.args: Mapping[str, Extern] | None = None
        self.given: Mapping[str, Extern] | None = None
        self.imports: Externs = {}
        self.exports: Externs = {}
        self.taken_imports: Taken = {}
        self.taken_exports: Taken = {}
        self.scope = Scope(None)

    def run(
        self,
        closure: Component,
        args: Mapping[str, Extern] | None = None,
        given: Mapping[str, Extern] | None = None,
    ) -> tuple[Externs, Externs]:
        """Evaluates `closure`.

        Imports are taken from `args`, the exports of an instance type are views of those in `given`; both are made up
        where there are none.
        """
        self.args, self.given = args, given
        self.scope = Scope(closure.scope)
        for definition in closure.definitions:
            step = _STEPS.get(type(definition))
            if step is not None:
                self.budget.spend(1, definition.offset)
                step(self, definition)
        return self.imports, self.exports

    def inner(self, offset: int) -> _Evaluation:
        """A walk inside this one."""
        if self.depth >= MAX_DEPTH:
            raise BinaryError(f"instances nested more than {MAX_DEPTH} levels deep", offset)
        return _Evaluation(self.depth + 1, self.budget)

    # Index spaces

    def append(self, sort: m.Sort, entity: Entity, offset: int) -> None:
        """Adds to an index space what is of its sort."""
        space = _SPACES.get(sort)
        if space is not None:
            name, kind = space
            if not isinstance(entity, kind):
                raise BinaryError(f"this is not of sort {sort.value}", offset)
            getattr(self.scope, name).append(entity)

    def at(self, sort: m.Sort, index: int, offset: int, scope: Scope | None = None) -> Entity:
        """What an index refers to."""
        space = _SPACES.get(sort)
        if space is None:
            return None
        items: list[Entity] = getattr(scope or self.scope, space[0])
        if index >= len(items):
            raise BinaryError(f"{sort.value} {index} does not exist", offset)
        return items[index]

    def type(self, index: int, offset: int) -> Node:
        """The type at an index."""
        types = self.scope.types
        if index >= len(types):
            raise BinaryError(f"type {index} does not exist", offset)
        return types[index]

    # External descriptions

    def described(self, desc: m.ExternDesc, offset: int) -> Entity:
        """Something new of the described type."""
        if desc.sort is m.Sort.TYPE:
            return ResourceNode(offset) if desc.index is None else Named(self.type(desc.index, offset))
        kind = _DESCRIBED.get(desc.sort)
        if kind is None or desc.index is None:
            return None
        node = self.type(desc.index, offset)
        if kind is m.FuncType:
            func = bare(node)
            if not isinstance(func, Defined) or not isinstance(func.type, m.FuncType):
                raise BinaryError(f"type {desc.index} describes no func", offset)
            return Func(func)
        closure = self.closure(node, desc, offset)
        return closure if kind is m.ComponentType else Instance(self.inner(offset).run(closure)[1])

    def closure(self, node: Node, desc: m.ExternDesc, offset: int) -> Component:
        """The declarations of a component or instance type."""
        found = bare(node)
        type_ = found.type if isinstance(found, Defined) else None
        if not isinstance(type_, m.ComponentType | m.InstanceType) or not isinstance(type_, _DESCRIBED[desc.sort]):
            raise BinaryError(f"type {desc.index} describes no {desc.sort.value}", offset)
        assert isinstance(found, Defined)
        return Component(type_.decls, found.scope)

    def view(self, given: Entity, desc: m.ExternDesc, name: str, offset: int) -> Entity:
        """`given` as the described type shows it; raises `BinaryError` where it is not of that type.

        Types stay what they are, functions get the names of types that the description uses, and what an instance
        exports beyond it is not seen.
        """
        declared = self.type(desc.index, offset) if desc.index is not None and desc.sort in _TYPED else None
        if isinstance(given, Defined | ResourceNode | Named):
            is_resource = isinstance(bare(given), ResourceNode)
            if is_resource if declared is None else equal_types(given, declared, self.budget, offset):
                return Named(given)
        elif isinstance(given, Func) and declared is not None:
            func = self.described(desc, offset)
            if isinstance(func, Func) and equal_types(given.type, func.type, self.budget, offset):
                return func
        elif isinstance(given, Instance) and declared is not None:
            closure = self.closure(declared, desc, offset)
            return Instance(self.inner(offset).run(closure, None, given.exports)[1])
        else:
            # Modules and values are not known here; components are looked at when they are instantiated.
            return given
        raise BinaryError(f"{quoted(name)} is not of the type that is declared for it", offset)

    # Definitions

    def type_def(self, definition: m.TypeDef) -> None:
        """A type definition; that of a resource makes a new one."""
        at = definition.offset
        resource = isinstance(definition.type, m.ResourceType)
        self.scope.types.append(ResourceNode(at) if resource else Defined(definition.type, self.scope, at))

    def component(self, definition: m.Component) -> None:
        """A nested component: nothing happens until it is instantiated."""
        self.scope.components.append(Component(definition.definitions, self.scope))

    def instantiate(self, definition: m.InstantiateComponent) -> None:
        """An instance of a component, made with the arguments given."""
        at = definition.offset
        self.budget.spend(len(definition.args), at)
        closure = self.at(m.Sort.COMPONENT, definition.component, at)
        assert isinstance(closure, Component)
        args: Externs = {}
        for arg in definition.args:
            if arg.name in args:
                raise BinaryError(f"argument {quoted(arg.name)} is given twice", at)
            args[arg.name] = Extern(arg.sort, self.at(arg.sort, arg.index, at), m.NO_ATTRIBUTES, at)
        self.scope.instances.append(Instance(self.inner(at).run(closure, args)[1]))

    def bundle(self, definition: m.BundleExports) -> None:
        """An instance made of items that are there."""
        exports: Externs = {}
        taken: Taken = {}
        at = definition.offset
        self.budget.spend(len(definition.exports), at)
        for export in definition.exports:
            entity = _renamed(self.at(export.sort, export.index, at))
            _add(exports, taken, export.name, Extern(export.sort, entity, export.attributes, at))
        self.scope.instances.append(Instance(exports))

    def export_alias(self, definition: m.ExportAlias) -> None:
        """What an instance exports under a name."""
        at = definition.offset
        instance = self.at(m.Sort.INSTANCE, definition.instance, at)
        assert isinstance(instance, Instance)
        found = instance.exports.get(definition.name)
        if found is None:
            raise BinaryError(f"instance {definition.instance} exports no {quoted(definition.name)}", at)
        if found.sort is not definition.sort:
            raise BinaryError(
                f"{quoted(definition.name)} is of sort {found.sort.value}, not {definition.sort.value}", at
            )
        self.append(found.sort, found.entity, at)

    def outer_alias(self, definition: m.OuterAlias) -> None:
        """An item of a scope further out."""
        scope: Scope | None = self.scope
        for _ in range(definition.count):
            scope = scope.outer if scope is not None else None
        if scope is None:
            raise BinaryError("outer alias beyond the outermost component", definition.offset)
        entity = self.at(definition.sort, definition.index, definition.offset, scope)
        self.append(definition.sort, entity, definition.offset)

    def lift(self, definition: m.CanonLift) -> None:
        """A core function as a component function."""
        desc = m.ExternDesc(m.Sort.FUNC, definition.type)
        self.append(m.Sort.FUNC, self.described(desc, definition.offset), definition.offset)

    def import_(self, definition: m.Import) -> None:
        """An import: the argument of that name, or something new of its type."""
        at, sort = definition.offset, definition.desc.sort
        if self.args is None:
            entity = self.described(definition.desc, at)
            _add(self.imports, self.taken_imports, definition.name, Extern(sort, entity, definition.attributes, at))
        else:
            given = self.args.get(definition.name)
            if given is None:
                raise BinaryError(f"import {quoted(definition.name)} is given no argument", at)
            if given.sort is not sort:
                raise BinaryError(
                    f"{quoted(definition.name)} is of sort {sort.value}, but given {given.sort.value}", at
                )
            entity = self.view(given.entity, definition.desc, definition.name, at)
        self.append(sort, entity, at)

    def export(self, definition: m.Export) -> None:
        """An export of a component: an item, under the type that it is given."""
        at, sort = definition.offset, definition.sort
        entity = self.at(sort, definition.index, at)
        if definition.desc is None:
            entity = _renamed(entity)
        else:
            entity = self.view(entity, definition.desc, definition.name, at)
        self.append(sort, entity, at)
        _add(self.exports, self.taken_exports, definition.name, Extern(sort, entity, definition.attributes, at))

    def export_decl(self, definition: m.ExportDecl) -> None:
        """An export of a component or instance type."""
        at, sort = definition.offset, definition.desc.sort
        if self.given is None:
            entity = self.described(definition.desc, at)
        else:
            found = self.given.get(definition.name)
            if found is None or found.sort is not sort:
                raise BinaryError(f"{quoted(definition.name)} is declared, but not exported by what is given", at)
            entity = self.view(found.entity, definition.desc, definition.name, at)
        self.append(sort, entity, at)
        _add(self.exports, self.taken_exports, definition.name, Extern(sort, entity, definition.attributes, at))


def _renamed(entity: Entity) -> Entity:
    """An item as it is exported: types get a node of their own."""
    return Named(entity) if isinstance(entity, Defined | ResourceNode | Named) else entity


def _add(externs: Externs, taken: Taken, name: str, extern: Extern) -> None:
    """Adds an import or export, or raises `BinaryError` where one is `taken` that has its name to a component."""
    previous = taken.setdefault(unique_key(name), name)
    if name in externs:
        raise BinaryError(f"{quoted(name)} is there twice", extern.offset)
    if previous != name:
        raise BinaryError(f"{quoted(name)} is the same as {quoted(previous)} to a component", extern.offset)
    externs[name] = extern


#: Index spaces that are kept: the list of the scope, and what may be in it.
_SPACES: dict[m.Sort, tuple[str, type | tuple[type, ...]]] = {
    m.Sort.TYPE: ("types", (Defined, ResourceNode, Named)),
    m.Sort.FUNC: ("funcs", Func),
    m.Sort.INSTANCE: ("instances", Instance),
    m.Sort.COMPONENT: ("components", Component),
}

#: The kind of type that describes an item of a sort.
_DESCRIBED: dict[m.Sort, type] = {
    m.Sort.FUNC: m.FuncType,
    m.Sort.INSTANCE: m.InstanceType,
    m.Sort.COMPONENT: m.ComponentType,
}

#: Sorts whose description is an index into the type space.
_TYPED = frozenset({m.Sort.TYPE, *_DESCRIBED})

#: What is done for a definition; the others say nothing about types.
_STEPS: dict[type, Callable[[_Evaluation, Any], None]] = {
    m.TypeDef: _Evaluation.type_def,
    m.Component: _Evaluation.component,
    m.InstantiateComponent: _Evaluation.instantiate,
    m.BundleExports: _Evaluation.bundle,
    m.ExportAlias: _Evaluation.export_alias,
    m.OuterAlias: _Evaluation.outer_alias,
    m.CanonLift: _Evaluation.lift,
    m.Import: _Evaluation.import_,
    m.Export: _Evaluation.export,
    m.ExportDecl: _Evaluation.export_decl,
}

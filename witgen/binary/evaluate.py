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
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from witgen.binary import model as m
from witgen.binary.errors import BinaryError

__all__ = [
    "Component",
    "Defined",
    "Entity",
    "Extern",
    "Externs",
    "Func",
    "Instance",
    "Named",
    "Node",
    "ResourceNode",
    "Scope",
    "evaluate",
    "evaluate_type",
]

#: How deep instantiations may be nested, and how many definitions they may evaluate altogether: a small file can ask
#: for exponentially many.
MAX_DEPTH = 100
MAX_STEPS = 200_000


@dataclass(slots=True, eq=False)
class Scope:
    """The index spaces of one evaluation of a component or of a component or instance type.

    Core spaces aren't kept. Items of the space of values are None.
    """

    outer: Scope | None
    types: list[Node] = field(default_factory=list)
    funcs: list[Func] = field(default_factory=list)
    instances: list[Instance] = field(default_factory=list)
    components: list[Component] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Defined:
    """A type definition and the scope that its indices are of."""

    type: m.DefType
    scope: Scope
    offset: int


@dataclass(slots=True, eq=False)
class ResourceNode:
    """A resource, unequal to any other."""

    offset: int


@dataclass(slots=True, eq=False)
class Named:
    """A type as an import or export has it: equal to `target`, but seen under a name."""

    target: Node


Node: TypeAlias = Defined | ResourceNode | Named


@dataclass(slots=True, eq=False)
class Func:
    """A function; `type` is the definition of its type."""

    type: Defined


@dataclass(slots=True, eq=False)
class Instance:
    """An instance: its exports."""

    exports: Externs


@dataclass(slots=True, eq=False)
class Component:
    """A component that can be instantiated: its definitions (or the declarations of its type), and where they stand."""

    definitions: tuple[m.Definition | m.Declaration, ...]
    scope: Scope


#: What an index refers to; None for a core module and for a value, of which nothing is known here.
Entity: TypeAlias = Node | Func | Instance | Component | None


@dataclass(slots=True, eq=False)
class Extern:
    """An import or export of a component or instance."""

    sort: m.Sort
    entity: Entity
    attributes: m.NameAttributes
    offset: int


Externs: TypeAlias = dict[str, Extern]


def evaluate(component: m.Component) -> tuple[Externs, Externs]:
    """The imports and exports of a component that is on its own, in the order of the binary.

    Raises `BinaryError` where an alias, an instantiation or an index does not fit what it refers to.
    """
    return _Evaluation(0, [0]).run(Component(component.definitions, Scope(None)), None)


def evaluate_type(component: Component) -> tuple[Externs, Externs]:
    """The imports and exports of a component type that `evaluate` found, with resources of their own."""
    return _Evaluation(0, [0]).run(component, None)


class _Evaluation:
    """One walk over a list of definitions. `steps` is shared with the walks inside it."""

    def __init__(self, depth: int, steps: list[int]) -> None:
        self.depth = depth
        self.steps = steps
        self.args: Mapping[str, Extern] | None = None
        self.imports: Externs = {}
        self.exports: Externs = {}
        self.scope = Scope(None)

    def run(self, closure: Component, args: Mapping[str, Extern] | None) -> tuple[Externs, Externs]:
        """Evaluates `closure`; imports are taken from `args`, or made up where there are none."""
        self.args = args
        self.scope = Scope(closure.scope)
        for definition in closure.definitions:
            step = _STEPS.get(type(definition))
            if step is not None:
                self.steps[0] += 1
                if self.steps[0] > MAX_STEPS:
                    raise BinaryError(f"its types take more than {MAX_STEPS} steps to work out", definition.offset)
                step(self, definition)
        return self.imports, self.exports

    def inner(self, offset: int) -> _Evaluation:
        """A walk inside this one."""
        if self.depth >= MAX_DEPTH:
            raise BinaryError(f"instances nested more than {MAX_DEPTH} levels deep", offset)
        return _Evaluation(self.depth + 1, self.steps)

    # Index spaces

    def append(self, sort: m.Sort, entity: Entity, offset: int) -> None:
        """Adds to an index space what is of its sort."""
        space = _SPACES.get(sort)
        if space is not None:
            name, kind = space
            if not isinstance(entity, kind):
                raise BinaryError(f"this is not a {sort.value}", offset)
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
        while isinstance(node, Named):
            node = node.target
        if not isinstance(node, Defined) or not isinstance(node.type, kind):
            raise BinaryError(f"type {desc.index} is not that of a {desc.sort.value}", offset)
        if isinstance(node.type, m.FuncType):
            return Func(node)
        assert isinstance(node.type, m.InstanceType | m.ComponentType)
        closure = Component(node.type.decls, node.scope)
        if isinstance(node.type, m.ComponentType):
            return closure
        return Instance(self.inner(offset).run(closure, None)[1])

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
        closure = self.at(m.Sort.COMPONENT, definition.component, at)
        assert isinstance(closure, Component)
        args: Externs = {}
        for arg in definition.args:
            if arg.name in args:
                raise BinaryError(f"argument `{arg.name}` is given twice", at)
            args[arg.name] = Extern(arg.sort, self.at(arg.sort, arg.index, at), m.NO_ATTRIBUTES, at)
        self.scope.instances.append(Instance(self.inner(at).run(closure, args)[1]))

    def bundle(self, definition: m.BundleExports) -> None:
        """An instance made of items that are there."""
        exports: Externs = {}
        for export in definition.exports:
            at = definition.offset
            entity = _renamed(self.at(export.sort, export.index, at))
            _add(exports, export.name, Extern(export.sort, entity, export.attributes, at))
        self.scope.instances.append(Instance(exports))

    def export_alias(self, definition: m.ExportAlias) -> None:
        """What an instance exports under a name."""
        at = definition.offset
        instance = self.at(m.Sort.INSTANCE, definition.instance, at)
        assert isinstance(instance, Instance)
        found = instance.exports.get(definition.name)
        if found is None:
            raise BinaryError(f"instance {definition.instance} exports no `{definition.name}`", at)
        if found.sort is not definition.sort:
            raise BinaryError(f"`{definition.name}` is a {found.sort.value}, not a {definition.sort.value}", at)
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
            _add(self.imports, definition.name, Extern(sort, entity, definition.attributes, at))
        else:
            given = self.args.get(definition.name)
            if given is None:
                raise BinaryError(f"import `{definition.name}` is given no argument", at)
            if given.sort is not sort:
                raise BinaryError(f"`{definition.name}` is a {sort.value}, but given a {given.sort.value}", at)
            entity = given.entity
        self.append(sort, entity, at)

    def export(self, definition: m.Export) -> None:
        """An export of a component: an item, under the type that it is given."""
        at, sort = definition.offset, definition.sort
        entity = self.at(sort, definition.index, at)
        desc = definition.desc
        if desc is not None and (sort is not m.Sort.TYPE or desc.index is not None):
            entity = self.described(desc, at)
        else:
            entity = _renamed(entity)
        self.append(sort, entity, at)
        _add(self.exports, definition.name, Extern(sort, entity, definition.attributes, at))

    def export_decl(self, definition: m.ExportDecl) -> None:
        """An export of a component or instance type."""
        at, sort = definition.offset, definition.desc.sort
        entity = self.described(definition.desc, at)
        self.append(sort, entity, at)
        _add(self.exports, definition.name, Extern(sort, entity, definition.attributes, at))


def _renamed(entity: Entity) -> Entity:
    """An item as it is exported: types get a node of their own."""
    return Named(entity) if isinstance(entity, Defined | ResourceNode | Named) else entity


def _add(externs: Externs, name: str, extern: Extern) -> None:
    if name in externs:
        raise BinaryError(f"`{name}` is there twice", extern.offset)
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

"""A world brought together for the template: its sides, names, types and resources, its imports and exports."""

from __future__ import annotations

from collections.abc import Collection

from witgen import ir
from witgen.contract.digest import Digests
from witgen.emit.python.annotations import Annotations, GuestResourceCode, HostResourceCode, ResourceCode
from witgen.emit.python.codec import Codec
from witgen.emit.python.definitions import type_classes
from witgen.emit.python.exports import Exports
from witgen.emit.python.functions import Functions
from witgen.emit.python.imports import Imports
from witgen.emit.python.naming import ClassNames
from witgen.emit.python.provided import leave_to_providers
from witgen.emit.python.refusals import refuse_unsupported
from witgen.emit.python.sides import Sides, divide
from witgen.emit.python.view import Module

__all__ = ["build_module"]


def build_module(resolve: ir.Resolve, world_id: ir.WorldId, provided: Collection[str] = ()) -> Module:
    """The template's view of a world whose imports of `provided` packages and interfaces are left to providers.

    Raises `WitError` naming an item that Python adapters don't carry yet.
    """
    world = resolve.worlds[world_id]
    digest = Digests(resolve).world(world_id)
    resolve = leave_to_providers(resolve, world_id, provided)
    refuse_unsupported(resolve, world)
    sides = divide(resolve, world_id)
    names = ClassNames(sides, world)
    resources = _resources(sides, world)
    codes: dict[ir.TypeId, ResourceCode] = {
        type_: (GuestResourceCode if is_exported else HostResourceCode)(names.type(type_), index)
        for index, (type_, (_, is_exported)) in enumerate(resources.items())
    }
    annotations = Annotations(sides.resolve, names, codes, _passed(sides, world))
    codec = Codec(annotations)
    errors = _errors(sides, world, names)
    functions = Functions(codec, annotations, errors)
    types = _types(sides, world, names)
    exports = Exports(sides, functions)
    export_classes = exports.interfaces()
    world_exports = exports.methods(list(resolve.world_functions(world.exports)))
    imports = Imports(sides, world, functions)
    tables = imports.tables()
    exceptions = {name: annotations.of(type_) for type_, name in errors.items()}
    return Module(
        world=names.world,
        link_name=resolve.world_name(world_id),
        docs=world.docs,
        digest=digest,
        imports_digests=[(n, i.functions) for n, i in sorted(digest.imports.items()) if i.functions],
        exports_digests=[(n, i.functions) for n, i in sorted(digest.exports.items()) if i.functions],
        resources=[
            (owner, sides.resolve.types[type_].name or "", codes[type_].host) for type_, (owner, _) in resources.items()
        ],
        types=type_classes(annotations, types),
        exceptions=list(exceptions.items()),
        imports=imports.interfaces(),
        world_imports=imports.members(),
        import_tables=tables,
        exports=export_classes,
        export_members=exports.members(),
        world_exports=world_exports,
        structs=codec.structs,
        enums=[
            (codec.cases_constant(type_), names.type(type_))
            for type_ in types
            if isinstance(sides.resolve.types[type_].kind, ir.Enum)
        ],
        helpers=codec.helpers,
        import_functions=imports.texts,
    )


def _is_resource(resolve: ir.Resolve, type_: ir.TypeId) -> bool:
    return isinstance(resolve.types[type_].kind, ir.Resource)


def _types(sides: Sides, world: ir.World, names: ClassNames) -> list[ir.TypeId]:
    """The types, resources apart, that have a class or alias in the module, those of imports first."""
    found = [type_ for id_ in sides.interfaces() for type_ in sides.resolve.interfaces[id_].types.values()]
    found += sides.resolve.world_types(world.imports)
    return [
        type_
        for type_ in dict.fromkeys(found)
        if names.has(type_) and names.canonical(type_) == type_ and not _is_resource(sides.resolve, type_)
    ]


def _resources(sides: Sides, world: ir.World) -> dict[ir.TypeId, tuple[str, bool]]:
    """The resource types, each with the link name of what defines it and whether that is exported."""
    found: dict[ir.TypeId, tuple[str, bool]] = {}
    for side in (*sides.imports, *sides.exports):
        for type_ in sides.resolve.interfaces[side.id].types.values():
            if _is_resource(sides.resolve, type_):
                found[type_] = (sides.resolve.link_name(side.key), side.exported)
    found.update(
        {type_: ("", False) for type_ in sides.resolve.world_types(world.imports) if _is_resource(sides.resolve, type_)}
    )
    return found


def _functions(sides: Sides, world: ir.World, *, exported: bool) -> list[ir.Function]:
    """All that is imported, or exported: functions of interfaces first, then those of the world itself."""
    found = [
        function
        for id_ in dict.fromkeys(side.id for side in (sides.exports if exported else sides.imports))
        for function in sides.resolve.interfaces[id_].functions.values()
    ]
    return [*found, *sides.resolve.world_functions(world.exports if exported else world.imports)]


def _passed(sides: Sides, world: ir.World) -> list[ir.Type]:
    """The types of the values that callers pass in: arguments of exports, results of imports."""
    arguments = [param.type for function in _functions(sides, world, exported=True) for param in function.params]
    results = [function.result for function in _functions(sides, world, exported=False)]
    return [*arguments, *(result for result in results if result is not None)]


def _errors(sides: Sides, world: ir.World, names: ClassNames) -> dict[ir.Type, str]:
    """An exception class for each named type that functions give as ``err``."""
    resolve = sides.resolve
    found: dict[ir.Type, str] = {}
    for function in (*_functions(sides, world, exported=False), *_functions(sides, world, exported=True)):
        kind = None if function.result is None else resolve.kind(function.result)
        if isinstance(kind, ir.Result) and kind.err is not None:
            type_ = resolve.dealias(kind.err)
            if not isinstance(type_, ir.Primitive) and names.has(type_) and not _is_resource(resolve, type_):
                found[type_] = names.exception(type_)
    return found

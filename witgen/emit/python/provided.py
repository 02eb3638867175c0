"""Imports that an adapter leaves to providers: what is left of them is the types that the rest of the world uses.

WASI is the usual case: its host is not written anew for each world. Nothing here knows WASI.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from witgen import ir
from witgen.resolve.kinds import references

__all__ = ["leave_to_providers"]


def leave_to_providers(resolve: ir.Resolve, world: ir.WorldId, names: Collection[str]) -> ir.Resolve:
    """The model in which imported interfaces have no functions if they, or their packages, are among `names`.

    A name is ``namespace:package`` or ``namespace:package/interface``, without a version. An interface that the world
    exports as well stays whole.
    """
    row = resolve.worlds[world]
    exported = set(_interfaces(row.exports))
    left = {id_ for id_ in _interfaces(row.imports) if id_ not in exported and _is_named(resolve, id_, names)}
    if not left:
        return resolve
    kept = [id_ for id_ in (*_interfaces(row.imports), *exported) if id_ not in left]
    used = _reachable(resolve, [*_own(resolve, row), *(type_ for id_ in kept for type_ in _whole(resolve, id_))])
    interfaces = tuple(
        (
            replace(interface, functions={}, types={n: t for n, t in interface.types.items() if t in used})
            if number in left
            else interface
        )
        for number, interface in enumerate(resolve.interfaces)
    )
    return replace(resolve, interfaces=interfaces)


def _interfaces(items: Mapping[ir.WorldKey, ir.WorldItem]) -> Iterator[ir.InterfaceId]:
    return (item.id for item in items.values() if isinstance(item, ir.InterfaceItem))


def _is_named(resolve: ir.Resolve, id_: ir.InterfaceId, names: Collection[str]) -> bool:
    interface = resolve.interfaces[id_]
    if interface.name is None:
        return False
    package = resolve.packages[interface.package].name
    full = f"{package.namespace}:{package.name}"
    return full in names or f"{full}/{interface.name}" in names


def _own(resolve: ir.Resolve, world: ir.World) -> Iterator[ir.Type]:
    """The types of a world itself, and those of its functions."""
    for items in (world.imports, world.exports):
        yield from resolve.world_types(items)
        for function in resolve.world_functions(items):
            yield from _signature(function)


def _whole(resolve: ir.Resolve, id_: ir.InterfaceId) -> Iterator[ir.Type]:
    """The types of an interface, and those of its functions."""
    yield from resolve.interfaces[id_].types.values()
    for function in resolve.interfaces[id_].functions.values():
        yield from _signature(function)


def _signature(function: ir.Function) -> Iterator[ir.Type]:
    yield from (param.type for param in function.params)
    if function.result is not None:
        yield function.result


def _reachable(resolve: ir.Resolve, types: Iterable[ir.Type]) -> set[ir.Type]:
    found: set[ir.Type] = set()
    pending = list(types)
    while pending:
        type_ = pending.pop()
        if type_ not in found:
            found.add(type_)
            if not isinstance(type_, ir.Primitive):
                pending += references(resolve.types[type_].kind)
    return found

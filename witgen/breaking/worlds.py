"""Compares worlds: what they import and export, and what stands in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from witgen import ir, semver
from witgen.breaking.difference import Pair, Place
from witgen.breaking.functions import compare_function
from witgen.breaking.members import compare_interfaces, compare_types
from witgen.breaking.shapes import Model
from witgen.breaking.versions import is_later, links

__all__ = ["compare_worlds"]

_Items: TypeAlias = Mapping[ir.WorldKey, ir.WorldItem]

_KINDS = {ir.InterfaceItem: "an interface", ir.FunctionItem: "a function", ir.TypeItem: "a type"}


def compare_worlds(pair: Pair, place: Place, old: ir.WorldId, new: ir.WorldId) -> None:
    """Adds the differences between two worlds; not those of interfaces that stand outside of them."""
    before, after = pair.old.resolve.worlds[old], pair.new.resolve.worlds[new]
    for direction, items, new_items in (
        ("import", before.imports, after.imports),
        ("export", before.exports, after.exports),
    ):
        _compare_named(pair, (*place, direction), _plain(pair, pair.old, items), _plain(pair, pair.new, new_items))
        _compare_interfaces(
            pair, (*place, direction), _by_name(pair, pair.old, items), _by_name(pair, pair.new, new_items)
        )


def _plain(pair: Pair, model: Model, items: _Items) -> dict[str, ir.WorldItem]:
    """The items that have a plain name."""
    return {key: item for key, item in items.items() if isinstance(key, str) and pair.is_there(_gate(model, item))}


def _by_name(pair: Pair, model: Model, items: _Items) -> dict[str, dict[str | None, ir.InterfaceId]]:
    """The interfaces under their own names, by name without version, then by the version of their package."""
    found: dict[str, dict[str | None, ir.InterfaceId]] = {}
    for key, item in items.items():
        if not isinstance(key, str) and pair.is_there(_gate(model, item)):
            package = model.resolve.packages[model.resolve.interfaces[key].package].name
            found.setdefault(model.interface_name(key), {})[package.version] = key
    return found


def _gate(model: Model, item: ir.WorldItem) -> ir.Stability:
    match item:
        case ir.InterfaceItem(stability=stability):
            return stability
        case ir.FunctionItem(function):
            return function.stability
        case ir.TypeItem(id_):
            return model.resolve.types[id_].stability


# Items with plain names


def _compare_named(pair: Pair, place: Place, old: Mapping[str, ir.WorldItem], new: Mapping[str, ir.WorldItem]) -> None:
    direction = place[-1]
    types, new_types = (
        {name: item.id for name, item in items.items() if isinstance(item, ir.TypeItem)} for items in (old, new)
    )
    both = {name for name in types if name in new and name not in new_types}
    both |= {name for name in new_types if name in old and name not in types}
    others = compare_types(pair, place[:-1], _without(types, both), _without(new_types, both), is_exported=False)
    for name, item in old.items():
        if isinstance(item, ir.FunctionItem) and _is_of(pair.old, item.function, others):
            continue
        where = (*place, name)
        if name in new:
            _compare_item(pair, where, item, new[name])
        elif not isinstance(item, ir.TypeItem):
            pair.removed(f"{direction}-removed", where, f"{direction} `{name}`")
    for name, item in new.items():
        is_told = isinstance(item, ir.TypeItem) or (
            isinstance(item, ir.FunctionItem) and _is_of(pair.new, item.function, others)
        )
        if name not in old and not is_told:
            pair.added(f"{direction}-added", (*place, name), f"{direction} `{name}`", _gate(pair.new, item))


def _without(types: Mapping[str, ir.TypeId], names: set[str]) -> dict[str, ir.TypeId]:
    return {name: id_ for name, id_ in types.items() if name not in names}


def _is_of(model: Model, function: ir.Function, resources: set[str]) -> bool:
    return function.resource is not None and model.resolve.types[function.resource].name in resources


def _compare_item(pair: Pair, place: Place, old: ir.WorldItem, new: ir.WorldItem) -> None:
    """Two items with the same plain name; types are compared already."""
    match old, new:
        case ir.FunctionItem(function), ir.FunctionItem(new_function):
            compare_function(pair, place, function, new_function)
        case ir.InterfaceItem(id_), ir.InterfaceItem(new_id):
            _compare_labelled(pair, place, id_, new_id)
        case ir.TypeItem(), ir.TypeItem():
            pass
        case _:
            message = f"{place[-2]} `{place[-1]}` is {_KINDS[type(new)]}, it was {_KINDS[type(old)]}"
            where = (*place[:-2], "type", place[-1]) if isinstance(new, ir.TypeItem) else place
            pair.report("item-kind-changed", where, message)


def _compare_labelled(pair: Pair, place: Place, old: ir.InterfaceId, new: ir.InterfaceId) -> None:
    """Two interfaces under a plain name: written inside the world, or outside and given the name."""
    before, after = pair.old.resolve.interfaces[old], pair.new.resolve.interfaces[new]
    if before.name is None and after.name is None:
        compare_interfaces(pair, place, old, new)
        return
    name, new_name = (
        "an interface of its own" if row.name is None else f"`{model.interface_name(id_)}`"
        for model, id_, row in ((pair.old, old, before), (pair.new, new, after))
    )
    if name != new_name:
        pair.report(
            "label-interface-changed", place, f"{place[-2]} `{place[-1]}` stands for {new_name}, it stood for {name}"
        )
    else:
        _compare_versions(pair, place, f"{place[-2]} `{place[-1]}`", _package(pair.old, old), _package(pair.new, new))


def _package(model: Model, id_: ir.InterfaceId) -> ir.PackageName:
    return model.resolve.packages[model.resolve.interfaces[id_].package].name


# Interfaces under their own names

_Versions: TypeAlias = dict[str | None, ir.InterfaceId]


def _compare_interfaces(pair: Pair, place: Place, old: Mapping[str, _Versions], new: Mapping[str, _Versions]) -> None:
    direction = place[-1]
    steps: dict[tuple[ir.PackageName, ir.PackageName], Place] = {}
    for name in {**old, **new}:
        where = (*place, name)
        before, after = dict(old.get(name, {})), dict(new.get(name, {}))
        for version, other in _pairs(before, after):
            step = _package(pair.old, before.pop(version)), _package(pair.new, after.pop(other))
            steps.setdefault(step, where)
        for id_ in before.values():
            pair.removed(f"{direction}-removed", where, f"{direction} `{pair.old.resolve.link_name(id_)}`")
        for id_ in after.values():
            pair.report(f"{direction}-added", where, f"{direction} `{pair.new.resolve.link_name(id_)}` is new")
    # All that comes from a package comes in its version: that is told once.
    for (package, new_package), where in steps.items():
        what = f"what it {direction}s from `{ir.PackageName(new_package.namespace, new_package.name)}`"
        _compare_versions(pair, where, what, package, new_package)


def _pairs(old: _Versions, new: _Versions) -> list[tuple[str | None, str | None]]:
    """Which version has become which: the same, else one that links with it, else what is left if it is one."""
    found: list[tuple[str | None, str | None]] = [(version, version) for version in old if version in new]
    left, right = ([v for v in sorted(side, key=semver.order_key) if (v, v) not in found] for side in (old, new))
    for version in list(left):
        other = next((other for other in right if links(version, other)), None)
        if other is not None:
            found.append((version, other))
            left.remove(version)
            right.remove(other)
    return [*found, (left[0], right[0])] if len(left) == len(right) == 1 else found


def _compare_versions(pair: Pair, place: Place, what: str, old: ir.PackageName, new: ir.PackageName) -> None:
    """The versions in which interfaces of another package are there; that of the package itself is told of it."""
    if old == new or new == pair.new_name:
        return
    is_lower = old.version is not None and new.version is not None and is_later(old.version, new.version)
    is_raised = links(old.version, new.version) and (pair.is_component or not is_lower)
    rule = f"{place[-2]}-version-{'raised' if is_raised else 'changed'}"
    now, before = (f"version {name.version}" if name.version else "no version" for name in (new, old))
    pair.report(rule, place, f"{what} has {now}, it had {before}")

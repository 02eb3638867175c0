"""Compares what interfaces hold: types and functions, by name."""

from __future__ import annotations

from collections.abc import Mapping

from witgen import ir
from witgen.breaking.definitions import compare_definition, kind_words
from witgen.breaking.difference import Pair, Place
from witgen.breaking.functions import compare_function, words

__all__ = ["compare_interfaces", "compare_types"]

_OTHER_KIND = {"[method]": "[static]", "[static]": "[method]"}


def compare_interfaces(pair: Pair, place: Place, old: ir.InterfaceId, new: ir.InterfaceId) -> None:
    """Adds the differences between two interfaces."""
    before, after = pair.old.resolve.interfaces[old], pair.new.resolve.interfaces[new]
    is_exported = pair.old.interface_name(old) in pair.exported
    others = compare_types(pair, place, before.types, after.types, is_exported=is_exported)
    _compare_functions(pair, place, before, after, others, is_exported=is_exported)


def compare_types(
    pair: Pair,
    place: Place,
    old: Mapping[str, ir.TypeId],
    new: Mapping[str, ir.TypeId],
    *,
    is_exported: bool,
) -> set[str]:
    """Adds the differences between types. Returns the resources of which only one side has functions to compare."""
    before, after = _there(pair, pair.old.resolve, old), _there(pair, pair.new.resolve, new)
    for name, id_ in before.items():
        where = (*place, "type", name)
        if name in after:
            compare_definition(pair, where, id_, after[name])
        else:
            pair.removed("type-removed", where, f"{kind_words(pair.old.resolve.types[id_].kind)} `{name}`")
    for name, id_ in after.items():
        if name not in before:
            row = pair.new.resolve.types[id_]
            rule = "resource-added" if isinstance(row.kind, ir.Resource) else "type-added"
            rule = f"exported-{rule}" if is_exported else rule
            pair.added(rule, (*place, "type", name), f"{kind_words(row.kind)} `{name}`", row.stability)
    return _resources(pair.old.resolve, before) ^ _resources(pair.new.resolve, after)


def _there(pair: Pair, resolve: ir.Resolve, types: Mapping[str, ir.TypeId]) -> dict[str, ir.TypeId]:
    return {name: id_ for name, id_ in types.items() if pair.is_there(resolve.types[id_].stability)}


def _resources(resolve: ir.Resolve, types: Mapping[str, ir.TypeId]) -> set[str]:
    return {name for name, id_ in types.items() if isinstance(resolve.types[id_].kind, ir.Resource)}


def _compare_functions(
    pair: Pair, place: Place, old: ir.Interface, new: ir.Interface, others: set[str], *, is_exported: bool
) -> None:
    before, after = (
        {
            name: function
            for name, function in interface.functions.items()
            if pair.is_there(function.stability) and not _is_of(model.resolve, function, others)
        }
        for model, interface in ((pair.old, old), (pair.new, new))
    )
    moved = {name: other for name in before if (other := _other_kind(name)) in after and name not in after}
    for name, function in before.items():
        where = (*place, "function", name)
        if name in after:
            compare_function(pair, where, function, after[name])
        elif name in moved:
            where = (*place, "function", moved[name])
            pair.report("function-kind-changed", where, f"{words(function)} is a {words(after[moved[name]])} now")
        else:
            pair.removed("function-removed", where, words(function))
    rule = "exported-function-added" if is_exported else "function-added"
    for name, function in after.items():
        if name not in before and name not in moved.values():
            pair.added(rule, (*place, "function", name), words(function), function.stability)


def _is_of(resolve: ir.Resolve, function: ir.Function, resources: set[str]) -> bool:
    """Whether a function is that of one of the resources."""
    return function.resource is not None and resolve.types[function.resource].name in resources


def _other_kind(name: str) -> str:
    """The name of a method if it were static, and the other way round; else nothing."""
    kind, bracket, rest = name.partition("]")
    other = _OTHER_KIND.get(kind + bracket)
    return f"{other}{rest}" if other else ""

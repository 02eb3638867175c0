"""Which items are not there because their feature is off: found by resolving once more, with all features on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import chain

from witgen import ir
from witgen.breaking.difference import Place
from witgen.breaking.shapes import Model
from witgen.diagnostics import WitError
from witgen.project import Contract
from witgen.resolve import load

__all__ = ["features_of"]

_Found = Iterator[tuple[Place, ir.Stability]]


def features_of(contracts: Iterable[Contract], features: Collection[str]) -> dict[tuple[ir.PackageName, Place], str]:
    """The feature of each item that needs one which is not among `features`, by package and place.

    Of contracts that do not resolve with all features on, none.
    """
    found: dict[tuple[ir.PackageName, Place], str] = {}
    for contract in contracts:
        try:
            model = Model(load(contract.roots, all_features=True).resolve)
        except WitError:
            continue
        for package in model.resolve.packages:
            for place, stability in chain(_interfaces(model, package), _worlds(model, package)):
                if stability.unstable is not None and stability.unstable not in features:
                    found[package.name, place] = stability.unstable
    return found


def _interfaces(model: Model, package: ir.Package) -> _Found:
    for name, id_ in package.interfaces.items():
        row = model.resolve.interfaces[id_]
        yield ("interface", name), row.stability
        yield from _members(model, ("interface", name), row)


def _members(model: Model, place: Place, interface: ir.Interface) -> _Found:
    for name, type_ in interface.types.items():
        yield (*place, "type", name), model.resolve.types[type_].stability
    for name, function in interface.functions.items():
        yield (*place, "function", name), function.stability


def _worlds(model: Model, package: ir.Package) -> _Found:
    for name, id_ in package.worlds.items():
        row = model.resolve.worlds[id_]
        yield ("world", name), row.stability
        for direction, items in (("import", row.imports), ("export", row.exports)):
            for key, item in items.items():
                shown = key if isinstance(key, str) else model.interface_name(key)
                place = ("world", name, direction, shown)
                match item:
                    case ir.InterfaceItem(id=interface, stability=stability):
                        yield place, stability
                        if isinstance(key, str):
                            yield from _members(model, place, model.resolve.interfaces[interface])
                    case ir.FunctionItem(function):
                        yield place, function.stability
                    case ir.TypeItem(type_):
                        yield ("world", name, "type", shown), model.resolve.types[type_].stability

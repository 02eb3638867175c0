"""Compares packages: which there are, their versions, interfaces and worlds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from witgen import ir, semver
from witgen.breaking.difference import Difference, Pair, Place
from witgen.breaking.members import compare_interfaces
from witgen.breaking.shapes import Model
from witgen.breaking.versions import is_later, links
from witgen.breaking.worlds import compare_worlds

__all__ = ["Change", "Side", "compare_sides"]


_Id = TypeVar("_Id", ir.InterfaceId, ir.WorldId)


@dataclass(frozen=True)
class Side:
    """The packages of contracts at one time.

    `packages` are all of them, each with a model that has it; `mains` those that are contracts themselves, not just
    used by one.
    """

    packages: Mapping[ir.PackageName, Model]
    mains: Collection[ir.PackageName]


@dataclass(frozen=True)
class Change:
    """A package in two versions, with the differences in the order of their places; either may be None."""

    old: ir.PackageName | None
    new: ir.PackageName | None
    differences: Sequence[Difference]

    @property
    def name(self) -> ir.PackageName:
        """The package without its version."""
        name = self.new or self.old
        assert name is not None
        return ir.PackageName(name.namespace, name.name)


def compare_sides(
    old: Side,
    new: Side,
    *,
    features: Collection[str] | None = (),
    gated: Callable[[ir.PackageName, Place], str | None] = lambda name, place: None,
) -> list[Change]:
    """What has become of each package, sorted by name.

    A package that nothing but other packages used, and that is gone, is none: what used it says so. `features` are
    those that are on, None for all; `gated` tells the feature without which something of a new package is not there.
    """
    exported = frozenset(_exported(old.packages.values()))
    pairs, gone, added = _match(old.packages, new.packages)
    changes = []
    for before, after in pairs:
        pair = Pair(
            *(old.packages[before], new.packages[after], before, after),
            exported=exported,
            gated=lambda place, name=after: gated(name, place),  # type: ignore[misc]
            features=features,
        )
        compare_packages(pair)
        changes.append(Change(before, after, pair.found))
    changes += (_alone("package-removed", name, old.packages[name]) for name in gone if name in old.mains)
    changes += (_alone("package-added", name, new.packages[name]) for name in added)
    return sorted(changes, key=lambda change: (str(change.name), semver.order_key((change.new or change.name).version)))


def _alone(rule: str, name: ir.PackageName, model: Model) -> Change:
    pair = Pair(model, model, name, name)
    is_gone = rule == "package-removed"
    pair.report(rule, (), f"package `{name}` is {'gone' if is_gone else 'new'}", is_gone=is_gone)
    return Change(name, None, pair.found) if is_gone else Change(None, name, pair.found)


def _exported(models: Iterable[Model]) -> Iterable[str]:
    """The interfaces that worlds export, by name without version."""
    for model in models:
        for world in model.resolve.worlds:
            for item in world.exports.values():
                if isinstance(item, ir.InterfaceItem):
                    yield model.interface_name(item.id)


def _match(
    old: Collection[ir.PackageName], new: Collection[ir.PackageName]
) -> tuple[list[tuple[ir.PackageName, ir.PackageName]], list[ir.PackageName], list[ir.PackageName]]:
    """Which package has become which, which are gone, which are new.

    Of a package that is there in several versions, each belongs to the same one, else to one that links with it, else
    the highest that is left to the highest.
    """
    pairs = [(name, name) for name in old if name in new]
    left = [name for name in sorted(old, key=_order) if name not in new]
    right = [name for name in sorted(new, key=_order) if name not in old]
    for fits in (_links, lambda a, b: a.namespace == b.namespace and a.name == b.name):
        for name in reversed(list(left)):
            other = next((other for other in reversed(right) if fits(name, other)), None)
            if other is not None:
                pairs.append((name, other))
                left.remove(name)
                right.remove(other)
    return pairs, left, right


def _order(name: ir.PackageName) -> tuple[object, ...]:
    return name.namespace, name.name, semver.order_key(name.version)


def _links(a: ir.PackageName, b: ir.PackageName) -> bool:
    return (a.namespace, a.name) == (b.namespace, b.name) and links(a.version, b.version)


def compare_packages(pair: Pair) -> None:
    """Adds the differences between two versions of a package."""
    _compare_versions(pair)
    before, after = pair.old.package(pair.old_name), pair.new.package(pair.new_name)
    _compare_interfaces(pair, before, after)
    _compare_worlds(pair, before, after)


def _compare_versions(pair: Pair) -> None:
    old, new = pair.old_name.version, pair.new_name.version
    name = pair.new_name
    if old is None and new is not None:
        pair.report("version-added", (), f"package `{name}` had no version")
    elif old is not None and new is None:
        pair.report("version-removed", (), f"package `{name}` has no version, it had {old}")
    elif old is not None and new is not None and is_later(old, new):
        pair.report("version-lowered", (), f"package `{name}` had the later version {old}")


def _compare_interfaces(pair: Pair, old: ir.Package, new: ir.Package) -> None:
    before = _there(pair, old.interfaces, pair.old.resolve.interfaces)
    after = _there(pair, new.interfaces, pair.new.resolve.interfaces)
    for name, id_ in before.items():
        place = ("interface", name)
        if name not in after:
            pair.removed("interface-removed", place, f"interface `{name}`")
            continue
        gates = (pair.old.resolve.interfaces[id_].stability, pair.new.resolve.interfaces[after[name]].stability)
        pair.compare_gates(place, f"interface `{name}`", *gates)
        compare_interfaces(pair, place, id_, after[name])
    for name, id_ in after.items():
        if name not in before:
            stability = pair.new.resolve.interfaces[id_].stability
            pair.added("interface-added", ("interface", name), f"interface `{name}`", stability)


def _compare_worlds(pair: Pair, old: ir.Package, new: ir.Package) -> None:
    before = _there(pair, old.worlds, pair.old.resolve.worlds)
    after = _there(pair, new.worlds, pair.new.resolve.worlds)
    for name, id_ in before.items():
        place = ("world", name)
        if name not in after:
            pair.removed("world-removed", place, f"world `{name}`")
            continue
        gates = (pair.old.resolve.worlds[id_].stability, pair.new.resolve.worlds[after[name]].stability)
        pair.compare_gates(place, f"world `{name}`", *gates)
        compare_worlds(pair, place, id_, after[name])
    for name, id_ in after.items():
        if name not in before:
            stability = pair.new.resolve.worlds[id_].stability
            pair.added("world-added", ("world", name), f"world `{name}`", stability)


def _there(pair: Pair, ids: Mapping[str, _Id], rows: Sequence[ir.Interface] | Sequence[ir.World]) -> dict[str, _Id]:
    """The interfaces or worlds that are there with the features that are on."""
    return {name: id_ for name, id_ in ids.items() if pair.is_there(rows[id_].stability)}

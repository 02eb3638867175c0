"""A component as the older state: what it was built for, as far as its own types tell.

A component has of each interface only what it uses, and of what it exports all. So what is new in an interface says
nothing; what counts is whether the component still links with what keeps the contract.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from witgen import ir
from witgen.breaking.difference import Difference, Pair
from witgen.breaking.packages import Change
from witgen.breaking.rule import Built
from witgen.breaking.shapes import Model
from witgen.breaking.worlds import compare_worlds
from witgen.resolve import Loaded

__all__ = ["against_component", "is_component"]

_PACKAGE = ir.PackageName("root", "component")


def is_component(loaded: Loaded) -> bool:
    """Whether what was loaded is a component, which stands for its world."""
    return loaded.resolve.packages[loaded.main].name == _PACKAGE


def against_component(changes: Iterable[Change], component: Loaded, new: Loaded, world: ir.WorldId) -> list[Change]:
    """What of the changes since a component was built concerns it, and how its world differs from `world` of `new`."""
    old = Model(component.resolve)
    (own,) = component.resolve.packages[component.main].worlds.values()
    roles = _roles(old, own)
    kept = [
        replace(change, differences=[d for d in change.differences if _concerns(change, d, roles)])
        for change in changes
        if change.old is not None and change.new is not None
    ]
    name = new.resolve.packages[new.main].name
    before = next((change.old for change in kept if change.new == name), name)
    pair = Pair(old, Model(new.resolve), before or name, name, is_component=True)
    compare_worlds(pair, ("world", new.resolve.worlds[world].name), own, world)
    found = [difference for difference in pair.found if difference.rule.built]
    return _joined(kept, Change(before, name, found))


def _roles(model: Model, world: ir.WorldId) -> dict[str, Built]:
    """What a component does with interfaces, by name without version."""
    row = model.resolve.worlds[world]
    found: dict[str, Built] = {}
    for items, role in ((row.imports, Built.IMPORTING), (row.exports, Built.EXPORTING)):
        for item in items.values():
            if isinstance(item, ir.InterfaceItem):
                name = model.interface_name(item.id)
                found[name] = found.get(name, Built.NONE) | role
    return found


def _concerns(change: Change, difference: Difference, roles: dict[str, Built]) -> bool:
    """Whether a difference of an interface keeps the component from linking; worlds are compared by themselves."""
    place = difference.place
    if len(place) < 2 or place[0] != "interface":
        return False
    return bool(difference.rule.built & roles.get(change.name.interface(place[1]), Built.NONE))


def _joined(changes: Sequence[Change], of_world: Change) -> list[Change]:
    """The changes with those of the world in that of its package."""
    joined = [
        (
            replace(change, differences=[*change.differences, *of_world.differences])
            if change.new == of_world.new
            else change
        )
        for change in changes
    ]
    return joined if any(change.new == of_world.new for change in changes) else [*joined, of_world]

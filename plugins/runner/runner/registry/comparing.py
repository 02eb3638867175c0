"""Whether one version of a component may follow another: what hosts of the old one notice, and what versions allow.

Both are compared as `witgen breaking` compares contracts, by the types in their binaries, and read as hosts see them: a
host calls what a component exports, and offers what it imports.

- What a component exports may gain things; what is gone or differs breaks hosts.
- Of what it imports it has only what it uses, so that less or more of an interface says nothing; what differs does.
- A package answers for its interfaces by its own version. For which interfaces there are, the component's version does.
"""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from witgen import ir, semver
from witgen.breaking.difference import Difference
from witgen.breaking.packages import Change, Side, compare_sides
from witgen.breaking.rule import Level
from witgen.breaking.shapes import Model
from witgen.breaking.versions import allowed, smallest
from witgen.diagnostics import Diagnostic, Note
from witgen.resolve import Loaded, load

__all__ = ["decode", "predecessor", "refusals"]

_COMPONENT = ir.PackageName("root", "component")
#: What linkers and tool chains change without anybody's doing.
_OF_LINKERS = {"import-version-raised", "import-removed"}


def decode(component: bytes) -> Loaded:
    """The types of a component, as WIT. Raises `WitError` for what has none."""
    with tempfile.TemporaryDirectory(prefix="runner-") as folder:
        path = Path(folder) / "component.wasm"
        path.write_bytes(component)
        return load((path,))


def predecessor(version: str, published: Collection[str]) -> str | None:
    """The highest release before a version; None where there is none. Pre-releases promise nothing to anyone."""
    own = semver.order_key(version)
    earlier = [item for item in published if "-" not in item and semver.order_key(item) < own]
    return max(earlier, key=semver.order_key, default=None)


def refusals(old: Loaded, new: Loaded, versions: tuple[str, str], place: str) -> list[Diagnostic]:
    """What the versions do not allow, old and new ones of the component in `versions`; each an error at `place`."""
    models = Model(old.resolve), Model(new.resolve)
    exported = {*_exports(models[0]), *_exports(models[1])}
    found: list[Diagnostic] = []
    for change in compare_sides(_side(models[0]), _side(models[1]), features=None):
        if change.old is None or change.new is None:
            continue
        is_own = change.new == _COMPONENT
        step = versions if is_own else (change.old.version, change.new.version)
        limit = allowed(*step)
        for difference in change.differences:
            is_exported = is_own or _is_exported(change, difference, exported)
            level = _level(difference, is_exported)
            if _is_seen(change, difference, is_exported) and level > limit:
                needed = smallest(step[0], level)
                found.append(_error(change, difference, needed, place, is_own))
    return found


def _is_seen(change: Change, difference: Difference, is_exported: bool) -> bool:
    """Whether hosts may notice a difference."""
    if change.new == _COMPONENT:
        return difference.rule.id not in _OF_LINKERS
    if difference.place[:1] != ("interface",) or len(difference.place) == 2:
        # Versions of packages, and which interfaces there are, show where the component imports and exports them.
        return False
    return is_exported or (not difference.is_gone and difference.rule.level is not Level.ADDITION)


def _is_exported(change: Change, difference: Difference, exported: Collection[str]) -> bool:
    return len(difference.place) > 1 and change.name.interface(difference.place[1]) in exported


def _level(difference: Difference, is_exported: bool) -> Level:
    """What a version has to say of it: what breaks nobody who calls an export is an addition."""
    level = difference.rule.level
    is_addition = is_exported and level is Level.BREAKING and not difference.callers
    return Level.ADDITION if is_addition else level


def _error(change: Change, difference: Difference, needed: str | None, place: str, is_own: bool) -> Diagnostic:
    where = "" if is_own else f"{change.new}, interface {difference.place[1]}: "
    name = "the component" if is_own else str(change.name)
    notes = () if needed is None else (Note(f"if it is meant, make {name} {needed} or later"),)
    return Diagnostic(f"{where}{difference.message}", place, notes, rule=difference.rule.id)


def _side(model: Model) -> Side:
    return Side({package.name: model for package in model.resolve.packages}, (_COMPONENT,))


def _exports(model: Model) -> Iterator[str]:
    """The interfaces that a component exports, by name without version."""
    (own,) = model.package(_COMPONENT).worlds.values()
    for item in model.resolve.worlds[own].exports.values():
        if isinstance(item, ir.InterfaceItem):
            yield model.interface_name(item.id)

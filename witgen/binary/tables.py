"""Tables of a resolved model while they are filled from a binary, and their packages in the end.

A binary says of which package an interface or world is, but nowhere which packages there are; they come in the order of
dependency. This module knows the resolved model; how it is read, `witgen.binary.builder` knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from witgen import ir

__all__ = ["InterfaceRow", "TypeNames", "WorldRow", "freeze"]

TypeNames: TypeAlias = dict[str, ir.TypeId]


@dataclass(slots=True)
class InterfaceRow:
    """An interface; `name` is None for one inside a world."""

    name: str | None
    package: ir.PackageName
    types: TypeNames = field(default_factory=dict)
    functions: dict[str, ir.Function] = field(default_factory=dict)

    @property
    def link_name(self) -> str | None:
        """``ns:pkg/name@version``, None for one inside a world."""
        return None if self.name is None else self.package.interface(self.name)


@dataclass(slots=True)
class WorldRow:
    """A world."""

    name: str
    package: ir.PackageName
    types: TypeNames = field(default_factory=dict)
    imports: dict[ir.WorldKey, ir.WorldItem] = field(default_factory=dict)
    exports: dict[ir.WorldKey, ir.WorldItem] = field(default_factory=dict)


def freeze(
    types: Sequence[ir.TypeDef], rows: Sequence[InterfaceRow], worlds: Sequence[WorldRow], root: ir.PackageName
) -> ir.Resolve:
    """The finished model; `root` is its last package."""
    names = _in_order(types, rows, root)
    packages = {name: ir.PackageId(i) for i, name in enumerate(names)}
    interfaces: dict[ir.PackageName, dict[str, ir.InterfaceId]] = {name: {} for name in names}
    world_ids: dict[ir.PackageName, dict[str, ir.WorldId]] = {name: {} for name in names}
    for i, row in enumerate(rows):
        if row.name is not None:
            interfaces[row.package][row.name] = ir.InterfaceId(i)
    for i, world in enumerate(worlds):
        world_ids[world.package][world.name] = ir.WorldId(i)
    return ir.Resolve(
        worlds=tuple([ir.World(w.name, w.imports, w.exports, packages[w.package]) for w in worlds]),
        interfaces=tuple([ir.Interface(r.name, r.types, r.functions, packages[r.package]) for r in rows]),
        types=tuple(types),
        packages=tuple([ir.Package(name, interfaces[name], world_ids[name]) for name in names]),
    )


def _in_order(types: Sequence[ir.TypeDef], rows: Sequence[InterfaceRow], root: ir.PackageName) -> list[ir.PackageName]:
    """The packages so that each follows those that it uses, otherwise in the order of the rows; `root` is the last."""
    used: dict[ir.PackageName, dict[ir.PackageName, None]] = {}
    for row in rows:
        of_package = used.setdefault(row.package, {})
        for type_ in row.types.values():
            of_package.update(dict.fromkeys(_package_of_target(types, rows, types[type_].kind)))
    order: dict[ir.PackageName, None] = {}
    seen = {root}
    for name in used:
        pending: list[tuple[ir.PackageName, Iterator[ir.PackageName]]] = []
        if name not in seen:
            seen.add(name)
            pending.append((name, iter(used[name])))
        while pending:
            current, rest = pending[-1]
            following = next((other for other in rest if other not in seen), None)
            if following is None:
                pending.pop()
                order[current] = None
            else:
                seen.add(following)
                pending.append((following, iter(used[following])))
    return [*order, root]


def _package_of_target(
    types: Sequence[ir.TypeDef], rows: Sequence[InterfaceRow], kind: ir.Kind
) -> Iterator[ir.PackageName]:
    """The package of what an alias stands for, if it is of an interface."""
    if isinstance(kind, ir.Alias) and not isinstance(kind.target, ir.Primitive):
        owner = types[kind.target].owner
        if isinstance(owner, ir.InterfaceOwner):
            yield rows[owner.id].package

"""Which names the items of a file use: the paths in ``use``, ``include``, ``import`` and ``export``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from witgen.syntax import ast

__all__ = ["Reference", "references"]


@dataclass(frozen=True, slots=True)
class Reference:
    """A use of a path.

    `user` is the interface or world that can't be without it: the interface of a ``use``, the world of an
    ``include``. Elsewhere it is None.
    """

    path: ast.UsePath
    gates: tuple[ast.Gate, ...]
    user: ast.Name | None = None
    names: tuple[ast.UseName, ...] | None = None
    is_world: bool = False


def references(items: Iterable[ast.Item]) -> Iterator[Reference]:
    """The paths that items use, in the order in which they get their ids: imports of a world before its exports."""
    for item in items:
        match item:
            case ast.World():
                yield from _of_world(item)
            case ast.Interface():
                yield from _of_uses(item.items, item.name)
            case ast.TopLevelUse():
                yield Reference(item.path, item.gates)


def _of_world(world: ast.World) -> Iterator[Reference]:
    externs: list[ast.Import | ast.Export] = []
    for item in world.items:
        match item:
            case ast.Use():
                yield Reference(item.path, item.gates, names=item.names)
            case ast.Include():
                yield Reference(item.path, item.gates, user=world.name, is_world=True)
            case ast.Import() | ast.Export():
                externs.append(item)
    externs.sort(key=lambda item: isinstance(item, ast.Export))
    for extern in externs:
        match extern.extern:
            case ast.ExternInterface(items=items):
                yield from _of_uses(items, None)
            case ast.ExternPath(path=path):
                yield Reference(path, extern.gates)


def _of_uses(items: Iterable[ast.InterfaceItem], user: ast.Name | None) -> Iterator[Reference]:
    for item in items:
        if isinstance(item, ast.Use):
            yield Reference(item.path, item.gates, user=user, names=item.names)

"""Finds the world that a user means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from witgen import ir
from witgen.diagnostics import Note, WitError
from witgen.resolve.order import did_you_mean

if TYPE_CHECKING:
    from witgen.resolve.loading import Loaded

__all__ = ["select_world"]

_PATH = re.compile(r"(?:(?P<namespace>[\w-]+):(?P<package>[\w-]+)/)?(?P<world>[\w-]+)(?:@(?P<version>.+))?")


def select_world(loaded: Loaded, name: str | None) -> ir.WorldId:
    """The world with that name: ``w`` in the main package, or ``ns:pkg/w`` or ``ns:pkg/w@1.0.0`` anywhere.

    Without a name it is the only world of the main package. Raises WitError that names the candidates where there is
    none, or more than one.
    """
    resolve = loaded.resolve
    main = resolve.packages[loaded.main]
    if name is None:
        if len(main.worlds) == 1:
            return next(iter(main.worlds.values()))
        if not main.worlds:
            raise WitError.at(str(main.name), "this package has no world", *_candidates(resolve, resolve.packages))
        raise WitError.at(
            str(main.name), "this package has several worlds; name the one that is meant", *_candidates(resolve, [main])
        )
    match = _PATH.fullmatch(name)
    if match is None:
        raise WitError.at(
            "world", f"`{name}` is no name of a world; it has the form `name` or `namespace:package/name@version`"
        )
    package = main if match["namespace"] is None else _package(resolve, match, name)
    world = match["world"]
    if world not in package.worlds:
        notes = did_you_mean(world, list(package.worlds)) or _candidates(resolve, [package])
        raise WitError.at(str(package.name), f"there is no world `{world}` in this package", *notes)
    return package.worlds[world]


def _package(resolve: ir.Resolve, match: re.Match[str], name: str) -> ir.Package:
    wanted = ir.PackageName(match["namespace"], match["package"], match["version"])
    found = [package for package in resolve.packages if package.name == wanted]
    if not found and wanted.version is None:
        found = [
            package
            for package in resolve.packages
            if (package.name.namespace, package.name.name) == (wanted.namespace, wanted.name)
        ]
    if len(found) == 1:
        return found[0]
    if found:
        versions = " and ".join(f"`{package.name.version}`" for package in found)
        raise WitError.at("world", f"`{name}` is ambiguous: package `{wanted}` is there in versions {versions}")
    names = [str(package.name) for package in resolve.packages]
    notes = did_you_mean(str(wanted), names) or [Note("the packages are " + ", ".join(f"`{n}`" for n in names[:12]))]
    raise WitError.at("world", f"there is no package `{wanted}`, of which `{name}` would be a world", *notes)


def _candidates(resolve: ir.Resolve, packages: list[ir.Package] | tuple[ir.Package, ...]) -> list[Note]:
    names = [package.name.interface(world) for package in packages for world in package.worlds]
    return [Note("the worlds are " + ", ".join(f"`{name}`" for name in names[:20]))] if names else []

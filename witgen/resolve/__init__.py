"""From WIT files to the resolved model: packages, names, gates and worlds.

`load` reads roots as design/mvp/WIT.md describes ("Filesystem structure") and ends in an `ir.Resolve` with the tables,
the order and the ids of the reference tools; `select_world` finds a world in it by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from witgen.resolve.loading import Loaded, load
    from witgen.resolve.select import select_world

__all__ = ["Loaded", "load", "select_world"]

_HOMES = {"Loaded": "loading", "load": "loading", "select_world": "select"}


def __getattr__(name: str) -> Any:
    # Who wants to know which files there are, as a check that finds nothing changed, need not wait for the model.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value

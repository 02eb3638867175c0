"""From WIT files to the resolved model: packages, names, gates and worlds.

`load` reads roots as design/mvp/WIT.md describes ("Filesystem structure") and ends in an `ir.Resolve` with the tables,
the order and the ids of the reference tools; `select_world` finds a world in it by name.
"""

from __future__ import annotations

from witgen.resolve.load import Loaded, load
from witgen.resolve.select import select_world

__all__ = ["Loaded", "load", "select_world"]

"""Pauses the cyclic garbage collector while large trees are built.

A syntax tree or a set of tables is many objects, all alive and none in a cycle; looking through them again and again
for garbage takes as long as making them.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["no_garbage"]


@contextmanager
def no_garbage() -> Iterator[None]:
    """While the block makes no garbage in cycles: the collector is off, and after it as it was before."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

"""What jemalloc holds, where it is the allocator of this process (by LD_PRELOAD). It knows no other allocator.

Python's own allocator stands between objects and `malloc`; with ``PYTHONMALLOC=malloc`` it does not.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Mapping

__all__ = ["held"]

#: What is told, and what it is called in jemalloc(3), all in bytes: what the program has asked for and not given back,
#: pages with any of that, pages in memory, and what is taken from the system.
_KINDS = {
    "allocated": b"stats.allocated",
    "active": b"stats.active",
    "resident": b"stats.resident",
    "mapped": b"stats.mapped",
}


def held() -> Mapping[str, int]:
    """Bytes by kind, now; nothing where the allocator is another one, or was built without statistics."""
    control = _control()
    return {} if control is None else _read(control)


@functools.cache
def _control() -> Callable[..., int] | None:
    """jemalloc's `mallctl`, if this process has it."""
    try:
        found = ctypes.CDLL(None).mallctl
    except (AttributeError, OSError):
        return None
    found.restype = ctypes.c_int
    found.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    return found


def _read(control: Callable[..., int]) -> Mapping[str, int]:
    # Statistics are those of the last turn of the epoch: a write turns it.
    epoch = ctypes.c_uint64(1)
    control(b"epoch", None, None, ctypes.byref(epoch), ctypes.sizeof(epoch))
    told = {}
    for kind, name in _KINDS.items():
        value, size = ctypes.c_size_t(), ctypes.c_size_t(ctypes.sizeof(ctypes.c_size_t))
        if control(name, ctypes.byref(value), ctypes.byref(size), None, 0) == 0:
            told[kind] = value.value
    return told

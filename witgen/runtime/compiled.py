"""Compiled core modules, kept on disk: what was compiled once, in any process of the user, is not compiled again.

Machine code is run as it is found, so what is kept here is believed on three conditions: nobody but the user can write
to the folder or the file, the file has the digest that its name says, and wasmtime finds that it made the code itself
for this engine. Whatever does not fulfil them is compiled anew, as is everything where there is no folder.

A file is named after what decides its content (the module, and all that decides how the engine compiles it) and after
its content. The folder is `compiled` in that of `witgen.store`, with bounds of its own. Nothing here knows components.
"""

from __future__ import annotations

import contextlib
import hashlib
import mmap
import os
import stat
import sys
from pathlib import Path
from weakref import WeakKeyDictionary

import wasmtime

from witgen import store
from witgen.runtime.core import fingerprint

__all__ = ["compiled"]

_MOST_BYTES = 1 << 30
_MOST_ENTRIES = 2000
#: From this size on, in bytes, code is mapped from its file, which takes no time, and not copied into memory.
_MAPPED = 1 << 20
_FLAGS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

_fingerprints: WeakKeyDictionary[wasmtime.Engine, bytes] = WeakKeyDictionary()


def compiled(engine: wasmtime.Engine, module: bytes | memoryview) -> wasmtime.Module:
    """A core module, compiled for an engine: found on disk, or compiled now and kept for later.

    Raises `wasmtime.WasmtimeError` if the module is not valid.
    """
    folder = _private_folder()
    if folder is None:
        return wasmtime.Module(engine, bytes(module))
    key = _key(engine, module)
    found = _find(engine, folder, key)
    if found is None:
        found = wasmtime.Module(engine, bytes(module))
        _keep(folder, key, found)
    return found


def _key(engine: wasmtime.Engine, module: bytes | memoryview) -> str:
    known = _fingerprints.get(engine)
    if known is None:
        known = _fingerprints[engine] = _digest(fingerprint(engine)).encode()
    return _digest(known, module)


def _find(engine: wasmtime.Engine, folder: Path, key: str) -> wasmtime.Module | None:
    # One, unless two processes compiled the module at the same time.
    for path in folder.glob(f"{key}-*{store.SUFFIX}"):
        try:
            return _read(engine, path)
        except (OSError, ValueError, wasmtime.WasmtimeError):
            # Damaged, of another owner, or made by something else: whatever it is, it is not asked for again.
            with contextlib.suppress(OSError):
                path.unlink()
    return None


def _read(engine: wasmtime.Engine, path: Path) -> wasmtime.Module:
    """The module in a file. Raises ValueError if it has not the digest of its name, or may be somebody else's."""
    digest = path.name.removesuffix(store.SUFFIX).rpartition("-")[2]
    with os.fdopen(os.open(path, os.O_RDONLY | _FLAGS), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode) or not _is_private(status):
            raise ValueError("others can write the file")
        if status.st_size < _MAPPED:
            data = file.read()
            _check(data, digest)
            module = wasmtime.Module.deserialize(engine, data)
        else:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                _check(content, digest)
            module = wasmtime.Module.deserialize_file(engine, str(path))
    store.mark_as_used(str(path), status.st_mtime)
    return module


def _check(data: bytes | mmap.mmap, digest: str) -> None:
    if _digest(data) != digest:
        raise ValueError("the file is damaged")


def _digest(*parts: bytes | bytearray | memoryview | mmap.mmap) -> str:
    """The digest of all parts together; only the last one has a length that varies."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def _keep(folder: Path, key: str, module: wasmtime.Module) -> None:
    with contextlib.suppress(OSError, wasmtime.WasmtimeError):
        data = module.serialize()
        if len(data) <= _MOST_BYTES // 4:
            store.write(str(folder / f"{key}-{_digest(data)}{store.SUFFIX}"), data)
            store.prune(str(folder), _MOST_BYTES, _MOST_ENTRIES)


def _private_folder() -> Path | None:
    """The folder for compiled code, made if need be; None if there is none that only the user can write to."""
    place = store.folder()
    if place is None:
        return None
    folder = Path(place) / "compiled"
    with contextlib.suppress(OSError, ValueError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
        if stat.S_ISDIR(status.st_mode) and _is_private(status):
            return folder
    return None


def _is_private(status: os.stat_result) -> bool:
    """Whether something belongs to the user, and nobody else can write to it.

    On Windows, which has no owners by number, who may write is the affair of the user's profile.
    """
    if sys.platform == "win32":
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)

"""Keeps what can be made again, in the user's cache folder, under the digest of all that decides it.

A kept value can't be stale, because another input has another key. What can't be read, written or trusted costs time,
never correctness, and is passed over in silence. The folder is the platform's, or the one that ``WITGEN_CACHE_DIR``
names; ``WITGEN_CACHE=off`` keeps and finds nothing. It knows nothing of what it keeps, and imports little: every
command waits for it. What is better kept as files of their own, in a folder of their own, uses its parts.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from _thread import get_ident

try:
    # Python's own, without OpenSSL, whose libraries take milliseconds to load.
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

__all__ = ["SUFFIX", "folder", "get", "is_on", "key_of", "mark_as_used", "prune", "put", "write"]

#: Part of the name of every file that is ours: others in the folder are left alone.
SUFFIX = ".witgen"
_MOST_BYTES = 256 * 2**20
_MOST_ENTRIES = 1000
_DIGEST_SIZE = 32
_DAY = 24 * 60 * 60
_LONGEST_REST = 30 * _DAY
#: Windows would change line ends otherwise.
_BINARY = getattr(os, "O_BINARY", 0)


def is_on() -> bool:
    """Whether there is a place to keep things."""
    return folder() is not None


def key_of(*parts: bytes) -> str:
    """The key of a value that `parts` decide, in their order and division."""
    digest = blake2b(digest_size=_DIGEST_SIZE)
    for part in parts:
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()


def get(kind: str, key: str) -> bytes | None:
    """The value of that kind under the key; None where there is none, or one that was damaged."""
    path = _path(kind, key)
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            data = file.read()
            mark_as_used(path, os.fstat(file.fileno()).st_mtime)
    except (OSError, ValueError):
        return None
    value = data[_DIGEST_SIZE:]
    return value if _digest(kind, key, value) == data[:_DIGEST_SIZE] else None


def put(kind: str, key: str, value: bytes) -> None:
    """Keep a value for later processes, all of it or nothing; in vain where the folder can't be written."""
    path = _path(kind, key)
    if path is None or len(value) > _MOST_BYTES // 4:
        return
    with contextlib.suppress(OSError, ValueError):
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        write(path, _digest(kind, key, value) + value)
        # Looking through the folder takes longer than all the rest: one write in sixteen does it.
        if key.startswith("0"):
            prune(os.path.dirname(path), _MOST_BYTES, _MOST_ENTRIES)


def write(path: str, data: bytes | bytearray) -> None:
    """Write a file that nobody sees before all of it is there. Raises OSError if it can't be written."""
    temporary = f"{path}.{os.getpid()}.{get_ident()}.{time.monotonic_ns()}{SUFFIX}"
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600), "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        # The other name says nothing to anyone.
        error.filename, error.filename2 = path, None
        raise


def _path(kind: str, key: str) -> str | None:
    place = folder()
    return None if place is None else os.path.join(place, f"{kind}-{key[:40]}{SUFFIX}")


def folder() -> str | None:
    """The folder for what can be made again; None where nothing is to be kept, or there is no place for it."""
    if os.environ.get("WITGEN_CACHE", "").lower() in ("off", "0"):
        return None
    chosen = os.environ.get("WITGEN_CACHE_DIR")
    if chosen:
        return os.path.abspath(chosen)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~/AppData/Local")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or ""
        if not os.path.isabs(base):
            base = os.path.expanduser("~/.cache")
    # Without a home there is still a `~` in it.
    return os.path.join(base, "witgen") if os.path.isabs(base) else None


def _digest(kind: str, key: str, value: bytes) -> bytes:
    """What makes a value trusted: it is whole, and it is the one that was kept under this name."""
    digest = blake2b(f"{kind}-{key}\0".encode(), digest_size=_DIGEST_SIZE)
    digest.update(value)
    return digest.digest()


def mark_as_used(path: str, written: float) -> None:
    """Put off the removal of an entry; once a day is enough."""
    if time.time() - written > _DAY:
        with contextlib.suppress(OSError):
            os.utime(path)


def prune(place: str, most_bytes: int, most_entries: int) -> None:
    """Remove what wasn't used for long of our files in a folder, and the oldest of what is too much."""
    with os.scandir(place) as entries:
        ours = [entry for entry in entries if entry.name.endswith(SUFFIX)]
    found: list[tuple[float, int, str]] = []
    for entry in ours:
        # Another process may remove it at the same time.
        with contextlib.suppress(OSError):
            stat = entry.stat(follow_symlinks=False)
            found.append((stat.st_mtime, stat.st_size, entry.path))
    total = 0
    oldest = time.time() - _LONGEST_REST
    for number, (written, size, path) in enumerate(sorted(found, reverse=True)):
        total += size
        if total > most_bytes or number >= most_entries or written < oldest:
            with contextlib.suppress(OSError):
                os.unlink(path)

"""Folders that are open: whether a name is there, and one at a time who gives names in them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from runner.storage.errors import Reason, StorageError

__all__ = ["DIRECTORY", "PATIENCE", "held", "is_there", "locked"]

#: How a folder is opened.
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY
#: Seconds that a lock is waited for.
PATIENCE = 10.0


def is_there(folder: int, name: bytes) -> bool:
    """Whether a name is there."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


@contextlib.contextmanager
def locked(folder: int) -> Iterator[None]:
    """Lets one at a time give names in a folder, of all processes that ask for it here.

    A descriptor of its own carries the lock: threads with the same one would all have it.
    """
    own = os.open(".", DIRECTORY, dir_fd=folder)
    try:
        with held(own):
            yield
    finally:
        os.close(own)


@contextlib.contextmanager
def held(own: int, patience: float = PATIENCE) -> Iterator[None]:
    """The same, with a descriptor that nobody else has.

    Any program that can read the folder can hold its lock, by mistake or to do harm: after `patience` seconds what
    is wanted is refused as busy.
    """
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(own, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= until:
                raise StorageError(Reason.BUSY) from None
            time.sleep(0.001)
    try:
        yield
    finally:
        fcntl.flock(own, fcntl.LOCK_UN)

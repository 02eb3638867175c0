"""Which processes use a file of progress: each holds a lock that the system takes back however the process ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from pathlib import Path

__all__ = ["Session"]


class Session:
    """This process's use of a file. Without a path nobody else can use it, and nothing is locked."""

    def __init__(self, path: Path | None) -> None:
        """Takes a number that nobody has, and its lock. Raises OSError if the folder of locks can't be written."""
        self.number = secrets.randbits(62)
        self._folder = None if path is None else path.with_name(path.name + "-sessions")
        self._descriptor = -1
        if self._folder is not None:
            self._folder.mkdir(exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._descriptor = os.open(self._folder / str(self.number), flags, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def is_alive(self, number: int) -> bool:
        """Whether the process of another session still runs."""
        if self._folder is None:
            return False
        try:
            descriptor = os.open(self._folder / str(number), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def forget(self, number: int) -> None:
        """Removes the lock of a session that is over."""
        if self._folder is not None:
            with contextlib.suppress(OSError):
                (self._folder / str(number)).unlink()

    def close(self) -> None:
        """Gives the lock back."""
        if self._descriptor >= 0:
            self.forget(self.number)
            os.close(self._descriptor)
            self._descriptor = -1

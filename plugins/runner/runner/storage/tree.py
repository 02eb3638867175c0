"""What a storage has to be able to do: a tree of files below one root, with uploads that are all or nothing.

Paths are names from the root on, which `runner.storage.paths` has looked at. Everything here may block, and is to be
called by threads, but what is said to be prompt. What is refused is a `StorageError`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from runner.storage.entries import Entry
from runner.storage.paths import Parts

__all__ = ["Source", "Tree", "Upload"]


class Source(Protocol):
    """A file that is read. `length` is how many bytes there are from where it was opened on, None if nobody knows."""

    length: int | None
    #: The position where it was opened.
    offset: int
    #: The descriptor of the file in the system, where there is one.
    descriptor: int | None

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        raise NotImplementedError

    def ready(self, size: int) -> bytes | None:
        """The next bytes, if all of them can be had without waiting."""
        raise NotImplementedError

    def close(self) -> None:
        """Lets go of it."""


class Upload(Protocol):
    """A file that is written, which nobody sees before `commit`."""

    #: Whether `commit` is, as a rule, a matter of microseconds.
    prompt: bool

    @property
    def name(self) -> str:
        """What it will be called."""
        raise NotImplementedError

    def write(self, pieces: Iterable[bytes]) -> None:
        """Appends bytes."""

    def commit(self) -> None:
        """Has it be there, whole and on the disk. After an error it is as if there had been no upload."""

    def abandon(self) -> None:
        """Has it never been. Nothing happens after `commit`, or twice."""


class Tree(Protocol):
    """The files."""

    #: Whether `stat`, `open`, and to begin an upload that takes nothing over, are a matter of microseconds as a rule.
    prompt: bool

    def sweep(self) -> None:
        """Removes what uploads of processes that were killed have left. May take long."""

    def stat(self, path: Parts) -> Entry:
        """What is there."""
        raise NotImplementedError

    def list(self, path: Parts) -> list[Entry]:
        """What is in a directory, by name. Names that are not Unicode, and unfinished uploads, are left out."""
        raise NotImplementedError

    def make_directory(self, path: Parts) -> None:
        """Makes a directory where nothing is."""

    def remove_directory(self, path: Parts) -> None:
        """Removes an empty directory."""

    def delete(self, path: Parts) -> None:
        """Removes a file."""

    def rename(self, old: Parts, new: Parts) -> None:
        """Gives a file or directory another path, where nothing is."""

    def open(self, path: Parts, offset: int) -> Source:
        """Opens a file for reading, from a position on."""
        raise NotImplementedError

    def store(self, path: Parts, offset: int) -> Upload:
        """Begins a file, instead of the one that is there, if one is; its first `offset` bytes are kept."""
        raise NotImplementedError

    def append(self, path: Parts) -> Upload:
        """Begins to lengthen a file, which need not be there. Refused as busy if it is changed meanwhile."""
        raise NotImplementedError

    def unique(self, folder: Parts, name: str) -> Upload:
        """Begins a file under a name that is free: `name`, or one like it."""
        raise NotImplementedError

    def close(self) -> None:
        """Lets go of everything."""

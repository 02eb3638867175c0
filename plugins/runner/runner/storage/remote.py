"""Any file system of fsspec as a storage: memory, S3 and the others that it knows by URL.

What such a file system does by itself is all that can be had: where renaming is copying, an upload does not get its
name in one moment. Still nobody sees one under its name before it is whole, and one that is broken off is removed.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterable
from datetime import datetime
from typing import IO, Any

from runner.storage.entries import Entry, Kind
from runner.storage.errors import Reason, StorageError, telling
from runner.storage.paths import RESERVED, Parts, checked

__all__ = ["RemoteTree"]

_PIECE = 1 << 20
#: Names of what file systems know as the time of the last change.
_TIMES = ("mtime", "modified", "LastModified", "last_modified", "updated", "created")
#: What makes a path a pattern for fsspec.
_PATTERN = frozenset("*?[")
#: Seconds after which an unfinished upload is one that somebody has left.
_LEFT = 86_400


class RemoteTree:
    """The files below a path of a file system."""

    prompt = False

    def __init__(self, system: Any, root: str) -> None:
        """`system` is an ``fsspec.AbstractFileSystem``. Raises `StorageError` if `root` is no directory."""
        self._system = system
        self._root = root.rstrip("/")
        with telling():
            if system.exists(self._root or "/") and not system.isdir(self._root or "/"):
                raise NotADirectoryError

    def close(self) -> None:
        """There is nothing to let go of."""

    def sweep(self) -> None:
        """Removes unfinished uploads that are a day old."""
        with telling():
            for path, found in self._system.find(self._root, detail=True).items():
                if path.rsplit("/", 1)[-1].startswith(RESERVED):
                    modified = _modified(found)
                    if modified is not None and time.time() - modified / 1e9 > _LEFT:
                        self._system.rm_file(path)

    def stat(self, path: Parts) -> Entry:
        """What is there."""
        if not path:
            return Entry("/", Kind.DIRECTORY)
        with telling():
            self._fresh(path)
            return _entry(path[-1], self._system.info(self._path(path)))

    def list(self, path: Parts) -> list[Entry]:
        """What is in a directory."""
        if self.stat(path).kind is not Kind.DIRECTORY:
            raise StorageError(Reason.WRONG_KIND)
        entries = []
        with telling():
            try:
                found = self._system.ls(self._path(path), detail=True)
            except FileNotFoundError:
                # The root of a storage in which nothing is yet.
                found = []
        for item in found:
            name = item["name"].rstrip("/").rsplit("/", 1)[-1]
            with contextlib.suppress(StorageError):
                entries.append(_entry(checked(name), item))
        return sorted(entries, key=lambda entry: entry.name)

    def make_directory(self, path: Parts) -> None:
        """Makes a directory."""
        self._must_be_free(path)
        self._must_be_directory(path[:-1])
        with telling():
            self._system.mkdir(self._path(path), create_parents=False)

    def remove_directory(self, path: Parts) -> None:
        """Removes an empty directory."""
        if not path:
            raise StorageError(Reason.FORBIDDEN)
        if self.list(path):
            raise StorageError(Reason.NOT_EMPTY)
        with telling():
            self._system.rmdir(self._path(path))

    def delete(self, path: Parts) -> None:
        """Removes a file."""
        self._must_be_file(path)
        with telling():
            self._system.rm_file(self._path(path))

    def rename(self, old: Parts, new: Parts) -> None:
        """Gives something another path."""
        kind = self.stat(old).kind
        if not old:
            raise StorageError(Reason.FORBIDDEN)
        if new[: len(old)] == old and len(new) > len(old):
            raise StorageError(Reason.BAD_NAME, "a directory can't be moved into itself")
        self._must_be_free(new)
        self._must_be_directory(new[:-1])
        with telling():
            self._move(self._path(old), self._path(new), is_directory=kind is Kind.DIRECTORY)

    def open(self, path: Parts, offset: int) -> RemoteSource:
        """Opens a file for reading."""
        size = self._must_be_file(path).size
        if size is not None and offset > size:
            raise StorageError(Reason.UNSUPPORTED, "the file is shorter than that")
        with telling():
            file = self._system.open(self._path(path), "rb")
            try:
                if offset:
                    file.seek(offset)
            except BaseException:
                file.close()
                raise
        return RemoteSource(file, offset, None if size is None else size - offset)

    def store(self, path: Parts, offset: int) -> RemoteUpload:
        """Begins a file instead of the one that is there."""
        return self._upload(path, offset)

    def append(self, path: Parts) -> RemoteUpload:
        """Begins to lengthen a file."""
        return self._upload(path, None)

    def unique(self, folder: Parts, name: str) -> RemoteUpload:
        """Begins a file under a name that is free."""
        self._must_be_directory(folder)
        if self._exists((*folder, name)):
            name = f"{name}-{secrets.token_hex(8)}"
        return RemoteUpload(self, (*folder, name), None)

    def _upload(self, path: Parts, kept: int | None) -> RemoteUpload:
        if not path:
            raise StorageError(Reason.WRONG_KIND)
        self._must_be_directory(path[:-1])
        old = self._must_be_file(path) if self._exists(path) else None
        if old is None and kept:
            raise StorageError(Reason.NOT_FOUND)
        upload = RemoteUpload(self, path, old)
        try:
            if old is not None and kept != 0:
                source = self.open(path, 0)
                try:
                    upload.take_over(source, kept)
                finally:
                    source.close()
        except BaseException:
            upload.abandon()
            raise
        return upload

    def _move(self, old: str, new: str, *, is_directory: bool = False) -> None:
        """Gives something another path. In the way of fsspec unless that takes the old path for a pattern, and moves
        all that it matches: then name by name.
        """
        if not _PATTERN.intersection(old):
            self._system.mv(old, new, recursive=is_directory)
        elif not is_directory:
            self._system.cp_file(old, new)
            self._system.rm_file(old)
        else:
            self._system.mkdir(new, create_parents=False)
            for item in self._system.ls(old, detail=True):
                name = item["name"].rstrip("/").rsplit("/", 1)[-1]
                self._move(f"{old}/{name}", f"{new}/{name}", is_directory=item["type"] == "directory")
            self._system.rmdir(old)

    def _path(self, path: Parts) -> str:
        return "/".join((self._root, *path)) if path else self._root or "/"

    def _fresh(self, path: Parts) -> None:
        """Others may have changed what the file system remembers of a directory."""
        self._system.invalidate_cache(self._path(path[:-1]))

    def _exists(self, path: Parts) -> bool:
        try:
            self.stat(path)
        except StorageError as error:
            if error.reason is Reason.NOT_FOUND:
                return False
            raise
        return True

    def _must_be_free(self, path: Parts) -> None:
        if self._exists(path):
            raise StorageError(Reason.ALREADY_EXISTS)

    def _must_be_file(self, path: Parts) -> Entry:
        found = self.stat(path)
        if found.kind is not Kind.FILE:
            raise StorageError(Reason.WRONG_KIND)
        return found

    def _must_be_directory(self, path: Parts) -> None:
        if self.stat(path).kind is not Kind.DIRECTORY:
            raise StorageError(Reason.WRONG_KIND)


class RemoteSource:
    """A file that is read."""

    descriptor: int | None = None

    def __init__(self, file: IO[bytes], offset: int, length: int | None) -> None:
        self.offset = offset
        self.length = length
        self._file = file

    def read(self, size: int) -> bytes:
        """The next bytes."""
        with telling():
            return self._file.read(size)

    def ready(self, size: int) -> bytes | None:
        """Nobody knows without asking."""
        return None

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


class RemoteUpload:
    """A file under a name of the Runner's, beside where it will be."""

    prompt = False

    def __init__(self, tree: RemoteTree, path: Parts, old: Entry | None) -> None:
        self.name = path[-1]
        self._tree = tree
        self._path = path
        self._old = old
        self._made_of_it = False
        self._temporary = tree._path((*path[:-1], RESERVED + secrets.token_hex(8)))
        with telling():
            self._file: IO[bytes] | None = tree._system.open(self._temporary, "wb")

    def take_over(self, source: RemoteSource, count: int | None) -> None:
        """Begins with the first bytes of a file, or all of them."""
        self._made_of_it = True
        assert self._file is not None
        left = count
        while left is None or left:
            data = source.read(_PIECE if left is None else min(left, _PIECE))
            if not data:
                if left is None:
                    return
                raise StorageError(Reason.UNSUPPORTED, "the file is shorter than that")
            with telling():
                self._file.write(data)
            left = None if left is None else left - len(data)

    def write(self, pieces: Iterable[bytes]) -> None:
        """Appends bytes."""
        assert self._file is not None
        with telling():
            for piece in pieces:
                self._file.write(piece)

    def commit(self) -> None:
        """Has the file be there."""
        assert self._file is not None
        try:
            with telling():
                self._file.close()
            if self._made_of_it and self._tree.stat(self._path) != self._old:
                raise StorageError(Reason.BUSY)
            with telling():
                self._tree._move(self._temporary, self._tree._path(self._path))
            self._file = None
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Removes what was not committed."""
        file, self._file = self._file, None
        if file is not None:
            with contextlib.suppress(Exception):
                getattr(file, "discard", file.close)()
            with contextlib.suppress(Exception):
                self._tree._system.rm_file(self._temporary)


def _modified(found: dict[str, Any]) -> int | None:
    for name in _TIMES:
        value = found.get(name)
        if isinstance(value, datetime):
            return round(value.timestamp() * 1e9)
        if isinstance(value, (int, float)):
            return round(value * 1e9)
    return None


def _entry(name: str, found: dict[str, Any]) -> Entry:
    kind = {"file": Kind.FILE, "directory": Kind.DIRECTORY}.get(found.get("type", ""), Kind.OTHER)
    size = found.get("size")
    unique = next((str(found[key]) for key in ("ETag", "etag", "ino") if found.get(key)), None)
    return Entry(name, kind, size if kind is Kind.FILE else None, _modified(found), unique=unique)

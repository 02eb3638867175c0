"""A folder of the system as a storage. No path leads out of it, whatever links there are and whoever moves things.

Paths are walked name by name from the open root (`witgen.wasi.paths`); links that stay inside are followed.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from runner.storage.entries import Entry, Kind
from runner.storage.errors import Reason, StorageError, telling
from runner.storage.folders import DIRECTORY, is_there, locked
from runner.storage.local_files import LocalSource, LocalUpload
from runner.storage.mounts import is_of_this_machine
from runner.storage.paths import RESERVED, Parts
from witgen.wasi.paths import Walk, failure, open_below

__all__ = ["LocalTree"]


class LocalTree:
    """The files below a folder."""

    def __init__(self, folder: Path, *, sync: bool = True) -> None:
        """Without `sync` uploads are not waited for to be on the disk: then an acknowledged one survives the process,
        but perhaps not the machine.

        Raises `StorageError` if there is no such folder.
        """
        with telling():
            self._root = os.open(folder, DIRECTORY)
        self._sync = sync
        self.prompt = is_of_this_machine(folder)

    def close(self) -> None:
        """Lets go of the folder."""
        os.close(self._root)

    def sweep(self) -> None:
        """Removes what uploads of processes that were killed have left, everywhere. It takes as long as looking at all
        that there is; who lists a directory does it there.
        """
        with telling():
            _sweep(self._root)

    def stat(self, path: Parts) -> Entry:
        """What is there."""
        with telling(), self._walk(path) as walk:
            while True:
                name = walk.last()
                found = os.stat(name, dir_fd=walk.folder, follow_symlinks=False)
                if not stat.S_ISLNK(found.st_mode) or not walk.follow(name):
                    break
        return _entry(path[-1] if path else "/", found)

    def list(self, path: Parts) -> list[Entry]:
        """What is in a directory. A link is what it leads to; one that leads nowhere, or out, is left out."""
        with telling():
            folder = open_below(self._root, _relative(path), DIRECTORY, follow=True)
            try:
                found = list(self._entries(folder, path))
            finally:
                os.close(folder)
        return sorted(found, key=lambda entry: entry.name)

    def _entries(self, folder: int, path: Parts) -> Iterator[Entry]:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    entry.name.encode()
                    if entry.name.startswith(RESERVED):
                        _remove_left(folder, entry.name)
                    elif entry.is_symlink():
                        yield self.stat((*path, entry.name))
                    else:
                        yield _entry(entry.name, entry.stat(follow_symlinks=False))
                except (UnicodeEncodeError, FileNotFoundError, StorageError):
                    # No name for a client; gone since; or a link that nobody can follow.
                    continue

    def make_directory(self, path: Parts) -> None:
        """Makes a directory where nothing is."""
        with telling(), self._walk(path, new=True) as walk:
            name = _named(walk.last(), Reason.ALREADY_EXISTS)
            os.mkdir(name, dir_fd=walk.folder)

    def remove_directory(self, path: Parts) -> None:
        """Removes an empty directory; one in which there is nothing but what killed uploads have left is empty."""
        with telling(), self._walk(path, new=True) as walk:
            name = _named(walk.last(), Reason.FORBIDDEN)
            try:
                os.rmdir(name, dir_fd=walk.folder)
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                inner = os.open(name, DIRECTORY | os.O_NOFOLLOW, dir_fd=walk.folder)
                try:
                    _sweep(inner)
                finally:
                    os.close(inner)
                os.rmdir(name, dir_fd=walk.folder)

    def delete(self, path: Parts) -> None:
        """Removes a file, or a link."""
        with telling(), self._walk(path, new=True) as walk:
            name = _named(walk.last(), Reason.WRONG_KIND)
            if stat.S_ISDIR(os.stat(name, dir_fd=walk.folder, follow_symlinks=False).st_mode):
                raise failure(errno.EISDIR)
            os.unlink(name, dir_fd=walk.folder)

    def rename(self, old: Parts, new: Parts) -> None:
        """Gives something another path, where nothing is."""
        with telling(), self._walk(old, new=True) as source, self._walk(new, new=True) as target:
            before = _named(source.last(), Reason.FORBIDDEN)
            after = _named(target.last(), Reason.ALREADY_EXISTS)
            os.stat(before, dir_fd=source.folder, follow_symlinks=False)
            with locked(target.folder):
                if is_there(target.folder, after):
                    raise failure(errno.EEXIST)
                os.rename(before, after, src_dir_fd=source.folder, dst_dir_fd=target.folder)

    def open(self, path: Parts, offset: int) -> LocalSource:
        """Opens a file for reading."""
        with telling():
            descriptor = open_below(self._root, _relative(path), os.O_RDONLY, follow=True)
            try:
                found = os.fstat(descriptor)
                if not stat.S_ISREG(found.st_mode):
                    raise StorageError(Reason.WRONG_KIND)
                if offset > found.st_size:
                    raise StorageError(Reason.UNSUPPORTED, "the file is shorter than that")
            except BaseException:
                os.close(descriptor)
                raise
        return LocalSource(descriptor, offset, found.st_size - offset)

    def store(self, path: Parts, offset: int) -> LocalUpload:
        """Begins a file instead of the one that is there."""
        return self._upload(path, offset)

    def append(self, path: Parts) -> LocalUpload:
        """Begins to lengthen a file."""
        return self._upload(path, None)

    def unique(self, folder: Parts, name: str) -> LocalUpload:
        """Begins a file under a name that is free."""
        with telling(), self._walk((*folder, name), new=True) as walk:
            walk.last()
            if is_there(walk.folder, name.encode()):
                stem, dot, suffix = name.rpartition(".")
                name = f"{stem or suffix}-{secrets.token_hex(8)}{dot if stem else ''}{suffix if stem else ''}"
            return LocalUpload(walk.folder, name, None, None, sync=self._sync, prompt=self.prompt, free=True)

    def _upload(self, path: Parts, offset: int | None) -> LocalUpload:
        """An upload that keeps the first `offset` bytes of what is there, or all of it."""
        if not path:
            raise StorageError(Reason.WRONG_KIND)
        with telling(), self._walk(path, new=True) as walk:
            name, old = _find(walk)
            try:
                if old is None:
                    if offset:
                        raise failure(errno.ENOENT)
                elif not stat.S_ISREG(os.fstat(old).st_mode):
                    raise failure(errno.EISDIR)
                kept = 0 if old is None else offset
                return LocalUpload(walk.folder, os.fsdecode(name), old, kept, sync=self._sync, prompt=self.prompt)
            finally:
                if old is not None:
                    os.close(old)

    def _walk(self, path: Parts, *, new: bool = False) -> Walk:
        """The way of a path; `new` if its last name need not be there."""
        return Walk(self._root, _relative(path), present=not new)


def _relative(path: Parts) -> str:
    return "/".join(path) or "."


def _named(name: bytes, otherwise: Reason) -> bytes:
    """The name, unless it is that of the root."""
    if name == b".":
        raise StorageError(otherwise)
    return name


def _find(walk: Walk) -> tuple[bytes, int | None]:
    """Goes to the end of a way, through links; gives the name there, and the file of that name, open, if one is."""
    while True:
        name = walk.last()
        try:
            return name, os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=walk.folder)
        except FileNotFoundError:
            return name, None
        except OSError as error:
            if error.errno != errno.ELOOP or not walk.follow(name):
                raise


def _sweep(root: int) -> None:
    """Removes unfinished uploads below a folder at which nobody is any more."""
    for _, _, names, folder in os.fwalk(".", dir_fd=root, follow_symlinks=False):
        for name in names:
            if name.startswith(RESERVED):
                _remove_left(folder, name)


def _remove_left(folder: int, name: str) -> None:
    """Removes an unfinished upload, unless somebody is at it."""
    with contextlib.suppress(OSError):
        found = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        try:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(name, dir_fd=folder)
        finally:
            os.close(found)


@lru_cache(maxsize=1024)
def _user(number: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


@lru_cache(maxsize=1024)
def _group(number: int) -> str:
    import grp

    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _entry(name: str, found: os.stat_result) -> Entry:
    kind = Kind.DIRECTORY if stat.S_ISDIR(found.st_mode) else Kind.FILE if stat.S_ISREG(found.st_mode) else Kind.OTHER
    return Entry(
        name=name,
        kind=kind,
        size=found.st_size if kind is Kind.FILE else None,
        modified=max(found.st_mtime_ns, 0),
        mode=stat.S_IMODE(found.st_mode),
        owner=_user(found.st_uid),
        group=_group(found.st_gid),
        unique=f"{found.st_dev:x}g{found.st_ino:x}",
    )

"""A folder of the system as a storage. No path leads out of it, whatever links there are and whoever moves things.

Paths are walked name by name from the open root (`witgen.wasi.paths`); links that stay inside are followed. An upload
is a file without a name (`O_TMPFILE`, where the file system has it) until it is whole and on the disk: a process that
is killed leaves nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from runner.storage.entries import Entry, Kind
from runner.storage.errors import Reason, StorageError, telling
from runner.storage.mounts import is_of_this_machine
from runner.storage.paths import RESERVED, Parts
from witgen.wasi.paths import Walk, failure, open_below

__all__ = ["LocalTree"]

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
#: File systems without `O_TMPFILE` say so in these ways; old kernels as if a directory were to be written.
_NO_TMPFILE = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT})
_PIECE = 1 << 20
#: Reads what needs no waiting: Linux has it, as far as its file systems have (preadv2(2)).
_NO_WAIT: int = getattr(os, "RWF_NOWAIT", 0)
#: The most pieces that one call of the system writes (IOV_MAX).
_AT_ONCE = 1024


class LocalTree:
    """The files below a folder."""

    def __init__(self, folder: Path, *, sync: bool = True) -> None:
        """Without `sync` uploads are not waited for to be on the disk: then an acknowledged one survives the process,
        but perhaps not the machine.

        Raises `StorageError` if there is no such folder.
        """
        with telling():
            self._root = os.open(folder, _DIRECTORY)
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
            folder = open_below(self._root, _relative(path), _DIRECTORY, follow=True)
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
                inner = os.open(name, _DIRECTORY | os.O_NOFOLLOW, dir_fd=walk.folder)
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
            with _locked(target.folder):
                if _is_there(target.folder, after):
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
            if _is_there(walk.folder, name.encode()):
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


class LocalSource:
    """A file that is read."""

    def __init__(self, descriptor: int, offset: int, length: int) -> None:
        self.descriptor: int | None = descriptor
        self.offset = offset
        self.length: int | None = length
        self._at = offset

    def read(self, size: int) -> bytes:
        """The next bytes."""
        assert self.descriptor is not None
        with telling():
            data = os.pread(self.descriptor, size, self._at)
        self._at += len(data)
        return data

    def ready(self, size: int) -> bytes | None:
        """All of the next bytes, if they are in the system's memory."""
        assert self.descriptor is not None
        with telling():
            data = _read_ready(self.descriptor, size, self._at)
        if len(data) < size:
            return None
        self._at += size
        return data

    def close(self) -> None:
        """Closes the file."""
        if self.descriptor is not None:
            os.close(self.descriptor)
            self.descriptor = None


class LocalUpload:
    """A file without a name in the folder where it will have one."""

    def __init__(
        self,
        folder: int,
        name: str,
        old: int | None,
        kept: int | None,
        *,
        sync: bool,
        prompt: bool,
        free: bool = False,
    ) -> None:
        """`old` is the file that is there, of which the first `kept` bytes are taken over, None for all of it.

        `free` says that the name must be free still when the upload is committed. Descriptors stay the caller's.
        """
        found = None if old is None else os.fstat(old)
        self.name = name
        self._sync = sync
        self._free = free
        self._replaces = old is not None
        self._identity = None if found is None or kept == 0 else _identity(found)
        #: To let go of a large file that is replaced takes its time.
        self.prompt = prompt and not sync and (found is None or found.st_size <= _PIECE)
        self._folder = os.open(".", _DIRECTORY, dir_fd=folder)
        self._temporary: str | None = None
        try:
            self._file = self._create()
            if old is not None and found is not None:
                os.fchmod(self._file, found.st_mode & 0o777)
                _copy(old, self._file, found.st_size if kept is None else kept)
        except BaseException:
            self.abandon()
            raise

    #: The descriptor of the file, -1 when it is closed.
    _file = -1

    def _create(self) -> int:
        try:
            return os.open(".", os.O_RDWR | os.O_TMPFILE, 0o666, dir_fd=self._folder)
        except OSError as error:
            if error.errno not in _NO_TMPFILE:
                raise
        while True:
            name = _reserved()
            found = os.open(name, _NEW, 0o666, dir_fd=self._folder)
            # By the lock whoever sweeps sees that somebody is at it.
            fcntl.flock(found, fcntl.LOCK_EX)
            if _is_there(self._folder, name.encode()):
                self._temporary = name
                return found
            # Swept before it was locked.
            os.close(found)

    @property
    def descriptor(self) -> int:
        """The file in the system, open for writing at the place where the next byte goes."""
        return self._file

    def write(self, pieces: Iterable[bytes]) -> None:
        """Appends bytes."""
        left = [memoryview(piece) for piece in pieces if piece]
        with telling():
            while left:
                written = os.writev(self._file, left[:_AT_ONCE])
                while left and written >= len(left[0]):
                    written -= len(left.pop(0))
                if written:
                    left[0] = left[0][written:]

    def commit(self) -> None:
        """Brings the file to the disk, and gives it its name."""
        try:
            with telling():
                if self._sync:
                    os.fsync(self._file)
                # Nobody else has this descriptor, so the lock can be its own.
                with _held(self._folder):
                    self._put()
                if self._sync:
                    os.fsync(self._folder)
        finally:
            self.abandon()

    def _put(self) -> None:
        """Gives the file its name; the folder is locked."""
        if self._identity is not None:
            try:
                found = os.stat(self.name, dir_fd=self._folder, follow_symlinks=False)
            except FileNotFoundError:
                raise StorageError(Reason.BUSY) from None
            if _identity(found) != self._identity:
                # What it was made of is not what is there any more: what somebody else has added would be lost.
                raise StorageError(Reason.BUSY)
        if self._free and _is_there(self._folder, self.name.encode()):
            raise StorageError(Reason.ALREADY_EXISTS)
        if self._temporary is None:
            if not self._replaces and self._link(self.name):
                return
            # It must not be swept before it has its name.
            fcntl.flock(self._file, fcntl.LOCK_EX)
            name = _reserved()
            if not self._link(name):
                raise failure(errno.EEXIST)
            self._temporary = name
        os.rename(self._temporary, self.name, src_dir_fd=self._folder, dst_dir_fd=self._folder)
        self._temporary = None

    def _link(self, name: str) -> bool:
        """Gives the file without a name one; says whether that was free."""
        try:
            os.link(f"/proc/self/fd/{self._file}", name, dst_dir_fd=self._folder, follow_symlinks=True)
        except FileExistsError:
            return False
        return True

    def abandon(self) -> None:
        """Lets go of everything; what was not committed is gone."""
        if self._temporary is not None:
            with contextlib.suppress(OSError):
                os.unlink(self._temporary, dir_fd=self._folder)
            self._temporary = None
        if self._file >= 0:
            os.close(self._file)
            self._file = -1
        if self._folder >= 0:
            os.close(self._folder)
            self._folder = -1


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


def _read_ready(descriptor: int, size: int, at: int) -> bytes:
    """The bytes at a place of a file, or as many of them as are in the system's memory."""
    data = bytearray(size)
    if not size or not _NO_WAIT:
        return b""
    try:
        return bytes(data[: os.preadv(descriptor, [data], at, _NO_WAIT)])
    except BlockingIOError:
        return b""
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
            raise
        # One that does not say, such as that in memory: it is not much, and what is prompt may be tried.
        return os.pread(descriptor, size, at)


def _is_there(folder: int, name: bytes) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _identity(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _reserved() -> str:
    return RESERVED + secrets.token_hex(8)


def _copy(source: int, target: int, count: int) -> None:
    """Copies the first bytes of a file; by the file system, where it can, without moving any."""
    at = 0
    while at < count:
        try:
            moved = os.copy_file_range(source, target, min(count - at, 1 << 30), at)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP):
                raise
            moved = os.write(target, os.pread(source, min(count - at, _PIECE), at))
        if not moved:
            raise StorageError(Reason.UNSUPPORTED, "the file is shorter than that")
        at += moved


@contextlib.contextmanager
def _locked(folder: int) -> Iterator[None]:
    """Lets one at a time give names in a folder, of all processes that ask for it here.

    A descriptor of its own carries the lock: threads with the same one would all have it.
    """
    own = os.open(".", _DIRECTORY, dir_fd=folder)
    try:
        with _held(own):
            yield
    finally:
        os.close(own)


@contextlib.contextmanager
def _held(own: int) -> Iterator[None]:
    """The same, with a descriptor that nobody else has."""
    fcntl.flock(own, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(own, fcntl.LOCK_UN)


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

"""Files of a folder of the system that are read, and those that are written all or nothing.

An upload is a file without a name (`O_TMPFILE`, where the file system has it) until it is whole and on the disk: a
process that is killed leaves nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Iterable

from runner.storage.errors import Reason, StorageError, telling
from runner.storage.folders import DIRECTORY, PATIENCE, held, is_there
from runner.storage.paths import RESERVED
from witgen.wasi.paths import failure

__all__ = ["LocalSource", "LocalUpload"]

_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
#: File systems without `O_TMPFILE` say so in these ways; old kernels as if a directory were to be written.
_NO_TMPFILE = frozenset({errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT})
_PIECE = 1 << 20
#: Seconds that the lock of a folder is waited for where everybody waits meanwhile.
_PROMPT_PATIENCE = 0.05
#: Reads what needs no waiting: Linux has it, as far as its file systems have (preadv2(2)).
_NO_WAIT: int = getattr(os, "RWF_NOWAIT", 0)
#: The most pieces that one call of the system writes (IOV_MAX).
_AT_ONCE = 1024


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
        self._folder = os.open(".", DIRECTORY, dir_fd=folder)
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
            if is_there(self._folder, name.encode()):
                self._temporary = name
                return found
            # Swept before it was locked.
            os.close(found)

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
                with held(self._folder, _PROMPT_PATIENCE if self.prompt else PATIENCE):
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
        if self._free and is_there(self._folder, self.name.encode()):
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

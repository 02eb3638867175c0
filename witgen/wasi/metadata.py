"""What the system says of a file, as WASI says it: type, attributes, timestamps, hash."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import struct
import time

from witgen.wasi.bindings import host
from witgen.wasi.paths import failure

__all__ = ["attributes", "descriptor_type", "metadata_hash", "set_times"]

_SECOND = 1_000_000_000
#: The last second that a system's clock can name.
_LAST = (1 << 63) - 1

_TYPES = {
    stat.S_IFBLK: host.DescriptorType.BLOCK_DEVICE,
    stat.S_IFCHR: host.DescriptorType.CHARACTER_DEVICE,
    stat.S_IFDIR: host.DescriptorType.DIRECTORY,
    stat.S_IFIFO: host.DescriptorType.FIFO,
    stat.S_IFLNK: host.DescriptorType.SYMBOLIC_LINK,
    stat.S_IFREG: host.DescriptorType.REGULAR_FILE,
    stat.S_IFSOCK: host.DescriptorType.SOCKET,
}


def descriptor_type(mode: int) -> host.DescriptorType:
    """The type in a file's mode."""
    return _TYPES.get(stat.S_IFMT(mode), host.DescriptorType.UNKNOWN)


def attributes(found: os.stat_result) -> host.DescriptorStat:
    """The attributes of a file."""
    return host.DescriptorStat(
        descriptor_type(found.st_mode),
        found.st_nlink,
        found.st_size,
        _datetime(found.st_atime_ns),
        _datetime(found.st_mtime_ns),
        _datetime(found.st_ctime_ns),
    )


def _datetime(instant: int) -> host.Datetime | None:
    """A point in time; none where WASI has no way to say it, for it begins in 1970."""
    return None if instant < 0 else host.Datetime(*divmod(instant, _SECOND))


def set_times(
    target: int | bytes, access: host.NewTimestamp, modification: host.NewTimestamp, folder: int | None = None
) -> None:
    """Sets the timestamps of an open file, or of a name in an open folder. Raises `OSError`.

    That both be now is a question of its own to the system: it is a matter of writing the file, where others are one of
    owning it.
    """
    follow = folder is None
    if isinstance(access, host.NewTimestamp_Now) and isinstance(modification, host.NewTimestamp_Now):
        os.utime(target, dir_fd=folder, follow_symlinks=follow)
        return
    old = os.stat(target, dir_fd=folder, follow_symlinks=follow)
    new = _nanoseconds(access, old.st_atime_ns), _nanoseconds(modification, old.st_mtime_ns)
    os.utime(target, ns=new, dir_fd=folder, follow_symlinks=follow)


def _nanoseconds(new: host.NewTimestamp, old: int) -> int:
    match new:
        case host.NewTimestamp_NoChange():
            return old
        case host.NewTimestamp_Now():
            return time.time_ns()
        case host.NewTimestamp_Timestamp(value):
            if value.nanoseconds >= _SECOND:
                raise failure(errno.EINVAL)
            if value.seconds > _LAST:
                raise failure(errno.EOVERFLOW)
            return value.seconds * _SECOND + value.nanoseconds


def metadata_hash(found: os.stat_result, secret: bytes) -> host.MetadataHashValue:
    """The hash of what changes when a file is modified or replaced; `secret` (64 bytes at most) hides that from it."""
    parts = f"{found.st_dev} {found.st_ino} {found.st_mtime_ns} {found.st_size}".encode()
    digest = hashlib.blake2b(parts, digest_size=16, key=secret).digest()
    return host.MetadataHashValue(*struct.unpack("<QQ", digest))

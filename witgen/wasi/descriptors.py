"""`descriptor` and `directory-entry-stream` of `wasi:filesystem/types`: operations on open files and directories.

Each operation is one call of the system, on a name in a directory that `paths` has led to, and never through a link at
its end. A directory may be changed if the folder that it was reached from may: what is opened below inherits that, as
components open subdirectories without asking for `mutate-directory` and still expect to change them.

`OSError` is how everything here says no, in the numbers of the system; `telling` turns it into codes of WASI.
"""

from __future__ import annotations

import errno
import os
import stat

from witgen.wasi import metadata
from witgen.wasi.bindings import host
from witgen.wasi.file_errors import telling
from witgen.wasi.files import FileAppend, FileInput, FileOutput, OpenFile
from witgen.wasi.paths import Walk, decode, encode, failure, open_below
from witgen.wasi.resource import Resource

__all__ = ["Descriptor", "DirectoryEntries"]

#: The most bytes that one `read` gives.
_MOST = 1 << 20
#: The last position in a file that a system can name.
_LAST = (1 << 63) - 1

_READ = host.DescriptorFlags.READ.value
_WRITE = host.DescriptorFlags.WRITE.value
_MUTATE = host.DescriptorFlags.MUTATE_DIRECTORY.value
_FOLLOW = host.PathFlags.SYMLINK_FOLLOW.value
_CREATE = host.OpenFlags.CREATE.value
_DIRECTORY = host.OpenFlags.DIRECTORY.value
_EXCLUSIVE = host.OpenFlags.EXCLUSIVE.value
_TRUNCATE = host.OpenFlags.TRUNCATE.value

#: Flags of a descriptor and of opening, and those of the system that they mean beside reading or writing.
_DESCRIPTOR_FLAGS = (
    (host.DescriptorFlags.FILE_INTEGRITY_SYNC.value, os.O_SYNC),
    (host.DescriptorFlags.DATA_INTEGRITY_SYNC.value, os.O_DSYNC),
    (host.DescriptorFlags.REQUESTED_WRITE_SYNC.value, getattr(os, "O_RSYNC", 0)),
)
_OPEN_FLAGS = ((_CREATE, os.O_CREAT), (_DIRECTORY, os.O_DIRECTORY), (_TRUNCATE, os.O_TRUNC))

#: The system's advice by the names of WASI's; where a system takes none, none is given.
_ADVICE = {advice: getattr(os, f"POSIX_FADV_{advice.name.replace('_', '')}", None) for advice in host.Advice}


class Descriptor(Resource):
    """`descriptor`: an open file or directory, and what may be done with it."""

    def __init__(self, file: OpenFile, flags: int, *, mutable: bool, secret: bytes) -> None:
        """`flags` are those that it was asked for with; `mutable` says whether the granted folder may be changed."""
        super().__init__()
        self._file = file
        self._mutable = mutable
        self._secret = secret
        self._flags = flags & ~_MUTATE
        if file.is_directory and mutable:
            self._flags |= _MUTATE

    def release(self) -> None:
        """Lets go of the open file; streams that were made of it go on."""
        del self._file

    def _data(self, flag: int, position: int) -> OpenFile:
        """The file, if it is one that was opened for reading or writing; a position in it must be sound, too."""
        if self._file.is_directory:
            raise failure(errno.EISDIR)
        if not self._flags & flag:
            raise failure(errno.EBADF)
        if position > _LAST:
            raise failure(errno.EINVAL)
        return self._file

    def _folder(self) -> int:
        """The descriptor of the directory."""
        if not self._file.is_directory:
            raise failure(errno.ENOTDIR)
        return self._file.fd

    def _changed(self) -> int:
        """As `_folder`, for an operation that changes what is below."""
        folder = self._folder()
        if not self._mutable:
            raise failure(errno.EROFS)
        return folder

    # Streams.

    @telling
    def read_via_stream(self, offset: int) -> host.InputStream:
        """A stream that reads from a position on."""
        return FileInput(self._data(_READ, offset), offset)

    @telling
    def write_via_stream(self, offset: int) -> host.OutputStream:
        """A stream that writes from a position on."""
        return FileOutput(self._data(_WRITE, offset), offset)

    @telling
    def append_via_stream(self) -> host.OutputStream:
        """A stream that writes at the end."""
        return FileAppend(self._data(_WRITE, 0))

    # The open file itself.

    @telling
    def advise(self, offset: int, length: int, advice: host.Advice) -> None:
        """Tells the system how the file will be used."""
        if self._file.is_directory:
            raise failure(errno.EISDIR)
        if max(offset, length) > _LAST:
            raise failure(errno.EINVAL)
        known = _ADVICE[advice]
        if known is not None:
            os.posix_fadvise(self._file.fd, offset, length, known)

    @telling
    def sync_data(self) -> None:
        """Brings the data to the disk."""
        if self._flags & (_WRITE | _MUTATE):
            getattr(os, "fdatasync", os.fsync)(self._file.fd)

    @telling
    def sync(self) -> None:
        """Brings data and metadata to the disk."""
        if self._flags & (_WRITE | _MUTATE):
            os.fsync(self._file.fd)

    @telling
    def get_flags(self) -> host.DescriptorFlags:
        """What the descriptor was opened for; and for a directory, whether what is in it may be changed."""
        return host.DescriptorFlags(self._flags)

    @telling
    def get_type(self) -> host.DescriptorType:
        """The type of what is open."""
        return metadata.descriptor_type(self._file.mode)

    @telling
    def stat(self) -> host.DescriptorStat:
        """The attributes of what is open."""
        return metadata.attributes(os.fstat(self._file.fd))

    @telling
    def set_size(self, size: int) -> None:
        """Cuts the file or fills it up with zeroes. One that is not open for writing is `invalid` here, as in POSIX."""
        if self._file.is_directory:
            raise failure(errno.EISDIR)
        if not self._flags & _WRITE or size > _LAST:
            raise failure(errno.EINVAL)
        os.ftruncate(self._file.fd, size)

    @telling
    def set_times(
        self, data_access_timestamp: host.NewTimestamp, data_modification_timestamp: host.NewTimestamp
    ) -> None:
        """Sets timestamps of what is open."""
        if not self._mutable:
            raise failure(errno.EROFS)
        metadata.set_times(self._file.fd, data_access_timestamp, data_modification_timestamp)

    @telling
    def read(self, length: int, offset: int) -> tuple[bytes, bool]:
        """Bytes at a position, and whether the end was reached."""
        file = self._data(_READ, offset)
        data = os.pread(file.fd, min(length, _MOST), offset)
        return data, not data and length > 0

    @telling
    def write(self, buffer: bytes, offset: int) -> int:
        """Writes bytes at a position; gives how many."""
        return os.pwrite(self._data(_WRITE, offset).fd, buffer, offset)

    @telling
    def metadata_hash(self) -> host.MetadataHashValue:
        """A hash that changes when what is open is modified."""
        return metadata.metadata_hash(os.fstat(self._file.fd), self._secret)

    def is_same_object(self, other: host.Descriptor) -> bool:
        """Whether both are open on the same thing."""
        if not isinstance(other, Descriptor):
            return False
        return os.path.samestat(os.fstat(self._file.fd), os.fstat(other._file.fd))

    # What is below an open directory.

    @telling
    def read_directory(self) -> host.DirectoryEntryStream:
        """The entries of the directory, from the first on."""
        # A descriptor of its own: its position in the directory is shared with nobody.
        return DirectoryEntries(OpenFile(os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self._folder())))

    @telling
    def create_directory_at(self, path: str) -> None:
        """Makes a directory."""
        with Walk(self._changed(), path) as walk:
            os.mkdir(walk.last(), dir_fd=walk.folder)

    @telling
    def stat_at(self, path_flags: host.PathFlags, path: str) -> host.DescriptorStat:
        """The attributes of what a path leads to."""
        return metadata.attributes(self._stat(path_flags, path))

    @telling
    def metadata_hash_at(self, path_flags: host.PathFlags, path: str) -> host.MetadataHashValue:
        """As `metadata_hash`, of what a path leads to."""
        return metadata.metadata_hash(self._stat(path_flags, path), self._secret)

    def _stat(self, path_flags: host.PathFlags, path: str) -> os.stat_result:
        with Walk(self._folder(), path, present=True) as walk:
            name = walk.end(follow=bool(path_flags.value & _FOLLOW))
            return os.stat(name, dir_fd=walk.folder, follow_symlinks=False)

    @telling
    def set_times_at(
        self,
        path_flags: host.PathFlags,
        path: str,
        data_access_timestamp: host.NewTimestamp,
        data_modification_timestamp: host.NewTimestamp,
    ) -> None:
        """Sets timestamps of what a path leads to."""
        with Walk(self._changed(), path, present=True) as walk:
            name = walk.end(follow=bool(path_flags.value & _FOLLOW))
            metadata.set_times(name, data_access_timestamp, data_modification_timestamp, walk.folder)

    @telling
    def open_at(
        self, path_flags: host.PathFlags, path: str, open_flags: host.OpenFlags, flags: host.DescriptorFlags
    ) -> host.Descriptor:
        """Opens what a path leads to, or makes a file."""
        how, wanted = open_flags.value, flags.value
        folder = self._folder()
        if not self._mutable and (wanted & (_WRITE | _MUTATE) or how & (_CREATE | _TRUNCATE)):
            raise failure(errno.EROFS)
        if how & _DIRECTORY and how & (_CREATE | _EXCLUSIVE | _TRUNCATE):
            raise failure(errno.EINVAL)
        fd = open_below(folder, path, _system_flags(how, wanted), follow=bool(path_flags.value & _FOLLOW))
        return Descriptor(OpenFile(fd), wanted, mutable=self._mutable, secret=self._secret)

    @telling
    def readlink_at(self, path: str) -> str:
        """What is in a symbolic link; that of an absolute one is not told."""
        with Walk(self._folder(), path, present=True) as walk:
            target = os.readlink(walk.last(), dir_fd=walk.folder)
        if target.startswith(b"/"):
            raise failure(errno.EPERM)
        return decode(target)

    @telling
    def symlink_at(self, old_path: str, new_path: str) -> None:
        """Makes a symbolic link."""
        target = encode(old_path)
        if target.startswith(b"/"):
            raise failure(errno.EPERM)
        with Walk(self._changed(), new_path) as walk:
            os.symlink(target, _free(walk), dir_fd=walk.folder)

    @telling
    def link_at(
        self, old_path_flags: host.PathFlags, old_path: str, new_descriptor: host.Descriptor, new_path: str
    ) -> None:
        """Makes another name of a file."""
        with (
            Walk(self._changed(), old_path, present=True) as old,
            Walk(_other(new_descriptor)._changed(), new_path) as new,
        ):
            source, target = old.end(follow=bool(old_path_flags.value & _FOLLOW)), _free(new)
            os.link(source, target, src_dir_fd=old.folder, dst_dir_fd=new.folder, follow_symlinks=False)

    @telling
    def rename_at(self, old_path: str, new_descriptor: host.Descriptor, new_path: str) -> None:
        """Gives a file or directory another name."""
        with (
            Walk(self._changed(), old_path) as old,
            Walk(_other(new_descriptor)._changed(), new_path) as new,
        ):
            source, target = old.last(), new.last()
            if (old.slash or new.slash) and not _is_directory(old.folder, source):
                raise failure(errno.ENOTDIR)
            os.rename(source, target, src_dir_fd=old.folder, dst_dir_fd=new.folder)

    @telling
    def remove_directory_at(self, path: str) -> None:
        """Removes an empty directory."""
        with Walk(self._changed(), path) as walk:
            try:
                os.rmdir(walk.last(), dir_fd=walk.folder)
            except FileExistsError:
                # Another way in which POSIX lets systems say it.
                raise failure(errno.ENOTEMPTY) from None

    @telling
    def unlink_file_at(self, path: str) -> None:
        """Removes a name of what is no directory."""
        with Walk(self._changed(), path) as walk:
            name = walk.last()
            if walk.slash:
                raise failure(errno.EISDIR if _is_directory(walk.folder, name) else errno.ENOTDIR)
            try:
                os.unlink(name, dir_fd=walk.folder)
            except PermissionError:
                # What POSIX has systems say of directories.
                if _is_directory(walk.folder, name):
                    raise failure(errno.EISDIR) from None
                raise


class DirectoryEntries(Resource):
    """`directory-entry-stream`: what is in a directory, read as it is asked for."""

    def __init__(self, file: OpenFile) -> None:
        """Reads from where the descriptor stands. Raises `OSError`."""
        super().__init__()
        self._file = file
        self._entries = os.scandir(file.fd)

    def release(self) -> None:
        """Closes the directory."""
        self._entries.close()
        del self._file

    @telling
    def read_directory_entry(self) -> host.DirectoryEntry | None:
        """The next entry; None if there is no other. One whose name is not UTF-8 is passed over, with an error."""
        entry = next(self._entries, None)
        return None if entry is None else host.DirectoryEntry(_entry_type(entry), decode(os.fsencode(entry.name)))


def _system_flags(how: int, wanted: int) -> int:
    """How the system is to open a file. Emptying it takes the right to write, whether it was asked for or not."""
    writes = wanted & _WRITE or how & _TRUNCATE
    found = (os.O_RDWR if wanted & _READ else os.O_WRONLY) if writes else os.O_RDONLY
    if how & _CREATE and how & _EXCLUSIVE:
        found |= os.O_EXCL
    for flag, meant in _DESCRIPTOR_FLAGS:
        if wanted & flag:
            found |= meant
    for flag, meant in _OPEN_FLAGS:
        if how & flag:
            found |= meant
    return found


def _other(descriptor: host.Descriptor) -> Descriptor:
    """The second descriptor of an operation, as one of this module."""
    if not isinstance(descriptor, Descriptor):
        raise failure(errno.EXDEV)
    return descriptor


def _is_directory(folder: int, name: bytes) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


def _free(walk: Walk) -> bytes:
    """The name at the end of a path for something that is no directory; a path that ends in ``/`` can't name one."""
    name = walk.last()
    if walk.slash:
        _is_directory(walk.folder, name)
        raise failure(errno.EEXIST)
    return name


def _entry_type(entry: os.DirEntry[str]) -> host.DescriptorType:
    """The type of an entry; for the most part the directory itself says it."""
    if entry.is_file(follow_symlinks=False):
        return host.DescriptorType.REGULAR_FILE
    if entry.is_dir(follow_symlinks=False):
        return host.DescriptorType.DIRECTORY
    if entry.is_symlink():
        return host.DescriptorType.SYMBOLIC_LINK
    try:
        return metadata.descriptor_type(entry.stat(follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return host.DescriptorType.UNKNOWN

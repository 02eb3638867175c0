"""Open files, and the streams that read and write them at positions of their own."""

from __future__ import annotations

import errno
import os
import select
import stat

from witgen.wasi.io import InputStream, OutputStream
from witgen.wasi.poll import Wants

__all__ = ["FileAppend", "FileInput", "FileOutput", "OpenFile"]

#: What `os.pwritev` is told to append with, where the system can.
_APPEND = getattr(os, "RWF_APPEND", 0)


class OpenFile:
    """A descriptor of the system. It is closed when nobody holds this object any more.

    A component's descriptor, the streams made of it and the folder that was granted to several components may share
    one, in any order of being dropped and on several threads: the interpreter's own count of references is exact.
    """

    __slots__ = ("fd", "mode")

    def __init__(self, fd: int) -> None:
        """Takes over `fd`. Raises `OSError`."""
        self.fd = fd
        self.mode = os.fstat(fd).st_mode

    def __del__(self) -> None:
        os.close(self.fd)

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return stat.S_ISDIR(self.mode)

    @property
    def has_positions(self) -> bool:
        """Whether it is read and written at positions, and never waited for; else it is a pipe, a terminal, …"""
        return stat.S_ISREG(self.mode) or stat.S_ISBLK(self.mode)


class FileInput(InputStream):
    """Reads a file from a position on. The end of the file is the end of the stream."""

    def __init__(self, file: OpenFile, position: int) -> None:
        super().__init__()
        self._file = file
        self._position = position

    def receive(self, size: int) -> bytes | None:
        """Up to `size` bytes."""
        if not self._file.has_positions:
            return os.read(self._file.fd, size)
        data = os.pread(self._file.fd, size, self._position)
        self._position += len(data)
        return data

    def awaits(self) -> Wants:
        """Waits where there are no positions."""
        return None if self._file.has_positions else (self._file.fd, select.POLLIN)


class FileOutput(OutputStream):
    """Writes a file from a position on."""

    def __init__(self, file: OpenFile, position: int) -> None:
        super().__init__()
        self._file = file
        self._position = position

    def send(self, data: memoryview) -> int:
        """Writes bytes."""
        if not self._file.has_positions:
            return os.write(self._file.fd, data)
        taken = os.pwrite(self._file.fd, data, self._position)
        self._position += taken
        return taken

    def awaits(self) -> Wants:
        """Waits where there are no positions."""
        return None if self._file.has_positions else (self._file.fd, select.POLLOUT)


class FileAppend(FileOutput):
    """Writes at the end of a file, wherever that is at the time."""

    def __init__(self, file: OpenFile) -> None:
        super().__init__(file, 0)

    def send(self, data: memoryview) -> int:
        """Writes bytes."""
        if not self._file.has_positions:
            return os.write(self._file.fd, data)
        if _APPEND:
            try:
                return os.pwritev(self._file.fd, [data], 0, _APPEND)
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS):
                    raise
        return os.pwrite(self._file.fd, data, os.fstat(self._file.fd).st_size)

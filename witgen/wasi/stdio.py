"""Streams on what a Python program has at hand: descriptors, binary files, bytes in memory, nothing.

A descriptor, or a file of Python's own that is one and a buffer at most, is asked by the system whether it is ready,
so that a full pipe holds the component back and an empty one does not hold up a read. Any other file is taken at its
word: always ready, and if its ``read`` or ``write`` blocks, so does the component.

The mode of a descriptor is left alone, since it is shared with whoever else has it open, the parent process for one.
"""

from __future__ import annotations

import errno
import functools
import io
import os
import select
import stat
from collections.abc import Callable
from typing import BinaryIO, TypeAlias

from witgen.wasi.io import CHUNK, InputStream, OutputStream
from witgen.wasi.poll import Wants, descriptor_ready

__all__ = ["Endpoint", "descriptor_of", "input_stream", "is_terminal", "output_stream"]

#: What a standard stream is made of: a descriptor, a binary file, or None for nothing.
Endpoint: TypeAlias = BinaryIO | int | None

#: Files that may be bypassed. Others that have a descriptor may well keep other bytes in it than are written to them.
_PLAIN = (io.FileIO, io.BufferedReader, io.BufferedWriter)


def input_stream(source: Endpoint) -> InputStream:
    """A new stream of what `source` still has: of nothing if it is None. Raises ValueError if it is a closed file."""
    if source is None:
        return InputFile(io.BytesIO())
    descriptor = descriptor_of(source)
    if isinstance(source, int):
        return InputDescriptor(source, functools.partial(os.read, source))
    return InputFile(source) if descriptor is None else InputDescriptor(descriptor, _reader(source))


def output_stream(target: Endpoint) -> OutputStream:
    """A new stream into `target`: to nowhere if it is None. Raises ValueError if it is a closed file."""
    if target is None:
        return Discard()
    descriptor = descriptor_of(target)
    if isinstance(target, int):
        return OutputDescriptor(target)
    return OutputFile(target) if descriptor is None else OutputDescriptor(descriptor, target.flush)


def descriptor_of(endpoint: Endpoint) -> int | None:
    """The descriptor that an endpoint is; None if it is more, or something else."""
    if endpoint is None or isinstance(endpoint, int):
        return endpoint
    plain = type(endpoint) in _PLAIN and isinstance(getattr(endpoint, "raw", endpoint), io.FileIO)
    return endpoint.fileno() if plain else None


def is_terminal(endpoint: Endpoint) -> bool:
    """Whether an endpoint is a terminal."""
    descriptor = descriptor_of(endpoint)
    return descriptor is not None and os.isatty(descriptor)


class InputDescriptor(InputStream):
    """What can be read from a descriptor with `read`, which reads it once at most."""

    def __init__(self, descriptor: int, read: Callable[[int], bytes | None]) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._read = read

    def receive(self, size: int) -> bytes | None:
        """Bytes that are there."""
        return self._read(size) if descriptor_ready(self._descriptor, select.POLLIN) else None

    def awaits(self) -> Wants:
        """That there are bytes, or the end."""
        return self._descriptor, select.POLLIN


class InputFile(InputStream):
    """What can be read from a file that is always ready."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._read = _reader(file)

    def receive(self, size: int) -> bytes | None:
        """The next bytes of the file."""
        return self._read(size)


class OutputDescriptor(OutputStream):
    """A descriptor. `before` empties a buffer that others write to, so that all comes out in its order."""

    def __init__(self, descriptor: int, before: Callable[[], object] | None = None) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._before = before
        # What is ready takes so much without blocking; a file on a disk takes anything.
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        self._most = CHUNK if regular or not os.get_blocking(descriptor) else select.PIPE_BUF

    def send(self, data: memoryview) -> int:
        """Writes what there is room for."""
        if self._before is not None:
            self._before()
        return os.write(self._descriptor, data[: self._most]) if self.room() else 0

    def room(self) -> int:
        """A chunk, if the descriptor takes anything. Raises `BrokenPipeError` if nobody reads at the other end."""
        events = descriptor_ready(self._descriptor, select.POLLOUT)
        if events & select.POLLERR:
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        return CHUNK if events else 0

    def awaits(self) -> Wants:
        """That there is room."""
        return self._descriptor, select.POLLOUT


class OutputFile(OutputStream):
    """A file that is always ready."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__()
        self._file = file

    def send(self, data: memoryview) -> int:
        """Writes to the file."""
        try:
            taken = self._file.write(data)
        except BlockingIOError as error:
            taken = error.characters_written
        if not taken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return taken

    def sync(self) -> None:
        """Flushes the file."""
        self._file.flush()


class Discard(OutputStream):
    """Nowhere."""

    def send(self, data: memoryview) -> int:
        """Forgets the bytes."""
        return len(data)


def _reader(file: BinaryIO) -> Callable[[int], bytes | None]:
    """How a file is read once at most: what has a buffer gives what is in there first."""
    read: Callable[[int], bytes | None] = getattr(file, "read1", file.read)
    return read

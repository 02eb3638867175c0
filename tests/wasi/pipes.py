"""Pipes of the system, for tests that look at what waits and what does not."""

from __future__ import annotations

import contextlib
import os
import select
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass
class Pipe:
    """Both ends of a pipe; each may be closed by the test."""

    read: int
    write: int

    def fill(self) -> int:
        """Writes until there is no room; gives the number of bytes."""
        size = 0
        while select.select([], [self.write], [], 0)[1]:
            size += os.write(self.write, bytes(select.PIPE_BUF))
        return size

    def take(self, size: int) -> bytes:
        """Exactly `size` bytes."""
        data = b""
        while len(data) < size:
            more = os.read(self.read, size - len(data))
            assert more, "the pipe has ended"
            data += more
        return data

    def is_empty(self) -> bool:
        """Whether there is nothing to read."""
        return not select.select([self.read], [], [], 0)[0]

    def close_read(self) -> None:
        os.close(self.read)
        self.read = -1

    def close_write(self) -> None:
        os.close(self.write)
        self.write = -1


@contextlib.contextmanager
def pipe() -> Iterator[Pipe]:
    """A new pipe, closed at the end."""
    made = Pipe(*os.pipe())
    try:
        yield made
    finally:
        for descriptor in (made.read, made.write):
            if descriptor >= 0:
                os.close(descriptor)

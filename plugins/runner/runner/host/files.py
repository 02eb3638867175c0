"""Streams between a component and files, where the disk never holds up the event loop.

A `FileSource` is a file with a descriptor, which goes to a socket by `sendfile` and else is read; what is not in the
system's memory yet is fetched by a thread first. A `FileSink` collects what comes and has threads write it. Which
file that is, and what becomes of it, is for who makes them; threads come from `run`, which takes a function and has it
called by one.
"""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Callable
from typing import TypeAlias

from runner.host.signal import Signal
from runner.host.streams import Outlet
from witgen.wasi.bindings import host
from witgen.wasi.io import InputStream, OutputStream
from witgen.wasi.poll import Wants

__all__ = ["FetchedSource", "FileSink", "FileSource", "Run"]

#: Has a function called by a thread, which may be later.
Run: TypeAlias = Callable[[Callable[[], object]], object]

#: Bytes that are fetched, sent or written at once: others have their turn after that.
PIECE = 1 << 18
#: Bytes that a sink holds at most, and a source that is read ahead.
_HELD = 2 * PIECE
#: Bytes that are made sure of before they are sent.
_AHEAD = 4 * PIECE
#: Linux has it, as far as its file systems have (preadv2(2)).
_NO_WAIT: int = getattr(os, "RWF_NOWAIT", 0)


class FileSource(InputStream):
    """The bytes of a file from `offset` on, `length` of them. The descriptor stays the caller's: see `settle`."""

    def __init__(self, descriptor: int, offset: int, length: int, run: Run) -> None:
        super().__init__()
        self.signal = Signal()
        self.signal.set()
        self._descriptor = descriptor
        self._at = offset
        self._end = offset + length
        #: Up to where bytes are in memory, as far as was seen.
        self._sure = offset
        self._run = run
        self._can_ask = bool(_NO_WAIT)
        self._error: OSError | None = None
        self._busy = threading.Lock()

    def receive(self, size: int) -> bytes | None:
        """What is there of `size` bytes."""
        size = min(size, self._end - self._at)
        if not size:
            return b""
        if not self._is_there(size):
            return None
        data = os.pread(self._descriptor, size, self._at)
        self._advance(len(data))
        return data

    def send_to(self, native: socket.socket, limit: int) -> int:
        """Has the system send up to `limit` bytes; gives how many it took.

        Raises `host.StreamErrorException` as `read` does, and OSError of the socket; `BlockingIOError` if it is full.
        """
        self.check_open()
        count = min(limit, self._end - self._at, _AHEAD)
        if not count:
            self.end()
        try:
            if not self._is_there(count):
                return 0
        except OSError as error:
            self.fail(error)
        sent = os.sendfile(native.fileno(), self._descriptor, self._at, count)
        try:
            self._advance(sent)
        except OSError as error:
            self.fail(error)
        return sent

    def awaits(self) -> Wants:
        """That bytes are in memory."""
        return self.signal.wants()

    def release(self) -> None:
        """The component has closed it."""
        self.closed = True

    def settle(self) -> None:
        """Returns when no thread uses the descriptor any more, nor will. Blocks, for one piece at most."""
        self.closed = True
        with self._busy:
            self._descriptor = -1

    def _advance(self, count: int) -> None:
        if not count:
            raise OSError(errno.EIO, "the file has become shorter")
        self._at += count

    def _is_there(self, size: int) -> bool:
        """Whether the next bytes can be had without waiting for the disk; else a thread fetches them."""
        if self._error is not None:
            raise self._error
        if self._at + size <= self._sure or not self._can_ask:
            return True
        if not self.signal.is_set:
            # A thread is at it.
            return False
        first = self._at
        last = min(first + _AHEAD, self._end)
        try:
            os.preadv(self._descriptor, [bytearray(1)], last - 1, _NO_WAIT)
        except BlockingIOError:
            self.signal.clear()
            self._run(lambda: self._fetch(first, last))
            return False
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
            # A file system that does not say: pieces are small, and the system reads ahead.
            self._can_ask = False
        self._sure = last
        return True

    def _fetch(self, first: int, last: int) -> None:
        """Has the system read a part of the file; in a thread."""
        try:
            while first < last:
                with self._busy:
                    if self._descriptor < 0:
                        return
                    count = len(os.pread(self._descriptor, min(PIECE, last - first), first))
                if not count:
                    break
                first += count
            self._sure = last
        except OSError as error:
            self._error = error
        finally:
            self.signal.set()


class FetchedSource(Outlet):
    """Bytes that `read` gives, which threads call with a size; fewer than that many or none are the end.

    It reads a little ahead of what is taken.
    """

    def __init__(self, read: Callable[[int], bytes], run: Run) -> None:
        super().__init__(self._refill)
        self._read = read
        self._run = run
        self._over = False
        self._busy = threading.Lock()
        self._refill()

    def settle(self) -> None:
        """Returns when no thread reads any more, nor will."""
        self._over = True
        with self._busy:
            pass

    def _refill(self) -> None:
        if not self._over and not self.ended and self.held < _HELD and self._busy.acquire(blocking=False):
            self._run(self._fetch)

    def _fetch(self) -> None:
        try:
            while not self._over and not self.ended and self.held < _HELD:
                data = self._read(PIECE)
                if not data:
                    self._over = True
                    self.finish()
                    return
                self.feed(data)
        except Exception as error:
            self._over = True
            self.abort(str(error))
        finally:
            self._busy.release()
        # What was taken in the meantime, nobody has made up for.
        self._refill()


class FileSink(OutputStream):
    """Bytes for a file, which `write` writes, all that it is given; threads call it, one after the other.

    Small files are written when the sink is settled, so that they cost no thread of their own.
    """

    def __init__(self, write: Callable[[list[bytes]], object], run: Run) -> None:
        super().__init__()
        self.signal = Signal()
        self.signal.set()
        self._write = write
        self._run = run
        self._pieces: list[bytes] = []
        self._held = 0
        #: Held by who moves pieces, and by the thread that writes.
        self._guard = threading.Lock()
        self._writing = threading.Lock()
        self._scheduled = self._over = False
        #: Whether threads were asked to write; before, all is here, and little.
        self.begun = False
        #: Why `write` failed.
        self.problem: BaseException | None = None

    # For the component

    def send(self, data: memoryview) -> int:
        """Takes all of it: no more than `room` was permitted."""
        self._take(bytes(data))
        return len(data)

    def room(self) -> int:
        """How many bytes there is room for."""
        return max(_HELD - self._held, 0)

    def splice(self, src: host.InputStream, len: int) -> int:
        """Moves bytes in larger pieces than `read` gives."""
        if not isinstance(src, InputStream):
            return super().splice(src, len)
        size = min(self.check_write(), len, PIECE)
        src.check_open()
        if not size:
            return 0
        try:
            data = src.receive(size)
        except BlockingIOError:
            return 0
        except OSError as error:
            src.fail(error)
        if data is None:
            return 0
        if not data:
            src.end()
        self._spend(_size(data))
        self._take(data)
        return _size(data)

    def awaits(self) -> Wants:
        """Room."""
        return self.signal.wants()

    # For the host

    def settle(self) -> None:
        """Writes what is left, and returns when all is written; in a thread. Raises what `write` raised."""
        self._over = True
        self._work()
        if self.problem is not None:
            raise self.problem

    def abandon(self) -> None:
        """Writes no more, and returns when no thread does; in a thread."""
        self._over = True
        with self._guard:
            self._pieces.clear()
        with self._writing:
            pass

    def _take(self, data: bytes) -> None:
        with self._guard:
            self._pieces.append(data)
            self._held += len(data)
            if self._held >= _HELD:
                self.signal.clear()
            begin = self._held >= PIECE and not self._scheduled
            self._scheduled = self._scheduled or begin
        if begin:
            self.begun = True
            self._run(self._work)

    def _work(self) -> None:
        with self._writing:
            try:
                while self._work_once():
                    pass
            except Exception as error:
                self.problem = error
                # The component is told with its next call.
                self._error = error if isinstance(error, OSError) else OSError(errno.EIO, str(error))
                self.signal.set()

    def _work_once(self) -> bool:
        """Writes what is there. Says whether to go on, for there is more that is worth it."""
        with self._guard:
            pieces, self._pieces = self._pieces, []
            if not pieces or self.problem is not None:
                self._scheduled = False
                return False
        self._write(pieces)
        with self._guard:
            self._held -= sum(map(len, pieces))
            again = self._held >= PIECE or (self._over and bool(self._pieces))
            self._scheduled = again
        self.signal.set()
        return again


def _size(data: bytes) -> int:
    return len(data)

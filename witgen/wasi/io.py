"""`wasi:io/streams` and `wasi:io/error`: what WASI says of reading and writing, in terms of a few primitives.

`InputStream` and `OutputStream` keep the rules: when a stream is closed, how an error is told once, how much may be
written. Subclasses know files or sockets and give `receive`, or `send` and `room`, and what there is to wait for.
Nothing here blocks but what is called so.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from typing import NoReturn

from witgen import runtime as rt
from witgen.wasi.bindings import host
from witgen.wasi.poll import Pollable, Waitable, Wants, background, wait
from witgen.wasi.resource import Resource

__all__ = ["CHUNK", "InputStream", "IoError", "OutputStream"]

#: The most bytes that one call carries, in either direction.
CHUNK = 1 << 16

#: The most bytes of a `blocking-write-and-flush`, as its documentation says.
_BLOCKING_WRITE = 4096


class IoError(Resource):
    """`error`: why an operation failed.

    `error` is the exception that it stands for. Interfaces that tell more of their own errors derive from this class
    and give it as `OutputStream.failure` or `InputStream.failure`.
    """

    kind = "error"

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def to_debug_string(self) -> str:
        """What the system says of the error, without what the exception knows of the host, such as paths."""
        code = self.error.errno
        return type(self.error).__name__ if code is None else os.strerror(code)


class Stream(Resource, Waitable):
    """What streams of both directions share: they are open, or closed for good."""

    def __init__(self, parent: Resource | None = None) -> None:
        super().__init__(parent)
        self.closed = False

    def subscribe(self) -> host.Pollable:
        """A pollable that is ready when the stream is, or is closed."""
        return Pollable(self, self)

    def wants(self) -> Wants:
        """What there is to wait for."""
        return None if self.closed else self.awaits()

    def awaits(self) -> Wants:
        """What there is to wait for while the stream is open. This one is always ready."""
        return None

    def failure(self, error: OSError) -> IoError:
        """The resource that tells a component of an error."""
        return IoError(error)

    def end(self) -> NoReturn:
        """Closes the stream, and says so."""
        self.closed = True
        raise host.StreamErrorException(host.StreamError_Closed())

    def fail(self, error: OSError) -> NoReturn:
        """Closes the stream and says why; who only finds that nobody is at the other end says that it is closed."""
        if isinstance(error, BrokenPipeError):
            self.end()
        self.closed = True
        raise host.StreamErrorException(host.StreamError_LastOperationFailed(self.failure(error)))

    def check_open(self) -> None:
        """Raises `host.StreamErrorException` if the stream is closed."""
        if self.closed:
            self.end()


class InputStream(Stream):
    """`input-stream`. Subclasses give `receive` and, where they are not always ready, `awaits`."""

    kind = "input-stream"

    def receive(self, size: int) -> bytes | None:
        """Up to `size` bytes, at least one asked for, that are there; None if none are, ``b""`` at the end.

        Never blocks. Raises `OSError`; `BlockingIOError` means the same as None.
        """
        raise NotImplementedError

    def read(self, len: int) -> bytes:
        """Up to `len` bytes that are there. Raises `host.StreamErrorException`."""
        self.check_open()
        if not len:
            return b""
        try:
            data = self.receive(min(len, CHUNK))
        except BlockingIOError:
            return b""
        except OSError as error:
            self.fail(error)
        if data is None:
            return b""
        if not data:
            self.end()
        return data

    def blocking_read(self, len: int) -> bytes:
        """As `read`, once there is a byte at least."""
        data = self.read(len)
        while not data and len:
            wait([self])
            data = self.read(len)
        return data

    def skip(self, len: int) -> int:
        """As `read`; gives the number of bytes."""
        return _length(self.read(len))

    def blocking_skip(self, len: int) -> int:
        """As `blocking_read`; gives the number of bytes."""
        return _length(self.blocking_read(len))


class OutputStream(Stream):
    """`output-stream`. Subclasses give `send`, and where they are not always ready `room` and `awaits`.

    Bytes that were permitted, but found no room after all, are kept here; until they are gone nothing is permitted.
    They go while anybody waits for anything, since a component that has written a question may well wait for the answer
    next. That may be on another thread, so a lock guards them.
    """

    kind = "output-stream"

    def __init__(self, parent: Resource | None = None) -> None:
        super().__init__(parent)
        #: How many bytes the component may write; what it was told by `check_write`, less what it has written since.
        self._permit = 0
        self._pending = memoryview(b"")
        self._lock = threading.RLock()
        #: An error met while nobody was there to be told.
        self._error: OSError | None = None

    def send(self, data: memoryview) -> int:
        """Writes bytes, one at least; gives how many it took, 0 if there was no room for any.

        Never blocks. Raises `OSError`; `BlockingIOError` means the same as 0.
        """
        raise NotImplementedError

    def room(self) -> int:
        """How many bytes can be written now; 0: none. Raises `OSError` if none ever will be. Here: always some."""
        return CHUNK

    def sync(self) -> None:
        """Passes on what `send` has left in buffers. Raises `OSError`. Here: nothing."""

    def wants(self) -> Wants:
        """What there is to wait for: that what is kept is gone, and there is room for more."""
        if self.closed or self._error is not None:
            return None
        self.go_on()
        return None if self._error is not None else self.awaits()

    def woken(self) -> bool:
        """Whether there is room beyond what is kept."""
        if not self._pending:
            return True
        try:
            return not self.go_on() and self.room() > 0
        except OSError as error:
            self._error = error
            return True

    def go_on(self) -> bool:
        """Writes of what is kept as much as there is room for. Says whether there is still some."""
        try:
            return not self._push()
        except OSError as error:
            self._error = error
            return False

    def check_write(self) -> int:
        """How many bytes may be written. Raises `host.StreamErrorException`."""
        self._check()
        try:
            self._permit = self.room() if self._push() else 0
        except OSError as error:
            self.fail(error)
        return self._permit

    def write(self, contents: bytes) -> None:
        """Writes bytes that were permitted. Raises `host.StreamErrorException`, and `rt.Trap` if they were not."""
        self._spend(len(contents))
        self._check()
        self._put(contents)

    def write_zeroes(self, len: int) -> None:
        """As `write`, of `len` zeroes."""
        self._spend(len)
        self._check()
        self._put(bytes(len))

    def hand_over(self, contents: bytes) -> None:
        """Writes bytes of the host's own that no component was permitted: those of a stream that lies above this one.

        What finds no room is kept and goes by itself. Raises `host.StreamErrorException`.
        """
        self._permit = 0
        self._check()
        self._put(contents)

    def flush(self) -> None:
        """Asks that all be passed on. Raises `host.StreamErrorException`."""
        self._check()
        try:
            if self._push():
                self.sync()
            else:
                self._permit = 0
        except OSError as error:
            self.fail(error)

    def blocking_flush(self) -> None:
        """Returns when all is passed on and there is room for more. Raises `host.StreamErrorException`."""
        self._check()
        self._drain()
        wait([self])
        self._check()

    def blocking_write_and_flush(self, contents: bytes) -> None:
        """Writes up to 4096 bytes and passes them on.

        Raises `host.StreamErrorException`, and `rt.Trap` if there are more.
        """
        if len(contents) > _BLOCKING_WRITE:
            raise rt.Trap(f"blocking-write-and-flush: {len(contents)} bytes are more than {_BLOCKING_WRITE}")
        self._check()
        self._drain()
        self._put(contents)
        self._drain()

    def blocking_write_zeroes_and_flush(self, len: int) -> None:
        """As `blocking_write_and_flush`, of `len` zeroes."""
        if len > _BLOCKING_WRITE:
            raise rt.Trap(f"blocking-write-zeroes-and-flush: {len} bytes are more than {_BLOCKING_WRITE}")
        self.blocking_write_and_flush(bytes(len))

    def splice(self, src: host.InputStream, len: int) -> int:
        """Moves up to `len` bytes from `src`; gives how many. Raises `host.StreamErrorException`."""
        data = src.read(min(self.check_write(), len))
        self.write(bytes(data))
        return _length(data)

    def blocking_splice(self, src: host.InputStream, len: int) -> int:
        """As `splice`, once there is room and `src` is ready."""
        while not self.check_write():
            wait([self])
        pollable = src.subscribe()
        pollable.block()
        _drop(pollable)
        return self.splice(src, len)

    def release(self) -> None:
        """Writes what it can of what is kept. The rest is lost, as the documentation warns."""
        if not self.closed and self._error is None:
            self.go_on()
        self.closed = True
        self._pending = memoryview(b"")

    def _check(self) -> None:
        """Raises `host.StreamErrorException` if the stream is closed or has failed since it was last asked."""
        self.check_open()
        if self._error is not None:
            self.fail(self._error)

    def _spend(self, size: int) -> None:
        if size > self._permit:
            raise rt.Trap(f"write: {size} bytes are more than the {self._permit} that check-write has permitted")
        self._permit -= size

    def _put(self, contents: bytes) -> None:
        """Writes what there is room for and keeps the rest."""
        if not contents:
            return
        try:
            with self._lock:
                if self._push():
                    self._pending = memoryview(contents)
                else:
                    self._pending = memoryview(bytes(self._pending) + contents)
                if not self._push():
                    background.add(_Rest(self))
        except OSError as error:
            self.fail(error)

    def _push(self) -> bool:
        """As `go_on`, with the errors. Says whether that was all."""
        if not self._pending:
            return True
        with self._lock, contextlib.suppress(BlockingIOError):
            while self._pending and (taken := self.send(self._pending)):
                self._pending = self._pending[taken:]
        return not self._pending

    def _drain(self) -> None:
        """Returns when nothing is kept and buffers are passed on."""
        try:
            while not self._push():
                wait([self])
                self._check()
            self.sync()
        except OSError as error:
            self.fail(error)


class _Rest(Waitable):
    """What a stream has kept, on its way. It ends with the stream, as when nobody has the instance any more."""

    def __init__(self, stream: OutputStream) -> None:
        self._stream = weakref.ref(stream)

    def wants(self) -> Wants:
        stream = self._stream()
        if stream is not None:
            # Asked for first: another thread may drop the stream, but not as long as there is something left.
            awaited = stream.awaits()
            if stream.go_on():
                return awaited
        background.discard(self)
        return None

    def woken(self) -> bool:
        return self.wants() is None


def _length(data: rt.Buffer) -> int:
    return memoryview(data).nbytes


def _drop(pollable: host.Pollable) -> None:
    if isinstance(pollable, Resource):
        pollable.close()

"""Streams between a component and the host's own code, through memory of a bounded size.

An `Inlet` is a sink to the component, and the host takes out what comes; an `Outlet` is a source to the component,
and the host puts in what is to go. What streams are is said in `witgen.wasi.io`; whose bytes they are is not known
here.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
from collections import deque
from collections.abc import Callable

from runner.host.signal import Signal
from witgen.wasi.io import CHUNK, InputStream, OutputStream
from witgen.wasi.poll import Wants

__all__ = ["Inlet", "Outlet"]

#: The most pieces that are passed on at once; a system call takes at least as many (POSIX: 16, Linux: 1024).
_AT_ONCE = 16


class Inlet(OutputStream):
    """Bytes from a component to the host.

    `capacity` is how many bytes it holds before the component has to wait. `heard` is called, by the thread in which
    the component runs, when bytes have come and when the component has closed the stream; it must not call the
    component.
    """

    def __init__(self, capacity: int = CHUNK, heard: Callable[[], object] | None = None) -> None:
        super().__init__()
        self.signal = Signal()
        self.signal.set()
        self.heard = heard
        #: Whether the component has closed it. Whether all has come then, the component says elsewhere.
        self.ended = False
        self._capacity = capacity
        self._pieces: deque[bytes] = deque()
        self._held = 0

    @property
    def held(self) -> int:
        """How many bytes wait for the host."""
        return self._held

    def read(self) -> bytes:
        """All that is there; ``b""`` if nothing is, which is the end where `ended` is true."""
        found = b"".join(self._pieces) if len(self._pieces) != 1 else self._pieces[0]
        self._pieces.clear()
        self._held = 0
        if not self.ended:
            self.signal.set()
        return found

    def shut(self) -> None:
        """The host wants no more: what comes from now on fails with `closed`."""
        self.closed = True
        self._pieces.clear()
        self._held = 0
        self.signal.set()

    # For the component

    def send(self, data: memoryview) -> int:
        """Takes all of it: no more than `room` was permitted."""
        self._pieces.append(bytes(data))
        self._held += len(data)
        if self._held >= self._capacity:
            self.signal.clear()
        self._tell()
        return len(data)

    def room(self) -> int:
        """How many bytes there is room for."""
        return max(self._capacity - self._held, 0)

    def awaits(self) -> Wants:
        """Room."""
        return self.signal.wants()

    def release(self) -> None:
        """The component has closed it."""
        super().release()
        self.ended = True
        self._tell()

    def _tell(self) -> None:
        if self.heard is not None:
            # It is the host's own fault, and must not cut the component off.
            with contextlib.suppress(Exception):
                self.heard()


class Outlet(InputStream):
    """Bytes from the host to a component.

    `heard` is called, by the thread in which the component runs, when it has taken bytes and when it has closed the
    stream; it must not call the component. All other methods may be called by any thread.
    """

    def __init__(self, heard: Callable[[], object] | None = None) -> None:
        super().__init__()
        self.signal = Signal()
        self.heard = heard
        #: Whether the component takes no more.
        self.ended = False
        self._pieces: deque[bytes | memoryview] = deque()
        self._held = 0
        self._finished = False
        self._failure: OSError | None = None

    @property
    def held(self) -> int:
        """How many bytes wait for the component; who puts more in should wait while they are many."""
        return self._held

    def feed(self, data: bytes) -> None:
        """Puts bytes in. What comes after the component has closed the stream is thrown away."""
        if data and not self.ended:
            self._held += len(data)
            self._pieces.append(data)
            self.signal.set()

    def finish(self) -> None:
        """There are no more."""
        self._finished = True
        self.signal.set()

    def abort(self, reason: str) -> None:
        """There should be more, but there can't be: the component is told that the stream has failed."""
        self._failure = OSError(errno.EIO, reason)
        self.signal.set()

    # For the component

    def receive(self, size: int) -> bytes | None:
        """What is there."""
        if self._pieces:
            piece = self._pieces.popleft()
            if len(piece) > size:
                view = memoryview(piece)
                self._pieces.appendleft(view[size:])
                piece = view[:size]
            self._take_off(len(piece))
            return bytes(piece)
        if self._failure is not None:
            raise self._failure
        return b"" if self._finished else None

    def pass_on(self, send: Callable[[list[bytes | memoryview]], int], limit: int) -> int:
        """Has `send` take up to `limit` bytes as they lie here, in pieces, and gives how many it took.

        Raises `host.StreamErrorException` at the end as `read` does, and what `send` raises.
        """
        if not self._pieces:
            # Nothing is lost: there is nothing, or the end.
            self.read(1)
            return 0
        pieces: list[bytes | memoryview] = []
        room = limit
        for piece in itertools.islice(self._pieces, _AT_ONCE):
            if len(piece) > room:
                piece = memoryview(piece)[:room]
            pieces.append(piece)
            room -= len(piece)
            if not room:
                break
        taken = left = send(pieces)
        while left:
            piece = self._pieces[0]
            if len(piece) > left:
                self._pieces[0] = memoryview(piece)[left:]
                break
            left -= len(piece)
            self._pieces.popleft()
        self._take_off(taken)
        return taken

    def _take_off(self, count: int) -> None:
        self._held -= count
        self._settle()
        self._tell()

    def awaits(self) -> Wants:
        """Bytes, or the end of them."""
        return self.signal.wants()

    def release(self) -> None:
        """The component has closed it."""
        self.ended = True
        self._pieces.clear()
        self._held = 0
        self._tell()

    def _settle(self) -> None:
        if not self._pieces and not self._finished and self._failure is None:
            self.signal.clear()
            # Another thread may have put something in at this moment.
            if self._pieces or self._finished or self._failure is not None:
                self.signal.set()

    def _tell(self) -> None:
        if self.heard is not None:
            with contextlib.suppress(Exception):
                self.heard()

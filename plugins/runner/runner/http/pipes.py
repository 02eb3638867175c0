"""Content on its way between an application and a component: streams of the host that coroutines fill or empty.

The component sees `wasi:io` streams, the application functions to await. What waits here is bounded: one side gives no
more than the other has room for. Who becomes ready announces it. Everything runs in the thread of one event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque

from runner.host.announced import NEVER, Announced
from witgen.wasi.io import InputStream, OutputStream
from witgen.wasi.poll import Wants

__all__ = ["BUFFER", "Sink", "Source"]

#: Bytes that wait in a pipe: a component writes no more, and an application that has given more waits.
BUFFER = 1 << 16


class Source(Announced, InputStream):
    """What an application writes and a component reads: the content of an answer."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: deque[memoryview] = deque()
        self._size = 0
        self._finished = False
        self._broken: OSError | None = None
        self._waiter: asyncio.Future[None] | None = None

    # The application's side

    async def write(self, data: bytes) -> None:
        """Gives bytes, and returns when there is room for more. Where nobody reads any more they are dropped."""
        if self.closed or not data:
            return
        self._pieces.append(memoryview(data))
        self._size += len(data)
        self.announce()
        while self._size > BUFFER and not self.closed:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def finish(self) -> None:
        """Says that no more comes."""
        self._finished = True
        self.announce()

    def break_off(self, reason: str) -> None:
        """Fails: the component cuts the message off, so that the peer takes no part for the whole."""
        self._broken = OSError(reason)
        self.announce()

    # The component's side

    def receive(self, size: int) -> bytes | None:
        """Bytes that wait."""
        if not self._pieces:
            if self._broken is not None:
                raise self._broken
            return b"" if self._finished else None
        piece = self._pieces.popleft()
        if len(piece) > size:
            self._pieces.appendleft(piece[size:])
            piece = piece[:size]
        self._size -= len(piece)
        if self._size <= BUFFER:
            self._wake()
        return bytes(piece) if len(piece) < len(piece.obj) else piece.obj

    def awaits(self) -> Wants:
        """Bytes, or the end of them."""
        return None if self._pieces or self._finished or self._broken else NEVER

    def release(self) -> None:
        """Nobody reads any more."""
        self.closed = True
        self._pieces.clear()
        self._size = 0
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


class Sink(Announced, OutputStream):
    """What a component writes and an application reads: the content of a request."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._finished = False
        #: Whether all has come that was to come.
        self.complete = False
        self._waiter: asyncio.Future[None] | None = None

    # The application's side

    async def read(self) -> bytes:
        """The next bytes; none at the end, or where it was cut off."""
        while not self._pieces and not self._finished:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if not self._pieces:
            return b""
        data = self._pieces.popleft() if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        self.announce()
        return data

    def finish(self, *, complete: bool) -> None:
        """No more comes; `complete` says whether that was all."""
        self._finished = True
        self.complete = complete
        self._wake()

    # The component's side

    def send(self, data: memoryview) -> int:
        """Takes bytes."""
        self._pieces.append(bytes(data))
        self._size += len(data)
        self._wake()
        return len(data)

    def room(self) -> int:
        """What there is room for."""
        return max(BUFFER - self._size, 0)

    def awaits(self) -> Wants:
        """Room."""
        return None if self._size < BUFFER else NEVER

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

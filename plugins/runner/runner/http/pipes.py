"""Content on its way between an application and a component: the two streams of `runner.host`, for coroutines.

What waits here is bounded: one side gives no more than the other has room for. Everything runs in the thread of one
event loop.
"""

from __future__ import annotations

import asyncio

from runner.host.streams import Inlet, Outlet

__all__ = ["BUFFER", "Sink", "Source"]

#: Bytes that wait in a pipe: a component gives no more, and an application that has given more waits.
BUFFER = 1 << 18


class _Pipe:
    """Somebody who waits for the other side."""

    def __init__(self) -> None:
        self._waiter: asyncio.Future[None] | None = None

    async def _wait(self) -> None:
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)


class Source(_Pipe):
    """What an application writes and a component reads: the content of an answer."""

    def __init__(self) -> None:
        super().__init__()
        self.outlet = Outlet(self._wake)

    def feed(self, data: bytes) -> None:
        """Gives bytes. Where nobody reads any more they are dropped."""
        self.outlet.feed(data)

    @property
    def is_full(self) -> bool:
        """Whether whoever gives more should wait."""
        return self.outlet.held > BUFFER and not self.outlet.ended

    async def drained(self) -> None:
        """Returns when there is room for more."""
        while self.is_full:
            await self._wait()

    def finish(self) -> None:
        """Says that no more comes."""
        self.outlet.finish()

    def break_off(self, reason: str) -> None:
        """Fails: the component cuts the message off, so that the peer takes no part for the whole."""
        self.outlet.abort(reason)

    def abandon(self) -> None:
        """Nobody reads any more."""
        self.outlet.ended = True
        self._wake()


class Sink(_Pipe):
    """What a component writes and an application reads: the content of a request."""

    def __init__(self) -> None:
        super().__init__()
        self.inlet = Inlet(BUFFER, self._wake)
        self._finished = False
        #: Whether all has come that was to come.
        self.complete = False

    async def read(self) -> bytes:
        """The next bytes; none at the end, or where it was cut off."""
        while not self.inlet.held and not self._finished:
            await self._wait()
        return self.inlet.read()

    def finish(self, *, complete: bool) -> None:
        """No more comes; `complete` says whether that was all."""
        if not self._finished:
            self._finished = True
            self.complete = complete
            self._wake()

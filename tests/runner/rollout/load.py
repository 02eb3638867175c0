"""Clients that come again and again, and count what they get."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Callable
from types import TracebackType

_REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
_PAUSE = 0.01


class Load:
    """Requests over loopback from a thread, as long as a ``with`` lasts: some on connections of their own, some on
    connections that are kept.

    `statuses` counts the answers, `errors` says what else clients saw. A kept connection that the server closes
    between two requests, or has announced to close, is none of these.
    """

    def __init__(self, port: int, clients: int = 8) -> None:
        self._port = port
        self._clients = clients
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.statuses: Counter[int] = Counter()
        self.errors: list[str] = []

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Returns when no client wants anything any more."""
        self._over.set()
        self._thread.join()

    @property
    def answers(self) -> int:
        """How many answers have come."""
        return sum(self.statuses.values())

    def more(self, count: int = 100, patience: float = 30.0) -> None:
        """Returns when so many more answers have come."""
        wanted = self.answers + count
        self.until(lambda: self.answers >= wanted, patience)

    def until(self, condition: Callable[[], bool], patience: float = 30.0) -> None:
        """Returns when something has happened under the load."""
        end = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < end, f"it did not happen in {patience:g} s: {self.statuses} {self.errors[:3]}"
            time.sleep(0.02)

    async def _run(self) -> None:
        await asyncio.gather(*(self._client(kept=number % 2 == 0) for number in range(self._clients)))

    async def _client(self, kept: bool) -> None:
        while not self._over.is_set():
            try:
                await self._connection(20 if kept else 1)
            except (OSError, EOFError, ValueError) as error:
                self.errors.append(repr(error))
                await asyncio.sleep(_PAUSE)

    async def _connection(self, requests: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            for number in range(requests):
                if self._over.is_set() or (number and reader.at_eof()):
                    return
                writer.write(_REQUEST)
                try:
                    head = await reader.readuntil(b"\r\n\r\n")
                except (EOFError, ConnectionResetError):
                    # It was closed while nothing was under way, just when the next request went out (RFC 9112, 9.5).
                    if number:
                        return
                    raise
                lines = head.decode("latin-1").lower().split("\r\n")
                fields = dict(line.split(": ", 1) for line in lines[1:] if line)
                await reader.readexactly(int(fields["content-length"]))
                self.statuses[int(lines[0].split()[1])] += 1
                if fields.get("connection") == "close":
                    return
                await asyncio.sleep(_PAUSE)
        finally:
            writer.close()

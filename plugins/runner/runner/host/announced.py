"""Things of the host that say themselves when they become ready, without a descriptor that the system would watch."""

from __future__ import annotations

from collections.abc import Callable

from witgen.wasi import Waitable

__all__ = ["NEVER", "Announced"]

#: A deadline that does not come (nanoseconds of ``time.monotonic_ns``), for what becomes ready by being announced.
NEVER = 1 << 62


class Announced(Waitable):
    """A waitable that calls back when it may have become ready. Its `wants` are None or `NEVER`."""

    _listener: Callable[[], None] | None = None

    def announce_to(self, listener: Callable[[], None]) -> None:
        """Has `listener` called once, the next time that it may have become ready. There is one listener at a time."""
        self._listener = listener

    def announce(self) -> None:
        """Tells whoever listens."""
        listener, self._listener = self._listener, None
        if listener is not None:
            listener()

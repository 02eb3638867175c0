"""Which subscriptions have become ready, for each client by itself: listed once, and named once until it was empty.

It knows tokens, and nothing of what waits behind them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

__all__ = ["Wakes"]


@dataclass(slots=True)
class Wakes:
    """The subscriptions of one client: a component, or the Runner itself. No client hears of those of another."""

    tokens: set[int] = field(default_factory=set)
    _awake: deque[int] = field(default_factory=deque)
    _listed: set[int] = field(default_factory=set)
    _named: set[int] = field(default_factory=set)

    def wake(self, token: int) -> None:
        """Something waits: lists the subscription unless it is listed or has been named already."""
        if token not in self._listed and token not in self._named:
            self._listed.add(token)
            self._awake.append(token)

    def next(self) -> int | None:
        """The subscription that is listed first, which is not any more then."""
        while self._awake:
            token = self._awake.popleft()
            self._listed.discard(token)
            if token in self.tokens:
                return token
        return None

    def name(self, token: int) -> None:
        """It has been named, and will not be again before it was empty."""
        self._named.add(token)

    def emptied(self, token: int) -> None:
        """Nothing waits any more."""
        self._named.discard(token)

    def add(self, token: int) -> None:
        """Another subscription."""
        self.tokens.add(token)
        self._named.discard(token)

    def remove(self, token: int) -> None:
        """A subscription is gone."""
        self.tokens.discard(token)
        self._named.discard(token)

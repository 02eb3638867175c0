"""Who may be in an instance: one call at a time, and nobody after a trap.

It knows no instance and no call.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Claim"]


class Claim:
    """What a call holds while it goes on. There is one, and nobody waits for it.

    `take` raises IndexError where another call has it; `give` puts it back, with None as its argument. Both are methods
    of a list, single steps of the interpreter, so that a call pays a fraction of what a lock costs it.
    """

    __slots__ = ("give", "take")

    def __init__(self) -> None:
        tokens: list[None] = [None]
        self.take: Callable[[], None] = tokens.pop
        self.give: Callable[[None], None] = tokens.append

    def try_take(self) -> bool:
        """Takes it if nobody has it, and says whether it did."""
        try:
            self.take()
        except IndexError:
            return False
        return True

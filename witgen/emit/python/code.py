"""Text of Python code while it is put together: indented lines, fresh local names, ``struct`` formats.

It knows nothing of WIT.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Block", "Slot", "struct_format"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A scalar at a fixed place: its offset in bytes, its ``struct`` letter, and the expression or variable for it."""

    offset: int
    letter: str
    code: str


class Block:
    """Lines of a function body, and the temporaries that they use."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._depth = 0
        self._numbers = itertools.count()

    def child(self) -> Block:
        """A block of its own, for lines that go into this one later; it takes no name that this one takes."""
        block = Block()
        block._numbers = self._numbers
        return block

    def add(self, *lines: str) -> None:
        """Appends lines at the present depth."""
        self.lines += ["    " * self._depth + line for line in lines]

    def fresh(self, letter: str = "v") -> str:
        """A local name that was not used before in this function."""
        return f"{letter}{next(self._numbers)}"

    @contextmanager
    def indented(self, head: str) -> Iterator[None]:
        """The lines added inside stand, indented, below `head`; nothing added makes it ``pass``."""
        self.add(head)
        before = len(self.lines)
        self._depth += 1
        try:
            yield
            if len(self.lines) == before:
                self.add("pass")
        finally:
            self._depth -= 1


def struct_format(slots: Iterable[Slot], size: int | None = None) -> str:
    """The little-endian ``struct`` format that reads or writes these slots, in their order, padded to `size` bytes."""
    parts = ["<"]
    at = 0
    for slot in slots:
        if slot.offset < at:
            raise ValueError(f"slot at {slot.offset} overlaps the one before it")
        parts.append(_pad(slot.offset - at) + slot.letter)
        at = slot.offset + struct.calcsize("<" + slot.letter)
    if size is not None:
        parts.append(_pad(size - at))
    return _run_lengths("".join(parts))


def _pad(count: int) -> str:
    return "" if count <= 0 else "x" if count == 1 else f"{count}x"


def _run_lengths(format_: str) -> str:
    """``IIII`` as ``4I``; padding counts stay as they are."""
    out: list[str] = []
    i = 0
    while i < len(format_):
        char = format_[i]
        end = i
        while char.isalpha() and char != "x" and end < len(format_) and format_[end] == char:
            end += 1
        run = end - i
        if run > 1:
            out.append(f"{run}{char}")
            i = end
        else:
            out.append(char)
            i += 1
    return "".join(out)

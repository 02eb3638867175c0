"""What is wrong with a component binary, and at which byte.

The decoder and the readers built on it raise nothing else, however the input was cut or changed.
"""

from __future__ import annotations

__all__ = ["BinaryError", "Budget", "NoWorldError", "printable", "quoted"]

_LONGEST_NAME = 120


class BinaryError(Exception):
    """A binary that is not what it should be.

    `offset` is the byte, from the start of the file, at which that was seen; None where no single byte is to blame.
    """

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message, offset)
        self.message = message
        self.offset = offset

    def __str__(self) -> str:
        return self.message if self.offset is None else f"at offset 0x{self.offset:x}: {self.message}"


class NoWorldError(BinaryError):
    """A binary that is in order, and has something that no WIT world can have."""


class Budget:
    """The work that a file may ask for altogether: a small one can ask for very much.

    `complaint` is the message of the error when nothing is left.
    """

    __slots__ = ("complaint", "left")

    def __init__(self, steps: int, complaint: str = "its types are too much work to evaluate") -> None:
        self.left = steps
        self.complaint = complaint

    def spend(self, steps: int, offset: int) -> None:
        """Takes `steps` off, or raises `BinaryError` where nothing is left."""
        self.left -= steps
        if self.left < 0:
            raise BinaryError(self.complaint, offset)


def printable(text: str, longest: int = _LONGEST_NAME) -> str:
    """A text out of a binary, fit to be printed: cut where it is long, escaped where it would disturb a terminal."""
    shown = "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in text[:longest])
    return f"{shown}{'…' if len(text) > longest else ''}"


def quoted(name: str) -> str:
    """A name as errors have it: `printable`, between backticks."""
    return f"`{printable(name)}`"

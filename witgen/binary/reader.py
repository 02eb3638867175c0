"""Bytes to numbers, names and counts: the part of the core binary format that components reuse.

It knows LEB128, lengths and where the present section ends; it knows nothing of what the bytes are about. Whatever it
can't read it reports as a `BinaryError` at the byte concerned, so that its users need no checks of their own.

After the core specification, "Values" (integers and names) and "Conventions" (vectors).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from witgen.binary.errors import BinaryError

__all__ = ["Reader"]

T = TypeVar("T")

_U32_LENGTH = 5
#: Items of all the vectors of a file together: far above what tools write, and a bound for the memory of what doesn't
#: come from a tool.
_MAX_ITEMS = 200_000


class Reader:
    """A position in a file, and the `end` that it must not pass (of the file or of the section being read)."""

    __slots__ = ("data", "end", "items", "pos", "view")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.view = memoryview(data)
        self.pos = 0
        self.end = len(data)
        self.items = 0

    def fail(self, message: str, offset: int | None = None) -> BinaryError:
        """The error to raise; `offset` is the present position where it is not given."""
        return BinaryError(message, self.pos if offset is None else offset)

    def byte(self) -> int:
        """The next byte."""
        pos = self.pos
        if pos >= self.end:
            raise self.fail("unexpected end")
        self.pos = pos + 1
        return self.data[pos]

    def peek(self) -> int:
        """The next byte, which stays the next."""
        if self.pos >= self.end:
            raise self.fail("unexpected end")
        return self.data[self.pos]

    def u32(self) -> int:
        """An unsigned LEB128 number of up to 32 bits."""
        pos = self.pos
        if pos >= self.end:
            raise self.fail("unexpected end")
        value = self.data[pos]
        if value < 0x80:
            self.pos = pos + 1
            return value
        return self._long_u32(pos)

    def _long_u32(self, start: int) -> int:
        value = 0
        for i in range(_U32_LENGTH):
            byte = self.byte()
            value |= (byte & 0x7F) << 7 * i
            if byte < 0x80:
                if value > 0xFFFFFFFF:
                    break
                return value
        raise self.fail("number does not fit into 32 bits", start)

    def s33(self) -> int:
        """A signed LEB128 number of up to 33 bits: how type indices are told from type codes."""
        start = self.pos
        value = 0
        for i in range(_U32_LENGTH):
            byte = self.byte()
            value |= (byte & 0x7F) << 7 * i
            if byte < 0x80:
                bits = 7 * (i + 1)
                value -= (byte & 0x40) << bits - 6
                if not -(1 << 32) <= value < 1 << 32:
                    break
                return value
        raise self.fail("number does not fit into 33 bits", start)

    def length(self, what: str) -> int:
        """A number of bytes that follow; checked to be there."""
        start = self.pos
        value = self.u32()
        if value > self.end - self.pos:
            raise self.fail(f"{what} of {value} bytes, more than remain ({self.end - self.pos})", start)
        return value

    def count(self, what: str) -> int:
        """A number of items that follow; as each takes a byte at least, there can't be more than bytes."""
        start = self.pos
        value = self.u32()
        if value > self.end - self.pos:
            raise self.fail(f"{value} {what}, more than the bytes that remain ({self.end - self.pos})", start)
        self.tally(value, start)
        return value

    def tally(self, items: int, offset: int) -> None:
        """Counts items that are going to be read, and refuses more than any sensible file has."""
        self.items += items
        if self.items > _MAX_ITEMS:
            raise self.fail(f"more than {_MAX_ITEMS} items", offset)

    def vec(self, what: str, item: Callable[[], T]) -> tuple[T, ...]:
        """A count and that many items; `what` is their plural."""
        return tuple([item() for _ in range(self.count(what))])

    def name(self) -> str:
        """A length and that many bytes of UTF-8."""
        size = self.length("name")
        start = self.pos
        self.pos = start + size
        try:
            return self.data[start : self.pos].decode()
        except UnicodeDecodeError as error:
            raise self.fail("name is not UTF-8", start + error.start) from None

    def flag(self, what: str) -> bool:
        """A byte that is 0 or 1."""
        byte = self.byte()
        if byte > 1:
            raise self.fail(f"0x{byte:02x} where 0x00 or 0x01 says {what}", self.pos - 1)
        return byte == 1

    def expect(self, value: int, what: str) -> None:
        """A byte that can have one value only."""
        byte = self.byte()
        if byte != value:
            raise self.fail(f"0x{byte:02x} instead of 0x{value:02x} for {what}", self.pos - 1)

    def rest(self) -> memoryview:
        """The bytes up to `end`, without a copy."""
        view = self.view[self.pos : self.end]
        self.pos = self.end
        return view

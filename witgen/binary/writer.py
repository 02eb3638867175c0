"""Numbers, names, vectors and sections to bytes: the opposite of `witgen.binary.reader`.

It knows lengths and LEB128; it knows nothing of what is written.
"""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["name_bytes", "section", "signed", "unsigned", "vec"]


def unsigned(value: int) -> bytes:
    """The shortest LEB128 form of a number that is not negative."""
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int) -> bytes:
    """The shortest signed LEB128 form of a number."""
    out = bytearray()
    while not -0x40 <= value < 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


def name_bytes(text: str) -> bytes:
    """A length and UTF-8."""
    data = text.encode()
    return unsigned(len(data)) + data


def vec(items: Collection[bytes]) -> bytes:
    """A count and the items."""
    return unsigned(len(items)) + b"".join(items)


def section(number: int, content: bytes) -> bytes:
    """A section: its number, its length, its content."""
    return bytes((number,)) + unsigned(len(content)) + content

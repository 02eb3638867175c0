"""Custom sections at the top level of a component: reading them all, and putting one in.

Sections are stepped over by their lengths; nothing but custom sections is looked into. That is what makes it cheap
enough to ask a component of any size for its stamp.
"""

from __future__ import annotations

from collections.abc import Iterator

from witgen.binary import opcodes as op
from witgen.binary.decoder import check_preamble
from witgen.binary.reader import Reader
from witgen.binary.writer import name_bytes, section

__all__ = ["custom_sections", "with_custom_section"]


def custom_sections(data: bytes) -> list[tuple[str, memoryview]]:
    """Name and content of each custom section of a component, in order; a name may come more than once.

    Raises `BinaryError` where `data` is not a component or its sections don't fit into it.
    """
    found = []
    for reader, number, _ in _sections(data):
        if number == op.CUSTOM:
            found.append((reader.name(), reader.rest()))
    return found


def with_custom_section(data: bytes, name: str, payload: bytes) -> bytes:
    """The component in `data` with a custom section `name` at its end, in place of those of that name.

    Raises `BinaryError` as `custom_sections` does.
    """
    parts = [data[: len(op.PREAMBLE)]]
    for reader, number, start in _sections(data):
        if number != op.CUSTOM or reader.name() != name:
            parts.append(data[start : reader.end])
    parts.append(section(op.CUSTOM, name_bytes(name) + payload))
    return b"".join(parts)


def _sections(data: bytes) -> Iterator[tuple[Reader, int, int]]:
    """Each section: a reader that stands at its content and ends with it, its number, and where it begins."""
    check_preamble(data)
    reader = Reader(data)
    at = len(op.PREAMBLE)
    while at < len(data):
        reader.pos, reader.end = at, len(data)
        number = reader.byte()
        reader.end = reader.length("section") + reader.pos
        start, at = at, reader.end
        yield reader, number, start

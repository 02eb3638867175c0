"""The custom section ``producers``: which languages and tools a module or component comes from.

After the tool conventions, "Producers Section". It reads what is there, and writes the section of what witgen encodes;
which fields and tools mean what is not its business.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from witgen import __version__
from witgen.binary import opcodes as op
from witgen.binary.model import CustomSection
from witgen.binary.reader import Reader
from witgen.binary.writer import name_bytes, section, vec

__all__ = ["SECTION", "Producer", "own_section", "producers"]

SECTION = "producers"


@dataclass(frozen=True, slots=True)
class Producer:
    """A language or tool; `field` says which part it had: ``language``, ``processed-by`` or ``sdk``."""

    field: str
    name: str
    version: str


def own_section() -> bytes:
    """The section that says that witgen made what it stands in: ``processed-by witgen``, with the version."""
    tools = vec([name_bytes("witgen") + name_bytes(__version__)])
    return section(op.CUSTOM, name_bytes(SECTION) + vec([name_bytes("processed-by") + tools]))


def producers(reader: Reader, sections: Iterable[CustomSection]) -> tuple[Producer, ...]:
    """What those of the `sections` of the reader's file that are about producers say.

    Raises `BinaryError` where one is not of the form that it should be.
    """
    found: list[Producer] = []
    for each in sections:
        if each.name != SECTION:
            continue
        reader.pos, reader.end = each.offset, len(reader.data)
        reader.name()
        reader.end = reader.pos + len(each.data)
        for _ in range(reader.count("fields")):
            field = reader.name()
            found += [Producer(field, reader.name(), reader.name()) for _ in range(reader.count("producers"))]
        if reader.pos != reader.end:
            raise reader.fail("the producers go on after their content")
    return tuple(found)

"""The custom section ``producers``: which languages and tools a module or component comes from.

After the tool conventions, "Producers Section". It reads what is there; which fields and tools mean what is not its
business.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from witgen.binary.model import CustomSection
from witgen.binary.reader import Reader

__all__ = ["SECTION", "Producer", "producers"]

SECTION = "producers"


@dataclass(frozen=True, slots=True)
class Producer:
    """A language or tool; `field` says which part it had: ``language``, ``processed-by`` or ``sdk``."""

    field: str
    name: str
    version: str


def producers(reader: Reader, sections: Iterable[CustomSection]) -> tuple[Producer, ...]:
    """What those of the `sections` of the reader's file that are about producers say.

    Raises `BinaryError` where one is not of the form that it should be.
    """
    found: list[Producer] = []
    for section in sections:
        if section.name != SECTION:
            continue
        reader.pos, reader.end = section.offset, len(reader.data)
        reader.name()
        reader.end = reader.pos + len(section.data)
        for _ in range(reader.count("fields")):
            field = reader.name()
            found += [Producer(field, reader.name(), reader.name()) for _ in range(reader.count("producers"))]
        if reader.pos != reader.end:
            raise reader.fail("the producers go on after their content")
    return tuple(found)

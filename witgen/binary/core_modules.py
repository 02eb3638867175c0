"""Core modules from outside: how many imports and exports they have, and their custom sections.

After the core specification, "Modules" and the appendix "Custom Sections" (the name of a module). Sections are stepped
over by their lengths; no code, type or value is read.
"""

from __future__ import annotations

from dataclasses import dataclass

from witgen.binary import opcodes as op
from witgen.binary.model import CustomSection
from witgen.binary.reader import Reader

__all__ = ["CoreModuleOutline", "outline"]

#: The sections of a core module that are looked into, and the last one that there is.
_CUSTOM, _IMPORT, _EXPORT, _LAST = 0, 2, 7, 13
#: The part of the section ``name`` that is the name of the module.
_NAME, _MODULE_NAME = "name", 0


@dataclass(frozen=True, slots=True)
class CoreModuleOutline:
    """What a core module shows; `name` is None where it says none."""

    name: str | None
    imports: int
    exports: int
    custom_sections: tuple[CustomSection, ...]


def outline(reader: Reader, start: int, end: int) -> CoreModuleOutline:
    """The outline of the core module at `start` to `end` of the reader's file.

    Raises `BinaryError` where it is no core module or its sections don't fit into it.
    """
    reader.pos, reader.end = start, end
    if not reader.data.startswith(op.CORE_PREAMBLE, start, end):
        raise reader.fail("this is not a core module")
    reader.pos += len(op.CORE_PREAMBLE)
    name: str | None = None
    counts = {_IMPORT: 0, _EXPORT: 0}
    custom_sections: list[CustomSection] = []
    while reader.pos < end:
        at = reader.pos
        number = reader.byte()
        reader.tally(1, at)
        section_end = reader.end = reader.length("section") + reader.pos
        if number > _LAST:
            raise reader.fail(f"section {number} is unknown", at)
        if number in counts:
            counts[number] += reader.count("imports" if number == _IMPORT else "exports")
        elif number == _CUSTOM:
            section_at = reader.pos
            section_name, content = reader.name(), reader.pos
            custom_sections.append(CustomSection(section_name, reader.rest(), section_at))
            if section_name == _NAME and name is None:
                reader.pos = content
                name = _module_name(reader)
        reader.pos, reader.end = section_end, end
    return CoreModuleOutline(name, counts[_IMPORT], counts[_EXPORT], tuple(custom_sections))


def _module_name(reader: Reader) -> str | None:
    """The name of the module, which is the first part of the section if it is there."""
    if reader.pos == reader.end or reader.byte() != _MODULE_NAME:
        return None
    reader.end = reader.length("name") + reader.pos
    return reader.name()

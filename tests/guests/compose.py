"""Two instances of a component in a component around them, as composers build it: the second imports what the first
exports, and what the first does not export comes from outside for both.
"""

from __future__ import annotations

import itertools

from witgen import binary
from witgen.binary import model
from witgen.binary.model import Sort

__all__ = ["doubled"]

_PREAMBLE = b"\0asm\x0d\0\1\0"
_COMPONENT, _INSTANCE, _ALIAS, _EXPORT = 4, 5, 6, 11
_SORTS = {Sort.FUNC: b"\1", Sort.TYPE: b"\3", Sort.INSTANCE: b"\5"}


def doubled(data: bytes) -> bytes:
    """The component around two of `data`, whose types and imports have to stand in front of all else."""
    definitions = binary.decode(data).definitions
    head = list(itertools.takewhile(lambda item: not isinstance(item, model.CoreModule), definitions))
    imports = [item for item in head if isinstance(item, model.Import)]
    exports = [item for item in definitions if isinstance(item, model.Export)]
    spaces = {sort: [item for item in head if item.space is sort] for sort in _SORTS}
    here = {item.name: (item.space, spaces[item.space].index(item)) for item in imports}
    known = {sort: len(items) for sort, items in spaces.items()}

    def instantiate(given: dict[str, tuple[Sort, int]]) -> tuple[bytes, dict[str, tuple[Sort, int]]]:
        """An instance with what it imports, and aliases of what it exports."""
        args = b"".join(_name(item.name) + _reference(*given[item.name]) for item in imports)
        number = known[Sort.INSTANCE]
        known[Sort.INSTANCE] += 1
        text = _section(_INSTANCE, b"\1\0" + _number(0) + _number(len(imports)) + args)
        found = {}
        for item in exports:
            found[item.name] = item.sort, known[item.sort]
            known[item.sort] += 1
            text += _section(_ALIAS, b"\1" + _SORTS[item.sort] + b"\0" + _number(number) + _name(item.name))
        return text, found

    first, made = instantiate(here)
    second, shown = instantiate(here | {name: place for name, place in made.items() if name in here})
    outside = b"".join(
        _section(_EXPORT, b"\1\0" + _name(name) + _reference(*place) + b"\0") for name, place in shown.items()
    )
    start = len(_PREAMBLE)
    end = next(item.offset for item in definitions if isinstance(item, model.CoreModule))
    return _PREAMBLE + _before(data, start, end) + _section(_COMPONENT, data) + first + second + outside


def _before(data: bytes, start: int, end: int) -> bytes:
    """The sections from `start` on that end before `end`."""
    at = start
    while True:
        length, size = _read(data, at + 1)
        following = at + 1 + size + length
        if following > end:
            return data[start:at]
        at = following


def _read(data: bytes, at: int) -> tuple[int, int]:
    value = size = 0
    while True:
        byte = data[at + size]
        value |= (byte & 0x7F) << 7 * size
        size += 1
        if byte < 0x80:
            return value, size


def _number(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _number(rest) if rest else bytes([low])


def _name(text: str) -> bytes:
    return _number(len(text.encode())) + text.encode()


def _reference(sort: Sort, index: int) -> bytes:
    return _SORTS[sort] + _number(index)


def _section(number: int, content: bytes) -> bytes:
    return bytes([number]) + _number(len(content)) + content

"""The stamp: the contract that a component was built for, in a custom section of the component itself.

``docs/inspect.md`` specifies the section ``witgen:contract``; this module is that document as code. A stamp is a claim.
What a component is believed for are its own types, which `differences` compares with the claim, function by function.

It knows digests and the section's form; where a stamp comes from, `witgen.stamping` knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from witgen import binary
from witgen.binary import BinaryError, model
from witgen.binary.errors import quoted
from witgen.contract import verification
from witgen.contract.digest import FORM, InterfaceDigest, WorldDigest, world_digest

__all__ = ["SECTION", "Stamp", "StampError", "differences", "read_stamp", "stamped"]

SECTION = "witgen:contract"
VERSION = 1

#: More than the stamp of any contract needs, and a bound for what is parsed.
_LONGEST = 1 << 20
_DIGEST = re.compile("[0-9a-f]{64}")

_Interfaces: TypeAlias = Mapping[str, InterfaceDigest]


class StampError(BinaryError):
    """A stamp that can't be read: it is damaged, or was written by a later witgen."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a component says of its contract.

    `generator` is the program that wrote the stamp, with its version; `world` the full name of the world. `digests`
    are those of the contract, digests of types left out.
    """

    generator: str
    world: str
    digests: WorldDigest


def encode(stamp: Stamp) -> bytes:
    """The content of the section; the same stamp gives the same bytes."""
    document = {
        "version": VERSION,
        "generator": stamp.generator,
        "form": FORM,
        "world": stamp.world,
        "digest": stamp.digests.digest,
        "imports": _items(stamp.digests.imports),
        "exports": _items(stamp.digests.exports),
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _items(items: _Interfaces) -> dict[str, Any]:
    return {
        name: {"digest": item.digest, "functions": dict(sorted(item.functions.items()))}
        for name, item in sorted(items.items())
    }


def decode(content: bytes, offset: int | None = None) -> Stamp:
    """The stamp in the content of a section; `offset` is where errors are put down to.

    Raises `StampError`.
    """
    if len(content) > _LONGEST:
        raise StampError(f"the stamp is damaged: {len(content)} bytes, more than {_LONGEST}", offset)
    try:
        document = json.loads(content.decode())
    except (ValueError, RecursionError):
        raise StampError("the stamp is damaged: this is not JSON", offset) from None
    return _Reader(offset).stamp(document)


class _Reader:
    """Checks a document member by member."""

    def __init__(self, offset: int | None) -> None:
        self._offset = offset

    def stamp(self, document: object) -> Stamp:
        """The stamp that the document is."""
        version = self._member(document, "version", int, "the document")
        if version != VERSION or version is True:
            raise StampError(
                f"the stamp is of version {quoted(str(version))}, this witgen reads {VERSION}: use a newer one",
                self._offset,
            )
        form = self._member(document, "form", str, "the document")
        if form != FORM:
            raise StampError(
                f"the stamp has digests of the form {quoted(form)}, this witgen reads {FORM}: use a newer one",
                self._offset,
            )
        generator = self._member(document, "generator", str, "the document")
        world = self._member(document, "world", str, "the document")
        digest = self._digest(document, "the document")
        imports = self._interfaces(document, "imports")
        exports = self._interfaces(document, "exports")
        if world_digest(world, imports, exports) != digest:
            raise self._damaged("the digest of the world is not that of its parts")
        return Stamp(generator, world, WorldDigest(digest, imports, exports))

    def _interfaces(self, document: object, side: str) -> _Interfaces:
        found: dict[str, InterfaceDigest] = {}
        for name, item in self._member(document, side, dict, "the document").items():
            functions = self._member(item, "functions", dict, f"each of {side}")
            for digest in functions.values():
                self._checked(digest, "a function")
            found[name] = InterfaceDigest(self._digest(item, f"each of {side}"), {}, functions)
        return found

    def _digest(self, table: object, what: str) -> str:
        return self._checked(self._member(table, "digest", str, what), what)

    def _checked(self, value: object, what: str) -> str:
        if not isinstance(value, str) or _DIGEST.fullmatch(value) is None:
            raise self._damaged(f"the digest of {what} is none")
        return value

    def _member(self, table: object, name: str, kind: type, what: str) -> Any:
        if not isinstance(table, dict) or not isinstance(table.get(name), kind):
            raise self._damaged(f"{what} must have the member {name}, of type {_JSON_TYPES[kind]}")
        return table[name]

    def _damaged(self, message: str) -> StampError:
        return StampError(f"the stamp is damaged: {message}", self._offset)


_JSON_TYPES: dict[type, str] = {int: "number", str: "string", dict: "object"}


def stamped(data: bytes, stamp: Stamp) -> bytes:
    """The component in `data` with a stamp, in the place of one that it has. Raises `BinaryError` if it is none."""
    return binary.with_custom_section(data, SECTION, encode(stamp))


def read_stamp(component: model.Component) -> Stamp | None:
    """The stamp of a component, if it has one. Raises `StampError` where it can't be read, or there are several."""
    sections = [d for d in component.definitions if isinstance(d, model.CustomSection) and d.name == SECTION]
    if len(sections) > 1:
        raise StampError("this component has more than one stamp", sections[1].offset)
    return decode(bytes(sections[0].data), sections[0].offset) if sections else None


def differences(stamp: Stamp, own: WorldDigest) -> list[str]:
    """Where the component with the digests `own` is not what its stamp says, a line each; nothing where it is."""
    return verification.world_differences(own, stamp.digests)

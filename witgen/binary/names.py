"""Names of imports and exports: what kind of thing a name says that it names.

After `Explainer.md`, "Import and Export Names". It knows text alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from witgen.binary.errors import BinaryError, NoWorldError, quoted
from witgen.binary.model import NameAttributes
from witgen.ir import FunctionKind, PackageName

__all__ = [
    "VERSION",
    "FunctionName",
    "InterfaceName",
    "check_labels",
    "function_name",
    "interface_name",
    "is_plain",
    "unique_key",
]

#: Words are in lower or in upper case. Each text can be taken apart in one way only, so that no search takes long.
_WORD = "[0-9]*[a-z][a-z0-9]*"
_ACRONYM = "[0-9]*[A-Z][A-Z0-9]*"
_LABEL = f"(?:[a-z][a-z0-9]*|[A-Z][A-Z0-9]*)(?:-(?:{_WORD}|{_ACRONYM}|[0-9]+))*"
_LOWER = f"[a-z][a-z0-9]*(?:-(?:{_WORD}|[0-9]+))*"
_NUMBER, _PART = "(?:0|[1-9][0-9]*)", "[0-9A-Za-z-]+"
#: A semantic version.
VERSION = re.compile(rf"{_NUMBER}(?:\.{_NUMBER}){{2}}(?:-{_PART}(?:\.{_PART})*)?(?:\+{_PART}(?:\.{_PART})*)?")
#: The part of a version that decides whether two of them link.
_CANONICAL = re.compile(r"[1-9][0-9]*|0\.[1-9][0-9]*|0\.0\.[0-9]+")
_PLAIN = re.compile(_LABEL)
_INTERFACE = re.compile(rf"({_LOWER}):({_LOWER})/({_LABEL})(?:@([0-9A-Za-z.+-]+))?")
#: Names that components can have beside these, and WIT can't: in nested namespaces, of parts of interfaces, and those
#: that say where something is to be had.
_NOT_IN_WIT = re.compile(
    rf"(?:{_LOWER}:)+{_LOWER}(?:/{_LABEL})+(?:@[0-9A-Za-z.+-]+)?" r"|(?:unlocked-dep|locked-dep|url|integrity)=<[^\0]*>"
)
_FUNCTION = re.compile(rf"\[([a-z]+)\]({_LABEL})(?:\.({_LABEL}))?")

_FUNCTION_KINDS = {
    "method": FunctionKind.METHOD,
    "static": FunctionKind.STATIC,
    "constructor": FunctionKind.CONSTRUCTOR,
}


@dataclass(frozen=True, slots=True)
class InterfaceName:
    """``ns:package/item@version``: an interface, or (in an encoded world) the world."""

    package: PackageName
    item: str


@dataclass(frozen=True, slots=True)
class FunctionName:
    """What the name of a function says of it; `resource` is the name of the resource that it belongs to."""

    kind: FunctionKind
    resource: str | None


def unique_key(name: str) -> tuple[bool, str]:
    """What two names have in common that can't stand side by side (`Explainer.md`, "strongly-unique").

    Case and hyphens don't count, nor does whether a function is a method or static; only a constructor may share the
    name of its resource. Versions count as they are, and so do names that say where something is to be had.
    """
    if "<" in name:
        return False, name
    name, at, version = name.partition("@")
    annotation, _, plain = name.rpartition("]")
    plain = plain.lower().replace("-", "")
    resource, dot, member = plain.partition(".")
    if dot and member == resource:
        plain = resource
    return annotation == "[constructor", plain + at + version


def is_plain(name: str) -> bool:
    """Whether the name is a label (``plainname`` without an annotation)."""
    return _PLAIN.fullmatch(name) is not None


def check_labels(names: Sequence[str], offset: int) -> None:
    """Raises `BinaryError` unless all are labels and no two the same.

    What is put together from the names of a binary, a digest above all, relies on that.
    """
    for name in names:
        if _PLAIN.fullmatch(name) is None:
            raise BinaryError(f"{quoted(name)} is not a name", offset)
    if len({unique_key(name) for name in names}) < len(names):
        raise BinaryError("two names are the same", offset)


def interface_name(name: str, attributes: NameAttributes, offset: int) -> InterfaceName:
    """The parts of an interface name; a version suffix completes the version."""
    found = _INTERFACE.fullmatch(name)
    if found is None:
        raise _misnamed(name, "an interface", offset)
    namespace, package, item, version = found.groups()
    if version is not None:
        is_canonical = attributes.version_suffix is None and _CANONICAL.fullmatch(version) is not None
        version += attributes.version_suffix or ""
        if not is_canonical and VERSION.fullmatch(version) is None:
            raise BinaryError(f"{quoted(version)} is not a version", offset)
    return InterfaceName(PackageName(namespace, package, version), item)


def function_name(name: str, offset: int) -> FunctionName:
    """What the name of a function says of it; raises `BinaryError` for an unknown annotation."""
    if is_plain(name):
        return FunctionName(FunctionKind.FREESTANDING, None)
    found = _FUNCTION.fullmatch(name)
    kind = None if found is None else _FUNCTION_KINDS.get(found[1])
    if found is None or kind is None or (found[3] is None) is not (kind is FunctionKind.CONSTRUCTOR):
        raise _misnamed(name, "a function", offset)
    return FunctionName(kind, found[2])


def _misnamed(name: str, what: str, offset: int) -> BinaryError:
    """The error for a name that is not one of `what` in WIT."""
    if _NOT_IN_WIT.fullmatch(name) is not None:
        return NoWorldError(f"no world can have {quoted(name)} as the name of {what}", offset)
    return BinaryError(f"{quoted(name)} is not the name of {what}", offset)

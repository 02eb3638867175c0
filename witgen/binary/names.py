"""Names of imports and exports: what kind of thing a name says that it names.

After `Explainer.md`, "Import and Export Names". It knows text alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from witgen.binary.errors import BinaryError, quoted
from witgen.binary.model import NameAttributes
from witgen.ir import FunctionKind, PackageName

__all__ = ["VERSION", "FunctionName", "InterfaceName", "check_labels", "function_name", "interface_name", "is_plain"]

_WORDS = "(?:-(?:[0-9a-z]+|[0-9A-Z]+))*"
_LABEL = f"(?:[a-z][0-9a-z]*|[A-Z][0-9A-Z]*){_WORDS}"
#: The characters of versions.
VERSION = re.compile("[0-9A-Za-z.+-]+")
_PLAIN = re.compile(_LABEL)
_INTERFACE = re.compile(rf"((?:{_LABEL}:)*{_LABEL}):({_LABEL})/({_LABEL})(?:@({VERSION.pattern}))?")
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
    if len({name.lower() for name in names}) < len(names):
        raise BinaryError("two names are the same", offset)


def interface_name(name: str, attributes: NameAttributes, offset: int) -> InterfaceName:
    """The parts of an interface name; a version suffix completes the version."""
    found = _INTERFACE.fullmatch(name)
    if found is None:
        raise BinaryError(f"{quoted(name)} is not the name of an interface", offset)
    namespace, package, item, version = found.groups()
    if version is not None and attributes.version_suffix is not None:
        version += attributes.version_suffix
        if VERSION.fullmatch(version) is None:
            raise BinaryError(f"{quoted(version)} is not a version", offset)
    return InterfaceName(PackageName(namespace, package, version), item)


def function_name(name: str, offset: int) -> FunctionName:
    """What the name of a function says of it; raises `BinaryError` for an unknown annotation."""
    if is_plain(name):
        return FunctionName(FunctionKind.FREESTANDING, None)
    found = _FUNCTION.fullmatch(name)
    kind = None if found is None else _FUNCTION_KINDS.get(found[1])
    if found is None or kind is None or (found[3] is None) is not (kind is FunctionKind.CONSTRUCTOR):
        raise BinaryError(f"{quoted(name)} is not the name of a function", offset)
    return FunctionName(kind, found[2])

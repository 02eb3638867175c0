"""How single things are written: identifiers, package names, strings, documentation and gates."""

from __future__ import annotations

from collections.abc import Iterator

from witgen import ir
from witgen.resolve.docs import joined
from witgen.syntax import keywords
from witgen.syntax.words import FORBIDDEN

__all__ = ["attributes", "comments", "identifier", "package_name"]

#: Names that types had once: not words of the language any more, but older readers still take them for types.
_FORMER_KEYWORDS = frozenset(("float32", "float64"))

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def identifier(name: str) -> str:
    """A name as it stands in the text, with a ``%`` where it would be a keyword."""
    return f"%{name}" if name in keywords() or name in _FORMER_KEYWORDS else name


def package_name(name: ir.PackageName, item: str | None = None) -> str:
    """``namespace:name@version``, or the path of an item in that package."""
    tail = "" if name.version is None else f"@{name.version}"
    middle = "" if item is None else f"/{identifier(item)}"
    return f"{identifier(name.namespace)}:{identifier(name.name)}{middle}{tail}"


def comments(docs: str) -> list[str]:
    """The comments that `docs` is the documentation of; they hold line breaks only where no others would do.

    Line comments say most things. They can't keep indentation that all lines share, nor white space at the end of a
    line, both of which come out of block comments. Code points that no WIT file may hold, as they can be in the
    documentation in a binary, become U+FFFD.
    """
    if FORBIDDEN.search(docs):
        docs = FORBIDDEN.sub("\ufffd", docs)
    if not docs:
        return ["///"] if isinstance(docs, ir.BlankDocs) else []
    lines = docs.split("\n")
    usual = [f"/// {line}" if line else "///" for line in lines]
    if joined(usual) != docs:
        others = [[f"///{line}" for line in lines]]
        block = f"/**{docs}*/"
        if "/*" not in block[1:] and "*/" not in block[2:-1]:
            others.append([block])
        return next((other for other in others if joined(other) == docs), usual)
    return usual


def attributes(stability: ir.Stability, external_id: str | None = None) -> Iterator[str]:
    """The gates of an item and its external id, each for a line of its own."""
    if stability.since is not None:
        yield f"@since(version = {stability.since})"
    if stability.unstable is not None:
        yield f"@unstable(feature = {identifier(stability.unstable)})"
    if stability.deprecated is not None:
        yield f"@deprecated(version = {stability.deprecated})"
    if external_id is not None:
        yield f"@external-id({_string(external_id)})"


def _string(text: str) -> str:
    """A string literal in printable ASCII."""
    return '"' + "".join(_ESCAPES.get(char) or _escaped(char) for char in text) + '"'


def _escaped(char: str) -> str:
    return char if " " <= char < "~" and char != "'" else f"\\u{{{ord(char):x}}}"

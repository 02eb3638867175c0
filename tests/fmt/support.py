"""What a file says, apart from its layout; and files laid out otherwise that say the same."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from witgen.diagnostics import Source, Span, WitError
from witgen.fmt import format_source
from witgen.syntax import ast, parse
from witgen.syntax.table import load_table
from witgen.syntax.tokens import read_tokens

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT.parent / "shared/corpus/wit-parser"
_NAME = re.compile(r"%?[a-z][a-z0-9-]*")
EVERYTHING = Path(__file__).parent / "everything.wit"
#: What may be between two words; a space in front keeps a "/" from becoming part of a comment.
BETWEEN = [
    " ", "\n", "\n\n", "\n\n\n\n", "\t", "\r\n", " // line\n", "\n// own line \n", " /// doc\r\n", "\n\n/// doc\n\n",
    " /* block */ ", "\n/* own block */\n", " /* a\n  b */ ", "\n/** c\r\n d\n*/\n", " /*/* nested */*/", " //\n",
    " /**/", " // \N{ROMAN NUMERAL ONE}\u3000\n", " /* \r\r\n \r */", "\n\n/* x */ // y\n\n// z\n\n",
]  # fmt: skip


def formatted(text: str) -> str:
    return format_source(Source("a.wit", text))


def texts() -> dict[str, str]:
    """All WIT texts at hand that can be parsed, by name."""
    folders = [ROOT / "tests", ROOT / "wit", ROOT / "plugins", CORPUS]
    paths = [path for folder in folders for path in sorted(folder.rglob("*.wit"))]
    return {str(path): text for path in paths if (text := _parsable(path)) is not None}


def _parsable(path: Path) -> str | None:
    try:
        text = path.read_bytes().decode()
        parse(Source(str(path), text))
    except (WitError, UnicodeDecodeError):
        return None
    return text


def words(text: str) -> list[str]:
    """The words of a text, without the commas at the end of lists."""
    found = [text[start:end] for start, end in read_tokens(Source("a.wit", text)).words]
    return [word for i, word in enumerate(found) if word != "," or found[i + 1] not in (")", ">", "}")]


def meaning(text: str) -> Any:
    """The syntax tree without places, but with the comments of each item: all that resolving can make use of."""
    return _bare(parse(Source("a.wit", text)))


def _bare(node: Any) -> Any:
    if isinstance(node, ast.Comment):
        text = node.text.replace("\r\n", "\n")
        return text.rstrip() if text.startswith("//") else text
    if isinstance(node, Source | Span):
        return None
    if dataclasses.is_dataclass(node):
        return (type(node).__name__, *(_bare(getattr(node, field.name)) for field in dataclasses.fields(node)))
    if isinstance(node, tuple):
        return tuple(_bare(element) for element in node)
    return node


def with_between(text: str, between: Iterator[str]) -> str:
    """A text whose words stand as they do, with something of `between` in front of each, its own comments included."""
    tokens = read_tokens(Source("a.wit", text))
    pieces = []
    for (start, end), comments in zip(tokens.words, tokens.comments, strict=True):
        for first, last in comments:
            pieces += [next(between), text[first:last], "\n"]
        pieces += [next(between), text[start:end]]
    return "".join(pieces)


def with_longer_names(text: str, lengths: Iterator[int]) -> str:
    """A text whose names have other lengths; the words of the language stay."""
    keywords = {terminal.text for terminal in load_table().terminals if not terminal.is_pattern}
    places = read_tokens(Source("a.wit", text)).words
    pieces = []
    at = 0
    for start, end in places:
        pieces.append(text[at:end])
        if text[start:end] not in keywords and _NAME.fullmatch(text, start, end):
            pieces.append("-" + "x" * next(lengths))
        at = end
    return "".join(pieces)


def check_laws(text: str) -> None:
    """Formatting changes nothing of what a text says, and nothing at all the second time."""
    once = formatted(text)
    assert words(once) == words(text)
    assert meaning(once) == meaning(text)
    assert formatted(once) == once
    assert once == "" or (once.endswith("\n") and not once.endswith("\n\n"))
    assert all(line == line.rstrip(" ") for line in once.split("\n")) or "/*" in once

"""Files in TOML: their text, their data, and the place of what is no TOML. It knows nothing of what they say."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from witgen.diagnostics import Note, Source, Span, WitError

__all__ = ["error_at", "parse_toml", "read_text", "read_toml"]

_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def read_toml(path: Path) -> tuple[Source, dict[str, Any]]:
    """A file as text and as data. Raises `WitError` where it can't be read, or is no TOML."""
    source = read_text(path)
    return source, parse_toml(source)


def read_text(path: Path) -> Source:
    """A file as text. Raises `WitError` where it can't be read."""
    shown = _shown(path)
    try:
        return Source(shown, path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise WitError.at(shown, f"can't be read: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError as error:
        raise WitError.at(shown, f"is not UTF-8 (byte {error.start})") from None


def parse_toml(source: Source) -> dict[str, Any]:
    """The data of a text. Raises `WitError` with the place where it is no TOML."""
    try:
        return tomllib.loads(source.text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
    except RecursionError:
        raise WitError.at(source.path, "is nested too deep") from None
    found = _POSITION.search(message)
    text = _POSITION.sub("", message)
    at = len(source.text)
    if found and found[1]:
        lines = source.text.splitlines(keepends=True)
        at = sum(len(line) for line in lines[: int(found[1]) - 1]) + int(found[2]) - 1
    raise WitError.at(Span(source, at, at + 1), text[:1].lower() + text[1:])


def error_at(source: Source, word: str, message: str, *notes: Note, table: str = "") -> WitError:
    """An error about a key or value, with the place of the first `word` that stands in no comment.

    It is looked for behind the header of `table`, where that is given and there. Without a place the error names the
    file alone.
    """
    header = (
        re.compile(rf"^[ \t]*\[+[ \t]*[\"']?{re.escape(table)}\b", re.MULTILINE).search(source.text) if table else None
    )
    pattern = re.compile(rf"^[^#\n]*?(?<![\w-])({re.escape(word)})(?![\w-])", re.MULTILINE)
    found = pattern.search(source.text, header.start() if header else 0) if word else None
    where = Span(source, found.start(1), found.end(1)) if found else source.path
    return WitError.at(where, message, *notes)


def _shown(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)

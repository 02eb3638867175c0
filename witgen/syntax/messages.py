"""Syntax errors in words: what was expected, what was found, and what may be wrong.

The words are tables: a row for each set of terminals that has a name of its own, and one for each hint.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from witgen.diagnostics import Note, Source, Span, WitError
from witgen.ir import Primitive
from witgen.syntax.parser import Unexpected, acceptable
from witgen.syntax.table import END, Table

__all__ = ["unexpected"]

_GENERIC = ("list", "map", "option", "result", "tuple", "future", "stream", "own", "borrow")
_TYPES = frozenset([*(primitive.value for primitive in Primitive), *_GENERIC, "ID"])
_DEFINITIONS = frozenset({"type", "record", "variant", "enum", "flags", "resource"})

#: Sets of terminals (fixed ones by their text, the others by their name) that are named as a whole, largest first.
_NAMED: tuple[tuple[frozenset[str], str], ...] = (
    (_TYPES, "a type"),
    (
        _DEFINITIONS | {"import", "export", "include", "use", "@"},
        "`import`, `export`, `include`, `use`, a type definition",
    ),
    (_DEFINITIONS | {"import", "export", "include"}, "`import`, `export`, `include`, a type definition"),
    (_DEFINITIONS | {"use", "ID", "@"}, "a function, a type definition, `use`"),
    (_DEFINITIONS | {"use", "ID"}, "a function, a type definition, `use`"),
    (frozenset({"constructor", "ID", "@"}), "a function, `constructor`"),
    (frozenset({"constructor", "ID"}), "a function, `constructor`"),
    (frozenset({"interface", "world", "use", "package", "@"}), "`interface`, `world`, `use`, `package`"),
)
_PATTERNS = {
    "ID": "an identifier",
    "VERSION": "a version such as `1.0.0`",
    "INTEGER": "a number",
    "STRING": "a string",
    END: "the end of the file",
}
_VERSION_START = re.compile(r"[0-9]+(?:\s*\.\s*[0-9]+)?\s*(?:(?P<dot>\.)\s*)?")
_ITEMS = _DEFINITIONS | {"import", "export", "include", "use", "interface", "world", "package"}
_COLON = re.compile(r"\s*:")
_LAST_WORD = re.compile(r"[a-z]+$")
_LONGEST_KEYWORD = 16
_CLOSING = {"{": "}", "(": ")", "<": ">"}


@dataclass(frozen=True, slots=True)
class _Case:
    """A syntax error as the hints look at it: terminals by their text, or by their name if they have none."""

    source: Source
    table: Table
    error: Unexpected
    expected: frozenset[str]
    found: str
    is_keyword: bool

    @property
    def begins_line(self) -> bool:
        """Whether what was found is the first of its line."""
        return self.source.text.find("\n", self.error.previous_end, self.error.start) >= 0


def unexpected(source: Source, table: Table, error: Unexpected) -> WitError:
    """The error for a terminal that doesn't fit."""
    expected = frozenset(_label(table, i) for i in acceptable(table, error.states))
    found = _label(table, error.terminal)
    text = source.text[error.start : error.end]
    is_keyword = found == text and text[:1].isalpha() and not table.terminals[error.terminal].soft
    case = _Case(source, table, error, expected, found, is_keyword)
    if "VERSION" in expected and found == "INTEGER":
        return _incomplete_version(case)
    message = f"expected {_listed(expected)}, found {_found(case, text)}"
    notes = [note for hint in _HINTS if (note := hint(case)) is not None]
    return WitError.at(Span(source, error.start, error.end), message, *notes)


def _incomplete_version(case: _Case) -> WitError:
    """The error for a version that lacks numbers, at the place where they are missing."""
    match = _VERSION_START.match(case.source.text, case.error.start)
    assert match is not None
    missing = "a `.` and another number" if match["dot"] is None else "a number"
    span = Span(case.source, match.end(), match.end() + 1)
    return WitError.at(span, f"expected {missing}; a version has three of them, as in `1.0.0`")


def _label(table: Table, terminal: int) -> str:
    entry = table.terminals[terminal]
    return entry.name if entry.is_pattern or entry.name == END else entry.text


def _listed(expected: frozenset[str]) -> str:
    """The expected terminals as an enumeration in words."""
    rest = set(expected)
    parts: list[str] = []
    for terminals, name in _NAMED:
        if terminals <= rest:
            parts.append(name)
            rest -= terminals
    parts += [_PATTERNS[label] for label in _PATTERNS if label in rest]
    parts += sorted(f"`{label}`" for label in rest if label not in _PATTERNS)
    parts = ", ".join(parts).split(", ")
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"


def _found(case: _Case, text: str) -> str:
    if case.found == END:
        return _PATTERNS[END]
    if case.is_keyword:
        return f"keyword `{text}`"
    return f"`{text}`" if len(text) <= 40 else f"`{text[:39]}…`"


# Hints: each looks at the error and has something to say or not


def _keyword_as_name(case: _Case) -> Note | None:
    """A keyword where a name may stand: surely meant as one before a colon, and where nothing else may stand."""
    if not case.is_keyword or "ID" not in case.expected:
        return None
    begins_item = case.found in _ITEMS and case.begins_line
    if _COLON.match(case.source.text, case.error.end) or (
        not begins_item and case.expected.isdisjoint({"}", ")", "func", "_"})
    ):
        return Note(f"to use `{case.found}` as a name, write `%{case.found}`")
    return None


def _keyword_before_colon(case: _Case) -> Note | None:
    """The word before a colon is a keyword, and began an item as that."""
    source, end = case.source, case.error.previous_end
    word = _LAST_WORD.search(source.text, max(0, end - _LONGEST_KEYWORD), end)
    if case.found != ":" or "ID" not in case.expected or word is None or word[0] not in _DEFINITIONS:
        return None
    return Note(f"to use `{word[0]}` as a name, write `%{word[0]}`", Span(source, word.start(), end))


def _comment(case: _Case) -> Note | None:
    return Note("a comment begins with `//`") if case.found == "/" and case.begins_line else None


def _digit_first(case: _Case) -> Note | None:
    following = case.source.text[case.error.end : case.error.end + 1]
    if case.found == "INTEGER" and (following.isalpha() or following in ("-", "_")):
        return Note("an identifier begins with a letter")
    return None


def _missing_semicolon(case: _Case) -> Note | None:
    end = case.error.previous_end
    if ";" not in case.expected or case.source.position(end)[0] == case.source.position(case.error.start)[0]:
        return None
    return Note("`;` is missing here, perhaps", Span(case.source, end - 1, end))


def _never_closed(case: _Case) -> Note | None:
    """At the end of the file, the innermost bracket that is still open."""
    if case.found != END:
        return None
    opened: list[tuple[str, int]] = []
    for text, start in _brackets(case):
        if text in _CLOSING:
            opened.append((text, start))
        elif opened and _CLOSING[opened[-1][0]] == text:
            opened.pop()
    if not opened:
        return None
    text, start = opened[-1]
    return Note(f"this `{text}` is never closed", Span(case.source, start, start + 1))


def _brackets(case: _Case) -> list[tuple[str, int]]:
    from witgen.syntax.lexer import Scan, load_lexer

    signs = {_label(case.table, i): i for i in range(len(case.table.terminals))}
    wanted = {signs[text]: text for text in "{}()<>"}
    terminals = load_lexer().scan(case.source, Scan())
    return [(wanted[terminal], start) for terminal, start, _ in terminals if terminal in wanted]


def _function_without_func(case: _Case) -> Note | None:
    if case.found == "(" and case.expected == {":"}:
        return Note("a function is written `name: func(…) -> …;`")
    return None


def _several_results(case: _Case) -> Note | None:
    if case.found == "(" and case.expected >= _TYPES:
        return Note("a function that returns nothing has no `->`; one that returns several values returns a `tuple<…>`")
    return None


def _gated_package(case: _Case) -> Note | None:
    if case.found == "package" and "@" in case.expected:
        return Note("a nested package can't be gated")
    return None


def _second_header(case: _Case) -> Note | None:
    if case.found == ";" and case.expected <= {"{", "@"} and "{" in case.expected:
        return Note(
            "a file has at most one `package …;`, as its first item; further packages are written `package … { … }`"
        )
    return None


def _unknown_attribute(case: _Case) -> Note | None:
    if "since" in case.expected:
        return Note("there are `@since(version = …)`, `@unstable(feature = …)`, `@deprecated(version = …)`")
    return None


_HINTS: tuple[Callable[[_Case], Note | None], ...] = (
    _keyword_as_name,
    _keyword_before_colon,
    _comment,
    _digit_first,
    _missing_semicolon,
    _never_closed,
    _function_without_func,
    _several_results,
    _gated_package,
    _second_header,
    _unknown_attribute,
)

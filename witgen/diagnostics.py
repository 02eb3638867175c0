"""Where an error is, and how it is printed.

Every room reports bad input with the types of this module, so that every command prints
``PATH:LINE:COL: error: message`` followed by the source line and a caret. It knows text and positions; it knows
nothing of WIT.
"""

from __future__ import annotations

import bisect
import unicodedata
from dataclasses import dataclass, field

from witgen.nodes import node

__all__ = ["Diagnostic", "Note", "Source", "Span", "WitError", "printable"]

_LONGEST_LINE = 240
_LONGEST_MESSAGE = 1_000


@dataclass(frozen=True, eq=False)
class Source:
    """A text that was read, and the name by which the user knows it (a path as given, or relative to the root)."""

    path: str
    text: str
    _lines: list[int] = field(default_factory=list, repr=False)

    def position(self, offset: int) -> tuple[int, int]:
        """The line and column, both from 1 and counted in code points, of the character at `offset`."""
        starts = self._line_starts()
        line = bisect.bisect_right(starts, offset) - 1
        return line + 1, offset - starts[line] + 1

    def line(self, number: int) -> str:
        """The text of line `number` (from 1) without its line break."""
        starts = self._line_starts()
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")

    def _line_starts(self) -> list[int]:
        if not self._lines:
            self._lines.append(0)
            at = self.text.find("\n")
            while at >= 0:
                self._lines.append(at + 1)
                at = self.text.find("\n", at + 1)
        return self._lines


@node
class Span:
    """A stretch of a source: offsets in code points, `end` exclusive."""

    source: Source = field(repr=False)
    start: int
    end: int

    def __str__(self) -> str:
        line, column = self.source.position(self.start)
        return f"{printable(self.source.path)}:{line}:{column}"


@dataclass(frozen=True, slots=True)
class Note:
    """A remark that belongs to a diagnostic, with the place it speaks of if it has one."""

    message: str
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One error.

    `where` is its place: a span of a source, or just the path of the file (or a command's name) where there is no
    text to point into. `rule` is the id of the rule that is broken, where there are such.
    """

    message: str
    where: Span | str
    notes: tuple[Note, ...] = ()
    rule: str = ""

    def render(self) -> str:
        """The error as it is printed, without a line break at the end."""
        where = printable(self.where) if isinstance(self.where, str) else self.where
        rule = f" [{self.rule}]" if self.rule else ""
        lines = [f"{where}: error: {_shortened(self.message)}{rule}"]
        if isinstance(self.where, Span):
            lines += _excerpt(self.where)
        for note in self.notes:
            if note.span is None:
                lines.append(f"  note: {_shortened(note.message)}")
            else:
                lines.append(f"{note.span}: note: {_shortened(note.message)}")
                lines += _excerpt(note.span)
        return "\n".join(lines)


class WitError(Exception):
    """Input is wrong: one or more diagnostics, all independent of each other."""

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__(*diagnostics)
        self.diagnostics = diagnostics

    @classmethod
    def at(cls, where: Span | str, message: str, *notes: Note) -> WitError:
        """An error with a single diagnostic."""
        return cls(Diagnostic(message, where, notes))

    def __str__(self) -> str:
        return "\n".join(diagnostic.render() for diagnostic in self.diagnostics)


def _excerpt(span: Span) -> list[str]:
    """The source line of a span and carets under it; long lines are cut around the span."""
    number, column = span.source.position(span.start)
    line = span.source.line(number)
    start = column - 1
    length = max(1, min(span.end - span.start, len(line) - start))
    if len(line) > _LONGEST_LINE:
        cut = max(0, start - _LONGEST_LINE // 2)
        line = line[cut : cut + _LONGEST_LINE]
        start -= cut
        length = max(1, min(length, len(line) - start))
    shown = "".join(_visible(c) for c in line)
    indent = "".join("\t" if c == "\t" else " " * _width(_visible(c)) for c in line[:start])
    carets = "^" * max(1, sum(_width(_visible(c)) for c in line[start : start + length]))
    gutter = f"{number:>5}"
    return [f"{gutter} | {shown}", f"{'':>5} | {indent}{carets}"]


def printable(path: str) -> str:
    """A path as it is printed: escapes for what would disturb a terminal, or end a line."""
    return "".join(map(_visible, path))


def _shortened(message: str) -> str:
    """A message without its middle, where it quotes more of the input than one cares to read."""
    half = _LONGEST_MESSAGE // 2
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[:half]} … {message[-half:]}"


def _visible(char: str) -> str:
    """`char`, or an escape for what would disturb a terminal (controls, bidirectional overrides)."""
    if char == "\t" or char.isprintable():
        return char
    return f"\\u{{{ord(char):x}}}"


def _width(text: str) -> int:
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)

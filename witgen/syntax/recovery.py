"""After a syntax error: where to go on, so that one run tells of more than one mistake.

The rest of the broken item is passed over, up to the ``;`` or ``}`` that ends it or to the line that begins the next
one, and the parse goes on in the innermost body that can. Where bodies are is read off the parse table: states in
which an item may begin or the body end. Nothing is repaired; what comes out of a parse that recovered is no tree.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from witgen.diagnostics import Source, Span
from witgen.syntax.lexer import Scan
from witgen.syntax.messages import unexpected
from witgen.syntax.parser import Unexpected, Word
from witgen.syntax.table import END, Table

__all__ = ["Recovery"]

#: With fewer terminals than this between two errors, the second follows from the first.
_APART = 1

#: Each kind of body has one of these among the words that begin its items.
_BODY_WORDS = ("TYPE", "WORLD", "CONSTRUCTOR")

#: The first of a line, such a word begins an item, even where the one before it has no end.
_ITEM_WORDS = (
    *("ENUM", "FLAGS", "RECORD", "RESOURCE", "TYPE", "VARIANT"),
    *("EXPORT", "IMPORT", "INCLUDE", "INTERFACE", "PACKAGE", "USE", "WORLD"),
    "AT",
)


class Recovery:
    """Goes on after the syntax errors of one text, and tells of them."""

    def __init__(self, source: Source, table: Table, scan: Scan) -> None:
        self._source = source
        self._table = table
        self._scan = scan
        #: An error before this many terminals follows from the one before it.
        self._next_told = 0

    @functools.cached_property
    def _marks(self) -> _Marks:
        return _Marks(self._table)

    def resume(self, error: Unexpected, rest: Iterator[Word]) -> tuple[int, Word] | None:
        """Where to go on: how many states of the stack stay, and the next terminal. None where there is nowhere.

        Takes from `rest` what is passed over, and raises what that raises.
        """
        self._tell(error)
        marks = self._marks
        body = marks.innermost(error.states, marks.close, marks.end)
        if body is None:
            return None
        braces = sum(state in marks.opened for state in error.states[body + 1 :])
        word: Word | None = (error.terminal, error.start, error.end)
        previous_end = error.previous_end
        told = len(self._scan.errors)
        while word is not None:
            terminal, start, end = word
            if braces == 0:
                level = self._item_begins(error.states[: body + 1], terminal, previous_end, start)
                if level is not None:
                    return level + 1, word
            if terminal == marks.open:
                braces += 1
            elif terminal == marks.close and braces:
                braces -= 1
            # Nobody reads a word that is passed over, so nobody minds what is wrong with it.
            del self._scan.errors[told:]
            following = next(rest, None)
            if braces == 0 and terminal in (marks.close, marks.semicolon):
                # This item has its end, so that the next one is on its own.
                self._next_told = 0
                if terminal == marks.close and following is not None and following[0] == marks.semicolon:
                    following = next(rest, None)
                return None if following is None else (body + 1, following)
            word, previous_end = following, end
        return None

    def _tell(self, error: Unexpected) -> None:
        is_told = any(isinstance(one.where, Span) and one.where.start == error.start for one in self._scan.errors[-1:])
        follows = is_told or error.shifted < self._next_told
        self._next_told = error.shifted + _APART
        if not follows:
            self._scan.tell(unexpected(self._source, self._table, error))

    def _item_begins(self, states: list[int], terminal: int, previous_end: int, start: int) -> int | None:
        """The index of the innermost body that goes on with this terminal; None where the broken item goes on."""
        marks = self._marks
        if terminal in (marks.close, marks.end):
            return len(states) - 1 if terminal in self._table.actions[states[-1]] else None
        if terminal in marks.item_words and self._source.text.find("\n", previous_end, start) >= 0:
            return marks.innermost(states, terminal)
        return None


class _Marks:
    """What a parse table says of items and bodies."""

    def __init__(self, table: Table) -> None:
        number = {terminal.name: i for i, terminal in enumerate(table.terminals)}
        self.open, self.close = number["LBRACE"], number["RBRACE"]
        self.semicolon, self.end = number["SEMICOLON"], number[END]
        self.item_words = {number[name] for name in _ITEM_WORDS}
        #: States just after a ``{``.
        self.opened = {row[self.open] for row in table.actions if row.get(self.open, -1) >= 0}
        #: States in which an item may begin or the body end.
        self._bodies: dict[int, dict[int, int]] = {}
        words = {number[name] for name in _BODY_WORDS}
        for state, row in enumerate(table.actions):
            if (self.close in row or self.end in row) and not words.isdisjoint(row):
                self._bodies[state] = row

    def innermost(self, states: list[int], *terminals: int) -> int | None:
        """The index of the innermost body that can go on with one of the terminals."""
        for index in range(len(states) - 1, -1, -1):
            row = self._bodies.get(states[index], {})
            if any(terminal in row for terminal in terminals):
                return index
        return None

"""From text to words: the terminals of the grammar, one after another.

The lexer is made from the terminals of the parse table and works with a single regular expression. It knows what a
regular expression can't say: which code points a file may not hold, that block comments nest, and how deep types and
packages may. It knows no rule of the grammar.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from witgen.diagnostics import Diagnostic, Source, Span, WitError
from witgen.syntax import words
from witgen.syntax.table import Table, load_table

__all__ = ["Lexer", "Scan", "load_lexer"]

#: How many errors of a text are told of; who has more has one mistake that makes them all.
MOST_ERRORS = 20

#: How deep types, and packages, may be nested in each other.
DEEPEST = 100

_COMMENT_DELIMITER = re.compile(r"/\*|\*/")
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(slots=True)
class Scan:
    """What is found on the way through a text beside its terminals."""

    #: Start and end of every comment, in order.
    comments: list[tuple[int, int]] = field(default_factory=list)
    #: For the start of a terminal with comments before it: where these begin and end in `comments`.
    leading: dict[int, tuple[int, int]] = field(default_factory=dict)
    #: What is wrong with the text, as far as one can read on after it.
    errors: list[Diagnostic] = field(default_factory=list)

    def tell(self, error: WitError) -> None:
        """Keep an error for later. Raises WitError, an empty one, where there are too many."""
        self.errors += error.diagnostics
        if len(self.errors) >= MOST_ERRORS:
            raise WitError()


class Lexer:
    """The lexer of a parse table; it serves any number of texts, at the same time too."""

    def __init__(self, table: Table) -> None:
        self._number = {terminal.name: i for i, terminal in enumerate(table.terminals)}
        fixed = {terminal.text: i for i, terminal in enumerate(table.terminals[:-1]) if not terminal.is_pattern}
        self._fixed = fixed
        #: For a soft word: the terminal that it is where it can't be itself.
        self.soft = {i: self._number["ID"] for i, terminal in enumerate(table.terminals) if terminal.soft}
        patterns = {terminal.name: terminal.text for terminal in table.terminals if terminal.is_pattern}
        space = patterns.pop("WHITESPACE")
        word = patterns.pop("ID")
        signs = sorted((text for text in fixed if not re.match(r"\w", text)), key=len, reverse=True)
        self._pattern = re.compile(
            f"(?:{space})?+(?:"
            + f"(?P<ID>{word}|_)(?P<broken>[\\w-])?|"
            + "|".join(f"(?P<{name}>{pattern})" for name, pattern in patterns.items())
            + f"|(?P<sign>{'|'.join(map(re.escape, signs))})|(?P<end>\\Z)|(?P<other>.))",
            re.DOTALL,
        )

    def scan(self, source: Source, into: Scan) -> Iterator[tuple[int, int, int]]:
        """The terminals of a text as number, start and end; the end of the text is the last.

        A word that is no terminal stands for an identifier and is added to the errors when the reader gets there.
        Raises WitError where nothing can be read on: for a comment or string without an end, and what is too deep.
        """
        words.check_code_points(source, MOST_ERRORS)
        text = source.text
        fixed = self._fixed
        number = self._number
        identifier = number["ID"]
        nesting = _Nesting(source, number)
        watched = nesting.watched
        comments = into.comments
        block_comment = number["BLOCK_COMMENT"]
        noted = 0
        has_lone_return = False
        at: int | None = 1 if text.startswith(_BYTE_ORDER_MARK) else 0
        while at is not None:
            matches = self._pattern.finditer(text, at)
            at = None
            for match in matches:
                kind = match.lastgroup
                assert kind is not None
                start, end = match.span(kind)
                if kind == "ID":
                    terminal = fixed.get(match[kind], identifier)
                elif kind == "sign":
                    terminal = fixed[match[kind]]
                    if terminal == block_comment:
                        at = _comment_end(source, start)
                        comments.append((start, at))
                        break
                elif kind == "LINE_COMMENT":
                    comments.append((start, end))
                    continue
                elif kind in number:
                    terminal = number[kind]
                elif kind == "end":
                    break
                else:
                    start = match.start("ID") if kind == "broken" else start
                    if text[start] == '"':
                        raise words.wrong_string(source, start)
                    error, end = words.wrong_word(source, start)
                    if text[start] != "\r" or not has_lone_return:
                        into.tell(error)
                    # A file with the line breaks of old has one mistake, not one a line.
                    has_lone_return |= text[start] == "\r"
                    at = max(end, start + 1)
                    if text[start] == "#":
                        # The rest of the line is meant as a comment, as in other languages.
                        at = text.find("\n", start)
                        at = len(text) if at < 0 else at
                    if end == start:
                        break
                    terminal = identifier
                if terminal in watched:
                    nesting.enter(terminal, start, end)
                if noted != len(comments):
                    into.leading[start] = (noted, len(comments))
                    noted = len(comments)
                yield terminal, start, end
                if at is not None:
                    break
        yield number["$END"], len(text), len(text)


@functools.cache
def load_lexer() -> Lexer:
    """The lexer of the grammar."""
    return Lexer(load_table())


class _Nesting:
    """Counts open types and packages. It wants to know of the terminals that are `watched`."""

    def __init__(self, source: Source, number: dict[str, int]) -> None:
        self._source = source
        self._less, self._more = number["LESSTHAN"], number["MORETHAN"]
        self._open, self._close = number["LBRACE"], number["RBRACE"]
        self._handles = {number["OWN"], number["BORROW"]}
        self._all = number.values()
        self.watched = {self._less, self._more, self._open, self._close, number["PACKAGE"], *self._handles}
        self._angles = 0
        self._braces = 0
        self._in_handle = False

    def enter(self, terminal: int, start: int, end: int) -> None:
        """Take note of a terminal. Raises WitError if it stands too deep."""
        if self._angles >= DEEPEST:
            raise self._error("types", start, end)
        if terminal in self._handles:
            self._in_handle = True
        elif terminal == self._less:
            self._angles += not self._in_handle
            if self._angles >= DEEPEST:
                # Whatever comes next stands too deep.
                self.watched.update(self._all)
        elif terminal == self._more:
            self._angles -= not self._in_handle
            self._in_handle = False
        elif terminal == self._open:
            self._braces += 1
        elif terminal == self._close:
            self._braces -= 1
            self._angles = 0
        elif self._braces >= DEEPEST:
            raise self._error("packages", start, end)

    def _error(self, what: str, start: int, end: int) -> WitError:
        return WitError.at(Span(self._source, start, end), f"{what} can't be nested more than {DEEPEST} deep")


def _comment_end(source: Source, start: int) -> int:
    """Where the block comment that begins at `start` ends, comments within it counted."""
    depth = 1
    for match in _COMMENT_DELIMITER.finditer(source.text, start + 2):
        depth += 1 if match[0] == "/*" else -1
        if depth == 0:
            return match.end()
    within = "" if depth == 1 else ", nor is one that it holds"
    raise WitError.at(Span(source, start, start + 2), f"this comment is never closed with `*/`{within}")

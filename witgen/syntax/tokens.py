"""The words of a file in order, with the comments before each: what a tool needs that keeps the text as it is.

It knows where words and comments stand, and nothing of what they mean; the syntax tree says that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from witgen.diagnostics import Source
from witgen.syntax import parse_words
from witgen.syntax.lexer import Scan, load_lexer
from witgen.syntax.parser import Word

__all__ = ["Tokens", "read_tokens"]

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tokens:
    """Starts and ends of what a file is made of, as offsets in code points. Beside these there is white space alone.

    The last word is the end of the file, which is empty. `comments` has a row for each word.
    """

    source: Source
    words: list[Place]
    comments: list[list[Place]]


def read_tokens(source: Source) -> Tokens:
    """The tokens of a WIT file. Raises WitError at the first thing that isn't WIT, as `parse` does."""
    scan = Scan()
    words: list[Place] = []
    parse_words(source, scan, _noting(load_lexer().scan(source, scan), words))
    comments = [scan.comments[slice(*scan.leading.get(start, (0, 0)))] for start, _ in words]
    last = max((end for _, end in scan.leading.values()), default=0)
    comments[-1] = scan.comments[last:]
    return Tokens(source, words, comments)


def _noting(words: Iterator[Word], places: list[Place]) -> Iterator[Word]:
    """The words, their places noted on the way."""
    for word in words:
        places.append(word[1:])
        yield word

"""The words of a file as they stand on one line: which of them are separated by a space.

It knows the signs of WIT and what stands before and after them, and nothing of lines.
"""

from __future__ import annotations

import re
from bisect import bisect_left

from witgen.fmt.gaps import Comment, Gap
from witgen.syntax.tokens import Place, Tokens

__all__ = ["Words"]

#: Signs without a space before, and without one behind.
_CLOSE_TO_PREVIOUS = frozenset([",", ";", ":", ")", ">", "(", "<", "/", ".", "@"])
_CLOSE_TO_NEXT = frozenset(["(", "<", "/", ".", "@"])
#: Where a comment needs no space to what stands before, and behind.
_OPENING = frozenset(["(", "<", "{"])
_CLOSING = frozenset([",", ";", ":", ")", ">", "}"])

_LINE_BREAK = re.compile(r"(?<!\r)\r\n")


class Words:
    """The words of a file, numbered from 0; the last one is the end of the file, which is empty."""

    def __init__(self, tokens: Tokens) -> None:
        text = tokens.source.text
        self._text = text
        self._places = tokens.words
        #: The words themselves.
        self.texts = [text[start:end] for start, end in tokens.words]
        #: Each word with the space before it, for a line where no comment is between; nothing for a comma at the end of
        #: a list.
        self.spaced = _spaced(self.texts)
        self._gaps = {i: self._gap(i, comments) for i, comments in enumerate(tokens.comments) if comments}
        self._commented = list(self._gaps)

    def gap(self, word: int) -> Gap:
        """What is between a word and the one before."""
        return self._gaps.get(word) or Gap((), self._breaks(self._end_before(word), self._places[word][0]))

    def has_comments(self, first: int, last: int) -> bool:
        """Whether there are comments between the words `first` and `last`."""
        at = bisect_left(self._commented, first + 1)
        return at < len(self._commented) and self._commented[at] <= last

    def is_tall(self, word: int) -> bool:
        """Whether a line must end somewhere between a word and the one before."""
        return word in self._gaps and self._gaps[word].is_tall

    def has_lines(self, word: int) -> bool:
        """Whether there are comments between a word and the one before that were given lines."""
        return word in self._gaps and self._gaps[word].has_lines

    def inline(self, word: int) -> str:
        """A word with all that is before it, on one line."""
        return f"{self.before(word)}{self.texts[word]}" if word in self._gaps else self.spaced[word]

    def before(self, word: int, gap: Gap | None = None) -> str:
        """What is between a word and the one before, on one line; `gap` if that is to be another than it was."""
        gap = gap or self._gaps.get(word)
        if gap is None or not gap.comments:
            return " " if self._has_space(word) else ""
        comments = " ".join(comment.text for comment in gap.comments)
        return f"{self.space_to_comment(word)}{comments}{self.space_from_comment(word)}"

    def space_to_comment(self, word: int) -> str:
        """The space between the word before `word` and a comment on the same line."""
        return " " if self._has_space(word) or self.texts[word - 1] not in _OPENING else ""

    def space_from_comment(self, word: int) -> str:
        """The space between a comment and `word` on the same line."""
        return " " if self._has_space(word) or self.texts[word] not in _CLOSING else ""

    def _has_space(self, word: int) -> bool:
        return self.spaced[word][:1] == " "

    def _end_before(self, word: int) -> int:
        return self._places[word - 1][1] if word else 0

    def _breaks(self, start: int, end: int) -> int:
        return self._text.count("\n", start, end)

    def _gap(self, word: int, places: list[Place]) -> Gap:
        comments = []
        at = self._end_before(word)
        for start, end in places:
            breaks = self._breaks(at, start)
            if at == 0:
                # There is no word whose line the comment could share.
                breaks = max(breaks, 1)
            comments.append(Comment(_clean(self._text[start:end]), breaks))
            at = end
        return Gap(tuple(comments), self._breaks(at, self._places[word][0]))


def _clean(comment: str) -> str:
    """A comment without white space at its end and with plain line breaks. All else can be part of documentation."""
    return comment.rstrip(" \t\r") if comment.startswith("//") else _LINE_BREAK.sub("\n", comment)


def _spaced(texts: list[str]) -> list[str]:
    """The words with the spaces before them."""
    spaced: list[str] = []
    previous = ""
    in_use = False
    for i, text in enumerate(texts):
        if text in _CLOSE_TO_PREVIOUS or previous in _CLOSE_TO_NEXT:
            close = True
            in_use = in_use or text == "{"
        elif previous == ":":
            # Of a package's name, not of something that has a type.
            close = texts[i + 1] == "/" or (i > 2 and texts[i - 3] == "package")
        elif text == "}":
            close = in_use or previous == "{"
            in_use = False
        else:
            close = in_use and previous == "{"
        if previous == "," and text in _CLOSING:
            spaced[-1] = ""
        spaced.append(text if close else f" {text}")
        previous = text
    return spaced

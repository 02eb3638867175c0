"""The layout of a file: its items one below the other, each indented by how deep it is.

It knows by which word an item begins, where it ends, and what is set off by a blank line.
"""

from __future__ import annotations

import re

from witgen.diagnostics import Source
from witgen.fmt.phrases import write_gate, write_phrase
from witgen.fmt.words import Words
from witgen.fmt.writer import STEP, Blank, Writer, always, kept, never
from witgen.syntax.tokens import read_tokens

__all__ = ["format_source"]

_LISTINGS = ("record", "variant", "enum", "flags")
#: What ends an item, or its head; other items are ended by a semicolon, or have a body of items.
_ENDS = {**dict.fromkeys(_LISTINGS, ("}",)), "use": (";",), "include": (";", "}")}
_OTHER_ENDS = (";", "{")

_LINE_BREAK = re.compile(r"(?<!\r)(\r?)\n")


def format_source(source: Source) -> str:
    """The text of a WIT file in the one style.

    It ends with a line break, unless it is empty, and has the line breaks that the first line of the file has. A byte
    order mark is left out. Raises WitError where the text isn't WIT.
    """
    text = _Layout(Words(read_tokens(source))).text()
    first = _LINE_BREAK.search(source.text)
    return text if first is None or not first[1] else _LINE_BREAK.sub("\r\n", text)


class _Layout:
    def __init__(self, words: Words) -> None:
        self._words = words
        self._writer = Writer()
        #: For each open body, the word that begins its item. The file itself is as the body of a package.
        self._bodies = ["package"]

    def text(self) -> str:
        """The whole file."""
        words = self._words
        word = 0
        #: What the item before begins with; None at the start of a body.
        previous: str | None = None
        while word < len(words.texts) - 1:
            if words.texts[word] == "}":
                self._close(word, previous)
                previous = self._bodies.pop()
                word += 1
            else:
                keyword, word = self._item(word, previous)
                previous = keyword
                if words.texts[word] == "{":
                    self._bodies.append(keyword)
                    previous = None
                word += 1
        self._writer.last_lines(words.gap(word), 0, first=False)
        return self._writer.text()

    def _item(self, word: int, previous: str | None) -> tuple[str, int]:
        """Write an item, or its head where it has a body of items; the word that it begins with, and its last one."""
        words, writer = self._words, self._writer
        indent = STEP * (len(self._bodies) - 1)
        start, keyword = self._keyword(word)
        blank = self._blank(keyword, previous)
        while word != start:
            end = words.texts.index(")", word)
            writer.lines(words.gap(word), indent, blank)
            write_gate(words, writer, word, end, indent)
            word, blank = end + 1, never
        writer.lines(words.gap(word), indent, blank)
        ends = _ENDS.get(keyword, _OTHER_ENDS)
        end = word
        while words.texts[end] not in ends:
            end += 1
        write_phrase(words, writer, word, end, indent, listing=keyword in _LISTINGS)
        return keyword, end

    def _keyword(self, word: int) -> tuple[int, str]:
        """Where an item begins behind its gates, and with which word."""
        texts = self._words.texts
        while texts[word] == "@":
            word = texts.index(")", word) + 1
        return word, texts[word]

    def _blank(self, keyword: str, previous: str | None) -> Blank:
        """When there is a blank line before an item."""
        if previous is None:
            return never
        if self._bodies[-1] == "package" and (keyword, previous) != ("use", "use"):
            return always
        return kept

    def _close(self, word: int, previous: str | None) -> None:
        """Write the end of a body."""
        gap = self._words.gap(word)
        if previous is not None or gap.comments:
            indent = STEP * (len(self._bodies) - 1)
            self._writer.last_lines(gap, indent, first=previous is None)
            self._writer.line(indent - STEP)
        self._writer.write("}")

"""A stretch of words up to a semicolon or brace, on one line if it fits, else broken at its lists.

It knows which list to break where a line is too long. It knows brackets and commas, no keyword.
"""

from __future__ import annotations

from collections.abc import Sequence

from witgen.fmt.groups import Group, Node, flat_node, read_nodes
from witgen.fmt.words import Words
from witgen.fmt.writer import STEP, WIDTH, Writer, kept, never

__all__ = ["write_gate", "write_phrase"]

#: How much further a line is indented that goes on with what another began, because a comment ended that one.
_CONTINUED = 2 * STEP


def write_phrase(words: Words, writer: Writer, first: int, last: int, indent: int, *, listing: bool) -> None:
    """Write the words from `first` to `last`, where a line that is indented by `indent` begins.

    In a `listing`, the elements of what is in braces have lines of their own in any case.
    """
    if not listing and not words.has_comments(first, last):
        # Most are of this kind, and done with here.
        flat = "".join([words.texts[first], *words.spaced[first + 1 : last + 1]])
        if writer.column + len(flat) <= WIDTH:
            writer.write(flat)
            return
    _Phrases(words, writer).write(read_nodes(words, first, last, listing=listing), indent)


def write_gate(words: Words, writer: Writer, first: int, last: int, indent: int) -> None:
    """Write the words from `first` to `last` on one line, however long it is; comments alone can end it."""
    _Phrases(words, writer).write(range(first, last + 1), indent)


class _Phrases:
    def __init__(self, words: Words, writer: Writer) -> None:
        self._words = words
        self._writer = writer

    def write(self, nodes: Sequence[Node], indent: int, tail: str = "") -> None:
        """Write nodes, and `tail` behind the last; what is before the first is written."""
        for i, node in enumerate(nodes):
            if isinstance(node, int):
                if i:
                    self._gap(node, indent)
                self._writer.write(self._words.texts[node])
                continue
            self._gap(node.opening, indent)
            room = WIDTH - self._writer.column - self._length_behind(nodes, i, indent, tail)
            if node.flat is not None and (len(node.flat) <= room or not node.items):
                self._writer.write(node.flat)
            else:
                self._broken(node, indent)
        self._writer.write(tail)

    def _gap(self, word: int, indent: int) -> None:
        words = self._words
        if words.is_tall(word):
            before, behind = words.space_to_comment(word), words.space_from_comment(word)
            self._writer.inline(words.gap(word), indent + _CONTINUED, before, behind)
        else:
            self._writer.write(words.before(word))

    def _length_behind(self, nodes: Sequence[Node], i: int, indent: int, tail: str) -> int:
        """How much has to fit on the line behind the group at `i`.

        That is all the rest, up to where a line ends anyway. If a later group would have to be broken even with this
        one broken, it is the rest up to that one.
        """
        length = 0
        opened: int | None = None
        for node in nodes[i + 1 :]:
            word = node if isinstance(node, int) else node.opening
            if self._words.is_tall(word):
                break
            if isinstance(node, Group):
                opened = length + len(self._words.inline(word))
            part = flat_node(self._words, node)
            if part is None:
                length = WIDTH
                break
            length += len(part)
        else:
            length += len(tail)
        is_too_long = indent + len(")") + length > WIDTH
        return opened if is_too_long and opened is not None else length

    def _broken(self, group: Group, indent: int) -> None:
        """Write a group with a line for each item."""
        words, writer = self._words, self._writer
        inner = indent + STEP
        writer.write(words.texts[group.opening])
        for n, item in enumerate(group.items):
            assert isinstance(item[0], int)
            writer.lines(words.gap(item[0]), inner, kept if n else never)
            self.write(item, inner, group.comma if item is group.items[-1] else "")
        writer.last_lines(group.end, inner, first=not group.items)
        writer.line(indent)
        writer.write(words.texts[group.closing])

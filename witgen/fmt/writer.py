"""Lines of text, as they come into being: indentation, columns, and comments on lines of their own.

It knows the width of a line and how far a level is indented. It knows no word of WIT.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from witgen.fmt.gaps import Comment, Gap

__all__ = ["STEP", "WIDTH", "Blank", "Writer", "always", "kept", "never"]

#: The length that a line should not exceed, and the spaces of a level, in code points.
WIDTH = 100
STEP = 2

#: Says of the number of line breaks that were somewhere whether to leave a blank line there.
Blank: TypeAlias = Callable[[int], bool]


def always(breaks: int) -> bool:
    """A blank line in any case."""
    return True


def kept(breaks: int) -> bool:
    """A blank line where there was one, or more."""
    return breaks > 1


def never(breaks: int) -> bool:
    """No blank line."""
    return False


class Writer:
    """A text that grows at its end."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._margin = ""
        #: How much of the last line is taken.
        self.column = 0

    def text(self) -> str:
        """All that was written, with a line break at its end; nothing where nothing was."""
        return "".join([*self._parts, "\n"]) if self._parts else ""

    def line(self, indent: int, *, blank: bool = False) -> None:
        """End the line, so that what is written next begins one with `indent` spaces; `blank` leaves one between."""
        if self._parts:
            self._margin = ("\n\n" if blank else "\n") + " " * indent
            self.column = indent

    def write(self, text: str) -> None:
        """Go on with `text`."""
        if not text:
            return
        self._parts += (self._margin, text)
        self._margin = ""
        at = text.rfind("\n")
        self.column = self.column + len(text) if at < 0 else len(text) - at - 1

    def inline(self, gap: Gap, indent: int, before: str, behind: str) -> None:
        """Write a gap that holds comments, in the midst of a line, with the given spaces around.

        Where a line must end, the next one is indented by `indent`.
        """
        space = before
        must_end = False
        for comment in gap.comments:
            if must_end or (comment.is_tall and comment.breaks):
                self.line(indent)
                self.write(comment.text)
            else:
                self.write(space + comment.text)
            space = " "
            must_end = comment.is_line
        if must_end:
            self.line(indent)
        else:
            self.write(behind)

    def lines(self, gap: Gap, indent: int, blank: Blank) -> None:
        """Write a gap where one line ends and another begins, which is indented by `indent`.

        Comments on the line of the word before stay there, and those on the line of the word behind too. `blank` is for
        the first line.
        """
        own = _trailing(gap.comments, gap.breaks > 0)
        for comment in gap.comments[:own]:
            self.write(f" {comment.text}")
        rest = gap.comments[own:]
        self._comments(rest, indent, blank)
        if not rest:
            self.line(indent, blank=blank(gap.breaks))
        elif gap.breaks:
            self.line(indent, blank=kept(gap.breaks) and not rest[-1].is_doc)
        else:
            self.write(" ")

    def last_lines(self, gap: Gap, indent: int, *, first: bool) -> None:
        """Write the comments of the gap before what closes a body, whose lines are indented by `indent`.

        `first` is set where the body holds nothing else.
        """
        own = _trailing(gap.comments, gap.breaks > 0 or not first)
        for comment in gap.comments[:own]:
            self.write(f" {comment.text}")
        self._comments(gap.comments[own:], indent, never if first else kept)

    def _comments(self, comments: tuple[Comment, ...], indent: int, blank: Blank) -> None:
        for i, comment in enumerate(comments):
            if i and not comment.breaks:
                self.write(f" {comment.text}")
            else:
                self.line(indent, blank=(kept if i else blank)(comment.breaks))
                self.write(comment.text)


def _trailing(comments: tuple[Comment, ...], line_ends: bool) -> int:
    """How many comments are on the line of the word before them, if a line ends there; `line_ends` after the last."""
    for i, comment in enumerate(comments):
        if comment.breaks:
            return i
    return len(comments) if line_ends else 0

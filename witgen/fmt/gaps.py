"""What stands between two words of a file: comments, and how many line breaks around them.

A comment belongs to its gap. A gap knows how its comments can be written, not where.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["NOTHING", "Comment", "Gap"]

_DOC = re.compile(r"///(?!/)|/\*\*(?![*/])")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its delimiters. `breaks` counts the line breaks between it and what stands before it."""

    text: str
    breaks: int

    @property
    def is_line(self) -> bool:
        """Whether it takes the rest of its line."""
        return self.text.startswith("//")

    @property
    def is_tall(self) -> bool:
        """Whether a line must end in or after it."""
        return self.is_line or "\n" in self.text

    @property
    def is_doc(self) -> bool:
        """Whether it is written as documentation."""
        return _DOC.match(self.text) is not None


@dataclass(frozen=True, slots=True)
class Gap:
    """Comments, and the number of line breaks between the last one and the word that follows."""

    comments: tuple[Comment, ...]
    breaks: int

    @property
    def is_tall(self) -> bool:
        """Whether it can't be written on a single line."""
        return any(comment.is_tall for comment in self.comments)

    @property
    def has_lines(self) -> bool:
        """Whether it has comments that were given lines of their own, or the end of one."""
        if not self.comments:
            return False
        return self.is_tall or self.breaks > 0 or any(comment.breaks for comment in self.comments)

    def joined(self, other: Gap) -> Gap:
        """This gap and the one behind the word after it, as if the word were not there."""
        if not other.comments:
            return Gap(self.comments, self.breaks + other.breaks)
        first, *others = other.comments
        moved = Comment(first.text, self.breaks + first.breaks)
        return Gap((*self.comments, moved, *others), other.breaks)


NOTHING = Gap((), 0)

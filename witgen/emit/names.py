"""Words of WIT names in the cases of programming languages, and a giver of names that no two things share.

It knows kebab-case (words of letters and digits, all lower or all upper case, joined by hyphens); it knows no
language's reserved words.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["Scope", "shouty_snake", "snake", "upper_camel", "words"]


def words(name: str) -> list[str]:
    """The words of a kebab-case name, in lower case: ``HTTP-code2`` is ``http`` and ``code2``."""
    return name.lower().split("-")


def snake(name: str) -> str:
    """``HTTP-code2`` as ``http_code2``."""
    return "_".join(words(name))


def shouty_snake(name: str) -> str:
    """``HTTP-code2`` as ``HTTP_CODE2``."""
    return "_".join(words(name)).upper()


def upper_camel(name: str) -> str:
    """``HTTP-code2`` as ``HttpCode2``."""
    return "".join(word[:1].upper() + word[1:] for word in words(name))


class Scope:
    """Names that are taken. Whoever asks first gets the name as wished, later ones get it with underscores behind."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def take(self, wish: str) -> str:
        """`wish`, or the shortest `wish` with underscores that is still free."""
        while wish in self._taken:
            wish += "_"
        self._taken.add(wish)
        return wish

"""The documentation of an item: the text of the comments before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from witgen.ir import BlankDocs

if TYPE_CHECKING:
    from witgen.syntax import ast

__all__ = ["docs_text", "joined"]

#: How a comment begins that allows what ``witgen lint`` forbids.
_FOR_WITGEN = ("// witgen: ", "//witgen: ")
_ASCII_SPACE = " \t\n\x0c\r"


def docs_text(comments: Sequence[ast.Comment]) -> str:
    """The comments of an item as its documentation.

    Every comment counts, not doc comments alone: so do the reference tools. Only what a comment tells witgen itself is
    no documentation.
    """
    return joined([comment.text for comment in comments if not comment.text.startswith(_FOR_WITGEN)])


def joined(comments: Sequence[str]) -> str:
    """Comments, given with their delimiters, without these and their common indentation, one after another."""
    if not comments:
        return ""
    texts = [_bare(comment).rstrip() for comment in comments]
    common = min((_indentation(text) for text in texts if text), default=0)
    if common:
        texts = [text[common:] if text.startswith(" " * common) else text for text in texts]
    lines: list[str] = []
    for text in texts:
        lines += text.replace("\r\n", "\n").split("\n")
    return "\n".join(lines).rstrip("\n") or BlankDocs()


def _bare(text: str) -> str:
    if text.startswith("/**"):
        return text[3:].removesuffix("*/")
    return text.lstrip("/")


def _indentation(text: str) -> int:
    return len(text) - len(text.lstrip(_ASCII_SPACE))

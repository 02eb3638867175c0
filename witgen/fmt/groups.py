"""What can be broken over several lines: the lists in brackets within a stretch of words.

It knows which brackets hold lists, which of them may end with a comma, and what each is on one line, if it can be. It
writes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from witgen.fmt.gaps import NOTHING, Gap
from witgen.fmt.words import Words
from witgen.fmt.writer import WIDTH

__all__ = ["Group", "Node", "read_nodes"]

_CLOSING = {"(": ")", "<": ">", "{": "}"}
#: The words before brackets in which a comma may follow the last element. In braces it always may.
_COMMA_AT_END = {"(": ("func", "constructor"), "<": ("tuple",)}


@dataclass(slots=True)
class Group:
    """A list in brackets.

    Each item ends with its comma, but for the last one; `comma` is what to end that with where each item has a line.
    `end` is what is before the closing bracket. `flat` is the whole on one line; None where that can't be or is too
    long for any line.
    """

    opening: int
    comma: str
    items: list[list[Node]] = field(default_factory=list)
    end: Gap = NOTHING
    closing: int = 0
    flat: str | None = None


#: The number of a word, or a group of them.
Node: TypeAlias = int | Group


def read_nodes(words: Words, first: int, last: int, *, listing: bool) -> list[Node]:
    """The words from `first` to `last`, those in brackets as groups. In a `listing`, braces are never on one line."""
    root: list[Node] = []
    nodes = root
    outer: list[tuple[Group, list[Node]]] = []
    for i in range(first, last + 1):
        text = words.texts[i]
        if text in _CLOSING and i != last:
            group = Group(i, "," if text == "{" or words.texts[i - 1] in _COMMA_AT_END[text] else "")
            nodes.append(group)
            outer.append((group, nodes))
            nodes = []
        elif outer and text == "," and nodes:
            nodes.append(i)
            outer[-1][0].items.append(nodes)
            nodes = []
        elif outer and text == _CLOSING[words.texts[outer[-1][0].opening]]:
            group, around = outer.pop()
            _close(words, group, nodes, i)
            group.flat = None if listing and text == "}" and not _is_empty(group) else _flat(words, group)
            nodes = around
        else:
            nodes.append(i)
    return root


def _close(words: Words, group: Group, last: list[Node], closing: int) -> None:
    """Complete a group with its last item, or without the comma behind it."""
    group.closing = closing
    group.end = words.gap(closing)
    if last:
        group.items.append(last)
    elif group.items:
        comma = group.items[-1].pop()
        assert isinstance(comma, int)
        group.end = words.gap(comma).joined(group.end)


def _is_empty(group: Group) -> bool:
    return not group.items and not group.end.comments


def _flat(words: Words, group: Group) -> str | None:
    """A group on one line, without a comma behind its last item."""
    if group.end.has_lines:
        return None
    parts = [words.texts[group.opening]]
    length = 0
    for item in group.items:
        assert isinstance(item[0], int)
        if words.has_lines(item[0]):
            return None
        for node in item:
            part = flat_node(words, node)
            if part is None:
                return None
            parts.append(part)
            length += len(part)
        if length > WIDTH:
            return None
    end = words.before(group.closing, group.end)
    return f"{''.join(parts)}{end}{words.texts[group.closing]}"


def flat_node(words: Words, node: Node) -> str | None:
    """A node with the space before it, on one line."""
    if isinstance(node, int):
        return None if words.is_tall(node) else words.inline(node)
    if node.flat is None or words.is_tall(node.opening):
        return None
    return words.before(node.opening) + node.flat

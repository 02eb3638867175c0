"""Lines of Rust as rustfmt would break them, so that generated code needs no formatter.

It knows widths and the few shapes that generated code is made of; it knows nothing of what they mean. What fits none
of the shapes is marked ``#[rustfmt::skip]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

__all__ = ["alias", "derive", "docs", "field", "indent", "plain", "signature", "tuple_expression", "unsafe_block"]

_WIDTH = 100
#: rustfmt's `fn_call_width`: arguments (and elements of tuples) that are longer go on lines of their own.
_CALL_WIDTH = 60
_STEP = "    "
_SKIP = "#[rustfmt::skip]"
#: What rustc refuses in comments and literals: carriage returns within a line, and what turns the direction of text.
#: Text has the first in its comments, binary packages may have both.
_REFUSED = str.maketrans("\r\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", " " + "\ufffd" * 9)


def indent(lines: Iterable[str], depth: int = 1) -> list[str]:
    """Lines moved right by `depth` steps; empty ones stay empty."""
    return [_STEP * depth + line if line else line for line in lines]


def plain(text: str) -> str:
    """Text of a contract as Rust may have it in comments and literals."""
    return text.translate(_REFUSED)


def docs(text: str) -> list[str]:
    """A documentation comment. What looks like code is marked as text: rustdoc would compile it."""
    lines: list[str] = []
    fenced = False
    for line in plain(text).expandtabs(4).split("\n"):
        line = line.rstrip()
        if line.lstrip().startswith("```"):
            fenced = not fenced
            if fenced and line.strip() == "```":
                line += "text"
        lines.append(f"/// {line}" if line else "///")
    return lines if text else []


def signature(depth: int, head: str, params: Sequence[str], result: str | None, end: str) -> list[str]:
    """The first lines of a function, from `head` (up to its name) to `end` (``;`` or `` {``)."""
    tail = ("" if result is None else f" -> {result}") + end
    short = f"{head}({', '.join(params)}){tail}"
    types = [*params, result or ""]
    if any(map(_has_wide_tuple, types)):
        return [_SKIP, short]
    if result is not None and end == ";" and len(short) + len(_STEP) * depth == _WIDTH:
        return [f"{head}({', '.join(params)})", f"{_STEP}-> {result};"]
    if _fits(depth, short):
        return [short]
    last = [f"){tail}"]
    if end == " {" and not _fits(2 * depth, last[0]):
        # rustfmt counts the indentation of the last of several lines twice.
        last = [f") -> {result}", "{"]
    lines = [f"{head}(", *(f"{_STEP}{param}," for param in params), *last]
    if params and all(_fits(depth, line) for line in lines):
        return lines
    return [_SKIP, *(lines if params else [short])]


def tuple_expression(depth: int, head: str, items: Sequence[str], end: str) -> list[str]:
    """``head(a, b)end``: a tuple as the last part of a statement."""
    inside = f"{items[0]}," if len(items) == 1 else ", ".join(items)
    short = f"{head}({inside}){end}"
    if len(inside) <= _CALL_WIDTH and _fits(depth, short):
        return [short]
    return [f"{head}(", *(f"{_STEP}{item}," for item in items), f"){end}"]


def unsafe_block(depth: int, lines: Sequence[str]) -> list[str]:
    """``unsafe { … }``, on one line if it holds a single expression that is short enough."""
    short = f"unsafe {{ {lines[0]} }}"
    if len(lines) == 1 and not lines[0].endswith(";") and _fits(depth, short):
        return [short]
    return ["unsafe {", *indent(lines), "}"]


def derive(depth: int, traits: Sequence[str]) -> list[str]:
    """The attribute that derives traits, none if there are none."""
    if not traits:
        return []
    inside = ", ".join(traits)
    # rustfmt leaves four columns.
    if _fits(depth + 1, f"#[derive({inside})]"):
        return [f"#[derive({inside})]"]
    lines = [f"{inside},"] if _fits(depth + 1, inside) else [f"{trait}," for trait in traits]
    return ["#[derive(", *indent(lines), ")]"]


def field(depth: int, text: str) -> list[str]:
    """A field of a struct or a case of an enum, with its comma."""
    return [text] if _fits(depth, text) and not _has_wide_tuple(text) else [_SKIP, text]


def alias(depth: int, head: str, target: str) -> list[str]:
    """``head = target;``."""
    short = f"{head} = {target};"
    if _has_wide_tuple(target):
        return [_SKIP, short]
    if _fits(depth, short):
        return [short]
    if _fits(depth + 1, f"{target};"):
        return [f"{head} =", f"{_STEP}{target};"]
    return [_SKIP, short]


def _has_wide_tuple(type_: str) -> bool:
    """Whether rustfmt would break a type because the elements of a tuple in it are long."""
    opened: list[int] = []
    commas: list[bool] = []
    for at, character in enumerate(type_):
        if character in "(<[":
            opened.append(at)
            commas.append(False)
        elif character in ")>]":
            begin, several = opened.pop(), commas.pop()
            if character == ")" and several and at - begin - 1 > _CALL_WIDTH:
                return True
        elif character == "," and commas and type_[at + 1 : at + 2] == " ":
            commas[-1] = True
    return False


def _fits(depth: int, line: str) -> bool:
    return len(line) + len(_STEP) * depth <= _WIDTH

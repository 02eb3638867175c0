"""What a single word may be: code points, identifiers, versions, strings; and what to say of one that is wrong."""

from __future__ import annotations

import itertools
import re

from witgen.diagnostics import Diagnostic, Note, Source, Span, WitError

__all__ = ["FORBIDDEN", "check_code_points", "string_value", "version_problem", "wrong_string", "wrong_word"]

#: The code points that no WIT file may hold.
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u0149\u0673\u0f77\u0f79\u17a3\u17a4\u17b4\u17b5]"
)
_WORD = re.compile(r"%?[\w-]*")
_IDENTIFIER = re.compile(r"[a-z][0-9a-z]*(?:-[0-9a-z]+)*")
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:-([^+]*))?(?:\+(.*))?", re.ASCII)
_LARGEST = 2**64 - 1
_STRING = re.compile(r"""[^"\\\n]*(?:\\.[^"\\\n]*)*"?""")
_ESCAPE = re.compile(r"""\\(?:(["'tnr\\])|u\{([0-9A-Fa-f](?:_*[0-9A-Fa-f])*)\}|([0-9A-Fa-f]{2})|(.?))""", re.DOTALL)
_SHORT_ESCAPES = {"t": "\t", "n": "\n", "r": "\r"}


def check_code_points(source: Source, most: int) -> None:
    """Raise WitError if the text holds code points that no WIT file may hold, in a comment or string either; it tells
    of the first `most`."""
    diagnostics = [_forbidden(source, match) for match in itertools.islice(FORBIDDEN.finditer(source.text), most)]
    if diagnostics:
        raise WitError(*diagnostics)


def _forbidden(source: Source, match: re.Match[str]) -> Diagnostic:
    char = match[0]
    if "\u2000" <= char < "\u2070":
        what = "a bidirectional override, which can make text look like another"
    elif char < "\xa0":
        what = "a control character"
    else:
        what = "a code point that Unicode deprecates"
    message = f"U+{ord(char):04X} is {what}; WIT files may not hold it"
    return Diagnostic(message, Span(source, match.start(), match.end()))


def wrong_word(source: Source, start: int) -> tuple[WitError, int]:
    """The error for what begins at `start` and is no word of the language, and where an identifier ends that it may
    have been meant as; `start` itself where there is none."""
    text = source.text
    match = _WORD.match(text, start)
    assert match is not None
    word = match[0]
    span = Span(source, start, max(match.end(), start + 1))
    if not word:
        if text[start] == "\r":
            return WitError.at(span, "a carriage return without a line feed is no line break"), start
        notes = [Note("a comment begins with `//`")] if text[start] == "#" else []
        return WitError.at(span, f"unexpected character {_shown(text[start])}", *notes), start
    name = word.removeprefix("%")
    if not name:
        return WitError.at(span, "expected an identifier after `%`"), match.end()
    notes = []
    proposal = _kebab_case(name)
    if proposal is not None:
        notes.append(Note(f"did you mean `{word[: len(word) - len(name)]}{proposal}`?"))
    return WitError.at(span, f"`{word}` is no identifier: {_identifier_problem(name)}", *notes), match.end()


def _identifier_problem(name: str) -> str:
    """What is wrong with an identifier, in words."""
    for char in name:
        if char == "_":
            return "words are joined with `-`, not with `_`"
        if not char.isascii():
            return f"only ASCII letters, digits and `-` can be in it, not {_shown(char)}"
    parts = name.split("-")
    if not parts[0]:
        return "it can't begin with `-`"
    if not parts[-1]:
        return "it can't end with `-`"
    if not all(parts):
        return "a single `-` joins two words"
    if parts[0][0].isdigit():
        return "it begins with a letter"
    return "each word of it is written in lower case or in upper case, not in both"


def _kebab_case(name: str) -> str | None:
    """The identifier that `name` may have been meant to be."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).replace("_", "-")
    proposal = re.sub("-+", "-", spaced).strip("-").lower()
    return proposal if _IDENTIFIER.fullmatch(proposal) else None


def version_problem(text: str) -> str | None:
    """What keeps `text` from being a semantic version, in words; None where nothing does."""
    match = _VERSION.fullmatch(text)
    if match is None:
        return "a version has the form `1.2.3`, `1.2.3-rc.1` or `1.2.3+build`"
    for number in match.group(1, 2, 3):
        if len(number) > 1 and number[0] == "0":
            return f"a number in a version has no leading zero: `{number}`"
        if len(number) > 20 or int(number) > _LARGEST:
            return f"a number in a version is at most {_LARGEST}"
    for what, parts, mark in (("pre-release", match[4], "-"), ("build", match[5], "+")):
        if parts is not None and not all(parts.split(".")):
            return f"a part of the {what}, after `{mark}`, is empty"
    if match[5] is not None and "+" in match[5]:
        return "a version has at most one `+`"
    for part in (match[4] or "").split("."):
        if part.isdecimal() and len(part) > 1 and part[0] == "0":
            return f"a number in a pre-release has no leading zero: `{part}`"
    return None


def string_value(source: Source, start: int, end: int) -> str:
    """The text that a string literal stands for. Raises WitError where its bytes are no UTF-8."""
    parts: list[bytes] = []
    at = start + 1
    for match in _ESCAPE.finditer(source.text, start + 1, end - 1):
        parts.append(source.text[at : match.start()].encode())
        at = match.end()
        short, code_point, byte, _ = match.groups()
        if short:
            parts.append(_SHORT_ESCAPES.get(short, short).encode())
        elif byte:
            parts.append(bytes.fromhex(byte))
        else:
            digits = code_point.replace("_", "").lstrip("0") or "0"
            value = int(digits, 16) if len(digits) <= 6 else 0x110000
            if value > 0x10FFFF or 0xD800 <= value < 0xE000:
                span = Span(source, match.start(), match.end())
                raise WitError.at(span, "this escape is no Unicode scalar value")
            parts.append(chr(value).encode())
    parts.append(source.text[at : end - 1].encode())
    try:
        return b"".join(parts).decode()
    except UnicodeDecodeError:
        raise WitError.at(Span(source, start, end), "the bytes of this string are not valid UTF-8") from None


def wrong_string(source: Source, start: int) -> WitError:
    """The error for a string literal that is none."""
    match = _STRING.match(source.text, start + 1)
    assert match is not None
    if not match[0].endswith('"'):
        return WitError.at(Span(source, start, match.end()), 'this string is never closed with `"`')
    for escape in _ESCAPE.finditer(source.text, start + 1, match.end()):
        if escape[4] is not None:
            span = Span(source, escape.start(), max(escape.end(), escape.start() + 2))
            return WitError.at(span, r"""unknown escape in a string; there are \t \n \r \" \' \\ \u{…} and \ff""")
    return WitError.at(Span(source, start, match.end()), "a string can't hold control characters; write an escape")


def _shown(char: str) -> str:
    return f"`{char}`" if char.isprintable() and char != "`" else f"U+{ord(char):04X}"

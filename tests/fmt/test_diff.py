"""Diffs of formatted files: small, right, and made in time that grows with the file."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fmt.support import formatted, texts
from witgen.fmt.diff import unified_diff

TEXTS = texts()
_HUNK = re.compile(r"@@ -(\d+),(\d+) \+(\d+),(\d+) @@\n")


def applied(before: str, diff: str) -> str:
    """What a diff makes of a text."""
    old = re.findall(r"[^\n]*\n|[^\n]+", before)
    new: list[str] = []
    at = 0
    rows = re.findall(r"[^\n]*\n", diff)[2:]
    for i, row in enumerate(rows):
        line = row[1:-1] if rows[i + 1 : i + 2] == ["\\ No newline at end of file\n"] else row[1:]
        hunk = _HUNK.fullmatch(row)
        if hunk is not None:
            start = int(hunk[1]) - (hunk[2] != "0")
            new += old[at:start]
            at = start
            assert len(new) == int(hunk[3]) - (hunk[4] != "0")
        elif row[0] == "+":
            new.append(line)
        elif row[0] != "\\":
            assert old[at] == line
            new += [line] if row[0] == " " else []
            at += 1
    return "".join(new + old[at:])


def test_what_is_formatted_has_no_diff() -> None:
    assert unified_diff("a.wit", "package a:b;\n", "package a:b;\n") == ""


def test_a_change_is_shown_with_three_lines_around() -> None:
    before = "package a:b;\n\ninterface i {\n  type a = u8;\n  type b = u8;\n    type c=u8;\n  type d = u8;\n}"
    assert unified_diff("a.wit", before, formatted(before)).splitlines() == [
        "--- a.wit",
        "+++ a.wit",
        "@@ -3,6 +3,6 @@",
        " interface i {",
        "   type a = u8;",
        "   type b = u8;",
        "-    type c=u8;",
        "+  type c = u8;",
        "   type d = u8;",
        "-}",
        "\\ No newline at end of file",
        "+}",
    ]


def test_changes_far_from_each_other_are_shown_apart() -> None:
    before = "package a:b;\ninterface i {\n" + "  type t = u8;\n" * 20 + "}\n\n\ninterface j {}\n"
    assert unified_diff("a.wit", before, formatted(before)).count("@@ -") == 2


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.sampled_from(["\n", "\r\n", "\n\n", " \n", "\n    "]), st.booleans())
def test_applying_the_diff_gives_the_formatted_text(name: str, line_break: str, has_end: bool) -> None:
    text = TEXTS[name].replace("\r\n", "\n").replace("\n", line_break)
    before = text if has_end else text.rstrip()
    assert applied(before, unified_diff(name, before, formatted(before))) == formatted(before)


def test_a_file_with_nothing_in_it_becomes_empty() -> None:
    assert unified_diff("a.wit", "\n\n", "") == "--- a.wit\n+++ a.wit\n@@ -1,2 +0,0 @@\n-\n-\n"


def test_in_a_large_file_only_what_changes_is_in_the_diff() -> None:
    before = "package a:b;\n\ninterface i {\n" + "  record r {\n    a: u8,\n  }\n \n" * 5_000 + "}\n"
    diff = unified_diff("a.wit", before, formatted(before))
    rows = diff.splitlines()[2:]
    # The last blank line goes; each other one loses its space.
    assert sum(row[0] == "-" for row in rows) == 5_000
    assert sum(row[0] == "+" for row in rows) == 4_999

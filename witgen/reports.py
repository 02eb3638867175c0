"""Diagnostics for machines: as JSON, as annotations of a GitHub workflow, as SARIF 2.1.0.

`render` makes the text of a report in one of the `FORMATS`. It knows diagnostics and these forms; it knows nothing of
commands and writes nothing. Lines and columns count from 1, columns in code points; ends are exclusive.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from witgen import __version__
from witgen.diagnostics import Diagnostic, Note, Span, printable

__all__ = ["FORMATS", "junit", "render"]

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def render(form: str, diagnostics: Sequence[Diagnostic]) -> str:
    """The report on all of `diagnostics` in that form, without a line break at the end; it may be empty."""
    return FORMATS[form](diagnostics)


def _text(diagnostics: Sequence[Diagnostic]) -> str:
    return "\n".join(diagnostic.render() for diagnostic in diagnostics)


# JSON


def _json(diagnostics: Sequence[Diagnostic]) -> str:
    return json.dumps({"diagnostics": [_entry(diagnostic) for diagnostic in diagnostics]}, indent=2)


def _entry(diagnostic: Diagnostic) -> dict[str, Any]:
    return {
        "severity": "error",
        "message": diagnostic.message,
        **({"rule": diagnostic.rule} if diagnostic.rule else {}),
        **_place(diagnostic.where),
        "notes": [{"message": note.message, **(_place(note.span) if note.span else {})} for note in diagnostic.notes],
    }


def _place(where: Span | str) -> dict[str, Any]:
    if isinstance(where, str):
        return {"path": where}
    line, column, end_line, end_column = _region(where)
    return {"path": where.source.path, "line": line, "column": column, "end_line": end_line, "end_column": end_column}


def _region(span: Span) -> tuple[int, int, int, int]:
    """Line and column of the start and of the end of a span; an empty one covers the place after it."""
    return *span.source.position(span.start), *span.source.position(max(span.end, span.start + 1))


# GitHub: https://docs.github.com/actions/reference/workflow-commands-for-github-actions


def _github(diagnostics: Sequence[Diagnostic]) -> str:
    return "\n".join(_annotation(diagnostic) for diagnostic in diagnostics)


def _annotation(diagnostic: Diagnostic) -> str:
    where = diagnostic.where
    properties: dict[str, object] = {"title": f"witgen: {diagnostic.rule}" if diagnostic.rule else "witgen"}
    message = diagnostic.message
    if isinstance(where, Span) and _is_file(where.source.path):
        line, column, end_line, end_column = _region(where)
        properties |= {"file": where.source.path, "line": line, "col": column}
        # A column's end is shown for a stretch of a single line only.
        properties |= {"endLine": end_line} if end_line != line else {"endColumn": end_column}
    elif isinstance(where, str) and _is_file(where):
        properties |= {"file": where}
    else:
        message = f"{where if isinstance(where, Span) else printable(where)}: {message}"
    listed = ",".join(f"{key}={_escaped(str(value), ',:')}" for key, value in properties.items())
    text = "\n".join([message, *(_note(note) for note in diagnostic.notes)])
    return f"::error {listed}::{_escaped(text)}"


def _is_file(path: str) -> bool:
    """Whether a path names something that is there, and not stdin, a command or a package."""
    return os.path.lexists(path)


def _note(note: Note) -> str:
    return f"note: {note.message}" if note.span is None else f"{note.span}: note: {note.message}"


def _escaped(text: str, more: str = "") -> str:
    for char in "%\r\n" + more:
        text = text.replace(char, f"%{ord(char):02X}")
    return text


# SARIF


def _sarif(diagnostics: Sequence[Diagnostic]) -> str:
    driver = {"name": "witgen", "version": __version__}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(diagnostic) for diagnostic in diagnostics],
    }
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _result(diagnostic: Diagnostic) -> dict[str, Any]:
    where = diagnostic.where
    remarks = [note.message for note in diagnostic.notes if note.span is None]
    related = [
        {**_location(note.span), "message": {"text": note.message}}
        for note in diagnostic.notes
        if note.span is not None and _is_file(note.span.source.path)
    ]
    is_place = _is_file(where.source.path if isinstance(where, Span) else where)
    message = diagnostic.message if is_place else f"{where}: {diagnostic.message}"
    return {
        **({"ruleId": diagnostic.rule} if diagnostic.rule else {}),
        "level": "error",
        "message": {"text": "\n".join([message, *(f"note: {remark}" for remark in remarks)])},
        "locations": [_location(where)] if is_place else [],
        **({"relatedLocations": related} if related else {}),
    }


def _location(where: Span | str) -> dict[str, Any]:
    if isinstance(where, str):
        return {"physicalLocation": {"artifactLocation": {"uri": _uri(where)}}}
    line, column, end_line, end_column = _region(where)
    region = {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column}
    return {"physicalLocation": {"artifactLocation": {"uri": _uri(where.source.path)}, "region": region}}


def _uri(path: str) -> str:
    """A path as the reference that SARIF wants: relative as it is, absolute with a scheme."""
    from urllib.parse import quote

    return Path(path).as_uri() if Path(path).is_absolute() else quote(path)


# JUnit: the form that continuous integration shows as tests


def junit(diagnostics: Sequence[Diagnostic], passed: Mapping[str, str], skipped: Mapping[str, str]) -> str:
    """A suite with a case for each check; those that passed or were skipped by name, with what is said of them."""
    from xml.sax.saxutils import escape, quoteattr

    failed: dict[str, list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        failed.setdefault(diagnostic.rule or "witgen", []).append(diagnostic)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    total = len(failed) + len(passed) + len(skipped)
    lines.append(f'<testsuite name="witgen" tests="{total}" failures="{len(failed)}" skipped="{len(skipped)}">')
    for rule, found in failed.items():
        lines.append(f'  <testcase classname="witgen" name={quoteattr(rule)}>')
        for diagnostic in found:
            message, text = quoteattr(_plain(diagnostic.message)), escape(_plain(diagnostic.render()))
            lines.append(f"    <failure message={message}>{text}</failure>")
        lines.append("  </testcase>")
    for name, says in passed.items():
        lines.append(f'  <testcase classname="witgen" name={quoteattr(name)}>')
        lines.append(f"    <system-out>{escape(says)}</system-out>")
        lines.append("  </testcase>")
    for name, says in skipped.items():
        lines.append(f'  <testcase classname="witgen" name={quoteattr(name)}>')
        lines.append(f"    <skipped message={quoteattr(says)}/>")
        lines.append("  </testcase>")
    return "\n".join([*lines, "</testsuite>"])


def _plain(text: str) -> str:
    """Text without the characters that XML can't hold."""
    return "".join(c if c in "\t\n" or c.isprintable() else "\ufffd" for c in text)


#: The forms of a report, each with what makes it.
FORMATS: dict[str, Callable[[Sequence[Diagnostic]], str]] = {
    "text": _text,
    "json": _json,
    "github": _github,
    "sarif": _sarif,
}

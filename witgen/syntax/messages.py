"""Syntax errors in words: what was expected, what was found, and what may be missing."""

from __future__ import annotations

from witgen.diagnostics import Source, Span, WitError
from witgen.syntax.parser import Unexpected, acceptable
from witgen.syntax.table import Table

__all__ = ["unexpected"]


def unexpected(source: Source, table: Table, error: Unexpected) -> WitError:
    """The error for a terminal that doesn't fit."""
    expected = sorted(table.terminals[i].name for i in acceptable(table, error.states))
    return WitError.at(
        Span(source, error.start, error.end), f"expected {expected}, found {table.terminals[error.terminal].name}"
    )

"""The surface of WIT: from the text of a file to its syntax tree.

`parse` follows the grammar in ``grammars/wit.lark`` (design/mvp/WIT.md of WebAssembly/component-model) and says nothing
of what names mean.
"""

from __future__ import annotations

import functools

from witgen.diagnostics import Source, WitError
from witgen.garbage import no_garbage
from witgen.syntax import ast
from witgen.syntax.actions import Actions
from witgen.syntax.lexer import Lexer, Scan
from witgen.syntax.parser import run
from witgen.syntax.recovery import Recovery
from witgen.syntax.table import load_table

__all__ = ["keywords", "parse"]


@functools.cache
def _lexer() -> Lexer:
    return Lexer(load_table())


def parse(source: Source) -> ast.File:
    """The syntax tree of a WIT file.

    Raises WitError with all that isn't WIT, as far as one mistake can be told from the next.
    """
    table = load_table()
    lexer = _lexer()
    scan = Scan()
    recovery = Recovery(source, table, scan)
    try:
        with no_garbage():
            file: ast.File = run(table, lexer.soft, lexer.scan(source, scan), Actions(source, scan), recovery.resume)
    except WitError as error:
        raise WitError(*scan.errors, *error.diagnostics) from None
    if scan.errors:
        raise WitError(*scan.errors)
    return file


@functools.cache
def keywords() -> frozenset[str]:
    """The words that are identifiers only with a ``%`` before them."""
    fixed = (terminal for terminal in load_table().terminals if not (terminal.is_pattern or terminal.soft))
    return frozenset(terminal.text for terminal in fixed if terminal.text[:1].isalpha())

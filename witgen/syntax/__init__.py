"""The surface of WIT: from the text of a file to its syntax tree.

`parse` follows the grammar in ``grammars/wit.lark`` (design/mvp/WIT.md of WebAssembly/component-model) and says nothing
of what names mean.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from witgen.diagnostics import Source, WitError
from witgen.garbage import no_garbage
from witgen.syntax import ast
from witgen.syntax.actions import Actions
from witgen.syntax.lexer import Scan, load_lexer
from witgen.syntax.parser import Word, run
from witgen.syntax.recovery import Recovery
from witgen.syntax.table import load_table

__all__ = ["keywords", "parse", "parse_words"]


def parse(source: Source) -> ast.File:
    """The syntax tree of a WIT file.

    Raises WitError with all that isn't WIT, as far as one mistake can be told from the next.
    """
    scan = Scan()
    return parse_words(source, scan, load_lexer().scan(source, scan))


def parse_words(source: Source, scan: Scan, words: Iterator[Word]) -> ast.File:
    """The syntax tree of a WIT file whose words are read from `words` into `scan`. Raises WitError as `parse` does."""
    table = load_table()
    recovery = Recovery(source, table, scan)
    try:
        with no_garbage():
            file: ast.File = run(table, load_lexer().soft, words, Actions(source, scan), recovery.resume)
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

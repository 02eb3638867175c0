"""Comments stand wherever they like, and stay there."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from tests.fmt.support import EVERYTHING, check_laws, with_between
from witgen.diagnostics import Source
from witgen.syntax import parse
from witgen.syntax.lexer import Lexer, Scan
from witgen.syntax.parser import run
from witgen.syntax.table import load_table

TEXT = EVERYTHING.read_text()
STYLES = {
    "line": " // {}\n",
    "line on its own": "\n// {}  \n",
    "doc": "\n\n/// {}\n\n",
    "block": " /* {} */ ",
    "block on its own": "\n/* {} */\n",
    "block before a word": "\n/* {} */ ",
    "block behind a word": " /* {} */\n",
    "doc block": "\n/** {} */\n",
    "several lines": " /* {}\n      more\n */ ",
    "several lines on their own": "\n/** {}\n   * more  \n*/\n",
    "nested": " /* {} /* inner // */ */",
    "two": " /* {} */ // and\n",
    "three": " // {}\n\n\n/* and */ /** and */\n",
}


def numbered(style: str) -> list[str]:
    return [style.format(f"c{i}") for i in range(2000)]


class Recorder:
    """Actions that make nothing and remember which of them were asked for."""

    def __init__(self) -> None:
        self.seen: set[str] = set()

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: self.seen.add(name)


def test_the_file_has_every_construct() -> None:
    table = load_table()
    lexer = Lexer(table)
    recorder = Recorder()
    run(table, lexer.soft, lexer.scan(Source("a.wit", TEXT), Scan()), recorder, lambda *_: None)
    assert {rule.node for rule in table.rules if rule.node is not None} <= recorder.seen


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES.keys())
def test_a_comment_between_every_two_words_stays_where_it_is(style: str) -> None:
    text = with_between(TEXT, iter(numbered(style)))
    assert len(parse(Source("a.wit", text)).comments) > 600
    check_laws(text)


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES.keys())
@pytest.mark.parametrize("every", [3, 7, 20])
def test_some_comments_stay_where_they_are(style: str, every: int) -> None:
    for first in range(every):
        between = (style if i % every == first else " " for i in itertools.count())
        check_laws(with_between(TEXT, between))

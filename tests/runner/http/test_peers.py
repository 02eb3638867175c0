"""The raw requests again, sent to uvicorn: where it answers otherwise than the component, a row says why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.runner.driving import PATIENCE
from tests.runner.http.cases import CASES, Case
from tests.runner.http.differences import DIFFERENCES, expected, table
from tests.runner.http.peers import PARSERS, Parser, outcome, peer, verdict
from tests.runner.http.serving import ROOT

#: Seconds without an answer after which a peer counts as one that waits, where that is what is known of it.
SHORT = 0.1


@pytest.fixture(scope="module", params=PARSERS)
def parser(request: pytest.FixtureRequest) -> Parser:
    pytest.importorskip(request.param)
    found: Parser = request.param
    return found


@pytest.fixture(scope="module")
def port(parser: Parser) -> Iterator[int]:
    with peer(parser) as port:
        yield port


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_uvicorn_answers_as_the_component_does_or_a_row_says_why_not(port: int, parser: Parser, case: Case) -> None:
    known = expected(case.name, parser)
    found = outcome(port, case, SHORT if known == "waits" else PATIENCE)
    assert verdict(case, found) == known, found


def test_every_difference_is_about_cases_that_there_are_and_about_each_once() -> None:
    named = [name for row in DIFFERENCES for name in row.cases]
    assert set(named) <= {case.name for case in CASES}
    assert len(named) == len(set(named))
    assert all((row.h11, row.httptools) != ("as here", "as here") for row in DIFFERENCES)


def test_the_documents_have_the_differences() -> None:
    text = (ROOT / "docs/http-component.md").read_text()
    assert table() in text, "python -m tests.runner.http.differences prints what it should have"

"""Raw requests: what is answered, whether the connection goes on, and what the application saw."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.runner.http.applications import describe
from tests.runner.http.cases import CASES, Case
from tests.runner.http.driver import Server
from witgen import runtime as rt

IDS = [case.name for case in CASES]


@pytest.fixture(scope="module")
def server(component: rt.Component) -> Iterator[Server]:
    with Server(component, describe) as server:
        yield server


def check(server: Server, case: Case, pieces: list[bytes]) -> None:
    before = len(server.reports)
    with server.connect() as client:
        for piece in pieces:
            client.send(piece)
        for saw in case.earlier:
            answer = client.answer(head=case.heads)
            assert (answer.status, answer.body.decode("latin-1")) == (200, saw)
        answer = client.answer(head=case.heads and not case.earlier)
        assert (answer.status, client.is_closed()) == (case.status, not case.kept)
        if case.saw is not None:
            assert answer.body.decode("latin-1") == case.saw
        last = before + len(case.earlier)
        expected = last + 1 + case.kept
        server.until(lambda: len(server.reports) >= expected)
    assert len(server.reports) == expected
    failed = server.reports[last].failure is not None
    assert failed == (case.saw is None)


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_request_comes_out_as_its_row_says(server: Server, case: Case) -> None:
    check(server, case, [case.request])


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_it_comes_out_the_same_byte_by_byte(server: Server, case: Case) -> None:
    if len(case.request) > 300:
        pytest.skip("long requests are split elsewhere")
    try:
        check(server, case, [case.request[at : at + 1] for at in range(len(case.request))])
    except (BrokenPipeError, ConnectionResetError):
        # Refused before the last byte was sent.
        assert case.saw is None

"""Raw commands: which replies come, and whether the connection goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import runner.bindings.ftp_component as wit

from tests.runner.ftp.cases import CASES, Case
from tests.runner.ftp.driver import Client, Server
from tests.runner.ftp.tree import Node
from witgen import runtime as rt

IDS = [case.name for case in CASES]


@pytest.fixture(scope="module")
def shared(component: rt.Component) -> Iterator[Server]:
    with Server(component) as server:
        yield server


@pytest.fixture
def server(shared: Server) -> Server:
    files = {"f": Node(b"data"), "d": Node(children={"f": Node(b"more")})}
    shared.application.tree.root.children = files
    return shared


def check(server: Server, case: Case, pieces: list[bytes]) -> None:
    with server.log_in() if case.logged_in else server.connect() as client:
        for piece in pieces:
            client.send(piece)
        replies = [client.reply() for _ in case.codes]
        assert tuple(code for code, _ in replies) == case.codes
        if case.text is not None:
            assert case.text in replies[-1][1][-1]
        check_end(client, case.kept)
    first = 2 if case.logged_in else 0
    reported = reports(server, client, first + len(case.codes))[first:]
    assert [report.reply for report in reported] == list(case.codes)


def reports(server: Server, client: Client, count: int) -> list[wit.Report]:
    """The first reports on the commands of a client."""

    def found() -> list[wit.Report]:
        ids = [opened.id for opened in server.opened if opened.peer.value.port == client.port]
        return [report for report in server.reports if report.connection in ids[-1:]]

    server.until(lambda: len(found()) >= count)
    return found()[:count]


def check_end(client: Client, kept: bool) -> None:
    if kept:
        assert client.code("NOOP") == 200
    else:
        assert client.rest() == b""


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_commands_are_answered_as_their_row_says(server: Server, case: Case) -> None:
    check(server, case, [case.sent])


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_they_are_answered_the_same_byte_by_byte(server: Server, case: Case) -> None:
    if len(case.sent) > 300:
        pytest.skip("long lines are split elsewhere")
    check(server, case, [case.sent[at : at + 1] for at in range(len(case.sent))])


def test_a_report_says_which_command_failed_and_why(server: Server) -> None:
    with server.log_in() as client:
        for command in ("NOOP", "BREW", "noop x", "CWD x", "\u00e4"):
            client.ask(command)
        found = reports(server, client, 7)[2:]
    assert [report.verb for report in found] == ["NOOP", "BREW", "NOOP", "CWD", ""]
    assert [report.failure is None for report in found] == [True, False, False, False, False]
    assert len({report.exchange for report in found}) == 5

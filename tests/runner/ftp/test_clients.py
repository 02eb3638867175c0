"""The component with ftplib's client: each thing that it can do, in both modes."""

from __future__ import annotations

import ftplib
import io
from collections.abc import Iterator

import pytest

from tests.runner.driving import PATIENCE
from tests.runner.ftp.application import PASSWORD
from tests.runner.ftp.driver import Server
from witgen import runtime as rt

LARGE = bytes(range(256)) * 8192


@pytest.fixture(scope="module")
def server(component: rt.Component) -> Iterator[Server]:
    with Server(component) as server:
        yield server


@pytest.fixture(params=["passive", "active"])
def ftp(server: Server, request: pytest.FixtureRequest) -> Iterator[ftplib.FTP]:
    server.application.tree.root.children = {}
    with ftplib.FTP(timeout=PATIENCE) as ftp:
        ftp.connect("127.0.0.1", server.port)
        ftp.login("ada", PASSWORD)
        ftp.set_pasv(request.param == "passive")
        yield ftp


@pytest.mark.parametrize("data", [b"", b"small\r\n\xff", LARGE], ids=["empty", "small", "large"])
def test_a_file_comes_back_as_it_was_stored(ftp: ftplib.FTP, data: bytes) -> None:
    assert ftp.storbinary("STOR a", io.BytesIO(data)).startswith("226")
    found: list[bytes] = []
    assert ftp.retrbinary("RETR a", found.append).startswith("226")
    assert b"".join(found) == data
    assert ftp.size("a") == len(data)


def test_lines_have_the_ends_of_either_side(server: Server, ftp: ftplib.FTP) -> None:
    ftp.storlines("STOR a", io.BytesIO(b"one\ntwo\n"))
    assert server.application.tree.read("/a") == b"one\ntwo\n"
    lines: list[str] = []
    ftp.retrlines("RETR a", lines.append)
    assert lines == ["one", "two"]


def test_directories_are_made_entered_listed_and_removed(ftp: ftplib.FTP) -> None:
    assert ftp.mkd('a "b"') == '/a "b"'
    ftp.cwd('a "b"')
    assert ftp.pwd() == '/a "b"'
    ftp.storbinary("STOR c", io.BytesIO(b"x"))
    assert ftp.nlst() == ["c"]
    assert [(name, facts["type"], facts["size"]) for name, facts in ftp.mlsd()] == [("c", "file", "1")]
    lines: list[str] = []
    ftp.dir(lines.append)
    assert len(lines) == 1 and lines[0].endswith(" c")
    ftp.rename("c", "d")
    ftp.delete("d")
    ftp.cwd("..")
    ftp.rmd('a "b"')
    assert ftp.nlst() == []


def test_quit_ends_it(ftp: ftplib.FTP) -> None:
    assert ftp.quit().startswith("221")

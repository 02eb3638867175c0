"""Any bytes, split anywhere, get the same replies; and whatever comes, the server goes on."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.runner.driving import PATIENCE
from tests.runner.ftp.application import PASSWORD
from tests.runner.ftp.driver import Server
from tests.runner.ftp.tree import Node
from witgen import runtime as rt

LOGIN = f"USER ada\r\nPASS {PASSWORD}\r\n".encode()
#: Commands whose replies have no port in them.
WORDS = [
    *(b"NOOP", b"PWD", b"CWD d", b"CDUP", b"TYPE I", b"TYPE A", b"REST 3", b"RNFR f", b"RNTO f", b"SIZE f", b"MLST f"),
    *(b"STAT", b"FEAT", b"HELP", b"OPTS UTF8 ON", b"ABOR", b"QUIT", b"USER ada", b"PASS secret", b"REIN", b"LIST"),
    *(b"RETR f", b"AUTH TLS", b"EPSV ALL", b"MKD \xc3\xa4", b"CWD \xff\xff", b"\xff\xf4\xff\xf2", b"\xff\xfb\x01"),
    *(b"\xff\xfa\xff\xf0", b"x" * 600),
]
ENDS = [b"\r\n", b"\n", b"\r", b"\r\0", b" ", b""]
TEXT = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(ENDS)), max_size=12).map(
    lambda pairs: b"".join(word + end for word, end in pairs)
)
BYTES = st.one_of(TEXT, st.binary(max_size=200), st.tuples(TEXT, st.binary(max_size=50), TEXT).map(b"".join))


@pytest.fixture(scope="module")
def server(component: rt.Component) -> Iterator[Server]:
    with Server(component) as server:
        yield server


def replies(server: Server, pieces: list[bytes]) -> bytes:
    """What comes back to somebody who logs in, sends something and ends his side."""
    server.application.tree.root.children = {"f": Node(b"data"), "d": Node(children={})}
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(LOGIN)
        try:
            for piece in pieces:
                sock.sendall(piece)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            # After QUIT the server does not hear everything out.
            pass
        found = b""
        while data := sock.recv(65536):
            found += data
        return found


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=BYTES, cuts=st.lists(st.integers(0, 400), max_size=6))
def test_it_makes_no_difference_where_bytes_are_split(server: Server, data: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(edges)]
    whole = replies(server, [data])
    assert whole.startswith(b"220 ") and b"\r\n230 " in whole
    assert replies(server, pieces) == whole


def test_each_command_that_help_names_has_a_row(server: Server) -> None:
    from tests.runner.ftp.cases import CASES

    with server.connect() as client:
        names = " ".join(client.ask("HELP")[1][1:-1]).split()
    sent = b"\n".join(case.sent for case in CASES).upper()
    assert [name for name in names if name.encode() not in sent] == []

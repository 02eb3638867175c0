"""Transfers: data connections of both sorts, both types, ABOR and STAT meanwhile, and clients that go away."""

from __future__ import annotations

import contextlib
import ftplib
import io
import socket
from collections.abc import Iterator

import pytest
import runner.bindings.ftp_component as wit
from runner.host import Outlet

from tests.runner.driving import PATIENCE
from tests.runner.ftp.application import PASSWORD, Application
from tests.runner.ftp.driver import Client, Server, read_all
from tests.runner.ftp.tree import Node
from witgen import runtime as rt

LARGE = bytes(range(251)) * 40_000
Kind = wit.TypesErrorKind


@pytest.fixture(scope="module")
def shared(component: rt.Component) -> Iterator[Server]:
    with Server(component) as server:
        yield server


@pytest.fixture
def server(shared: Server) -> Server:
    files = {"small": Node(b"one\ntwo\r\nthree\r\n\n"), "large": Node(LARGE), "d": Node(children={"f": Node(b"more")})}
    shared.application.tree.root.children = files
    return shared


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with server.log_in() as client:
        assert client.code("TYPE I") == 200
        yield client


def fetch(client: Client, command: str) -> bytes:
    """What a command sends, which is answered with 226."""
    data = client.passive()
    assert client.code(command) in (125, 150)
    found = read_all(data)
    assert client.reply()[0] == 226
    return found


def store(client: Client, command: str, content: bytes) -> list[str]:
    """Stores something; gives the text of the preliminary reply."""
    data = client.passive()
    code, lines = client.ask(command)
    assert code in (125, 150)
    with data:
        data.sendall(content)
    assert client.reply()[0] == 226
    return lines


@pytest.mark.parametrize("says_length", [True, False])
def test_a_stream_goes_out_whether_its_length_is_known_or_not(
    client: Client, server: Server, says_length: bool
) -> None:
    server.application.says_length = says_length
    assert fetch(client, "RETR large") == LARGE


@pytest.mark.parametrize("content", [b"", b"x", LARGE], ids=["empty", "a byte", "large"])
def test_a_file_comes_in_as_it_is(client: Client, server: Server, content: bytes) -> None:
    store(client, "STOR new", content)
    assert server.application.tree.read("/new") == content


def test_a_transfer_reports_its_bytes(client: Client, server: Server) -> None:
    fetch(client, "RETR large")
    client.ask("NOOP")
    server.until(lambda: server.reports[-1].verb == "NOOP")
    report = next(report for report in reversed(server.reports) if report.verb == "RETR")
    assert (report.transferred, report.reply, report.failure) == (len(LARGE), 226, None)
    assert server.transfers[-1].outcome == rt.Ok(len(LARGE))


def test_type_a_converts_ends_of_lines_in_both_directions(client: Client, server: Server) -> None:
    client.ask("TYPE A")
    assert fetch(client, "RETR small") == b"one\r\ntwo\r\nthree\r\n\r\n"
    store(client, "STOR new", b"a\r\nb\rc\n\r\r\n\r")
    assert server.application.tree.read("/new") == b"a\nb\rc\n\r\n\r"
    assert server.transfers[-1].outcome == rt.Ok(9)


def test_type_a_converts_across_the_borders_of_buffers(client: Client, server: Server) -> None:
    lines = b"".join(b"x" * (number % 7) + b"\n" for number in range(100_000))
    server.application.tree.write("/lines", lines)
    client.ask("TYPE A")
    assert fetch(client, "RETR lines") == lines.replace(b"\n", b"\r\n")
    store(client, "STOR new", lines.replace(b"\n", b"\r\n"))
    assert server.application.tree.read("/new") == lines


def test_rest_leaves_out_what_is_there_already(client: Client, server: Server) -> None:
    assert client.code("REST 9000000") == 350
    assert fetch(client, "RETR large") == LARGE[9_000_000:]
    assert fetch(client, "RETR small") == server.application.tree.read("/small")
    assert client.code("REST 4") == 350
    store(client, "STOR small", b"TWO")
    assert server.application.tree.read("/small") == b"one\nTWO"


def test_appe_puts_data_behind_those_that_are_there(client: Client, server: Server) -> None:
    store(client, "APPE small", b"four")
    store(client, "APPE new", b"one")
    assert server.application.tree.read("/small").endswith(b"\nfour")
    assert server.application.tree.read("/new") == b"one"


def test_stou_says_the_name_that_it_has_found(client: Client, server: Server) -> None:
    assert store(client, "STOU small", b"x") == ["FILE: small.1"]
    assert store(client, "STOU", b"y") == ["FILE: unnamed"]
    assert server.application.tree.read("/small.1") == b"x"


def test_listings_have_the_form_of_their_command(client: Client, server: Server) -> None:
    names = fetch(client, "NLST").decode().split("\r\n")
    assert names == ["d", "large", "small", ""]
    lines = fetch(client, "LIST -la").decode().split("\r\n")
    assert [line[0] for line in lines[:-1]] == ["d", "-", "-"]
    assert lines[1] == "-rw-r--r-- 1 ada      users        10040000 Nov 06  1994 large"
    client.ask("OPTS MLST type;size;")
    assert fetch(client, "MLSD d") == b"type=file;size=4; f\r\n"


def test_a_directory_may_be_large(client: Client, server: Server) -> None:
    children = {f"file {number:06}": Node(b"") for number in range(20_000)}
    server.application.tree.top["many"] = Node(children=children)
    assert fetch(client, "NLST many").decode().split("\r\n")[:-1] == list(children)


def test_names_that_would_break_a_line_are_not_listed(client: Client, server: Server) -> None:
    server.application.tree.top["d"] = Node(children={"a\nb": Node(), "c\rd": Node(), "e": Node()})
    assert fetch(client, "NLST d") == b"e\r\n"
    assert client.ask("STAT d")[1][1:-1] == [line for line in client.ask("STAT d")[1][1:-1] if line.endswith(" e")]


def test_active_mode_connects_to_the_client(client: Client, server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert client.code(f"EPRT |1|127.0.0.1|{port}|") == 200
        assert client.code("RETR large") == 150
        data, peer = listener.accept()
        assert peer[0] == "127.0.0.1"
        assert read_all(data) == LARGE
        assert client.reply()[0] == 226


def test_a_client_that_can_not_be_reached_is_told_425(client: Client, server: Server) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client.ask(f"EPRT |1|127.0.0.1|{port}|")
    assert [client.code("RETR large"), client.reply()[0]] == [150, 425]
    client.ask(f"EPRT |1|127.0.0.1|{port}|")
    assert [client.code("STOR new"), client.reply()[0]] == [150, 425]
    assert server.failed_transfer().kind is Kind.TRANSIENT


def test_data_connections_of_others_are_turned_away(client: Client) -> None:
    port = int(client.ask("EPSV")[1][0].split("|")[3])
    for _ in range(3):
        stranger = socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=("127.0.0.9", 0))
        assert read_all(stranger) == b""
    data = socket.create_connection(("127.0.0.1", port), PATIENCE)
    assert client.code("RETR small") in (125, 150)
    assert read_all(data).startswith(b"one")
    assert client.reply()[0] == 226


def test_a_data_connection_serves_once(client: Client) -> None:
    fetch(client, "RETR small")
    assert client.code("RETR small") == 425


def test_another_pasv_closes_the_port_of_the_first(client: Client) -> None:
    first = client.passive()
    second = client.passive()
    assert client.code("RETR small") in (125, 150)
    # One that was not accepted yet ends with a reset.
    with contextlib.suppress(ConnectionResetError):
        assert read_all(first) == b""
    assert read_all(second) != b""
    assert client.reply()[0] == 226


def test_a_port_that_is_taken_is_passed_over(component: rt.Component) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Server(component, passive=wit.PassivePorts(port, port, None)) as server, server.log_in() as client:
            assert [client.code("EPSV"), client.code("PASV")] == [425, 425]
            assert len(server.logged) == 1
            taken.close()
            assert client.code("EPSV") == 229


def test_pasv_says_the_address_by_which_clients_reach_the_host(component: rt.Component) -> None:
    ports = wit.PassivePorts(30_000, 39_999, (192, 0, 2, 7))
    with Server(component, passive=ports) as server, server.log_in() as client:
        assert "(192,0,2,7," in client.ask("PASV")[1][0]


def test_what_is_not_allowed_is_not_offered(component: rt.Component) -> None:
    with Server(component, passive=None, active=False) as server, server.log_in() as client:
        codes = [client.code(line) for line in ("PASV", "EPSV", "PORT 127,0,0,1,4,1", "EPRT |1|127.0.0.1|1025|")]
        assert codes == [502] * 4
        assert not {" EPSV", " EPRT"} & set(client.ask("FEAT")[1])


def test_ipv6_has_epsv_and_eprt(component: rt.Component) -> None:
    with Server(component, host="::1") as server, ftplib.FTP(timeout=PATIENCE) as ftp:
        ftp.connect("::1", server.port)
        ftp.login("ada", PASSWORD)
        for passive in (True, False):
            ftp.set_pasv(passive)
            ftp.storbinary("STOR f", io.BytesIO(LARGE))
            assert server.application.tree.read("/f") == LARGE
        with pytest.raises(ftplib.error_temp, match="425"):
            ftp.sendcmd("PASV")
        with pytest.raises(ftplib.error_perm, match="522"):
            ftp.sendcmd("EPSV 1")
        with pytest.raises(ftplib.error_perm, match="522"):
            ftp.sendcmd("EPRT |1|127.0.0.1|1025|")


ABORTS = [b"ABOR\r\n", b"\xff\xf4\xff\xf2ABOR\r\n", b"NOOP\r\nABOR\r\n"]


@pytest.mark.parametrize("abort", ABORTS, ids=["plain", "with Telnet's signals", "behind another command"])
def test_abor_ends_a_transfer_that_is_under_way(client: Client, server: Server, abort: bytes) -> None:
    data = client.passive()
    assert client.code("STOR new") in (125, 150)
    data.sendall(b"x" * 1000)
    client.send(abort)
    codes = [client.reply()[0] for _ in range(1 + abort.count(b"\n"))]
    assert codes == [426, *[200] * (abort.count(b"\n") - 1), 226]
    assert read_all(data) == b""
    assert server.failed_transfer().kind is Kind.CANCELLED
    assert "new" not in server.application.tree.top
    assert fetch(client, "RETR small") != b""


def test_ftplib_aborts_with_urgent_data(server: Server) -> None:
    with ftplib.FTP(timeout=PATIENCE) as ftp:
        ftp.connect("127.0.0.1", server.port)
        ftp.login("ada", PASSWORD)
        data = ftp.transfercmd("RETR large")
        assert ftp.abort()[:3] in ("426", "225", "226")
        data.close()
        assert ftp.getresp()[:3] == "226"
        assert ftp.pwd() == "/"


def test_abor_ends_a_transfer_whose_data_connection_was_not_made(client: Client) -> None:
    client.ask("EPSV")
    assert client.code("RETR large") == 150
    client.send(b"ABOR\r\n")
    assert [client.reply()[0], client.reply()[0]] == [426, 226]


def test_stat_says_how_far_a_transfer_is(client: Client) -> None:
    with client.passive() as data:
        assert client.code("STOR new") in (125, 150)
        data.sendall(b"x" * 1000)
        code, lines = client.ask("STAT")
        assert code == 211
        assert any(line.startswith(" Transfer under way: ") for line in lines)
    assert client.reply()[0] == 226


def test_commands_that_come_during_a_transfer_wait_for_its_end(client: Client, server: Server) -> None:
    data = client.passive()
    assert client.code("STOR new") in (125, 150)
    client.send(b"NOOP\r\nSIZE new\r\nQUIT\r\n")
    with data:
        data.sendall(LARGE)
    assert [client.reply() for _ in range(3)][1:] == [(200, ["Fine."]), (213, [str(len(LARGE))])]
    assert client.reply()[0] == 221
    assert client.rest() == b""


def test_a_client_that_closes_the_control_connection_ends_its_transfer(server: Server) -> None:
    with server.log_in() as client, client.passive() as data:
        assert client.code("STOR new") in (125, 150)
        data.sendall(b"x")
        before = len(server.closed)
        client.sock.close()
        server.until(lambda: len(server.closed) > before)
        assert data.recv(1) == b""
    assert server.failed_transfer().kind is Kind.CLOSED
    assert server.failed_connection().kind is Kind.CLOSED
    assert "new" not in server.application.tree.top


def test_a_client_that_resets_the_data_connection_is_told_426(client: Client, server: Server) -> None:
    for command in ("STOR new", "RETR large"):
        data = client.passive()
        assert client.code(command) in (125, 150)
        data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        data.close()
        assert client.reply()[0] == 426
        assert server.failed_transfer().kind is Kind.CLOSED


class Sources(Application):
    """Sends what a test says."""

    def __init__(self, outgoing: wit.OutgoingData) -> None:
        super().__init__()
        self.tree.write("/f", b"")
        self._outgoing = outgoing

    def outgoing(self, data: bytes) -> wit.OutgoingData:
        return self._outgoing


def outlet(data: bytes, reason: str | None = None) -> Outlet:
    """A source that ends, or fails."""
    source = Outlet()
    source.feed(data)
    source.finish() if reason is None else source.abort(reason)
    return source


@pytest.mark.parametrize("type_", ["A", "I"])
@pytest.mark.parametrize(
    ("length", "reason", "message"),
    [(3, None, "longer"), (1000, None, "shorter"), (None, "the disk is gone", "failed"), (1000, "gone", "failed")],
)
def test_a_source_that_does_not_keep_its_word_fails_the_transfer(
    component: rt.Component, type_: str, length: int | None, reason: str | None, message: str
) -> None:
    source = wit.OutgoingData_Streamed(wit.Source(outlet(b"data", reason), length))
    with Server(component, Sources(source)) as server, server.log_in() as client:
        client.ask(f"TYPE {type_}")
        data = client.passive()
        assert client.code("RETR f") in (125, 150)
        read_all(data)
        assert client.reply()[0] == 451
        assert message in server.failed_transfer().message


def test_a_sink_that_goes_no_further_fails_the_transfer(client: Client, server: Server) -> None:
    data = client.passive()
    assert client.code("STOR new") in (125, 150)
    upload = next(iter(server.application.uploads.values()))
    server.ask(upload.inlet.shut)
    data.sendall(b"x" * 100_000)
    assert client.reply()[0] == 451
    data.close()


def test_inline_data_have_a_limit(component: rt.Component) -> None:
    data = wit.OutgoingData_Inline(b"x" * 101)
    with (
        pytest.raises(wit.TypesErrorException, match="too long to be inline"),
        Server(component, Sources(data), limits={"inline_data": 100}) as server,
        server.log_in() as client,
    ):
        client.passive()
        client.send(b"RETR f\r\n")
        server.until(lambda: False)

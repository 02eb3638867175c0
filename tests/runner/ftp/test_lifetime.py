"""Sessions and connections: limits, time-outs, stopping, and hosts that do not answer as they should."""

from __future__ import annotations

import socket
import time
from typing import Any

import pytest
import runner.bindings.ftp_component as wit
from runner.host import Inlet, Outlet

from tests.runner.driving import PATIENCE
from tests.runner.ftp.application import ACCEPTED, Application
from tests.runner.ftp.driver import SECOND, Client, Server, imports, provider, read_all
from witgen import runtime as rt

Kind = wit.TypesErrorKind
Reason = wit.RefusalReason
SOON = SECOND // 5


# Limits


def test_more_connections_than_may_be_are_turned_away(component: rt.Component) -> None:
    with Server(component, limits={"connections": 2}) as server:
        with server.connect(), server.connect():
            assert turned_away(server) == b"421 There are too many connections.\r\n"
            assert server.ask(server.session.status).connections == 2
        server.until(lambda: len(server.closed) == 2)
        with server.connect() as client:
            assert client.code("NOOP") == 200
        assert len(server.opened) == 3


def test_one_client_does_not_get_all_of_them(component: rt.Component) -> None:
    with Server(component, limits={"connections_per_peer": 1}) as server, server.connect():
        assert turned_away(server).startswith(b"421 ")
        other = socket.create_connection(("127.0.0.1", server.port), PATIENCE, source_address=("127.0.0.9", 0))
        with other:
            assert other.recv(3) == b"220"


def turned_away(server: Server) -> bytes:
    return read_all(socket.create_connection(("127.0.0.1", server.port), PATIENCE))


def test_connections_wait_while_the_host_has_no_sockets(component: rt.Component) -> None:
    with Server(component, grants={"max_sockets": 3}) as server:
        first = server.connect()
        second = server.connect()
        third = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
        server.until(lambda: server.logged)
        first.sock.close()
        with third, second.sock:
            assert third.recv(3) == b"220"


def test_passive_connections_wait_for_no_sockets(component: rt.Component) -> None:
    with Server(component, grants={"max_sockets": 2}) as server, server.log_in() as client:
        assert client.code("EPSV") == 425
        assert client.code("NOOP") == 200


@pytest.mark.parametrize(
    ("part", "name"),
    [("limits", name) for name in ("connections", "connections_per_peer", "command_line", "login_attempts")]
    + [("limits", name) for name in ("inline_data", "stream_buffer")]
    + [("timeouts", name) for name in ("login", "idle", "data_connection", "transfer", "reply")],
)
def test_no_limit_and_no_time_out_is_0(component: rt.Component, part: str, name: str) -> None:
    with pytest.raises(wit.TypesErrorException) as caught:
        Server(component, **{part: {name: 0}})  # type: ignore[arg-type]
    assert caught.value.value.kind is Kind.INVALID_ARGUMENT


@pytest.mark.parametrize("ports", [(0, 1), (2000, 1999)])
def test_a_range_of_ports_has_ports(component: rt.Component, ports: tuple[int, int]) -> None:
    with pytest.raises(wit.TypesErrorException, match="range of ports"):
        Server(component, passive=wit.PassivePorts(*ports, None))


def test_an_address_may_be_forbidden_or_taken(component: rt.Component) -> None:
    with pytest.raises(wit.TypesErrorException) as caught:
        Server(component, grants={"bind": ["127.0.0.1:1"]})
    assert caught.value.value.kind is Kind.DENIED
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = wit.ServerConfig(
            wit.IpSocketAddress_Ipv4(wit.Ipv4SocketAddress(taken.getsockname()[1], (127, 0, 0, 1))),
            1, [], True, None, wit.TlsPolicy.OFF,
            wit.Limits(1, 1, 1, 1, 1, 1), wit.Timeouts(1, 1, 1, 1, 1),
        )  # fmt: skip
        guest = wit.FtpComponent(component, imports(), providers=[provider()])
        with pytest.raises(wit.TypesErrorException) as caught:
            guest.control.start_server(config)
        assert caught.value.value.kind is Kind.TRANSIENT


def test_a_batch_of_0_is_refused(component: rt.Component) -> None:
    with Server(component) as server, pytest.raises(wit.TypesErrorException, match="batch of 0"):
        server.guest.control.poll_command(server.session, 0)


def test_a_host_that_takes_one_at_a_time_gets_all_in_order(component: rt.Component) -> None:
    with Server(component, batch=1) as server:
        clients = [server.log_in() for _ in range(5)]
        for client in clients:
            with client, client.passive() as data:
                client.code("NLST")
                assert data.recv(1) == b""
                assert client.reply()[0] == 226
        server.until(lambda: len(server.closed) == 5)
        for number in range(1, 6):
            kinds = [name for name, item in server.told if number == connection_of(name, item)]
            assert kinds[0] == "opened" and kinds[-1] == "closed"


def connection_of(name: str, item: Any) -> int | None:
    """The number of the connection that something was told about; none for the end of a transfer."""
    return item.id if name in ("opened", "closed") else getattr(item, "connection", None)


# Time-outs


def test_who_does_not_log_in_in_time_is_sent_away(component: rt.Component) -> None:
    with Server(component, timeouts={"login": SOON}) as server, server.connect() as client:
        assert client.code("USER ada") == 331
        assert client.reply()[0] == 421
        assert client.rest() == b""
        server.until(lambda: server.closed)
        assert server.failed_connection().kind is Kind.TIMEOUT


def test_commands_do_not_prolong_the_time_to_log_in(component: rt.Component) -> None:
    with Server(component, timeouts={"login": SOON}) as server, server.connect() as client:
        codes = [200]
        while codes[-1] == 200:
            codes.append(client.code("NOOP"))
        assert codes[-1] == 421


def test_who_gives_no_command_in_time_is_sent_away(component: rt.Component) -> None:
    with Server(component, timeouts={"idle": SOON}) as server, server.log_in() as client:
        for _ in range(4):
            time.sleep(0.1)
            assert client.code("NOOP") == 200
        client.send(b"NOO")
        assert client.reply()[0] == 421
        assert client.rest() == b""


def test_a_transfer_is_no_idleness(component: rt.Component) -> None:
    with Server(component, timeouts={"idle": SOON}) as server, server.log_in() as client:
        with client.passive() as data:
            client.ask("STOR f")
            for _ in range(5):
                data.sendall(b"x")
                time.sleep(0.1)
        assert client.reply()[0] == 226


@pytest.mark.parametrize("way", ["EPSV", "EPRT"])
def test_a_data_connection_is_made_in_time(component: rt.Component, way: str) -> None:
    with Server(component, timeouts={"data_connection": SOON}) as server, server.log_in() as client:
        with socket.socket() as deaf:
            # Its queue is full: further connections are not answered.
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(0)
            fillers = [fill(deaf.getsockname()) for _ in range(2)] if way == "EPRT" else []
            client.ask(way if way == "EPSV" else f"EPRT |1|127.0.0.1|{deaf.getsockname()[1]}|")
            assert client.code("STOR f") == 150
            assert client.reply()[0] == 425
            for filler in fillers:
                filler.close()
        assert server.failed_transfer().kind is Kind.TIMEOUT
        assert client.code("NOOP") == 200


def fill(address: Any) -> socket.socket:
    sock = socket.socket()
    sock.setblocking(False)
    sock.connect_ex(address)
    return sock


def test_a_client_that_sends_nothing_more_is_told_426(component: rt.Component) -> None:
    with Server(component, timeouts={"transfer": SOON}) as server, server.log_in() as client:
        with client.passive() as data:
            client.ask("STOR f")
            data.sendall(b"x")
            assert client.reply()[0] == 426
        assert server.failed_transfer().kind is Kind.TIMEOUT


def test_a_client_that_takes_nothing_more_is_told_426(component: rt.Component) -> None:
    with Server(component, timeouts={"transfer": SOON}) as server, server.log_in() as client:
        server.application.tree.write("/f", bytes(16 << 20))
        with client.passive() as data:
            client.ask("RETR f")
            assert client.reply()[0] == 426
            data.settimeout(PATIENCE)
        assert server.failed_transfer().kind is Kind.TIMEOUT


class Slow(Application):
    """Has its data when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.tree.write("/f", b"")
        self.outlet = Outlet()

    def outgoing(self, data: bytes) -> wit.OutgoingData:
        return wit.OutgoingData_Streamed(wit.Source(self.outlet, None))


def test_a_client_does_not_pay_for_a_slow_host(component: rt.Component) -> None:
    application = Slow()
    with Server(component, application, timeouts={"transfer": SOON, "idle": SOON}) as server, server.log_in() as client:
        with client.passive() as data:
            client.ask("RETR f")
            time.sleep(0.5)
            application.outlet.feed(b"late")
            application.outlet.finish()
            assert data.recv(10) == b"late"
        assert client.reply()[0] == 226


def test_a_client_that_takes_no_replies_is_cut_off(component: rt.Component) -> None:
    with Server(component, timeouts={"reply": SOON}) as server:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(("127.0.0.1", server.port))
        sock.settimeout(PATIENCE)
        with sock, pytest.raises(OSError):
            while True:
                sock.sendall(b"HELP\r\n" * 1000)
        server.until(lambda: server.closed)
        assert server.failed_connection().kind is Kind.TIMEOUT


# Stopping


def test_stopping_closes_idle_connections_with_421(component: rt.Component) -> None:
    with Server(component) as server, server.log_in() as client, server.connect() as stranger:
        server.call(lambda: server.guest.control.stop_server(server.session, 60 * SECOND))
        assert [client.reply()[0], stranger.reply()[0]] == [421, 421]
        assert client.rest() == b""
        client.sock.close()
        stranger.sock.close()
        server.until(lambda: len(server.closed) == 2)
        assert [end.failure for end in server.closed] == [None, None]
        status = server.ask(server.session.status)
        assert (status.connections, status.stopping) == (0, True)
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", server.port), PATIENCE)


def test_stopping_waits_for_a_transfer(component: rt.Component) -> None:
    with Server(component) as server, server.log_in() as client:
        data = client.passive()
        client.ask("STOR f")
        server.ask(lambda: server.guest.control.stop_server(server.session, 60 * SECOND))
        with data:
            data.sendall(b"all of it")
        assert [client.reply()[0], client.reply()[0]] == [226, 421]
        assert server.application.tree.read("/f") == b"all of it"


def test_grace_has_an_end(component: rt.Component) -> None:
    with Server(component) as server, server.log_in() as client, client.passive() as data:
        client.ask("STOR f")
        server.call(lambda: server.guest.control.stop_server(server.session, 60 * SECOND))
        server.call(lambda: server.guest.control.stop_server(server.session, SOON))
        assert client.rest() == b""
        assert data.recv(1) == b""
        server.until(lambda: server.closed)
        assert server.failed_transfer().kind is Kind.CANCELLED
        assert server.failed_connection().kind is Kind.CANCELLED


def test_dropping_the_session_closes_everything(component: rt.Component) -> None:
    server = Server(component)
    with server:
        client = server.log_in()
        data = client.passive()
        client.ask("STOR f")
    assert client.rest() == b""
    assert read_all(data) == b""
    client.sock.close()


# Hosts


class Answering(Application):
    """Answers DELE and RETR as a test says; the password is taken."""

    def __init__(self, answer: wit.Response | None) -> None:
        super().__init__()
        self.answer = answer
        self.kept: list[Any] = []
        self.tree.write("/f", b"data")

    def act(self, server: Server, command: wit.Command) -> wit.Response | None:
        match command.action:
            case wit.Action_Delete() if self.answer is None:
                command.exchange.close()
                return None
            case wit.Action_Delete():
                return self.answer
            case wit.Action_Retrieve(retrieval) if self.answer is None:
                retrieval.data.close()
                command.exchange.close()
                return None
            case wit.Action_Retrieve():
                return self.answer
        return super().act(server, command)


REFUSALS = {
    Reason.CREDENTIALS: 530,
    Reason.NOT_FOUND: 550,
    Reason.FORBIDDEN: 550,
    Reason.ALREADY_EXISTS: 550,
    Reason.NOT_EMPTY: 550,
    Reason.WRONG_KIND: 550,
    Reason.BAD_NAME: 553,
    Reason.BUSY: 450,
    Reason.NO_SPACE: 452,
    Reason.QUOTA: 552,
    Reason.UNSUPPORTED: 504,
    Reason.STORAGE: 451,
    Reason.TRANSFER: 451,
}


@pytest.mark.parametrize("reason", REFUSALS, ids=[reason.name for reason in REFUSALS])
@pytest.mark.parametrize("message", ["", "a text\r\nof two lines"])
def test_each_reason_has_its_code(component: rt.Component, reason: wit.RefusalReason, message: str) -> None:
    refused = wit.Response_Refused(wit.Refusal(reason, message))
    with Server(component, Answering(refused)) as server, server.log_in() as client:
        code, lines = client.ask("DELE f")
        assert code == REFUSALS[reason]
        assert lines == ["a text  of two lines"] if message else lines[0]
        client.ask("EPSV")
        assert client.code("RETR f") == REFUSALS[reason]
        assert client.code("NOOP") == 200


def test_closing_ends_the_connection(component: rt.Component) -> None:
    refused = wit.Response_Refused(wit.Refusal(Reason.CLOSING, "Until tomorrow."))
    with Server(component, Answering(refused)) as server, server.log_in() as client:
        assert client.ask("DELE f") == (421, ["Until tomorrow."])
        assert client.rest() == b""
        client.sock.close()
        server.until(lambda: server.closed)
        assert server.failed_connection().kind is Kind.CANCELLED


def test_the_lines_of_an_answer_are_those_of_the_reply(component: rt.Component) -> None:
    lines = ["550 one", "two", "three"]
    with Server(component, Answering(wit.Response_Accepted(lines))) as server, server.log_in() as client:
        assert client.ask("DELE f") == (250, ["550 one", " two", "three"])


def test_a_command_that_is_dropped_is_answered_with_451(component: rt.Component) -> None:
    with Server(component, Answering(None)) as server, server.log_in() as client:
        assert client.code("DELE f") == 451
        client.ask("EPSV")
        assert client.code("RETR f") == 451
        assert client.code("RETR f") == 425


def test_an_answer_that_does_not_fit_is_451_for_the_client(component: rt.Component) -> None:
    for command, answer in (("DELE f", wit.Response_Size(1)), ("RETR f", ACCEPTED)):
        with (
            pytest.raises(wit.TypesErrorException) as caught,
            Server(component, Answering(answer)) as server,
            server.log_in() as client,
        ):
            client.ask("EPSV")
            client.send(f"{command}\r\n".encode())
            server.until(lambda: False)
        assert caught.value.value.kind is Kind.INVALID_ARGUMENT


class WrongWay(Application):
    """Receives for RETR, and sends for STOR."""

    def __init__(self) -> None:
        super().__init__()
        self.errors: list[wit.TypesError] = []

    def act(self, server: Server, command: wit.Command) -> wit.Response | None:
        plane = server.guest.data_plane
        try:
            match command.action:
                case wit.Action_Retrieve(retrieval):
                    plane.recv_data(retrieval.data, Inlet(), None)
                case wit.Action_Store(storing):
                    plane.send_data(storing.data, wit.OutgoingData_Inline(b""))
                case _:
                    return super().act(server, command)
        except wit.TypesErrorException as error:
            self.errors.append(error.value)
        return wit.Response_Refused(wit.Refusal(Reason.STORAGE, ""))


def test_data_go_the_way_of_their_command(component: rt.Component) -> None:
    application = WrongWay()
    with Server(component, application) as server, server.log_in() as client:
        for command in ("RETR f", "STOR f"):
            client.ask("EPSV")
            assert client.code(command) == 451
    assert [error.kind for error in application.errors] == [Kind.INVALID_ARGUMENT] * 2


class Silent(Application):
    """Keeps what it is asked, all but logins."""

    def act(self, server: Server, command: wit.Command) -> wit.Response | None:
        return super().act(server, command) if isinstance(command.action, wit.Action_Login) else None


def test_a_client_that_goes_while_the_host_thinks_is_noticed(component: rt.Component) -> None:
    with Server(component, Silent()) as server:
        client = server.log_in()
        client.send(b"DELE f\r\n")
        server.until(lambda: len(server.commands) == 2)
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.sock.close()
        server.until(lambda: server.closed)
        assert server.reports[-1].reply is None
        assert server.reports[-1].failure is not None
        assert server.ask(lambda: refusal(server, server.commands[-1].exchange)) is Kind.CLOSED


def refusal(server: Server, exchange: wit.Exchange) -> wit.TypesErrorKind | None:
    """How an answer fails, if it does."""
    try:
        server.guest.control.send_response(exchange, ACCEPTED)
    except wit.TypesErrorException as error:
        return error.value.kind
    return None


def test_a_command_is_answered_though_the_client_has_ended_its_side(component: rt.Component) -> None:
    with Server(component) as server, server.log_in() as client:
        client.send(b"NOOP\r\nPWD\r\n")
        client.sock.shutdown(socket.SHUT_WR)
        assert [client.reply()[0], client.reply()[0]] == [200, 257]
        assert client.rest() == b""
        server.until(lambda: server.closed)
        assert server.closed[0].failure is None


def test_the_greeting_is_the_hosts(component: rt.Component) -> None:
    with (
        Server(component, greeting=["One", "220 two"]) as server,
        socket.create_connection(("127.0.0.1", server.port), PATIENCE) as sock,
    ):
        assert Client(sock).reply() == (220, ["One", "220 two"])


def test_many_sessions_leave_nothing_behind(component: rt.Component) -> None:
    with Server(component, grants={"max_sockets": 8}) as server:
        for _ in range(300):
            with server.log_in() as client:
                data = client.passive()
                client.ask("NLST")
                assert read_all(data) == b""
                assert client.reply()[0] == 226
        server.until(lambda: len(server.closed) == 300)
        assert server.ask(server.session.status) == wit.SessionStatus(0, 0, False)

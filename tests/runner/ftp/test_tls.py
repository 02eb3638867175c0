"""TLS on control and data connections (RFC 4217), with ftplib's client and without."""

from __future__ import annotations

import ftplib
import io
import socket
import ssl
from collections.abc import Iterator

import pytest
import runner.bindings.ftp_component as wit
from runner.host import Tls

from tests.runner.driving import PATIENCE
from tests.runner.ftp.application import PASSWORD
from tests.runner.ftp.driver import Client, Server, client_context
from witgen import runtime as rt

LARGE = bytes(range(256)) * 8192
Policy = wit.TlsPolicy


@pytest.fixture(scope="module")
def server(component: rt.Component) -> Iterator[Server]:
    with Server(component, tls=Policy.OFFERED) as server:
        yield server


def session(server: Server) -> ftplib.FTP_TLS:
    """A client that has begun TLS and is logged in."""
    ftp = ftplib.FTP_TLS(context=client_context(), timeout=PATIENCE)
    ftp.connect("127.0.0.1", server.port)
    # The certificate is that of a name.
    ftp.host = "localhost"
    ftp.auth()
    ftp.login("ada", PASSWORD)
    return ftp


@pytest.mark.parametrize("passive", [True, False])
@pytest.mark.parametrize("type_", ["I", "A"])
def test_files_go_both_ways_in_tls(server: Server, passive: bool, type_: str) -> None:
    with session(server) as ftp:
        ftp.prot_p()
        ftp.set_pasv(passive)
        if type_ == "I":
            ftp.storbinary("STOR f", io.BytesIO(LARGE))
            found: list[bytes] = []
            ftp.retrbinary("RETR f", found.append)
            assert b"".join(found) == server.application.tree.read("/f") == LARGE
        else:
            ftp.storlines("STOR f", io.BytesIO(b"one\ntwo\n"))
            lines: list[str] = []
            ftp.retrlines("RETR f", lines.append)
            assert lines == ["one", "two"]
        assert ftp.nlst() == ["f"]
    assert server.application.logins[-1].secure


def test_prot_c_has_data_in_the_clear(server: Server) -> None:
    with session(server) as ftp:
        ftp.prot_p()
        ftp.prot_c()
        ftp.storbinary("STOR f", io.BytesIO(b"x"))
        assert server.application.tree.read("/f") == b"x"


def test_what_tls_does_not_have_is_refused(server: Server) -> None:
    with session(server) as ftp:
        codes = {
            "AUTH TLS": 503,
            "PROT P": 503,
            "PBSZ x": 501,
            "PBSZ 0": 200,
            "PROT S": 536,
            "PROT E": 536,
            "PROT X": 504,
        }
        codes |= {"CCC": 534, "ADAT x": 503, "MIC x": 537, "CONF x": 537, "ENC x": 537, "PROT P": 200}
        for command in (
            "AUTH TLS",
            "PBSZ x",
            "PBSZ 0",
            "PROT S",
            "PROT E",
            "PROT X",
            "CCC",
            "MIC x",
            "ENC x",
            "PROT P",
        ):
            assert code(ftp, command) == codes[command], command


def code(ftp: ftplib.FTP, command: str) -> int:
    try:
        return int(ftp.sendcmd(command)[:3])
    except ftplib.Error as error:
        return int(str(error)[:3])


def test_only_tls_is_a_mechanism(server: Server) -> None:
    with server.connect() as client:
        assert [client.code("AUTH KERBEROS_V4"), client.code("AUTH SSL"), client.code("AUTH tls-c")] == [504, 504, 234]


def test_auth_logs_out_who_was_logged_in(server: Server) -> None:
    with server.log_in() as client:
        secured = secure(client)
        assert secured.code("PWD") == 530
        assert secured.code("PASS secret") == 503
        assert secured.code("USER ada") == 331


def secure(client: Client, behind: bytes = b"") -> Client:
    """Begins TLS on a connection; `behind` is sent in the clear in the same packet as AUTH."""
    client.send(b"AUTH TLS\r\n" + behind)
    assert client.reply()[0] == 234
    return Client(client_context().wrap_socket(client.sock, server_hostname="localhost"))


def test_commands_in_the_clear_behind_auth_are_thrown_away(server: Server) -> None:
    with server.connect() as client:
        secured = secure(client, b"USER mallory\r\nPASS secret\r\nDELE f\r\n")
        assert secured.code("PASS x") == 503
        assert secured.ask("STAT")[1][1] == " Not logged in"


@pytest.mark.parametrize("policy", [Policy.LOGIN, Policy.EVERYTHING])
def test_nobody_logs_in_without_tls_where_it_is_wanted(component: rt.Component, policy: wit.TlsPolicy) -> None:
    with Server(component, tls=policy) as server:
        with server.connect() as client:
            assert [client.code("USER ada"), client.code(f"PASS {PASSWORD}")] == [530, 503]
            assert "AUTH TLS" in " ".join(client.ask("FEAT")[1])
        with session(server) as ftp:
            assert ftp.pwd() == "/"


def test_data_need_tls_where_everything_does(component: rt.Component) -> None:
    with Server(component, tls=Policy.EVERYTHING) as server, session(server) as ftp:
        ftp.sendcmd("EPSV")
        assert [code(ftp, line) for line in ("RETR f", "STOR f", "LIST")] == [521] * 3
        ftp.prot_p()
        assert code(ftp, "PROT C") == 534
        ftp.storbinary("STOR f", io.BytesIO(LARGE))
        assert server.application.tree.read("/f") == LARGE


def test_a_client_that_does_not_begin_tls_is_let_go(server: Server) -> None:
    with server.connect() as client:
        client.ask("AUTH TLS")
        client.send(b"this is no handshake\r\n")
        client.rest()
        number = next(opened.id for opened in server.opened if opened.peer.value.port == client.port)
        server.until(lambda: number in [end.id for end in server.closed])


def test_a_data_connection_without_its_tls_is_told_425(server: Server) -> None:
    with session(server) as ftp:
        ftp.prot_p()
        host, port = ftp.makepasv()
        ftp.putcmd("STOR g")
        with socket.create_connection((host, port), PATIENCE) as data:
            data.sendall(b"this is no handshake" * 10)
            assert ftp.getresp().startswith(("125", "150"))
            with pytest.raises(ftplib.error_temp, match="425"):
                ftp.getresp()
        assert ftp.pwd() == "/"


def test_data_that_end_without_the_end_of_tls_are_not_taken_for_all(server: Server) -> None:
    with session(server) as ftp:
        ftp.prot_p()
        data = ftp.transfercmd("STOR cut")
        assert isinstance(data, ssl.SSLSocket)
        data.sendall(b"a part")
        plain = data.detach()
        socket.socket(fileno=plain).close()
        with pytest.raises(ftplib.error_temp, match="426"):
            ftp.voidresp()
    assert "cut" not in server.application.tree.top


def test_without_a_certificate_the_connection_is_closed(component: rt.Component) -> None:
    with Server(component, tls=Policy.OFFERED, certificate=Tls()) as server:
        for _ in range(2):
            with server.connect() as client:
                assert client.code("AUTH TLS") == 234
                assert client.rest() == b""
        server.until(lambda: len(server.closed) == 2)
        assert server.failed_connection().kind is wit.TypesErrorKind.DENIED
        assert len(server.logged) == 1

"""Data connections that do not come, break, stand still or are given up; and what becomes of the files then."""

from __future__ import annotations

import contextlib
import ftplib
import io
import os
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from runner.accounts import Account
from runner.accounts.accounts import hash_password
from runner.ftp.config import FtpTimeouts

from tests.runner.ftp_fallback.serving import CERTIFICATE, Raw, Server

Serve = Callable[..., Server]


@pytest.fixture
def raw() -> Iterator[Callable[..., Raw]]:
    """Opens control connections."""
    found: list[Raw] = []

    def connect(*args: object) -> Raw:
        found.append(Raw(*args))  # type: ignore[arg-type]
        return found[-1]

    yield connect
    for item in found:
        item.close()


def quota(server: Server, count: int) -> None:
    """Lets alice have so many bytes."""
    server.accounts._accounts = {"alice": Account("alice", hash_password("secret"), quota=count)}


def secured(server: Server) -> ftplib.FTP_TLS:
    """A client with TLS on all connections."""
    client = ftplib.FTP_TLS(timeout=30, context=ssl.create_default_context(cafile=CERTIFICATE))
    client.connect("localhost", server.sockets[0].getsockname()[1])
    client.login("alice", "secret")
    client.prot_p()
    return client


def test_an_aborted_upload_and_the_command_for_it_both_get_replies(
    serve: Serve, raw: Callable[..., Raw], tmp_path: Path
) -> None:
    server = serve()
    client = raw(server)
    data = client.data()
    assert client.ask("STOR a")[:3] in ("125", "150")
    data.sendall(b"x" * 1000)
    server.until(lambda: any(channel.tot_bytes_received for channel in server.channels()))
    client.send("ABOR")
    assert [client.reply()[:3], client.reply()[:3]] == ["426", "226"]
    assert list(tmp_path.iterdir()) == []
    stored, aborted = server.report("STOR"), server.report("ABOR")
    assert (stored.reply, stored.transferred, stored.failure.kind.name) == (426, 1000, "CANCELLED")
    assert (aborted.reply, aborted.failure) == (226, None)


def test_an_upload_without_a_data_connection_is_not_left_for_the_next(
    serve: Serve, raw: Callable[..., Raw], tmp_path: Path
) -> None:
    server = serve()
    (tmp_path / "a").write_text("old")
    client = raw(server)
    client.passive()
    assert client.ask("STOR a")[:3] == "150"
    client.send("ABOR")
    assert [client.reply()[:3], client.reply()[:3]] == ["426", "226"]
    # What comes over the next connection is for the next command.
    with client.data() as data:
        assert client.ask("RETR a")[:3] in ("125", "150")
        assert data.recv(100) == b"old"
    assert client.reply()[:3] == "226"
    assert (tmp_path / "a").read_text() == "old"


def test_a_data_connection_that_does_not_come_is_waited_for_no_longer_than_was_said(
    serve: Serve, raw: Callable[..., Raw], tmp_path: Path
) -> None:
    server = serve(timeouts=FtpTimeouts(data_connection=0.3))
    (tmp_path / "a").write_text("old")
    client = raw(server)
    client.passive()
    client.send("STOR a")
    assert [client.reply()[:3], client.reply()[:3]] == ["150", "425"]
    # Whoever only asked where to connect is not told anything.
    client.passive()
    session = next(iter(server.server._sessions))
    server.until(lambda: session._dtp_acceptor is None)
    assert client.ask("NOOP")[:3] == "200"
    assert (tmp_path / "a").read_text() == "old"
    assert server.report("STOR").failure.kind.name == "TIMEOUT"


def test_a_transfer_without_a_way_for_its_data_is_refused(serve: Serve, raw: Callable[..., Raw]) -> None:
    client = raw(serve())
    assert client.ask("STOR a")[:3] == "425"
    assert client.ask("NOOP")[:3] == "200"


def test_a_transfer_that_stands_still_is_given_up_and_the_client_stays(
    serve: Serve, raw: Callable[..., Raw], tmp_path: Path
) -> None:
    server = serve(timeouts=FtpTimeouts(transfer=0.3))
    client = raw(server)
    with client.data() as data:
        client.send("STOR a")
        data.sendall(b"half")
        assert client.reply()[:3] in ("125", "150")
        assert client.reply()[:3] == "426"
    assert client.ask("NOOP")[:3] == "200"
    assert list(tmp_path.iterdir()) == []


def test_replies_are_those_of_their_commands_however_fast_these_come(
    serve: Serve, raw: Callable[..., Raw], tmp_path: Path
) -> None:
    server = serve()
    client = raw(server)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        client.send(f"EPRT |1|127.0.0.1|{listening.getsockname()[1]}|", "STOR a")
        data, _ = listening.accept()
        data.sendall(b"data")
        data.close()
    assert sorted(client.reply()[:3] for _ in range(3)) == ["150", "200", "226"]
    assert (tmp_path / "a").read_text() == "data"
    assert server.report("EPRT").reply == 200
    assert (server.report("STOR").reply, server.report("STOR").transferred) == (226, 4)


def test_a_client_that_cannot_be_reached_is_told_so_for_both_commands(serve: Serve, raw: Callable[..., Raw]) -> None:
    server = serve()
    client = raw(server)
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    client.send(f"EPRT |1|127.0.0.1|{port}|")
    assert client.reply()[:3] == "425"
    assert client.ask("NOOP")[:3] == "200"
    assert server.report("EPRT").reply == 425


def test_whoever_has_had_an_active_transfer_does_not_keep_the_server_from_ending(serve: Serve) -> None:
    server = serve()
    client = server.client()
    client.set_pasv(False)
    client.storbinary("STOR a", io.BytesIO(b"data"))
    server.stop(60)
    with pytest.raises((ftplib.error_temp, EOFError), match=r"421|^$"):
        client.getresp()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_an_upload_beyond_the_share_is_refused_while_it_comes(serve: Serve, tmp_path: Path, tls: bool) -> None:
    server = serve(CERTIFICATE if tls else None, tls="offered" if tls else "off")
    quota(server, 100_000)
    client = secured(server) if tls else server.client("alice", "secret")
    with client:
        data = client.transfercmd("STOR a")
        with contextlib.suppress(OSError):
            data.sendall(bytes(3_000_000))
        data.close()
        with pytest.raises(ftplib.error_perm, match="552"):
            client.getresp()
    assert server.report("STOR").reply == 552
    assert list(tmp_path.iterdir()) == []


def test_a_tls_connection_that_ends_without_a_word_is_no_whole_file(serve: Serve, tmp_path: Path) -> None:
    server = serve(CERTIFICATE, tls="offered")
    with secured(server) as client:
        data = client.transfercmd("STOR a")
        data.sendall(bytes(1000))
        server.until(lambda: any(channel.tot_bytes_received == 1000 for channel in server.channels()))
        # The end of TCP alone, as anybody on the way may send it.
        with socket.socket(fileno=data.detach()) as bare:
            bare.shutdown(socket.SHUT_WR)
            with pytest.raises(ftplib.error_temp, match="426"):
                client.getresp()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sends", [True, False], ids=["upload", "download"])
def test_a_transfer_over_tls_is_aborted_and_leaves_no_connection(serve: Serve, tmp_path: Path, sends: bool) -> None:
    server = serve(CERTIFICATE, tls="offered")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(100_000_000)
    with secured(server) as client:
        session = next(iter(server.server._sessions))
        for _ in range(3):
            data = client.transfercmd("STOR a" if sends else "RETR large")
            if sends:
                data.sendall(bytes(100_000))
            else:
                data.recv(1000)
            server.until(lambda: any(channel.get_transmitted_bytes() for channel in server.channels()))
            assert client.abort().startswith("426")
            assert client.voidresp().startswith("226")
            server.until(lambda: len(session.ioloop.socket_map) == 1)
            data.close()
        assert client.nlst() == ["large"]


def test_whoever_only_sends_over_tls_loses_nothing(serve: Serve, tmp_path: Path) -> None:
    server = serve(CERTIFICATE, tls="offered")
    with secured(server) as client:
        for number in range(20):
            data = client.transfercmd(f"STOR {number}")
            data.sendall(bytes(300_000))
            # The close_notify goes, and that of the other side is not waited for.
            data.setblocking(False)
            with pytest.raises(ssl.SSLWantReadError):
                data.unwrap()  # type: ignore[attr-defined]
            data.close()
            assert client.getresp().startswith("226")
    assert {path.stat().st_size for path in tmp_path.iterdir()} == {300_000}


def test_the_last_carriage_return_of_a_text_is_kept(serve: Serve, tmp_path: Path) -> None:
    with serve().client() as client:
        client.sendcmd("TYPE A")
        with client.transfercmd("STOR a") as data:
            data.sendall(b"one\r\ntwo\r")
        client.voidresp()
    assert (tmp_path / "a").read_bytes() == b"one\ntwo\r"


def test_a_client_that_goes_in_the_middle_is_told_of(serve: Serve, raw: Callable[..., Raw], tmp_path: Path) -> None:
    server = serve()
    client = raw(server)
    with client.data() as data:
        client.send("STOR a")
        assert client.reply()[:3] in ("125", "150")
        data.sendall(b"half")
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        report = server.report("STOR")
    assert (report.reply, report.failure.kind.name) == (None, "CLOSED")
    assert list(tmp_path.iterdir()) == []


def test_no_port_but_the_allowed_ones_is_offered(serve: Serve, raw: Callable[..., Raw]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        client = raw(serve(passive_ports=(port, port)))
        assert client.ask("EPSV")[:3] == client.ask("PASV")[:3] == "425"
    assert client.passive()[1] == port


def test_a_storage_without_descriptors_is_served(serve: Serve) -> None:
    import fsspec

    server = serve(root="memory://fallback")
    try:
        with server.client("alice", "secret") as client:
            data = os.urandom(300_000)
            client.storbinary("STOR a", io.BytesIO(data))
            found = io.BytesIO()
            client.retrbinary("RETR a", found.write, rest=1000)
            assert found.getvalue() == data[1000:]
            assert [(name, facts["size"]) for name, facts in client.mlsd()] == [("a", "300000")]
            assert server.report("RETR").transferred == 299_000
    finally:
        fsspec.filesystem("memory").rm("/fallback", recursive=True)

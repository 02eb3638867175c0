"""The FTP server in Python: it keeps the promises of the storage, tells what happens, and ends without cutting off."""

from __future__ import annotations

import ftplib
import io
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from runner.ftp.config import FtpLimits, FtpTimeouts

from tests.runner.ftp_fallback.serving import CERTIFICATE, Server


def test_what_happens_is_told_in_order(serve: Callable[..., Server]) -> None:
    server = serve()
    with server.client() as client:
        client.storbinary("STOR a", io.BytesIO(b"x" * 1000))
    server.until(lambda: server.told[-1][0] == "closed")
    assert [name for name, _ in server.told] == ["opened", "USER", "PASS", "TYPE", "PASV", "STOR", "QUIT", "closed"]
    report = server.report("STOR")
    assert (report.reply, report.transferred, report.failure) == (226, 1000, None)
    assert 0 < report.duration < 30e9


def test_wrong_passwords_are_refused_and_then_the_connection_is_closed(serve: Callable[..., Server]) -> None:
    server = serve(limits=FtpLimits(login_attempts=2))
    assert server.client("alice", "secret").pwd() == "/"
    client = ftplib.FTP(timeout=30)
    client.connect(*server.sockets[0].getsockname())
    with pytest.raises(ftplib.error_perm, match="530"):
        client.login("alice", "wrong")
    with pytest.raises(ftplib.error_temp, match="421"):
        client.login("alice", "wrong")
    with pytest.raises((EOFError, ConnectionError)):
        client.pwd()


def test_an_upload_that_breaks_off_leaves_nothing(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve()
    (tmp_path / "a").write_text("old")
    client = server.client()
    client.voidcmd("TYPE I")
    data = client.transfercmd("STOR a")
    data.sendall(b"x" * 100_000)
    server.until(lambda: any(channel.tot_bytes_received for channel in server.channels()))
    # A reset, and not an end, as of a client whose machine has gone.
    data.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    data.close()
    with pytest.raises((ftplib.error_temp, EOFError)):
        client.getresp()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_a_file_is_there_before_it_is_acknowledged(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve()
    with server.client() as client:
        for number in range(20):
            assert client.storbinary(f"STOR {number}", io.BytesIO(b"x")).startswith("226")
            assert (tmp_path / str(number)).read_text() == "x"


def test_a_refused_commit_is_told_and_not_acknowledged(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve()
    (tmp_path / "a").write_text("start")
    first, second = server.client(), server.client()
    transfers = [(client, client.transfercmd("APPE a")) for client in (first, second)]
    for _, data in transfers:
        data.sendall(b"more")
    for (client, data), code in zip(transfers, ("226", "450"), strict=True):
        data.close()
        if code == "226":
            assert client.getresp().startswith(code)
        else:
            with pytest.raises(ftplib.error_temp, match=code):
                client.getresp()
    assert (tmp_path / "a").read_text() == "startmore"


def test_stopping_ends_idle_clients_and_waits_for_transfers(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve()
    idle, busy = server.client(), server.client()
    data = busy.transfercmd("STOR a")
    data.sendall(b"half ")
    server.call(lambda: server.server.stop(20))
    with pytest.raises((ftplib.error_temp, EOFError), match=r"421|^$"):
        idle.getresp()
    data.sendall(b"whole")
    data.close()
    assert busy.getresp().startswith("226")
    server.until(lambda: server.server.done.done())
    assert (tmp_path / "a").read_text() == "half whole"


def test_a_transfer_that_never_ends_is_cut_off_after_the_grace(serve: Callable[..., Server], tmp_path: Path) -> None:
    server = serve()
    client = server.client()
    data = client.transfercmd("STOR a")
    data.sendall(b"half ")
    server.stop(0.5)
    assert list(tmp_path.iterdir()) == []
    data.close()


def test_too_many_connections_are_turned_away(serve: Callable[..., Server]) -> None:
    server = serve(limits=FtpLimits(connections=2))
    with server.client(), server.client(), pytest.raises(ftplib.error_temp, match="421"):
        server.client()


def test_who_does_not_log_in_is_let_go(serve: Callable[..., Server]) -> None:
    server = serve(timeouts=FtpTimeouts(login=0.5))
    client = ftplib.FTP(timeout=30)
    client.connect(*server.sockets[0].getsockname())
    with pytest.raises((ftplib.error_temp, EOFError), match="421"):
        client.getresp()


def test_passive_ports_are_those_that_are_allowed(serve: Callable[..., Server]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = serve(passive_ports=(port, port), active=False)
    with server.client() as client:
        assert client.makepasv()[1] == port
        with pytest.raises(ftplib.error_perm, match="500"):
            client.sendport("127.0.0.1", 2000)


@pytest.mark.parametrize("tls", ["offered", "everything"])
def test_tls_is_had_where_it_is_wanted(serve: Callable[..., Server], tmp_path: Path, tls: str) -> None:
    server = serve(CERTIFICATE, tls=tls)
    context = ssl.create_default_context(cafile=CERTIFICATE)
    client = ftplib.FTP_TLS(timeout=30, context=context)
    client.connect("localhost", server.sockets[0].getsockname()[1])
    client.login("alice", "secret")
    client.prot_p()
    data = bytes(range(256)) * 1000
    client.storbinary("STOR a", io.BytesIO(data))
    assert (tmp_path / "a").read_bytes() == data
    back = io.BytesIO()
    client.retrbinary("RETR a", back.write)
    assert back.getvalue() == data
    client.close()
    if tls == "everything":
        with pytest.raises(ftplib.error_perm, match=r"550|530|521"):
            server.client()
    else:
        server.client().close()

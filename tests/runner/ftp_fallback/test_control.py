"""Command lines, replies and control connections: what can't be a command, who is turned away, and what goes wrong."""

from __future__ import annotations

import contextlib
import ftplib
import os
import resource
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from runner.ftp.config import FtpLimits
from structlog.testing import capture_logs

from tests.runner.ftp_fallback.serving import CERTIFICATE, Raw, Server

Serve = Callable[..., Server]


def test_a_line_that_is_too_long_is_answered_once(serve: Serve) -> None:
    server = serve(limits=FtpLimits(command_line=1000))
    with contextlib.closing(Raw(server)) as client:
        assert client.ask("MKD " + "x" * 100_000)[:3] == "500"
        assert client.ask("NOOP")[:3] == "200"
        assert client.ask("MKD " + "x/" * 400)[:3] == "550"


def test_a_line_that_is_no_text_is_refused_and_the_next_is_not(serve: Serve, tmp_path: Path) -> None:
    with contextlib.closing(Raw(serve())) as client:
        client.socket.sendall(b"MKD gr\xf6\xdfe\r\n")
        assert client.reply()[:3] == "501"
        assert client.ask("MKD größe")[:3] == "257"
    assert [path.name for path in tmp_path.iterdir()] == ["größe"]


def test_what_telnet_has_clients_send_before_a_command_is_left_out(serve: Serve) -> None:
    with contextlib.closing(Raw(serve())) as client:
        client.socket.sendall(b"\xff\xf4\xff\xf2ABOR\r\n")
        assert client.reply()[:3] == "225"


def test_a_line_may_end_without_a_carriage_return(serve: Serve) -> None:
    with contextlib.closing(Raw(serve())) as client:
        client.socket.sendall(b"NOOP\nSYST\r\n")
        assert [client.reply()[:3], client.reply()[:3]] == ["200", "215"]


def test_nobody_tries_more_passwords_by_sending_them_together(serve: Serve) -> None:
    server = serve(limits=FtpLimits(login_attempts=2))
    with contextlib.closing(Raw(server, None)) as client:
        client.send(*["USER alice", "PASS wrong"] * 2, "USER alice", "PASS secret", "PWD")
        assert [client.reply()[:3] for _ in range(5)] == ["331", "530", "331", "421", ""]
    server.until(lambda: server.told[-1][0] == "closed")
    refused = [report.failure.kind.name for name, report in server.told if name == "PASS"]
    assert refused == ["DENIED", "DENIED"]


def test_the_greeting_has_the_lines_that_were_given(serve: Serve) -> None:
    address = serve(greeting=("Welcome.", "Be kind.")).sockets[0].getsockname()
    with socket.create_connection(address, 30) as client, client.makefile("rb") as file:
        assert [file.readline(), file.readline()] == [b"220-Welcome.\r\n", b"220 Be kind.\r\n"]


@pytest.mark.parametrize(
    ("command", "code"),
    [("MKD a\\b", "553"), ("MKD there", "550"), ("RMD full", "550"), ("DELE full", "550"), ("RNFR nothing", "550")],
)
def test_a_refusal_has_the_code_of_its_reason(serve: Serve, tmp_path: Path, command: str, code: str) -> None:
    server = serve()
    (tmp_path / "there").mkdir()
    (tmp_path / "full" / "inner").mkdir(parents=True)
    with contextlib.closing(Raw(server)) as client:
        assert client.ask(command)[:3] == code
    assert server.report(command[:4].strip()).failure.kind.name == "PERMANENT"


class _Broken(MemoryFileSystem):  # type: ignore[misc]
    """A storage that fails in a way of its own."""

    protocol = "broken"
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]

    def ls(self, path: str, detail: bool = True, **options: Any) -> Any:
        raise ZeroDivisionError("the storage divides by zero")


def test_whatever_is_wrong_with_a_storage_the_client_gets_an_answer(serve: Serve) -> None:
    fsspec.register_implementation("broken", _Broken, clobber=True)
    server = serve(root="broken://")
    with contextlib.closing(Raw(server)) as client:
        client.passive()
        assert client.ask("LIST")[:3] == "451"
        assert client.ask("NOOP")[:3] == "200"
    assert isinstance(server.report("failed"), ZeroDivisionError)
    assert server.report("LIST").reply == 451


def test_every_file_has_a_fact_that_no_other_has(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    for number in range(30):
        (tmp_path / str(number)).touch()
    os.link(tmp_path / "0", tmp_path / "again")
    with server.client() as client:
        found = {name: facts["unique"] for name, facts in client.mlsd()}
    assert len(set(found.values())) == 30
    assert found["0"] == found["again"]


def test_it_goes_on_when_there_were_no_files_left_to_accept_with(serve: Serve) -> None:
    server = serve()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket() as early, contextlib.ExitStack() as opened, capture_logs() as logs:
        early.settimeout(30)
        limit = max(int(path.name) for path in Path("/proc/self/fd").iterdir()) + 20
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
        try:
            with contextlib.suppress(OSError):
                while True:
                    opened.enter_context(socket.socket())
            early.connect(server.sockets[0].getsockname())
            server.until(lambda: any(log["event"] == "a connection can't be accepted" for log in logs))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert early.recv(3) == b"220"
    server.client().close()


def test_what_came_before_tls_is_not_carried_out_in_it(serve: Serve) -> None:
    server = serve(CERTIFICATE, tls="offered")
    with contextlib.closing(Raw(server, None)) as client:
        # Somebody on the way adds to what the client sends.
        client.send("AUTH TLS", "USER mallory")
        assert client.reply()[:3] == "234"
        context = ssl.create_default_context(cafile=CERTIFICATE)
        with context.wrap_socket(client.socket, server_hostname="localhost") as secured:
            secured.sendall(b"NOOP\r\n")
            assert secured.recv(100)[:3] == b"200"
    assert [name for name, _ in server.told if name == "USER"] == []


def test_where_everything_has_tls_data_connections_cannot_do_without(serve: Serve) -> None:
    server = serve(CERTIFICATE, tls="everything")
    client = ftplib.FTP_TLS(timeout=30, context=ssl.create_default_context(cafile=CERTIFICATE))
    client.connect("localhost", server.sockets[0].getsockname()[1])
    client.login("alice", "secret")
    client.prot_p()
    with pytest.raises(ftplib.error_perm, match="534"):
        client.prot_c()
    client.close()


@pytest.mark.parametrize("command", ["NLST", "LIST", "MLSD"])
def test_an_empty_folder_is_listed_over_tls(serve: Serve, command: str) -> None:
    server = serve(CERTIFICATE, tls="everything")
    client = ftplib.FTP_TLS(timeout=30, context=ssl.create_default_context(cafile=CERTIFICATE))
    client.connect("localhost", server.sockets[0].getsockname()[1])
    client.login("alice", "secret")
    client.prot_p()
    found: list[str] = []
    for _ in range(5):
        assert client.retrlines(command, found.append).startswith("226")
    assert found == []
    client.close()


def test_tls_without_a_certificate_is_an_error_and_not_plain_text(serve: Serve) -> None:
    with pytest.raises(ValueError, match="no certificate"):
        serve(tls="everything")

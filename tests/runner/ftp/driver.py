"""Drives the FTP component in a thread: a loop that waits, calls `poll-command` and lets an application answer.

What the host heard is kept: tests look at it after the fact. Sockets, component and streams are real.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, TypeVar

import runner.bindings.ftp_component as wit
from runner.ftp import imports as ftp
from runner.host import Logging, Tls

from tests.runner.driving import PATIENCE, Driven
from tests.runner.ftp.application import PASSWORD, Application
from witgen import runtime as rt
from witgen import wasi

SECOND = 1_000_000_000
LIMITS = wit.Limits(
    connections=64,
    connections_per_peer=64,
    command_line=512,
    login_attempts=3,
    inline_data=16 << 10,
    stream_buffer=64 << 10,
)
#: Longer than any test waits: what only goes on because of a time-out is an error.
TIMEOUTS = wit.Timeouts(
    login=60 * SECOND, idle=60 * SECOND, data_connection=60 * SECOND, transfer=60 * SECOND, reply=60 * SECOND
)
#: The certificate of `localhost` and its key.
CERTIFICATE = Path(__file__).parents[1] / "http" / "localhost.pem"

T = TypeVar("T")


def imports(tls: Tls | None = None, log: Callable[..., None] = lambda *_: None) -> wit.FtpComponentImports:
    """What the Runner gives the component."""
    return ftp.imports(Logging(log, "ftp"), tls or Tls())


def server_tls() -> Tls:
    """TLS with the certificate of `localhost`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return Tls(server=context)


def client_context() -> ssl.SSLContext:
    """What trusts that certificate."""
    return ssl.create_default_context(cafile=str(CERTIFICATE))


def provider(max_sockets: int = 512, **grants: Any) -> rt.Provider:
    """The WASI of the component: loopback addresses alone."""
    granted = {"connect": ["127.0.0.1:*", "[::1]:*"], "bind": ["127.0.0.0/8:*", "[::1]:*"], **grants}
    return wasi.provider(
        clocks=wasi.Clocks(), random=wasi.Random(), sockets=wasi.Sockets(max_sockets=max_sockets, **granted)
    )


def free_ports(count: int) -> wit.PassivePorts:
    """A range of ports that nobody has at the moment."""
    for first in range(20_000, 60_000, count):
        sockets = []
        try:
            for port in range(first, first + count):
                sockets.append(socket.create_server(("127.0.0.1", port)))
            return wit.PassivePorts(first, first + count - 1, None)
        except OSError:
            continue
        finally:
            for found in sockets:
                found.close()
    raise AssertionError("there are no free ports")


class Server(Driven):
    """A session on a free port of the loopback, in a thread of its own, until the end of a `with` statement."""

    heard = ("opened", "commands", "transfers", "reports", "closed")

    def __init__(
        self,
        component: rt.Component,
        application: Application | None = None,
        *,
        tls: wit.TlsPolicy = wit.TlsPolicy.OFF,
        certificate: Tls | None = None,
        batch: int = 64,
        limits: dict[str, int] | None = None,
        timeouts: dict[str, int] | None = None,
        grants: dict[str, Any] | None = None,
        host: str = "127.0.0.1",
        **config: Any,
    ) -> None:
        #: What the component has logged: level, message and fields.
        self.logged: list[tuple[Any, str, dict[str, Any]]] = []
        given = imports(certificate or server_tls(), lambda *message: self.logged.append(message))
        self.guest = wit.FtpComponent(component, given, providers=[provider(**grants or {})])
        self.application = application or Application()
        self.host = host
        values = {
            "backlog": 128,
            "greeting": [],
            "active": True,
            "passive": wit.PassivePorts(30_000, 39_999, None),
            "limits": replace(LIMITS, **limits or {}),
            "timeouts": replace(TIMEOUTS, **timeouts or {}),
            **config,
        }
        self.session = self.guest.control.start_server(wit.ServerConfig(address=_address(host), tls=tls, **values))
        self.port = self.session.local_address().value.port
        super().__init__(self.session, "ftp")
        self.opened: list[wit.Connection] = []
        self.commands: list[wit.Command] = []
        self.transfers: list[wit.TransferEnd] = []
        self.reports: list[wit.Report] = []
        self.closed: list[wit.ConnectionEnd] = []
        self._batch = batch

    def respond(self, exchange: wit.Exchange, response: wit.Response) -> None:
        """Answers, unless the client has gone."""
        self.transfer(lambda: self.guest.control.send_response(exchange, response))

    def transfer(self, work: Callable[[], None]) -> None:
        """Does something for a client that may have gone, or called it off."""
        try:
            work()
        except wit.TypesErrorException as error:
            if error.value.kind not in (wit.TypesErrorKind.CLOSED, wit.TypesErrorKind.CANCELLED):
                raise

    def failed_transfer(self) -> wit.TypesError:
        """Why the last transfer has failed."""
        outcome = self.transfers[-1].outcome
        assert isinstance(outcome, rt.Err)
        return outcome.value

    def failed_connection(self) -> wit.TypesError:
        """Why the last connection that is closed was not ended in good order."""
        failure = self.closed[-1].failure
        assert failure is not None
        return failure

    def connect(self) -> Client:
        """A new connection, greeted."""
        client = Client(socket.create_connection((self.host, self.port), PATIENCE))
        assert client.reply()[0] == 220
        return client

    def log_in(self) -> Client:
        """A new connection of somebody who is logged in."""
        client = self.connect()
        assert client.ask("USER ada")[0] == 331
        assert client.ask(f"PASS {PASSWORD}")[0] == 230
        return client

    def poll(self) -> Any:
        """The next batch."""
        return self.guest.control.poll_command(self.session, self._batch)

    def answer(self, batch: Any) -> None:
        """Has the application do what a batch asks for."""
        for command in batch.commands:
            self.application.command(self, command)
        for end in batch.transfers:
            self.application.transfer(self, end)


def _address(host: str) -> wit.IpSocketAddress:
    if ":" in host:
        return wit.IpSocketAddress_Ipv6(wit.Ipv6SocketAddress(0, 0, (0, 0, 0, 0, 0, 0, 0, 1), 0))
    return wit.IpSocketAddress_Ipv4(wit.Ipv4SocketAddress(0, (127, 0, 0, 1)))


class Client:
    """A control connection, with a few words of FTP."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.port = sock.getsockname()[1]
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def line(self) -> str:
        """The next line, without its end."""
        while b"\r\n" not in self._rest:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError(f"the server has closed the connection after {self._rest!r}")
            self._rest += data
        found, _, self._rest = self._rest.partition(b"\r\n")
        return found.decode()

    def reply(self) -> tuple[int, list[str]]:
        """The next reply: its code, and its lines without it."""
        line = self.line()
        code, lines = line[:3], [line[4:]]
        if line[3] == "-":
            while not (line := self.line()).startswith(f"{code} "):
                lines.append(line)
            lines.append(line[4:])
        return int(code), lines

    def ask(self, command: str) -> tuple[int, list[str]]:
        """The reply to a command."""
        self.send(f"{command}\r\n".encode())
        return self.reply()

    def code(self, command: str) -> int:
        """The code of the reply to a command."""
        return self.ask(command)[0]

    def passive(self) -> socket.socket:
        """A data connection by EPSV."""
        code, lines = self.ask("EPSV")
        assert code == 229, lines
        port = int(lines[0].split("|")[3])
        return socket.create_connection((self.sock.getpeername()[0], port), PATIENCE)

    def rest(self) -> bytes:
        """All up to the end of the connection; a reset counts as one."""
        try:
            while data := self.sock.recv(65536):
                self._rest += data
        except ConnectionResetError:
            pass
        found, self._rest = self._rest, b""
        return found


def read_all(sock: socket.socket) -> bytes:
    """All that comes over a connection, which is closed then."""
    with sock:
        found = b""
        while data := sock.recv(65536):
            found += data
        return found

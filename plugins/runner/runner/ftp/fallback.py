"""The same service without the component: pyftpdlib, on the same sockets, with the same files and accounts.

pyftpdlib reads and writes files where it waits for sockets, so each connection has a thread of its own. What happens is
told in the event loop, to the one who is told what happens in the component.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from OpenSSL import SSL
from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

import runner.bindings.ftp_component as wit
from runner.accounts import Accounts
from runner.addresses import wasi_address
from runner.ftp.config import FtpConfig
from runner.ftp.fallback_files import Files, Received, Users
from runner.ftp.observer import Observer
from runner.storage import StorageError, Tree

__all__ = ["PythonServer"]

#: Seconds between one look at what a connection is to do and the next.
_LOOK = 0.25
_KIND = wit.TypesErrorKind
#: Replies that say that a command failed, and in which way.
_FAILURES = {421: _KIND.TIMEOUT, 425: _KIND.CLOSED, 426: _KIND.CLOSED, 451: _KIND.TRANSIENT, 452: _KIND.EXHAUSTED}


class PythonServer:
    """Serves files on listening sockets, by pyftpdlib."""

    def __init__(
        self,
        tree: Tree,
        accounts: Accounts,
        sockets: Sequence[socket.socket],
        config: FtpConfig,
        observer: Observer,
        *,
        certificate: tuple[str, str] | None = None,
    ) -> None:
        """`certificate` are the files of chain and key, for TLS. Raises what pyOpenSSL does for wrong ones."""
        logging.getLogger("pyftpdlib").setLevel(logging.WARNING)
        self.tree = tree
        self.config = config
        self.accounts = accounts
        self._observer = observer
        self._loop = asyncio.get_running_loop()
        handler = _handler(self, config, certificate)
        self._servers = [_Acceptor(item.dup(), handler, self) for item in sockets]
        self._threads = [threading.Thread(target=item.run, name="ftp", daemon=True) for item in self._servers]
        self._lock = threading.Lock()
        self._running = len(self._threads)
        self._sessions: set[Any] = set()
        self.connection_numbers, self.exchange_numbers = itertools.count(1), itertools.count(1)
        #: When sessions are to end, whatever they are at.
        self.deadline = float("inf")
        self.stopping = False
        #: Set when all have ended.
        self.done: asyncio.Future[None] = self._loop.create_future()

    def start(self) -> None:
        """Begins to serve."""
        for thread in self._threads:
            thread.start()

    def stop(self, grace: float, *, followed: bool = False) -> None:
        """Stops listening; `done` follows when all transfers have ended, or after `grace` seconds.

        `followed` says that another server has the same sockets, which makes no difference here.
        """
        self.deadline = min(self.deadline, time.monotonic() + grace)
        self.stopping = True

    @property
    def connections(self) -> int:
        """Open control connections."""
        return len(self._sessions)

    # For threads

    def tell(self, call: Callable[..., None], *args: Any) -> None:
        """Has the observer be told something, in the event loop."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call, *args)

    def serve(self, acceptor: _Acceptor, sock: socket.socket, peer: str) -> None:
        """Serves a connection to its end."""
        with IOLoop() as loop:
            session = acceptor.handler(sock, acceptor, ioloop=loop)
            if not session.connected:
                return
            with self._lock:
                self._sessions.add(session)
            acceptor.ip_map.append(peer)
            addresses = [wasi_address(wit, name[:2]) for name in (sock.getpeername(), sock.getsockname())]
            self.tell(self._observer.opened, wit.Connection(session.number, *addresses))
            try:
                self._run(loop, session, peer, acceptor)
            finally:
                session.close()
                self.tell(self._observer.closed, session.number)
                self._end(session)

    def _run(self, loop: Any, session: Any, peer: str, acceptor: _Acceptor) -> None:
        limits = self.config.limits
        if len(self._sessions) > limits.connections:
            session.handle_max_cons()
        elif acceptor.ip_map.count(peer) > limits.connections_per_peer:
            session.handle_max_cons_per_ip()
        else:
            session.handle()
        while not session._closed:
            soonest = loop.sched.poll()
            loop.poll(timeout=_LOOK if soonest is None else min(max(soonest, 0), _LOOK))
            session.look(time.monotonic())

    def _end(self, session: Any = None) -> None:
        """A connection, or a thread that accepts them, has ended."""
        with self._lock:
            self._sessions.discard(session)
            if session is None:
                self._running -= 1
            over = self.stopping and not self._running and not self._sessions
        if over:
            self.tell(self._finish)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def accepted_no_more(self) -> None:
        """A thread that accepts connections has ended."""
        self._end()

    def reported(self, report: wit.Report) -> None:
        """A command is over."""
        self.tell(self._observer.reported, [report])


class _Acceptor(FTPServer):  # type: ignore[misc]
    """A listening socket. The limits on connections are looked at by `PythonServer`."""

    def __init__(self, sock: socket.socket, handler: type[Any], owner: PythonServer) -> None:
        super().__init__(sock, handler, ioloop=IOLoop(), backlog=owner.config.backlog)
        self.owner = owner

    def run(self) -> None:
        """Accepts connections until that is to end."""
        try:
            while not self.owner.stopping:
                self.ioloop.poll(timeout=_LOOK)
        finally:
            self.close_all()
            self.owner.accepted_no_more()

    def handle_accepted(self, sock: socket.socket, addr: Any) -> None:
        """Gives a connection a thread."""
        threading.Thread(
            target=self.owner.serve, args=(self, sock, addr[0]), name=f"ftp {addr[0]}", daemon=True
        ).start()


class _Session:
    """What a control connection does beside what pyftpdlib has it do: it tells of commands, and ends when it is to."""

    owner: PythonServer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.number = next(self.owner.connection_numbers)
        self._since = time.monotonic()
        #: The command that is being carried out, and the one whose data are on their way: verb, beginning, number.
        self._command: tuple[str, int, int] | None = None
        self._transfer: tuple[str, int, int] | None = None
        super().__init__(*args, **kwargs)
        self.authorizer = Users(self.owner.accounts)

    def look(self, now: float) -> None:
        """Ends the connection if it is time for that."""
        this: Any = self
        if this._closed or this._closing:
            return
        late = not this.authenticated and now - self._since > self.owner.config.timeouts.login
        if late or (self.owner.stopping and (not self._is_busy() or now > self.owner.deadline)):
            this.respond("421 The login took too long." if late else "421 The service ends.")
            this.close_when_done()
            if now > self.owner.deadline:
                this.close()

    def _is_busy(self) -> bool:
        this: Any = self
        return bool(this.data_channel or this._dtp_acceptor or this._dtp_connector or this._transfer)

    def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
        """Notes which command begins, and answers where a path is none."""
        this: Any = self
        self._command = (cmd, time.monotonic_ns(), next(self.owner.exchange_numbers))
        try:
            super().pre_process_command(line, cmd, arg)  # type: ignore[misc]
        except StorageError as error:
            this.respond(f"553 {error}.")

    def respond(self, resp: str, *args: Any, **kwargs: Any) -> None:
        """Sends a reply, and tells of it."""
        super().respond(resp, *args, **kwargs)  # type: ignore[misc]
        code = int(resp[:3])
        if code < 200:
            self._transfer, self._command = self._command, None
        elif self._command is not None:
            self._tell(self._command, code, 0)
            self._command = None
        elif self._transfer is not None:
            channel = getattr(self, "data_channel", None)
            self._tell(self._transfer, code, channel.get_transmitted_bytes() if channel else 0)
            self._transfer = None

    def _tell(self, command: tuple[str, int, int], code: int, transferred: int) -> None:
        verb, begun, number = command
        kind = _FAILURES.get(code)
        failure = None if kind is None else wit.TypesError(kind, f"the reply was {code}")
        known = verb if verb in FTPHandler.proto_cmds else ""
        duration = time.monotonic_ns() - begun
        self.owner.reported(wit.Report(number, self.number, known, code, transferred, duration, failure))


class _Data:
    """What a data connection does beside: what was received is there when all of it came, and before that is told."""

    #: What the socket raises when the connection breaks, which pyftpdlib takes for its end.
    broken_by: type[Exception] = ConnectionError
    _broken = False

    def recv(self, size: int) -> bytes:
        """The next bytes."""
        this: Any = self
        try:
            data: bytes = this.socket.recv(size)
        except self.broken_by:
            self._broken = True
            this.handle_close()
            return b""
        except Exception:
            # pyftpdlib has its own way with all others.
            return super().recv(size)  # type: ignore[misc, no-any-return]
        if not data:
            this.handle_close()
        return data

    def handle_close(self) -> None:
        """Tells an end from a break."""
        this: Any = self
        if self._broken and this.receive and not this._closed:
            this._resp = ("426 The data connection broke; transfer aborted.", this.cmd_channel.logline)
            this.close()
        else:
            super().handle_close()  # type: ignore[misc]

    def close(self) -> None:
        """Commits or abandons the upload, and then has the reply sent."""
        this: Any = self
        upload = this.file_obj
        if not this._closed and isinstance(upload, Received) and this.receive and this.transfer_finished:
            try:
                upload.commit()
            except StorageError as error:
                this.transfer_finished = False
                this._resp = (f"451 {error}.", this.cmd_channel.logline)
        super().close()  # type: ignore[misc]


class _PlainData(_Data, DTPHandler):  # type: ignore[misc]
    pass


class _SecureData(_Data, TLS_DTPHandler):  # type: ignore[misc]
    # An end that TLS does not announce may be anybody's (RFC 8446, 6.1).
    broken_by = SSL.SysCallError


class _Quiet:
    """pyftpdlib logs what the observer is told."""

    def log(self, *args: Any, **kwargs: Any) -> None:
        """Says nothing."""

    log_cmd = log_transfer = logline = log


class _PlainSession(_Quiet, _Session, FTPHandler):  # type: ignore[misc]
    dtp_handler = _PlainData


class _SecureSession(_Quiet, _Session, TLS_FTPHandler):  # type: ignore[misc]
    dtp_handler = _SecureData


def _handler(owner: PythonServer, config: FtpConfig, certificate: tuple[str, str] | None) -> type[Any]:
    """The class of connections of a server: pyftpdlib has its settings there."""
    secure = config.tls != "off" and certificate is not None
    ports = config.passive_ports
    base: Any = _SecureSession if secure else _PlainSession
    settings: dict[str, Any] = {
        "owner": owner,
        "abstracted_fs": Files,
        "banner": " ".join(config.greeting) or "FTP server ready.",
        "timeout": config.timeouts.idle,
        "max_login_attempts": config.limits.login_attempts,
        "auth_failed_timeout": 1,
        "masquerade_address": config.public_address,
        "passive_ports": None if ports is None else range(ports[0], ports[1] + 1),
        "dtp_handler": type("Data", (base.dtp_handler,), {"timeout": config.timeouts.transfer}),
        "passive_dtp": type("Passive", (base.passive_dtp,), {"timeout": config.timeouts.data_connection}),
        "active_dtp": type("Active", (base.active_dtp,), {"timeout": config.timeouts.data_connection}),
        "proto_cmds": {name: item for name, item in base.proto_cmds.items() if name not in _refused(config)},
    }
    if secure and certificate is not None:
        settings |= {
            "certfile": certificate[0],
            "keyfile": certificate[1],
            "tls_control_required": config.tls in ("login", "everything"),
            "tls_data_required": config.tls == "everything",
        }
    return type("Session", (base,), settings)


def _refused(config: FtpConfig) -> set[str]:
    """Commands that the settings, or the storage, do not have."""
    active = set() if config.active else {"PORT", "EPRT"}
    passive = set() if config.passive_ports is not None else {"PASV", "EPSV"}
    return {"MFMT", "SITE CHMOD"} | active | passive

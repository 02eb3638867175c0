"""Control connections of the server in Python: what pyftpdlib does, and what it leaves out.

Every command is told of, with the reply that was the last for it; pyftpdlib sends replies from many places, so they are
looked at where all of them pass. A transfer that was promised always gets a last reply, and what was queued for a data
connection that never came is not left for the next.
"""

from __future__ import annotations

import errno
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from OpenSSL import SSL
from pyftpdlib.handlers import FTPHandler, TLS_FTPHandler
from pyftpdlib.handlers.ftp.producers import BufferedIteratorProducer

import runner.bindings.ftp_component as wit
from runner.ftp.config import FtpConfig
from runner.ftp.fallback_data import Active, Passive, PlainData, SecureData
from runner.ftp.fallback_files import Files, Users, reply_to
from runner.storage import Reason, StorageError

if TYPE_CHECKING:
    from runner.ftp.fallback import PythonServer

__all__ = ["contexts", "session_type"]

#: How often another port is looked for, where somebody else was faster.
_PORT_TRIES = 8

_KIND = wit.TypesErrorKind
#: Replies that say that a command failed, and in which way.
_FAILURES = {
    504: _KIND.PERMANENT,
    522: _KIND.PERMANENT,
    530: _KIND.DENIED,
    550: _KIND.PERMANENT,
    553: _KIND.PERMANENT,
    421: _KIND.TIMEOUT,
    425: _KIND.CLOSED,
    426: _KIND.CLOSED,
    450: _KIND.TRANSIENT,
    451: _KIND.TRANSIENT,
    452: _KIND.TRANSIENT,
    552: _KIND.EXHAUSTED,
}
#: Codes that pyftpdlib has for whatever a storage refuses.
_VAGUE = {450, 501, 550, 554}
#: What Telnet has clients send before ABOR (RFC 959, 4.1.3): never part of a text in UTF-8.
_TELNET = re.compile(rb"\xff(?:[\xfb-\xfe].|[\xf0-\xfa])", re.DOTALL)
#: Commands that are answered when the connection for which they ask is there.
_CONNECTING = {"PORT", "EPRT"}
#: Commands with a data connection.
_TRANSFERS = {"RETR", "STOR", "APPE", "STOU", "LIST", "NLST", "MLSD"}
#: Seconds that a client has for its first commands when the server stops: it may have come at the same moment.
_FIRST_COMMANDS = 2.0


@dataclass(frozen=True, slots=True)
class _Begun:
    """A command that is to be answered. `begun` is in nanoseconds of the monotonic clock."""

    verb: str
    begun: int
    number: int


class _Session:
    """A control connection."""

    owner: PythonServer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.number = next(self.owner.connection_numbers)
        self._since = time.monotonic()
        #: Logins that were refused.
        self._refused = 0
        #: What is carried out, what waits for an active data connection, and what has its data on their way.
        self._command: _Begun | None = None
        self._connecting: _Begun | None = None
        self._transfer: _Begun | None = None
        #: Why the storage refuses the present command, if it does.
        self.refusal: StorageError | None = None
        super().__init__(*args, **kwargs)
        self.authorizer = Users(self.owner.accounts)
        # CR before it belongs to it (`found_terminator`), but some leave it out.
        self.set_terminator(b"\n")  # type: ignore[attr-defined]

    def handle(self) -> None:
        """Greets the client."""
        this: Any = self
        *lines, last = self.owner.config.greeting or ("FTP server ready.",)
        for line in lines:
            this.push(f"220-{line}\r\n")
        this.respond(f"220 {last}")

    def look(self, now: float) -> None:
        """Ends the connection if it is time for that."""
        this: Any = self
        if this._closed or this._closing:
            return
        late = not this.authenticated and now - self._since > self.owner.config.timeouts.login
        idle = not self._is_busy() and now - self._since > _FIRST_COMMANDS
        if late or (self.owner.stopping and (idle or now > self.owner.deadline)):
            this.respond("421 The login took too long." if late else "421 The service ends.")
            this.close_when_done()
            if now > self.owner.deadline:
                this.close()

    def _is_busy(self) -> bool:
        this: Any = self
        return bool(self._is_waiting() or this.data_channel or self._command or self._transfer)

    def _is_waiting(self) -> bool:
        """Whether there may soon be a data connection."""
        acceptor = self._dtp_acceptor  # type: ignore[attr-defined]
        return self._connecting is not None or (acceptor is not None and not acceptor._closed)

    # Command lines

    def collect_incoming_data(self, data: bytes) -> None:
        """Keeps what there is of a command line, as long as it is not too long for one."""
        this: Any = self
        if this._in_buffer_len <= self.owner.config.limits.command_line:
            this._in_buffer.append(data)
        this._in_buffer_len += len(data)

    def found_terminator(self) -> None:
        """Has a command line be carried out, if it can be one."""
        this: Any = self
        line = _TELNET.sub(b"", b"".join(this._in_buffer)).removesuffix(b"\r")
        if this._closing:
            # Whatever else has come together with the last command.
            return
        problem = None
        if this._in_buffer_len > self.owner.config.limits.command_line:
            problem = "500 The command line is too long."
        elif not _is_text(line):
            problem = "501 The command line is not in UTF-8."
        if problem is not None:
            # It is no sign of life.
            this._in_buffer, this._in_buffer_len = [], 0
            self._begin("")
            this.respond(problem)
            return
        this._in_buffer = [line]
        super().found_terminator()  # type: ignore[misc]

    def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
        """Carries a command out; whatever is wrong with a storage, the client gets an answer."""
        this: Any = self
        begun = self._begin(cmd)
        try:
            super().pre_process_command(line, cmd, arg)  # type: ignore[misc]
        except StorageError as error:
            this.respond(reply_to(error))
        except Exception as error:
            self.owner.failed(begun.number, error)
            if not this._closed and self._command is not None:
                this.respond(reply_to(StorageError(Reason.STORAGE)))
        if cmd in _CONNECTING and self._command is not None:
            self._connecting, self._command = self._command, None

    def process_command(self, cmd: str, *args: Any, **kwargs: Any) -> None:
        """Carries a command out, unless its data have no way to go."""
        this: Any = self
        if cmd in _TRANSFERS and not (self._is_waiting() or this.data_channel):
            this._restart_position = 0
            this.respond("425 Ask for a data connection first.")
            return
        super().process_command(cmd, *args, **kwargs)  # type: ignore[misc]

    def _begin(self, verb: str) -> _Begun:
        self.refusal = None
        known = verb if verb in self.proto_cmds else ""  # type: ignore[attr-defined]
        self._command = _Begun(known, time.monotonic_ns(), next(self.owner.exchange_numbers))
        return self._command

    def handle_auth_failed(self, msg: str, password: str) -> None:
        """Refuses a login at once: meanwhile pyftpdlib would try the passwords that have come behind it."""
        this: Any = self
        this.username = ""
        self._refused += 1
        if self._refused < self.owner.config.limits.login_attempts:
            this.respond("530 User and password do not fit.")
        else:
            self.give_up("_command", "421 User and password do not fit.", _KIND.DENIED)
            this.close_when_done()

    def ftp_REIN(self, line: str) -> None:
        """Logs out (RFC 959, 5.4)."""
        this: Any = self
        this.flush_account()
        this.respond("220 Ready for another user.")

    def ftp_ABOR(self, line: str) -> None:
        """Ends a transfer, with a reply for it and one for this command (RFC 959, 4.1.3)."""
        this: Any = self
        under_way = self._transfer is not None
        self.give_up("_transfer", "426 The transfer was aborted.", _KIND.CANCELLED)
        self._shutdown_connecting_dtp()
        if this.data_channel is not None:
            this.data_channel.close()
            this.data_channel = None
        this.respond("226 The transfer was aborted." if under_way else "225 There is no transfer.")

    # Replies

    def respond(self, resp: str, *args: Any, **kwargs: Any) -> None:
        """Sends a reply, and tells of it."""
        code = int(resp[:3])
        if self.refusal is not None and code in _VAGUE:
            resp = reply_to(self.refusal)
            code = int(resp[:3])
        self.refusal = None
        super().respond(resp, *args, **kwargs)  # type: ignore[misc]
        if code < 200:
            self._transfer, self._command = self._command, None
            return
        for name in ("_command", "_connecting", "_transfer"):
            if getattr(self, name) is not None:
                self._tell(name, code, _FAILURES.get(code))
                return

    def give_up(self, name: str, reply: str, kind: wit.TypesErrorKind = _KIND.CLOSED) -> None:
        """Answers a command that nothing comes of any more, if there is one; `name` says which."""
        if getattr(self, name) is not None:
            if self._closed:  # type: ignore[attr-defined]
                self._tell(name, None, kind)
            else:
                super().respond(reply)  # type: ignore[misc]
                self._tell(name, int(reply[:3]), kind)

    def _tell(self, name: str, code: int | None, kind: wit.TypesErrorKind | None) -> None:
        item: _Begun = getattr(self, name)
        setattr(self, name, None)
        channel = getattr(self, "data_channel", None) if name == "_transfer" else None
        transferred = channel.get_transmitted_bytes() if channel else 0
        message = "the connection was closed" if code is None else f"the reply was {code}"
        failure = None if kind is None else wit.TypesError(kind, message)
        duration = time.monotonic_ns() - item.begun
        self.owner.reported(wit.Report(item.number, self.number, item.verb, code, transferred, duration, failure))

    # Data connections

    def push_dtp_data(self, data: Any, isproducer: bool = False, **kwargs: Any) -> None:
        """Has data be sent; always in pieces: where there are none at all pyftpdlib would not wait for TLS."""
        pieces = data if isproducer else BufferedIteratorProducer(iter([data]))
        super().push_dtp_data(pieces, isproducer=True, **kwargs)  # type: ignore[misc]

    def _make_epasv(self, extmode: bool = False) -> None:
        for _ in range(_PORT_TRIES):
            try:
                super()._make_epasv(extmode=extmode)  # type: ignore[misc]
                return
            except OSError as error:
                # Two may bind a port at the same time, of which only one can listen then.
                if error.errno != errno.EADDRINUSE:
                    break
        self.respond("425 No port is free.")

    def _shutdown_connecting_dtp(self) -> None:
        """Ends the wait for a data connection, and whatever was to use it."""
        this: Any = self
        super()._shutdown_connecting_dtp()  # type: ignore[misc]
        incoming, outgoing = this._in_dtp_queue, this._out_dtp_queue
        this._in_dtp_queue = this._out_dtp_queue = None
        for file in (incoming and incoming[0], outgoing and outgoing[2]):
            if file is not None:
                file.close()
        self.give_up("_connecting", "425 There is no data connection.")
        if this.data_channel is None:
            self.give_up("_transfer", "425 There is no data connection.")

    def _on_dtp_close(self) -> None:
        self.give_up("_transfer", "426 The data connection was closed.")
        super()._on_dtp_close()  # type: ignore[misc]

    def close(self) -> None:
        """Closes the connection, and tells of what was not answered."""
        super().close()  # type: ignore[misc]
        if self._closed:  # type: ignore[attr-defined]
            for name in ("_command", "_connecting", "_transfer"):
                self.give_up(name, "")


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


class _Quiet:
    """pyftpdlib logs what the observer is told."""

    def log(self, *args: Any, **kwargs: Any) -> None:
        """Says nothing."""

    log_cmd = log_transfer = logline = log


class _PlainSession(_Quiet, _Session, FTPHandler):  # type: ignore[misc]
    dtp_handler = PlainData


class _SecureSession(_Quiet, _Session, TLS_FTPHandler):  # type: ignore[misc]
    dtp_handler = SecureData

    def ftp_AUTH(self, line: str) -> None:
        """Begins TLS. What has come before it, nobody has protected (RFC 4217, 15.1): it is not carried out."""
        super().ftp_AUTH(line)
        if self._ssl_requested:
            self.ac_in_buffer = b""

    def ftp_PROT(self, line: str) -> None:
        """Says whether data connections have TLS, where they may be without."""
        if self.tls_data_required and line.upper() == "C":
            self.respond("534 Data connections have TLS here.")
        else:
            super().ftp_PROT(line)


def session_type(owner: PythonServer, config: FtpConfig, certificate: tuple[str, str] | None) -> type[Any]:
    """The class of connections of a server: pyftpdlib has its settings there.

    Raises ValueError where TLS is wanted and there is no certificate, and what pyOpenSSL does for a wrong one.
    """
    secure = config.tls != "off"
    ports = config.passive_ports
    base: Any = _SecureSession if secure else _PlainSession
    settings: dict[str, Any] = {
        "owner": owner,
        "abstracted_fs": Files,
        "unicode_errors": "strict",
        "timeout": config.timeouts.idle,
        "masquerade_address": config.public_address,
        "passive_ports": None if ports is None else range(ports[0], ports[1] + 1),
        "dtp_handler": type("Data", (base.dtp_handler,), {"timeout": config.timeouts.transfer}),
        "passive_dtp": type("Passive", (Passive,), {"timeout": config.timeouts.data_connection}),
        "active_dtp": type("Active", (Active,), {"timeout": config.timeouts.data_connection}),
        "proto_cmds": {name: item for name, item in base.proto_cmds.items() if name not in _refused(config)},
    }
    if secure:
        settings |= contexts(certificate) | {
            "tls_control_required": config.tls in ("login", "everything"),
            "tls_data_required": config.tls == "everything",
        }
    return type("Session", (base,), settings)


def contexts(certificate: tuple[str, str] | None) -> dict[str, SSL.Context]:
    """Those of a class of connections, by name. Raises as `session_type`."""
    return {
        "ssl_context": _context(certificate, SSL.TLS1_3_VERSION),
        # TLS 1.3 sends tickets, and pyOpenSSL can't be told to send none. A client that only sends leaves them unread;
        # then its end resets the connection, by which the last of its data may be lost.
        "data_context": _context(certificate, SSL.TLS1_2_VERSION),
    }


def _context(certificate: tuple[str, str] | None, newest: int) -> SSL.Context:
    if certificate is None:
        raise ValueError("there is no certificate for TLS")
    found = SSL.Context(SSL.TLS_SERVER_METHOD)
    found.set_min_proto_version(SSL.TLS1_2_VERSION)
    found.set_max_proto_version(newest)
    found.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_TICKET | SSL.OP_NO_RENEGOTIATION)
    found.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    found.use_certificate_chain_file(certificate[0])
    found.use_privatekey_file(certificate[1])
    found.check_privatekey()
    return found


def _refused(config: FtpConfig) -> set[str]:
    """Commands that the settings, or the storage, do not have."""
    active = set() if config.active else {"PORT", "EPRT"}
    passive = set() if config.passive_ports is not None else {"PASV", "EPSV"}
    return {"MFMT", "SITE CHMOD"} | active | passive

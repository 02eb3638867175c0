"""Data connections of the server in Python: what pyftpdlib does, and what it leaves out.

An upload counts when all of it came, and is in its place before that is told. A connection that breaks is no end, and a
port beyond those that are allowed is none.
"""

from __future__ import annotations

import errno
import sys
from typing import Any

from OpenSSL import SSL
from pyftpdlib.exceptions import _FileReadWriteError
from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler

from runner.bindings.ftp_component import TypesErrorKind
from runner.ftp.fallback_files import Received, refusal, reply_to
from runner.storage import StorageError

__all__ = ["Active", "Passive", "PlainData", "SecureData"]

_Waiting: Any = FTPHandler.passive_dtp
_Calling: Any = FTPHandler.active_dtp


class _Data:
    """What a data connection does beside what pyftpdlib has it do."""

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
            self._fail("426 The data connection broke; transfer aborted.")
        else:
            super().handle_close()  # type: ignore[misc]

    def handle_timeout(self) -> None:
        """Gives up a transfer that does not move; the control connection stays (RFC 959, 5.4)."""
        this: Any = self
        if this.get_transmitted_bytes() > this._lastdata:
            this._lastdata = this.get_transmitted_bytes()
        else:
            this.cmd_channel.give_up("_transfer", "426 The data connection stood still.", TypesErrorKind.TIMEOUT)
            this.close()

    def handle_error(self) -> None:
        """Tells what is wrong with the file, if that is it. pyftpdlib tells it badly, and behind TLS not at all."""
        error = sys.exc_info()[1]
        if isinstance(error, _FileReadWriteError):
            self._fail(reply_to(refusal(error.__cause__)))
        else:
            super().handle_error()  # type: ignore[misc]

    def _fail(self, reply: str) -> None:
        this: Any = self
        this._resp = (reply, this.cmd_channel.logline)
        # There is nothing to be said in TLS any more. After an error it would never come to its end.
        this._error = True
        this.close()

    def close(self) -> None:
        """Commits or abandons the upload, and then has the reply sent."""
        this: Any = self
        upload = this.file_obj
        if not this._closed and isinstance(upload, Received) and this.receive and this.transfer_finished:
            try:
                if this._had_cr:
                    # It was kept back for the line feed that may follow.
                    upload.write(b"\r")
                upload.commit()
            except (OSError, StorageError) as error:
                this.transfer_finished = False
                this._resp = (reply_to(refusal(error)), this.cmd_channel.logline)
            this._had_cr = False
        super().close()  # type: ignore[misc]


class PlainData(_Data, DTPHandler):  # type: ignore[misc]
    """A data connection without TLS."""


class SecureData(_Data, TLS_DTPHandler):  # type: ignore[misc]
    """A data connection with TLS, where PROT has asked for it."""

    # An end that TLS does not announce may be anybody's (RFC 8446, 6.1).
    broken_by = SSL.SysCallError

    def secure_connection(self, ssl_context: Any) -> None:
        """Begins TLS, in the way of data connections."""
        super().secure_connection(self.cmd_channel.data_context)


class Passive(_Waiting):  # type: ignore[misc]
    """Waits for the client to connect."""

    _tried = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Raises OSError where no port is free."""
        try:
            super().__init__(*args, **kwargs)
        except OSError:
            self.close()
            raise

    def bind(self, addr: Any) -> None:
        """Binds a port; any other than those that are allowed would be of no use behind a firewall."""
        if self._tried and addr[1] == 0:
            raise OSError(errno.EADDRINUSE, "no port is free")
        self._tried = addr[1] != 0
        super().bind(addr)

    def handle_timeout(self) -> None:
        """Gives up waiting; whoever has not asked for a transfer need not be told."""
        if not self._closed:
            self.cmd_channel.give_up("_transfer", "425 There is no data connection.", TypesErrorKind.TIMEOUT)
            self.cmd_channel._shutdown_connecting_dtp()


class Active(_Calling):  # type: ignore[misc]
    """Connects to the client."""

    def handle_timeout(self) -> None:
        """Gives up connecting."""
        self.handle_close()

    def handle_close(self) -> None:
        """Tells that there is no connection, and what this means for a transfer that was to use it."""
        if not self._closed:
            super().handle_close()
            self.cmd_channel._shutdown_connecting_dtp()

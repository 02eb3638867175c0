"""The same service without the component: pyftpdlib, on the same sockets, with the same files and accounts.

pyftpdlib reads and writes files where it waits for sockets, so each connection has a thread of its own. What happens is
told in the event loop, to the one who is told what happens in the component.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

import runner.bindings.ftp_component as wit
from runner.accounts.accounts import Accounts
from runner.addresses import wasi_address
from runner.ftp.config import FtpConfig
from runner.ftp.fallback_sessions import contexts, session_type
from runner.ftp.observer import Observer
from runner.storage import Tree

__all__ = ["PythonServer"]

_log = structlog.get_logger("runner.ftp")
#: Seconds between one look at what a connection is to do and the next.
_LOOK = 0.25


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
        """`certificate` are the files of chain and key, for TLS.

        Raises ValueError where the settings want TLS and there are none, and what pyOpenSSL does for wrong ones.
        """
        logging.getLogger("pyftpdlib").setLevel(logging.WARNING)
        self.tree = tree
        self.config = config
        self.accounts = accounts
        self._observer = observer
        self._loop = asyncio.get_running_loop()
        self._certificate = certificate
        self._session_type = session_type(self, config, certificate)
        self._servers = [_Acceptor(item.dup(), self._session_type, self) for item in sockets]
        self._lock = threading.Lock()
        #: Threads that have not ended.
        self._running = 0
        self._sessions: set[Any] = set()
        self.connection_numbers, self.exchange_numbers = itertools.count(1), itertools.count(1)
        #: When sessions are to end, whatever they are at.
        self.deadline = float("inf")
        self.stopping = False
        #: Set when all have ended.
        self.done: asyncio.Future[None] = self._loop.create_future()

    def start(self) -> None:
        """Begins to serve."""
        for server in self._servers:
            self.begin(server.run)

    def stop(self, grace: float, *, followed: bool = False) -> None:
        """Stops listening; `done` follows when all transfers have ended, or after `grace` seconds.

        `followed` says that another server has the same sockets, which makes no difference here.
        """
        self.deadline = min(self.deadline, time.monotonic() + grace)
        self.stopping = True

    def renew(self) -> None:
        """Reads the certificate anew, for connections from now on. Raises what pyOpenSSL does for a wrong one."""
        if self.config.tls != "off":
            for name, context in contexts(self._certificate).items():
                setattr(self._session_type, name, context)

    @property
    def connections(self) -> int:
        """Open control connections."""
        return len(self._sessions)

    # For threads

    def tell(self, call: Callable[..., None], *args: Any) -> None:
        """Has the observer be told something, in the event loop."""
        # There may be none any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, *args)

    def reported(self, report: wit.Report) -> None:
        """A command is over."""
        self.tell(self._observer.reported, [report])

    def failed(self, exchange: int, error: BaseException) -> None:
        """The storage has failed in a way that nobody has foreseen."""
        self.tell(self._observer.storage_failed, exchange, error)

    def begin(self, work: Callable[..., None], *args: Any) -> None:
        """Has a thread do something. `done` waits for it from now on. Raises RuntimeError where there is none."""

        def run() -> None:
            try:
                work(*args)
            except Exception as error:  # Whatever is wrong with one connection, the others go on.
                _log.warning("a connection was lost", problem=str(error), exc_info=error)
            finally:
                self._end()

        with self._lock:
            self._running += 1
        try:
            threading.Thread(target=run, name="ftp", daemon=True).start()
        except BaseException:
            self._end()
            raise

    def serve(self, acceptor: _Acceptor, sock: socket.socket, peer: Any) -> None:
        """Serves a connection to its end."""
        with contextlib.closing(sock), IOLoop() as loop:
            local = sock.getsockname()
            session = acceptor.handler(sock, acceptor, ioloop=loop)
            # Whoever has gone already has not been here.
            if session.connected:
                self._sessions.add(session)
                acceptor.ip_map.append(peer[0])
                addresses = [wasi_address(wit, name[:2]) for name in (peer, local)]
                self.tell(self._observer.opened, wit.Connection(session.number, *addresses))
                try:
                    self._run(loop, session, peer[0], acceptor)
                finally:
                    session.close()
                    self.tell(self._observer.closed, session.number)
                    self._sessions.discard(session)

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

    def _end(self) -> None:
        """A thread has ended."""
        with self._lock:
            self._running -= 1
            over = not self._running
        if over:
            self.tell(self._finish)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


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

    def handle_accept(self) -> None:
        """Accepts a connection; when this is to end it is left to whoever serves next."""
        if not self.owner.stopping:
            super().handle_accept()

    def handle_accepted(self, sock: socket.socket, addr: Any) -> None:
        """Gives a connection a thread."""
        try:
            self.owner.begin(self.owner.serve, self, sock, addr)
        except BaseException:
            sock.close()
            raise

    def handle_error(self) -> None:
        """Goes on: where there are too few files or threads for a connection, some will be free again."""
        _log.warning("a connection can't be accepted", problem=str(sys.exc_info()[1]))
        time.sleep(_LOOK)

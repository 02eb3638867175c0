"""The servers of one tree of files: by the component, and in Python (`runner.service` says which of them serves)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import structlog

from runner.ftp.config import FtpConfig
from runner.ftp.observer import Observer
from runner.ftp.server import ComponentServer, Guest
from runner.ftp.visits import Place
from runner.storage import StorageError

if TYPE_CHECKING:
    from runner.ftp.fallback import PythonServer

__all__ = ["FtpServers"]

_log = structlog.get_logger("runner.ftp")
#: Seconds that commands have whose clients are gone.
_PATIENCE = 5.0


class FtpServers:
    """`Servers` for the files of a place."""

    def __init__(
        self,
        place: Place,
        sockets: Sequence[socket.socket],
        config: FtpConfig,
        observer: Observer,
        *,
        certificate: tuple[str, str] | None = None,
    ) -> None:
        """`certificate` are the files of chain and key, for TLS."""
        self._place = place
        self._sockets = sockets
        self._config = config
        self._observer = observer
        self._certificate = certificate
        #: The last server in Python, which reads the files of the certificate by itself.
        self._python: PythonServer | None = None

    async def begin(self) -> None:
        """Has a thread clear up what uploads have left that a killed process was at."""
        self._place.pool.submit(self._sweep)

    async def end(self) -> None:
        """Returns when commands have let go of what they had, and threads have ended what they were at."""
        if self._place.works:
            await asyncio.wait([work.over() for work in self._place.works], timeout=_PATIENCE)
        loop = asyncio.get_running_loop()
        for pool in (self._place.pool, self._place.doors):
            await loop.run_in_executor(None, pool.shutdown)

    def _sweep(self) -> None:
        try:
            self._place.tree.sweep()
        except StorageError as error:
            _log.warning("what uploads have left can't be removed", problem=str(error))

    def renew(self) -> None:
        """Takes the certificate anew; the component is given the context, which has it already."""
        if self._python is not None:
            self._python.renew()

    def by_component(self, make: Callable[[], Guest]) -> ComponentServer:
        """A server by the component."""
        addresses = [item.getsockname()[:2] for item in self._sockets]
        return ComponentServer(self._place, make, addresses, self._config, self._observer)

    def by_python(self) -> PythonServer:
        """A server in Python. Raises what is wrong with a certificate."""
        # Where the component serves nobody needs it.
        from runner.ftp.fallback import PythonServer

        self._python = PythonServer(
            self._place.tree,
            self._place.accounts,
            self._sockets,
            self._config,
            self._observer,
            certificate=self._certificate,
        )
        return self._python

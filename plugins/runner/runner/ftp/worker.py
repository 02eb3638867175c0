"""A process that serves FTP: files and accounts, and what is particular to them (`runner.worker` has the rest)."""

from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import runner.bindings.ftp_component as wit
from runner import worker
from runner.accounts.accounts import Accounts
from runner.accounts.file import Account
from runner.flags import Flags
from runner.ftp.guests import guests
from runner.ftp.options import Options
from runner.ftp.reporting import FtpReporting
from runner.ftp.server import Guest
from runner.ftp.service import FtpServers
from runner.ftp.visits import Place
from runner.host import Logging, Tls
from runner.loading import LoadedComponent
from runner.metrics import Metrics
from runner.options import reporting
from runner.progress import Progress
from runner.progress.recorder import Recorder
from runner.status import Status
from runner.storage import READING, open_tree
from runner.supervisor import adopt

__all__ = ["serve"]

#: Threads that wait for disks, and those that check passwords.
_THREADS, _DOORS = 32, 4


class _Worker(worker.Worker[wit.FtpComponent]):
    protocol = "ftp"

    def __init__(self, options: Options, sockets: Sequence[socket.socket], shown: socket.socket | None) -> None:
        self._own = options
        super().__init__(options, sockets, shown)

    @property
    def grace(self) -> float:
        return self._own.config.grace

    def reporting(
        self, metrics: Metrics, status: Status, recorder: Recorder | None, flags: Callable[[], Flags]
    ) -> FtpReporting:
        return FtpReporting(self.component, metrics, status, recorder, flags)

    def servers(self, reporting: Any) -> FtpServers:
        options = self._own
        place = Place(
            open_tree(options.root, sync=options.sync),
            Accounts(None if options.accounts is None else Path(options.accounts), anonymous=_anonymous(options)),
            ThreadPoolExecutor(_THREADS, thread_name_prefix="files"),
            ThreadPoolExecutor(_DOORS, thread_name_prefix="doors"),
            options.config.limits.inline_data,
        )
        return FtpServers(place, self.sockets, options.config, reporting, certificate=options.certificate)

    def prepare(self, context: ssl.SSLContext) -> None:
        # A client that only sends reads no tickets. When it closes the connection the system resets it, as there is
        # something unread, and then the end of the file may be lost.
        context.num_tickets = 0

    def guests(
        self, loaded: LoadedComponent, logging: Logging, tls: Tls, progress: Callable[[], Progress]
    ) -> Callable[[], Guest]:
        return guests(loaded, self.sockets, self._own.config, logging, tls, progress)


def _anonymous(options: Options) -> Account | None:
    """Who comes without a password, where the command line lets them; they look around and fetch."""
    return Account("anonymous", None, permissions=READING) if options.anonymous else None


def serve(options: Options, sockets: Sequence[socket.socket], shown: socket.socket | None = None) -> None:
    """Serves until a signal ends it; where there is a socket for it, what goes on is `shown`.

    Raises `WitError` and `RunnerError` for what is wrong before that.
    """
    worker.run(lambda: _Worker(options, sockets, shown), options)


if __name__ == "__main__":
    first, *others = map(adopt, map(int, sys.argv[2:]))
    reporting(serve)(Options.loads(sys.argv[1]), [first], *others)

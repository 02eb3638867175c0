"""The FTP server in Python in this process, with a thread that has its event loop, and what it tells."""

from __future__ import annotations

import asyncio
import ftplib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runner.accounts.accounts import Accounts, hash_password
from runner.accounts.file import Account
from runner.ftp.config import FtpConfig
from runner.ftp.fallback import PythonServer
from runner.storage import open_tree
from runner.supervisor import listen

__all__ = ["CERTIFICATE", "Raw", "Server"]

CERTIFICATE = Path(__file__).parents[1] / "http" / "localhost.pem"


class Server:
    """A server in a thread with an event loop, and what it tells."""

    def __init__(self, root: Path | str, config: FtpConfig, certificate: Path | None = None) -> None:
        self.root = root
        self.told: list[tuple[str, Any]] = []
        self.sockets = listen("127.0.0.1", 0, 100)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        accounts = {"alice": Account("alice", hash_password("secret"))}
        self.accounts = Accounts(anonymous=Account("anonymous", None))
        self.accounts._accounts = accounts
        chain = None if certificate is None else (str(certificate), str(certificate))
        self.server = self.call(
            lambda: PythonServer(open_tree(str(root)), self.accounts, self.sockets, config, self, certificate=chain)
        )
        self.server.start()

    def call(self, what: Callable[[], Any]) -> Any:
        """The value of something in the event loop."""

        async def called() -> Any:
            return what()

        return asyncio.run_coroutine_threadsafe(called(), self.loop).result(30)

    def opened(self, connection: Any) -> None:
        self.told.append(("opened", connection.id))

    def closed(self, connection: int) -> None:
        self.told.append(("closed", connection))

    def reported(self, reports: Any) -> None:
        self.told += [(report.verb, report) for report in reports]

    def storage_failed(self, exchange: int, error: BaseException) -> None:
        self.told.append(("failed", error))

    def component_failed(self, error: BaseException, waiting: int) -> None:
        self.told.append(("failed", error))

    def component_started(self, seconds: float) -> None:
        self.told.append(("started", seconds))

    def report(self, verb: str) -> Any:
        """What was told of a command, once it was."""
        self.until(lambda: any(name == verb for name, _ in self.told))
        return next(found for name, found in reversed(self.told) if name == verb)

    def until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < end, self.told
            time.sleep(0.01)

    def channels(self) -> list[Any]:
        """The data connections."""
        found = [getattr(session, "data_channel", None) for session in self.server._sessions]
        return [channel for channel in found if channel is not None]

    def client(self, user: str = "anonymous", password: str = "") -> ftplib.FTP:
        client = ftplib.FTP(timeout=30)
        client.connect(*self.sockets[0].getsockname())
        client.login(user, password)
        return client

    def stop(self, grace: float = 10) -> None:
        """Ends it."""
        self.call(lambda: self.server.stop(grace))
        self.until(lambda: self.server.done.done())
        for item in self.sockets:
            item.close()


class Raw:
    """A control connection of which every reply is seen."""

    def __init__(self, server: Server, user: str | None = "alice") -> None:
        self.socket = socket.create_connection(server.sockets[0].getsockname(), 30)
        self._file = self.socket.makefile("rb")
        assert self.reply().startswith("220")
        if user is not None:
            assert self.ask(f"USER {user}")[:3] == "331"
            assert self.ask("PASS secret")[:3] == "230"
            assert self.ask("TYPE I")[:3] == "200"

    def send(self, *lines: str) -> None:
        self.socket.sendall("".join(f"{line}\r\n" for line in lines).encode())

    def reply(self) -> str:
        """The next reply, its last line; nothing when the connection has ended."""
        while line := self._file.readline().decode():
            if line[3:4] == " " and line[:3].isdigit():
                return line.rstrip()
        return ""

    def ask(self, line: str) -> str:
        self.send(line)
        return self.reply()

    def passive(self) -> tuple[str, int]:
        """Where EPSV says that the data connection is to go."""
        return "127.0.0.1", int(self.ask("EPSV").split("|")[3])

    def data(self) -> socket.socket:
        """A data connection."""
        return socket.create_connection(self.passive(), 30)

    def close(self) -> None:
        self._file.close()
        self.socket.close()

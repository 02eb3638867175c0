"""The command `runner serve ftp` in a process of its own, with a folder and accounts, until the end of a test."""

from __future__ import annotations

import contextlib
import ftplib
import io
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.runner.http.serving import PATIENCE, ROOT, until_the_end
from tests.runner.http.serving import Process as AnyProcess
from tests.runner.http.serving import component_with as any_component_with

__all__ = ["COMPONENT", "PATIENCE", "PYTHON", "ROOT", "SHIPPED", "Process", "accounts", "component_with", "serving"]

COMPONENT, PYTHON = "runner.ftp_component=true", "runner.ftp_component=false"
SHIPPED = ROOT / "plugins/ftp-component/prebuilt"
USER, PASSWORD = "ada", "difference engine"


class Process(AnyProcess):
    """A running command, its files, and clients of it."""

    def __init__(self, folder: Path, *args: str, url: str | None = None, verb: str = "serve") -> None:
        """`url` is a storage to serve instead of a folder."""
        self.root = folder / "root"
        self.root.mkdir(exist_ok=True)
        given = accounts(folder / "accounts.toml")
        super().__init__(
            ROOT, "--root", url or str(self.root), "--accounts", str(given), *args, protocol="ftp", verb=verb
        )

    def ftp(self, *, log_in: bool = True, **options: Any) -> ftplib.FTP:
        """A client, logged in unless that is not wanted."""
        found = ftplib.FTP(timeout=PATIENCE, encoding="utf-8", **options)
        found.connect("127.0.0.1", self.port)
        if log_in:
            found.login(USER, PASSWORD)
        return found


def accounts(path: Path) -> Path:
    """A file with an account that may do everything, and one that may only read; one that is there stays."""
    if path.exists():
        return path
    for name, *options in ((USER,), ("reader", "--permissions", "elr")):
        command = [sys.executable, "-m", "runner.cli", "accounts", "add", str(path), name, *options]
        subprocess.run(command, input=PASSWORD + "\n", text=True, check=True, cwd=ROOT)
    return path


@contextlib.contextmanager
def serving(folder: Path, *args: str, url: str | None = None, verb: str = "serve") -> Iterator[Process]:
    """A running command, which has ended by itself or is told to at the end."""
    with until_the_end(Process(folder, *args, url=url, verb=verb)) as found:
        yield found


def component_with(folder: Path, **limits: Any) -> Path:
    """The shipped component in a folder of its own, with other limits in its manifest."""
    return any_component_with(folder, SHIPPED, **limits)


def fetched(client: ftplib.FTP, path: str, offset: int | None = None) -> bytes:
    """What RETR gives."""
    found = io.BytesIO()
    client.retrbinary(f"RETR {path}", found.write, rest=offset)
    return found.getvalue()


def stored(client: ftplib.FTP, path: str, data: bytes, verb: str = "STOR", offset: int | None = None) -> str:
    """Stores bytes; gives the reply."""
    return client.storbinary(f"{verb} {path}".strip(), io.BytesIO(data), rest=offset)


def lines_of(client: ftplib.FTP, command: str) -> list[str]:
    """What a listing says."""
    found: list[str] = []
    client.retrlines(command, found.append)
    return found


def replied(client: ftplib.FTP, command: str) -> str:
    """The code of the reply to a command, whichever it is."""
    try:
        return client.sendcmd(command)[:3]
    except ftplib.Error as error:
        return str(error)[:3]


def reset(connection: socket.socket) -> None:
    """Ends a connection without a word."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def vanish(client: ftplib.FTP) -> None:
    """The client is gone, without a word."""
    assert client.sock is not None and client.file is not None
    # The connection is closed with the last that uses it.
    client.file.close()
    reset(client.sock)

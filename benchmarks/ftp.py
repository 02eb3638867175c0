"""The FTP component against pyftpdlib: large files both ways, many small ones, logins, memory.

Every server has the same folder's worth of files and runs in one process of its own; the same client asks each in turn,
several times in one run. The best turn of each counts. Beside what a client waits for stands what the server's
processor works for it: where both share few processors, that is what tells servers apart.
"""

from __future__ import annotations

import contextlib
import ftplib
import os
import re
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from measure import ROOT

__all__ = ["HEAD", "TITLE", "conditions", "rows"]

TITLE = "FTP"
HEAD = ("What", "witgen", "Peer", "", "Ratio", "Wanted")

ADDRESS = "127.0.0.1"
USER, PASSWORD = "bench", "bench"
#: Sizes of everything, for a quick look: 1 is the whole.
SHARE = float(os.environ.get("BENCHMARK_SHARE", "1"))
_TURNS = 3
_LARGE = int(SHARE * (256 << 20))
_SMALL = int(SHARE * 10_000)
_LOGINS = int(SHARE * 1000)
_SESSIONS = 200
_PIECE = bytes(1 << 18)

_OURS, _UNSYNCED, _PEER = "the component", "the component, --no-sync", "pyftpdlib"
#: What the Runner falls back to: pyftpdlib with the same files, accounts and promises.
_SAME = "pyftpdlib in the Runner"


def conditions() -> str:
    """What it was measured with."""
    import pyftpdlib

    return f"pyftpdlib {pyftpdlib.__ver__}, {os.cpu_count()} processors, one process a server"


def rows() -> Iterator[tuple[str, ...]]:
    """All measurements."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, most), most))
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ftp-", dir="/var/tmp")))
        servers = {name: stack.enter_context(_server(make, folder / name)) for name, make in _COMMANDS.items()}
        yield from _large("RETR", _retrieve, servers)
        yield from _large("STOR", _store, servers)
        yield from _small(servers)
        yield from _logins(servers)
        yield from _memory(servers)


def _runner(*extra: str, component: bool = True) -> Callable[[Path, int], list[str]]:
    def command(folder: Path, port: int) -> list[str]:
        accounts = folder.parent / "accounts.toml"
        if not accounts.exists():
            add = [sys.executable, "-m", "runner.cli", "accounts", "add", str(accounts), USER]
            subprocess.run(add, input=PASSWORD + "\n", text=True, check=True, capture_output=True, env=_environment())
        bind = ["serve", "ftp", "--bind", f"{ADDRESS}:{port}", "--root", str(folder), "--accounts", str(accounts)]
        return ["-m", "runner.cli", *bind, "--flag", f"runner.ftp_component={str(component).lower()}", *extra]

    return command


def _pyftpdlib(folder: Path, port: int) -> list[str]:
    return ["-m", "ftp_peer", str(folder), ADDRESS, str(port), USER, PASSWORD]


_COMMANDS: dict[str, Callable[[Path, int], list[str]]] = {
    _OURS: _runner(),
    _UNSYNCED: _runner("--no-sync"),
    _PEER: _pyftpdlib,
    _SAME: _runner(component=False),
}


class Server:
    """A server in a process of its own."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.process = process

    def client(self) -> ftplib.FTP:
        """A client that has logged in."""
        client = ftplib.FTP(timeout=120)
        client.connect(ADDRESS, self.port)
        client.login(USER, PASSWORD)
        client.voidcmd("TYPE I")
        return client

    def worked(self) -> float:
        """Seconds that its processor has worked."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> float:
        """Resident memory in MB."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", text)
        assert found is not None
        return int(found[1]) / 1024


def _environment() -> dict[str, str]:
    paths = os.pathsep.join([str(Path(__file__).parent), str(ROOT), str(ROOT / "plugins/runner")])
    return {**os.environ, "PYTHONPATH": paths}


@contextlib.contextmanager
def _server(command: Callable[[Path, int], list[str]], folder: Path) -> Iterator[Server]:
    folder.mkdir()
    with (folder / "large").open("wb") as file:
        for _ in range(-(-_LARGE // len(_PIECE))):
            file.write(_PIECE)
        file.truncate(_LARGE)
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        port = int(probe.getsockname()[1])
    arguments = [sys.executable, *command(folder, port)]
    process = subprocess.Popen(arguments, env=_environment(), stderr=subprocess.DEVNULL)
    server = Server(port, process)
    try:
        while True:
            if process.poll() is not None:
                raise RuntimeError(f"the server ended with {process.returncode}")
            with contextlib.suppress(OSError), contextlib.closing(server.client()):
                break
            time.sleep(0.01)
        yield server
    finally:
        process.terminate()
        process.wait(60)


def _retrieve(client: ftplib.FTP, path: str = "large") -> int:
    size = 0
    buffer = bytearray(1 << 18)
    with client.transfercmd(f"RETR {path}") as data:
        while count := data.recv_into(buffer):
            size += count
    client.voidresp()
    return size


def _store(client: ftplib.FTP) -> int:
    left = _LARGE
    with client.transfercmd("STOR stored") as data:
        while left:
            data.sendall(_PIECE[:left])
            left -= min(left, len(_PIECE))
    client.voidresp()
    return _LARGE


class _Measured:
    """The best of several turns: what a client waited for, and what the server worked."""

    def __init__(self) -> None:
        self.waited = self.worked = float("inf")

    def turn(self, server: Server, work: Callable[[], object]) -> None:
        """One more."""
        before, begun = server.worked(), time.perf_counter()
        work()
        self.waited = min(self.waited, time.perf_counter() - begun)
        self.worked = min(self.worked, server.worked() - before)


def _large(verb: str, transfer: Callable[[ftplib.FTP], int], servers: dict[str, Server]) -> Iterator[tuple[str, ...]]:
    found = {name: _Measured() for name in servers}
    with contextlib.ExitStack() as stack:
        clients = {name: stack.enter_context(contextlib.closing(server.client())) for name, server in servers.items()}
        for _ in range(2 * _TURNS):
            for name, server in servers.items():
                found[name].turn(server, lambda name=name: _whole(transfer(clients[name])))  # type: ignore[misc]
    for name, peer in _pairs(verb):
        ours, theirs = found[name], found[peer]
        what = f"{verb} of {_LARGE >> 20} MiB" + ("" if name == _OURS else ", not synced")
        yield what, _rate(ours.waited), peer, _rate(theirs.waited), f"{theirs.waited / ours.waited:.2f}", "≥ 1"
        yield "… the server's work", *_works(ours.worked, peer, theirs.worked), "≤ 1"


def _pairs(verb: str) -> list[tuple[str, str]]:
    """Who is held against whom."""
    return [(_OURS, _PEER), *([(_UNSYNCED, _PEER)] if verb == "STOR" else []), (_OURS, _SAME)]


def _whole(size: int) -> None:
    if size != _LARGE:
        raise RuntimeError(f"{size} bytes instead of {_LARGE}")


def _rate(seconds: float) -> str:
    return f"{_LARGE / seconds / 1e6:,.0f} MB/s"


def _works(ours: float, peer: str, theirs: float) -> tuple[str, str, str, str]:
    ratio = f"{ours / theirs:.2f}" if theirs else ""
    return f"{ours * 1e3:.0f} ms", peer, f"{theirs * 1e3:.0f} ms", ratio


def _small(servers: dict[str, Server]) -> Iterator[tuple[str, ...]]:
    """Files of 1 kB on one connection, each with a data connection of its own."""
    stored = {name: _Measured() for name in servers}
    fetched = {name: _Measured() for name in servers}
    for name, server in servers.items():
        with contextlib.closing(server.client()) as client:
            stored[name].turn(server, lambda client=client: _store_small(client))  # type: ignore[misc]
            fetched[name].turn(server, lambda client=client: _fetch_small(client))  # type: ignore[misc]
    for verb, found in (("STOR", stored), ("RETR", fetched)):
        for name, peer in _pairs(verb):
            ours, theirs = found[name], found[peer]
            what = f"{verb} of {_SMALL:,} files of 1 kB" + ("" if name == _OURS else ", not synced")
            rates = [f"{_SMALL / item.waited:,.0f} a second" for item in (ours, theirs)]
            yield what, rates[0], peer, rates[1], f"{theirs.waited / ours.waited:.2f}", "≥ 1"
            yield "… the server's work", *_works(ours.worked, peer, theirs.worked), "≤ 1"


def _store_small(client: ftplib.FTP) -> None:
    for number in range(_SMALL):
        with client.transfercmd(f"STOR small{number}") as data:
            data.sendall(_PIECE[:1000])
        client.voidresp()


def _fetch_small(client: ftplib.FTP) -> None:
    for number in range(_SMALL):
        _retrieve(client, f"small{number}")


def _logins(servers: dict[str, Server]) -> Iterator[tuple[str, ...]]:
    found = {name: _Measured() for name in servers}

    def work(server: Server) -> None:
        for _ in range(_LOGINS):
            server.client().close()

    for _ in range(_TURNS):
        for name in (_OURS, _PEER, _SAME):
            found[name].turn(servers[name], lambda name=name: work(servers[name]))  # type: ignore[misc]
    for peer in (_PEER, _SAME):
        ours, theirs = found[_OURS], found[peer]
        rates = [f"{_LOGINS / item.waited:,.0f} a second" for item in (ours, theirs)]
        yield "logins", rates[0], peer, rates[1], f"{theirs.waited / ours.waited:.2f}", "≥ 1"
        yield "… the server's work", *_works(ours.worked, peer, theirs.worked), ""


def _memory(servers: dict[str, Server]) -> Iterator[tuple[str, ...]]:
    """What sessions take that do nothing."""
    memory = dict.fromkeys((_OURS, _PEER), 0.0)
    for name in memory:
        before = servers[name].resident()
        with contextlib.ExitStack() as stack:
            for _ in range(_SESSIONS):
                stack.enter_context(contextlib.closing(servers[name].client()))
            memory[name] = (servers[name].resident() - before) * 1024 / _SESSIONS
    ours, peer = memory[_OURS], memory[_PEER]
    ratio = f"{ours / peer:.2f}" if peer else ""
    yield f"memory of a session, of {_SESSIONS}", f"{ours:.0f} kB", _PEER, f"{peer:.0f} kB", ratio, ""
    ours, peer = servers[_OURS].resident(), servers[_PEER].resident()
    yield "resident memory after all that", f"{ours:.0f} MB", _PEER, f"{peer:.0f} MB", f"{ours / peer:.2f}", ""

"""The HTTP component against uvicorn: requests per second, latency beside idle connections, a large download, memory.

Every server runs the same application in one process of its own; wrk asks each in turn, several times in one run. The
best turn of each counts, as other work on the machine only ever makes a turn slower.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from measure import ROOT, ms

__all__ = ["ADDRESS", "HEAD", "TITLE", "Server", "conditions", "ours", "rows"]

TITLE = "HTTP"
HEAD = ("What", "witgen", "Peer", "", "Ratio", "Wanted")

_HERE = Path(__file__).parent
_SECONDS, _TURNS = 3, 5
_IDLE = 1000
_DOWNLOAD = 256 << 20
ADDRESS = "127.0.0.1"


def conditions() -> str:
    """What it was measured with."""
    return f"wrk {_wrk_version()}, {os.cpu_count()} processors, one process a server"


def rows() -> Iterator[tuple[str, ...]]:
    """All measurements, or a row that says what is missing."""
    if shutil.which("wrk") is None:
        yield ("wrk is not installed on this machine", "", "", "", "", "")
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(_server(command)) for name, command in _COMMANDS.items()}
        yield from _rates(servers)
        yield from _idle(servers)
        yield from _downloads(servers)
        yield from _memory(servers)
    yield from _starts()


def _runner(port: int) -> list[str]:
    address = f"{ADDRESS}:{port}"
    return [
        "-m",
        "runner.cli",
        "serve",
        "http",
        "--bind",
        address,
        "--flag",
        "runner.http_component=true",
        "--app",
        _APP,
    ]


def _uvicorn(*extra: str) -> Callable[[int], list[str]]:
    common = ["--log-level", "error", "--no-access-log", "--lifespan", "off", "--host", ADDRESS]
    return lambda port: ["-m", "uvicorn", _APP, *common, "--port", str(port), *extra]


_APP = "http_app:app"
_OURS = "the component"
_H11, _FAST = "uvicorn, h11, asyncio", "uvicorn, httptools, uvloop"
_COMMANDS: dict[str, Callable[[int], list[str]]] = {
    _OURS: _runner,
    _H11: _uvicorn("--http", "h11", "--loop", "asyncio"),
    _FAST: _uvicorn("--http", "httptools", "--loop", "uvloop"),
}


class Server:
    """A server in a process of its own."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.process = process

    def url(self, path: str = "/") -> str:
        return f"http://{ADDRESS}:{self.port}{path}"

    def resident(self) -> float:
        """Resident memory in MB."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", text)
        assert found is not None
        return int(found[1]) / 1024


@contextlib.contextmanager
def _server(command: Callable[[int], list[str]]) -> Iterator[Server]:
    port = _free_port()
    paths = os.pathsep.join([str(_HERE), str(ROOT), str(ROOT / "plugins/runner")])
    process = subprocess.Popen(
        [sys.executable, *command(port)], env={**os.environ, "PYTHONPATH": paths}, stderr=subprocess.DEVNULL
    )
    try:
        _wait(port, process)
        yield Server(port, process)
    finally:
        process.terminate()
        process.wait(60)


def ours() -> contextlib.AbstractContextManager[Server]:
    """The Runner's server with the component."""
    return _server(_runner)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    """Returns when the server has answered."""
    while True:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with contextlib.suppress(OSError), socket.create_connection((ADDRESS, port), 5) as client:
            client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
            if client.recv(100):
                return
        time.sleep(0.01)


def _rates(servers: dict[str, Server]) -> Iterator[tuple[str, ...]]:
    for connections in (1, 64):
        best = dict.fromkeys(servers, 0.0)
        for _ in range(_TURNS):
            for name, server in servers.items():
                best[name] = max(best[name], _wrk(server.url(), connections).rate)
        for peer, wanted in ((_H11, "≥ 1"), (_FAST, "about 1")):
            what = f"requests a second, {connections} connection{'s' if connections > 1 else ''}"
            ratio = best[_OURS] / best[peer]
            yield what, f"{best[_OURS]:,.0f}", peer, f"{best[peer]:,.0f}", f"{ratio:.2f}", wanted


class _Wrk:
    """What wrk says."""

    def __init__(self, output: str) -> None:
        self.rate = float(_search(r"Requests/sec:\s+([\d.]+)", output)[0])
        value, unit = _search(r"99%\s+([\d.]+)(us|ms|s)", output)
        #: Seconds within which 99 of 100 requests were answered.
        self.p99 = float(value) * {"us": 1e-6, "ms": 1e-3, "s": 1.0}[unit]
        wrong = re.search(r"Non-2xx or 3xx responses: \d+|Socket errors: .*", output)
        if wrong is not None:
            raise RuntimeError(wrong[0])


def _search(pattern: str, text: str) -> tuple[str, ...]:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(text)
    return found.groups()


def _wrk(url: str, connections: int) -> _Wrk:
    command = ["wrk", "-t1", f"-c{connections}", f"-d{_SECONDS}s", "--latency", url]
    return _Wrk(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _wrk_version() -> str:
    if shutil.which("wrk") is None:
        return "is missing"
    found = subprocess.run(["wrk", "-v"], capture_output=True, text=True)
    return re.sub(r"^wrk\s+(\S+).*", r"\1", (found.stdout + found.stderr).split("\n")[0])


def _idle(servers: dict[str, Server]) -> Iterator[tuple[str, ...]]:
    server = servers[_OURS]
    without = min(_wrk(server.url(), 8).p99 for _ in range(_TURNS))
    idle = [socket.create_connection((ADDRESS, server.port), 10) for _ in range(_IDLE)]
    try:
        for client in idle:
            client.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        for client in idle:
            client.recv(1000)
        beside = min(_wrk(server.url(), 8).p99 for _ in range(_TURNS))
        memory = server.resident()
    finally:
        for client in idle:
            client.close()
    what = f"99th percentile, 8 connections beside {_IDLE:,} idle ones"
    yield what, ms(beside), "without idle ones", ms(without), f"{beside / without:.2f}", "≤ 1.5"
    yield f"memory with {_IDLE:,} idle connections", f"{memory:.0f} MB", "", "", "", ""


def _downloads(servers: dict[str, Server]) -> Iterator[tuple[str, ...]]:
    best = dict.fromkeys(servers, 0.0)
    for _ in range(2 * _TURNS):
        for name, server in servers.items():
            begun = time.perf_counter()
            size = _fetch(server, f"/stream/{_DOWNLOAD}")
            best[name] = max(best[name], size / (time.perf_counter() - begun))
            if size < _DOWNLOAD:
                raise RuntimeError(f"{name} sent {size} bytes of {_DOWNLOAD}")
    for peer in (_H11, _FAST):
        ratio = best[_OURS] / best[peer]
        what = f"download of {_DOWNLOAD >> 20} MiB"
        yield what, f"{best[_OURS] / 1e6:,.0f} MB/s", peer, f"{best[peer] / 1e6:,.0f} MB/s", f"{ratio:.2f}", "≥ 0.9"


def _fetch(server: Server, path: str) -> int:
    size = 0
    buffer = bytearray(1 << 18)
    with socket.create_connection((ADDRESS, server.port), 60) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n".encode())
        while count := client.recv_into(buffer):
            size += count
    return size


def _memory(servers: dict[str, Server]) -> Iterator[tuple[str, ...]]:
    ours = servers[_OURS].resident()
    for peer in (_H11, _FAST):
        other = servers[peer].resident()
        yield "resident memory after all that", f"{ours:.0f} MB", peer, f"{other:.0f} MB", f"{ours / other:.2f}", ""


def _starts() -> Iterator[tuple[str, ...]]:
    """From the start of the process to its first answer."""
    warm, cold, peer = float("inf"), float("inf"), float("inf")
    for _ in range(_TURNS):
        with tempfile.TemporaryDirectory() as cache:
            previous = os.environ.get("WITGEN_CACHE_DIR")
            os.environ["WITGEN_CACHE_DIR"] = cache
            cold = min(cold, _start(_runner))
            warm = min(warm, _start(_runner))
            os.environ.pop("WITGEN_CACHE_DIR") if previous is None else os.environ.update(WITGEN_CACHE_DIR=previous)
        peer = min(peer, _start(_COMMANDS[_H11]))
    for what, found in (("start to first answer, nothing compiled", cold), ("the same, compiled before", warm)):
        yield what, ms(found), _H11, ms(peer), f"{found / peer:.2f}", ""


def _start(command: Callable[[int], Sequence[str]]) -> float:
    begun = time.perf_counter()
    with _server(lambda port: list(command(port))):
        return time.perf_counter() - begun

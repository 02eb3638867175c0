"""Whether the HTTP server keeps its memory: a day's requests in minutes. Run by ``make soak minutes=N``.

The server answers short requests, uploads, downloads and broken connections at once, as fast as it can. After a third
of the time its memory counts; it has failed if it grows by more than a tenth until the end.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

from serving import ADDRESS, Server, ours

_BODY = bytes(300_000)
_ALLOWED = 1.1
#: What a busy site gets in a day: ten requests a second, on average.
_DAY = 10 * 24 * 3600


def main() -> None:
    """Runs for the minutes that are asked for, and ends with 1 if memory has grown."""
    seconds = 60 * float(sys.argv[1] if len(sys.argv) > 1 else 2)
    with ours() as server:
        end = time.monotonic() + seconds
        counts = dict.fromkeys(("uploads", "downloads", "broken connections"), 0)
        threads = [
            threading.Thread(target=_repeat, args=(end, counts, name, work, server))
            for name, work in (("uploads", _upload), ("downloads", _download), ("broken connections", _break_off))
        ]
        command = ["wrk", "-t1", "-c32", f"-d{int(seconds)}s", server.url()]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as wrk:
            for thread in threads:
                thread.start()
            samples = _watch(server, seconds)
            for thread in threads:
                thread.join()
            output = wrk.communicate()[0]
        requests = next(line.split()[0] for line in output.splitlines() if "requests in" in line)
        first, last = samples[len(samples) // 3], samples[-1]
        days = int(requests) / _DAY
        print(f"{int(requests):,} short requests ({days:.1f} days of ten a second), " + _told(counts))
        print(f"resident memory after a third: {first:.1f} MB; at the end: {last:.1f} MB; ratio {last / first:.3f}")
    if last / first > _ALLOWED:
        sys.exit(f"memory has grown by more than {_ALLOWED - 1:.0%}")


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _watch(server: Server, seconds: float) -> list[float]:
    samples = []
    step = seconds / 12
    for number in range(12):
        time.sleep(step)
        samples.append(server.resident())
        print(f"{(number + 1) * step:6.0f} s  {samples[-1]:.1f} MB", flush=True)
    return samples


def _repeat(end: float, counts: dict[str, int], name: str, work: Callable[[Server], None], server: Server) -> None:
    while time.monotonic() < end:
        work(server)
        counts[name] += 1


def _upload(server: Server) -> None:
    with socket.create_connection((ADDRESS, server.port), 30) as client:
        client.sendall(b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(_BODY))
        # The application does not read it: the connection may end before all is sent.
        with contextlib.suppress(OSError):
            client.sendall(_BODY)
            while client.recv(65536):
                pass


def _download(server: Server) -> None:
    with socket.create_connection((ADDRESS, server.port), 30) as client:
        client.sendall(b"GET /stream/1000000 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        while client.recv(65536):
            pass


def _break_off(server: Server) -> None:
    """Half a request, or half an answer."""
    with socket.create_connection((ADDRESS, server.port), 30) as client:
        client.sendall(
            os.urandom(100) if time.monotonic_ns() % 2 else b"GET /stream/9999999 HTTP/1.1\r\nhost: a\r\n\r\n"
        )
        client.recv(1000)


if __name__ == "__main__":
    main()

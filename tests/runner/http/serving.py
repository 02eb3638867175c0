"""`runner serve http` or `runner rollout http` as a process, on a free port of loopback, until the end of a test."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "plugins/http-component/prebuilt"
PATIENCE = 30.0
COMPONENT, PYTHON = "runner.http_component=true", "runner.http_component=false"


class Process:
    """A running command, and what it says."""

    def __init__(
        self,
        folder: Path,
        *args: str,
        app: str | None = None,
        env: dict[str, str] | None = None,
        verb: str = "serve",
        protocol: str = "http",
    ) -> None:
        command = [sys.executable, "-m", "runner.cli", verb, protocol, "--bind", "127.0.0.1:0"]
        command += ["--metrics", "127.0.0.1:0", *args] + ([] if app is None else ["--app", app])
        self.process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **(env or {})}, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.port = int(self.wait_for(r"listening on \w+://127\.0\.0\.1:(\d+)")[1])
        self.status_port = int(self.wait_for(r"status on http://127\.0\.0\.1:(\d+)")[1])

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def wait_for(self, pattern: str, count: int = 1) -> re.Match[str]:
        """The `count`-th line that it says which a pattern matches, once it has said it."""

        def matches() -> list[re.Match[str]]:
            return [found for line in self.lines if (found := re.search(pattern, line))]

        with self._news:
            self._news.wait_for(lambda: len(matches()) >= count or not self._reader.is_alive(), PATIENCE)
            found = matches()
        assert len(found) >= count, f"{pattern!r} was not said {count} time(s):\n" + "\n".join(self.lines)
        return found[count - 1]

    def connect(self) -> socket.socket:
        """A connection to the service."""
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE)

    def client(self) -> http.client.HTTPConnection:
        """A connection to the service that speaks HTTP."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def get(self, path: str = "/", method: str = "GET", body: Any = None, **fields: str) -> tuple[int, bytes]:
        """Status and content of the answer to a request on a connection of its own."""
        with contextlib.closing(self.client()) as client:
            client.request(method, path, body, fields)
            answer = client.getresponse()
            return answer.status, answer.read()

    def shown(self, path: str) -> tuple[int, str]:
        """Status and text of what is shown to operators."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.status_port, timeout=PATIENCE)) as client:
            client.request("GET", path)
            answer = client.getresponse()
            return answer.status, answer.read().decode()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends it, and gives its exit status."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


P = TypeVar("P", bound=Process)


@contextlib.contextmanager
def until_the_end(found: P) -> Iterator[P]:
    """A command that serves, which has ended by itself or is told to at the end."""
    try:
        found.wait_for('"event": "serving"')
        yield found
    finally:
        if found.process.poll() is None:
            found.process.send_signal(signal.SIGTERM)
            try:
                found.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                found.process.kill()
                found.process.wait()
                raise


@contextlib.contextmanager
def serving(
    folder: Path, *args: str, app: str | None = None, env: dict[str, str] | None = None, verb: str = "serve"
) -> Iterator[Process]:
    """A running command, which has ended by itself or is told to at the end."""
    with until_the_end(Process(folder, *args, app=app, env=env, verb=verb)) as found:
        yield found


def component_with(folder: Path, shipped: Path = SHIPPED, **limits: Any) -> Path:
    """The shipped component in a folder of its own, with other limits in its manifest."""
    folder.mkdir(exist_ok=True)
    text = (shipped / "component.toml").read_text()
    for name, value in limits.items():
        text = re.sub(rf"(?m)^{name} = .*\n", "", text)
        text = text.replace("[limits]\n", f"[limits]\n{name} = {value}\n")
    (folder / "component.toml").write_text(text)
    (folder / "wit.lock").write_bytes((ROOT / "wit.lock").read_bytes())
    for component in shipped.glob("*.wasm"):
        (folder / component.name).write_bytes(component.read_bytes())
    return folder

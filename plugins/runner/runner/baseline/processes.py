"""The processes of a measurement: Runners that serve, what they say and use, and helpers that print a line at the end.

Memory and processor time of a Runner are those of all processes that it has started, from /proc (proc(5)).
"""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from runner.errors import RunnerError

__all__ = ["Helper", "Served", "python"]

_PATIENCE = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = resource.getpagesize()


def python(module: str, *args: str) -> list[str]:
    """The command of a module."""
    return [sys.executable, "-m", module, *args]


class Served:
    """A `runner serve`, on free ports of loopback. A ``with`` statement starts it, and ends it in peace."""

    def __init__(self, protocol: str, args: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        """`environ` is that of the process, whole; `log` is the file for what it says."""
        self.protocol = protocol
        self._log = log
        address = "127.0.0.1:0"
        self._command = python("runner.cli", "serve", protocol, "--bind", address, "--metrics", address, *args)
        self._environ = environ
        #: The ports of the service and of the status page, once it runs.
        self.port = self.status_port = 0
        self._addresses: dict[str, int] = {}
        self._news = threading.Condition()
        self._serves = False

    def __enter__(self) -> Served:
        self._process = subprocess.Popen(
            self._command, env=self._environ, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read, name=f"log of {self.protocol}", daemon=True)
        self._reader.start()
        with self._news:
            self._news.wait_for(lambda: self._serves or not self._reader.is_alive(), _PATIENCE)
        if not self._serves:
            self.__exit__(None, None, None)
            raise RunnerError(f"runner serve {self.protocol} does not serve; {self._log} says why")
        self.port, self.status_port = self._addresses["listening"], self._addresses["status"]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stderr is not None
        with self._log.open("w") as log:
            for line in self._process.stderr:
                log.write(line)
                log.flush()
                found = re.match(r"(listening|status) on \w+://127\.0\.0\.1:(\d+)", line)
                with self._news:
                    if found:
                        self._addresses[found[1]] = int(found[2])
                    self._serves |= '"event": "serving"' in line
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    @property
    def component(self) -> dict[str, Any]:
        """What the status page says of its component: `mode`, `reason` and more. Raises `RunnerError`."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.status_port}/status.json", timeout=_PATIENCE) as got:
                found: dict[str, Any] = json.load(got)["component"]
                return found
        except OSError as error:
            raise RunnerError(f"runner serve {self.protocol} is gone ({error}); {self._log} says more") from None

    def resident(self) -> int:
        """Resident bytes of all its processes; pages that they share count for each."""
        return sum(int((_told(pid, "statm") or "0 0").split()[1]) * _PAGE for pid in self._family())

    def cpu(self) -> float:
        """Seconds of a processor that its processes have used, but for those that have ended."""
        return sum(sum(map(int, _stat(pid)[11:13])) for pid in self._family()) / _TICKS

    def _family(self) -> Iterator[int]:
        parents = {int(path.name): _stat(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdigit()}
        family = {self._process.pid}
        # Children have higher numbers than their parents but where numbers begin anew: until nothing is new.
        while more := {pid for pid, stat in parents.items() if stat and int(stat[1]) in family} - family:
            family |= more
        return iter(sorted(family))


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name, which may have spaces: state, parent and so on."""
    text = _told(pid, "stat")
    return text.rpartition(")")[2].split() if text else []


def _told(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except OSError:
        # It has ended in between.
        return ""


class Helper:
    """A process that prints a line of JSON when it is over."""

    def __init__(self, module: str, *args: str) -> None:
        self._module = module
        self._process = subprocess.Popen(python(module, *args), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def check(self) -> None:
        """Raises `RunnerError` where it has ended too soon."""
        if self._process.poll() not in (None, 0):
            raise RunnerError(f"{self._module} has failed with status {self._process.returncode}")

    def result(self, patience: float) -> dict[str, Any]:
        """What it printed, after at most `patience` seconds. Raises `RunnerError`."""
        try:
            output, _ = self._process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RunnerError(f"{self._module} does not end") from None
        self.check()
        found: dict[str, Any] = json.loads(output)
        return found

    def kill(self) -> None:
        """Ends it at once, if it has not ended."""
        self._process.kill()
        self._process.wait()

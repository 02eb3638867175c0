"""A Prometheus of one's own, as a process: what it scrapes, and averages that it is asked for.

It is Debian's program, found on the PATH or where `scripts/setup_baseline.sh` has put it, as is jemalloc
(`find_tools`). It listens on loopback and keeps its data in the folder that it is given.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from runner.errors import RunnerError

__all__ = ["Prometheus", "Tools", "find_tools"]

#: Where the script puts what it can't install, from the current folder.
FETCHED = Path("target/baseline")
_LIBRARY = "libjemalloc.so.2"
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Tools:
    """Files of programs of others; None for what is not on this machine."""

    prometheus: Path | None
    jemalloc: Path | None

    @property
    def missing(self) -> Mapping[str, str]:
        """What can't be measured, and why, by the source of the figures."""
        remedy = "is not on this machine; scripts/setup_baseline.sh fetches it"
        found = {"Prometheus": self.prometheus, "jemalloc": self.jemalloc}
        return {name: f"{name} {remedy}" for name, path in found.items() if path is None}


def find_tools(fetched: Path = FETCHED) -> Tools:
    """What is on this machine: the system's own, or in the folder `fetched`."""
    program = shutil.which("prometheus")
    own = fetched / "usr/bin/prometheus"
    prometheus = Path(program) if program else own.resolve() if own.exists() else None
    places = (Path("/usr/lib"), Path("/usr/local/lib"), fetched / "usr/lib")
    libraries = (path for place in places for path in (*place.glob(_LIBRARY), *place.glob(f"*/{_LIBRARY}")))
    jemalloc = next(libraries, None)
    return Tools(prometheus, None if jemalloc is None else jemalloc.resolve())


class Prometheus:
    """A Prometheus that scrapes; a ``with`` statement starts and ends it."""

    def __init__(self, program: Path, folder: Path, targets: Mapping[str, int], interval: float) -> None:
        """`targets` has the ports on loopback by the name that figures get as `job`; `interval` is in seconds."""
        self._folder = folder
        self._port = _free_port()
        folder.mkdir(parents=True, exist_ok=True)
        configuration = folder / "prometheus.yml"
        configuration.write_text(_configuration(targets, interval))
        self._command = [
            str(program),
            f"--config.file={configuration}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
            "--log.level=warn",
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Prometheus:
        with (self._folder / "prometheus.log").open("wb") as log:
            self._process = subprocess.Popen(self._command, stderr=log, stdout=log)
        end = time.monotonic() + _PATIENCE
        while not self._ready():
            if self._process.poll() is not None or time.monotonic() > end:
                self.__exit__(None, None, None)
                text = (self._folder / "prometheus.log").read_text(errors="replace")
                raise RunnerError(f"Prometheus does not start: {text.strip() or 'it says nothing'}")
            time.sleep(0.05)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def value(self, query: str, at: float) -> float | None:
        """The one value of a query at a moment, in seconds since the epoch; None where there is none.

        Raises `RunnerError` for a query that is wrong, or that has several values.
        """
        words = urllib.parse.urlencode({"query": query, "time": f"{at:.3f}"})
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self._port}/api/v1/query?{words}", timeout=_PATIENCE
            ) as got:
                rows = json.load(got)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise RunnerError(f"Prometheus refuses {query}: {error.read().decode(errors='replace')}") from None
        if len(rows) > 1:
            raise RunnerError(f"Prometheus has {len(rows)} values for {query}")
        value = float(rows[0]["value"][1]) if rows else float("nan")
        return None if value != value else value

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/-/ready", timeout=1) as got:
                return int(got.status) == 200
        except OSError:
            return False


def _configuration(targets: Mapping[str, int], interval: float) -> str:
    pace = f"{round(interval * 1000)}ms"
    jobs = "".join(
        f"  - job_name: {name}\n    static_configs:\n      - targets: ['127.0.0.1:{port}']\n"
        for name, port in targets.items()
    )
    return f"global:\n  scrape_interval: {pace}\n  scrape_timeout: {pace}\nscrape_configs:\n{jobs}"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])

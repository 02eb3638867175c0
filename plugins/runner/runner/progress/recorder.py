"""Progress of many requests, written by a process of its own: the one that serves only says what there is to write.

What is said goes through a pipe, a line of JSON for a batch. The writer makes a step of every request and stores them
in their order; when the pipe ends it stores what is left and ends too. Where the disk does not keep up the pipe is
full, and what has no room is counted and dropped: those who ask must not wait for those who write.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import structlog

from runner import logs
from runner.bindings import progress_client as wit
from runner.heartbeat import Heartbeat
from runner.metrics import Metrics
from runner.progress.service import Progress
from runner.rollout.vitals import INTERVAL, Vitals
from runner.watching import Watcher
from runner.worker_options import WorkerOptions

__all__ = ["Exchange", "Recorder"]

_log = structlog.get_logger("runner.progress")
#: Seconds that the writer has to store what is left.
_PATIENCE = 30
#: Bytes of a pipe, as far as the system grants them.
_PIPE = 1 << 20


class Exchange(Protocol):
    """What is recorded of a request."""

    exchange: int
    connection: int
    status: int | None
    received: int
    sent: int
    duration: int
    failure: Any


class Recorder:
    """The serving side. `dropped` counts what found no room."""

    def __init__(
        self,
        path: Path,
        flags: str | None = None,
        environment: str | None = None,
        overrides: Mapping[str, bool] = {},
        *,
        vitals: int | None = None,
    ) -> None:
        """Starts the writer, for a database at `path`; `flags` and so on say what the flags are, as for a `Watcher`.

        `vitals` is the descriptor of a pipe into which the writer tells how long updates take.

        The database is opened by the writer, which says in the logs what is wrong with it.
        """
        reading, writing = os.pipe()
        told = json.dumps([str(path), flags, environment, dict(overrides), vitals])
        command = [sys.executable, "-m", "runner.progress.recorder", told]
        # In a session of its own: what ends this process by a signal must not end the writer before it has written.
        self._process = subprocess.Popen(
            command, stdin=reading, start_new_session=True, pass_fds=[] if vitals is None else [vitals]
        )
        os.close(reading)
        os.set_blocking(writing, False)
        _enlarge(writing)
        self._pipe = writing
        self._rest = b""
        self.dropped = 0
        self._worker = os.getpid()

    @classmethod
    def of(cls, options: WorkerOptions) -> Recorder | None:
        """The one that workers with these options have, if they are to keep progress."""
        if options.progress is None:
            return None
        return cls(Path(options.progress), options.flags, options.environment, options.overrides, vitals=options.vitals)

    def requests(self, component: str, exchanges: Sequence[Exchange]) -> None:
        """Records exchanges that are over."""
        now = time.time_ns()
        rows = [
            (
                item.exchange,
                item.connection,
                item.status,
                item.received,
                item.sent,
                item.duration,
                None if item.failure is None else item.failure.kind.name,
                # What protocols with few commands call them.
                getattr(item, "verb", ""),
            )
            for item in exchanges
        ]
        self._send([component, self._worker, now, rows], len(rows))

    def change(self, component: str, key: str, value: str, reason: str, failure: str | None = None) -> None:
        """Records a change of state."""
        self._send([component, self._worker, time.time_ns(), key, value, reason, failure], 1)

    def close(self) -> None:
        """Returns when all that was said is stored, or the writer takes too long for that."""
        os.set_blocking(self._pipe, True)
        try:
            _write_all(self._pipe, self._rest)
        except OSError:
            _log.warning("the writer of progress is gone")
        os.close(self._pipe)
        if self.dropped:
            _log.warning("progress was dropped, as it could not be written so fast", dropped=self.dropped)
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _send(self, message: Sequence[Any], count: int) -> None:
        if self._rest:
            # A line that is not out yet: nothing else may come between.
            self._rest = self._rest[self._write(self._rest) :]
            if self._rest:
                self.dropped += count
                return
        data = json.dumps(message, separators=(",", ":")).encode() + b"\n"
        sent = self._write(data)
        if not sent:
            self.dropped += count
        elif sent < len(data):
            self._rest = data[sent:]

    def _write(self, data: bytes) -> int:
        try:
            return os.write(self._pipe, data)
        except BlockingIOError:
            return 0
        except OSError:
            # The writer has said why it ended.
            return 0


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _enlarge(pipe: int) -> None:
    if sys.platform == "linux":
        import fcntl

        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)


# The writer


def _steps(message: Sequence[Any]) -> list[wit.Step]:
    component, worker, timestamp = message[:3]
    if len(message) > 4:
        key, value, reason, failure = message[3:]
        changes = [_text("service", key, value), *([_text("service", "reason", reason)] if reason else [])]
        kind = None if failure is None else wit.ErrorKind[failure.upper()]
        return [wit.Step(wit.Scope(component, "service", None), wit.Phase.MONITORING, None, timestamp, changes, kind)]
    scope = wit.Scope(component, f"worker {worker}", None)
    return [_request(scope, timestamp, row) for row in message[3]]


def _request(scope: wit.Scope, timestamp: int, row: Sequence[Any]) -> wit.Step:
    exchange, connection, status, received, sent, duration, failure, verb = row
    changes = [
        _integer("request", "exchange", exchange),
        _integer("request", "connection", connection),
        _integer("request", "received", received),
        _integer("request", "sent", sent),
        _integer("request", "nanoseconds", duration),
    ]
    if status is not None:
        changes.append(_integer("request", "status", status))
    if verb:
        changes.append(_text("request", "verb", verb))
    kind = None if failure is None else _FAILURES.get(failure, wit.ErrorKind.PERMANENT)
    return wit.Step(scope, wit.Phase.EXECUTING, None, timestamp, changes, kind)


def _integer(section: str, key: str, value: int) -> wit.FieldChange:
    return wit.FieldChange(section, key, wit.Value_Integer(value))


def _text(section: str, key: str, value: str) -> wit.FieldChange:
    return wit.FieldChange(section, key, wit.Value_Text(value))


#: Kinds of errors of a protocol, as progress knows them.
_FAILURES = {kind.name: kind for kind in wit.ErrorKind} | {
    "CLOSED": wit.ErrorKind.CANCELLED,
    "PROTOCOL": wit.ErrorKind.INVALID_ARGUMENT,
    "DENIED": wit.ErrorKind.PERMANENT,
}


def _record(pipe: IO[bytes], progress: Progress) -> None:
    for line in pipe:
        for step in _steps(json.loads(line)):
            while True:
                try:
                    progress.post(step)
                    break
                except wit.ErrorException as error:
                    if error.value.kind is not wit.ErrorKind.EXHAUSTED:
                        _log.error("a step of progress is wrong", problem=error.value.message)
                        break
                    # Who is served does not wait for this: the pipe fills up, and drops what has no room.
                    progress.sync()


@contextlib.contextmanager
def _flushing(vitals: Vitals | None) -> Iterator[None]:
    """Has a thread tell what there is, again and again."""
    if vitals is None:
        yield
        return
    over = threading.Event()

    def run() -> None:
        while not over.wait(INTERVAL):
            vitals.flush()

    thread = threading.Thread(target=run, name="vitals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def main(told: str) -> None:
    """Writes what comes in by standard input, and gives signs of life; `told` is what a `Recorder` says of it."""
    logs.configure()
    path, file, environment, overrides, descriptor = json.loads(told)
    watcher = Watcher(None if file is None else Path(file), environment, os.environ, overrides)
    metrics, flags = Metrics(), watcher.flags
    vitals = None if descriptor is None else Vitals(descriptor)
    delivered = metrics.timer("progress_delivery_seconds")
    try:
        progress = Progress(
            Path(path),
            progress_bus=flags["runner.progress_bus"],
            sparse_store=flags["runner.sparse_store"],
            on_delivery=delivered,
            on_stored=(lambda seconds: None) if vitals is None else vitals.progress,
        )
    except Exception as error:
        _log.error("progress is not kept", path=path, problem=str(error))
        sys.exit(1)
    with progress, watcher, Heartbeat(progress, metrics, lambda: watcher.flags), _flushing(vitals):
        _record(sys.stdin.buffer, progress)


if __name__ == "__main__":
    main(sys.argv[1])

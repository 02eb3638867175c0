"""Several processes that serve the same address, and the one that looks after them.

Each worker has a listening socket of its own (SO_REUSEPORT: the kernel shares connections out), which the supervisor
made and keeps: connections that wait there survive a worker that dies, and its successor finds them.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

from runner.errors import RunnerError

__all__ = ["BindError", "Supervisor", "listen"]

#: Seconds that a worker has to live, or else the next one is started only after a pause.
_SOUND_LIFE = 5.0
_LONGEST_PAUSE = 30.0
#: Seconds between one look at the workers and the next.
_LOOK = 0.1


class BindError(RunnerError):
    """An address can't be listened on."""


def listen(host: str, port: int, backlog: int, count: int = 1) -> list[socket.socket]:
    """Sockets that listen on one address, `count` of them that share it; with port 0 on any free port.

    Raises `BindError`.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICHOST
        )[0]
        sockets: list[socket.socket] = []
        for _ in range(count):
            found = socket.socket(family, socket.SOCK_STREAM)
            sockets.append(found)
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if count > 1:
                found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                found.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            found.bind(address)
            # The others share the port that the first one got.
            address = found.getsockname()
            found.listen(backlog)
            found.setblocking(False)
    except OSError as error:
        raise BindError(f"{host}:{port} can't be listened on: {error.strerror or error}") from None
    return sockets


class Supervisor:
    """Starts workers, and starts them anew when they die. TERM and INT end them all, HUP replaces them."""

    def __init__(
        self,
        command: Callable[[int], Sequence[str]],
        sockets: Sequence[Sequence[socket.socket]],
        say: Callable[[str], None],
        grace: float,
        ended: Callable[[int], None] = lambda pid: None,
    ) -> None:
        """`command` makes the command of a worker from its number; `sockets` has those that each is given.

        A worker that has not ended `grace` seconds after it was told to is killed. `ended` is told the process id of
        each that is gone, however it ended.
        """
        self._command = command
        self._sockets = sockets
        self._say = say
        self._ended = ended
        self._workers: dict[int, subprocess.Popen[bytes]] = {}
        self._started: dict[int, float] = {}
        self._pauses: dict[int, float] = {}
        self._due: dict[int, float] = {}
        self._retired: list[subprocess.Popen[bytes]] = []
        self._stopping = self._killed = False
        self._grace = grace
        self._patience = float("inf")

    def run(self) -> int:
        """Returns when all workers have ended after a signal: 0, or 1 if one had to be killed."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        for index in range(len(self._sockets)):
            self._start(index)
        while self._workers or self._due or self._retired:
            self._look()
            time.sleep(_LOOK)
        return int(self._killed)

    def _on_signal(self, number: int, _frame: object) -> None:
        if number == signal.SIGHUP:
            self._replace()
            return
        self._stopping = True
        for item in itertools.chain.from_iterable(self._sockets):
            item.close()
        self._patience = time.monotonic() + self._grace
        self._due.clear()
        for worker in [*self._workers.values(), *self._retired]:
            with contextlib.suppress(ProcessLookupError):
                worker.send_signal(signal.SIGTERM)

    def _start(self, index: int) -> None:
        given = [item.fileno() for item in self._sockets[index]]
        self._workers[index] = subprocess.Popen(
            [sys.executable, *self._command(index)], pass_fds=given, start_new_session=True
        )
        self._started[index] = time.monotonic()

    def _replace(self) -> None:
        """Starts a successor for each worker; the old one ends with its requests."""
        for index, worker in list(self._workers.items()):
            self._start(index)
            self._retired.append(worker)
            with contextlib.suppress(ProcessLookupError):
                worker.send_signal(signal.SIGTERM)

    def _look(self) -> None:
        """Sees who has died, and who is due."""
        now = time.monotonic()
        if now > self._patience:
            self._killed = True
            for worker in [*self._workers.values(), *self._retired]:
                worker.kill()
        for worker in list(self._retired):
            if worker.poll() is not None:
                self._retired.remove(worker)
                self._ended(worker.pid)
        for index, worker in list(self._workers.items()):
            status = worker.poll()
            if status is None:
                continue
            del self._workers[index]
            self._ended(worker.pid)
            if self._stopping:
                continue
            sound = now - self._started[index] >= _SOUND_LIFE
            pause = self._pauses[index] = 0.0 if sound else min(2 * self._pauses.get(index, 0.25), _LONGEST_PAUSE)
            self._say(f"worker {index + 1} (process {worker.pid}) ended with {status}; started again in {pause:g} s")
            self._due[index] = now + pause
        for index, at in list(self._due.items()):
            if at <= now:
                del self._due[index]
                self._start(index)


def adopt(descriptor: int) -> socket.socket:
    """The listening socket behind a descriptor that a supervisor has passed on."""
    os.set_inheritable(descriptor, False)
    found = socket.socket(fileno=descriptor)
    found.setblocking(False)
    return found

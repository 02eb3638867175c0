"""Several processes that serve the same address, and the one that looks after them.

Each worker has a listening socket of its own (SO_REUSEPORT: the kernel shares connections out), which the supervisor
made and keeps: connections that wait there survive a worker that dies, and its successor finds them. Workers whose
supervisor is gone, by whatever signal, see that by a pipe (`lifeline`): nobody would replace or end them any more.
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
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from runner.errors import RunnerError

__all__ = ["BindError", "Slot", "Supervisor", "adopt", "lifeline", "listen", "tell_ready"]

#: Seconds that a worker has to live, or else the next one is started only after a pause.
_SOUND_LIFE = 5.0
_LONGEST_PAUSE = 30.0
#: Seconds between one look at the workers and the next.
_LOOK = 0.1
#: What tells a worker by which descriptor it says that it is ready, and by which it sees that its supervisor is gone.
_READY, _LIFELINE = "RUNNER_READY", "RUNNER_LIFELINE"


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


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a worker: the sockets that it is given, what starts it, and what else is passed on to it."""

    sockets: Sequence[socket.socket]
    command: Callable[[], Sequence[str]]
    descriptors: Sequence[int] = ()


class _Worker:
    """A process in a slot. It is ready when it says so, by `tell_ready`."""

    def __init__(self, slot: Slot, lifeline: int) -> None:
        """Raises OSError where the system has no room for another process."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        self._reading = os.fdopen(reading, "rb", buffering=0)
        try:
            self.process = subprocess.Popen(
                [sys.executable, *slot.command()],
                pass_fds=[*(item.fileno() for item in slot.sockets), *slot.descriptors, writing, lifeline],
                start_new_session=True,
                env={**os.environ, _READY: str(writing), _LIFELINE: str(lifeline)},
            )
        except BaseException:
            self._reading.close()
            raise
        finally:
            os.close(writing)
        self.started = time.monotonic()
        #: When it is killed, if it has been told to end.
        self.deadline = float("inf")
        self._ready = False

    @property
    def ready(self) -> bool:
        """Whether it has said that it serves."""
        if not self._ready and not self._reading.closed:
            self._ready = self._reading.read(1) == b"1"
        return self._ready

    def poll(self) -> int | None:
        """The status with which it has ended, if it has."""
        status = self.process.poll()
        if status is not None and not self._reading.closed:
            # It may have said so just before.
            self._ready = self.ready
            self._reading.close()
        return status

    def end(self, grace: float) -> None:
        """Tells it to, within so many seconds."""
        self.deadline = min(self.deadline, time.monotonic() + grace)
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGTERM)


class Supervisor:
    """Starts workers, and starts them anew when they die. TERM and INT end them all, HUP replaces them."""

    def __init__(
        self,
        slots: Sequence[Slot],
        say: Callable[[str], None],
        grace: float,
        *,
        look: Callable[[], None] = lambda: None,
        ended: Callable[[int], None] = lambda pid: None,
        died: Callable[[int, int], None] = lambda index, status: None,
    ) -> None:
        """A worker that has not ended `grace` seconds after it was told to is killed.

        `look` is called about ten times a second, from where `replace` and `stop` may be called; `ended` with the
        number of each process that has; `died` with slot and status (as `Popen.returncode`) where nobody wanted that.
        """
        self._slots = slots
        self._say = say
        self._workers: dict[int, _Worker] = {}
        self._pauses: dict[int, float] = {}
        self._due: dict[int, float] = {}
        #: Those that go on until the one that follows them in their slot is ready.
        self._followed: dict[int, list[_Worker]] = {}
        self._retired: list[_Worker] = []
        self._asked: set[int] = set()
        self._stopping = self._failed = False
        #: Whether any worker has ever been ready.
        self._proven = False
        self._grace = grace
        self._looked = look
        self._ended = ended
        self._died = died
        # Nobody else has the other end: it closes with this process.
        self._lifeline, self._held = os.pipe()

    def run(self) -> int:
        """Returns when all workers have ended after a signal or `stop`: 0, or 1 if one had to be killed.

        Also 1 if one ends with 1, as for wrong input, before any was ready: that would only come again and again.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda number, frame: self._asked.add(number))
        try:
            for index in range(len(self._slots)):
                self._start(index)
            while self._all or self._due:
                self._obey()
                self._look()
                if not self._stopping:
                    self._looked()
                time.sleep(_LOOK)
        finally:
            for end in (self._held, self._lifeline):
                os.close(end)
        return int(self._failed)

    def replace(self, indices: Iterable[int]) -> None:
        """Starts successors of the workers in some slots. The old ones end with their requests.

        They serve until their successors do: no connection is refused, lost, or waits for a start.
        """
        for index in indices:
            self._due.pop(index, None)
            self._start(index)

    def stop(self) -> None:
        """Has all workers end with their requests, and then `run`."""
        if self._stopping:
            # Whoever asks again has not more patience.
            return
        self._stopping = True
        for item in itertools.chain.from_iterable(slot.sockets for slot in self._slots):
            item.close()
        self._due.clear()
        for worker in self._all:
            worker.end(self._grace)

    @property
    def _all(self) -> list[_Worker]:
        followed = itertools.chain.from_iterable(self._followed.values())
        return [*self._workers.values(), *followed, *self._retired]

    def _obey(self) -> None:
        """Does what signals have asked for."""
        asked, self._asked = self._asked, set()
        if asked - {signal.SIGHUP}:
            self.stop()
        elif asked and not self._stopping:
            self.replace(list(self._workers))

    def _start(self, index: int) -> None:
        """Starts a worker, which the one that is in the slot is followed by; where that can't be done, later."""
        try:
            successor = _Worker(self._slots[index], self._lifeline)
        except OSError as error:
            pause = self._pause(index)
            reason = (error.strerror or str(error)).lower()
            self._say(f"worker {index + 1} can't be started: {reason}; tried again in {pause:g} s")
            self._due[index] = time.monotonic() + pause
            return
        old = self._workers.get(index)
        self._workers[index] = successor
        if old is not None:
            self._followed.setdefault(index, []).append(old)

    def _pause(self, index: int) -> float:
        """Seconds until the next start in a slot where the last one came to nothing: twice as many each time."""
        self._pauses[index] = min(2 * self._pauses.get(index, 0.25), _LONGEST_PAUSE)
        return self._pauses[index]

    def _look(self) -> None:
        """Sees who has died, who is ready, and who is due."""
        now = time.monotonic()
        for worker in self._all:
            if now > worker.deadline and worker.poll() is None:
                self._failed = self._failed or self._stopping
                worker.process.kill()
        self._retire()
        self._proven = self._proven or any(worker.ready for worker in self._workers.values())
        for index, worker in list(self._workers.items()):
            status = worker.poll()
            if status is None:
                continue
            del self._workers[index]
            self._ended(worker.process.pid)
            if self._stopping:
                continue
            if status == 1 and not self._proven:
                self._failed = True
                self.stop()
                continue
            if now - worker.started >= _SOUND_LIFE:
                self._pauses.pop(index, None)
                pause = 0.0
            else:
                pause = self._pause(index)
            number = worker.process.pid
            self._say(f"worker {index + 1} (process {number}) ended with {status}; started again in {pause:g} s")
            self._due[index] = now + pause
            self._died(index, status)
        for index, at in list(self._due.items()):
            if at <= now:
                del self._due[index]
                self._start(index)

    def _retire(self) -> None:
        """Has those end whose successors are ready, and forgets those that have."""
        for index, followed in list(self._followed.items()):
            # A successor that dies at once leaves the old one where it is until the next one is ready.
            successor = self._workers.get(index)
            if successor is not None and successor.ready and successor.poll() is None:
                for worker in followed:
                    worker.end(self._grace)
                self._retired += self._followed.pop(index)
        for group in (self._retired, *self._followed.values()):
            for worker in list(group):
                if worker.poll() is not None:
                    group.remove(worker)
                    self._ended(worker.process.pid)


def tell_ready() -> None:
    """Tells the supervisor, if there is one, that this process serves."""
    writing = os.environ.pop(_READY, None)
    if writing is not None:
        # The supervisor may be gone, which `lifeline` tells.
        with contextlib.suppress(BrokenPipeError):
            os.write(int(writing), b"1")
        os.close(int(writing))


def lifeline() -> int | None:
    """A descriptor that is ready to be read once the supervisor is gone; None where there is none."""
    found = os.environ.pop(_LIFELINE, None)
    if found is None:
        return None
    os.set_inheritable(int(found), False)
    return int(found)


def adopt(descriptor: int) -> socket.socket:
    """The listening socket behind a descriptor that a supervisor has passed on."""
    os.set_inheritable(descriptor, False)
    found = socket.socket(fileno=descriptor)
    found.setblocking(False)
    return found

"""The users of a scenario: ``python -m runner.baseline.load``, a process by itself.

Each user chooses what to do next by the shares of the scenario, does it, and thinks. All chance comes from the seed, so
that two runs do the same. What is begun and ended between two moments counts. The argument is a line of JSON, as
`Orders` has it; at the end a line of JSON is printed: latencies by name, and how many actions failed with what.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from runner.baseline.clients import FtpSession, HttpConnection, Refused
from runner.baseline.scenario import FtpAction, HttpAction, Scenario, Work, loads
from runner.histogram import Histogram

__all__ = ["Crowd", "Orders"]

T = TypeVar("T")
#: Seconds after which an action has failed.
_PATIENCE = 30.0
_NAMES = ("connect", "http", "login", "ftp")


@dataclass(frozen=True, slots=True)
class Orders:
    """What the process is told. Ports are on loopback; `begin` and `end` are in seconds since the epoch."""

    scenario: str
    http_port: int
    ftp_port: int
    user: str
    password: str
    begin: float
    end: float

    def dumps(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))


@dataclass(slots=True)
class _Counts:
    latencies: dict[str, Histogram] = field(default_factory=lambda: {name: Histogram() for name in _NAMES})
    failures: Counter[str] = field(default_factory=Counter)


class Crowd:
    """All users."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self.scenario: Scenario = loads(orders.scenario)
        self._counts = _Counts()

    async def run(self) -> dict[str, Any]:
        """Returns at the end, with what is printed."""
        users = [asyncio.create_task(_User(self, number).run()) for number in range(self.scenario.users)]
        await asyncio.sleep(self._orders.end - time.time())
        for task in users:
            task.cancel()
        for found in await asyncio.gather(*users, return_exceptions=True):
            if isinstance(found, Exception):
                raise found
        latencies = {name: found.dump() for name, found in self._counts.latencies.items()}
        return {"latencies": latencies, "failures": dict(self._counts.failures.most_common(20))}

    async def timed(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """Does something and counts how long it took, or with what it failed, which is raised again."""
        orders, begun = self._orders, time.time()
        counts = begun >= orders.begin
        start = time.perf_counter()
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await work()
        except (OSError, EOFError, TimeoutError, Refused) as error:
            if counts:
                self._counts.failures[f"{name}: {type(error).__name__}: {error}"] += 1
            raise
        if counts and time.time() <= orders.end:
            self._counts.latencies[name].add(time.perf_counter() - start)
        return found

    async def connect(self) -> HttpConnection:
        """A connection to the HTTP service."""
        return await HttpConnection.open("127.0.0.1", self._orders.http_port)

    async def log_in(self) -> FtpSession:
        """A session with the FTP service."""
        orders = self._orders
        return await FtpSession.log_in("127.0.0.1", orders.ftp_port, orders.user, orders.password)


class _User:
    """One user, with a connection of HTTP that is kept."""

    def __init__(self, crowd: Crowd, number: int) -> None:
        self._crowd = crowd
        self._number = number
        self._chance = random.Random(crowd.scenario.seed * 1_000_003 + number)
        self._connection: HttpConnection | None = None

    async def run(self) -> None:
        """Acts until it is cancelled."""
        scenario = self._crowd.scenario
        actions: list[HttpAction | FtpAction] = [*scenario.http, *scenario.ftp]
        shares = [action.share for action in actions]
        try:
            # Not all at the same moment.
            await asyncio.sleep(self._chance.uniform(0, scenario.think))
            while True:
                action = self._chance.choices(actions, shares)[0]
                # What failed was counted, and a user tries something else.
                with contextlib.suppress(OSError, EOFError, TimeoutError, Refused):
                    await (self._ask(action) if isinstance(action, HttpAction) else self._visit(action))
                await asyncio.sleep(self._chance.expovariate(1 / scenario.think) if scenario.think else 0)
        finally:
            self._leave()

    def _leave(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _ask(self, action: HttpAction) -> None:
        work = self._crowd.scenario.work
        task = self._chance.randrange(work.tasks)
        path = action.path.replace("{user}", f"user-{self._number}").replace("{task}", f"task-{task}")
        content = self._report(work, task) if action.reports else bytes(action.size)
        if self._connection is None or self._connection.gone:
            self._leave()
            self._connection = await self._crowd.timed("connect", self._crowd.connect)
        connection = self._connection
        try:
            await self._crowd.timed("http", lambda: connection.request(action.method, path, content))
        except (OSError, EOFError, TimeoutError):
            self._leave()
            raise

    def _report(self, work: Work, task: int) -> bytes:
        """A few of the fields of a task, which are the same whenever it is reported on."""
        own = random.Random(f"{self._number} {task}").sample(range(work.fields), work.own)
        chosen = self._chance.sample(own, work.changes)
        fields = {f"section-{number % 8}.field-{number}": self._chance.randrange(1_000_000) for number in chosen}
        return json.dumps(fields).encode()

    async def _visit(self, action: FtpAction) -> None:
        with await self._crowd.timed("login", self._crowd.log_in) as session:
            assert isinstance(session, FtpSession)
            # The scenario's folder has this file; what is put is a file for each user.
            steps: dict[str, Callable[[], Awaitable[Any]]] = {
                "list": session.list,
                "retr": lambda: session.retr(f"{action.size}.bin"),
                "stor": lambda: session.stor(f"user-{self._number}.bin", bytes(action.size)),
            }
            for step in action.steps:
                await self._crowd.timed("ftp", steps[step])
            await session.quit()


def main(told: str) -> None:
    """Runs the crowd and prints what came of it."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(json.dumps(asyncio.run(Crowd(Orders(**json.loads(told))).run())))


if __name__ == "__main__":
    main(sys.argv[1])

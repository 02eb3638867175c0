"""What operators look at: a page with components, flags, progress and latency, health, and figures for Prometheus.

An application of ASGI (``/``, ``/events``, ``/status.json``, ``/healthz``, ``/metrics``), which has nothing to do with
the one that is served. Browsers get the present state, and changes as server-sent events (HTML Standard, "Server-sent
events").
"""

from __future__ import annotations

import asyncio
import json
import resource
import time
from collections import deque
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

from runner.histogram import Histogram
from runner.http.asgi import Message, Scope
from runner.metrics import Metrics

__all__ = ["Latencies", "Status", "StatusApp"]

#: Seconds of the past that are shown.
_PAST = 120
_UPDATES = 200


class Latencies:
    """How long requests took, second by second."""

    def __init__(self) -> None:
        self._second = 0
        self._histogram = Histogram()
        self._errors = 0
        #: (second since the epoch, requests, failures, then the percentiles 50, 95 and 99 in milliseconds).
        self.past: deque[tuple[int, int, int, float, float, float]] = deque(maxlen=_PAST)

    def add(self, seconds: float, failed: bool) -> None:
        """Counts a request that is over now."""
        now = int(time.time())
        if now != self._second:
            self.turn(now)
        self._histogram.add(seconds)
        self._errors += failed

    def turn(self, now: int) -> None:
        """Begins another second."""
        if self._second and now > self._second:
            found = self._histogram
            shares = [round(found.percentile(share) * 1000, 3) for share in (0.50, 0.95, 0.99)]
            self.past.append((self._second, found.total, self._errors, shares[0], shares[1], shares[2]))
        self._second = now
        self._histogram = Histogram()
        self._errors = 0


class Status:
    """The state that is shown."""

    def __init__(self, component: str) -> None:
        self.latencies = Latencies()
        self.component: dict[str, Any] = {"name": component, "mode": "none", "reason": "", "failures": 0}
        self.flags: Callable[[], dict[str, Any]] = dict
        self.connections: Callable[[], int] = int
        #: The memory of each instance of the component, in bytes.
        self.instances: Callable[[], list[int]] = list
        self._started = time.time()
        self.updates: deque[dict[str, Any]] = deque(maxlen=_UPDATES)
        self._listeners: set[asyncio.Queue[tuple[str, Any]]] = set()

    def snapshot(self) -> dict[str, Any]:
        """Everything, as JSON has it."""
        self.latencies.turn(int(time.time()))
        return {
            "started": self._started,
            "now": time.time(),
            "component": self.component,
            "connections": self.connections(),
            "instances": self.instances(),
            "memory": resident_bytes(),
            "flags": self.flags(),
            "latencies": list(self.latencies.past),
        }

    def update(self, update: dict[str, Any]) -> None:
        """Shows a progress update."""
        self.updates.append(update)
        self._tell("progress", update)

    def changed(self) -> None:
        """Shows the state anew."""
        if self._listeners:
            self._tell("state", self.snapshot())

    def listen(self) -> asyncio.Queue[tuple[str, Any]]:
        """A queue of what is to be shown; what does not fit is dropped."""
        queue: asyncio.Queue[tuple[str, Any]] = asyncio.Queue(1000)
        self._listeners.add(queue)
        return queue

    def leave(self, queue: asyncio.Queue[tuple[str, Any]]) -> None:
        """Nobody reads the queue any more."""
        self._listeners.discard(queue)

    @property
    def watched(self) -> bool:
        """Whether anybody looks."""
        return bool(self._listeners)

    def _tell(self, event: str, data: Any) -> None:
        for queue in self._listeners:
            if not queue.full():
                queue.put_nowait((event, data))


class StatusApp:
    """The application that shows a `Status`."""

    def __init__(self, status: Status, metrics: Metrics) -> None:
        self._status = status
        self._metrics = metrics
        self._page = resources.files("runner").joinpath("status.html").read_bytes()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answers GET for the paths that there are."""
        if scope["type"] != "http":
            raise ValueError(f"{scope['type']} is not served here")
        match scope["path"]:
            case "/":
                await _answer(send, "text/html; charset=utf-8", self._page)
            case "/status.json":
                document = self._status.snapshot() | {"updates": list(self._status.updates)}
                await _answer(send, "application/json", json.dumps(document).encode())
            case "/healthz":
                serves = self._status.component["mode"] != "none"
                await _answer(send, "text/plain", b"ok\n" if serves else b"not serving\n", 200 if serves else 503)
            case "/metrics":
                instances, name = self._status.instances(), self._status.component["name"]
                self._metrics.set("runner_instances", len(instances), component=name)
                self._metrics.set("runner_instance_memory_bytes", sum(instances), component=name)
                self._metrics.set("runner_memory_bytes", resident_bytes())
                self._metrics.take_allocator()
                text, type_ = self._metrics.render()
                await _answer(send, type_, text)
            case "/events":
                await self._events(receive, send)
            case _:
                await _answer(send, "text/plain", b"Not Found\n", 404)

    async def _events(self, receive: Any, send: Any) -> None:
        fields = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        queue = self._status.listen()
        gone = asyncio.create_task(_until_gone(receive))
        try:
            for update in list(self._status.updates)[-20:]:
                await send(_event("progress", update))
            await send(_event("state", self._status.snapshot()))
            while not gone.done():
                try:
                    event, data = await asyncio.wait_for(queue.get(), 1)
                except TimeoutError:
                    # Once a second there is something new to draw.
                    event, data = "state", self._status.snapshot()
                await send(_event(event, data))
        finally:
            gone.cancel()
            self._status.leave(queue)


async def _until_gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _event(event: str, data: Any) -> Message:
    return {
        "type": "http.response.body",
        "body": f"event: {event}\ndata: {json.dumps(data)}\n\n".encode(),
        "more_body": True,
    }


async def _answer(send: Any, type_: str, body: bytes, status: int = 200) -> None:
    fields = [
        (b"content-type", type_.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


def resident_bytes() -> int:
    """The memory of this process that is in use, in bytes."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except OSError:
        # Where there is no /proc: the most that it ever was, in kilobytes.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

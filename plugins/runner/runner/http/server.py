"""The HTTP component at work: its event loop, its requests to an application, and its replacement when it fails.

`ComponentServer` belongs to one event loop. Instances of the component come and go: one that traps is closed, its
clients that wait are told 503, and the next one takes over the listening sockets, which are the Runner's.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import runner.bindings.http_component as wit
from runner.host.readiness import PollSet
from runner.host.sockets import RunnerSockets
from runner.http.asgi import App, Cycle, Place, scope_of
from runner.http.config import HttpConfig, host_and_port
from runner.http.observer import Observer
from runner.http.pipes import Sink
from witgen import runtime as rt
from witgen.wasi import Pollable

__all__ = ["ComponentServer", "Guest", "Unstable"]

#: Items of each sort that one call of `accept` gives.
_AT_ONCE = 256
_UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 20\r\n"
    b"retry-after: 1\r\nconnection: close\r\n\r\nService Unavailable\n"
)
#: So many failures within so many seconds are too many.
_FAILURES, _WINDOW = 5, 10.0


class Unstable(Exception):
    """The component has failed too often in a short time."""


@dataclass(frozen=True, slots=True)
class Guest:
    """An instance of the component, and what the host has for it alone."""

    world: wit.HttpComponent
    sockets: RunnerSockets
    #: What is to be done when the instance is gone.
    left: Callable[[], None] | None = None


class ComponentServer:
    """Serves an application on listening sockets, by the component."""

    def __init__(
        self,
        app: App,
        make: Callable[[], Guest],
        addresses: Sequence[tuple[str, int]],
        config: HttpConfig,
        observer: Observer,
        state: dict[str, Any] | None = None,
    ) -> None:
        """`make` makes instances that may listen on `addresses`; `state` is what the application left at its start."""
        self._app = app
        self._make = make
        self._addresses = addresses
        self._config = config
        self._observer = observer
        self._state = state
        self._shift: _Shift | None = None
        #: Instances that end with their last request.
        self._leaving: set[_Shift] = set()
        self._failures: list[float] = []
        #: Set when no instance is left: after `stop`, or with the error for which it gave up.
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stopping = False

    def start(self) -> None:
        """Begins to serve. Raises as the component's `start-listen` does, and what `make` raises."""
        begun = time.perf_counter()
        self._shift = _Shift(self, self._make())
        self._observer.component_started(time.perf_counter() - begun)

    def reload(self, make: Callable[[], Guest], grace: float) -> None:
        """Has another instance take over the sockets; the present one ends with its requests, or after `grace` seconds.

        Raises as `start`; then the present one goes on.
        """
        make, self._make = self._make, make
        old = self._shift
        try:
            self.start()
        except BaseException:
            self._make = make
            raise
        if old is not None:
            self._leaving.add(old)
            old.stop(grace)

    def stop(self, grace: float, *, followed: bool = False) -> None:
        """Stops listening; `done` follows when all requests have ended, or after `grace` seconds, also those of
        instances that are leaving already.

        `followed` says that another server has the same sockets, which makes no difference here.
        """
        self._stopping = True
        shifts = self._shifts
        for shift in shifts:
            shift.stop(grace)
        if not shifts:
            self._finish(None)

    @property
    def connections(self) -> int:
        """Open connections."""
        return sum(len(shift.places) for shift in self._shifts)

    @property
    def instances(self) -> list[int]:
        """The memory of each instance, in bytes."""
        return [rt.instance_of(shift.guest.world).memory_size for shift in self._shifts]

    @property
    def _shifts(self) -> list[_Shift]:
        return [*self._leaving, *([] if self._shift is None else [self._shift])]

    def _ended(self, shift: _Shift) -> None:
        """An instance that was stopped has no connections any more."""
        self._leaving.discard(shift)
        if shift is self._shift:
            self._shift = None
        if self._stopping and self._shift is None and not self._leaving:
            self._finish(None)

    def _finish(self, error: BaseException | None) -> None:
        if not self.done.done():
            if error is None:
                self.done.set_result(None)
            else:
                self.done.set_exception(error)

    def _replace(self, shift: _Shift, error: BaseException, waiting: int) -> None:
        """Starts another instance where one has failed. Gives up where that happens too often."""
        self._observer.component_failed(error, waiting)
        if self._stopping or shift is not self._shift:
            self._ended(shift)
            return
        self._shift = None
        now = time.monotonic()
        self._failures = [at for at in self._failures if now - at < _WINDOW] + [now]
        if len(self._failures) > _FAILURES:
            self._finish(Unstable(f"the component failed {len(self._failures)} times in {_WINDOW:g} s: {error}"))
            return
        try:
            self.start()
        except Exception as failure:
            self._finish(failure)


class _Shift:
    """One instance at work, from its start to its end."""

    def __init__(self, server: ComponentServer, guest: Guest) -> None:
        self._server = server
        self.guest = guest
        self._loop = asyncio.get_running_loop()
        config = server._config
        self._inline = config.limits.inline_content
        self._scheme = "https" if config.tls else "http"
        self.places: dict[int, Place] = {}
        self._cycles: dict[int, Cycle] = {}
        self._over = self._stopping = self._working = False
        self._timer: asyncio.TimerHandle | None = None
        self._scheduled = False
        self._accept = guest.world.server.accept
        self._readers: list[int] = []
        self._listeners: list[tuple[wit.Listener, PollSet]] = []
        try:
            for address in server._addresses:
                listener = guest.world.server.start_listen(config.listen(address))
                pollable = listener.subscribe()
                assert isinstance(pollable, Pollable)
                source = pollable.source
                assert isinstance(source, PollSet)
                self._listeners.append((listener, source))
                self._loop.add_reader(source.fileno(), self._work)
                self._readers.append(source.fileno())
        except BaseException:
            self._end()
            raise
        self._soon()

    def stop(self, grace: float) -> None:
        """Lets the listeners end."""
        self._stopping = True
        with self._guarded():
            for listener, _ in self._listeners:
                self.guest.world.server.stop_listen(listener, max(0, round(grace * 1e9)))
        self._soon()

    # The loop

    def _soon(self) -> None:
        """Has work done in the next round of the event loop."""
        if not self._scheduled and not self._over:
            self._scheduled = True
            self._loop.call_soon(self._work_now)

    def _work_now(self) -> None:
        self._scheduled = False
        self._work()

    def _work(self) -> None:
        if self._over:
            return
        self._working = True
        try:
            again = False
            for listener, _ in self._listeners:
                batch = self._accept(listener, _AT_ONCE)
                self._handle(batch)
                again = again or batch.more
        except wit.TypesErrorException as error:
            # The listening socket is in trouble; connections go on.
            self._server._observer.component_failed(error, 0)
            self._loop.call_later(0.1, self._soon)
            return
        except (rt.ComponentError, RecursionError) as error:
            self._fail(error)
            return
        finally:
            self._working = False
        if self._over:
            return
        if again:
            self._soon()
        else:
            self._set_timer()
        if self._stopping and not self.places and self._is_done():
            self._end()
            self._server._ended(self)

    def _is_done(self) -> bool:
        with self._guarded():
            statuses = [listener.status() for listener, _ in self._listeners]
            return all(status.stopping and not status.connections for status in statuses)
        return False

    def _set_timer(self) -> None:
        """Comes back at the next deadline, if nothing happens before."""
        deadlines = [at for _, source in self._listeners if (at := source.deadline()) is not None]
        # The clock of the event loop is that of `time.monotonic`.
        when = min(deadlines) / 1e9 if deadlines else None
        if self._timer is not None:
            if self._timer.when() == when:
                return
            self._timer.cancel()
            self._timer = None
        if when is not None:
            if when <= time.monotonic():
                self._soon()
            else:
                self._timer = self._loop.call_at(when, self._work)

    def _handle(self, batch: wit.ServerBatch) -> None:
        observer = self._server._observer
        for connection in batch.opened:
            place = Place(host_and_port(connection.peer), host_and_port(connection.local), self._scheme)
            self.places[connection.id] = place
            observer.opened(connection)
        for request in batch.requests:
            self._begin(request)
        for body in batch.bodies:
            cycle = self._cycles.get(body.exchange)
            if cycle is not None and cycle.sink is not None:
                cycle.sink.finish(complete=isinstance(body.outcome, rt.Ok))
        for report in batch.reports:
            cycle = self._cycles.get(report.exchange)
            if cycle is not None:
                cycle.disconnect()
        if batch.reports:
            observer.reported(batch.reports)
        for number in batch.closed:
            self.places.pop(number, None)
            observer.closed(number)

    def _begin(self, request: wit.ServerRequest) -> None:
        place = self.places[request.connection]
        cycle = Cycle(request, self, self._inline)
        self._cycles[request.id] = cycle
        scope = scope_of(request, place, self._server._state)
        cycle.task = self._loop.create_task(cycle.run(self._server._app, scope))

    # What cycles ask for

    def respond(self, cycle: Cycle, response: wit.ServerResponse) -> None:
        """Answers a request; an answer that nobody waits for is dropped."""
        if self._over:
            return
        try:
            self.guest.world.server.respond(cycle.exchange, response)
        except wit.TypesErrorException as error:
            if error.value.kind is not wit.TypesErrorKind.CLOSED:
                raise ValueError(f"the answer can't be sent: {error.value.message}") from None
        except rt.ComponentError as error:
            self._fail(error)
        else:
            self._soon()

    def receive(self, cycle: Cycle, body: wit.RequestBody, sink: Sink) -> None:
        """Lets the content of a request come."""
        if self._over:
            sink.finish(complete=False)
            return
        try:
            self.guest.world.server.receive(body, sink.inlet)
        except wit.TypesErrorException:
            sink.finish(complete=False)
        except rt.ComponentError as error:
            self._fail(error)
        else:
            self._soon()

    def go_on(self) -> None:
        """Does what is due, unless that is being done."""
        if not self._working:
            self._work()

    def failed(self, cycle: Cycle, error: BaseException) -> None:
        """The application has failed."""
        self._server._observer.application_failed(cycle.id, error)

    def ended(self, cycle: Cycle) -> None:
        """The application has returned."""
        self._cycles.pop(cycle.id, None)

    # The end

    @contextlib.contextmanager
    def _guarded(self) -> Any:
        try:
            yield
        except rt.ComponentError as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """The instance is lost: its clients are told, and another one is started."""
        if self._over:
            return
        waiting = self.guest.sockets.tell(_UNAVAILABLE)
        self._end()
        self._server._replace(self, error, waiting)

    def _end(self) -> None:
        """Lets go of the instance and of everything that it had."""
        self._over = True
        for reader in self._readers:
            self._loop.remove_reader(reader)
        if self._timer is not None:
            self._timer.cancel()
        for cycle in list(self._cycles.values()):
            cycle.disconnect()
        for number in list(self.places):
            self._server._observer.closed(number)
        self.places.clear()
        with contextlib.suppress(rt.ComponentError, OSError):
            self.guest.world.close()
        if self.guest.left is not None:
            self.guest.left()

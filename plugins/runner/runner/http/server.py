"""The HTTP component at work: requests of its batches for an application, and the answers back.

Clients that wait while an instance of the component fails are told 503; what becomes of instances is in
`runner.component_server`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import runner.bindings.http_component as wit
from runner import component_server
from runner.addresses import host_and_port
from runner.http.asgi import App, Cycle, Place, scope_of
from runner.http.config import HttpConfig
from runner.http.observer import Observer
from runner.http.pipes import Sink
from runner.http.tasks import Starter
from witgen import runtime as rt

__all__ = ["ComponentServer", "Guest"]

_UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 20\r\n"
    b"retry-after: 1\r\nconnection: close\r\n\r\nService Unavailable\n"
)

#: An instance of the component, and what the host has for it alone.
Guest: TypeAlias = component_server.Guest[wit.HttpComponent]


class ComponentServer(component_server.ComponentServer[wit.HttpComponent]):
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
        super().__init__(make, addresses, observer)
        self.app = app
        self.config = config
        self.observer = observer
        self.state = state

    def begin(self, guest: Guest) -> _Shift:
        """Puts an instance to work."""
        return _Shift(self, guest)


class _Shift(component_server.Shift[wit.HttpComponent, wit.Listener, wit.ServerBatch]):
    """One instance at work, from its start to its end."""

    farewell = _UNAVAILABLE
    refusal = wit.TypesErrorException

    def __init__(self, server: ComponentServer, guest: Guest) -> None:
        self._app, self._state, self._observer = server.app, server.state, server.observer
        self._config = server.config
        self._inline = server.config.limits.inline_content
        self._scheme = "https" if server.config.tls else "http"
        self._places: dict[int, Place] = {}
        self._cycles: dict[int, Cycle] = {}
        self._starter = Starter(asyncio.get_running_loop())
        super().__init__(server, guest, guest.world.server.accept)

    @property
    def connections(self) -> int:
        """Open connections."""
        return len(self._places)

    def listen(self, address: tuple[str, int]) -> wit.Listener:
        """Listens on an address."""
        return self.guest.world.server.start_listen(self._config.listen(address))

    def retire(self, listener: wit.Listener, grace: int) -> None:
        """Lets a listener end."""
        self.guest.world.server.stop_listen(listener, grace)

    def is_done(self, listener: wit.Listener) -> bool:
        """Whether it was stopped and has no connections."""
        status = listener.status()
        return status.stopping and not status.connections

    def handle(self, batch: wit.ServerBatch) -> None:
        """Begins requests, ends others."""
        observer = self._observer
        for connection in batch.opened:
            place = Place(host_and_port(connection.peer), host_and_port(connection.local), self._scheme)
            self._places[connection.id] = place
            observer.opened(connection)
        # First of all, as somebody waits for the answers, and what is below can be done while they are on their way.
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
            # An instance that was lost meanwhile has told of all of them.
            if self._places.pop(number, None) is not None:
                observer.closed(number)

    def _begin(self, request: wit.ServerRequest) -> None:
        place = self._places.get(request.connection)
        if place is None:
            # The instance was lost with the answer to a request before.
            return
        cycle = self._cycles[request.id] = Cycle(request, self, self._inline)
        cycle.task = self._starter.start(cycle.run(self._app, scope_of(request, place, self._state)))

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
            self.settle()

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
            self.settle()

    def failed(self, cycle: Cycle, error: BaseException) -> None:
        """The application has failed."""
        self._observer.application_failed(cycle.id, error)

    def ended(self, cycle: Cycle) -> None:
        """The application has returned."""
        self._cycles.pop(cycle.id, None)

    def drop(self) -> None:
        """Requests under way hear that their clients have gone."""
        self._starter.close()
        for cycle in list(self._cycles.values()):
            cycle.disconnect()
        for number in list(self._places):
            self._observer.closed(number)
        self._places.clear()

"""The client of the HTTP component for programs in Python: requests that wait for their responses.

The component does the protocol, under the policy of its manifest and what the caller allows besides; TLS is the
host's. `HttpClient` runs the component in the thread of its caller, while that waits.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self, TypeVar

import structlog

import runner.bindings.http_component as wit
from runner.granting import restricted
from runner.host import Inlet, Logging, Outlet, PollSet, Readiness, Tls
from runner.http.messages import TIMEOUTS, ClientTimeouts, HttpError, Kind, Request, Response, Target
from runner.loading import LoadedComponent
from witgen import runtime as rt
from witgen import wasi

__all__ = ["LIMITS", "HttpClient"]

LIMITS = wit.ClientLimits(
    connections=64,
    connections_per_authority=8,
    requests=64,
    header_bytes=65536,
    header_fields=100,
    content=1 << 40,
    inline_content=65536,
    stream_buffer=65536,
)
#: Bytes that wait between a caller and the component, in each direction.
_BUFFER = 1 << 18
#: Items of each sort that one call of `poll-response` gives.
_AT_ONCE = 64
_SCHEMES = {"http": wit.Scheme.HTTP, "https": wit.Scheme.HTTPS}
_VERSIONS = {wit.Version.HTTP10: "1.0", wit.Version.HTTP11: "1.1"}
T = TypeVar("T")


@dataclass(slots=True)
class _Exchange:
    """A request under way: what is still to be sent of it, and how it came out."""

    outlet: Outlet | None = None
    pieces: Iterator[bytes] = field(default_factory=lambda: iter(()))
    pending: wit.Pending | None = None
    arrival: rt.Ok[wit.ClientResponse] | rt.Err[wit.TypesError] | None = None
    body: rt.Ok[int] | rt.Err[wit.TypesError] | None = None


class HttpClient:
    """A client by the component, until the end of a `with` statement. Connections are kept and used again."""

    def __init__(
        self,
        loaded: LoadedComponent,
        *,
        connect: Sequence[str] = (),
        context: ssl.SSLContext | None = None,
        limits: wit.ClientLimits = LIMITS,
        timeouts: ClientTimeouts = TIMEOUTS,
    ) -> None:
        """`connect` are rules (docs/wasi-sockets.md) beside those of the manifest; `context` is for https, which is
        denied without one.

        Raises ValueError for a rule that can't be read, `HttpError` for a limit or time-out of 0.
        """
        network = loaded.inspected.grants.network
        sockets = wasi.Sockets([*network.connect, *connect], (), network.lookup, max_sockets=network.max_sockets)
        granted = restricted(wasi.provider(clocks=wasi.Clocks(), sockets=sockets), loaded.manifest)
        logging = Logging(structlog.get_logger("runner.component"), loaded.manifest.name)
        imports = wit.HttpComponentImports(logging=logging, readiness=Readiness(), tls=Tls(context))
        providers = (granted, *loaded.providers)
        self._world = wit.HttpComponent(loaded.component, imports, providers=providers, limits=loaded.limits)
        self._exchanges: dict[int, _Exchange] = {}
        times = {name: round(seconds * 1e9) for name, seconds in asdict(timeouts).items()}
        config = wit.AgentConfig(limits, wit.ClientTimeouts(**times))
        self._inline = limits.inline_content
        self._agent = self._call(lambda: self._world.client.agent.open(config))
        pollable: Any = self._agent.subscribe()
        self._poll_set: PollSet = pollable.source

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Calls off what is under way, and ends the instance."""
        self._exchanges.clear()
        self._world.close()

    def send(self, request: Request) -> Response:
        """Sends a request and waits for the head of the response. Raises `HttpError`."""
        exchange = _Exchange()
        target = Target.parse(request.url)
        asked = wit.ClientRequest(
            request.method,
            _SCHEMES[target.scheme],
            target.authority,
            target.path,
            list(request.fields),
            self._content(exchange, request),
            None if request.deadline is None else max(1, round(request.deadline * 1e9)),
        )
        pending = exchange.pending = self._call(lambda: self._world.client.send(self._agent, asked))
        number = self._call(pending.id)
        self._exchanges[number] = exchange
        try:
            while exchange.arrival is None:
                self._turn()
            response = _value(exchange.arrival)
        except BaseException:
            self._drop(number)
            raise
        return Response(
            response.status,
            _VERSIONS[response.version],
            response.fields,
            self._pieces(number, exchange, response.content),
            lambda: self._drop(number),
        )

    def _content(self, exchange: _Exchange, request: Request) -> wit.OutgoingContent:
        content = request.content
        if isinstance(content, bytes) and len(content) <= self._inline:
            return wit.OutgoingContent_Inline(content)
        length = len(content) if isinstance(content, bytes) else request.length
        pieces: Iterable[bytes] = _cut(content) if isinstance(content, bytes) else content
        exchange.outlet, exchange.pieces = Outlet(), iter(pieces)
        return wit.OutgoingContent_Streamed(wit.Source(exchange.outlet, length))

    def _pieces(self, number: int, exchange: _Exchange, content: wit.ResponseContent) -> Iterator[bytes]:
        if isinstance(content, wit.ResponseContent_Inline):
            self._drop(number)
            yield content.value
            return
        inlet = Inlet(_BUFFER)
        try:
            self._call(lambda: self._world.client.receive(content.value, inlet))
            while inlet.held or exchange.body is None:
                if data := inlet.read():
                    yield data
                else:
                    self._turn()
            _value(exchange.body)
        finally:
            inlet.shut()
            self._drop(number)

    def _turn(self) -> None:
        """Waits once, and takes what has happened."""
        for exchange in self._exchanges.values():
            _fill(exchange)
        self._poll_set.wait()
        more = True
        while more:
            batch = self._call(lambda: self._world.client.poll_response(self._agent, _AT_ONCE))
            more = batch.more
            for arrival in batch.responses:
                if found := self._exchanges.get(arrival.exchange):
                    found.arrival = arrival.outcome
            for body in batch.bodies:
                if found := self._exchanges.get(body.exchange):
                    found.body = body.outcome

    def _drop(self, number: int) -> None:
        """Lets go of an exchange, and calls it off where it is not over."""
        exchange = self._exchanges.pop(number, None)
        if exchange is not None and exchange.pending is not None:
            self._call(exchange.pending.close)

    def _call(self, work: Callable[[], T]) -> T:
        """What a call of the component gives. Raises `HttpError`, also where the component itself fails."""
        try:
            return work()
        except wit.TypesErrorException as error:
            raise HttpError(error.value.kind, error.value.message) from None
        except rt.ComponentError as error:
            raise HttpError(Kind.PERMANENT, f"the component failed: {error}") from error


def _value(outcome: rt.Ok[T] | rt.Err[wit.TypesError]) -> T:
    if isinstance(outcome, rt.Err):
        raise HttpError(outcome.value.kind, outcome.value.message)
    return outcome.value


def _fill(exchange: _Exchange) -> None:
    """Gives the component what it has room for; what can't be had cuts the request off."""
    outlet = exchange.outlet
    if outlet is None:
        return
    try:
        while outlet.held < _BUFFER and not outlet.ended:
            piece = next(exchange.pieces, None)
            if piece is None:
                outlet.finish()
                exchange.outlet = None
                return
            outlet.feed(piece)
    except Exception as error:
        outlet.abort(str(error))
        exchange.outlet = None
        raise


def _cut(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), _BUFFER):
        yield data[at : at + _BUFFER]

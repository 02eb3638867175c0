"""How the server listens: limits and time-outs, as an operator gives them and as the component takes them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

import runner.bindings.http_component as wit
from runner.addresses import wasi_address

__all__ = ["HttpConfig", "HttpLimits", "HttpTimeouts"]

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What a listener and its connections may use; see `limits` of `component:http/server`."""

    connections: int = 4096
    exchanges: int = 4096
    request_line: int = 8192
    header_bytes: int = 65536
    header_fields: int = 100
    content: int = 1 << 40
    inline_content: int = 65536
    stream_buffer: int = 65536
    requests: int = 1_000_000


@dataclass(frozen=True, slots=True)
class HttpTimeouts:
    """How long a client may take, in seconds; see `timeouts` of `component:http/server`."""

    header: float = 10
    content: float = 30
    send: float = 30
    idle: float = 60


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """How to listen; `grace` is how many seconds requests have to end when the server is told to stop."""

    backlog: int = 2048
    tls: bool = False
    grace: float = 30
    limits: HttpLimits = field(default_factory=HttpLimits)
    timeouts: HttpTimeouts = field(default_factory=HttpTimeouts)

    def listen(self, address: tuple[str, int]) -> wit.ListenConfig:
        """What the component is given to listen on an address."""
        times = {name: _nanoseconds(seconds) for name, seconds in asdict(self.timeouts).items()}
        return wit.ListenConfig(
            address=wasi_address(wit, address),
            backlog=self.backlog,
            scheme=wit.Scheme.HTTPS if self.tls else wit.Scheme.HTTP,
            limits=wit.ServerLimits(**asdict(self.limits)),
            timeouts=wit.ServerTimeouts(**times),
        )


def _nanoseconds(seconds: float) -> int:
    return max(1, round(seconds * _SECOND))

"""How the server listens: limits and time-outs, as an operator gives them and as the component takes them."""

from __future__ import annotations

import ipaddress
from dataclasses import asdict, dataclass, field

import runner.bindings.http_component as wit

__all__ = ["HttpConfig", "HttpLimits", "HttpTimeouts", "host_and_port", "wasi_address"]

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
            address=wasi_address(address),
            backlog=self.backlog,
            scheme=wit.Scheme.HTTPS if self.tls else wit.Scheme.HTTP,
            limits=wit.ServerLimits(**asdict(self.limits)),
            timeouts=wit.ServerTimeouts(**times),
        )


def _nanoseconds(seconds: float) -> int:
    return max(1, round(seconds * _SECOND))


def wasi_address(address: tuple[str, int]) -> wit.IpSocketAddress:
    """An address of the system as the contract has it."""
    host = ipaddress.ip_address(address[0])
    packed, port = host.packed, address[1]
    if isinstance(host, ipaddress.IPv4Address):
        return wit.IpSocketAddress_Ipv4(wit.Ipv4SocketAddress(port, (packed[0], packed[1], packed[2], packed[3])))
    groups = [int.from_bytes(packed[at : at + 2]) for at in range(0, 16, 2)]
    a, b, c, d, e, f, g, h = groups
    return wit.IpSocketAddress_Ipv6(wit.Ipv6SocketAddress(port, 0, (a, b, c, d, e, f, g, h), 0))


def host_and_port(address: wit.IpSocketAddress) -> tuple[str, int]:
    """An address of the contract as Python has it."""
    value = address.value
    if isinstance(value, wit.Ipv4SocketAddress):
        return ".".join(map(str, value.address)), value.port
    packed = b"".join(group.to_bytes(2) for group in value.address)
    return str(ipaddress.IPv6Address(packed)), value.port

"""How the FTP server serves: limits and time-outs, as an operator gives them and as the component takes them."""

from __future__ import annotations

import ipaddress
from dataclasses import asdict, dataclass, field

import runner.bindings.ftp_component as wit
from runner.addresses import wasi_address

__all__ = ["FtpConfig", "FtpLimits", "FtpTimeouts"]

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class FtpLimits:
    """What a session and its connections may use; see `limits` of `component:ftp/control`."""

    connections: int = 1024
    connections_per_peer: int = 256
    command_line: int = 4096
    login_attempts: int = 3
    inline_data: int = 65536
    stream_buffer: int = 262_144


@dataclass(frozen=True, slots=True)
class FtpTimeouts:
    """How long a client may take, in seconds; see `timeouts` of `component:ftp/control`."""

    login: float = 60
    idle: float = 300
    data_connection: float = 30
    transfer: float = 60
    reply: float = 30


@dataclass(frozen=True, slots=True)
class FtpConfig:
    """How to serve; `grace` is how many seconds commands have to end when the server is told to stop.

    `passive_ports` are the first and the last port for PASV and EPSV, None where these are not allowed; `tls` is a case
    of `tls-policy`: ``off``, ``offered``, ``login``, ``everything``.
    """

    backlog: int = 512
    greeting: tuple[str, ...] = ()
    active: bool = True
    passive_ports: tuple[int, int] | None = (49152, 65535)
    public_address: str | None = None
    tls: str = "off"
    grace: float = 30
    limits: FtpLimits = field(default_factory=FtpLimits)
    timeouts: FtpTimeouts = field(default_factory=FtpTimeouts)

    def start(self, address: tuple[str, int]) -> wit.ServerConfig:
        """What the component is given to serve at an address."""
        times = {name: max(1, round(seconds * _SECOND)) for name, seconds in asdict(self.timeouts).items()}
        return wit.ServerConfig(
            address=wasi_address(wit, address),
            backlog=self.backlog,
            greeting=list(self.greeting),
            active=self.active,
            passive=self._passive(),
            tls=wit.TlsPolicy[self.tls.upper()],
            limits=wit.Limits(**asdict(self.limits)),
            timeouts=wit.Timeouts(**times),
        )

    def _passive(self) -> wit.PassivePorts | None:
        if self.passive_ports is None:
            return None
        public = None
        if self.public_address is not None:
            a, b, c, d = ipaddress.IPv4Address(self.public_address).packed
            public = (a, b, c, d)
        return wit.PassivePorts(*self.passive_ports, public)

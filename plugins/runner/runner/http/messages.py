"""Requests and responses as a client of HTTP in Python has them, whoever sends them."""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeAlias

import runner.bindings.http_component as wit
from runner.errors import RunnerError

__all__ = ["TIMEOUTS", "Client", "ClientTimeouts", "HttpError", "Kind", "Request", "Response", "Target"]

Kind: TypeAlias = wit.TypesErrorKind
_PORTS = {"http": 80, "https": 443}


class HttpError(RunnerError):
    """Why there is no response, or not all of one; `kind` says how that is to be met (`component:http/types`)."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class ClientTimeouts:
    """How long a server may take, in seconds; see `timeouts` of `component:http/client`."""

    connect: float = 30
    send: float = 30
    response: float = 60
    content: float = 60
    idle: float = 30


TIMEOUTS = ClientTimeouts()


@dataclass(frozen=True, slots=True)
class Target:
    """What a URL says: whom to ask, and for what. `authority` is as it was written, `path` has the query with it."""

    scheme: str
    authority: str
    host: str
    port: int
    path: str

    @classmethod
    def parse(cls, url: str) -> Target:
        """The parts of a URL of http or https; its fragment is left out. Raises `HttpError` for what is none."""
        try:
            parts = urllib.parse.urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise _wrong(f"{url!r} is no URL: {error}") from None
        if not url.isascii() or parts.scheme not in _PORTS or not host:
            raise _wrong(f"{url!r} is no URL of http or https, in ASCII")
        if "@" in parts.netloc:
            raise _wrong(f"{url!r} has user information, which is not sent: give a field Authorization")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return cls(parts.scheme, parts.netloc, host, port or _PORTS[parts.scheme], path)

    @property
    def rule(self) -> str:
        """The rule of a policy that allows to connect there and nowhere else."""
        return f"tcp://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def _wrong(message: str) -> HttpError:
    return HttpError(Kind.INVALID_ARGUMENT, message)


@dataclass(frozen=True, slots=True)
class Request:
    """A request. Framing and Host are added to its `fields`.

    `content` is sent as its pieces come; where their `length` in bytes is not known, in chunks. `deadline` is how many
    seconds the whole exchange may take, content included.
    """

    url: str
    method: str = "GET"
    fields: tuple[tuple[str, bytes], ...] = ()
    content: bytes | Iterable[bytes] = b""
    length: int | None = None
    deadline: float | None = None


class Response:
    """A response, whose content comes while one iterates over it; that raises `HttpError` where it breaks off.

    It holds a connection until it is read to its end or closed: use it in a `with` statement.
    """

    def __init__(
        self,
        status: int,
        version: str,
        fields: list[tuple[str, bytes]],
        pieces: Iterator[bytes],
        close: Callable[[], object],
    ) -> None:
        """`version` is ``1.0`` or ``1.1``; names of `fields` are in lower case."""
        self.status = status
        self.version = version
        self.fields = fields
        self._pieces = pieces
        self.close = close

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def read(self) -> bytes:
        """All that is left of the content."""
        return b"".join(self._pieces)

    def field(self, name: str) -> bytes | None:
        """The first value of a field, whose name is given in lower case."""
        return next((value for key, value in self.fields if key == name), None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


class Client(Protocol):
    """Who sends requests, for one thread at a time. Redirects are not followed."""

    def send(self, request: Request) -> Response:
        """Sends a request and waits for the head of the response. Raises `HttpError`."""

    def close(self) -> None:
        """Calls off what is under way."""

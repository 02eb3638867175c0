"""What the FTP component imports of the Runner, in the types of its own adapter.

Each adapter has types of its own for the contracts that it shares with others; what `runner.host` gives are those of
the HTTP component.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import runner.bindings.ftp_component as wit
from runner.bindings import http_component as http
from runner.host import Logging, Readiness, Tls

__all__ = ["imports"]

_LEVELS = {ours: http.Level[ours.name] for ours in wit.Level}
_OURS = {theirs: ours for ours, theirs in _LEVELS.items()}


def imports(logging: Logging, tls: Tls) -> wit.FtpComponentImports:
    """Everything that an instance imports beside WASI."""
    return wit.FtpComponentImports(logging=_Logging(logging), readiness=Readiness(), tls=_Tls(tls))


class _Logging:
    """`runner:host/logging`."""

    def __init__(self, logging: Logging) -> None:
        self._logging = logging

    def threshold(self) -> wit.Level:
        return _OURS[self._logging.threshold()]

    def log(self, level: wit.Level, context: Any, message: str, fields: Any) -> None:
        # Records and variants are read by the names of their fields, which are the same.
        self._logging.log(_LEVELS[level], context, message, fields)


class _Tls:
    """`runner:host/tls`."""

    def __init__(self, tls: Tls) -> None:
        self._tls = tls

    def client(self, input: Any, output: Any, server_name: str) -> Any:
        return _translated(lambda: self._tls.client(input, output, server_name))

    def server(self, input: Any, output: Any) -> Any:
        return _translated(lambda: self._tls.server(input, output))

    def stream_failure(self, failure: Any) -> wit.TlsError | None:
        found = self._tls.stream_failure(failure)
        return None if found is None else _error(found)


def _translated(begin: Callable[[], Any]) -> Any:
    try:
        return begin()
    except http.TlsErrorException as error:
        raise wit.TlsErrorException(_error(error.value)) from None


def _error(error: http.TlsError) -> wit.TlsError:
    return wit.TlsError(wit.TlsErrorKind[error.kind.name], error.message)

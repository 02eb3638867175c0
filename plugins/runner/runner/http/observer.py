"""Who is told what happens in a server, be it the component or the one in Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import runner.bindings.http_component as wit

__all__ = ["Observer"]


class Observer(Protocol):
    """Called from the event loop of the server; must not raise and must not block."""

    def opened(self, connection: wit.Connection) -> None:
        """A connection was accepted."""

    def closed(self, connection: int) -> None:
        """It is gone."""

    def reported(self, reports: Sequence[wit.Report]) -> None:
        """Exchanges are over."""

    def application_failed(self, exchange: int, error: BaseException) -> None:
        """The application has raised an exception."""

    def component_failed(self, error: BaseException, waiting: int) -> None:
        """The component has failed while `waiting` clients waited for an answer."""

    def component_started(self, seconds: float) -> None:
        """An instance is ready, which took so long."""

"""Who is told what happens in a server of FTP, be it the component or the one in Python."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import runner.bindings.ftp_component as wit
from runner.component_server import ComponentObserver

__all__ = ["Observer"]


class Observer(ComponentObserver, Protocol):
    """Called from the event loop of the server; must not raise and must not block."""

    def opened(self, connection: wit.Connection) -> None:
        """A control connection was accepted."""

    def closed(self, connection: int) -> None:
        """It is gone."""

    def reported(self, reports: Sequence[wit.Report]) -> None:
        """Commands are over."""

    def storage_failed(self, exchange: int, error: BaseException) -> None:
        """Storage or accounts have failed in a way that nobody has foreseen."""

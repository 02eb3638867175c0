"""What an HTTP server tells (`runner.reporting` says where it goes)."""

from __future__ import annotations

from collections.abc import Sequence

import runner.bindings.http_component as wit
from runner.reporting import Reporting

__all__ = ["HttpReporting"]


class HttpReporting(Reporting):
    """The `Observer` and `Announcer` of a service of HTTP."""

    def opened(self, connection: wit.Connection) -> None:
        """A connection was accepted."""
        self.connected()

    def reported(self, reports: Sequence[wit.Report]) -> None:
        """Exchanges are over."""
        self.finished(reports)

    def application_failed(self, exchange: int, error: BaseException) -> None:
        """The application has raised an exception."""
        self.log.error("the application failed", component=self.component, request=exchange, exc_info=error)

"""What an HTTP server tells (`runner.reporting` says where it goes)."""

from __future__ import annotations

from collections.abc import Sequence

import runner.bindings.http_component as wit
from runner.progress.recorder import Exchange
from runner.reporting import Reporting

__all__ = ["HttpReporting"]


#: Kinds of failures that are not the client's.
_OURS = {wit.TypesErrorKind.TRANSIENT, wit.TypesErrorKind.PERMANENT, wit.TypesErrorKind.EXHAUSTED}
#: Codes of 5xx for what the client wanted and nobody has to offer: 501 (Not Implemented), 505 (version).
_NOT_OURS = {501, 505}


class HttpReporting(Reporting):
    """The `Observer` and `Announcer` of a service of HTTP."""

    counting = "runner.http_metrics"

    def opened(self, connection: wit.Connection) -> None:
        """A connection was accepted."""
        self.connected()

    def reported(self, reports: Sequence[wit.Report]) -> None:
        """Exchanges are over."""
        self.finished(reports)

    def failed(self, item: Exchange) -> bool:
        """Whether the answer admits that the server failed, or there was none for a reason other than the client's."""
        if item.status is None:
            return item.failure is not None and item.failure.kind in _OURS
        return item.status >= 500 and item.status not in _NOT_OURS

    def application_failed(self, exchange: int, error: BaseException) -> None:
        """The application has raised an exception."""
        self.log.error("the application failed", component=self.component, request=exchange, exc_info=error)

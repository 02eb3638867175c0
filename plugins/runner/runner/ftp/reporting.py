"""What an FTP server tells (`runner.reporting` says where it goes): each command is an exchange."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import runner.bindings.ftp_component as wit
from runner.progress.recorder import Exchange
from runner.reporting import Reporting

__all__ = ["FtpReporting"]

#: Commands whose data come from the client.
_RECEIVING = {"STOR", "APPE", "STOU"}

#: Replies that say so: local error, insufficient storage.
_OURS = {451, 452}


@dataclass(slots=True)
class _Exchange:
    """A command, in the words for exchanges of all protocols; `status` is the code of the reply."""

    exchange: int
    connection: int
    verb: str
    status: int | None
    received: int
    sent: int
    duration: int
    failure: wit.TypesError | None


class FtpReporting(Reporting):
    """The `Observer` and `Announcer` of a service of FTP."""

    def opened(self, connection: wit.Connection) -> None:
        """A control connection was accepted."""
        self.connected()

    def reported(self, reports: Sequence[wit.Report]) -> None:
        """Commands are over."""
        self.finished([_exchange(report) for report in reports])

    def failed(self, item: Exchange) -> bool:
        """Whether the reply admits that the server failed."""
        return item.status in _OURS

    def storage_failed(self, exchange: int, error: BaseException) -> None:
        """Storage or accounts have failed."""
        self.log.error("the storage failed", component=self.component, request=exchange, exc_info=error)


def _exchange(report: wit.Report) -> _Exchange:
    receives = report.verb in _RECEIVING
    return _Exchange(
        report.exchange,
        report.connection,
        report.verb,
        report.reply,
        report.transferred if receives else 0,
        0 if receives else report.transferred,
        report.duration,
        report.failure,
    )

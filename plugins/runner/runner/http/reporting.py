"""What a server tells, on its way to metrics, logs, the status page, and progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import structlog

import runner.bindings.http_component as wit
from runner.flags import Flags
from runner.metrics import Metrics
from runner.progress.recorder import Recorder
from runner.status import Status

__all__ = ["COMPONENT", "Reporting"]

COMPONENT = "http-component"
_log = structlog.get_logger("runner.http")
_GIVEN_UP = "component failed"


class Reporting:
    """The `Observer` and `Announcer` of a service. Nothing here blocks: progress is written by another process."""

    def __init__(self, metrics: Metrics, status: Status, recorder: Recorder | None, flags: Callable[[], Flags]) -> None:
        self._metrics = metrics
        self._status = status
        self._recorder = recorder
        self._flags = flags
        self._observe = metrics.timer("runner_request_seconds", component=COMPONENT)
        self._mode = "none"

    # `Announcer`

    def serving(self, mode: str, reason: str) -> None:
        """Another server serves."""
        _log.info("serving", component=COMPONENT, mode=mode, reason=reason)
        self._metrics.set("runner_component_serves", mode == "component", component=COMPONENT)
        if self._mode == "component" and mode == "python":
            self._metrics.add("runner_fallbacks_total", component=COMPONENT, reason=_kind(reason))
        self._mode = mode
        self._status.component |= {"mode": mode, "reason": reason}
        self._status.changed()
        self._change("serves", mode, reason)

    # `Observer`

    def opened(self, connection: wit.Connection) -> None:
        """A connection was accepted."""
        self._metrics.add("runner_connections", 1, component=COMPONENT)

    def closed(self, connection: int) -> None:
        """It is gone."""
        self._metrics.add("runner_connections", -1, component=COMPONENT)

    def reported(self, reports: Sequence[wit.Report]) -> None:
        """Exchanges are over."""
        flags = self._flags()
        if flags["runner.http_metrics"]:
            self._count(reports)
        latencies = self._status.latencies
        for report in reports:
            latencies.add(report.duration / 1e9, report.failure is not None)
            if report.failure is not None:
                kind = report.failure.kind.name.lower()
                self._metrics.add("runner_request_failures_total", component=COMPONENT, kind=kind)
                # Whoever sends rubbish must not fill the logs.
                _log.debug(
                    "request failed",
                    component=COMPONENT,
                    request=report.exchange,
                    connection=report.connection,
                    status=report.status,
                    kind=kind,
                    problem=report.failure.message,
                )
        if self._recorder is not None:
            self._recorder.requests(COMPONENT, reports)
        if self._status.watched:
            self._show(reports[-1])

    def application_failed(self, exchange: int, error: BaseException) -> None:
        """The application has raised an exception."""
        _log.error("the application failed", component=COMPONENT, request=exchange, exc_info=error)

    def component_failed(self, error: BaseException, waiting: int) -> None:
        """The component has failed."""
        _log.error("the component failed", component=COMPONENT, problem=str(error), waiting=waiting)
        self._metrics.add("runner_replacements_total", component=COMPONENT, reason=type(error).__name__)
        self._status.component["failures"] += 1
        self._status.changed()
        self._change("failed", str(error), "", failure="permanent")

    def component_started(self, seconds: float) -> None:
        """An instance is ready."""
        _log.info("instance ready", component=COMPONENT, seconds=round(seconds, 4))

    # Parts

    def _count(self, reports: Sequence[wit.Report]) -> None:
        statuses: dict[int | None, int] = {}
        received = sent = 0
        for report in reports:
            statuses[report.status] = statuses.get(report.status, 0) + 1
            received += report.received
            sent += report.sent
            self._observe(report.duration / 1e9)
        for status, count in statuses.items():
            shown = "none" if status is None else str(status)
            self._metrics.add("runner_requests_total", count, component=COMPONENT, status=shown)
        self._metrics.add("runner_bytes_total", received, component=COMPONENT, direction="received")
        self._metrics.add("runner_bytes_total", sent, component=COMPONENT, direction="sent")

    def _change(self, key: str, value: str, reason: str, failure: str | None = None) -> None:
        """A change of state, as progress."""
        if self._recorder is not None:
            self._recorder.change(COMPONENT, key, value, reason, failure)
        changes: list[tuple[str, Any]] = [(key, value), *([("reason", reason)] if reason else [])]
        self._tell("service", "monitoring", 0, changes, failure)

    def _show(self, report: wit.Report) -> None:
        """The last request of a batch, for whoever looks at the page."""
        task = f"connection {report.connection}, exchange {report.exchange}"
        failure = None if report.failure is None else report.failure.kind.name.lower()
        self._tell(task, "closing", 1, [("status", report.status), ("bytes", report.sent)], failure)

    def _tell(
        self, task: str, phase: str, progress: float, changes: list[tuple[str, Any]], failure: str | None
    ) -> None:
        """Has the page show a piece of progress."""
        self._status.update(
            {
                "timestamp": time.time(),
                "user": COMPONENT,
                "task": task,
                "phase": phase,
                "progress": progress,
                "changes": changes,
                "failure": failure,
            }
        )


def _kind(reason: str) -> str:
    """A label of few values for a reason in words."""
    return _GIVEN_UP if reason.startswith("the component") else reason

"""What a server tells, on its way to metrics, logs, the status page, and progress; for any protocol."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import structlog

from runner.flags import Flags
from runner.metrics import Metrics
from runner.progress.recorder import Exchange, Recorder
from runner.rollout.vitals import Vitals
from runner.status import Status
from runner.supervisor import tell_ready

__all__ = ["Reporting"]

_GIVEN_UP = "component failed"


class Reporting:
    """The `Announcer` and the common part of the `Observer` of a service.

    Nothing here blocks: progress is written by another process.
    """

    #: The flag that says whether exchanges are counted; where there is none, they are.
    counting: ClassVar[str | None] = None

    def __init__(
        self,
        component: str,
        metrics: Metrics,
        status: Status,
        recorder: Recorder | None,
        flags: Callable[[], Flags],
    ) -> None:
        """`component` is the name under which everything is told."""
        self.component = component
        self.log = structlog.get_logger(f"runner.{component.partition('-')[0]}")
        self._metrics = metrics
        self._status = status
        self._recorder = recorder
        self._flags = flags
        self._observe = metrics.timer("runner_request_seconds", component=component)
        self._connections = metrics.counter("runner_connections", component=component)
        self._received = metrics.counter("runner_bytes_total", component=component, direction="received")
        self._sent = metrics.counter("runner_bytes_total", component=component, direction="sent")
        #: The counters of requests, by their status.
        self._requests: dict[int | None, Callable[[float], None]] = {}
        self._mode = "none"
        #: Where there is a rollout: what it wants to know.
        self.vitals: Vitals | None = None

    # `Announcer`

    def serving(self, mode: str, reason: str) -> None:
        """Another server serves."""
        self.log.info("serving", component=self.component, mode=mode, reason=reason)
        self._metrics.set("runner_component_serves", mode == "component", component=self.component)
        if self._mode == "component" and mode == "python":
            self._metrics.add("runner_fallbacks_total", component=self.component, reason=_kind(reason))
        self._mode = mode
        self._status.component |= {"mode": mode, "reason": reason}
        self._status.changed()
        self._change("serves", mode, reason)
        tell_ready()

    # `Observer`

    def closed(self, connection: int) -> None:
        """A connection is gone."""
        self._connections(-1)

    def component_failed(self, error: BaseException, waiting: int) -> None:
        """The component has failed."""
        self.log.error("the component failed", component=self.component, problem=str(error), waiting=waiting)
        self._metrics.add("runner_replacements_total", component=self.component, reason=type(error).__name__)
        if self.vitals is not None:
            self.vitals.unanswered(waiting)
        self._status.component["failures"] += 1
        self._status.changed()
        self._change("failed", str(error), "", failure="permanent")

    def component_started(self, seconds: float) -> None:
        """An instance is ready."""
        self.log.info("instance ready", component=self.component, seconds=round(seconds, 4))

    # For subclasses

    def connected(self) -> None:
        """A connection was accepted."""
        self._connections(1)

    def finished(self, exchanges: Sequence[Exchange]) -> None:
        """Counts exchanges that are over, and records them."""
        if self.counting is None or self._flags()[self.counting]:
            self._count(exchanges)
        latencies = self._status.latencies
        for item in exchanges:
            latencies.add(item.duration / 1e9, item.failure is not None)
            if item.failure is not None:
                self._complain(item)
        if self.vitals is not None:
            for item in exchanges:
                self.vitals.request(item.duration / 1e9, self.failed(item))
        if self._recorder is not None:
            self._recorder.requests(self.component, exchanges)
        if self._status.watched:
            self._show(exchanges[-1])

    def failed(self, item: Exchange) -> bool:
        """Whether an exchange failed by the server's fault, as far as the server says so."""
        raise NotImplementedError

    # Parts

    def _complain(self, item: Exchange) -> None:
        kind = item.failure.kind.name.lower()
        self._metrics.add("runner_request_failures_total", component=self.component, kind=kind)
        # Whoever sends rubbish must not fill the logs.
        self.log.debug(
            "request failed",
            component=self.component,
            request=item.exchange,
            connection=item.connection,
            status=item.status,
            kind=kind,
            problem=item.failure.message,
        )

    def _count(self, exchanges: Sequence[Exchange]) -> None:
        statuses: dict[int | None, int] = {}
        received = sent = 0
        for item in exchanges:
            statuses[item.status] = statuses.get(item.status, 0) + 1
            received += item.received
            sent += item.sent
            self._observe(item.duration / 1e9)
        for status, count in statuses.items():
            if (add := self._requests.get(status)) is None:
                shown = "none" if status is None else str(status)
                add = self._metrics.counter("runner_requests_total", component=self.component, status=shown)
                self._requests[status] = add
            add(count)
        if received:
            self._received(received)
        if sent:
            self._sent(sent)

    def _change(self, key: str, value: str, reason: str, failure: str | None = None) -> None:
        """A change of state, as progress."""
        if self._recorder is not None:
            self._recorder.change(self.component, key, value, reason, failure)
        changes: list[tuple[str, Any]] = [(key, value), *([("reason", reason)] if reason else [])]
        self._tell("service", "monitoring", 0, changes, failure)

    def _show(self, item: Exchange) -> None:
        """The last request of a batch, for whoever looks at the page."""
        task = f"connection {item.connection}, exchange {item.exchange}"
        failure = None if item.failure is None else item.failure.kind.name.lower()
        verb = getattr(item, "verb", "")
        changes = [
            *([("command", verb)] if verb else []),
            ("status", item.status),
            ("bytes", item.sent + item.received),
        ]
        self._tell(task, "closing", 1, changes, failure)

    def _tell(
        self, task: str, phase: str, progress: float, changes: list[tuple[str, Any]], failure: str | None
    ) -> None:
        """Has the page show a piece of progress."""
        self._status.update(
            {
                "timestamp": time.time(),
                "user": self.component,
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

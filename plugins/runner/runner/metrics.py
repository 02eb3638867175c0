"""Figures for Prometheus: which there are, in one table, and how they are told.

The registry is one of its own, so that two Runners in a process, and tests, do not meet. Worker processes each count
for themselves in files of a common folder (`share_between_processes`), which prometheus_client adds up whichever of
them is asked: so the answer does not depend on the worker that a scrape happens to reach, and a worker that dies takes
no counts with it. It knows names and labels; what is counted where, its callers know.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runner import allocator
from runner.bindings import progress_client as wit
from runner.flags import Flags

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["FAMILIES", "Family", "Metrics", "Sample", "forget_process", "share_between_processes"]

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_REQUESTS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_DELIVERIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


@dataclass(frozen=True, slots=True)
class Family:
    """A metric: `kind` is counter, gauge or histogram, `workers` how gauges of several processes become one."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    workers: str = "livesum"


_TABLE = (
    Family("runner_flag", "gauge", "Whether a feature flag is on.", ("flag",), workers="livemax"),
    Family("runner_requests_total", "counter", "Requests answered.", ("component", "status")),
    Family("runner_request_seconds", "histogram", "Time from request to answer.", ("component",), _REQUESTS),
    Family("runner_request_failures_total", "counter", "Requests that failed, by kind.", ("component", "kind")),
    Family("runner_bytes_total", "counter", "Bytes with framing.", ("component", "direction")),
    Family("runner_component_serves", "gauge", "1: the component; 0: Python.", ("component",), workers="livemin"),
    Family("runner_memory_bytes", "gauge", "Resident memory of the process."),
    Family("runner_allocator_bytes", "gauge", "What jemalloc holds, where it is loaded.", ("kind",)),
    Family("runner_connections", "gauge", "Open connections.", ("component",)),
    Family("runner_instances", "gauge", "Instances of a component.", ("component",)),
    Family("runner_instance_memory_bytes", "gauge", "Linear memory of all instances.", ("component",)),
    Family("runner_replacements_total", "counter", "Instances that were replaced.", ("component", "reason")),
    Family("runner_fallbacks_total", "counter", "Changes to the built-in implementation.", ("component", "reason")),
    Family("runner_rollout_share", "gauge", "Share of connections of a new component.", ("component",)),
    Family("runner_rollout_events_total", "counter", "What a rollout did.", ("component", "event", "guard")),
    Family("progress_delivery_seconds", "histogram", "Time of an update to a subscriber.", (), _DELIVERIES),
    Family("progress_updates_published_total", "counter", "Updates that got an id."),
    Family("progress_updates_refused_total", "counter", "Updates for which a subscription had no room."),
    Family("progress_updates_delivered_total", "counter", "Updates handed to subscribers."),
    Family("progress_updates_acknowledged_total", "counter", "Updates that subscribers acknowledged."),
    Family("progress_updates_dropped_total", "counter", "Updates dropped from full queues."),
    Family("progress_heartbeats_total", "counter", "Signs of life."),
    # Of one file that all workers share: each knows the whole.
    Family("workbook_memory_bytes", "gauge", "What the workbook holds.", ("scenario",), workers="livemax"),
    Family("progress_scopes", "gauge", "Scopes in the workbook.", workers="livemax"),
    Family("progress_subscriptions", "gauge", "Subscriptions.", workers="livemax"),
    Family("progress_updates_queued", "gauge", "Updates that wait or are not acknowledged.", workers="livemax"),
)
#: All metrics by name.
FAMILIES = {family.name: family for family in _TABLE}


@dataclass(frozen=True, slots=True)
class Sample:
    """One figure as it is now; histograms are several, with ``_bucket``, ``_sum`` and ``_count`` behind the name."""

    name: str
    labels: dict[str, str]
    value: float


def share_between_processes(folder: Path) -> None:
    """Has this process and those that it starts count together, in files of an empty folder.

    It must come before the first `Metrics`: prometheus_client decides when it is imported. Raises RuntimeError if that
    has happened.
    """
    if "prometheus_client" in sys.modules and _FOLDER not in os.environ:
        raise RuntimeError("prometheus_client is loaded already: say first that processes count together")
    os.environ[_FOLDER] = str(folder)


def forget_process(pid: int) -> None:
    """Lets the gauges of a process that has ended count no more; what it has counted stays."""
    if _FOLDER in os.environ:
        from prometheus_client import multiprocess

        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]


class Metrics:
    """The figures of a process. Threads may share it."""

    def __init__(self) -> None:
        import prometheus_client

        self.registry = prometheus_client.CollectorRegistry()
        self._families: dict[str, Any] = {}
        for family in _TABLE:
            options: dict[str, Any] = {}
            if family.kind == "histogram":
                options["buckets"] = family.buckets
            elif family.kind == "gauge":
                options["multiprocess_mode"] = family.workers
            kind = getattr(prometheus_client, family.kind.title())
            made = kind(family.name, family.help, family.labels, registry=self.registry, **options)
            self._families[family.name] = made

    def add(self, name: str, value: float = 1, **labels: str) -> None:
        """Adds to a counter, or to a gauge, from which a negative value takes away.

        Raises KeyError for a name that is not in the table, ValueError for other labels.
        """
        self._child(name, labels).inc(value)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Sets a gauge."""
        self._child(name, labels).set(value)

    def observe(self, name: str, value: float, **labels: str) -> None:
        """Puts a value into a histogram."""
        self._child(name, labels).observe(value)

    def counter(self, name: str, **labels: str) -> Callable[[float], None]:
        """`add` to one counter or gauge with labels, looked up once: for what happens often."""
        found: Callable[[float], None] = self._child(name, labels).inc
        return found

    def timer(self, name: str, **labels: str) -> Callable[[float], None]:
        """`observe` of one histogram with labels, looked up once: for what happens often."""
        found: Callable[[float], None] = self._child(name, labels).observe
        return found

    def _child(self, name: str, labels: dict[str, str]) -> Any:
        family = self._families[name]
        return family.labels(**labels) if labels else family

    def take_flags(self, flags: Flags) -> None:
        """Tells which flags are on."""
        for name, value in flags.items():
            self.set("runner_flag", value, flag=name)

    def take_allocator(self) -> None:
        """Tells what the allocator of this process holds, where it can be asked."""
        for kind, value in allocator.held().items():
            self.set("runner_allocator_bytes", value, kind=kind)

    def take_progress(self, figures: Iterable[wit.Metric]) -> None:
        """Takes what `telemetry.flush-metrics` gave; names that are not in the table are left out."""
        for metric in figures:
            if metric.name in FAMILIES:
                known = FAMILIES[metric.name]
                labels = {name: value for name, value in metric.labels if name in known.labels}
                act = self.add if metric.kind is wit.MetricKind.COUNTER else self.set
                act(metric.name, metric.value, **labels)

    def render(self) -> tuple[bytes, str]:
        """All figures in Prometheus's text form, and its content type."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        return generate_latest(self._whole()), CONTENT_TYPE_LATEST

    def samples(self) -> Iterator[Sample]:
        """All figures as data."""
        for family in self._whole().collect():
            for item in family.samples:
                if not item.name.endswith("_created"):
                    yield Sample(item.name, dict(item.labels), item.value)

    def _whole(self) -> CollectorRegistry:
        """The registry of this process, or what all processes have counted."""
        if _FOLDER not in os.environ:
            return self.registry
        from prometheus_client import CollectorRegistry, multiprocess

        whole = CollectorRegistry()
        multiprocess.MultiProcessCollector(whole)  # type: ignore[no-untyped-call]
        return whole

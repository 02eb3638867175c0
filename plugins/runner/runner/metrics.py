"""Figures in the form of Prometheus, and the server that shows them.

Every process has its own registry; with several workers each writes into a folder that they share, and any of them
shows the sum (prometheus-client's multiprocess mode), which is on where ``PROMETHEUS_MULTIPROC_DIR`` is set.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from prometheus_client.exposition import CONTENT_TYPE_LATEST

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE = CONTENT_TYPE_LATEST
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """What the Runner counts. Labels of flags say which were on."""

    def __init__(self) -> None:
        shared = bool(os.environ.get("PROMETHEUS_MULTIPROC_DIR"))
        registry = self.registry = CollectorRegistry()
        self._requests = Counter(
            "runner_requests", "Requests answered.", ("component", "mode", "status"), registry=registry
        )
        self._failures = Counter(
            "runner_request_failures", "Requests that failed.", ("component", "kind"), registry=registry
        )
        self.latency = Histogram(
            "runner_request_seconds",
            "From the first byte of a request to the last of its answer.",
            ("component", "mode"),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._bytes = Counter("runner_bytes", "Bytes with framing.", ("component", "direction"), registry=registry)
        self.connections = Gauge(
            "runner_connections", "Open connections.", ("component",), multiprocess_mode="livesum", registry=registry
        )
        self.restarts = Counter(
            "runner_component_failures",
            "Instances of a component that failed and were replaced.",
            ("component",),
            registry=registry,
        )
        self.mode = Gauge(
            "runner_component_serves",
            "1 where the component serves, 0 where Python does.",
            ("component",),
            multiprocess_mode="livemin",
            registry=registry,
        )
        self._flags = Gauge(
            "runner_flag", "1 for a feature flag that is on.", ("flag",), multiprocess_mode="livemax", registry=registry
        )
        self._memory = Gauge("runner_memory_bytes", "Resident memory.", multiprocess_mode="livesum", registry=registry)
        self._shared = shared
        # What `labels` gives, by labels: a look-up here is much faster.
        self._children: dict[tuple[str, str, int | None], Counter] = {}
        self._kept: dict[tuple[str, str], tuple[Histogram, Counter, Counter]] = {}

    def requests(self, component: str, mode: str, reports: Sequence[tuple[int | None, float, int, int]]) -> None:
        """Counts exchanges: status, seconds, bytes received and bytes sent of each."""
        kept = self._kept.get((component, mode))
        if kept is None:
            kept = self._kept[component, mode] = (
                self.latency.labels(component, mode),
                self._bytes.labels(component, "received"),
                self._bytes.labels(component, "sent"),
            )
        observe = kept[0].observe
        statuses: dict[int | None, int] = {}
        received = sent = 0
        for status, seconds, incoming, outgoing in reports:
            statuses[status] = statuses.get(status, 0) + 1
            observe(seconds)
            received += incoming
            sent += outgoing
        for status, count in statuses.items():
            self._counter(component, mode, status).inc(count)
        kept[1].inc(received)
        kept[2].inc(sent)

    def _counter(self, component: str, mode: str, status: int | None) -> Counter:
        key = component, mode, status
        found = self._children.get(key)
        if found is None:
            shown = "none" if status is None else str(status)
            found = self._children[key] = self._requests.labels(component, mode, shown)
        return found

    def failure(self, component: str, kind: str) -> None:
        """Counts an exchange that failed."""
        self._failures.labels(component, kind).inc()

    def flags(self, values: Mapping[str, bool]) -> None:
        """Shows which flags are on."""
        for name, value in values.items():
            self._flags.labels(name).set(value)

    def text(self) -> bytes:
        """All figures, as Prometheus reads them."""
        self._memory.set(resident_bytes())
        if not self._shared:
            return generate_latest(self.registry)
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


def resident_bytes() -> int:
    """The memory of this process that is in use, in bytes."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        # Where there is no /proc: the most that it ever was, in kilobytes.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

"""Signs of life and figures of progress, in the names of Prometheus."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import astuple, replace

from runner.bindings import progress_client as wit
from runner.progress.book import Book
from runner.progress.bus import Bus, Counts

__all__ = ["Telemetry"]


class Telemetry:
    """The interface `runner:progress/telemetry` as one client has it, without its lock: none takes another's counts."""

    def __init__(self, book: Book, bus: Bus) -> None:
        self._book = book
        self._bus = bus
        self._sequence = 0
        self._last: int | None = None
        self._heartbeats = 0
        self._counts = replace(bus.counts)
        self._flags: Sequence[str] = ()

    def heartbeat(self, timestamp: int, active_flags: Sequence[str]) -> wit.Pulse:
        """Takes a sign of life; the flags become labels of the figures."""
        self._sequence += 1
        self._heartbeats += 1
        interval = None if self._last is None else max(timestamp - self._last, 0)
        self._last, self._flags = timestamp, tuple(active_flags)
        return wit.Pulse(
            sequence=self._sequence,
            interval=interval,
            scopes=len(self._book),
            subscriptions=self._bus.subscriptions,
            queued=self._bus.queued,
            last_update=self._bus.last_id,
        )

    def flush(self) -> list[wit.Metric]:
        """The figures since the last flush."""
        now = replace(self._bus.counts)
        counts = Counts(*(after - before for after, before in zip(astuple(now), astuple(self._counts), strict=True)))
        self._counts = now
        heartbeats, self._heartbeats = self._heartbeats, 0
        counter, gauge = wit.MetricKind.COUNTER, wit.MetricKind.GAUGE
        figures = (
            ("progress_updates_published_total", counter, counts.published),
            ("progress_updates_refused_total", counter, counts.refused),
            ("progress_updates_delivered_total", counter, counts.delivered),
            ("progress_updates_acknowledged_total", counter, counts.acknowledged),
            ("progress_updates_dropped_total", counter, counts.dropped),
            ("progress_heartbeats_total", counter, heartbeats),
            ("progress_scopes", gauge, len(self._book)),
            ("progress_subscriptions", gauge, self._bus.subscriptions),
            ("progress_updates_queued", gauge, self._bus.queued),
        )
        labels = [("flag_" + re.sub("[^A-Za-z0-9]", "_", flag), "on") for flag in self._flags]
        return [wit.Metric(name, kind, float(value), list(labels)) for name, kind, value in figures]

"""The figures of a comparison: what each is called, where it comes from, and how it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["FIGURES", "Figure"]


def _mib(value: float) -> str:
    return f"{value / (1 << 20):.2f} MiB"


def _kib(value: float) -> str:
    return f"{value / 1024:,.0f} KiB"


def _milliseconds(value: float) -> str:
    return f"{value * 1000:.1f} ms"


def _rate(value: float) -> str:
    return f"{value:.1f}/s"


def _count(value: float) -> str:
    return f"{value:,.0f}"


def _percent(value: float) -> str:
    return f"{value:.1%}"


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table: `name` as `runner.baseline.measuring` has it, and `source` as the table's readers do."""

    name: str
    title: str
    source: str
    write: Callable[[float], str]
    protocols: tuple[str, ...] = ("http", "ftp")


_JEMALLOC = "jemalloc, by Prometheus"

FIGURES = (
    Figure("workbook", "`workbook_memory_bytes`, average", "Prometheus", _kib),
    Figure("allocated", "allocated, average", _JEMALLOC, _mib),
    Figure("active", "active pages, average", _JEMALLOC, _mib),
    Figure("allocator-resident", "resident pages of the allocator, average", _JEMALLOC, _mib),
    Figure("resident", "resident memory of all processes, average", "/proc", _mib),
    Figure("cpu", "processor time, of one processor", "/proc", _percent),
    Figure("delivery-p50", "update to subscriber, percentile 50", "subscriber", _milliseconds),
    Figure("delivery-p95", "update to subscriber, percentile 95", "subscriber", _milliseconds),
    Figure("delivery-p99", "update to subscriber, percentile 99", "subscriber", _milliseconds),
    Figure("delivery-count", "updates received", "subscriber", _count),
    Figure("updates", "updates published", "Prometheus", _rate),
    Figure("request-p50", "request, percentile 50", "users", _milliseconds),
    Figure("request-p95", "request, percentile 95", "users", _milliseconds),
    Figure("request-p99", "request, percentile 99", "users", _milliseconds),
    Figure("request-count", "requests answered", "users", _count),
    Figure("rate", "requests", "Prometheus", _rate),
    Figure("login-p95", "login, percentile 95", "users", _milliseconds, ("ftp",)),
)

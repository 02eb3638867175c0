"""One measurement: Runners that serve HTTP and FTP, users, subscribers, a Prometheus, and what each of them says.

What is measured begins after the warm-up; that moment is fixed before anything starts to act, so that all processes
agree on it. It knows where each figure comes from; what they are called in a report is in `runner.baseline.figures`.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.accounts.accounts import hash_password
from runner.accounts.file import add
from runner.baseline.application import VARIABLE
from runner.baseline.load import Orders
from runner.baseline.processes import Helper, Served
from runner.baseline.prometheus import Prometheus, Tools
from runner.baseline.scenario import Scenario
from runner.flags import KNOWN
from runner.histogram import Histogram

__all__ = ["PROTOCOLS", "STORES", "Measured", "measure"]

PROTOCOLS = ("http", "ftp")
#: What is compared, by what it is called, and the flag `runner.sparse_store` of each.
STORES = {"dense": False, "sparse": True}
_USER, _PASSWORD = "baseline", "users of the baseline"
#: Seconds that processes get to start, before the warm-up begins.
_START = 3.0
#: Seconds that helpers get to end.
_END = 60.0
_ON = dict.fromkeys(("runner.http_component", "runner.ftp_component", "runner.http_metrics"), True)
#: Averages over the time that was measured, and rates, by protocol. `{window}` is that time.
_QUERIES = {
    "workbook": "avg_over_time(workbook_memory_bytes{{job='{job}',scenario='{store}'}}[{window}])",
    "allocated": "avg_over_time(runner_allocator_bytes{{job='{job}',kind='allocated'}}[{window}])",
    "active": "avg_over_time(runner_allocator_bytes{{job='{job}',kind='active'}}[{window}])",
    "allocator-resident": "avg_over_time(runner_allocator_bytes{{job='{job}',kind='resident'}}[{window}])",
    "rate": "sum(rate(runner_requests_total{{job='{job}'}}[{window}]))",
    "updates": "sum(rate(progress_updates_published_total{{job='{job}'}}[{window}]))",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of it: figures by protocol and name, in bytes, seconds and per second; None for what can't be had."""

    figures: Mapping[str, Mapping[str, float | None]]
    #: What failed, with how often, and what is to be known before figures are believed.
    failures: Mapping[str, int]
    warnings: tuple[str, ...]


def measure(scenario: Scenario, store: str, folder: Path, tools: Tools, say: Callable[[str], None]) -> Measured:
    """Has the users of a scenario act, with one of the `STORES`. Files of all that runs are left in an empty `folder`.

    `say` is told what goes on. Raises `RunnerError` where a process fails.
    """
    folder.mkdir(parents=True)
    interval = min(5.0, max(0.5, scenario.measure / 20))
    with contextlib.ExitStack() as stack:
        served = {name: stack.enter_context(_served(name, store, folder, tools, scenario)) for name in PROTOCOLS}
        prometheus = None
        if tools.prometheus is not None:
            ports = {name: runner.status_port for name, runner in served.items()}
            prometheus = stack.enter_context(Prometheus(tools.prometheus, folder / "prometheus", ports, interval))
        begin = time.time() + _START + scenario.warm_up
        end = begin + scenario.measure
        helpers = _helpers(scenario, folder, served, begin, end)
        for helper in helpers.values():
            stack.callback(helper.kill)
        say(f"{store}: {scenario.users} users; warm-up {scenario.warm_up:g} s, measured {scenario.measure:g} s")
        watched = _watch(served, helpers, begin, end)
        asked = {} if prometheus is None else _ask(prometheus, store, scenario.measure, end)
        told = {name: helper.result(_END) for name, helper in helpers.items()}
        warnings = [*_fallen_back(served)]
    figures = {name: watched[name] | asked.get(name, {}) | _told(name, told) for name in PROTOCOLS}
    warnings += [f"{name}: {count} updates were dropped" for name in PROTOCOLS if (count := told[name]["missed"])]
    return Measured(figures, told["load"]["failures"], tuple(f"{store}: {line}" for line in warnings))


# Processes


def _served(protocol: str, store: str, folder: Path, tools: Tools, scenario: Scenario) -> Served:
    progress = folder / f"{protocol}-progress.db"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FEATURE_")}
    flags = _ON | {"runner.sparse_store": STORES[store]}
    environ |= {KNOWN[name].variable: str(value).lower() for name, value in flags.items()}
    environ[VARIABLE] = str(progress)
    if tools.jemalloc is not None:
        # So that objects of Python are asked of it as well, one by one.
        environ |= {"LD_PRELOAD": str(tools.jemalloc), "PYTHONMALLOC": "malloc"}
    args = ["--progress", str(progress), "--grace", "5"]
    args += ["--app", "runner.baseline.application:app"] if protocol == "http" else _files(folder, scenario)
    return Served(protocol, args, environ, folder / f"{protocol}.log")


def _files(folder: Path, scenario: Scenario) -> list[str]:
    """Makes what users find on the FTP server, and the account that they share; gives the options that say so."""
    root, accounts = folder / "files", folder / "accounts.toml"
    root.mkdir()
    for size in {action.size for action in scenario.ftp}:
        (root / f"{size}.bin").write_bytes(bytes(size))
    accounts.write_text(add("", _USER, {"password": hash_password(_PASSWORD)}))
    return ["--root", str(root), "--accounts", str(accounts)]


def _helpers(
    scenario: Scenario, folder: Path, served: Mapping[str, Served], begin: float, end: float
) -> dict[str, Helper]:
    orders = Orders(scenario.dumps(), served["http"].port, served["ftp"].port, _USER, _PASSWORD, begin, end)
    found = {"load": Helper("runner.baseline.load", orders.dumps())}
    for name in PROTOCOLS:
        file = folder / f"{name}-progress.db"
        found[name] = Helper("runner.baseline.subscriber", str(file), repr(begin), repr(end))
    return found


# Figures


def _watch(
    served: Mapping[str, Served], helpers: Mapping[str, Helper], begin: float, end: float
) -> dict[str, dict[str, float | None]]:
    """Waits until the end; gives memory and processor time of each Runner."""
    for _ in _seconds(begin):
        for helper in helpers.values():
            helper.check()
    used = {name: runner.cpu() for name, runner in served.items()}
    resident: dict[str, list[int]] = {name: [] for name in served}
    for _ in _seconds(end):
        for name, runner in served.items():
            resident[name].append(runner.resident())
    return {
        name: {
            "resident": sum(resident[name]) / max(1, len(resident[name])),
            "cpu": (runner.cpu() - used[name]) / (end - begin),
        }
        for name, runner in served.items()
    }


def _seconds(end: float) -> Iterator[None]:
    """Comes once a second until a moment is there, and at least once."""
    while True:
        yield
        left = end - time.time()
        if left <= 0:
            return
        time.sleep(min(1.0, left))


def _ask(prometheus: Prometheus, store: str, seconds: float, at: float) -> dict[str, dict[str, float | None]]:
    window = f"{round(seconds * 1000)}ms"
    return {
        job: {
            name: prometheus.value(query.format(job=job, store=store, window=window), at)
            for name, query in _QUERIES.items()
        }
        for job in PROTOCOLS
    }


def _told(protocol: str, told: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    """What users and the subscriber of a protocol have found out."""
    latencies = told["load"]["latencies"]
    found = {
        **_percentiles("request", latencies[protocol]),
        **_percentiles("delivery", told[protocol]["latencies"]),
    }
    return found | (_percentiles("login", latencies["login"]) if protocol == "ftp" else {})


def _percentiles(name: str, counts: Mapping[str, int]) -> dict[str, float | None]:
    histogram = Histogram()
    histogram.merge(counts)
    shares = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
    found: dict[str, float | None] = {f"{name}-count": histogram.total}
    return found | {f"{name}-{key}": histogram.percentile(share) or None for key, share in shares.items()}


def _fallen_back(served: Mapping[str, Served]) -> Iterator[str]:
    for name, runner in served.items():
        component = runner.component
        if component["mode"] != "component":
            yield f"{name} was served by {component['mode']} at the end ({component['reason']})"
        if component["failures"]:
            yield f"the {name} component failed {component['failures']} time(s)"

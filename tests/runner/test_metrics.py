"""Figures for Prometheus: counted, told, and added up over processes; and the heartbeat that feeds them."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from runner.flags import Flags
from runner.heartbeat import Heartbeat
from runner.metrics import FAMILIES, Metrics
from runner.progress import Progress

from tests.runner.progress.support import step, subscribe


def told(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """What a scraper understands, by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_was_counted_is_told_in_the_form_that_scrapers_read() -> None:
    metrics = Metrics()
    metrics.add("runner_requests_total", component="http", status="200")
    metrics.add("runner_requests_total", 2, component="http", status="200")
    metrics.set("runner_connections", 7, component="http")
    metrics.timer("runner_request_seconds", component="http")(0.003)
    body, kind = metrics.render()
    found = told(body.decode())
    assert kind.startswith("text/plain")
    assert found["runner_requests_total", (("component", "http"), ("status", "200"))] == 3
    assert found["runner_connections", (("component", "http"),)] == 7
    assert found["runner_request_seconds_count", (("component", "http"),)] == 1
    assert found["runner_request_seconds_bucket", (("component", "http"), ("le", "0.005"))] == 1
    samples = {(s.name, tuple(sorted(s.labels.items()))): s.value for s in metrics.samples()}
    assert samples["runner_requests_total", (("component", "http"), ("status", "200"))] == 3


def test_two_runners_in_a_process_do_not_meet() -> None:
    one, two = Metrics(), Metrics()
    one.set("progress_scopes", 1)
    assert ("progress_scopes", ()) in told(two.render()[0].decode())
    assert told(two.render()[0].decode())["progress_scopes", ()] == 0


def test_names_and_labels_that_are_not_in_the_table_are_mistakes() -> None:
    with pytest.raises(KeyError):
        Metrics().add("runner_surprises_total")
    with pytest.raises(ValueError, match="label"):
        Metrics().add("runner_requests_total", colour="red")


def test_every_metric_says_what_it_is_and_is_named_as_prometheus_wants() -> None:
    for family in FAMILIES.values():
        assert family.help.endswith(".")
        assert family.name.endswith("_total") == (family.kind == "counter")


WORKER = """
import sys
from pathlib import Path
from runner.metrics import Metrics, share_between_processes
share_between_processes(Path(sys.argv[1]))
metrics = Metrics()
metrics.add("runner_requests_total", component="http", status="200")
metrics.set("runner_connections", 2, component="http")
metrics.set("progress_scopes", int(sys.argv[2]))
print(metrics.render()[0].decode(), flush=True)
sys.stdin.read()
"""


def test_workers_count_together_whichever_is_asked(tmp_path: Path) -> None:
    environ = {key: value for key, value in os.environ.items() if key != "PROMETHEUS_MULTIPROC_DIR"}
    answers = []
    workers = []
    for number in (3, 4):
        command = [sys.executable, "-c", WORKER, str(tmp_path), str(number)]
        worker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ)
        assert worker.stdout is not None
        lines = []
        while (line := worker.stdout.readline()) != "\n":
            lines.append(line)
        workers.append(worker)
        answers.append(told("".join(lines)))
    for worker in workers:
        worker.communicate(timeout=60)
    last = answers[-1]
    assert last["runner_requests_total", (("component", "http"), ("status", "200"))] == 2
    assert last["runner_connections", (("component", "http"),)] == 4
    assert last["progress_scopes", ()] == 4


def test_it_is_too_late_to_share_once_prometheus_is_loaded(tmp_path: Path) -> None:
    from runner.metrics import share_between_processes

    with pytest.raises(RuntimeError, match="say first"):
        share_between_processes(tmp_path)


def test_a_heartbeat_tells_flags_and_figures_of_progress() -> None:
    metrics = Metrics()
    flags = Flags.load(environ={}, overrides={"runner.http_component": True})
    with Progress() as progress, subscribe(progress) as subscription:
        progress.workbook.update(step())
        subscription.recv(9)
        heartbeat = Heartbeat(progress, metrics, lambda: flags)
        heartbeat.beat()
        progress.workbook.update(step())
        heartbeat.beat()
    found = told(metrics.render()[0].decode())
    assert found["runner_flag", (("flag", "runner.http_component"),)] == 1
    assert found["runner_flag", (("flag", "runner.ftp_component"),)] == 0
    assert found["progress_updates_published_total", ()] == 2
    assert found["progress_updates_delivered_total", ()] == 1
    assert found["progress_updates_queued", ()] == 2
    assert found["progress_heartbeats_total", ()] == 2


@pytest.mark.parametrize(("sparse", "scenario"), [(True, "sparse"), (False, "dense")])
def test_a_heartbeat_tells_what_the_workbook_holds_by_its_kind(sparse: bool, scenario: str) -> None:
    metrics = Metrics()
    with Progress(sparse_store=sparse) as progress:
        progress.workbook.update(step())
        Heartbeat(progress, metrics, lambda: Flags.load(environ={})).beat()
        held = progress.memory()
    found = told(metrics.render()[0].decode())
    assert found["workbook_memory_bytes", (("scenario", scenario),)] == held > 0


def test_a_heartbeat_beats_by_itself_and_survives_what_fails() -> None:
    metrics = Metrics()
    told_flags = threading.Event()
    tries = itertools.count()

    def flags() -> Flags:
        if next(tries) == 0:
            raise OSError("once")
        if next(tries) > 4:
            told_flags.set()
        return Flags.load(environ={})

    with Progress() as progress, Heartbeat(progress, metrics, flags, interval=0.01):
        assert told_flags.wait(30)
    assert told(metrics.render()[0].decode())["progress_heartbeats_total", ()] >= 1

"""The alerts of docs/runner-alerts.yml, tried by Prometheus's own tool: each fires for what it is for alone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from runner.baseline.prometheus import FETCHED
from runner.metrics import FAMILIES

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "docs/runner-alerts.yml"
FETCHED_TOOL = ROOT / FETCHED / "usr/bin/promtool"
PROMTOOL = shutil.which("promtool") or (str(FETCHED_TOOL) if FETCHED_TOOL.exists() else None)
SERVES = 'runner_component_serves{instance="a",component="http-component"}'
FLAG = 'runner_flag{instance="a",flag="runner.http_component"}'
FAILED = 'runner_requests_total{instance="a",component="http-component",status="503"}'
FINE = 'runner_requests_total{instance="a",component="http-component",status="200"}'
TOOK = 'runner_request_seconds_bucket{instance="a",component="http-component",le="%s"}'
WENT_BACK = 'runner_rollout_events_total{instance="a",component="http-component",event="went back",guard="memory"}'
REPLACED = 'runner_replacements_total{instance="a",component="http-component",reason="Trap"}'
LOST = 'progress_updates_%s_total{instance="a"}'


def test_alerts_speak_of_metrics_that_there_are() -> None:
    names = re.findall(r"\b((?:runner|progress)_[a-z_]+)", RULES.read_text())
    assert names
    assert {re.sub(r"_bucket$", "", name) for name in names} <= set(FAMILIES)


def fires(tmp_path: Path, alert: str, at: str, series: dict[str, str]) -> bool:
    """Whether an alert fires at a time, with series of values of which there is one each minute."""
    rules = [{"series": name, "values": values} for name, values in series.items()]
    tests = [{"interval": "1m", "input_series": rules, "alert_rule_test": [{"eval_time": at, "alertname": alert}]}]
    # JSON is YAML. No alert is expected: where one fires, the tool fails and names it.
    document: dict[str, Any] = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "test.json").write_text(json.dumps(document))
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, "test", "rules", "test.json"], cwd=tmp_path, capture_output=True, text=True)
    fired = f"alertname: {alert}" in done.stderr + done.stdout
    assert fired == (done.returncode != 0), done.stdout + done.stderr
    return fired


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not there (scripts/setup_baseline.sh)")
@pytest.mark.parametrize(
    ("alert", "at", "bad", "good"),
    [
        ("RunnerGone", "5m", {'up{job="runner",instance="a"}': "1 0x9"}, {'up{job="runner",instance="a"}': "1x9"}),
        ("RunnerFellBack", "5m", {SERVES: "1 0x9", FLAG: "1x9"}, {SERVES: "1 0x9", FLAG: "0x9"}),
        ("RunnerComponentFails", "5m", {REPLACED: "_ _ _ 1x9"}, {}),
        ("RunnerComponentFails", "40m", {REPLACED: "1x35 2x9"}, {REPLACED: "1x60"}),
        ("RunnerWentBack", "10m", {WENT_BACK: "_x5 1x9"}, {WENT_BACK.replace("went back", "promoted"): "_x5 1x9"}),
        ("RunnerFails", "15m", {FAILED: "0+2x20", FINE: "0+98x20"}, {FAILED: "0+1x20", FINE: "0+200x20"}),
        (
            "RunnerSlow",
            "20m",
            {TOOK % "0.5": "0+90x30", TOOK % "1.0": "0+100x30", TOOK % "+Inf": "0+100x30"},
            {TOOK % "0.5": "0+99x30", TOOK % "1.0": "0+100x30", TOOK % "+Inf": "0+100x30"},
        ),
        (
            "RunnerMemoryGrows",
            "1600m",
            {'runner_memory_bytes{instance="a"}': "100x1440 200x300"},
            {'runner_memory_bytes{instance="a"}': "100x1440 140x300"},
        ),
        (
            "ProgressStandsStill",
            "15m",
            {'progress_heartbeats_total{instance="a"}': "0+12x5 60x20"},
            {'progress_heartbeats_total{instance="a"}': "0+12x30"},
        ),
        (
            "ProgressIsLost",
            "10m",
            {LOST % "dropped": "0x5 7x9", LOST % "refused": "0x20"},
            {LOST % "dropped": "3x20", LOST % "refused": "3x20"},
        ),
    ],
)
def test_an_alert_fires_for_what_it_is_for_and_not_otherwise(
    tmp_path: Path, alert: str, at: str, bad: dict[str, str], good: dict[str, str]
) -> None:
    assert fires(tmp_path, alert, at, bad)
    assert not fires(tmp_path, alert, at, good)

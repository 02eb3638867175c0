"""The report: a table, a document and a plot from figures."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from runner.baseline.measuring import Measured
from runner.baseline.report import Report
from runner.baseline.scenario import HttpAction, Scenario

SCENARIO = Scenario([HttpAction(1, "/")], users=20, measure=5, warm_up=1)


def report(old: Mapping[str, float | None], new: Mapping[str, float | None], **others: object) -> Report:
    """A report of figures of HTTP."""
    found = {"missing": {}, "command": "runner baseline", "date": "2026-01-02"} | others
    return Report(SCENARIO, Measured({"http": old}, {}, ()), Measured({"http": new}, {}, ()), **found)  # type: ignore[arg-type]


def row(text: str, title: str) -> list[str]:
    """The cells of a row of a table."""
    line = next(line for line in text.splitlines() if title in line)
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_old_and_new_stand_beside_each_other_with_the_difference() -> None:
    text = report({"workbook": 2048 * 1024, "delivery-p95": 0.020}, {"workbook": 512 * 1024, "delivery-p95": 0.025})
    table = text.markdown()
    assert row(table, "workbook_memory_bytes")[2:] == ["2,048 KiB", "512 KiB", "-75.0%", "Prometheus"]
    assert row(table, "update to subscriber, percentile 95")[2:5] == ["20.0 ms", "25.0 ms", "+25.0%"]
    assert "20 users" in table and "`runner baseline`. 2026-01-02" in table


def test_what_can_not_be_had_is_a_dash_and_its_reason_stands_below() -> None:
    found = report({"workbook": None}, {"workbook": 5.0}, missing={"Prometheus": "Prometheus is not on this machine"})
    assert row(found.markdown(), "workbook_memory_bytes")[2:5] == ["–", "0 KiB", "–"]
    assert "- Prometheus is not on this machine" in found.markdown()


def test_nothing_is_divided_by_nothing() -> None:
    assert row(report({"cpu": 0.0}, {"cpu": 0.5}).markdown(), "processor time")[2:5] == ["0.0%", "50.0%", "–"]


def test_what_failed_and_what_fell_back_is_said() -> None:
    old = Measured({}, {"http: Refused: HTTP/1.1 503": 3}, ())
    new = Measured({}, {}, ("sparse: ftp was served by python",))
    text = Report(SCENARIO, old, new, {}, "c", "d").markdown()
    assert "- dense: 3 time(s): http: Refused: HTTP/1.1 503" in text
    assert "- sparse: ftp was served by python" in text


def test_the_document_has_the_figures_as_they_are(tmp_path: Path) -> None:
    report({"workbook": 10.5}, {"workbook": 21.0}).write(tmp_path / "made")
    document = json.loads((tmp_path / "made/result.json").read_text())
    found = next(row for row in document["rows"] if (row["protocol"], row["figure"]) == ("http", "workbook"))
    assert (found["old"], found["new"], found["difference"]) == (10.5, 21.0, 1.0)
    assert document["scenario"]["users"] == 20


def test_the_plot_has_two_bars_for_each_row_whose_lengths_are_as_the_figures(tmp_path: Path) -> None:
    report({"workbook": 1000.0, "cpu": None}, {"workbook": 500.0, "cpu": 1.0}).write(tmp_path)
    root = ElementTree.parse(tmp_path / "plot.svg").getroot()
    boxes = [item for item in root if item.tag.endswith("rect")]
    # The background and two of the legend come first.
    lengths = [float(item.get("width", "0")) for item in boxes[3:]]
    assert len(lengths) == 2 and lengths[0] == 2 * lengths[1] > 0

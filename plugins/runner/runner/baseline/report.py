"""The comparison as a document: a table of old against new in Markdown, JSON for machines, and a plot."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from runner.baseline.figures import FIGURES, Figure
from runner.baseline.measuring import PROTOCOLS, Measured
from runner.baseline.plot import plot
from runner.baseline.scenario import Scenario

__all__ = ["Report", "Row"]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one protocol, on both sides; None for what can't be had."""

    protocol: str
    figure: Figure
    old: float | None
    new: float | None

    @property
    def difference(self) -> float | None:
        """How much more the new side has, as a share of the old."""
        return None if not self.old or self.new is None else self.new / self.old - 1

    @property
    def cells(self) -> tuple[str, ...]:
        """As it stands in the table."""
        told = ["–" if value is None else self.figure.write(value) for value in (self.old, self.new)]
        difference = self.difference
        share = "–" if difference is None else f"{difference:+.1%}"
        return (self.protocol.upper(), self.figure.title, *told, share, self.figure.source)


@dataclass(frozen=True, slots=True)
class Report:
    """All that is to be said of a comparison. `date` is in ISO 8601, `missing` the reasons for what has no figures."""

    scenario: Scenario
    old: Measured
    new: Measured
    missing: Mapping[str, str]
    command: str
    date: str

    @property
    def rows(self) -> Sequence[Row]:
        """The table."""
        return [
            Row(protocol, figure, *(side.figures.get(protocol, {}).get(figure.name) for side in (self.old, self.new)))
            for protocol in PROTOCOLS
            for figure in FIGURES
            if protocol in figure.protocols
        ]

    @property
    def notes(self) -> Sequence[str]:
        """What is to be known before the figures are believed."""
        failed = [
            f"{name}: {count} time(s): {what}"
            for name, side in (("dense", self.old), ("sparse", self.new))
            for what, count in side.failures.items()
        ]
        return [*self.missing.values(), *self.old.warnings, *self.new.warnings, *failed]

    def markdown(self) -> str:
        """The table, with what it was measured with."""
        heads = ("", "What", "dense (old)", "sparse (new)", "Difference", "From")
        lines = ["| " + " | ".join(cells) + " |" for cells in (heads, *(row.cells for row in self.rows))]
        lines.insert(1, "|---" * len(heads) + "|")
        found = self.scenario
        said = [
            f"{found.users} users, one thing every {found.think:g} s each on average; warm-up {found.warm_up:g} s,",
            f"then {found.measure:g} s measured on each side. Command: `{self.command}`. {self.date}, Python",
            f"{platform.python_version()}, {platform.machine()}.",
        ]
        notes = [] if not self.notes else ["", *(f"- {note}" for note in self.notes)]
        return "\n".join([*said, "", *lines, *notes, ""])

    def document(self) -> dict[str, Any]:
        """The same for machines; bytes, seconds and per second, not rounded."""
        return {
            "date": self.date,
            "command": self.command,
            "scenario": asdict(self.scenario),
            "rows": [
                {
                    "protocol": row.protocol,
                    "figure": row.figure.name,
                    "source": row.figure.source,
                    "old": row.old,
                    "new": row.new,
                    "difference": row.difference,
                }
                for row in self.rows
            ],
            "failures": {"old": dict(self.old.failures), "new": dict(self.new.failures)},
            "notes": list(self.notes),
        }

    def write(self, folder: Path) -> None:
        """Writes table.md, result.json and plot.svg."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "table.md").write_text(self.markdown())
        (folder / "result.json").write_text(json.dumps(self.document(), indent=2) + "\n")
        bars = [
            (f"{row.cells[0]} {row.figure.title}".replace("`", ""), row.old, row.new, row.figure.write)
            for row in self.rows
            if row.old is not None and row.new is not None
        ]
        (folder / "plot.svg").write_text(plot(bars, ("dense", "sparse")))

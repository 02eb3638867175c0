"""A rollout: two sides of workers on one address, what they tell, and what is done about it.

The old side serves as it did; the new one begins with no connections and gets them stage by stage. Where a guard is
crossed the old side gets all new connections at once, and the workers of the new side are followed, on their own
sockets, by workers that do as the old side does: whoever has connected already is served by them.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import structlog

from runner.errors import RunnerError
from runner.launch import Launch, announce, worker
from runner.metrics import Metrics, forget_process
from runner.progress.recorder import Recorder
from runner.rollout.guards import Side
from runner.rollout.plan import Advanced, Course, Event, Judged, Plan, Promoted, WentBack
from runner.rollout.sharing import share_out
from runner.rollout.vitals import VitalsPipe
from runner.supervisor import Slot, Supervisor, listen
from witgen import store

__all__ = ["DECIDED_AGAINST", "UNDECIDED", "Rollout"]

#: Exit statuses, beside 0 for a component that was promoted and 1 for a worker that had to be killed.
DECIDED_AGAINST, UNDECIDED = 3, 4

_log = structlog.get_logger("runner.rollout")


class Rollout:
    """Serves, and decides. `run` may be called once."""

    def __init__(
        self, launch: Launch, plan: Plan, *, stable: str | None, until_decided: bool, report: Path | None
    ) -> None:
        """`stable` is the folder of the component that serves on the old side; without one it is served in Python.

        `until_decided` ends the service with the decision; `report` is a file that gets the course as JSON.
        """
        self._launch = launch
        self._stable = stable
        self._until_decided = until_decided
        self._report = report
        self._metrics = Metrics()
        self._new_pipe, self._old_pipe = VitalsPipe(), VitalsPipe()
        self._count = launch.workers
        # Those of the new side come first, as `share_out` wants it.
        self._sockets = listen(*launch.address, launch.backlog, 2 * launch.workers)
        self._modes = ["new"] * self._count + ["old"] * self._count
        self._status = UNDECIDED
        self._told: list[dict[str, Any]] = []
        self._begun = time.monotonic()
        self._course = Course(plan, self._begun)

    def run(self) -> int:
        """Serves until a signal or the decision ends it. Returns the exit status.

        Raises `RunnerError` for a report that can't be written, before anything is served.
        """
        launch = self._launch
        try:
            self._write_report()
        except OSError as error:
            raise RunnerError(f"the report {self._report} can't be written: {error.strerror or error}") from None
        self._share(0.0)
        announce("listening on", launch.scheme, self._sockets[0])
        shown = [] if launch.shown is None else listen(*launch.shown, 128)
        for item in shown:
            announce("status on", "http", item)
        slots = [self._slot(index, [item]) for index, item in enumerate(self._sockets)]
        slots[-1] = self._slot(len(slots) - 1, [self._sockets[-1], *shown])
        self._supervisor = Supervisor(
            slots,
            lambda line: click.echo(line, err=True),
            launch.grace + 10,
            look=self._look,
            ended=forget_process,
            died=self._died,
        )
        self._recorder = Recorder.of(launch.options)
        with contextlib.ExitStack() as stack:
            if self._recorder is not None:
                stack.callback(self._recorder.close)
            killed = self._supervisor.run()
            if self._status == UNDECIDED:
                self._tell("undecided", "it was ended")
        return killed or self._status

    def _slot(self, index: int, sockets: Sequence[Any]) -> Slot:
        pipe = self._new_pipe if index < self._count else self._old_pipe
        options = dataclasses.replace(self._launch.options, vitals=pipe.writing)
        return Slot(
            sockets, lambda: worker(self._launch.module, self._at_present(index, options), sockets), [pipe.writing]
        )

    def _at_present(self, index: int, options: Any) -> Any:
        """What the worker of a slot is told, which depends on the side that it is on now."""
        new = self._modes[index] == "new"
        component = options.component if new else self._stable
        overrides = {**options.overrides, self._launch.flag: new or self._stable is not None}
        return dataclasses.replace(options, component=component, overrides=overrides)

    # What happens

    def _died(self, index: int, status: int) -> None:
        """A worker has ended that should not have. With the new side that is the end of the rollout."""
        if index < self._count:
            self._course.died(status)

    def _look(self) -> None:
        """Takes what the workers have told, and acts."""
        for line in self._new_pipe.read():
            self._course.new(line)
        for line in self._old_pipe.read():
            self._course.old(line)
        for event in self._course.tick(time.monotonic(), self._count):
            self._handle(event)

    def _handle(self, event: Event) -> None:
        match event:
            case Advanced(share):
                self._share(share)
                self._tell("advanced", f"{share:.0%} of connections", share=share)
            case Judged(share, new, old):
                figures = {"new": _figures(new), "old": _figures(old)}
                self._report_on("judged", share=share, **figures)
                _log.info("window is good", component=self._launch.component, share=share, **figures)
            case Promoted():
                self._status = 0
                self._follow("new")
                self._tell("promoted", "it kept within all limits")
            case WentBack(violations):
                self._status = DECIDED_AGAINST
                self._share(0.0)
                self._follow("old")
                reason = "; ".join(item.reason for item in violations)
                self._tell("went back", reason, guards=[item.guard for item in violations])
        if self._course.over and self._until_decided:
            self._supervisor.stop()

    def _share(self, share: float) -> None:
        share_out(self._sockets, self._count, share)
        self._metrics.set("runner_rollout_share", share, component=self._launch.component)

    def _follow(self, mode: str) -> None:
        """Has workers of the winning side follow those of the other one, on their sockets."""
        others = [index for index, found in enumerate(self._modes) if found != mode]
        self._modes = [mode] * len(self._modes)
        if not self._until_decided:
            self._supervisor.replace(others)

    def _tell(self, event: str, reason: str, **details: Any) -> None:
        """Says what has happened: in the log, the metrics, progress and the report."""
        component = self._launch.component
        log = _log.warning if event == "went back" else _log.info
        log(event, component=component, reason=reason, **details)
        for guard in dict.fromkeys(details.get("guards", ["none"])):
            self._metrics.add("runner_rollout_events_total", component=component, event=event, guard=guard)
        if self._recorder is not None:
            self._recorder.change(component, "rollout", event, reason, "permanent" if event == "went back" else None)
        self._report_on(event, reason=reason, **details)

    def _report_on(self, event: str, **details: Any) -> None:
        """Adds an event to the report. A disk that is full meanwhile ends no service."""
        self._told.append({"event": event, "seconds": round(time.monotonic() - self._begun, 3), **details})
        try:
            self._write_report()
        except OSError as error:
            _log.error("the report can't be written", path=str(self._report), problem=error.strerror or str(error))

    def _write_report(self) -> None:
        """Raises OSError."""
        if self._report is not None:
            document = {"component": self._launch.component, "status": self._status, "course": self._told}
            store.write(str(self._report), (json.dumps(document, indent=2) + "\n").encode())


def _figures(side: Side) -> dict[str, Any]:
    """What a window says of a side, in percent, milliseconds and mebibytes."""
    return {
        "requests": side.requests,
        "failed": round(100 * side.failed_share, 3),
        "p95": round(side.latency.percentile(0.95) * 1000, 3),
        "p99": round(side.latency.percentile(0.99) * 1000, 3),
        "memory": round(side.process_memory / 2**20, 1),
        "progress_p95": round(side.progress.percentile(0.95) * 1000, 3),
    }

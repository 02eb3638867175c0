"""Benchmarks, each as a ratio against a peer measured in the same run. Run by ``make bench``.

Peers: wasmtime-py's own component API on the same component; for the scalar call also the floor, the bare core
function called through ctypes.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import runner.bindings.progress_runner as wit
import wasmtime
from wasmtime import component as wasm_component

from witgen import runtime as rt

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "target/wasm32-wasip2/release/progress_runner.wasm"
PREBUILT = ROOT / "plugins/progress-runner/prebuilt/progress_runner.wasm"
PACKAGE = "runner:progress/"
VERSION = "@0.1.0"


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: seconds for one call of ours and of the peer."""

    name: str
    peer: str
    ours: float
    theirs: float

    def cells(self) -> list[str]:
        """The row as text: times in microseconds, calls a second, and how many times faster ours is."""
        return [
            self.name,
            f"{self.ours * 1e6:.2f} µs",
            f"{1 / self.ours:,.0f}/s",
            self.peer,
            f"{self.theirs * 1e6:.2f} µs",
            f"{1 / self.theirs:,.0f}/s",
            f"{self.theirs / self.ours:.2f}",
        ]


def seconds(call: Callable[[], object], budget: float = 0.4, rounds: int = 5) -> float:
    """The best mean of several rounds, in seconds for one call; a round takes about `budget` / `rounds`."""
    call()
    start = time.perf_counter()
    call()
    number = max(1, int(budget / rounds / max(time.perf_counter() - start, 1e-7)))
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(number):
            call()
        best = min(best, (time.perf_counter() - start) / number)
    return best


class Peer:
    """The same component under wasmtime-py's component API."""

    def __init__(self, path: Path) -> None:
        engine = wasmtime.Engine()
        self.store = wasmtime.Store(engine)
        linker = wasm_component.Linker(engine)
        compiled = wasm_component.Component.from_file(engine, str(path))
        self._instance = linker.instantiate(self.store, compiled)

    def function(self, interface: str, name: str) -> Callable[..., object]:
        """An exported function, called as that API wants it: with the store first, `post_return` after."""
        index = self._instance.get_export_index(self.store, f"{PACKAGE}{interface}{VERSION}")
        inner = self._instance.get_export_index(self.store, name, index)
        assert inner is not None
        function = self._instance.get_func(self.store, inner)
        assert function is not None

        def call(*args: object) -> object:
            result: object = function(self.store, *args)
            function.post_return(self.store)
            return result

        return call


def peer_record(**fields: object) -> object:
    """A record as wasmtime-py takes it: attributes by WIT name."""
    record = wasm_component.Record()
    for name, value in fields.items():
        setattr(record, name.replace("_", "-"), value)
    return record


def rows(path: Path) -> list[Row]:
    """All measurements."""
    ours = wit.ProgressRunner(rt.Component.from_file(path))
    peer = Peer(path)
    found: list[Row] = []

    options = wit.SubscriptionOptions(wit.Filter(None, None, None, wit.Phases(0)), 64, wit.Overflow.DROP_OLDEST)
    subscription = ours.events.subscription.open(options)
    peer_options = peer_record(
        filter=peer_record(user=None, task=None, tenant=None, phases=set()), capacity=64, overflow="drop-oldest"
    )
    peer_subscription = peer.function("events", "[static]subscription.open")(peer_options)
    peer_ready = peer.function("events", "[method]subscription.ready")
    found.append(
        Row(
            "`subscription.ready() -> u32`",
            "wasmtime-py component API",
            seconds(subscription.ready),
            seconds(lambda: peer_ready(peer_subscription)),
        )
    )
    floor = ours.events._subscription_ready
    rep, view, core_call = subscription._lend(floor.cx), floor.u32, floor.call

    def bare() -> None:
        view[0] = rep
        core_call()

    found.append(
        Row("`subscription.ready() -> u32`", "core call by ctypes alone (floor)", found[-1].ours, seconds(bare))
    )

    scope = wit.Scope("ada", "bench", None)
    step = wit.Step(scope, wit.Phase.EXECUTING, 0.5, 1, [wit.FieldChange("a", "b", wit.Value_Integer(7))], None)
    peer_scope = peer_record(user="ada", task="bench", tenant=None)
    change = peer_record(section="a", key="b", value=7)
    peer_step = peer_record(
        scope=peer_scope, phase="executing", progress=0.5, timestamp=1, changes=[change], failure=None
    )
    peer_update = peer.function("workbook", "update")
    found.append(
        Row(
            "`workbook.update(step)`, one field",
            "wasmtime-py component API",
            seconds(lambda: ours.workbook.update(step)),
            seconds(lambda: peer_update(peer_step)),
        )
    )
    peer_status = peer.function("workbook", "get-status")
    found.append(
        Row(
            "`workbook.get-status(scope)`",
            "wasmtime-py component API",
            seconds(lambda: ours.workbook.get_status(scope)),
            seconds(lambda: peer_status(peer_scope)),
        )
    )
    return found


def main() -> None:
    """Prints the table as Markdown, with what it was measured on."""
    path = BUILT if BUILT.exists() else PREBUILT
    head = ["Call", "witgen", "", "Peer", "", "", "Times faster"]
    print(f"{time.strftime('%Y-%m-%d')}, Python {platform.python_version()}, {platform.machine()},", end=" ")
    print(f"wasmtime-py {metadata.version('wasmtime')}, {path.relative_to(ROOT)}\n")
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows(path):
        print(f"| {' | '.join(row.cells())} |")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""What a call of a generated export costs, against wasmtime-py's own component API on the same component.

For the scalar call also against the floor: the bare core function, called through ctypes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

import runner.bindings.progress_runner as wit
import wasmtime
from measure import ROOT, seconds
from wasmtime import component as wasm_component

from witgen import runtime as rt

BUILT = ROOT / "target/wasm32-wasip2/release/progress_runner.wasm"
PREBUILT = ROOT / "plugins/progress-runner/prebuilt/progress_runner.wasm"
PACKAGE = "runner:progress/"
VERSION = "@0.1.0"

TITLE = "Calls"
HEAD = ("Call", "witgen", "", "Peer", "", "", "Times faster")


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


def component_file() -> Path:
    """The component that is measured: built on this machine, or the one that comes with the project."""
    return BUILT if BUILT.exists() else PREBUILT


def conditions() -> str:
    """What the measurements depend on, beside the machine."""
    return f"wasmtime-py {metadata.version('wasmtime')}, {component_file().relative_to(ROOT)}"


def _cells(name: str, peer: str, ours: float, theirs: float) -> tuple[str, ...]:
    """A row: times in microseconds, calls a second, and how many times faster ours is."""
    times = [(f"{time * 1e6:.2f} µs", f"{1 / time:,.0f}/s") for time in (ours, theirs)]
    return (name, *times[0], peer, *times[1], f"{theirs / ours:.2f}")


def rows() -> Iterator[tuple[str, ...]]:
    """All measurements."""
    path = component_file()
    ours = wit.ProgressRunner(rt.Component.from_file(path))
    peer = Peer(path)

    options = wit.SubscriptionOptions(wit.Filter(None, None, None, wit.Phases(0)), 64, wit.Overflow.DROP_OLDEST)
    subscription = ours.events.subscription.open(options)
    peer_options = peer_record(
        filter=peer_record(user=None, task=None, tenant=None, phases=set()), capacity=64, overflow="drop-oldest"
    )
    peer_subscription = peer.function("events", "[static]subscription.open")(peer_options)
    peer_ready = peer.function("events", "[method]subscription.ready")
    ready = seconds(subscription.ready)
    yield _cells(
        "`subscription.ready() -> u32`",
        "wasmtime-py component API",
        ready,
        seconds(lambda: peer_ready(peer_subscription)),
    )
    floor = ours.events._subscription_ready
    rep, view, core_call = subscription._lend(floor.cx), floor.u32, floor.call

    def bare() -> None:
        view[0] = rep
        core_call()

    yield _cells("`subscription.ready() -> u32`", "core call by ctypes alone (floor)", ready, seconds(bare))

    scope = wit.Scope("ada", "bench", None)
    step = wit.Step(scope, wit.Phase.EXECUTING, 0.5, 1, [wit.FieldChange("a", "b", wit.Value_Integer(7))], None)
    peer_scope = peer_record(user="ada", task="bench", tenant=None)
    change = peer_record(section="a", key="b", value=7)
    peer_step = peer_record(
        scope=peer_scope, phase="executing", progress=0.5, timestamp=1, changes=[change], failure=None
    )
    peer_update = peer.function("workbook", "update")
    yield _cells(
        "`workbook.update(step)`, one field",
        "wasmtime-py component API",
        seconds(lambda: ours.workbook.update(step)),
        seconds(lambda: peer_update(peer_step)),
    )
    peer_status = peer.function("workbook", "get-status")
    yield _cells(
        "`workbook.get-status(scope)`",
        "wasmtime-py component API",
        seconds(lambda: ours.workbook.get_status(scope)),
        seconds(lambda: peer_status(peer_scope)),
    )

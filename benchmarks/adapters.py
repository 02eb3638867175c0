"""What Python host adapters cost: calls both ways, bytes and strings, lists, loading.

Each is held against a floor, the least that ctypes, a copy of memory or Python itself needs for it, and against
wasmtime-py's component API on the same component. The guest of `guest/` does next to nothing itself, `progress-runner`
is one in Rust.
"""

from __future__ import annotations

import array
import ctypes
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import runner.bindings.progress_runner as progress
import wasmtime
from measure import ROOT, alternately, ms
from peers import Peer, record

sys.path.insert(0, str(ROOT))

from tests.runtime.support import adapter
from witgen import binary
from witgen import runtime as rt
from witgen.runtime.core import CoreFunction, Slots, raw_function

TITLE = "Python host adapters"
HEAD = ("What", "witgen", "Floor", "", "Ratio", "Wanted", "wasmtime-py", "Times faster", "Wanted")

GUEST = Path(__file__).parent / "guest"
BUILT = ROOT / "target/wasm32-wasip2/release/progress_runner.wasm"
PREBUILT = ROOT / "plugins/progress-runner/prebuilt/progress_runner.wasm"
HOST, CALLS, PROGRESS = "bench:guest/host@0.1.0", "bench:guest/calls@0.1.0", "runner:progress/{}@0.1.0"

MIB = 1 << 20
#: How often the guest calls the host in one measured call.
SPINS = 10_000
NUMBERS = 100_000
ROWS = 1_000

#: How long loading a component of 1 MB may take that was compiled before, in seconds.
LOAD = 0.02

#: A core module that calls a host function in a loop, and nothing else.
SPINNER = """
  (module
    (import "" "sum" (func $sum (param i32 i32) (result i32)))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "spin") (param $times i32) (result i32) (local $total i32)
      (block $done (loop $again
        (br_if $done (i32.eqz (local.get $times)))
        (local.set $total (call $sum (local.get $total) (i32.const 2)))
        (local.set $times (i32.sub (local.get $times) (i32.const 1)))
        (br $again)))
      (local.get $total)))
"""


class Host:
    """What the guest imports."""

    def sum(self, a: int, b: int) -> int:
        return a + b


def component_file() -> Path:
    """The component in Rust that is measured: built on this machine, or the one that comes with the project."""
    return BUILT if BUILT.exists() else PREBUILT


def conditions() -> str:
    """What the measurements depend on, beside the machine."""
    return f"wasmtime-py {metadata.version('wasmtime')}, {component_file().relative_to(ROOT)}"


def rows() -> Iterator[Sequence[str]]:
    """All measurements."""
    text = (GUEST / "guest.wat").read_text()
    data = bytes(wasmtime.wat2wasm(text))
    with tempfile.TemporaryDirectory() as folder:
        wit: Any = adapter(Path(folder), (GUEST / "contract.wit").read_text())
    calls = wit.Guest(rt.Component(data), wit.GuestImports(host=Host())).calls
    peer = Peer(data, {HOST: {"sum": lambda a, b: a + b}})
    yield from _calls(calls, peer)
    yield from _bulk(calls, peer)
    yield from _lists(wit, calls, peer)
    yield from _progress()
    yield from _loading(wit, text)


Call = Callable[[], object]
#: What it is, what it does, and the ratio wanted.
Floor = tuple[str, Call, str]


def _row(
    what: str, ours: Call, floor: Floor | None = None, peer: Call | None = None, wanted: str = "", per: int = 1
) -> Sequence[str]:
    """A row: `wanted` is how many times faster than the peer it has to be.

    Times are those of one of `per` things that a call does.
    """
    calls = [ours, *([] if floor is None else [floor[1]]), *([] if peer is None else [peer])]
    time, *others = (found / per for found in alternately(calls))
    cells = [what, _time(time)]
    cells += ["", "", "", ""] if floor is None else [floor[0], _time(others[0]), f"{time / others[0]:.2f}", floor[2]]
    cells += ["", ""] if peer is None else [_time(others[-1]), f"{others[-1] / time:.1f}"]
    return [*cells, wanted]


def _time(time: float) -> str:
    return f"{time * 1e6:,.2f} µs" if time < 1e-3 else ms(time)


# Calls


def _calls(calls: Any, peer: Peer) -> Iterator[Sequence[str]]:
    """Scalars alone, out of Python and into it."""
    bare = _BareModule()
    add, spin = peer.function(CALLS, "add"), peer.function(CALLS, "spin")
    bare_add, run_bare_spin = (partial(function.invoke, *function.args) for function in (bare.add, bare.spin))
    floor: Floor = ("core call by ctypes alone", bare_add, "≤ 3")
    yield _row("`add(u32, u32) -> u32`", lambda: calls.add(3, 4), floor, lambda: add(3, 4))

    def bare_spin() -> None:
        bare.spin.u32[0] = SPINS
        run_bare_spin()

    yield _row(
        "import `sum(u32, u32) -> u32`, called by the guest",
        lambda: calls.spin(SPINS),
        ("ctypes callback that adds two slots", bare_spin, "≤ 4"),
        lambda: spin(SPINS),
        per=SPINS,
    )


class _BareModule:
    """The core functions of the guest alone, and a host function that does the least it can."""

    def __init__(self) -> None:
        self._store = wasmtime.Store()
        slots = Slots("I", 2)

        def bare_sum(_env: int | None, _caller: int | None, a: int, _n: int) -> int:
            u32 = slots[a]
            u32[0] = u32[0] + u32[4]
            return 0

        function, self._native = raw_function(self._store, "ii", "i", bare_sum)
        module = wasmtime.Module(self._store.engine, bytes(wasmtime.wat2wasm(SPINNER)))
        exports = wasmtime.Instance(self._store, module, [function]).exports(self._store)
        self.add, self.spin = (self._function(exports[name]) for name in ("add", "spin"))

    def _function(self, extern: object) -> CoreFunction:
        assert isinstance(extern, wasmtime.Func)
        return CoreFunction(self._store, extern, 2)


# Bytes and strings


def _bulk(calls: Any, peer: Peer) -> Iterator[Sequence[str]]:
    """One MiB in and out."""
    data = bytes(range(256)) * (MIB // 256)
    wide = memoryview(data).cast("Q")
    target, source = bytearray(MIB), bytearray(data)
    to, from_ = (ctypes.addressof(ctypes.c_char.from_buffer(buffer)) for buffer in (target, source))
    copy: Floor = ("`memmove` of 1 MiB", lambda: ctypes.memmove(to, from_, MIB), "≤ 3")
    take, give = peer.function(CALLS, "take-bytes"), peer.function(CALLS, "give-bytes")
    yield _row("`list<u8>` of 1 MiB in, `bytes`", lambda: calls.take_bytes(data), copy, lambda: take(data))
    yield _row("`list<u8>` of 1 MiB in, `memoryview` of u64", lambda: calls.take_bytes(wide), copy)
    yield _row("`list<u8>` of 1 MiB out", calls.give_bytes, copy, give)
    yield from _text("ASCII", "a" * MIB, calls, peer, copy, copy)
    text = "ä" * (MIB // 2)
    encoded = text.encode()
    codec: list[Floor] = [("`str.encode`", text.encode, ""), ("`bytes.decode`", encoded.decode, "")]
    yield from _text("letters of two bytes", text, calls, peer, *codec)


def _text(kind: str, text: str, calls: Any, peer: Peer, floor_in: Floor, floor_out: Floor) -> Iterator[Sequence[str]]:
    take, give = peer.function(CALLS, "take-text"), peer.function(CALLS, "give-text")
    yield _row(f"`string` of 1 MiB in, {kind}", lambda: calls.take_text(text), floor_in, lambda: take(text))
    yield _row(f"`string` of 1 MiB out, {kind}", calls.give_text, floor_out, give)


# Lists


def _lists(wit: Any, calls: Any, peer: Peer) -> Iterator[Sequence[str]]:
    """Lists of numbers and of records, in and out."""
    yield from _numbers("numbers", "u32", array.array("I", [i * 40_000 for i in range(NUMBERS)]), calls, peer)
    yield from _numbers("reals", "f64", array.array("d", [i / 3 for i in range(NUMBERS)]), calls, peer)
    fields = [(f"name of row {i}", i, i / 3 if i % 2 else None) for i in range(ROWS)]
    ours = [wit.Row(*row) for row in fields]
    theirs = [record(name=name, id=id_, ratio=ratio) for name, id_, ratio in fields]
    take, give = peer.function(CALLS, "take-rows"), peer.function(CALLS, "give-rows")
    what = f"list of {ROWS:,} records (`string`, `u32`, `option<f64>`)"
    yield _row(f"{what} in", lambda: calls.take_rows(ours), None, lambda: take(theirs), "≥ 20")
    made: Floor = ("making the objects", lambda: [wit.Row(*row) for row in fields], "")
    yield _row(f"{what} out", calls.give_rows, made, give, "≥ 20")


def _numbers(name: str, type_: str, packed: array.array[Any], calls: Any, peer: Peer) -> Iterator[Sequence[str]]:
    values = packed.tolist()
    take, give = getattr(calls, f"take_{name}"), getattr(calls, f"give_{name}")
    peer_take, peer_give = (peer.function(CALLS, f"{verb}-{name}") for verb in ("take", "give"))
    what = f"`list<{type_}>` of {NUMBERS:,}"
    floor: Floor = ("`array.array`", lambda: array.array(packed.typecode, values), "")
    yield _row(f"{what} in", lambda: take(values), floor, lambda: peer_take(values))
    yield _row(f"{what} out", give, ("`array.tolist`", packed.tolist, ""), peer_give)


# A guest in Rust


def _progress() -> Iterator[Sequence[str]]:
    """Calls of `progress-runner`."""
    path = component_file()
    ours = progress.ProgressRunner(rt.Component.from_file(path))
    peer = Peer(path.read_bytes())
    events, workbook = PROGRESS.format("events"), PROGRESS.format("workbook")

    filter_ = progress.Filter(None, None, None, progress.Phases(0))
    subscription = ours.events.subscription.open(
        progress.SubscriptionOptions(filter_, 64, progress.Overflow.DROP_OLDEST)
    )
    peer_filter = record(user=None, task=None, tenant=None, phases=set())
    peer_subscription = peer.function(events, "[static]subscription.open")(
        record(filter=peer_filter, capacity=64, overflow="drop-oldest")
    )
    peer_ready = peer.function(events, "[method]subscription.ready")
    floor: Floor = ("core call by ctypes alone", _bare_ready(ours, subscription), "")
    yield _row("`subscription.ready() -> u32`", subscription.ready, floor, lambda: peer_ready(peer_subscription))

    scope = progress.Scope("ada", "bench", None)
    change = progress.FieldChange("a", "b", progress.Value_Integer(7))
    step = progress.Step(scope, progress.Phase.EXECUTING, 0.5, 1, [change], None)
    peer_scope = record(user="ada", task="bench", tenant=None)
    changes = [record(section="a", key="b", value=7)]
    peer_step = record(scope=peer_scope, phase="executing", progress=0.5, timestamp=1, changes=changes, failure=None)
    update, status = peer.function(workbook, "update"), peer.function(workbook, "get-status")
    yield _row(
        "`workbook.update(step)`, one field", lambda: ours.workbook.update(step), None, lambda: update(peer_step)
    )
    yield _row(
        "`workbook.get-status(scope)`", lambda: ours.workbook.get_status(scope), None, lambda: status(peer_scope)
    )


def _bare_ready(ours: progress.ProgressRunner, subscription: progress.Subscription) -> Call:
    function = ours.events._subscription_ready
    rep, view, core_call = subscription._lend(function.cx, subscription._index), function.u32, function.call

    def bare() -> None:
        view[0] = rep
        core_call()

    return bare


# Loading


def _loading(wit: Any, text: str) -> Iterator[Sequence[str]]:
    """The guest with data that makes it a component of 1 MB; compiling apart."""
    padded = text.replace(";; PADDING", f'(data (i32.const 1000000) "{"x" * 1_000_000}")')
    data = bytes(wasmtime.wat2wasm(padded))
    imports = wit.GuestImports(host=Host())
    component = rt.Component(data)

    def verify() -> None:
        component._agreed.clear()
        component.verify(wit.CONTRACT)

    def instantiate() -> None:
        wit.Guest(component, imports)

    times = alternately([lambda: binary.decode(data), verify, instantiate])
    for what, time in zip(("decode", "compare types with the contract", "instantiate"), times, strict=True):
        yield [f"component of {len(data) / 1e6:.1f} MB: {what}", _time(time), *[""] * 7]
    wanted = ["wanted", ms(LOAD), f"{sum(times) / LOAD:.2f}", "≤ 1"]
    yield ["all three: load what was compiled before", _time(sum(times)), *wanted, "", "", ""]
    yield _row("decode and compile", lambda: rt.Component(data))

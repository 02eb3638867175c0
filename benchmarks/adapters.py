"""What Python host adapters cost: calls both ways, bytes and strings, lists, loading.

Each is held against a floor, the least that ctypes, a copy of memory or Python itself needs for it, and against
wasmtime-py's component API on the same component. The guest of `guest/` does next to nothing; `progress-runner` is one in Rust.
"""

from __future__ import annotations

import array
import ctypes
import tempfile
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import runner.bindings.progress_runner as progress
import wasmtime
from measure import ROOT, ms, seconds
from peers import Peer, record

from tests.runtime.support import adapter
from witgen import binary
from witgen import runtime as rt
from witgen.runtime.core import CoreFunction, host_function

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


def _row(
    what: str,
    ours: float,
    floor: tuple[str, float, str] | None = None,
    peer: float | None = None,
    wanted: str = "",
) -> Sequence[str]:
    """A row; `floor` is what it is, its time and the ratio wanted, `wanted` how many times faster than the peer."""
    against = ("", "", "", "") if floor is None else (floor[0], _time(floor[1]), f"{ours / floor[1]:.2f}", floor[2])
    faster = ("", "") if peer is None else (_time(peer), f"{peer / ours:,.0f}" if peer > ours else f"{peer / ours:.2f}")
    return (what, _time(ours), *against, *faster, wanted)


def _time(time: float) -> str:
    return f"{time * 1e6:,.2f} µs" if time < 1e-3 else ms(time)


def _slow(call: Callable[[], object]) -> float:
    """As `seconds`, for what takes so long that one round has to do."""
    return seconds(call, budget=0.1, rounds=2)


# Calls


def _calls(calls: Any, peer: Peer) -> Iterator[Sequence[str]]:
    """Scalars alone, out of Python and into it."""
    bare = _BareModule()
    add = peer.function(CALLS, "add")
    ours = seconds(lambda: calls.add(3, 4))
    yield _row(
        "`add(u32, u32) -> u32`",
        ours,
        ("core call by ctypes alone", seconds(bare.add.call), "≤ 3"),
        seconds(lambda: add(3, 4)),
    )
    spin = peer.function(CALLS, "spin")
    bare.spin.u32[0] = SPINS

    def bare_spin() -> None:
        bare.spin.u32[0] = SPINS
        bare.spin.call()

    yield _row(
        "import `sum(u32, u32) -> u32`, called by the guest",
        seconds(lambda: calls.spin(SPINS)) / SPINS,
        ("ctypes callback that adds two slots", seconds(bare_spin) / SPINS, "≤ 4"),
        _slow(lambda: spin(SPINS)) / SPINS,
    )


class _BareModule:
    """The core functions of the guest alone, and a host function that does the least it can."""

    def __init__(self) -> None:
        self._store = wasmtime.Store()

        def bare_sum(_env: int | None, _caller: int | None, a: Any, _n: int) -> int:
            a[0] = a[0] + a[2]
            return 0

        function, self._native = host_function(self._store, "ii", "i", bare_sum)
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
    target, source = bytearray(MIB), bytearray(data)
    to, from_ = (ctypes.addressof(ctypes.c_char.from_buffer(buffer)) for buffer in (target, source))
    copy = seconds(lambda: ctypes.memmove(to, from_, MIB))
    floor = ("`memmove` of 1 MiB", copy, "≤ 3")
    take, give = peer.function(CALLS, "take-bytes"), peer.function(CALLS, "give-bytes")
    yield _row(
        "`list<u8>` of 1 MiB in, `bytes`", seconds(lambda: calls.take_bytes(data)), floor, _slow(lambda: take(data))
    )
    yield _row(
        "`list<u8>` of 1 MiB in, `memoryview` of u64",
        seconds(lambda view=memoryview(data).cast("Q"): calls.take_bytes(view)),
        floor,
    )
    yield _row("`list<u8>` of 1 MiB out", seconds(calls.give_bytes), floor, _slow(give))
    take, give = peer.function(CALLS, "take-text"), peer.function(CALLS, "give-text")
    for kind, character, limit in (("ASCII", "a", floor), ("letters of two bytes", "ä", None)):
        text = character * (MIB // len(character.encode()))
        encode = ("`str.encode`", seconds(text.encode), "")
        yield _row(
            f"`string` of 1 MiB in, {kind}",
            seconds(lambda text=text: calls.take_text(text)),
            limit or encode,
            _slow(lambda text=text: take(text)),
        )
        calls.take_text(text)
        take(text)
        decode = ("`bytes.decode`", seconds(text.encode().decode), "")
        yield _row(f"`string` of 1 MiB out, {kind}", seconds(calls.give_text), limit or decode, _slow(give))


# Lists


def _lists(wit: Any, calls: Any, peer: Peer) -> Iterator[Sequence[str]]:
    """Lists of numbers and of records, in and out."""
    numbers = [i * 40_000 for i in range(NUMBERS)]
    reals = [i / 3 for i in range(NUMBERS)]
    for name, type_, letter, values in (("numbers", "u32", "I", numbers), ("reals", "f64", "d", reals)):
        take, give = getattr(calls, f"take_{name}"), getattr(calls, f"give_{name}")
        peer_take, peer_give = (peer.function(CALLS, f"{verb}-{name}") for verb in ("take", "give"))
        packed: array.array[Any] = array.array(letter, values)
        yield _row(
            f"`list<{type_}>` of {NUMBERS:,} in",
            seconds(lambda take=take, values=values: take(values)),
            ("`array.array`", seconds(lambda letter=letter, values=values: array.array(letter, values)), ""),
            _slow(lambda take=peer_take, values=values: take(values)),
        )
        take(values)
        peer_take(values)
        yield _row(
            f"`list<{type_}>` of {NUMBERS:,} out",
            seconds(give),
            ("`array.tolist`", seconds(packed.tolist), ""),
            _slow(peer_give),
        )
    yield from _records(wit, calls, peer)


def _records(wit: Any, calls: Any, peer: Peer) -> Iterator[Sequence[str]]:
    fields = [(f"name of row {i}", i, i / 3 if i % 2 else None) for i in range(ROWS)]
    ours = [wit.Row(*row) for row in fields]
    theirs = [record(name=name, id=id_, ratio=ratio) for name, id_, ratio in fields]
    take, give = peer.function(CALLS, "take-rows"), peer.function(CALLS, "give-rows")
    made = ("making the objects", seconds(lambda: [wit.Row(*row) for row in fields]), "")
    yield _row(
        f"list of {ROWS:,} records (`string`, `u32`, `option<f64>`) in",
        seconds(lambda: calls.take_rows(ours)),
        None,
        _slow(lambda: take(theirs)),
        "≥ 20",
    )
    calls.take_rows(ours)
    take(theirs)
    yield _row(f"list of {ROWS:,} such records out", seconds(calls.give_rows), made, _slow(give), "≥ 20")


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
    yield _row(
        "`subscription.ready() -> u32`",
        seconds(subscription.ready),
        ("core call by ctypes alone", seconds(_bare_ready(ours, subscription)), ""),
        seconds(lambda: peer_ready(peer_subscription)),
    )
    scope = progress.Scope("ada", "bench", None)
    change = progress.FieldChange("a", "b", progress.Value_Integer(7))
    step = progress.Step(scope, progress.Phase.EXECUTING, 0.5, 1, [change], None)
    peer_scope = record(user="ada", task="bench", tenant=None)
    peer_step = record(
        scope=peer_scope,
        phase="executing",
        progress=0.5,
        timestamp=1,
        changes=[record(section="a", key="b", value=7)],
        failure=None,
    )
    update, status = peer.function(workbook, "update"), peer.function(workbook, "get-status")
    yield _row(
        "`workbook.update(step)`, one field",
        seconds(lambda: ours.workbook.update(step)),
        None,
        seconds(lambda: update(peer_step)),
    )
    yield _row(
        "`workbook.get-status(scope)`",
        seconds(lambda: ours.workbook.get_status(scope)),
        None,
        seconds(lambda: status(peer_scope)),
    )


def _bare_ready(ours: progress.ProgressRunner, subscription: progress.Subscription) -> Callable[[], None]:
    function = ours.events._subscription_ready
    rep, view, core_call = subscription._lend(function.cx), function.u32, function.call

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
    size = f"component of {len(data) / 1e6:.1f} MB"
    decode = seconds(lambda: binary.decode(data))
    component = rt.Component(data)
    yield _row(f"decode a {size}", decode)

    def first() -> None:
        component._agreed.clear()
        wit.Guest(component, imports)

    verified = seconds(first)
    yield _row("compare its types with the contract, instantiate", verified)
    yield _row("instantiate again", seconds(lambda: wit.Guest(component, imports)))
    yield _row("load compiled: decode, compare, instantiate", decode + verified, ("wanted", 0.02, "≤ 1"))
    yield _row("decode and compile", _slow(lambda: rt.Component(data)))

"""The HTTP component with one import more, which it calls once when it is instantiated: a sign of life to the Runner.

Definitions are put behind those of the component. They are compiled as the end of a component whose index spaces are
filled up to where those of the real one end, and taken from there.
"""

from __future__ import annotations

from collections import Counter

import wasmtime

from witgen import binary
from witgen.binary.model import Sort

__all__ = ["with_a_sign_of_life"]

TELEMETRY = "runner:progress/telemetry@0.1.0"
_CALL = f"""
  (import "{TELEMETRY}" (instance $telemetry
    (type $interval (option u64))
    (type $record (record (field "sequence" u64) (field "interval" $interval) (field "scopes" u32)
      (field "subscriptions" u32) (field "queued" u32) (field "last-update" u64)))
    (export "pulse" (type $pulse (eq $record)))
    (type $flags (list string))
    (export "heartbeat" (func (param "timestamp" u64) (param "active-flags" $flags) (result $pulse)))))
  (alias export $telemetry "heartbeat" (func $heartbeat))
  (core module $room (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))
  (core instance $made (instantiate $room))
  (alias core export $made "memory" (core memory $memory))
  (core func $lowered (canon lower (func $heartbeat) (memory $memory)))
  (core module $caller
    (import "host" "heartbeat" (func $heartbeat (param i64 i32 i32 i32)))
    (func $begin (call $heartbeat (i64.const 7) (i32.const 0) (i32.const 0) (i32.const 64)))
    (start $begin))
  (core instance (instantiate $caller (with "host" (instance (export "heartbeat" (func $lowered))))))
"""


def with_a_sign_of_life(component: bytes) -> bytes:
    """The component, with the import and the call."""
    counts = Counter(item.space for item in binary.decode(component).definitions if item.space is not None)
    filling = _filling(counts)
    before = wasmtime.wat2wasm(f"(component {filling})")
    whole = wasmtime.wat2wasm(f"(component {filling} {_CALL})")
    assert whole.startswith(before)
    return component + whole[len(before) :]


def _filling(counts: Counter[Sort]) -> str:
    """As many definitions in each index space as there are, of the plainest kind."""
    functions = "".join(f'(import "f{number}" (func (type 0)))' for number in range(counts[Sort.FUNC]))
    parts = [
        "(type (func))",
        "(type u8)" * (counts[Sort.TYPE] - 1),
        functions,
        "(instance)" * counts[Sort.INSTANCE],
        "(component)" * counts[Sort.COMPONENT],
        # What core functions and memories are taken from.
        '(core module (memory (export "m") 1) (func (export "f")))',
        "(core module)" * (counts[Sort.CORE_MODULE] - 1),
        "(core instance (instantiate 0))",
        "(core instance)" * (counts[Sort.CORE_INSTANCE] - 1),
        '(alias core export 0 "m" (core memory))' * counts[Sort.CORE_MEMORY],
        '(alias core export 0 "f" (core func))' * counts[Sort.CORE_FUNC],
    ]
    return "\n".join(parts)

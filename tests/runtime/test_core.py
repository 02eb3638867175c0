"""What the runtime asks of the engine itself."""

from __future__ import annotations

import pytest
import wasmtime

from witgen import runtime as rt
from witgen.runtime.core import CoreExports, Store


def test_exports_are_those_that_the_engine_lists() -> None:
    text = '(func (export "f") (result i32) i32.const 7) (memory (export "mémoire") 1)'
    text += '(global (export "") i32 i32.const 3)'
    store = Store(rt.new_engine(interruptible=False))
    module = wasmtime.Module(store.engine, f"(module {text})")
    instance = wasmtime.Instance(store, module, [])
    found, listed = CoreExports(store, module, instance), instance.exports(store)
    assert list(found) == list(listed) == ["f", "mémoire", ""]
    assert len(found) == 3
    assert [type(found[name]) for name in found] == [wasmtime.Func, wasmtime.Memory, wasmtime.Global]
    assert found["f"](store) == 7
    assert "g" not in found
    with pytest.raises(KeyError):
        found["g"]

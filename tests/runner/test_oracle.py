"""The same component and the same calls through wasmtime's own component API: the same answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import runner.bindings.progress_runner as wit
import wasmtime
from hypothesis import given, settings
from hypothesis import strategies as st
from wasmtime import component as wasm_component

from witgen import runtime as rt

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1f"), min_size=1, max_size=8)
#: Without booleans: that API takes a Python bool for the `integer` case, which comes first.
VALUE = st.one_of(
    st.builds(wit.Value_Text, TEXT),
    st.builds(wit.Value_Integer, st.integers(-(1 << 63), (1 << 63) - 1)),
    st.builds(wit.Value_Real, st.floats(allow_nan=False)),
)
STEP = st.builds(
    wit.Step,
    st.builds(wit.Scope, st.sampled_from(["ada", "bob"]), NAME, st.none() | NAME),
    st.none() | st.sampled_from(wit.Phase),
    st.none() | st.floats(0, 1),
    st.integers(0, (1 << 64) - 1),
    st.lists(st.builds(wit.FieldChange, NAME, NAME, st.none() | VALUE), max_size=4),
    st.none() | st.sampled_from(wit.ErrorKind),
)


class Oracle:
    """The component under wasmtime-py's component API."""

    def __init__(self, path: Path) -> None:
        engine = wasmtime.Engine()
        self.store = wasmtime.Store(engine)
        compiled = wasm_component.Component.from_file(engine, str(path))
        self.instance = wasm_component.Linker(engine).instantiate(self.store, compiled)

    def call(self, interface: str, name: str, *args: Any) -> Any:
        """Calls an export, and lets the guest clean up."""
        index = self.instance.get_export_index(self.store, f"runner:progress/{interface}@0.1.0")
        inner = self.instance.get_export_index(self.store, name, index)
        assert inner is not None
        function = self.instance.get_func(self.store, inner)
        assert function is not None
        result = function(self.store, *args)
        function.post_return(self.store)
        # A result is given as its payload, and as a variant only where both payloads are of one Python type.
        if isinstance(result, wasm_component.Variant) and result.tag in ("ok", "err"):
            return result.payload
        return result


def lower(value: Any) -> Any:
    """A value of the generated module as wasmtime-py takes it."""
    if isinstance(value, wit.Value_Text | wit.Value_Integer | wit.Value_Real | wit.Value_Boolean):
        # Its payloads are of different Python types, so that API takes and gives the payload alone.
        return value.value
    if isinstance(value, wit.Phase | wit.ErrorKind):
        return value.name.lower().replace("_", "-")
    if isinstance(value, list):
        return [lower(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        record = wasm_component.Record()
        for name in value.__dataclass_fields__:
            setattr(record, name.replace("_", "-"), lower(getattr(value, name)))
        return record
    return value


def plain(value: Any) -> Any:
    """A value of either side as tuples, lists and scalars that compare."""
    if isinstance(value, wasm_component.Record):
        return {name: plain(item) for name, item in vars(value).items()}
    if isinstance(value, wit.Value_Text | wit.Value_Integer | wit.Value_Real | wit.Value_Boolean):
        return (type(value.value), value.value)
    if isinstance(value, bool | int | float | str):
        return (type(value), value)
    if isinstance(value, wit.Phase | wit.ErrorKind):
        return (str, lower(value))
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name.replace("_", "-"): plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


@pytest.fixture(scope="module")
def pair(component: rt.Component, component_file: Path) -> tuple[wit.ProgressRunner, Oracle]:
    return wit.ProgressRunner(component), Oracle(component_file)


@settings(max_examples=150, deadline=None)
@given(step=STEP)
def test_updates_and_status_agree_with_the_oracle(pair: tuple[wit.ProgressRunner, Oracle], step: wit.Step) -> None:
    ours, oracle = pair
    id_, their_id = ours.workbook.update(step), oracle.call("workbook", "update", lower(step))
    status = ours.workbook.get_status(step.scope)
    their_status = oracle.call("workbook", "get-status", lower(step.scope))
    assert id_ == their_id
    assert plain(status) == plain(their_status)

"""Components under wasmtime's own component API: the second opinion on what the guests and the adapters do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import wasmtime
from wasmtime import component as wasm

Functions = Mapping[str, Callable[..., Any]]


class Oracle:
    """A component with what it imports.

    `imports` are functions by the names of interfaces and functions, the world's own under the name ``""``, and
    `resources` the names of their resources; `dropped` gets the representations of those that end. Values are those of
    wasmtime-py; a function is given the values alone.
    """

    def __init__(
        self,
        path: Path,
        imports: Mapping[str, Functions],
        *,
        resources: Mapping[str, Sequence[str]] | None = None,
        dropped: list[int] | None = None,
        wasi: bool = False,
    ) -> None:
        self._resources: dict[tuple[str, str], int] = {}
        self._dropped = [] if dropped is None else dropped
        for interface, names in (resources or {}).items():
            for name in names:
                self._resources[interface, name] = len(self._resources)
        config = wasmtime.Config()
        config.wasm_component_model_implements = True
        engine = wasmtime.Engine(config)
        self.store = wasmtime.Store(engine)
        linker = wasm.Linker(engine)
        if wasi:
            linker.add_wasip2()
            self.store.set_wasi(wasmtime.WasiConfig())
        with linker.root() as root:
            for interface, functions in imports.items():
                if not interface:
                    self._define(root, interface, functions)
                    continue
                with root.add_instance(interface) as instance:
                    self._define(instance, interface, functions)
        self._instance = linker.instantiate(self.store, wasm.Component.from_file(engine, str(path)))

    def own(self, interface: str, name: str, rep: int) -> wasm.ResourceHost:
        """An owned resource of the host, by its representation."""
        return wasm.ResourceHost.own(rep, self._resources[interface, name])

    def _define(self, instance: wasm.LinkerInstance, interface: str, functions: Functions) -> None:
        for (owner, name), number in self._resources.items():
            if owner == interface:
                instance.add_resource(
                    name, wasm.ResourceType.host(number), lambda _store, rep: self._dropped.append(rep)
                )
        for name, function in functions.items():
            instance.add_func(name, lambda _store, *args, called=function: called(*args))

    def function(self, interface: str, name: str) -> wasm.Func:
        """An exported function; the interface of the world's own is ``""``."""
        index = self._instance.get_export_index(self.store, interface) if interface else None
        inner = self._instance.get_export_index(self.store, name, index)
        assert inner is not None, name
        found = self._instance.get_func(self.store, inner)
        assert found is not None, name
        return found

    def call(self, interface: str, name: str, *args: Any) -> Any:
        """Calls an exported function, and lets the guest clean up."""
        function = self.function(interface, name)
        result = function(self.store, *args)
        function.post_return(self.store)
        return result


def record(**fields: Any) -> wasm.Record:
    """A record; underscores stand for hyphens."""
    made = wasm.Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made


def component_value(type_: wasm.ValType | None, model: Any) -> Any:
    """The value that a model stands for, as wasmtime-py's component API takes and gives it."""
    match type_:
        case wasm.ListType():
            items = [component_value(type_.element, item) for item in model]
            return bytes(items) if isinstance(type_.element, wasm.U8) else items
        case wasm.TupleType():
            return tuple(component_value(t, item) for t, item in zip(type_.elements, model, strict=True))
        case wasm.RecordType():
            record = wasm.Record()
            for (name, field), item in zip(type_.fields, model, strict=True):
                setattr(record, name, component_value(field, item))
            return record
        case wasm.FlagsType():
            return {type_.names[number] for number in model}
        case wasm.EnumType():
            return type_.name(model)
        case wasm.OptionType():
            return _case(type_, len(model), model[0] if model else None)
        case wasm.VariantType() | wasm.ResultType():
            return _case(type_, *model)
        case _:
            return model


def _case(type_: Any, number: int, model: Any) -> Any:
    """A case: its payload alone where the payloads of all cases are of different Python classes."""
    tag, payload = type_._cases()[number]
    value = None if payload is None else component_value(payload, model)
    return wasm.Variant(tag, value) if type_._tagged() else value


def plain(value: Any) -> Any:
    """A value of wasmtime-py's component API so that equal values compare equal."""
    if isinstance(value, wasm.Record):
        return {name: plain(item) for name, item in vars(value).items()}
    if isinstance(value, wasm.Variant):
        return (value.tag, plain(value.payload))
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value

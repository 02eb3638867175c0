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

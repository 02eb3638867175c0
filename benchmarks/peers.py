"""Components under wasmtime-py's own component API: the peer of generated adapters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import wasmtime
from wasmtime import component as wasm

__all__ = ["Peer", "record"]

Functions = Mapping[str, Mapping[str, Callable[..., object]]]


class Peer:
    """A running component with what it imports, by interface and function."""

    def __init__(self, data: bytes, imports: Functions | None = None) -> None:
        engine = wasmtime.Engine()
        self.store = wasmtime.Store(engine)
        linker = wasm.Linker(engine)
        with linker.root() as root:
            for interface, functions in (imports or {}).items():
                with root.add_instance(interface) as instance:
                    for name, function in functions.items():
                        instance.add_func(name, lambda _store, *args, called=function: called(*args))
        self._instance = linker.instantiate(self.store, wasm.Component(engine, data))

    def function(self, interface: str, name: str) -> Callable[..., object]:
        """An exported function, called as that API wants it: with the store first, `post_return` after."""
        index = self._instance.get_export_index(self.store, interface)
        inner = self._instance.get_export_index(self.store, name, index)
        assert inner is not None
        function = self._instance.get_func(self.store, inner)
        assert function is not None

        def call(*args: object) -> object:
            result: object = function(self.store, *args)
            function.post_return(self.store)
            return result

        return call


def record(**fields: object) -> object:
    """A record as wasmtime-py takes it: attributes by WIT name."""
    made = wasm.Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made

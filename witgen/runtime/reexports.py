"""Imports that a component exports again: host functions as adapters call exports.

An adapter writes its arguments into the memory of an instance, with handles in its table, and calls a core function. A
function that the host itself serves has no instance behind it. A `Relay` stands in: it is a component instance of one
memory, one allocator and one table that does nothing but pass calls on, so that both sides check what they always do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import wasmtime

from witgen.abi import align_to
from witgen.runtime.context import Context
from witgen.runtime.core import SLOT, CoreFunction, Slots
from witgen.runtime.errors import Trap
from witgen.runtime.state import InstanceState

if TYPE_CHECKING:
    from witgen.runtime.instance import Instance
    from witgen.runtime.linking import ImportedFunction, Linker
    from witgen.runtime.providers import Source

__all__ = ["Relay"]

_PAGE = 1 << 16
#: Where allocation begins: an address that no empty list has.
_BOTTOM = 16


class Relay:
    """The instance that passes calls of reexported imports on.

    Its memory is filled by the arguments and results of one call, and empty again when that has ended.
    """

    def __init__(self, instance: Instance, linker: Linker) -> None:
        self._instance = instance
        self._linker = linker
        self._store = instance.store
        self._memory = wasmtime.Memory(self._store, wasmtime.MemoryType(wasmtime.Limits(1, None)))
        self._top = _BOTTOM
        self._state = InstanceState()
        self._slots = Slots("I", 4)
        self._realloc = linker.core_function("iiii", "i", self._allocate)

    def context(self, source: Source) -> Context:
        """What values of a generated module cross with here."""
        return Context(self._instance, self._state, source, self._memory, self._realloc)

    def core_function(self, function: ImportedFunction) -> wasmtime.Func:
        """A host function as a core function that is lifted."""
        source, host = self._linker.source(function)
        signature = self._linker.signature(function.type)
        lowered = self._linker.core_function(host.params, host.results, host.make(self.context(source)))
        self._linker.expect(lowered, *signature.lowered, f"the import {function.name}")
        params, results = signature.lifted
        inner = CoreFunction(self._store, lowered, max(len(host.params), len(host.results)))
        size, slots, result_at = SLOT * len(params), Slots("B", len(params)), Slots("Q", 1)
        area = signature.result if signature.indirect_result else None

        def call(a: int) -> None:
            if size:
                inner.buffer[:size] = slots[a]
            pointer = 0 if area is None else self._region(area.size, area.align)
            if area is not None:
                inner.u32[4 * len(params)] = pointer
            if (error := inner.call()) or inner.trap[0]:
                raise inner.failure(error)
            if results:
                result_at[a][0] = inner.u64[0] if area is None else pointer
            self._state.handles.take_back()

        return self._linker.core_function(params, results, call)

    def post_return(self, results: str) -> wasmtime.Func:
        """What empties the memory."""

        def call(_: int) -> None:
            self._top = _BOTTOM

        return self._linker.core_function(results, "", call)

    def _allocate(self, a: int) -> None:
        slots = self._slots[a]
        old, length, alignment, wanted = slots[0], slots[4], slots[8], slots[12]
        found = self._region(wanted, alignment)
        if length:
            self._memory.write(self._store, self._memory.read(self._store, old, old + min(length, wanted)), found)
        slots[0] = found

    def _region(self, length: int, alignment: int) -> int:
        """The next free region of the memory, which grows where it has to. Raises `Trap` where it can't."""
        found = align_to(self._top, alignment)
        self._top = found + length
        missing = self._top - self._memory.data_len(self._store)
        if missing > 0:
            try:
                self._memory.grow(self._store, -(-missing // _PAGE))
            except wasmtime.WasmtimeError:
                raise Trap(f"{length} bytes can't be allocated to pass a call on") from None
        return found

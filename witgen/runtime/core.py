"""The engine as this runtime uses it: core WebAssembly functions called with next to nothing in between.

This is the one module that touches names of wasmtime-py that are not documented, and the C API through ctypes. It
knows core values and core functions; it knows nothing of components.

A core call goes through ``wasmtime_func_call_unchecked``: arguments and results share an array of 16-byte slots. Each
`CoreFunction` owns such an array and offers it as typed views, so that writing an argument is one item assignment,
checked for range by Python itself.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Iterable, Sequence
from opcode import opmap
from types import CodeType, FunctionType
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime._trap import FrameList

from witgen.runtime.errors import Trap

__all__ = [
    "CoreFunction",
    "HostCallback",
    "Store",
    "host_function",
    "memory_region",
    "new_engine",
    "raw_trap",
    "signature",
]

#: Bytes between the slots of an argument array (the size of ``wasmtime_val_raw_t``).
SLOT = 16

_VALTYPES: dict[str, Callable[[], wasmtime.ValType]] = {
    "i": wasmtime.ValType.i32,
    "l": wasmtime.ValType.i64,
    "f": wasmtime.ValType.f32,
    "d": wasmtime.ValType.f64,
}

# A second handle of the library that wasmtime-py has loaded, so that its own prototypes stay as they are.
_library = ctypes.CDLL(ffi.dll._name)
_call_unchecked = _library.wasmtime_func_call_unchecked
_call_unchecked.restype = ctypes.c_size_t
_trap_new = _library.wasmtime_trap_new
_trap_new.restype = ctypes.c_size_t
_trap_new.argtypes = [ctypes.c_char_p, ctypes.c_size_t]

_view_from_memory = ctypes.pythonapi.PyMemoryView_FromMemory
_view_from_memory.restype = ctypes.py_object
_view_from_memory.argtypes = [ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int]
_PYBUF_WRITE = 0x200

#: What a host function looks like to the engine: environment, caller, slots, their number; gives a trap or 0.
HostCallback = Callable[[int | None, int | None, Any, int], int]
_callback_type = ctypes.CFUNCTYPE(
    ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint64), ctypes.c_size_t
)
_finalizer_type = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_no_finalizer = _finalizer_type()


def new_engine(config: wasmtime.Config | None = None) -> wasmtime.Engine:
    """An engine on which adapters can run: linear memories never move, so that a view of one stays valid."""
    config = config or wasmtime.Config()
    config.memory_may_move = False
    return wasmtime.Engine(config)


class Store(wasmtime.Store):
    """A store that calls `ended` before it is deleted.

    When unreachable objects are collected, a store may go before others that have finalizers, as guest resources do.
    Whoever calls into it, or looks at its memories, has to know.
    """

    def __init__(self, engine: wasmtime.Engine, ended: Callable[[], object]) -> None:
        self._ended = ended
        super().__init__(engine)

    def close(self) -> None:
        self._ended()
        super().close()


def context_address(store: wasmtime.Store) -> int:
    """The address of the store's context in the C API."""
    return ctypes.cast(store._context(), ctypes.c_void_p).value or 0


def memory_region(store: wasmtime.Store, memory: wasmtime.Memory) -> memoryview:
    """The present bytes of a linear memory. The view stays valid, and too short, when the memory grows."""
    size = memory.data_len(store)
    if not size:
        return memoryview(bytearray())
    base = ctypes.cast(memory.data_ptr(store), ctypes.c_void_p)
    view: memoryview = _view_from_memory(base, size, _PYBUF_WRITE)
    return view


class CoreFunction:
    """A core function ready to be called: write arguments into the views, call `call`, read results from them.

    The views `u32`, `i32`, `u64`, `i64`, `f32`, `f64` show the same slots; value `n` is item ``4 * n`` of the 32-bit
    views and ``2 * n`` of the 64-bit ones. `call` and ``trap[0]`` are both 0 after a call that went well; otherwise
    `failure` makes an exception of them.
    """

    __slots__ = (
        "_keep",
        "buffer",
        "call",
        "f32",
        "f64",
        "i32",
        "i64",
        "trap",
        "u32",
        "u64",
    )

    def __init__(self, store: wasmtime.Store, function: wasmtime.Func, slots: int) -> None:
        words = ctypes.c_uint64 * (2 * max(slots, 1) + 1)
        array = words()
        self.buffer = memoryview(array).cast("B")
        views = self.buffer[: SLOT * max(slots, 1)]
        self.u32 = views.cast("I")
        self.i32 = views.cast("i")
        self.u64 = views.cast("Q")
        self.i64 = views.cast("q")
        self.f32 = views.cast("f")
        self.f64 = views.cast("d")
        self.trap = self.buffer[SLOT * max(slots, 1) :].cast("Q")
        address = ctypes.addressof(array)
        self.call: Callable[[], int] = functools.partial(
            _call_unchecked,
            ctypes.c_void_p(context_address(store)),
            ctypes.c_void_p(ctypes.addressof(function._func)),
            ctypes.c_void_p(address),
            ctypes.c_size_t(slots),
            ctypes.c_void_p(address + SLOT * max(slots, 1)),
        )
        self._keep = (array, function, store)

    def failure(self, error: int) -> Trap:
        """The exception for a call that gave `error` or left a trap."""
        trap, self.trap[0] = self.trap[0], 0
        if trap:
            pointer = ctypes.cast(trap, ctypes.POINTER(ffi.wasm_trap_t))
            found = wasmtime.Trap._from_ptr(pointer)
            return Trap(_reason(found.message), frames=_names(found.frames))
        failure = ctypes.cast(error, ctypes.POINTER(ffi.wasmtime_error_t))
        trace = FrameList(None)
        ffi.wasmtime_error_wasm_trace(failure, ctypes.byref(trace.vec))
        frames = _names(wasmtime.Frame._from_ptr(trace.vec.data[i], trace) for i in range(trace.vec.size))
        return Trap(_reason(str(wasmtime.WasmtimeError._from_ptr(failure))), frames=frames)


def _names(frames: Iterable[wasmtime.Frame]) -> list[str]:
    """The functions of a trace, the innermost first."""
    return [f"{frame.module_name or 'module'}!{frame.func_name or frame.func_index}" for frame in frames]


def _reason(message: str) -> str:
    """The line of an engine message that says why, without the backtrace above it."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("wasm trap:")]
    reason = causes[-1] if causes else lines[-1] if lines else "trap"
    return reason.removeprefix("wasm trap:").strip()


def raw_trap(message: str) -> int:
    """A new trap for the engine, which takes it over."""
    encoded = message.encode(errors="replace")
    trap: int = _trap_new(encoded, len(encoded))
    return trap


def host_function(
    store: wasmtime.Store, params: str, results: str, callback: HostCallback
) -> tuple[wasmtime.Func, object]:
    """A core function that calls Python.

    `params` and `results` have a letter a value: ``i`` i32, ``l`` i64, ``f`` f32, ``d`` f64. `callback` reads the
    arguments from its slots (value `n` is 64-bit item ``2 * n``; the upper half of a 32-bit value is not defined),
    leaves its results there and must not raise. The second item of the pair must live as long as the store.
    """
    type_ = wasmtime.FuncType([_VALTYPES[c]() for c in params], [_VALTYPES[c]() for c in results])
    if isinstance(callback, FunctionType):
        callback.__code__ = _begun_without_signals(callback.__code__)
    native = _callback_type(callback)
    raw = ffi.wasmtime_func_t()
    ffi.wasmtime_func_new_unchecked(
        store._context(),
        type_.ptr(),
        ctypes.cast(native, ffi.wasmtime_func_unchecked_callback_t),
        None,
        _no_finalizer,
        ctypes.byref(raw),
    )
    return wasmtime.Func._from_raw(raw), native


@functools.cache
def _begun_without_signals(code: CodeType) -> CodeType:
    """A function's code so that no signal handler runs before its first statement.

    CPython runs the handlers of signals where a function begins, outside every ``try`` of it. What one raises there,
    as Ctrl-C does, would end in ctypes, which prints it and gives the engine an address that nobody has set. Where a
    function goes on after ``yield from`` (``RESUME 2``) it runs none; they come with the next call inside the ``try``.
    """
    instructions = bytearray(code.co_code)
    for at in range(0, len(instructions), 2):
        if instructions[at] == opmap["RESUME"]:
            instructions[at + 1] = 2
            return code.replace(co_code=bytes(instructions))
    return code


def signature(store: wasmtime.Store, function: wasmtime.Func) -> tuple[str, str]:
    """Parameters and results of a core function in the letters of `host_function`; ``?`` for any other type."""
    type_ = function.type(store)
    return _letters(type_.params), _letters(type_.results)


def _letters(types: Sequence[wasmtime.ValType]) -> str:
    return "".join({"i32": "i", "i64": "l", "f32": "f", "f64": "d"}.get(str(type_), "?") for type_ in types)

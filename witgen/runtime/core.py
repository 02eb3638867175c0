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
from collections.abc import Callable, Iterator, Mapping
from opcode import opmap
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any, TypeVar

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime._extern import wrap_extern
from wasmtime._trap import FrameList

from witgen.runtime.claims import Claim
from witgen.runtime.errors import Trap

__all__ = [
    "DEEP",
    "SLOT",
    "CoreExports",
    "CoreFunction",
    "Engine",
    "HostCallback",
    "Slots",
    "Store",
    "ascii_region",
    "fingerprint",
    "host_function",
    "memory_region",
    "new_engine",
    "on_epoch",
    "raw_function",
    "room",
    "room_below",
    "signature",
    "trap_of",
]

#: Bytes between the slots of an argument array (the size of ``wasmtime_val_raw_t``).
SLOT = 16

_VALTYPES: dict[str, Callable[[], wasmtime.ValType]] = {
    "i": wasmtime.ValType.i32,
    "l": wasmtime.ValType.i64,
    "f": wasmtime.ValType.f32,
    "d": wasmtime.ValType.f64,
}

_KINDS: dict[Any, str] = {
    ffi.WASM_I32.value: "i",
    ffi.WASM_I64.value: "l",
    ffi.WASM_F32.value: "f",
    ffi.WASM_F64.value: "d",
}

# A second handle of the library that wasmtime-py has loaded, so that its own prototypes stay as they are.
_library = ctypes.CDLL(ffi.dll._name)
_call_unchecked = _library.wasmtime_func_call_unchecked
_call_unchecked.restype = ctypes.c_size_t
_error_new = _library.wasmtime_error_new
_error_new.restype = ctypes.c_size_t
_error_new.argtypes = [ctypes.c_char_p]

_view_from_memory = ctypes.pythonapi.PyMemoryView_FromMemory
_view_from_memory.restype = ctypes.py_object
_view_from_memory.argtypes = [ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_int]
_PYBUF_READ = 0x100
_PYBUF_WRITE = 0x200
_utf8_of = ctypes.pythonapi.PyUnicode_AsUTF8AndSize
_utf8_of.restype = ctypes.c_void_p
_utf8_of.argtypes = [ctypes.py_object, ctypes.POINTER(ctypes.c_ssize_t)]

#: What serves a core function: it is given the address of the slots (`Slots` shows what lies there), and may raise.
HostCallback = Callable[[int], None]
# What a host function looks like to the engine: environment, caller, slots, their number; gives a trap or 0.
_callback_type = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t)
_finalizer_type = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_no_finalizer = _finalizer_type()

#: What is asked when an epoch has ended: context, environment, epochs to go on for, how; gives an error or 0.
_epoch_callback_type = ctypes.CFUNCTYPE(
    ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(ctypes.c_uint64), ctypes.POINTER(ctypes.c_uint8)
)
_set_epoch_callback = _library.wasmtime_store_epoch_deadline_callback
_set_epoch_callback.restype = None
_set_epoch_callback.argtypes = [ctypes.c_void_p, _epoch_callback_type, ctypes.c_void_p, ctypes.c_void_p]

Native = TypeVar("Native", bound=Callable[..., int])

_MESSAGE = b"host code raised an exception"


def _without_end(make: str, *args: Any) -> Iterator[int]:
    """What a function of the library makes of the same arguments, again and again, with as few calls as can be."""
    function = _library[make]
    function.restype = ctypes.c_size_t
    return iter(functools.partial(function, *args), None)


# New traps, and errors, for the engine to take over. That they are iterators has its reason in `_entered_by_engine`.
_traps = _without_end("wasmtime_trap_new", ctypes.c_char_p(_MESSAGE), ctypes.c_size_t(len(_MESSAGE)))
_errors = _without_end("wasmtime_error_new", ctypes.c_char_p(_MESSAGE))

#: The smallest module.
_EMPTY_MODULE = b"\0asm\1\0\0\0"


class Engine(wasmtime.Engine):
    """An engine that knows what its code was compiled for: to be stopped from outside, and to count fuel."""

    def __init__(self, config: wasmtime.Config, *, interruptible: bool, fuel: bool) -> None:
        super().__init__(config)
        self.interruptible = interruptible
        self.counts_fuel = fuel


def new_engine(config: wasmtime.Config | None = None, *, interruptible: bool = True, fuel: bool = False) -> Engine:
    """An engine on which adapters can run: linear memories never move, so that a view of one stays valid.

    Code that is compiled on an `interruptible` engine can be stopped, by a limit of time or by the host; on one with
    `fuel` it counts its steps, which `Limits.fuel` needs. Both cost a little wherever the code loops or calls, and both
    decide over the same settings of `config`.
    """
    config = config or wasmtime.Config()
    config.memory_may_move = False
    config.epoch_interruption = interruptible
    config.consume_fuel = fuel
    return Engine(config, interruptible=interruptible, fuel=fuel)


class Store(wasmtime.Store):
    """A store with the claim of whoever runs code in it, which nobody gets any more once it is closed.

    `pending` is what host code has raised that the guest had called, until the guest is unwound.

    Where a store is garbage together with what uses it, the collector may close it first; what the others do then when
    they are finalized must not reach it.
    """

    def __init__(self, engine: wasmtime.Engine) -> None:
        self.claim = Claim()
        self.closed = False
        self.pending: BaseException | None = None
        #: What has to live as long as the store.
        self.keep: list[object] = []
        super().__init__(engine)

    def close(self) -> None:
        """Frees the store."""
        self.closed = True
        self.claim.try_take()
        super().close()


def fingerprint(engine: wasmtime.Engine) -> bytes:
    """What decides, beside the bytes of a module, how this engine compiles it: settings, processor, wasmtime's build.

    wasmtime writes all of that but the build into what it compiles, even if that is nothing.
    """
    library = Path(ffi.dll._name).stat()
    build = b"%d %d " % (library.st_size, library.st_mtime_ns)
    return build + bytes(wasmtime.Module(engine, _EMPTY_MODULE).serialize())


def on_epoch(store: Store, ask: Callable[[], str | None]) -> None:
    """Has `ask` asked, in the thread that runs the guest, when code of the store meets the end of an epoch.

    The code goes on where `ask` gives None, and ends with an error of that text where it gives one, or where something
    is raised, which is then ``store.pending``.
    """

    @_entered_by_engine
    def call(_context: int | None, _env: int | None, delta: Any, _kind: Any) -> int:
        try:
            reason = ask()
            if reason is not None:
                failure: int = _error_new(reason.encode(errors="replace"))
                return failure
            delta[0] = 1
        except BaseException as error:
            if store.pending is None:
                store.pending = error
            for failure in _errors:
                return failure
        return 0

    native = _epoch_callback_type(call)
    _set_epoch_callback(store.ptr(), native, None, None)
    store.keep.append(native)
    store.set_epoch_deadline(1)


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


class CoreExports(Mapping[str, Any]):
    """What a core instance exports, each looked up when it is asked for.

    wasmtime lists exports in a time that grows with the square of their number, and a linked library has thousands of
    which a component uses a few.
    """

    def __init__(self, store: wasmtime.Store, module: wasmtime.Module, instance: wasmtime.Instance) -> None:
        self._store = store
        self._module = module
        self._instance = instance
        self._found: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        found = self._found.get(name)
        if found is None:
            item = ffi.wasmtime_extern_t()
            raw = name.encode()
            context, instance = self._store._context(), ctypes.byref(self._instance._instance)
            if not ffi.wasmtime_instance_export_get(context, instance, raw, len(raw), ctypes.byref(item)):
                raise KeyError(name)
            found = self._found[name] = wrap_extern(item)
        return found

    def __iter__(self) -> Iterator[str]:
        return (item.name for item in self._module.exports)

    def __len__(self) -> int:
        return len(self._module.exports)


def ascii_region(text: str) -> memoryview:
    """The bytes of a string of ASCII characters where the interpreter has them. Valid as long as the string."""
    size = ctypes.c_ssize_t()
    address = _utf8_of(text, ctypes.byref(size))
    view: memoryview = _view_from_memory(address, size.value, _PYBUF_READ)
    return view


class Slots(dict[int, Any]):
    """The slots that a host function is given, by their address: ``slots[address]`` is a view of them.

    They lie on the engine's stack, so that the same addresses come again and again; each view is made once, which is
    a good deal faster than to have ctypes make a pointer for each call. A view may be used only while the callback runs
    that was given its address. Its items are those of `CoreFunction`'s views: value `n` is item ``4 * n`` where the
    format is of 32 bits, ``2 * n`` where it is of 64. Only ``B`` shows what lies between.
    """

    __slots__ = ("_format", "_size")

    #: How many addresses are remembered, whatever a guest does with its stack.
    MOST = 256

    def __init__(self, format_: str, count: int) -> None:
        """Views of `count` slots with items of a ``struct`` format."""
        self._format = format_
        self._size = SLOT * count

    def __missing__(self, address: int) -> Any:
        if len(self) >= self.MOST:
            self.clear()
        view = _view_from_memory(address, self._size, _PYBUF_WRITE).cast(self._format)
        self[address] = view
        return view


class CoreFunction:
    """A core function ready to be called: write arguments into the views, call `call`, read results from them.

    The views `u32`, `i32`, `u64`, `i64`, `f32`, `f64` show the same slots; value `n` is item ``4 * n`` of the 32-bit
    views and ``2 * n`` of the 64-bit ones. `call` and ``trap[0]`` are both 0 after a call that went well; otherwise
    `failure` makes an exception of them. ``invoke(*args)`` is what `call` does, and faster, where there is `room`.
    """

    __slots__ = (
        "_keep",
        "args",
        "buffer",
        "f32",
        "f64",
        "i32",
        "i64",
        "invoke",
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
        self.args = (
            ctypes.c_void_p(context_address(store)),
            ctypes.c_void_p(ctypes.addressof(function._func)),
            ctypes.c_void_p(address),
            ctypes.c_size_t(slots),
            ctypes.c_void_p(address + SLOT * max(slots, 1)),
        )
        self.invoke: Callable[..., int] = _call_unchecked
        self._keep = (array, function, store)

    def call(self) -> int:
        """Calls the function. Raises RecursionError if there is no `room` for it."""
        room()
        return self.invoke(*self.args)

    def failure(self, error: int) -> Trap:
        """The exception for a call that gave `error` or left a trap."""
        trap, self.trap[0] = self.trap[0], 0
        if trap:
            pointer = ctypes.cast(trap, ctypes.POINTER(ffi.wasm_trap_t))
            return trap_of(wasmtime.Trap._from_ptr(pointer))
        failure = ctypes.cast(error, ctypes.POINTER(ffi.wasmtime_error_t))
        return trap_of(wasmtime.WasmtimeError._from_ptr(failure))


def trap_of(found: wasmtime.Trap | wasmtime.WasmtimeError) -> Trap:
    """The exception for what the engine says."""
    frames = found.frames if isinstance(found, wasmtime.Trap) else _frames(found)
    names = [f"{frame.module_name or 'module'}!{frame.func_name or frame.func_index}" for frame in frames]
    return Trap(_reason(str(found)), frames=names)


def _frames(error: wasmtime.WasmtimeError) -> list[wasmtime.Frame]:
    """Where the guest was at an error, as `wasmtime.Trap.frames`."""
    frames = FrameList(error)
    ffi.wasmtime_error_wasm_trace(error.ptr(), ctypes.byref(frames.vec))
    return [wasmtime.Frame._from_ptr(frames.vec.data[i], frames) for i in range(frames.vec.size)]


def _reason(message: str) -> str:
    """The line of an engine message that says why, without the backtrace above it."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    causes = [line for line in lines if line.startswith("wasm trap:")]
    reason = causes[-1] if causes else lines[-1] if lines else "trap"
    return reason.removeprefix("wasm trap:").strip()


def room() -> None:
    """Makes sure that the engine can call a host function from here, which has to fail in an orderly way if it fails.

    Raises RecursionError if the interpreter would refuse to enter it. Must come before every call into a guest.
    """
    # Frames of Python: one, as the host function is. Calls in C: more than lie between, and than it makes to fail.
    isinstance(None, DEEP)


def room_below(frames: int) -> None:
    """As `room`, for a call into a guest that is so many frames deeper."""
    room_below(frames - 1) if frames else room()


#: Classes whose ``isinstance`` is as deep for the interpreter as this many calls in C, and faster.
DEEP: Any = ((((int,),),),)


def _entered_by_engine(function: Native) -> Native:
    """A function that the engine calls through ctypes, which must not raise: nobody would be there to take it.

    ctypes would print it and give the engine an address that nobody has set. The body of such a function is one ``try``
    that keeps what was raised. Three things it can't catch:

    - CPython runs the handlers of signals where a function begins, outside every ``try`` of it, and what one raises
      there, as Ctrl-C does, would end in ctypes. Where a function goes on after ``yield from`` (``RESUME 2``) it runs
      none; they come with the next call inside the ``try``. The code is changed to begin so.
    - It runs them after each call, too. Where the ``try`` has ended there must be none: a new trap is taken from an
      iterator by ``for``.
    - The function may not be entered at all where there is no `room`.
    """
    assert isinstance(function, FunctionType)
    function.__code__ = _begun_without_signals(function.__code__)
    return function


@functools.cache
def _begun_without_signals(code: CodeType) -> CodeType:
    instructions = bytearray(code.co_code)
    at = instructions.index(opmap["RESUME"])
    while at % 2:
        at = instructions.index(opmap["RESUME"], at + 1)
    instructions[at + 1] = 2
    return code.replace(co_code=bytes(instructions))


def host_function(store: Store, params: str, results: str, callback: HostCallback) -> tuple[wasmtime.Func, object]:
    """A core function that calls Python.

    `params` and `results` have a letter a value: ``i`` i32, ``l`` i64, ``f`` f32, ``d`` f64. `callback` reads the
    arguments from its slots (`Slots`; the upper half of a 32-bit value is not defined) and leaves its results there.
    What it raises is ``store.pending`` when the guest has trapped for it. The second item of the pair must live as long
    as the store.
    """

    @_entered_by_engine
    def call(_env: int | None, _caller: int | None, address: int, _count: int) -> int:
        try:
            callback(address)
        except BaseException as error:
            if store.pending is None:
                store.pending = error
            for trap in _traps:
                return trap
        return 0

    return raw_function(store, params, results, call)


def raw_function(
    store: wasmtime.Store, params: str, results: str, callback: Callable[[int | None, int | None, int, int], int]
) -> tuple[wasmtime.Func, object]:
    """As `host_function`, with nothing in between: `callback` gives a trap or 0, and must not raise."""
    type_ = wasmtime.FuncType([_VALTYPES[c]() for c in params], [_VALTYPES[c]() for c in results])
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


def signature(store: wasmtime.Store, function: wasmtime.Func) -> tuple[str, str]:
    """Parameters and results of a core function in the letters of `host_function`; ``?`` for any other type."""
    type_ = ffi.wasmtime_func_type(store._context(), ctypes.byref(function._func))
    try:
        return _letters(ffi.wasm_functype_params(type_)), _letters(ffi.wasm_functype_results(type_))
    finally:
        ffi.wasm_functype_delete(type_)


def _letters(types: Any) -> str:
    """The letters for a pointer to a vector of value types."""
    vector = types.contents
    items = vector.data
    return "".join(_KINDS.get(ffi.wasm_valtype_kind(items[i]), "?") for i in range(vector.size))

"""Calls from one component instance to another inside a component: ``canon lower`` of what ``canon lift`` made.

`Signature` is a function's type as codecs and core types. `fuse` makes what carries calls: it takes the arguments from
the caller, gives them to the callee, calls it, and takes and gives the result the other way, in the order of
`CanonicalABI.md`, "canon lift" and "canon lower". It knows two contexts and a core function, not how they came about.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from witgen.abi import MAX_FLAT_PARAMS, MAX_FLAT_RESULTS, align_to
from witgen.binary import entities, model
from witgen.runtime.codec import Codec
from witgen.runtime.codecs import Codecs
from witgen.runtime.context import Context
from witgen.runtime.core import SLOT, CoreFunction, HostCallback, Slots
from witgen.runtime.errors import Trap, UnsupportedComponent

__all__ = ["Signature", "fuse", "signature_of"]


@dataclass(frozen=True, slots=True)
class Signature:
    """The type of a function: codecs of its parameters and result, and its core types in the letters of `core`.

    `lifted` and `lowered` are (parameters, results) of a core function that is lifted, and of one that was lowered.
    `size` and `align` are those of all parameters in memory, at `offsets`; 0 where they go as core values.
    """

    params: tuple[Codec, ...]
    result: Codec | None
    lifted: tuple[str, str]
    lowered: tuple[str, str]
    offsets: tuple[int, ...]
    size: int
    align: int

    @property
    def indirect_result(self) -> bool:
        """Whether the result lies in memory."""
        return self.result is not None and len(self.result.flat) > MAX_FLAT_RESULTS


def signature_of(codecs: Codecs, node: entities.Node) -> Signature:
    """The signature of a function type. Raises `UnsupportedComponent` for what codecs can't carry."""
    defined = entities.bare(node)
    assert isinstance(defined, entities.Defined) and isinstance(defined.type, model.FuncType)
    if defined.type.is_async:
        raise UnsupportedComponent("the component calls async functions between components")
    params = tuple(codecs.optional(param.type, defined.scope) for param in defined.type.params)
    assert None not in params, "a parameter has a type"
    return _signature([param for param in params if param], codecs.optional(defined.type.result, defined.scope))


def _signature(params: Sequence[Codec], result: Codec | None) -> Signature:
    flat = "".join(param.flat for param in params)
    results = "" if result is None else result.flat
    offsets, size, align = [], 0, 1
    if len(flat) > MAX_FLAT_PARAMS:
        flat = "i"
        for param in params:
            offsets.append(align_to(size, param.align))
            size = offsets[-1] + param.size
            align = max(align, param.align)
    lifted = lowered = flat, results
    if len(results) > MAX_FLAT_RESULTS:
        lifted, lowered = (flat, "i"), (flat + "i", "")
    return Signature(tuple(params), result, lifted, lowered, tuple(offsets), align_to(size, align), align)


def fuse(
    signature: Signature, caller: Context, callee: Context, core: CoreFunction, post_return: CoreFunction | None
) -> HostCallback:
    """What a component instance calls that imports a function of another one; `core` is that function as it lies there.

    `caller` and `callee` are the contexts of ``canon lower`` and ``canon lift``.
    """
    if caller.state.is_related(callee.state):
        return _refuse
    if post_return is None and _is_same(signature):
        return _passing_on(signature, caller, core)
    return _Carrier(signature, caller, callee, core, post_return).call


def _is_same(signature: Signature) -> bool:
    """Whether the core values of a call are the same on both sides."""
    codecs = (*signature.params, *([] if signature.result is None else [signature.result]))
    return not signature.offsets and not signature.indirect_result and all(codec.same for codec in codecs)


def _refuse(_: int) -> None:
    raise Trap("a component calls one that it is in or that is in it, which might be recursive")


def _passing_on(signature: Signature, caller: Context, core: CoreFunction) -> HostCallback:
    """A call of numbers: nothing is looked at."""
    state, buffer, run, trap, results = caller.state, core.buffer, core.call, core.trap, core.u64
    params, results_at = signature.lowered[0], Slots("Q", 1)
    slots = Slots("B", len(params))
    size = SLOT * len(params)
    returns = signature.result is not None

    def call(a: int) -> None:
        if not state.may_leave:
            raise state.cannot_leave()
        if size:
            buffer[:size] = slots[a]
        if (failed := run()) or trap[0]:
            raise core.failure(failed)
        if returns:
            results_at[a][0] = results[0]

    return call


class _Carrier:
    """Calls whose arguments and results are taken apart and put together again."""

    __slots__ = ("_callee", "_caller", "_core", "_in", "_out", "_post_return", "_result_at", "_signature", "_slots")

    def __init__(
        self,
        signature: Signature,
        caller: Context,
        callee: Context,
        core: CoreFunction,
        post_return: CoreFunction | None,
    ) -> None:
        self._signature = signature
        self._caller = caller
        self._callee = callee
        self._core = core
        self._post_return = post_return
        self._slots = Slots("B", len(signature.lowered[0]))
        self._result_at = Slots("Q", 1)
        self._in = struct.Struct("<" + "Q8x" * len(signature.lowered[0]))
        self._out = struct.Struct("<" + "Q8x" * len(signature.lifted[0]))

    def call(self, a: int) -> None:
        """Carries a call (`HostCallback`)."""
        state = self._caller.state
        if not state.may_leave:
            raise state.cannot_leave()
        try:
            slots = self._in.unpack(self._slots[a]) if self._in.size else ()
            self._out.pack_into(self._core.buffer, 0, *self._give_params(self._take_params(slots)))
            self._run(self._core)
            self._carry_result(a, slots)
            self._end()
        except ValueError as error:
            # More bytes than a component takes at once.
            raise Trap(str(error)) from None

    def _carry_result(self, a: int, slots: Sequence[int]) -> None:
        """The result, taken from the callee, which has nothing borrowed any more, and given to the caller."""
        signature, caller, callee, core = self._signature, self._caller, self._callee, self._core
        result = signature.result
        if result is None:
            callee.handles.end_call()
        elif signature.indirect_result:
            value = result.load(callee, callee.check(core.u32[0], result.size, result.align))
            callee.handles.end_call()
            target = caller.check(slots[-1] & 0xFFFFFFFF, result.size, result.align)
            result.store(caller, value, target)
        else:
            value = result.lift(callee, (core.u64[0],), 0)
            callee.handles.end_call()
            lowered = [0]
            result.lower(caller, value, lowered, 0)
            self._result_at[a][0] = lowered[0]

    def _take_params(self, slots: Sequence[int]) -> list[Any]:
        """The arguments, taken from the caller."""
        signature, caller = self._signature, self._caller
        if signature.offsets:
            base = caller.check(slots[0] & 0xFFFFFFFF, signature.size, signature.align)
            values = [
                param.load(caller, base + at) for param, at in zip(signature.params, signature.offsets, strict=True)
            ]
        else:
            values, at = [], 0
            for param in signature.params:
                values.append(param.lift(caller, slots, at))
                at += len(param.flat)
        caller.handles.lent.clear()
        return values

    def _give_params(self, values: list[Any]) -> list[int]:
        """The arguments, given to the callee: its core arguments."""
        signature, callee = self._signature, self._callee
        if signature.offsets:
            base = callee.allocate(signature.size, signature.align)
            for param, at, value in zip(signature.params, signature.offsets, values, strict=True):
                param.store(callee, value, base + at)
            return [base]
        slots = [0] * len(signature.lifted[0])
        at = 0
        for param, value in zip(signature.params, values, strict=True):
            param.lower(callee, value, slots, at)
            at += len(param.flat)
        return slots

    @staticmethod
    def _run(core: CoreFunction) -> None:
        error = core.call()
        if error or core.trap[0]:
            raise core.failure(error)

    def _end(self) -> None:
        """Lets the callee free what it returned."""
        post = self._post_return
        if post is not None:
            post.u64[0] = self._core.u64[0]
            self._callee.state.may_leave = False
            self._run(post)
            self._callee.state.may_leave = True

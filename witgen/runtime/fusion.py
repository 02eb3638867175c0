"""Calls from one component instance to another inside a component: ``canon lower`` of what ``canon lift`` made.

`Signature` is a function's type as codecs and core types. `Fused` carries a call: it takes the arguments from the
caller, gives them to the callee, calls it, and takes and gives the result the other way, in the order of
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
from witgen.runtime.core import SLOT, CoreFunction, string_at
from witgen.runtime.errors import Trap, UnsupportedComponent

__all__ = ["Fused", "Signature", "signature_of"]


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


class Fused:
    """A function of one component instance as another one calls it.

    `call` is the host callback of the core function that the caller imports.
    """

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
        self._recursive = caller.state.is_related(callee.state)
        params, results = signature.lowered
        self._in = struct.Struct("<" + "Q8x" * len(params))
        self._out = struct.Struct("<" + "Q8x" * len(signature.lifted[0]))
        #: All arguments at once where they are what they were.
        self._copied = SLOT * len(params)
        result = signature.result
        self._same = (
            not signature.offsets
            and all(param.same for param in signature.params)
            and (result is None or (result.same and bool(results)))
        )

    def call(self, _env: int | None, _caller: int | None, a: Any, _n: int) -> int:
        """Carries a call; gives a trap or 0 (`HostCallback`)."""
        caller = self._caller
        if not caller.state.may_leave:
            return caller.fail(caller.state.cannot_leave())
        try:
            if self._recursive:
                raise Trap("a component calls one that it is in or that is in it, which might be recursive")
            if self._same:
                self._pass_on(a)
            else:
                self._carry(a)
        except ValueError as error:
            # More bytes than a component takes at once.
            return caller.fail(Trap(str(error)))
        except BaseException as error:
            return caller.fail(error)
        return 0

    def _pass_on(self, a: Any) -> None:
        """A call whose arguments and result are the same on both sides."""
        core, size = self._core, self._copied
        core.buffer[:size] = string_at(a, size)
        self._run()
        if self._signature.result is not None:
            a[0] = core.u64[0]
        self._end()

    def _carry(self, a: Any) -> None:
        signature, caller, callee, core = self._signature, self._caller, self._callee, self._core
        slots = self._in.unpack(string_at(a, self._copied))
        core_slots = self._give_params(self._take_params(slots))
        self._out.pack_into(core.buffer, 0, *core_slots)
        self._run()
        result = signature.result
        if result is None:
            callee.handles.end_call()
        elif signature.indirect_result:
            pointer = callee.check(core.u32[0], result.size, result.align)
            value = result.load(callee, pointer)
            callee.handles.end_call()
            target = caller.check(slots[-1] & 0xFFFFFFFF, result.size, result.align)
            result.store(caller, value, target)
        else:
            value = result.lift(callee, (core.u64[0],), 0)
            callee.handles.end_call()
            lowered = [0]
            result.lower(caller, value, lowered, 0)
            a[0] = lowered[0]
        self._end()

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

    def _run(self) -> None:
        core = self._core
        error = core.call()
        if error or core.trap[0]:
            raise core.failure(error)

    def _end(self) -> None:
        """Lets the callee free what it returned."""
        post = self._post_return
        if post is not None:
            post.u64[0] = self._core.u64[0]
            self._callee.state.may_leave = False
            error = post.call()
            if error or post.trap[0]:
                raise post.failure(error)
            self._callee.state.may_leave = True

"""Functions of a contract as Python code: bodies that call exports, core functions that serve imports.

The order of a call is that of `CanonicalABI.md`, ``canon lift`` and ``canon lower``: claim the instance, lower the
arguments, call, lift the result, let the guest clean up, give the instance back. How a type is lifted or lowered is
`codec`'s.
"""

from __future__ import annotations

import re

from witgen import abi, ir
from witgen.emit.python.annotations import Annotations
from witgen.emit.python.code import Block, Slot
from witgen.emit.python.codec import Codec, core_scalar
from witgen.emit.python.naming import local_name
from witgen.resolve.kinds import references

__all__ = ["Functions", "core_letters"]

_LETTERS = {abi.Core.I32: "i", abi.Core.I64: "l", abi.Core.F32: "f", abi.Core.F64: "d"}
_SLOT = 16
#: Views of a `LiftedFunction` for a ``struct`` letter, and the items of the view to a slot.
_VIEWS = {"I": ("u32", 4), "i": ("i32", 4), "Q": ("u64", 2), "q": ("i64", 2), "f": ("f32", 4), "d": ("f64", 2)}
_RESULT_LETTERS = {abi.Core.I32: "I", abi.Core.I64: "Q", abi.Core.F32: "f", abi.Core.F64: "d"}
#: Up to so many scalars are written one by one; more are packed in one step.
_FEW = 3
#: The views through which host functions give results back, where that is not the one of the core type.
_RESULT_VIEWS = {"f": "u32", "q": "i64", "b": "i32", "h": "i32", "i": "i32"}
_USES_CONTEXT = re.compile(r"\bcx\b")


def core_letters(types: tuple[abi.Core, ...]) -> str:
    """Core types in the letters by which the runtime names them."""
    return "".join(_LETTERS[core] for core in types)


class Functions:
    """Writes the functions of one world."""

    def __init__(self, codec: Codec, annotations: Annotations, exceptions: dict[ir.Type, str]) -> None:
        self.codec = codec
        self.annotations = annotations
        self._resolve = annotations.resolve
        #: The exception class of an error type; `rt.Err` serves for the others.
        self._exceptions = exceptions

    def exception(self, type_: ir.Type | None) -> str:
        """The class that is raised for an ``err`` of this type."""
        return "rt.Err" if type_ is None else self._exceptions.get(self._resolve.dealias(type_), "rt.Err")

    def raised(self, function: ir.Function) -> str:
        """The class that a function raises where its result is an error; nothing where it can't be one."""
        outcome = self.outcome(function)
        return self.exception(outcome.err) if outcome else ""

    def outcome(self, function: ir.Function) -> ir.Result | None:
        """The ``result`` that a function returns or raises, if its result is one."""
        if function.result is None:
            return None
        kind = self._resolve.kind(function.result)
        return kind if isinstance(kind, ir.Result) else None

    def returns(self, function: ir.Function) -> str:
        """The annotation of what a function gives back when it does not raise."""
        outcome = self.outcome(function)
        return self.annotations.of(outcome.ok if outcome else function.result)

    def returned(self, function: ir.Function) -> str:
        """The annotation of what host code may return for an import."""
        outcome = self.outcome(function)
        return self.annotations.given(outcome.ok if outcome else function.result)

    def parameters(self, function: ir.Function, *, exported: bool) -> str:
        """The parameters, annotated, ``self`` first; a method's handle is that ``self``."""
        annotate = self.annotations.given if exported else self.annotations.of
        params = function.params[1:] if function.kind is ir.FunctionKind.METHOD else function.params
        return ", ".join(["self", *(f"{local_name(p.name)}: {annotate(p.type)}" for p in params)])

    # Exports

    def export_body(self, function: ir.Function, target: str) -> list[str]:
        """The body of a method that calls an export; `target` is the expression of its `LiftedFunction`."""
        block = Block()
        block.add(f"f: rt.LiftedFunction = {target}")
        with block.indented("try:"):
            block.add("f.enter()")
        with block.indented("except IndexError:"):
            block.add("raise f.refused() from None")
        lowering, lifting = block.child(), block.child()
        self._lower_arguments(function, lowering)
        after = self._lift_result(function, lifting)
        if any(_USES_CONTEXT.search(line) for line in lowering.lines + lifting.lines + after):
            block.add("cx = f.cx")
        gives = any(self._holds(param.type, ir.Own, host=False) for param in function.params)
        if gives:
            block.add("cx.given.clear()")
        if lowering.lines:
            self._guarded(block, lowering, f"raise f.not_lowered(error{', cx.given' if gives else ''}) from None")
        with block.indented("if (failed := f.invoke(*f.args)) or f.trap[0]:"):
            block.add("raise f.trapped(failed)")
        if self._is_plain(function):
            block.add(*lifting.lines)
        elif lifting.lines:
            self._guarded(block, lifting, "raise f.not_lifted(error) from None")
        block.add("f.finish(None)", *after)
        return block.lines

    @staticmethod
    def _guarded(block: Block, inner: Block, otherwise: str) -> None:
        with block.indented("try:"):
            block.add(*inner.lines)
        with block.indented("except BaseException as error:"):
            block.add(otherwise)

    def _lower_arguments(self, function: ir.Function, block: Block) -> None:
        method = function.kind is ir.FunctionKind.METHOD
        names = ["self" if method and not i else local_name(p.name) for i, p in enumerate(function.params)]
        types = [param.type for param in function.params]
        if self.codec.abi.signature(function, lowered=False).indirect_params:
            self.codec.store_parameters(types, names, block)
            flat = [("I", "p")]
        else:
            flat = []
            for type_, name in zip(types, names, strict=True):
                items = self.codec.lower(type_, name, block)
                if isinstance(self._resolve.kind(type_), ir.Own):
                    # Given before anything is lent: what is given away can't be lent in the same call.
                    name = block.fresh()
                    block.add(f"{name} = {items[0][1]}")
                    items = [(items[0][0], name)]
                flat += items
        # A view would make infinity of what is too large for an f32.
        if len(flat) <= _FEW and all(letter in _VIEWS and letter != "f" for letter, _ in flat):
            for slot, (letter, code) in enumerate(flat):
                view, stride = _VIEWS[letter]
                block.add(f"f.{view}[{slot * stride}] = {code}")
        elif flat:
            slots = [Slot(_SLOT * i, letter, code) for i, (letter, code) in enumerate(flat)]
            values = ", ".join(slot.code for slot in slots)
            # To the end of the last slot, for what is narrower than a core value is one here.
            block.add(f"{self.codec.struct(slots, _SLOT * len(slots))}.pack_into(f.buffer, 0, {values})")

    def _is_plain(self, function: ir.Function) -> bool:
        """Whether lifting the result can't fail: nothing is returned, or a number or boolean."""
        if self._lends(function):
            return False
        if function.result is None:
            return True
        type_ = self._resolve.dealias(function.result)
        return isinstance(type_, ir.Primitive) and type_ not in (ir.Primitive.STRING, ir.Primitive.CHAR)

    def _lends(self, function: ir.Function) -> bool:
        """Whether the guest may borrow something of the host in this call."""
        return any(self._holds(param.type, ir.Borrow, host=True) for param in function.params)

    def _holds(self, type_: ir.Type, handle: type[ir.Own] | type[ir.Borrow], *, host: bool) -> bool:
        """Whether there can be such handles in a value, of resources that the host, or the guest, implements."""
        kind = self._resolve.kind(type_)
        match kind:
            case ir.Own(resource) | ir.Borrow(resource):
                found = self._resolve.dealias(resource)
                assert not isinstance(found, ir.Primitive)
                return isinstance(kind, handle) and self.annotations.resource(found).host is host
            case ir.Primitive():
                return False
            case _:
                return any(self._holds(part, handle, host=host) for part in references(kind))

    def _lift_result(self, function: ir.Function, block: Block) -> list[str]:
        """Adds the lifting of the result; gives the lines that return it after the call has ended."""
        after: list[str] = []
        if function.result is not None:
            outcome = self.outcome(function)
            signature = self.codec.abi.signature(function, lowered=False)
            if signature.indirect_result:
                block.add("p = f.u32[0]")
                self.codec.check(
                    block, "p", str(self.codec.abi.size(function.result)), self.codec.abi.align(function.result)
                )
            if outcome is not None:
                after = self._lift_outcome(outcome, signature.indirect_result, block)
            elif signature.indirect_result:
                value = self.codec.load(function.result, block)
                block.add(f"result: {self.annotations.of(function.result)} = {value}")
                after = ["return result"]
            else:
                letter = _RESULT_LETTERS[signature.results[0]]
                view, _ = _VIEWS[letter]
                if self._resolve.dealias(function.result) in (ir.Primitive.S32, ir.Primitive.S64):
                    view = view.replace("u", "i")
                    block.add(f"result: int = f.{view}[0]")
                else:
                    value = self.codec.lift(function.result, [(letter, f"f.{view}[0]")])
                    block.add(f"result: {self.annotations.of(function.result)} = {value}")
                after = ["return result"]
        if self._lends(function):
            block.add("cx.handles.end_call()")
        return after

    def _lift_outcome(self, outcome: ir.Result, indirect: bool, block: Block) -> list[str]:
        exception = self.exception(outcome.err)
        error_type = f"rt.Err[{self.annotations.of(outcome.err)}]" if exception == "rt.Err" else exception
        wraps = exception == "rt.Err" and outcome.ok is not None and self._may_be_err(outcome.ok)
        ok_type = self.annotations.of(outcome.ok)
        offset = self.codec.abi.variant_layout((outcome.ok, outcome.err)).payload_offset
        block.add("tag = cx.view[p]" if indirect else "tag = f.u32[0]")
        with block.indented("if tag == 0:"):
            value = "None" if outcome.ok is None else self.codec.load(outcome.ok, block, "p", offset)
            if wraps:
                value, ok_type = f"rt.Ok({value})", f"rt.Ok[{ok_type}]"
            block.add(f"result: {ok_type} | {error_type} = {value}")
        with block.indented("elif tag == 1:"):
            value = "None" if outcome.err is None else self.codec.load(outcome.err, block, "p", offset)
            block.add(f"result = {exception}({value})")
        with block.indented("else:"):
            block.add("rt.bad_case(tag)")
        returned = [] if outcome.ok is None else ["return result.value" if wraps else "return result"]
        return [f"if isinstance(result, {exception}):", "    raise result", *returned]

    def _may_be_err(self, type_: ir.Type) -> bool:
        """Whether a value can be an `Err` itself, as those of ``option<result>`` can."""
        kind = self._resolve.kind(type_)
        if isinstance(kind, ir.Option) and not isinstance(self._resolve.kind(kind.type), ir.Option):
            kind = self._resolve.kind(kind.type)
        return isinstance(kind, ir.Result)

    # Imports

    def import_function(self, name: str, function: ir.Function, host_type: str, target: str, shown: str) -> list[str]:
        """A function that makes the core function of an import.

        `name` is what it is called, `host_type` the class of the object that serves the interface, `target` the
        expression that is called; of a method, the method's name alone. `shown` is the literal of the function's full
        name, for errors.
        """
        block = Block()
        signature = self.codec.abi.signature(function, lowered=True)
        with block.indented(f"def {name}(cx: rt.Context, host: {host_type}) -> rt.HostCallback:"):
            views = self._slot_views(function, signature)
            count = max(len(signature.params), len(signature.results))
            block.add("state = cx.state")
            block.add(*(f'{view}_at = rt.Slots("{letter}", {count})' for view, letter in views.items()), "")
            with block.indented("def call(a: int) -> None:"):
                with block.indented("if not state.may_leave:"):
                    block.add("raise state.cannot_leave()")
                lifting = block.child()
                lifting.add(*(f"{view} = {view}_at[a]" for view in views))
                arguments = self._lift_arguments(function, signature, lifting)
                if lifting.lines:
                    self._guarded(block, lifting, "raise cx.not_taken(error) from None")
                if function.kind is ir.FunctionKind.METHOD:
                    call = f"{arguments[0]}.{target}({', '.join(arguments[1:])})"
                else:
                    call = f"{target}({', '.join(arguments)})"
                self._serve(function, signature, call, shown, block)
            block.add("return call")
        return block.lines

    def _slot_views(self, function: ir.Function, signature: abi.Signature) -> dict[str, str]:
        """The views of its slots that a host function uses, by the names of locals, with their formats."""
        letters = {view: letter for letter, (view, _) in _VIEWS.items()}
        if len(signature.params) > _FEW:
            views = {"raw": "B"}
        else:
            views = {view: letters[view] for core in signature.params for view, _ in [_VIEWS[_RESULT_LETTERS[core]]]}
        if signature.results:
            view = self._result_view(function, signature)
            views[view] = letters[view]
        return views

    def _result_view(self, function: ir.Function, signature: abi.Signature) -> str:
        """The view through which a host function gives its result back."""
        assert function.result is not None
        # The only scalar of the result, which may be the field of a record as well.
        ((letter, _),) = self.codec.lower(function.result, "value", Block())
        view, _ = _VIEWS[_RESULT_LETTERS[signature.results[0]]]
        return _RESULT_VIEWS.get(letter, view)

    def _lift_arguments(self, function: ir.Function, signature: abi.Signature, block: Block) -> list[str]:
        """Adds the lifting of the arguments; gives the local names of them."""
        types = [param.type for param in function.params]
        flat = self._flat_arguments(signature, block)
        if signature.indirect_params:
            values = self.codec.load_parameters(types, block)
        else:
            values = [self.codec.lift(type_, flat) for type_ in types]
        # What is owned is taken first: a borrow of the same resource, which that would end, is then no handle.
        order = sorted(range(len(types)), key=lambda at: not self._holds(types[at], ir.Own, host=True))
        names = {at: self._local(values[at], block) for at in order}
        return [names[at] for at in range(len(types))]

    @staticmethod
    def _local(value: str, block: Block) -> str:
        """A local name for the value of an expression, which is evaluated now."""
        if value.isidentifier():
            return value
        name = block.fresh()
        block.add(f"{name} = {value}")
        return name

    def _flat_arguments(self, signature: abi.Signature, block: Block) -> list[tuple[str, str]]:
        """Adds what reads the core arguments of a host function; gives the letter and name of each.

        The address of parameters in memory is ``p``, that of the region for the result, the last one, ``area``.
        """
        letters = [_RESULT_LETTERS[core] for core in signature.params]
        names = ["p" if signature.indirect_params else block.fresh() for _ in letters]
        if signature.indirect_result:
            names[-1] = "area"
        if len(letters) <= _FEW:
            for number, (letter, name) in enumerate(zip(letters, names, strict=True)):
                view, stride = _VIEWS[letter]
                block.add(f"{name} = {view}[{number * stride}]")
        else:
            slots = [Slot(_SLOT * i, *item) for i, item in enumerate(zip(letters, names, strict=True))]
            block.add(f"{', '.join(names)} = {self.codec.struct(slots)}.unpack_from(raw)")
        return list(zip(letters, names, strict=True))

    def _serve(self, function: ir.Function, signature: abi.Signature, call: str, shown: str, block: Block) -> None:
        """Adds the call of the host's code and what becomes of its result; errors name the function as `shown`."""
        outcome = self.outcome(function)
        returns = function.result is not None and (outcome is None or outcome.ok is not None)
        serving = f"value = {call}" if returns else call
        if outcome is None:
            block.add(serving)
        else:
            with block.indented("try:"):
                block.add(serving)
            with block.indented("except rt.Err:" if outcome.err is None else "except rt.Err as failure:"):
                self._outcome(function, signature, 1, outcome.err, shown, block)
            with block.indented("else:"):
                self._outcome(function, signature, 0, outcome.ok, shown, block)
        if outcome is None and function.result is not None:
            lowering = block.child()
            if signature.indirect_result:
                self._result_region(function.result, lowering)
                self.codec.store(function.result, "value", lowering, "area")
            else:
                self._direct_result(function, signature, lowering)
            self._guarded(block, lowering, f"raise cx.not_given(error, {shown}) from None")

    def _outcome(
        self,
        function: ir.Function,
        signature: abi.Signature,
        case: int,
        payload: ir.Type | None,
        shown: str,
        block: Block,
    ) -> None:
        """Adds what writes a case of a ``result``."""
        if not signature.indirect_result:
            block.add(f"u32[0] = {case}")
            return
        assert function.result is not None
        lowering = block.child()
        self._result_region(function.result, lowering)
        kind = self._resolve.kind(function.result)
        assert isinstance(kind, ir.Result)
        offset = self.codec.abi.variant_layout((kind.ok, kind.err)).payload_offset
        self.codec.store_case(case, payload, offset, "failure.value" if case else "value", lowering, "area")
        self._guarded(block, lowering, f"raise cx.not_given(error, {shown}) from None")

    def _result_region(self, result: ir.Type, block: Block) -> None:
        self.codec.check(block, "area", str(self.codec.abi.size(result)), self.codec.abi.align(result))

    def _direct_result(self, function: ir.Function, signature: abi.Signature, block: Block) -> None:
        assert function.result is not None
        ((letter, code),) = self.codec.lower(function.result, "value", block)
        block.add(f"{self._result_view(function, signature)}[0] = {core_scalar(letter, code)}")

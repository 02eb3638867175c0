"""Lifting and lowering as Python code: for each type, the statements that read or write it.

`Codec` writes code for four places: `load` and `store` for linear memory (`memory`), `lift` and `lower` for flat core
values, here. After `CanonicalABI.md`, sections "Lifting Flat Values" and "Lowering Flat Values".

Code written here assumes names: ``cx`` the `Context`, ``rt`` the runtime.
"""

from __future__ import annotations

from witgen import abi, ir
from witgen.emit.python.code import Block
from witgen.emit.python.memory import LETTERS, MemoryCode
from witgen.emit.python.parts import ZERO

__all__ = ["Codec", "core_scalar", "core_value"]

_P = ir.Primitive

_CORE_LETTERS = {abi.Core.I32: "I", abi.Core.I64: "Q", abi.Core.F32: "f", abi.Core.F64: "d"}


class Codec(MemoryCode):
    """Writes the code for the types of one world."""

    def lift(self, type_: ir.Type, values: list[tuple[str, str]]) -> str:
        """An expression for the value whose flat core values are next in `values`, each a (letter, expression).

        Letters are those of the core types, unsigned: ``I``, ``Q``, ``f``, ``d``. What is used is taken off the list.
        """
        type_ = self._resolve.dealias(type_)
        if isinstance(type_, ir.Primitive):
            if type_ is _P.STRING:
                return f"cx.string({values.pop(0)[1]}, {values.pop(0)[1]})"
            return _lifted_scalar(type_, values.pop(0)[1])
        kind = self._resolve.types[type_].kind
        match kind:
            case ir.List() | ir.Map():
                return self._lifted_list(type_, values.pop(0)[1], values.pop(0)[1])
            case ir.Own() | ir.Borrow():
                return self._lifted_handle(kind, values.pop(0)[1])
            case ir.Enum():
                return self._lifted_enum(type_, values.pop(0)[1])
            case ir.Flags(flags):
                return self._lifted_flags(type_, values.pop(0)[1] if flags else "0")
            case ir.Record() | ir.Tuple() | ir.FixedLengthList():
                return self._made_of(type_, [self.lift(part, values) for part in self._parts(kind)])
            case ir.Option(payload):
                tag = values.pop(0)[1]
                value = self._some(payload, self.lift(payload, values))
                return f"({value} if {tag} == 1 else None if {tag} == 0 else rt.bad_case({tag}))"
            case ir.Variant() | ir.Result():
                count = len(self.abi.flat(type_))
                arguments = ", ".join(values.pop(0)[1] for _ in range(count))
                return f"{self._lift_function(type_)}(cx, {arguments})"
            case _:
                raise AssertionError(kind)

    def _lift_function(self, type_: ir.TypeId) -> str:
        flat = self.abi.flat(type_)
        names = [f"a{i}" for i in range(len(flat))]
        annotated = [
            f"{n}: {'int' if c in (abi.Core.I32, abi.Core.I64) else 'float'}" for n, c in zip(names, flat, strict=True)
        ]

        def write(block: Block) -> None:
            for number, (_, payload, wrap) in enumerate(self._cases(type_)):
                with block.indented(f"if a0 == {number}:"):
                    if payload is None:
                        block.add(f"return {wrap('')}")
                        continue
                    values = [
                        (_CORE_LETTERS[own], _case_value(joined, own, name))
                        for own, joined, name in zip(self.abi.flat(payload), flat[1:], names[1:], strict=False)
                    ]
                    block.add(f"return {wrap(self.lift(payload, values))}")
            block.add("raise rt.bad_case(a0)")

        signature = f"cx: rt.Context, {', '.join(annotated)}) -> {self._annotations.of(type_)}"
        return self._helper("lift", type_, signature, write)

    def lower(self, type_: ir.Type, value: str, block: Block) -> list[tuple[str, str]]:
        """The flat core values of `value`, each a (``struct`` letter, expression); adds what must come before."""
        type_ = self._resolve.dealias(type_)
        if isinstance(type_, ir.Primitive):
            if type_ is _P.STRING:
                return self._lower_pair(f"cx.put_string({value})", block)
            return [_lowered_scalar(type_, value)]
        kind = self._resolve.types[type_].kind
        match kind:
            case ir.List() | ir.Map():
                return self._lower_pair(self._lowered_list(type_, value), block)
            case ir.Own() | ir.Borrow():
                return [("I", self._lowered_handle(kind, value))]
            case ir.Enum():
                return [("I", self._lowered_number(type_, value, block))]
            case ir.Flags(flags):
                return [("I", self._lowered_number(type_, value, block))] if flags else []
            case ir.Record() | ir.Tuple() | ir.FixedLengthList():
                values = self._taken_apart(kind, value, block)
                return [
                    item
                    for part, inner in zip(self._parts(kind), values, strict=True)
                    for item in self.lower(part, inner, block)
                ]
            case ir.Option(payload) if not self._has_functions(payload) and not self._nests(payload):
                return self._lower_option(payload, value, block)
            case ir.Variant() | ir.Result() | ir.Option():
                names = [block.fresh() for _ in self.abi.flat(type_)]
                targets = f"({names[0]},)" if len(names) == 1 else ", ".join(names)
                block.add(f"{targets} = {self._lower_function(type_)}(cx, {value})")
                letters = [_CORE_LETTERS[core] for core in self.abi.flat(type_)]
                return list(zip(letters, names, strict=True))
            case _:
                raise AssertionError(kind)

    def _lower_option(self, payload: ir.Type, value: str, block: Block) -> list[tuple[str, str]]:
        """The flat values of an option, put into variables by a branch where it stands."""
        value = self._named(value, block)
        present = block.child()
        flat = self.lower(payload, value, present)
        tag = block.fresh()
        names = [block.fresh() for _ in flat]
        with block.indented(f"if {value} is None:"):
            block.add(f"{tag} = 0")
            block.add(*(f"{name} = {ZERO.get(letter, '0')}" for name, (letter, _) in zip(names, flat, strict=True)))
        with block.indented("else:"):
            block.add(*present.lines, f"{tag} = 1")
            block.add(*(f"{name} = {code}" for name, (_, code) in zip(names, flat, strict=True)))
        return [("I", tag), *((letter, name) for name, (letter, _) in zip(names, flat, strict=True))]

    def _lower_pair(self, call: str, block: Block) -> list[tuple[str, str]]:
        pointer, length = block.fresh(), block.fresh()
        block.add(f"{pointer}, {length} = {call}")
        return [("I", pointer), ("I", length)]

    def _lower_function(self, type_: ir.TypeId) -> str:
        """The function that gives the flat values of a variant, option or result, payloads joined."""
        flat = self.abi.flat(type_)
        annotations = ["int" if core in (abi.Core.I32, abi.Core.I64) else "float" for core in flat]

        def write(block: Block) -> None:
            cases = self._cases(type_)
            for number, (test, payload, _) in enumerate(cases):
                with block.indented(f"if {test}:" if test else "else:"):
                    values = [str(number)]
                    if payload is not None:
                        own = self.lower(payload, self._payload_of(type_, payload), block)
                        values += [
                            core_value(letter, core, code) for (letter, code), core in zip(own, flat[1:], strict=False)
                        ]
                    values += [ZERO.get(_CORE_LETTERS[core], "0") for core in flat[len(values) :]]
                    block.add(f"return {', '.join(values)}" + ("," if len(values) == 1 else ""))
            if cases[-1][0]:
                block.add(f"raise rt.bad_type(v, {self._annotations.of(type_)!r})")

        signature = f"cx: rt.Context, v: {self._annotations.stored(type_)(type_)}) -> tuple[{', '.join(annotations)}]"
        return self._helper("lower", type_, signature, write)


def _lifted_scalar(type_: ir.Primitive, value: str) -> str:
    """The Python value of a scalar whose flat core value, unsigned, is `value`."""
    match type_:
        case _P.BOOL:
            return f"{value} != 0"
        case _P.U8:
            return f"{value} & 0xFF"
        case _P.U16:
            return f"{value} & 0xFFFF"
        case _P.S8 | _P.S16 | _P.S32 | _P.S64:
            return _signed(value, _WIDTHS[type_])
        case _P.CHAR:
            return f"rt.char({value})"
        case _:
            return value


def _signed(value: str, bits: int) -> str:
    """The low bits of an unsigned core value, as a signed number."""
    low = value if bits >= 32 else f"({value} & {(1 << bits) - 1:#x})"
    return f"({low} ^ {1 << bits - 1:#x}) - {1 << bits - 1:#x}"


_WIDTHS = {_P.S8: 8, _P.S16: 16, _P.S32: 32, _P.S64: 64}


def _lowered_scalar(type_: ir.Primitive, value: str) -> tuple[str, str]:
    """The letter and expression by which ``struct`` writes a scalar into a core value, sign-extended."""
    match type_:
        case _P.S8:
            return "i", f"rt.check_s8({value})"
        case _P.S16:
            return "i", f"rt.check_s16({value})"
        case _P.CHAR:
            return "I", f"rt.code_point({value})"
        case _:
            return LETTERS[type_], value


def core_value(letter: str, core: abi.Core, code: str) -> str:
    """A flat value, written by `letter`, as the core type into which the cases of a variant were joined.

    What has the letter of that core type already is left for whoever writes it to check.
    """
    if letter in "fd":
        if core in (abi.Core.F32, abi.Core.F64):
            return code
        return f"rt.f32_bits({code})" if letter == "f" else f"rt.f64_bits({code})"
    if letter in "iq":
        return f"rt.unsigned_{'32' if letter == 'i' else '64'}({code})"
    if letter not in _BITS or _CORE_LETTERS[core] == letter:
        return code
    return f"rt.in_range({code}, {_BITS[letter]})"


def core_scalar(letter: str, name: str) -> str:
    """The whole core value of a scalar that `letter` writes, as it is given to a view that checks it."""
    if letter == "?":
        return f"1 if {name} else 0"
    if letter == "f":
        return f"rt.f32_bits({name})"
    if letter in "BH":
        return f"{name} if 0 <= {name} < {1 << _BITS[letter]:#x} else rt.in_range({name}, {_BITS[letter]})"
    return name


_BITS = {"B": 8, "H": 16, "I": 32, "Q": 64}


def _case_value(joined: abi.Core, own: abi.Core, code: str) -> str:
    """The reverse of `core_value`, giving an unsigned or float value of the case's own core type."""
    if joined is own:
        return code
    if own is abi.Core.F32:
        return f"rt.bits_f32({code})"
    if own is abi.Core.F64:
        return f"rt.bits_f64({code})"
    return f"({code} & 0xFFFFFFFF)"

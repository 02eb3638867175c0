"""Facts of the canonical ABI: size, alignment, layout and flattening of every type, for 32-bit memories.

After `CanonicalABI.md`, sections "Alignment", "Element Size" and "Flattening". Sizes and offsets are bytes. Nothing
here knows a language; emitters ask it and write code.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from witgen import ir

#: Above this number of core parameters, all of them travel through memory.
MAX_FLAT_PARAMS = 16
#: Above this number of core results, they travel through memory.
MAX_FLAT_RESULTS = 1


class Core(enum.Enum):
    """A core WebAssembly value type."""

    I32 = "i32"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"


_P = ir.Primitive

_PRIMITIVE_LAYOUT: dict[ir.Primitive, tuple[int, int, tuple[Core, ...]]] = {
    _P.BOOL: (1, 1, (Core.I32,)),
    _P.S8: (1, 1, (Core.I32,)),
    _P.U8: (1, 1, (Core.I32,)),
    _P.S16: (2, 2, (Core.I32,)),
    _P.U16: (2, 2, (Core.I32,)),
    _P.S32: (4, 4, (Core.I32,)),
    _P.U32: (4, 4, (Core.I32,)),
    _P.S64: (8, 8, (Core.I64,)),
    _P.U64: (8, 8, (Core.I64,)),
    _P.F32: (4, 4, (Core.F32,)),
    _P.F64: (8, 8, (Core.F64,)),
    _P.CHAR: (4, 4, (Core.I32,)),
    _P.STRING: (8, 4, (Core.I32, Core.I32)),
    _P.ERROR_CONTEXT: (4, 4, (Core.I32,)),
}
_POINTER_PAIR = (8, 4, (Core.I32, Core.I32))
_HANDLE = (4, 4, (Core.I32,))


@dataclass(frozen=True, slots=True)
class Layout:
    """How a type lies in memory and on the core stack."""

    size: int
    align: int
    flat: tuple[Core, ...]


@dataclass(frozen=True, slots=True)
class VariantLayout:
    """The parts of a variant, option, result or enum: where its payload begins and how wide its discriminant is."""

    discriminant_size: int
    payload_offset: int


@dataclass(frozen=True, slots=True)
class Signature:
    """The core function type of a lifted or lowered function.

    `indirect_params`: the parameters are one pointer to a tuple in memory. `indirect_result`: the result lies in
    memory; a lifted (exported) function returns the pointer, a lowered (imported) one takes it as its last parameter.
    """

    params: tuple[Core, ...]
    results: tuple[Core, ...]
    indirect_params: bool
    indirect_result: bool


def align_to(offset: int, alignment: int) -> int:
    """The smallest multiple of `alignment` (a power of two) that is not below `offset`."""
    return (offset + alignment - 1) & -alignment


def discriminant_size(cases: int) -> int:
    """Bytes of the discriminant of a variant with that many cases."""
    return 1 if cases <= 1 << 8 else 2 if cases <= 1 << 16 else 4


def flags_size(count: int) -> int:
    """Bytes of a flags value; there are at most 32 flags."""
    if count == 0:
        return 0
    return 1 if count <= 8 else 2 if count <= 16 else 4


def join(a: Core, b: Core) -> Core:
    """The core type that can carry both (`CanonicalABI.md`, "Flattening", `join`)."""
    if a is b:
        return a
    return Core.I32 if {a, b} == {Core.I32, Core.F32} else Core.I64


class Abi:
    """Layouts of the types of one `Resolve`; each is worked out once."""

    def __init__(self, resolve: ir.Resolve) -> None:
        self.resolve = resolve
        self._layouts: dict[ir.Type, Layout] = {p: Layout(*v) for p, v in _PRIMITIVE_LAYOUT.items()}

    def layout(self, type_: ir.Type) -> Layout:
        """Size, alignment and flat form of a type."""
        found = self._layouts.get(type_)
        if found is None:
            found = self._layouts[type_] = self._compute(type_)
        return found

    def size(self, type_: ir.Type) -> int:
        """Bytes of a value in memory, padding included."""
        return self.layout(type_).size

    def align(self, type_: ir.Type) -> int:
        """Alignment of a value in memory, in bytes."""
        return self.layout(type_).align

    def flat(self, type_: ir.Type) -> tuple[Core, ...]:
        """The core values of which a value consists."""
        return self.layout(type_).flat

    def field_offsets(self, types: Iterable[ir.Type]) -> tuple[list[int], int, int]:
        """Offsets of consecutive fields, then size and alignment of the whole."""
        offsets: list[int] = []
        end, alignment = 0, 1
        for type_ in types:
            layout = self.layout(type_)
            at = align_to(end, layout.align)
            offsets.append(at)
            end = at + layout.size
            alignment = max(alignment, layout.align)
        return offsets, align_to(end, alignment), alignment

    def payloads(self, kind: ir.Variant | ir.Enum | ir.Option | ir.Result) -> tuple[ir.Type | None, ...]:
        """The payload types of the cases, in the order of their discriminants."""
        match kind:
            case ir.Variant(cases):
                return tuple(case.type for case in cases)
            case ir.Enum(labels):
                return (None,) * len(labels)
            case ir.Option(type_):
                return (None, type_)
            case ir.Result(ok, err):
                return (ok, err)

    def variant_layout(self, payloads: tuple[ir.Type | None, ...]) -> VariantLayout:
        """Where discriminant and payload of a variant with these payloads lie."""
        width = discriminant_size(len(payloads))
        align = max((self.align(p) for p in payloads if p is not None), default=1)
        return VariantLayout(width, align_to(width, align))

    def signature(self, function: ir.Function, *, lowered: bool) -> Signature:
        """The core type of `function`: as lifted from a core export, or as `lowered` to a core import."""
        params = tuple(core for param in function.params for core in self.flat(param.type))
        results = () if function.result is None else self.flat(function.result)
        indirect_params = len(params) > MAX_FLAT_PARAMS
        indirect_result = len(results) > MAX_FLAT_RESULTS
        if indirect_params:
            params = (Core.I32,)
        if indirect_result:
            results = () if lowered else (Core.I32,)
            params += (Core.I32,) if lowered else ()
        return Signature(params, results, indirect_params, indirect_result)

    def _compute(self, type_: ir.Type) -> Layout:
        assert not isinstance(type_, ir.Primitive)
        match self.resolve.types[type_].kind:
            case ir.Alias(target):
                return self.layout(target)
            case ir.Record(fields):
                return self._product([f.type for f in fields])
            case ir.Tuple(types):
                return self._product(list(types))
            case ir.FixedLengthList(element, length):
                layout = self.layout(element)
                # However long it is: what is beyond the parameters that go flat is never spelled out.
                flat = layout.flat * min(length, MAX_FLAT_PARAMS + 1)
                return Layout(layout.size * length, layout.align, flat)
            case ir.Variant() | ir.Enum() | ir.Option() | ir.Result() as kind:
                return self._sum(self.payloads(kind))
            case ir.Flags(flags):
                size = flags_size(len(flags))
                return Layout(size, max(size, 1), (Core.I32,) if flags else ())
            case ir.List() | ir.Map():
                return Layout(*_POINTER_PAIR)
            case ir.Own() | ir.Borrow() | ir.Future() | ir.Stream():
                return Layout(*_HANDLE)
            case ir.Resource():
                raise ValueError("a resource has no layout; its handles have")

    def _product(self, types: list[ir.Type]) -> Layout:
        _, size, align = self.field_offsets(types)
        return Layout(size, align, tuple(core for t in types for core in self.flat(t)))

    def _sum(self, payloads: tuple[ir.Type | None, ...]) -> Layout:
        parts = self.variant_layout(payloads)
        present = [self.layout(p) for p in payloads if p is not None]
        align = max([parts.discriminant_size, *(p.align for p in present)])
        size = align_to(parts.payload_offset + max((p.size for p in present), default=0), align)
        flat: list[Core] = []
        for payload in present:
            for i, core in enumerate(payload.flat):
                if i < len(flat):
                    flat[i] = join(flat[i], core)
                else:
                    flat.append(core)
        return Layout(size, align, (Core.I32, *flat))

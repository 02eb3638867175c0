"""How values of a type leave one component instance and arrive in another: closures made of the component's own types.

A `Codec` has four of them, after `CanonicalABI.md`: `load` and `lift` take a value from memory or from core values,
`store` and `lower` put it there. In between a value has the form that costs least: a scalar is its bits, a string a
`str`, a list of scalars the very bytes, a record a sequence, a variant a pair of case and payload, a handle what is
behind it. All that the sender wrote is checked on the way; nobody but a codec sees these values, so that what arrives
is not checked again.

Code that is made for a contract is another thing (`witgen.emit`). This is for calls between the components inside a
component, whose types nobody knows before the component is there.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from witgen.abi import MAX_FLAT_PARAMS, align_to, discriminant_size, flags_size
from witgen.binary import entities, model
from witgen.ir import Primitive
from witgen.runtime.context import Context
from witgen.runtime.errors import Trap, UnsupportedComponent
from witgen.runtime.handles import ResourceType
from witgen.runtime.scalars import bad_case

__all__ = ["Codec", "Codecs"]

Load: TypeAlias = Callable[[Context, int], Any]
Store: TypeAlias = Callable[[Context, Any, int], None]
Lift: TypeAlias = Callable[[Context, Sequence[int], int], Any]
Lower: TypeAlias = Callable[[Context, Any, list[int], int], None]

#: How deep types may refer to types.
MAX_DEPTH = 64

_U32 = 0xFFFFFFFF
#: So many core values are more than go flat; what is beyond them is never spelled out.
_TOO_MANY = MAX_FLAT_PARAMS + 1
_PAIR = struct.Struct("<II")
_LETTERS = {1: "B", 2: "H", 4: "I", 8: "Q"}
_BOOLS = bytes([0]) + bytes([1]) * 255


@dataclass(frozen=True, slots=True)
class Codec:
    """How values of one type are carried.

    `size` and `align` are bytes in memory; `flat` has a letter a core value (``i`` i32, ``l`` i64, ``f`` f32, ``d``
    f64), or more than go flat. `load` and `store` take the address of a region that was checked, `lift` and `lower` the
    slots of core values as 64-bit numbers and the first that is theirs. `letter` is that of `struct` where the bytes in
    memory are the value; `whole` says that all bytes in memory are, so that they may be copied in one piece, and `same`
    that core values are, so that they may be passed on as they came.
    """

    size: int
    align: int
    flat: str
    load: Load
    store: Store
    lift: Lift
    lower: Lower
    letter: str = ""
    whole: bool = False
    same: bool = False


class Codecs:
    """The codecs of one instance's types, each made once. `resource` says which resource type a node stands for."""

    def __init__(self, resource: Callable[[entities.Node], ResourceType]) -> None:
        self._resource = resource
        self._made: dict[entities.Defined, Codec] = {}
        self._depth = 0

    def of(self, type_: model.ValType, scope: entities.Scope) -> Codec:
        """The codec of a type of values whose indices are of `scope`. Raises `UnsupportedComponent` by name."""
        if isinstance(type_, Primitive):
            return _primitive(type_)
        node = entities.bare(scope.types[type_])
        assert isinstance(node, entities.Defined), "a resource has no values; its handles have"
        found = self._made.get(node)
        if found is None:
            found = self._made[node] = self._make(node)
        return found

    def _make(self, node: entities.Defined) -> Codec:
        if isinstance(node.type, Primitive):
            return _primitive(node.type)
        make = _MAKERS.get(type(node.type))
        if make is None or self._depth > MAX_DEPTH:
            what = "nested so deep" if make is not None else f"{type(node.type).__name__.lower()}"
            raise UnsupportedComponent(f"the component passes values of types that are {what}")
        self._depth += 1
        try:
            return make(self, node.type, node.scope)
        finally:
            self._depth -= 1

    def optional(self, type_: model.ValType | None, scope: entities.Scope) -> Codec | None:
        """As `of`, where a type may be missing."""
        return None if type_ is None else self.of(type_, scope)

    def handle(self, index: int, scope: entities.Scope, *, own: bool) -> Codec:
        """The codec of handles of a resource type."""
        type_ = self._resource(scope.types[index])
        return _own(type_) if own else _borrow(type_)


# Scalars


@functools.cache
def _primitive(type_: Primitive) -> Codec:
    if type_ is Primitive.STRING:
        return _string()
    found = _SCALARS.get(type_)
    if found is None:
        raise UnsupportedComponent(f"the component passes values of type {type_.value} between components")
    return _scalar(*found)


def _scalar(
    size: int, core: str, checked: Callable[[int], int] | None = None, lowered: Callable[[int], int] | None = None
) -> Codec:
    """A number that is its bits, or what `checked` makes of them; `lowered` makes a core value of it."""
    layout = struct.Struct(f"<{_LETTERS[size]}")
    unpack, pack = layout.unpack_from, layout.pack_into
    mask = (1 << 8 * size) - 1

    def load(cx: Context, pointer: int) -> int:
        value: int = unpack(cx.view, pointer)[0]
        return value

    def load_checked(cx: Context, pointer: int) -> int:
        assert checked is not None
        return checked(unpack(cx.view, pointer)[0])

    def store(cx: Context, value: int, pointer: int) -> None:
        pack(cx.view, pointer, value)

    def lift(cx: Context, slots: Sequence[int], at: int) -> int:
        return slots[at] & mask

    def lift_checked(cx: Context, slots: Sequence[int], at: int) -> int:
        assert checked is not None
        return checked(slots[at] & _U32)

    def lower(cx: Context, value: int, slots: list[int], at: int) -> None:
        slots[at] = value if lowered is None else lowered(value)

    if checked is not None:
        return Codec(size, size, core, load_checked, store, lift_checked, lower)
    return Codec(size, size, core, load, store, lift, lower, layout.format[1:], True, size >= 4)


def _bool(bits: int) -> int:
    return 1 if bits else 0


def _code_point(bits: int) -> int:
    if bits >= 0x110000 or 0xD800 <= bits < 0xE000:
        raise Trap(f"{bits:#x} is not a Unicode scalar value")
    return bits


def _extended(bits: int) -> Callable[[int], int]:
    """What makes an i32 of a signed number of so many bits."""
    sign = 1 << bits - 1
    return lambda value: ((value ^ sign) - sign) & _U32


#: Bytes in memory, core type, and what is done beside copying.
_SCALARS: dict[Primitive, tuple[Any, ...]] = {
    Primitive.BOOL: (1, "i", _bool),
    Primitive.S8: (1, "i", None, _extended(8)),
    Primitive.U8: (1, "i"),
    Primitive.S16: (2, "i", None, _extended(16)),
    Primitive.U16: (2, "i"),
    Primitive.S32: (4, "i"),
    Primitive.U32: (4, "i"),
    Primitive.S64: (8, "l"),
    Primitive.U64: (8, "l"),
    Primitive.F32: (4, "f"),
    Primitive.F64: (8, "d"),
    Primitive.CHAR: (4, "i", _code_point),
}


def _flags(codecs: Codecs, type_: model.Flags, scope: entities.Scope) -> Codec:
    mask = (1 << len(type_.labels)) - 1
    return _scalar(flags_size(len(type_.labels)), "i", lambda bits: bits & mask)


def _enum(codecs: Codecs, type_: model.Enum, scope: entities.Scope) -> Codec:
    count = len(type_.labels)

    def check(case: int) -> int:
        return case if case < count else bad_case(case)

    return _scalar(discriminant_size(count), "i", check)


# Handles


def _own(type_: ResourceType) -> Codec:
    def take(cx: Context, handle: int) -> Any:
        if handle in cx.handles.lent:
            raise Trap(f"handle {handle} is given away and lent at once")
        return cx.handles.take(handle, type_)

    return _handle(take, lambda cx, rep: cx.handles.add(type_, rep))


def _borrow(type_: ResourceType) -> Codec:
    def rep(cx: Context, handle: int) -> Any:
        found = cx.handles.rep(handle, type_)
        cx.handles.lent.append(handle)
        return found

    def lend(cx: Context, rep: Any) -> int:
        if cx.state is type_.home:
            known: int = rep
            return known
        return cx.handles.lend(type_, rep)

    return _handle(rep, lend)


def _handle(take: Callable[[Context, int], Any], give: Callable[[Context, Any], int]) -> Codec:
    layout = struct.Struct("<I")

    def lower(cx: Context, rep: Any, slots: list[int], at: int) -> None:
        slots[at] = give(cx, rep)

    return Codec(
        4,
        4,
        "i",
        lambda cx, pointer: take(cx, layout.unpack_from(cx.view, pointer)[0]),
        lambda cx, rep, pointer: layout.pack_into(cx.view, pointer, give(cx, rep)),
        lambda cx, slots, at: take(cx, slots[at] & _U32),
        lower,
    )


# Strings and lists


def _string() -> Codec:
    return _pair(lambda cx, pointer, length: cx.string(pointer, length), lambda cx, text: cx.put_string(text))


def _list(codecs: Codecs, type_: model.List, scope: entities.Scope) -> Codec:
    if type_.element is Primitive.BOOL:
        return _bulk(_primitive(Primitive.BOOL), lambda data: bytes(data).translate(_BOOLS))
    return _elements(codecs.of(type_.element, scope))


def _map(codecs: Codecs, type_: model.Map, scope: entities.Scope) -> Codec:
    return _elements(_product([codecs.of(type_.key, scope), codecs.of(type_.value, scope)]))


def _elements(element: Codec) -> Codec:
    return _bulk(element, None) if element.whole else _each(element)


def _bulk(element: Codec, clean: Callable[[memoryview], bytes] | None) -> Codec:
    """A list that is carried in one piece. Sender and receiver have memories of their own, so a view will do."""
    size, align = element.size, element.align

    def lift(cx: Context, pointer: int, length: int) -> memoryview | bytes:
        end = cx.check(pointer, size * length, align) + size * length
        data = cx.view[pointer:end]
        return data if clean is None else clean(data)

    def lower(cx: Context, data: memoryview | bytes) -> tuple[int, int]:
        length = len(data)
        if not length:
            return align, 0
        pointer = cx.allocate(length, align)
        cx.view[pointer : pointer + length] = data
        return pointer, length // size

    return _pair(lift, lower)


def _each(element: Codec) -> Codec:
    size, align, load, store = element.size, element.align, element.load, element.store

    def lift(cx: Context, pointer: int, length: int) -> list[Any]:
        end = cx.check(pointer, size * length, align) + size * length
        return [load(cx, at) for at in range(pointer, end, size)]

    def lower(cx: Context, values: list[Any]) -> tuple[int, int]:
        if not values:
            return align, 0
        pointer = at = cx.allocate(size * len(values), align)
        for value in values:
            store(cx, value, at)
            at += size
        return pointer, len(values)

    return _pair(lift, lower)


def _pair(get: Callable[[Context, int, int], Any], put: Callable[[Context, Any], tuple[int, int]]) -> Codec:
    """What is a pointer and a length, in memory and as core values."""

    def lower(cx: Context, value: Any, slots: list[int], at: int) -> None:
        slots[at : at + 2] = put(cx, value)

    return Codec(
        8,
        4,
        "ii",
        lambda cx, pointer: get(cx, *_PAIR.unpack_from(cx.view, pointer)),
        lambda cx, value, pointer: _put_pair(cx, put(cx, value), pointer),
        lambda cx, slots, at: get(cx, slots[at] & _U32, slots[at + 1] & _U32),
        lower,
    )


def _put_pair(cx: Context, pair: tuple[int, int], pointer: int) -> None:
    # Not in one expression: what puts the value may let the memory grow, and so replace the view.
    _PAIR.pack_into(cx.view, pointer, *pair)


# Records and variants


def _record(codecs: Codecs, type_: model.Record, scope: entities.Scope) -> Codec:
    return _product([codecs.of(_present(field.type), scope) for field in type_.fields])


def _tuple(codecs: Codecs, type_: model.Tuple, scope: entities.Scope) -> Codec:
    return _product([codecs.of(part, scope) for part in type_.types])


def _fixed(codecs: Codecs, type_: model.FixedLengthList, scope: entities.Scope) -> Codec:
    element, length = codecs.of(type_.element, scope), type_.length
    if len(element.flat) * length <= MAX_FLAT_PARAMS:
        return _product([element] * length)
    return _long(element, length)


def _long(element: Codec, length: int) -> Codec:
    """A list of fixed length that is too long for core values: it is in memory always."""
    size = element.size * length

    def load(cx: Context, pointer: int) -> Any:
        if element.whole:
            return cx.view[pointer : pointer + size]
        return [element.load(cx, at) for at in range(pointer, pointer + size, element.size)]

    def store(cx: Context, value: Any, pointer: int) -> None:
        if element.whole:
            cx.view[pointer : pointer + size] = value
            return
        for part in value:
            element.store(cx, part, pointer)
            pointer += element.size

    def never(*_: Any) -> Any:
        raise AssertionError("so many core values never go flat")

    return Codec(size, element.align, "i" * _TOO_MANY, load, store, never, never, "", element.whole)


def _present(type_: model.ValType | None) -> model.ValType:
    assert type_ is not None, "a field has a type"
    return type_


def _product(fields: list[Codec]) -> Codec:
    """Consecutive fields; where all are scalars of which the bytes are the value, they are read in one step."""
    loads, stores, lifts, lowers = [], [], [], []
    end, align, flat, form = 0, 1, "", "<"
    for field in fields:
        at = align_to(end, field.align)
        form += "x" * (at - end) + field.letter
        loads.append((field.load, at))
        stores.append((field.store, at))
        if len(flat) < _TOO_MANY:
            lifts.append((field.lift, len(flat)))
            lowers.append((field.lower, len(flat)))
            flat += field.flat
        end = at + field.size
        align = max(align, field.align)
    size = align_to(end, align)
    whole = all(field.whole for field in fields) and sum(field.size for field in fields) == size

    def load(cx: Context, pointer: int) -> Sequence[Any]:
        return [load(cx, pointer + at) for load, at in loads]

    def store(cx: Context, value: Sequence[Any], pointer: int) -> None:
        for (store, at), part in zip(stores, value, strict=True):
            store(cx, part, pointer + at)

    def lift(cx: Context, slots: Sequence[int], at: int) -> Sequence[Any]:
        return [lift(cx, slots, at + first) for lift, first in lifts]

    def lower(cx: Context, value: Sequence[Any], slots: list[int], at: int) -> None:
        for (lower, first), part in zip(lowers, value, strict=True):
            lower(cx, part, slots, at + first)

    load_, store_ = _at_once(form) if all(field.letter for field in fields) else (load, store)
    same = all(field.same for field in fields)
    return Codec(size, align, flat[:_TOO_MANY], load_, store_, lift, lower, "", whole, same)


def _at_once(form: str) -> tuple[Load, Store]:
    layout = struct.Struct(form)

    def load(cx: Context, pointer: int) -> Sequence[int]:
        return layout.unpack_from(cx.view, pointer)

    def store(cx: Context, value: Sequence[int], pointer: int) -> None:
        layout.pack_into(cx.view, pointer, *value)

    return load, store


def _variant(codecs: Codecs, type_: model.Variant, scope: entities.Scope) -> Codec:
    return _sum([codecs.optional(case.type, scope) for case in type_.cases])


def _option(codecs: Codecs, type_: model.Option, scope: entities.Scope) -> Codec:
    return _sum([None, codecs.of(type_.type, scope)])


def _result(codecs: Codecs, type_: model.Result, scope: entities.Scope) -> Codec:
    return _sum([codecs.optional(type_.ok, scope), codecs.optional(type_.err, scope)])


def _sum(cases: list[Codec | None]) -> Codec:
    """One of several cases, each with a payload or none."""
    width = discriminant_size(len(cases))
    present = [case for case in cases if case is not None]
    alignment = max((case.align for case in present), default=1)
    offset = align_to(width, alignment)
    align = max(width, alignment)
    size = align_to(offset + max((case.size for case in present), default=0), align)
    layout = struct.Struct(f"<{_LETTERS[width]}")
    count = len(cases)

    def load(cx: Context, pointer: int) -> tuple[int, Any]:
        case = layout.unpack_from(cx.view, pointer)[0]
        payload = cases[case] if case < count else bad_case(case)
        return case, None if payload is None else payload.load(cx, pointer + offset)

    def store(cx: Context, value: tuple[int, Any], pointer: int) -> None:
        case, content = value
        layout.pack_into(cx.view, pointer, case)
        payload = cases[case]
        if payload is not None:
            payload.store(cx, content, pointer + offset)

    # Core values are bits here, so that a payload finds its own in the low ones of a wider type that it shares.
    def lift(cx: Context, slots: Sequence[int], at: int) -> tuple[int, Any]:
        case = slots[at] & _U32
        payload = cases[case] if case < count else bad_case(case)
        return case, None if payload is None else payload.lift(cx, slots, at + 1)

    def lower(cx: Context, value: tuple[int, Any], slots: list[int], at: int) -> None:
        slots[at], content = value
        payload = cases[value[0]]
        if payload is not None:
            payload.lower(cx, content, slots, at + 1)

    return Codec(size, align, _joined([case.flat for case in present]), load, store, lift, lower)


def _joined(flats: list[str]) -> str:
    """The core values that serve for a discriminant and the payload of any case (`CanonicalABI.md`: ``join``)."""
    joined = ""
    for flat in flats:
        both = (
            a if a == b else "i" if {a, b} == {"i", "f"} else "l" for a, b in zip(joined, flat, strict=False)
        )
        joined = "".join(both) + joined[len(flat) :] + flat[len(joined) :]
    return ("i" + joined)[:_TOO_MANY]


_MAKERS: dict[type, Callable[[Codecs, Any, entities.Scope], Codec]] = {
    model.Flags: _flags,
    model.Enum: _enum,
    model.Own: lambda codecs, type_, scope: codecs.handle(type_.resource, scope, own=True),
    model.Borrow: lambda codecs, type_, scope: codecs.handle(type_.resource, scope, own=False),
    model.List: _list,
    model.Map: _map,
    model.FixedLengthList: _fixed,
    model.Record: _record,
    model.Tuple: _tuple,
    model.Variant: _variant,
    model.Option: _option,
    model.Result: _result,
}

"""How values leave one component instance and arrive in another, as closures.

A `Codec` has four of them, after `CanonicalABI.md`: `load` and `lift` take a value from memory or from core values,
`store` and `lower` put it there. In between a value has the form that costs least: a scalar is its bits, a string a
`str`, a list of scalars the very bytes, a record a sequence, a variant a pair of case and payload, a handle what is
behind it. All that the sender wrote is checked on the way; nobody but a codec sees these values, so that what arrives
is not checked again.

This module knows the forms that values have, one function a form; which type has which form is for `codecs`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from witgen.abi import MAX_FLAT_PARAMS, align_to, discriminant_size
from witgen.runtime.context import Context
from witgen.runtime.errors import Trap
from witgen.runtime.handles import ResourceType
from witgen.runtime.scalars import bad_case

__all__ = ["Codec", "bools", "borrow", "elements", "long_list", "own", "product", "scalar", "string", "variant"]

Load: TypeAlias = Callable[[Context, int], Any]
Store: TypeAlias = Callable[[Context, Any, int], None]
Lift: TypeAlias = Callable[[Context, Sequence[int], int], Any]
Lower: TypeAlias = Callable[[Context, Any, list[int], int], None]

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


# Scalars


def scalar(
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


# Handles


def own(type_: ResourceType) -> Codec:
    """An owning handle, which goes from one table to the other."""

    def take(cx: Context, handle: int) -> Any:
        if handle in cx.handles.lent:
            raise Trap(f"handle {handle} is given away and lent at once")
        return cx.handles.take(handle, type_)

    return _handle(take, lambda cx, rep: cx.handles.add(type_, rep))


def borrow(type_: ResourceType) -> Codec:
    """A borrow: the bare representation to the instance that defines the resource, a handle to any other."""

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


def string() -> Codec:
    """A string, in the encoding of each side."""
    return _pair(lambda cx, pointer, length: cx.string(pointer, length), lambda cx, text: cx.put_string(text))


def elements(element: Codec) -> Codec:
    """A list of any length."""
    return _bulk(element, None) if element.whole else _each(element)


def bools() -> Codec:
    """A list of booleans, each of which is a byte that may be any but 0 where it is true."""
    return _bulk(scalar(1, "i"), lambda data: bytes(data).translate(_BOOLS))


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


def long_list(element: Codec, length: int) -> Codec:
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


def product(fields: list[Codec]) -> Codec:
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


def variant(cases: list[Codec | None]) -> Codec:
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
        both = (a if a == b else "i" if {a, b} == {"i", "f"} else "l" for a, b in zip(joined, flat, strict=False))
        joined = "".join(both) + joined[len(flat) :] + flat[len(joined) :]
    return ("i" + joined)[:_TOO_MANY]

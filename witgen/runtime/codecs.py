"""Which codec a type of a component has.

Code that is made for a contract is another thing (`witgen.emit`). This is for calls between the components inside a
component, whose types nobody knows before the component is there. How values are carried is `codec`'s.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from witgen.abi import MAX_FLAT_PARAMS, discriminant_size, flags_size
from witgen.binary import entities, model
from witgen.ir import Primitive
from witgen.runtime.codec import Codec, bools, borrow, elements, long_list, own, product, scalar, string, variant
from witgen.runtime.errors import LinkError, Trap, UnsupportedComponent
from witgen.runtime.handles import ResourceType
from witgen.runtime.scalars import bad_case

__all__ = ["Codecs"]

#: How deep types may refer to types.
MAX_DEPTH = 64

_U32 = 0xFFFFFFFF


class Codecs:
    """The codecs of one instance's types, each made once. `resource` says which resource type a node stands for."""

    def __init__(self, resource: Callable[[entities.Node], ResourceType]) -> None:
        self._resource = resource
        self._made: dict[entities.Defined, Codec] = {}
        self._depth = 0

    def of(self, type_: model.ValType, scope: entities.Scope) -> Codec:
        """The codec of a type of values whose indices are of `scope`.

        Raises `LinkError` where it is no such type, `UnsupportedComponent` where it is one that can't be carried.
        """
        if isinstance(type_, Primitive):
            return _primitive(type_)
        node = entities.bare(scope.types[type_])
        if not isinstance(node, entities.Defined):
            raise LinkError("a resource stands where the type of a value is wanted")
        found = self._made.get(node)
        if found is None:
            found = self._made[node] = self._make(node)
        return found

    def _make(self, node: entities.Defined) -> Codec:
        if isinstance(node.type, Primitive):
            return _primitive(node.type)
        make = _MAKERS.get(type(node.type))
        if make is None:
            raise LinkError("what is no type of values stands where one is wanted")
        if self._depth > MAX_DEPTH:
            raise UnsupportedComponent(f"the component passes values of types nested more than {MAX_DEPTH} levels deep")
        self._depth += 1
        try:
            return make(self, node.type, node.scope)
        finally:
            self._depth -= 1

    def optional(self, type_: model.ValType | None, scope: entities.Scope) -> Codec | None:
        """As `of`, where a type may be missing."""
        return None if type_ is None else self.of(type_, scope)

    def handle(self, index: int, scope: entities.Scope, *, owned: bool) -> Codec:
        """The codec of handles of a resource type."""
        type_ = self._resource(scope.types[index])
        return own(type_) if owned else borrow(type_)


@functools.cache
def _primitive(type_: Primitive) -> Codec:
    if type_ is Primitive.STRING:
        return string()
    found = _SCALARS.get(type_)
    if found is None:
        raise UnsupportedComponent(f"the component passes values of type {type_.value} between components")
    return scalar(*found)


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
    return scalar(flags_size(len(type_.labels)), "i", lambda bits: bits & mask)


def _enum(codecs: Codecs, type_: model.Enum, scope: entities.Scope) -> Codec:
    count = len(type_.labels)

    def check(case: int) -> int:
        return case if case < count else bad_case(case)

    return scalar(discriminant_size(count), "i", check)


def _list(codecs: Codecs, type_: model.List, scope: entities.Scope) -> Codec:
    if type_.element is Primitive.BOOL:
        return bools()
    return elements(codecs.of(type_.element, scope))


def _map(codecs: Codecs, type_: model.Map, scope: entities.Scope) -> Codec:
    return elements(product([codecs.of(type_.key, scope), codecs.of(type_.value, scope)]))


def _record(codecs: Codecs, type_: model.Record, scope: entities.Scope) -> Codec:
    return product([codecs.of(_present(field.type), scope) for field in type_.fields])


def _tuple(codecs: Codecs, type_: model.Tuple, scope: entities.Scope) -> Codec:
    return product([codecs.of(part, scope) for part in type_.types])


def _fixed(codecs: Codecs, type_: model.FixedLengthList, scope: entities.Scope) -> Codec:
    element, length = codecs.of(type_.element, scope), type_.length
    if len(element.flat) * length <= MAX_FLAT_PARAMS:
        return product([element] * length)
    return long_list(element, length)


def _present(type_: model.ValType | None) -> model.ValType:
    assert type_ is not None, "a field has a type"
    return type_


def _variant(codecs: Codecs, type_: model.Variant, scope: entities.Scope) -> Codec:
    return variant([codecs.optional(case.type, scope) for case in type_.cases])


def _option(codecs: Codecs, type_: model.Option, scope: entities.Scope) -> Codec:
    return variant([None, codecs.of(type_.type, scope)])


def _result(codecs: Codecs, type_: model.Result, scope: entities.Scope) -> Codec:
    return variant([codecs.optional(type_.ok, scope), codecs.optional(type_.err, scope)])


_MAKERS: dict[type, Callable[[Codecs, Any, entities.Scope], Codec]] = {
    model.Flags: _flags,
    model.Enum: _enum,
    model.Own: lambda codecs, type_, scope: codecs.handle(type_.resource, scope, owned=True),
    model.Borrow: lambda codecs, type_, scope: codecs.handle(type_.resource, scope, owned=False),
    model.List: _list,
    model.Map: _map,
    model.FixedLengthList: _fixed,
    model.Record: _record,
    model.Tuple: _tuple,
    model.Variant: _variant,
    model.Option: _option,
    model.Result: _result,
}

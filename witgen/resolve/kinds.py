"""How the kinds of types refer to other types: to visit and to replace what they refer to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from witgen import ir

__all__ = ["Convert", "convert_kind", "references"]

#: Makes a type from a type; the second argument says at which of the references of the kind it stands.
Convert = Callable[[ir.Type, int], ir.Type]


def references(kind: ir.Kind) -> Iterator[ir.Type]:
    """The types that a kind refers to, in order; the resource of a handle among them."""
    match kind:
        case (
            ir.Alias(target=type_) | ir.List(element=type_) | ir.FixedLengthList(element=type_) | ir.Option(type=type_)
        ):
            yield type_
        case ir.Own(resource=resource) | ir.Borrow(resource=resource):
            yield resource
        case ir.Record(fields=fields):
            yield from (field.type for field in fields)
        case ir.Variant(cases=cases):
            yield from (case.type for case in cases if case.type is not None)
        case ir.Tuple(types=types):
            yield from types
        case ir.Map(key=key, value=value):
            yield key
            yield value
        case ir.Result(ok=ok, err=err):
            yield from (type_ for type_ in (ok, err) if type_ is not None)
        case ir.Future(type=element) | ir.Stream(type=element):
            if element is not None:
                yield element


def convert_kind(kind: ir.Kind, convert: Convert) -> ir.Kind:
    """`kind` with each reference replaced by what `convert` makes of it, in order."""
    make = _CONVERTERS.get(type(kind))
    converted: ir.Kind = kind if make is None else make(kind, convert)
    return converted


def _optional(type_: ir.Type | None, convert: Convert, position: int = 0) -> ir.Type | None:
    return None if type_ is None else convert(type_, position)


def _record(kind: ir.Record, convert: Convert) -> ir.Record:
    return ir.Record(
        tuple(ir.Field(field.name, convert(field.type, i), field.docs) for i, field in enumerate(kind.fields))
    )


def _variant(kind: ir.Variant, convert: Convert) -> ir.Variant:
    return ir.Variant(
        tuple(ir.Case(case.name, _optional(case.type, convert, i), case.docs) for i, case in enumerate(kind.cases))
    )


_CONVERTERS: dict[type, Callable[[Any, Convert], ir.Kind]] = {
    ir.Alias: lambda kind, convert: ir.Alias(convert(kind.target, 0)),
    ir.Own: lambda kind, convert: ir.Own(convert(kind.resource, 0)),  # type: ignore[arg-type]
    ir.Borrow: lambda kind, convert: ir.Borrow(convert(kind.resource, 0)),  # type: ignore[arg-type]
    ir.List: lambda kind, convert: ir.List(convert(kind.element, 0)),
    ir.FixedLengthList: lambda kind, convert: ir.FixedLengthList(convert(kind.element, 0), kind.length),
    ir.Option: lambda kind, convert: ir.Option(convert(kind.type, 0)),
    ir.Map: lambda kind, convert: ir.Map(convert(kind.key, 0), convert(kind.value, 1)),
    ir.Tuple: lambda kind, convert: ir.Tuple(tuple(convert(type_, i) for i, type_ in enumerate(kind.types))),
    ir.Result: lambda kind, convert: ir.Result(_optional(kind.ok, convert), _optional(kind.err, convert, 1)),
    ir.Future: lambda kind, convert: ir.Future(_optional(kind.type, convert)),
    ir.Stream: lambda kind, convert: ir.Stream(_optional(kind.type, convert)),
    ir.Record: _record,
    ir.Variant: _variant,
}

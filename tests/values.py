"""Values of any WIT type: as a model that belongs to no side, and as a generated adapter has them.

A model is made of numbers, texts, tuples and lists; cases of enums and variants are numbers, options are ``()`` or a
tuple of one, results ``(0, ok)`` or ``(1, error)``.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, get_args

from hypothesis import strategies as st

from witgen import ir
from witgen import runtime as rt
from witgen.emit.python.naming import class_name

_P = ir.Primitive
_BITS = {_P.S8: 8, _P.S16: 16, _P.S32: 32, _P.S64: 64, _P.U8: 8, _P.U16: 16, _P.U32: 32, _P.U64: 64}
_CHARS = st.characters(exclude_categories=["Cs"])


def models(resolve: ir.Resolve, type_: ir.Type | None) -> st.SearchStrategy[Any]:
    """Models of the values of a type; None is the type that a result does without."""
    if type_ is None:
        return st.none()
    kind = resolve.kind(type_)
    if isinstance(kind, ir.Primitive):
        return _primitives(kind)

    def of(type_: ir.Type | None) -> st.SearchStrategy[Any]:
        return models(resolve, type_)

    match kind:
        case ir.List(element):
            return st.lists(of(element), max_size=4)
        case ir.FixedLengthList(element, length):
            return st.lists(of(element), min_size=length, max_size=length)
        case ir.Map(key, value):
            pairs = st.lists(st.tuples(of(key), of(value)), max_size=4, unique_by=lambda pair: pair[0])
            # A guest in Rust gives the pairs in the order of their keys.
            return pairs.map(lambda pairs: sorted(pairs, key=lambda pair: pair[0]))
        case ir.Tuple(types):
            return st.tuples(*map(of, types))
        case ir.Record(fields):
            return st.tuples(*(of(field.type) for field in fields))
        case ir.Flags(flags):
            return st.sets(st.integers(0, len(flags) - 1))
        case ir.Enum(cases):
            return st.integers(0, len(cases) - 1)
        case ir.Variant(cases):
            return st.one_of([st.tuples(st.just(i), of(case.type)) for i, case in enumerate(cases)])
        case ir.Option(some):
            return st.tuples() | st.tuples(of(some))
        case ir.Result(ok, err):
            return st.tuples(st.just(0), of(ok)) | st.tuples(st.just(1), of(err))
        case _:
            raise AssertionError(kind)


def _primitives(kind: ir.Primitive) -> st.SearchStrategy[Any]:
    if kind in _BITS:
        low = -(1 << _BITS[kind] - 1) if kind.value.startswith("s") else 0
        return st.integers(low, low + (1 << _BITS[kind]) - 1)
    return {
        _P.BOOL: st.booleans(),
        _P.F32: st.floats(width=32, allow_nan=False),
        _P.F64: st.floats(allow_nan=False),
        _P.CHAR: _CHARS,
        _P.STRING: st.text(_CHARS, max_size=9),
    }[kind]


def sample(resolve: ir.Resolve, type_: ir.Type | None, number: int) -> Any:
    """One model of a type; those of different numbers take different cases, and lists are not empty."""
    if type_ is None:
        return None
    kind = resolve.kind(type_)

    def of(type_: ir.Type | None) -> Any:
        return sample(resolve, type_, number)

    match kind:
        case ir.Primitive():
            return {_P.BOOL: True, _P.CHAR: "ü", _P.STRING: f"text {number}", _P.F32: 0.5, _P.F64: -0.25}.get(
                kind, number
            )
        case ir.List(element):
            return [of(element)] * (1 + number % 3)
        case ir.FixedLengthList(element, length):
            return [of(element)] * length
        case ir.Map(key, value):
            return [(of(key), of(value))]
        case ir.Tuple(types):
            return tuple(map(of, types))
        case ir.Record(fields):
            return tuple(of(field.type) for field in fields)
        case ir.Flags(flags):
            return {number % len(flags)}
        case ir.Enum(cases):
            return number % len(cases)
        case ir.Variant(cases):
            return (number % len(cases), of(cases[number % len(cases)].type))
        case ir.Option(some):
            return (of(some),) if number % 4 else ()
        case ir.Result(ok, err):
            return (number % 2, of(err if number % 2 else ok))
        case _:
            raise AssertionError(kind)


class AdapterValues:
    """Values as a generated adapter has them."""

    def __init__(self, resolve: ir.Resolve, module: ModuleType) -> None:
        self._resolve = resolve
        self._module = module

    def value(self, type_: ir.Type | None, model: Any) -> Any:
        """The value that a model stands for."""
        if type_ is None:
            return None
        kind = self._resolve.kind(type_)
        match kind:
            case ir.Primitive():
                return model
            case ir.List(element) if self._resolve.dealias(element) is _P.U8:
                return bytes(model)
            case ir.List(element) | ir.FixedLengthList(element):
                return [self.value(element, item) for item in model]
            case ir.Map(key, value):
                return {self.value(key, k): self.value(value, v) for k, v in model}
            case ir.Tuple(types):
                return tuple(self.value(t, item) for t, item in zip(types, model, strict=True))
            case ir.Option(some):
                if not model:
                    return None
                inner = self.value(some, model[0])
                return rt.Some(inner) if isinstance(self._resolve.kind(some), ir.Option) else inner
            case ir.Result(ok, err):
                return rt.Err(self.value(err, model[1])) if model[0] else rt.Ok(self.value(ok, model[1]))
            case _:
                return self._named(self._resolve.dealias(type_), kind, model)

    def _named(self, type_: ir.Type, kind: ir.Kind, model: Any) -> Any:
        assert not isinstance(type_, ir.Primitive)
        name = class_name(self._resolve.types[type_].name or "")
        match kind:
            case ir.Record(fields):
                values = (self.value(f.type, item) for f, item in zip(fields, model, strict=True))
                return getattr(self._module, name)(*values)
            case ir.Flags():
                flags = getattr(self._module, name)
                return flags(sum(1 << number for number in model))
            case ir.Enum():
                return list(getattr(self._module, name))[model]
            case ir.Variant(cases):
                # In the order of the cases, whatever their classes are called.
                alias = getattr(self._module, name)
                class_, case = (get_args(alias) or (alias,))[model[0]], cases[model[0]]
                return class_() if case.type is None else class_(self.value(case.type, model[1]))
            case _:
                raise AssertionError(kind)

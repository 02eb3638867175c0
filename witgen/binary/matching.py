"""Whether two types are the same, whatever they are called.

Definitions are equal when their parts are; a resource is equal to itself alone. It compares types of values and of
functions; what an instance must export is for `evaluate`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from witgen.binary import model as m
from witgen.binary.entities import Defined, Named, Node, ResourceNode, Scope, bare
from witgen.binary.errors import BinaryError, Budget
from witgen.ir import Primitive

__all__ = ["equal_types", "parts_of"]

#: How deep types may refer to types.
MAX_DEPTH = 64

_NODES = (Defined, ResourceNode, Named)


def equal_types(a: Node, b: Node, budget: Budget, offset: int) -> bool:
    """Whether two types are equal when all names are looked through; errors are put down to `offset`."""
    return _Comparison(budget, offset).types(a, b)


def parts_of(definition: m.DefType) -> tuple[m.ValType | None, ...]:
    """The types that the definition of a type of values refers to, in order; none where it is something else."""
    take_apart = _SHAPES.get(type(definition))
    return () if take_apart is None else take_apart(definition)[1]


class _Comparison:
    """One comparison, and what it has found to be equal."""

    def __init__(self, budget: Budget, offset: int) -> None:
        self.budget = budget
        self.offset = offset
        self.depth = 0
        self.equal: set[tuple[Node, Node]] = set()

    def types(self, a: Node, b: Node) -> bool:
        """Whether two types are equal."""
        a, b = bare(a), bare(b)
        if a is b or (a, b) in self.equal:
            return True
        if not isinstance(a, Defined) or not isinstance(b, Defined):
            return False
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise BinaryError(f"types nested more than {MAX_DEPTH} levels deep", self.offset)
        equal = self._definitions(a, b)
        self.depth -= 1
        if equal:
            self.equal.add((a, b))
        return equal

    def _definitions(self, a: Defined, b: Defined) -> bool:
        if isinstance(a.type, Primitive) or isinstance(b.type, Primitive):
            return a.type is b.type
        if type(a.type) is not type(b.type):
            return False
        take_apart = _SHAPES.get(type(a.type))
        if take_apart is None:
            raise BinaryError("only types of values and functions can be compared", self.offset)
        a_shape, a_parts = take_apart(a.type)
        b_shape, b_parts = take_apart(b.type)
        self.budget.spend(1 + len(a_shape) + len(a_parts), self.offset)
        if a_shape != b_shape or len(a_parts) != len(b_parts):
            return False
        pairs = zip(a_parts, b_parts, strict=True)
        return all(self._valtypes(a_type, a.scope, b_type, b.scope) for a_type, b_type in pairs)

    def _valtypes(self, a: m.ValType | None, a_scope: Scope, b: m.ValType | None, b_scope: Scope) -> bool:
        a_node, b_node = self._node(a, a_scope), self._node(b, b_scope)
        if isinstance(a_node, _NODES) and isinstance(b_node, _NODES):
            return self.types(a_node, b_node)
        return a_node is b_node

    def _node(self, type_: m.ValType | None, scope: Scope) -> Node | Primitive | None:
        """The node of a value type, but a primitive itself even where it was given a name."""
        if type_ is None or isinstance(type_, Primitive):
            return type_
        if type_ >= len(scope.types):
            raise BinaryError(f"type {type_} does not exist", self.offset)
        node = scope.types[type_]
        definition = bare(node)
        if isinstance(definition, Defined) and isinstance(definition.type, Primitive):
            return definition.type
        return node


_Shape: TypeAlias = tuple[tuple[object, ...], tuple[m.ValType | None, ...]]


def _labelled(items: tuple[m.Labelled, ...]) -> _Shape:
    return tuple([item.name for item in items]), tuple([item.type for item in items])


def _func(type_: m.FuncType) -> _Shape:
    names, types = _labelled(type_.params)
    return (*names, type_.is_async), (*types, type_.result)


#: A definition taken apart: what must be equal as it stands, and the types in it.
_SHAPES: dict[type, Callable[[Any], _Shape]] = {
    m.Record: lambda t: _labelled(t.fields),
    m.Variant: lambda t: _labelled(t.cases),
    m.List: lambda t: ((), (t.element,)),
    m.FixedLengthList: lambda t: ((t.length,), (t.element,)),
    m.Map: lambda t: ((), (t.key, t.value)),
    m.Tuple: lambda t: ((), t.types),
    m.Flags: lambda t: (t.labels, ()),
    m.Enum: lambda t: (t.labels, ()),
    m.Option: lambda t: ((), (t.type,)),
    m.Result: lambda t: ((), (t.ok, t.err)),
    m.Own: lambda t: ((), (t.resource,)),
    m.Borrow: lambda t: ((), (t.resource,)),
    m.Stream: lambda t: ((), (t.type,)),
    m.Future: lambda t: ((), (t.type,)),
    m.FuncType: _func,
}

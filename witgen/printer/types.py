"""Types as they are written: where they are used, and where they are defined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from witgen import ir
from witgen.printer.words import identifier

__all__ = ["Types"]


class Types:
    """The types of a model."""

    def __init__(self, resolve: ir.Resolve) -> None:
        self._resolve = resolve

    def used(self, type_: ir.Type) -> str:
        """A type where it is used: its name, or else what it is made of."""
        if isinstance(type_, ir.Primitive):
            return type_.value
        row = self._resolve.types[type_]
        if row.name is not None:
            return identifier(row.name)
        if isinstance(row.kind, ir.Own):
            # An owned handle is what a resource's own name stands for.
            return self.used(row.kind.resource)
        return self.defined(row.kind)

    def defined(self, kind: ir.Kind) -> str:
        """What stands after ``type name =``, for a kind that isn't defined by a keyword of its own."""
        return _FORMS[type(kind)](self, kind)

    def function(self, function: ir.Function) -> str:
        """A function without its name: what stands after the colon, or after ``constructor``."""
        params = function.params[1:] if function.kind is ir.FunctionKind.METHOD else function.params
        listed = ", ".join(f"{identifier(param.name)}: {self.used(param.type)}" for param in params)
        result = function.result
        if result is not None and function.kind is ir.FunctionKind.CONSTRUCTOR and self._is_handle(result):
            result = None
        arrow = "" if result is None else f" -> {self.used(result)}"
        keyword = "" if function.kind is ir.FunctionKind.CONSTRUCTOR else "async func" if function.is_async else "func"
        return f"{keyword}({listed}){arrow}"

    def _is_handle(self, type_: ir.Type) -> bool:
        return isinstance(self._resolve.kind(type_), ir.Own)

    def of(self, keyword: str, *types: ir.Type | None) -> str:
        """A type with the types that it is made of, those at the end left out where they are None."""
        given: list[ir.Type | None] = list(types)
        while given and given[-1] is None:
            given.pop()
        return f"{keyword}<{self._listed(given)}>" if given else keyword

    def _listed(self, types: Sequence[ir.Type | None]) -> str:
        return ", ".join("_" if type_ is None else self.used(type_) for type_ in types)

    def tuple(self, types: Sequence[ir.Type]) -> str:
        """A tuple, which keeps its brackets when it is empty."""
        return f"tuple<{self._listed(types)}>"


_FORMS: dict[type, Callable[[Types, Any], str]] = {
    ir.Alias: lambda t, kind: t.used(kind.target),
    ir.Tuple: lambda t, kind: t.tuple(kind.types),
    ir.Option: lambda t, kind: t.of("option", kind.type),
    ir.Result: lambda t, kind: t.of("result", kind.ok, kind.err),
    ir.List: lambda t, kind: t.of("list", kind.element),
    ir.FixedLengthList: lambda t, kind: f"list<{t.used(kind.element)}, {kind.length}>",
    ir.Map: lambda t, kind: t.of("map", kind.key, kind.value),
    ir.Future: lambda t, kind: t.of("future", kind.type),
    ir.Stream: lambda t, kind: t.of("stream", kind.type),
    ir.Own: lambda t, kind: t.of("own", kind.resource),
    ir.Borrow: lambda t, kind: t.of("borrow", kind.resource),
}

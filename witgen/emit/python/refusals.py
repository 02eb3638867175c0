"""What Python adapters do not carry: async functions, streams, futures and error contexts, refused by name."""

from __future__ import annotations

from witgen import ir
from witgen.diagnostics import WitError
from witgen.resolve.kinds import references

__all__ = ["refuse_unsupported"]

_REFUSED: dict[object, str] = {
    ir.Stream: "streams",
    ir.Future: "futures",
    ir.Primitive.ERROR_CONTEXT: "error contexts",
}


def refuse_unsupported(resolve: ir.Resolve, world: ir.World) -> None:
    """Raises `WitError` for the first item of a world that needs what adapters do not carry, naming it."""
    for items in (world.imports, world.exports):
        for key, item in items.items():
            match item:
                case ir.InterfaceItem(id_):
                    interface = resolve.interfaces[id_]
                    for name, type_ in interface.types.items():
                        _refuse_type(resolve, type_, f"{resolve.link_name(key)}#{name}")
                    for function in interface.functions.values():
                        _refuse_function(resolve, function, f"{resolve.link_name(key)}#{function.name}")
                case ir.FunctionItem(function):
                    _refuse_function(resolve, function, function.name)
                case ir.TypeItem(type_):
                    _refuse_type(resolve, type_, str(key))


def _refuse_function(resolve: ir.Resolve, function: ir.Function, where: str) -> None:
    if function.is_async:
        raise WitError.at(where, "async functions are not supported by the Python emitter yet")
    for type_ in [param.type for param in function.params] + ([] if function.result is None else [function.result]):
        _refuse_type(resolve, type_, where)


def _refuse_type(resolve: ir.Resolve, type_: ir.Type, where: str) -> None:
    pending: list[ir.Type] = [type_]
    seen: set[ir.Type] = set()
    while pending:
        kind = resolve.kind(pending.pop())
        refused = _REFUSED.get(kind if isinstance(kind, ir.Primitive) else type(kind))
        if refused:
            raise WitError.at(where, f"{refused} are not supported by the Python emitter yet")
        if not isinstance(kind, ir.Primitive):
            parts = [part for part in references(kind) if part not in seen]
            seen.update(parts)
            pending += parts

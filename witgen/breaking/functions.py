"""Compares functions: kind, async, parameters, result. It knows functions one by one, not whose they are."""

from __future__ import annotations

from collections.abc import Sequence

from witgen import ir
from witgen.breaking.difference import Pair, Place
from witgen.breaking.uses import is_told, renamed, was_and_is

__all__ = ["compare_function", "words"]

_KINDS = {
    ir.FunctionKind.FREESTANDING: "function",
    ir.FunctionKind.METHOD: "method",
    ir.FunctionKind.STATIC: "static function",
    ir.FunctionKind.CONSTRUCTOR: "constructor",
}


def words(function: ir.Function) -> str:
    """A function as messages name it: ``method `shelf.size` ``."""
    return f"{_KINDS[function.kind]} `{function.name.rpartition(']')[2]}`"


def compare_function(pair: Pair, place: Place, old: ir.Function, new: ir.Function) -> None:
    """Adds the differences between two functions with the same name."""
    what = words(new)
    pair.compare_gates(place, what, old.stability, new.stability)
    if pair.old.digests.function(old) == pair.new.digests.function(new):
        return
    if old.is_async != new.is_async:
        pair.report("function-async-changed", place, f"{what} is {'now' if new.is_async else 'no longer'} async")
    _compare_params(pair, place, what, _params(old), _params(new))
    _compare_results(pair, place, what, old, new)


def _params(function: ir.Function) -> Sequence[ir.Param]:
    """The parameters as they are written; that a method has of itself follows from its kind."""
    return function.params[1:] if function.kind is ir.FunctionKind.METHOD else function.params


def _compare_params(pair: Pair, place: Place, what: str, old: Sequence[ir.Param], new: Sequence[ir.Param]) -> None:
    before, after = {param.name: param.type for param in old}, {param.name: param.type for param in new}
    other_names = renamed(pair, list(before.items()), list(after.items()))
    for name, other in other_names.items():
        message = f"parameter `{name}` of {what} is called `{other}`"
        pair.report("parameter-renamed", (*place, "part", other), message)
    for name in before:
        if name not in after and name not in other_names:
            part = (*place, "part", name)
            pair.report("parameter-removed", part, f"parameter `{name}` of {what} is gone", is_gone=True)
    for name in after:
        if name not in before and name not in other_names.values():
            pair.report("parameter-added", (*place, "part", name), f"parameter `{name}` of {what} is new")
    if [name for name in before if name in after] != [name for name in after if name in before]:
        pair.report("parameters-reordered", place, f"the parameters of {what} stand in another order")
    for name, type_ in before.items():
        if name in after and not is_told(pair, type_, after[name]):
            _report_param(pair, (*place, "part", name), f"parameter `{name}` of {what}", type_, after[name])


def _report_param(pair: Pair, place: Place, what: str, old: ir.Type, new: ir.Type) -> None:
    if pair.old.bare(old) == pair.new.bare(new):
        now = "borrowed" if isinstance(pair.new.resolve.kind(new), ir.Borrow) else "owned"
        pair.report("parameter-ownership-changed", place, f"{what} is {now} now")
    else:
        pair.report("parameter-type-changed", place, f"{what} {was_and_is(pair, old, new)}")


def _compare_results(pair: Pair, place: Place, what: str, old: ir.Function, new: ir.Function) -> None:
    if old.result is None or new.result is None:
        if new.result is not None:
            pair.report("result-added", place, f"{what} returns something: `{pair.new.shown(new.result)}`")
        elif old.result is not None:
            pair.report("result-removed", place, f"{what} returns nothing; it was `{pair.old.shown(old.result)}`")
        return
    if is_told(pair, old.result, new.result):
        return
    could_fail, can_fail = (
        isinstance(model.resolve.kind(result), ir.Result)
        for model, result in ((pair.old, old.result), (pair.new, new.result))
    )
    if new.kind is ir.FunctionKind.CONSTRUCTOR and could_fail != can_fail:
        pair.report("constructor-fallibility-changed", place, f"{what} can {'now' if can_fail else 'no longer'} fail")
    else:
        message = f"the result of {what} {was_and_is(pair, old.result, new.result)}"
        pair.report("result-type-changed", place, message)

"""Compares definitions of types that have the same name in the same interface or world."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from witgen import ir
from witgen.breaking.difference import Difference, Pair, Place
from witgen.breaking.shapes import NOMINAL, Model
from witgen.breaking.uses import Parts, is_told, renamed, was_and_is
from witgen.breaking.versions import links

__all__ = ["compare_definition", "kind_words"]


class _Words(NamedTuple):
    """What the parts of a type are called."""

    one: str
    many: str
    whole: str


_WORDS: dict[type, _Words] = {
    ir.Record: _Words("field", "fields", "record"),
    ir.Variant: _Words("case", "cases", "variant"),
    ir.Enum: _Words("case", "cases", "enum"),
    ir.Flags: _Words("flag", "flags", "flags type"),
}


def kind_words(kind: ir.Kind) -> str:
    """What a definition of that kind is called."""
    return "resource" if isinstance(kind, ir.Resource) else _WORDS[type(kind)].whole if type(kind) in _WORDS else "type"


def compare_definition(pair: Pair, place: Place, old: ir.TypeId, new: ir.TypeId) -> None:
    """Adds the differences between two types at the same place."""
    row, new_row = pair.old.resolve.types[old], pair.new.resolve.types[new]
    what = f"{kind_words(new_row.kind)} `{new_row.name}`"
    pair.compare_gates(place, what, row.stability, new_row.stability)
    is_same = pair.old.text(old) == pair.new.text(new)
    source, new_source = _source(row), _source(new_row)
    if source is not None and new_source is not None and pair.old.named(source) == pair.new.named(new_source):
        _compare_sources(pair, place, what, source, new_source, is_same=is_same)
        return
    if is_same:
        return
    before, after = _definition(pair.old.resolve, old), _definition(pair.new.resolve, new)
    if before is None or after is None:
        _compare_structures(pair, place, what, old, new)
    elif type(before.kind) is not type(after.kind):
        message = f"`{new_row.name}` is a {kind_words(after.kind)}, it was a {kind_words(before.kind)}"
        pair.report("type-kind-changed", place, message)
    elif isinstance(after.kind, ir.Resource):
        message = f"resource `{new_row.name}` is that of {_owner(pair.new.owner(after.owner))}"
        pair.report("resource-moved", place, f"{message}, it was that of {_owner(pair.old.owner(before.owner))}")
    else:
        _compare_nominal(pair, place, what, before, after, pair.new.is_sent(_dealiased(pair.new.resolve, new)))


def _compare_sources(pair: Pair, place: Place, what: str, old: ir.Type, new: ir.Type, *, is_same: bool) -> None:
    """Two aliases of what has the same name: what changed there is told there, if it is of the same package."""
    if isinstance(old, ir.Primitive) or isinstance(new, ir.Primitive):
        return
    before = pair.old.package_of(pair.old.resolve.types[old])
    after = pair.new.package_of(pair.new.resolve.types[new])
    if before is None or after is None or after == pair.new_name:
        return
    if not links(before.version, after.version):
        pair.report("used-version-changed", place, f"{what} comes from `{after}`, it came from `{before}`")
    elif not is_same:
        pair.report("used-type-changed", place, f"{what} is another one in `{after}`")


def _compare_structures(pair: Pair, place: Place, what: str, old: ir.TypeId, new: ir.TypeId) -> None:
    """Two types of which at least one has no definition of its own."""
    kind, new_kind = pair.old.resolve.types[old].kind, pair.new.resolve.types[new].kind
    if isinstance(kind, NOMINAL) or isinstance(new_kind, NOMINAL):
        name = pair.new.resolve.types[new].name
        message = f"`{name}` is {_of_kind(pair.new, new)}, it was {_of_kind(pair.old, old)}"
        pair.report("type-kind-changed", place, message)
    elif pair.old.shape(old) != pair.new.shape(new) and pair.old.unfolded(old) != pair.new.unfolded(new):
        before, after = pair.old.structure(old), pair.new.structure(new)
        now = f"stands for `{after}`, it stood for `{before}`" if before != after else f"stands for another `{after}`"
        pair.report("type-target-changed", place, f"{what} {now}")


def _of_kind(model: Model, type_: ir.TypeId) -> str:
    kind = model.resolve.types[type_].kind
    return f"a {kind_words(kind)}" if isinstance(kind, NOMINAL) else f"another name of `{model.structure(type_)}`"


def _compare_nominal(
    pair: Pair, place: Place, what: str, old: ir.TypeDef, new: ir.TypeDef, sent: tuple[bool, bool]
) -> None:
    """Two definitions of the same kind."""
    found = list(_part_differences(pair, place, what, old.kind, new.kind, sent))
    if old.name == new.name:
        pair.found.extend(found)
    elif found:
        pair.report("type-target-changed", place, f"{what} stands for `{new.name}`, it was `{old.name}`")
    else:
        pair.report("type-renamed", place, f"{what} is called `{new.name}` where it is defined, it was `{old.name}`")


def _part_differences(
    pair: Pair, place: Place, what: str, old: ir.Kind, new: ir.Kind, sent: tuple[bool, bool]
) -> Iterator[Difference]:
    words = _WORDS[type(new)]
    before, after = dict(_parts(old)), dict(_parts(new))
    other_names = renamed(pair, _parts(old), _parts(new))

    def part(name: str) -> tuple[Place, str]:
        return (*place, "part", name), f"{words.one} `{name}` of {what}"

    for name, other in other_names.items():
        yield pair.difference(f"{words.one}-renamed", part(other)[0], f"{part(name)[1]} is called `{other}`")
    for name in before:
        if name not in after and name not in other_names:
            where, text = part(name)
            yield pair.difference(f"{words.one}-removed", where, f"{text} is gone", is_gone=True)
    for name in after:
        if name not in before and name not in other_names.values():
            where, text = part(name)
            yield pair.difference(f"{words.one}-added", where, f"{text} is new", sent=sent)
    if [name for name in before if name in after] != [name for name in after if name in before]:
        yield pair.difference(f"{words.many}-reordered", place, f"the {words.many} of {what} stand in another order")
    for name, type_ in before.items():
        if name in after and not is_told(pair, type_, after[name]):
            where, text = part(name)
            yield pair.difference(f"{words.one}-type-changed", where, f"{text} {_carries(pair, type_, after[name])}")


def _carries(pair: Pair, old: ir.Type | None, new: ir.Type | None) -> str:
    if new is None:
        return f"carries nothing, it carried `{pair.old.shown(old)}`"
    return f"carries `{pair.new.shown(new)}`, it carried nothing" if old is None else was_and_is(pair, old, new)


def _parts(kind: ir.Kind) -> Parts:
    match kind:
        case ir.Record(fields):
            return [(field.name, field.type) for field in fields]
        case ir.Variant(cases):
            return [(case.name, case.type) for case in cases]
        case ir.Enum(labels) | ir.Flags(labels):
            return [(label.name, None) for label in labels]
        case _:
            return []


def _source(row: ir.TypeDef) -> ir.Type | None:
    """What an alias stands for."""
    return row.kind.target if isinstance(row.kind, ir.Alias) else None


def _dealiased(resolve: ir.Resolve, type_: ir.TypeId) -> ir.TypeId:
    found = resolve.dealias(type_)
    assert not isinstance(found, ir.Primitive)
    return found


def _definition(resolve: ir.Resolve, type_: ir.TypeId) -> ir.TypeDef | None:
    """The definition behind a name; None for what is made of other types."""
    found = resolve.dealias(type_)
    row = None if isinstance(found, ir.Primitive) else resolve.types[found]
    return row if row is not None and isinstance(row.kind, NOMINAL) else None


def _owner(name: str) -> str:
    return f"`{name}`" if name else "an interface without a name"

"""Single changes to a resolved model: all kinds that a caller or callee can notice, and one that nobody can.

`mutations` makes one change of each kind that a model has room for, at a place that a `random.Random` chooses. The
changed model need not be one that text can have (a function may name a type that is gone from its interface), but each
of its tables is sound: a type refers to earlier ones only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any, TypeVar

from witgen import ir

__all__ = ["Mutation", "mutations", "shuffled"]

T = TypeVar("T")

NEW = "quite-new"


@dataclass(frozen=True, slots=True)
class Mutation:
    """A changed model, what was done to it, and the rules of which at least one has to tell of it."""

    what: str
    rules: frozenset[str]
    resolve: ir.Resolve


#: Makes the changed model, or None where there is nothing to change in that way.
_Change = Callable[["_Editor"], ir.Resolve | None]


def mutations(resolve: ir.Resolve, random: Random) -> Iterator[Mutation]:
    """One change of each kind."""
    for rules, change in _CHANGES:
        changed = change(_Editor(resolve, random))
        if changed is not None:
            yield Mutation(rules, frozenset(rules.split()), changed)


def shuffled(resolve: ir.Resolve, random: Random) -> ir.Resolve:
    """The model with everything in another order whose order means nothing."""

    def mixed(items: Mapping[Any, T]) -> dict[Any, T]:
        return dict(random.sample(list(items.items()), len(items)))

    return replace(
        resolve,
        interfaces=tuple(
            replace(row, types=mixed(row.types), functions=mixed(row.functions)) for row in resolve.interfaces
        ),
        worlds=tuple(replace(row, imports=mixed(row.imports), exports=mixed(row.exports)) for row in resolve.worlds),
        packages=tuple(
            replace(row, interfaces=mixed(row.interfaces), worlds=mixed(row.worlds)) for row in resolve.packages
        ),
    )


def _with(row: Any, **fields: object) -> Any:
    """A row with other fields, whose names are known only at run time."""
    return replace(row, **fields)


def _without(items: Mapping[Any, T], name: object) -> dict[Any, T]:
    return {key: item for key, item in items.items() if key != name}


class _Editor:
    """Finds places in a model, and makes models in which one thing is another."""

    def __init__(self, resolve: ir.Resolve, random: Random) -> None:
        self.resolve = resolve
        self.random = random

    def pick(self, items: list[T]) -> T | None:
        return self.random.choice(items) if items else None

    def row(self, table: str, index: int, row: object) -> ir.Resolve:
        """The model with another row in a table."""
        rows = list(getattr(self.resolve, table))
        rows[index] = row
        changed: ir.Resolve = _with(self.resolve, **{table: tuple(rows)})
        return changed

    def other(self, type_: ir.Type | None) -> ir.Primitive:
        """A type that is another one."""
        return ir.Primitive.CHAR if type_ is None or self.resolve.kind(type_) is ir.Primitive.F64 else ir.Primitive.F64

    # Interfaces and what is in them; those of packages and those inside worlds

    def interface(self) -> tuple[int, ir.Interface] | None:
        used = {id_ for package in self.resolve.packages for id_ in package.interfaces.values()}
        for world in self.resolve.worlds:
            for key, item in (*world.imports.items(), *world.exports.items()):
                if isinstance(key, str) and isinstance(item, ir.InterfaceItem):
                    used.add(item.id)
        return self.pick([(i, row) for i, row in enumerate(self.resolve.interfaces) if i in used])

    def package(self) -> tuple[int, ir.Package] | None:
        return self.pick(list(enumerate(self.resolve.packages)))

    def function(
        self, fits: Callable[[ir.Function], bool], change: Callable[[ir.Function], ir.Function | None]
    ) -> ir.Resolve | None:
        """The model with a function changed, under its new name; None from `change` removes it."""
        places = [("interfaces", i, "functions", row.functions) for i, row in enumerate(self.resolve.interfaces)]
        found = [(*place, name, function) for place in places for name, function in place[3].items() if fits(function)]
        for i, world in enumerate(self.resolve.worlds):
            for field in ("imports", "exports"):
                items = getattr(world, field)
                found += [
                    ("worlds", i, field, items, key, item.function)
                    for key, item in items.items()
                    if isinstance(item, ir.FunctionItem) and fits(item.function)
                ]
        place = self.pick(found)
        if place is None:
            return None
        table, index, field, items, key, function = place
        new = change(function)
        kept: dict[Any, Any] = _without(items, key) if new is None or new.name != key else dict(items)
        if new is not None:
            kept[new.name] = ir.FunctionItem(new) if table == "worlds" else new
        return self.row(table, index, _with(getattr(self.resolve, table)[index], **{field: kept}))

    def definition(self, kind: type, least: int, change: Callable[[list[Any]], list[Any] | None]) -> ir.Resolve | None:
        """The model with the parts of a definition changed; of those with at least so many."""
        field = _PARTS[kind]
        rows = [
            (i, row)
            for i, row in enumerate(self.resolve.types)
            if isinstance(row.kind, kind) and row.name and len(getattr(row.kind, field)) >= least
        ]
        place = self.pick(rows)
        if place is None:
            return None
        index, row = place
        parts = change(list(getattr(row.kind, field)))
        return None if parts is None else self.row("types", index, replace(row, kind=kind(tuple(parts))))

    def world(self, change: Callable[[ir.World], ir.World | None]) -> ir.Resolve | None:
        place = self.pick(list(enumerate(self.resolve.worlds)))
        new = None if place is None else change(place[1])
        return None if place is None or new is None else self.row("worlds", place[0], new)


_PARTS: dict[type, str] = {ir.Record: "fields", ir.Variant: "cases", ir.Enum: "cases", ir.Flags: "flags"}

# Packages


def _drop_from_package(field: str) -> _Change:
    def change(editor: _Editor) -> ir.Resolve | None:
        place = editor.pick([(i, row) for i, row in enumerate(editor.resolve.packages) if getattr(row, field)])
        if place is None:
            return None
        index, row = place
        name = editor.random.choice(list(getattr(row, field)))
        return editor.row("packages", index, _with(row, **{field: _without(getattr(row, field), name)}))

    return change


def _add_to_package(table: str, make: Callable[[int], Any]) -> _Change:
    def change(editor: _Editor) -> ir.Resolve | None:
        index = editor.random.randrange(len(editor.resolve.packages))
        package = editor.resolve.packages[index]
        rows = getattr(editor.resolve, table)
        grown = editor.row("packages", index, _with(package, **{table: {**getattr(package, table), NEW: len(rows)}}))
        changed: ir.Resolve = _with(grown, **{table: (*rows, make(index))})
        return changed

    return change


def _change_version(editor: _Editor, version: str | None, *, had_one: bool) -> ir.Resolve | None:
    """Of a package with a world: versions show in its digest."""
    rows = [
        (i, row)
        for i, row in enumerate(editor.resolve.packages)
        if row.worlds and (row.name.version is not None) == had_one
    ]
    place = editor.pick(rows)
    if place is None:
        return None
    index, row = place
    return editor.row("packages", index, replace(row, name=replace(row.name, version=version)))


# Worlds


def _drop_item(field: str, kinds: tuple[type, ...]) -> _Change:
    def change(editor: _Editor) -> ir.Resolve | None:
        def drop(world: ir.World) -> ir.World | None:
            key = editor.pick([key for key, item in getattr(world, field).items() if isinstance(item, kinds)])
            return None if key is None else _with(world, **{field: _without(getattr(world, field), key)})

        return editor.world(drop)

    return change


def _add_item(field: str) -> _Change:
    function = ir.Function(NEW, ir.FunctionKind.FREESTANDING, None, (), None)
    return lambda editor: editor.world(
        lambda world: _with(world, **{field: {**getattr(world, field), NEW: ir.FunctionItem(function)}})
    )


def _change_kind_of_item(editor: _Editor) -> ir.Resolve | None:
    def change(world: ir.World) -> ir.World | None:
        key = editor.pick([key for key, item in world.exports.items() if isinstance(item, ir.FunctionItem)])
        return None if key is None else replace(world, exports={**world.exports, key: ir.InterfaceItem(interface)})

    interface = ir.InterfaceId(len(editor.resolve.interfaces))
    changed = editor.world(change)
    empty = ir.Interface(None, {}, {}, ir.PackageId(0))
    return None if changed is None else replace(changed, interfaces=(*changed.interfaces, empty))


def _change_label(editor: _Editor) -> ir.Resolve | None:
    def change(world: ir.World) -> ir.World | None:
        labels = [
            (key, item)
            for key, item in world.imports.items()
            if isinstance(item, ir.InterfaceItem) and isinstance(key, str)
        ]
        label = editor.pick(labels)
        if label is None:
            return None
        key, item = label
        name = editor.resolve.interfaces[item.id].name
        others = [i for i, row in enumerate(editor.resolve.interfaces) if row.name is not None and row.name != name]
        other = editor.pick(others)
        if other is None:
            return None
        return replace(world, imports={**world.imports, key: replace(item, id=ir.InterfaceId(other), implements=True)})

    return editor.world(change)


# Members of interfaces


def _add_function(editor: _Editor) -> ir.Resolve | None:
    place = editor.interface()
    if place is None:
        return None
    index, row = place
    function = ir.Function(NEW, ir.FunctionKind.FREESTANDING, None, (), None)
    return editor.row("interfaces", index, replace(row, functions={**row.functions, NEW: function}))


def _add_type(kind: ir.Kind) -> _Change:
    def change(editor: _Editor) -> ir.Resolve | None:
        place = editor.interface()
        if place is None:
            return None
        index, row = place
        id_ = ir.TypeId(len(editor.resolve.types))
        definition = ir.TypeDef(NEW, kind, ir.InterfaceOwner(ir.InterfaceId(index)))
        grown = editor.row("interfaces", index, replace(row, types={**row.types, NEW: id_}))
        return replace(grown, types=(*grown.types, definition))

    return change


def _drop_type(editor: _Editor) -> ir.Resolve | None:
    place = editor.pick([(i, row) for i, row in enumerate(editor.resolve.interfaces) if row.types])
    if place is None:
        return None
    index, row = place
    name = editor.random.choice(list(row.types))
    return editor.row("interfaces", index, replace(row, types=_without(row.types, name)))


def _own_types(editor: _Editor) -> list[tuple[int, ir.TypeDef]]:
    """The types with names that are defined, not brought in from elsewhere."""
    return [
        (i, row)
        for i, row in enumerate(editor.resolve.types)
        if row.name is not None and not isinstance(row.kind, ir.Resource | ir.Alias)
    ]


def _change_kind_of_type(editor: _Editor) -> ir.Resolve | None:
    place = editor.pick([(i, row) for i, row in _own_types(editor) if type(row.kind) in _PARTS])
    if place is None:
        return None
    index, row = place
    label = ir.Label("x")
    other: ir.Kind = ir.Flags((label,)) if isinstance(row.kind, ir.Enum) else ir.Enum((label,))
    return editor.row("types", index, replace(row, kind=other))


def _change_target(editor: _Editor) -> ir.Resolve | None:
    rows = [
        (i, row)
        for i, row in enumerate(editor.resolve.types)
        if isinstance(row.kind, ir.Alias) and isinstance(row.kind.target, ir.Primitive)
    ]
    place = editor.pick(rows)
    if place is None:
        return None
    index, row = place
    assert isinstance(row.kind, ir.Alias)
    return editor.row("types", index, replace(row, kind=ir.Alias(editor.other(row.kind.target))))


# Functions


def _is_any(function: ir.Function) -> bool:
    return True


def _is_plain(function: ir.Function) -> bool:
    return function.kind is not ir.FunctionKind.CONSTRUCTOR


def _own_params(function: ir.Function) -> list[ir.Param]:
    return list(function.params[1:] if function.kind is ir.FunctionKind.METHOD else function.params)


def _with_params(function: ir.Function, params: list[ir.Param]) -> ir.Function:
    count = len(function.params) - len(_own_params(function))
    return replace(function, params=(*function.params[:count], *params))


def _params(least: int, change: Callable[[_Editor, list[ir.Param]], list[ir.Param]]) -> _Change:
    return lambda editor: editor.function(
        lambda function: len(_own_params(function)) >= least,
        lambda function: _with_params(function, change(editor, _own_params(function))),
    )


def _retyped(editor: _Editor, params: list[ir.Param]) -> list[ir.Param]:
    i = editor.random.randrange(len(params))
    return [*params[:i], replace(params[i], type=editor.other(params[i].type)), *params[i + 1 :]]


def _lend(editor: _Editor) -> ir.Resolve | None:
    """A parameter that was owned is borrowed."""
    types = editor.resolve.types

    def owned(function: ir.Function) -> list[int]:
        kinds = [(i, editor.resolve.kind(param.type)) for i, param in enumerate(function.params)]
        return [i for i, kind in kinds if isinstance(kind, ir.Own)]

    added: list[ir.TypeDef] = []

    def lend(function: ir.Function) -> ir.Function:
        i = editor.random.choice(owned(function))
        kind = editor.resolve.kind(function.params[i].type)
        assert isinstance(kind, ir.Own)
        added.append(ir.TypeDef(None, ir.Borrow(kind.resource), None))
        params = list(function.params)
        params[i] = replace(params[i], type=ir.TypeId(len(types)))
        return replace(function, params=tuple(params))

    changed = editor.function(lambda function: bool(owned(function)), lend)
    return None if changed is None else replace(changed, types=(*changed.types, *added))


def _flip_kind(editor: _Editor) -> ir.Resolve | None:
    names = {name for row in editor.resolve.interfaces for name in row.functions}
    names |= {str(key) for world in editor.resolve.worlds for key in world.imports}
    kinds = {ir.FunctionKind.METHOD: ir.FunctionKind.STATIC, ir.FunctionKind.STATIC: ir.FunctionKind.METHOD}

    def flipped(function: ir.Function) -> ir.Function:
        kind = kinds[function.kind]
        return replace(function, kind=kind, name=f"[{kind.value}]{function.name.partition(']')[2]}")

    # Functions of a world are told as imports.
    return editor.function(
        lambda f: f.kind in kinds and flipped(f).name not in names and not _is_of_world(editor.resolve, f), flipped
    )


def _is_of_world(resolve: ir.Resolve, function: ir.Function) -> bool:
    return function.resource is not None and isinstance(resolve.types[function.resource].owner, ir.WorldOwner)


def _makes_handle(resolve: ir.Resolve, function: ir.Function) -> bool:
    """Whether this is a constructor that can't fail."""
    result = function.result
    is_constructor = function.kind is ir.FunctionKind.CONSTRUCTOR
    return is_constructor and result is not None and isinstance(resolve.kind(result), ir.Own)


def _make_fallible(editor: _Editor) -> ir.Resolve | None:
    added = len(editor.resolve.types)
    results: list[ir.TypeDef] = []

    def change(function: ir.Function) -> ir.Function:
        results.append(ir.TypeDef(None, ir.Result(function.result, ir.Primitive.STRING), None))
        return replace(function, result=ir.TypeId(added))

    changed = editor.function(lambda f: _makes_handle(editor.resolve, f), change)
    return None if changed is None else replace(changed, types=(*changed.types, *results))


# Parts of definitions


def _renamed(parts: list[Any]) -> list[Any]:
    return [replace(parts[0], name=NEW), *parts[1:]]


def _swapped(parts: list[Any]) -> list[Any]:
    return [parts[-1], *parts[1:-1], parts[0]]


def _retype_part(kind: type) -> _Change:
    return lambda editor: editor.definition(
        kind, 1, lambda parts: [*parts[:-1], replace(parts[-1], type=editor.other(parts[-1].type))]
    )


def _part_changes() -> Iterator[tuple[str, _Change]]:
    for kind, one, many in (
        (ir.Record, "field", "fields"),
        (ir.Variant, "case", "cases"),
        (ir.Enum, "case", "cases"),
        (ir.Flags, "flag", "flags"),
    ):
        new = ir.Field(NEW, ir.Primitive.U8) if kind is ir.Record else ir.Case(NEW, None)
        new = ir.Label(NEW) if kind in (ir.Enum, ir.Flags) else new  # type: ignore[assignment]
        for rule, least, change in (
            (f"{one}-added", 0, lambda parts, new=new: [*parts, new]),
            (f"{one}-added", 1, lambda parts, new=new: [parts[0], new, *parts[1:]]),
            (f"{one}-removed", 2, lambda parts: parts[1:]),
            (f"{one}-renamed", 1, _renamed),
            (f"{many}-reordered", 2, _swapped),
        ):
            yield rule, lambda editor, k=kind, n=least, c=change: editor.definition(k, n, c)  # type: ignore[misc]
    yield "field-type-changed", _retype_part(ir.Record)
    yield "case-type-changed", _retype_part(ir.Variant)


#: The rules of which one has to tell of it, and the change.
_CHANGES: tuple[tuple[str, _Change], ...] = (
    ("interface-removed", _drop_from_package("interfaces")),
    ("world-removed", _drop_from_package("worlds")),
    ("interface-added", _add_to_package("interfaces", lambda i: ir.Interface(NEW, {}, {}, ir.PackageId(i)))),
    ("world-added", _add_to_package("worlds", lambda i: ir.World(NEW, {}, {}, ir.PackageId(i)))),
    ("version-removed", lambda editor: _change_version(editor, None, had_one=True)),
    ("version-added", lambda editor: _change_version(editor, "0.1.0", had_one=False)),
    ("version-lowered", lambda editor: _change_version(editor, "0.0.1", had_one=True)),
    ("import-removed", _drop_item("imports", (ir.InterfaceItem, ir.FunctionItem))),
    ("export-removed", _drop_item("exports", (ir.InterfaceItem, ir.FunctionItem))),
    ("type-removed", _drop_item("imports", (ir.TypeItem,))),
    ("import-added", _add_item("imports")),
    ("export-added", _add_item("exports")),
    ("item-kind-changed", _change_kind_of_item),
    ("label-interface-changed", _change_label),
    ("function-added exported-function-added", _add_function),
    ("function-removed import-removed export-removed", lambda editor: editor.function(_is_any, lambda f: None)),
    ("type-added exported-type-added", _add_type(ir.Record((ir.Field("x", ir.Primitive.U8),)))),
    ("type-added exported-type-added", _add_type(ir.Alias(ir.Primitive.U8))),
    ("resource-added exported-resource-added", _add_type(ir.Resource())),
    ("type-removed", _drop_type),
    ("type-kind-changed", _change_kind_of_type),
    ("type-target-changed", _change_target),
    ("function-kind-changed", _flip_kind),
    (
        "function-async-changed",
        lambda editor: editor.function(_is_plain, lambda f: replace(f, is_async=not f.is_async)),
    ),
    ("parameter-added", _params(0, lambda editor, params: [*params, ir.Param(NEW, ir.Primitive.U8)])),
    ("parameter-removed", _params(1, lambda editor, params: params[:-1])),
    ("parameter-renamed", _params(1, lambda editor, params: _renamed(params))),
    ("parameters-reordered", _params(2, lambda editor, params: _swapped(params))),
    ("parameter-type-changed", _params(1, _retyped)),
    ("parameter-ownership-changed", _lend),
    (
        "result-added",
        lambda editor: editor.function(
            lambda f: f.result is None and _is_plain(f), lambda f: replace(f, result=ir.Primitive.U8)
        ),
    ),
    (
        "result-removed",
        lambda editor: editor.function(
            lambda f: f.result is not None and _is_plain(f), lambda f: replace(f, result=None)
        ),
    ),
    (
        "result-type-changed",
        lambda editor: editor.function(
            lambda f: f.result is not None and _is_plain(f), lambda f: replace(f, result=editor.other(f.result))
        ),
    ),
    ("constructor-fallibility-changed", _make_fallible),
    *_part_changes(),
)

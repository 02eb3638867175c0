"""The imports and exports of a world one by one, each with types of its own where they are not those of another.

An interface can stand in a world several times: imported and exported, or under several labels. A resource is another
type each time, though it has one name in WIT, and so is all that holds one. `divide` gives each such side rows of its
own in the model, so that a row means one Python class and one entry of the handle tables; what holds no resource stays
one row. It knows which types differ, and nothing of how they are written.

What an interface uses of another one comes from where that is exported by its own name, if the user is an export, and
from where it is imported by its own name otherwise (`WIT.md`, "World Imports and Exports").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from witgen import ir
from witgen.resolve.kinds import convert_kind

__all__ = ["Mark", "Side", "Sides", "divide"]


@dataclass(frozen=True, slots=True)
class Side:
    """An interface as a world imports or exports it: its name there, the interface with the types of this side."""

    key: ir.WorldKey
    id: ir.InterfaceId
    exported: bool

    @property
    def label(self) -> str:
        """The plain name by which the world knows it; nothing where that is the interface's own."""
        return self.key if isinstance(self.key, str) else ""


@dataclass(frozen=True, slots=True)
class Mark:
    """What tells the row of one side from that of the others: the label of an export, or that it is imported."""

    label: str = ""
    imported: bool = False


@dataclass(slots=True)
class Sides:
    """A world with its sides, in the order of its imports and exports, and the model that they refer to.

    `twins` are rows that differ from another one in the resource types behind their handles alone, as those of two
    imports of an interface do: in Python they are the same. Rows without a mark have their name for themselves.
    """

    resolve: ir.Resolve
    imports: list[Side] = field(default_factory=list)
    exports: list[Side] = field(default_factory=list)
    twins: dict[ir.TypeId, ir.TypeId] = field(default_factory=dict)
    interface_twins: dict[ir.InterfaceId, ir.InterfaceId] = field(default_factory=dict)
    marks: dict[ir.TypeId, Mark] = field(default_factory=dict)
    interface_marks: dict[ir.InterfaceId, Mark] = field(default_factory=dict)

    def interfaces(self) -> list[ir.InterfaceId]:
        """The interfaces of all sides, those of imports first; twins are left out."""
        ids = dict.fromkeys(side.id for side in (*self.imports, *self.exports))
        return [id_ for id_ in ids if id_ not in self.interface_twins]


def divide(resolve: ir.Resolve, world: ir.WorldId) -> Sides:
    """The sides of a world. The model that comes with them begins with the rows of `resolve`, as they are."""
    row = resolve.worlds[world]
    imports, exports = list(_sides(row.imports, False)), list(_sides(row.exports, True))
    several = _several([side.id for side in (*imports, *exports)])
    if not any(_defines_resource(resolve, id_) for id_ in several):
        return Sides(resolve, imports, exports)
    return _Divider(resolve, imports, exports).divided()


def _sides(items: Mapping[ir.WorldKey, ir.WorldItem], exported: bool) -> Iterator[Side]:
    for key, item in items.items():
        if isinstance(item, ir.InterfaceItem):
            yield Side(key, item.id, exported)


def _several(ids: Sequence[ir.InterfaceId]) -> set[ir.InterfaceId]:
    return {id_ for id_ in ids if ids.count(id_) > 1}


def _defines_resource(resolve: ir.Resolve, id_: ir.InterfaceId) -> bool:
    return any(isinstance(resolve.types[type_].kind, ir.Resource) for type_ in resolve.interfaces[id_].types.values())


_Changed = dict[ir.TypeId, ir.TypeId]
_Row = TypeVar("_Row", ir.TypeId, ir.InterfaceId)


class _Divider:
    """Goes through the types once, in the order of the table, in which a type refers to earlier ones alone."""

    def __init__(self, resolve: ir.Resolve, imports: list[Side], exports: list[Side]) -> None:
        self._resolve = resolve
        self._types = list(resolve.types)
        self._interfaces = list(resolve.interfaces)
        self._imports, self._exports = imports, exports
        # The import by an interface's own name keeps the rows: the types of the world itself are those.
        first = [side for side in imports if side.key == side.id]
        self._sides = list(dict.fromkeys([*first, *imports, *exports]))
        self._of_interface: dict[ir.InterfaceId, list[Side]] = {}
        for side in self._sides:
            self._of_interface.setdefault(side.id, []).append(side)
        #: For each side the rows that are others than in the model that was given.
        self._changed: dict[Side, _Changed] = {side: {} for side in self._sides}
        self._made: dict[tuple[ir.TypeId, ir.Kind], ir.TypeId] = {}
        self._made_interfaces: dict[object, ir.InterfaceId] = {}

    def divided(self) -> Sides:
        """The world with its sides told apart."""
        for number, definition in enumerate(self._resolve.types):
            self._divide_type(ir.TypeId(number), definition)
        found = Sides(self._resolve)
        now = {side: replace(side, id=self._interface(side)) for side in self._sides}
        found.imports = [now[side] for side in self._imports]
        found.exports = [now[side] for side in self._exports]
        for id_, sides in self._of_interface.items():
            self._compare(sides, [now[side].id for side in sides], found.interface_twins, found.interface_marks)
            for type_ in self._resolve.interfaces[id_].types.values():
                versions = [self._version(side, type_) for side in sides]
                self._compare(sides, versions, found.twins, found.marks)
        found.resolve = replace(self._resolve, types=tuple(self._types), interfaces=tuple(self._interfaces))
        return found

    def _divide_type(self, id_: ir.TypeId, definition: ir.TypeDef) -> None:
        match definition.owner:
            case ir.InterfaceOwner(owner):
                for side in self._of_interface.get(owner, []):
                    self._place(side, id_, definition)
                for side in self._sides:
                    if side.id != owner:
                        self._note(side, id_, self._used_by(side, owner, id_))
            case None:
                for side in self._sides:
                    self._place(side, id_, definition)
            case _:
                pass

    def _place(self, side: Side, id_: ir.TypeId, definition: ir.TypeDef) -> None:
        """Makes the row of a type for the side that defines it, where it has to be another one."""
        kind = definition.kind
        if isinstance(kind, ir.Resource):
            if side != self._of_interface[side.id][0]:
                self._note(side, id_, self._add(definition))
            return
        kind = convert_kind(kind, lambda type_, _: self._type(side, type_))
        if kind == definition.kind:
            return
        if (id_, kind) not in self._made:
            self._made[id_, kind] = self._add(replace(definition, kind=kind))
        self._note(side, id_, self._made[id_, kind])

    def _add(self, definition: ir.TypeDef) -> ir.TypeId:
        self._types.append(definition)
        return ir.TypeId(len(self._types) - 1)

    def _note(self, side: Side, id_: ir.TypeId, new: ir.TypeId) -> None:
        if new != id_:
            self._changed[side][id_] = new

    def _used_by(self, side: Side, owner: ir.InterfaceId, id_: ir.TypeId) -> ir.TypeId:
        """The row of another interface's type, as `side` sees it."""
        for exported in (True, False) if side.exported else (False,):
            home = Side(owner, owner, exported)
            if home in self._changed:
                return self._version(home, id_)
        return id_

    def _version(self, side: Side, id_: ir.TypeId) -> ir.TypeId:
        return self._changed[side].get(id_, id_)

    def _type(self, side: Side, type_: ir.Type) -> ir.Type:
        return type_ if isinstance(type_, ir.Primitive) else self._version(side, type_)

    def _interface(self, side: Side) -> ir.InterfaceId:
        """The interface with the types of a side: a new row if any of them is another one."""
        old = self._resolve.interfaces[side.id]
        types = {name: self._version(side, type_) for name, type_ in old.types.items()}
        functions = {name: self._function(side, function) for name, function in old.functions.items()}
        new = replace(old, types=types, functions=functions)
        if new == old:
            return side.id
        key = (side.id, tuple(types.values()), tuple(functions.values()))
        if key not in self._made_interfaces:
            self._interfaces.append(new)
            self._made_interfaces[key] = ir.InterfaceId(len(self._interfaces) - 1)
        return self._made_interfaces[key]

    def _function(self, side: Side, function: ir.Function) -> ir.Function:
        return replace(
            function,
            params=tuple(replace(param, type=self._type(side, param.type)) for param in function.params),
            result=None if function.result is None else self._type(side, function.result),
            resource=None if function.resource is None else self._version(side, function.resource),
        )

    @staticmethod
    def _compare(sides: list[Side], versions: list[_Row], twins: dict[_Row, _Row], marks: dict[_Row, Mark]) -> None:
        """Notes of the rows that stand for one thing on these sides which are twins, and how the others differ."""
        imported = [row for side, row in zip(sides, versions, strict=True) if not side.exported]
        exported = {row: side.label for side, row in zip(sides, versions, strict=True) if side.exported}
        for row in imported[1:]:
            if row != imported[0]:
                twins[row] = imported[0]
        if imported and exported and imported[0] not in exported:
            marks[imported[0]] = Mark(imported=True)
        if len(exported) > 1:
            marks.update({row: Mark(label=label) for row, label in exported.items() if label})

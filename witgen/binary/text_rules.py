"""What WIT text can't say, though types and their uses fit: the rules of the language that binaries don't have.

A type is said by a name of the interface or world where it is used, so that what is from elsewhere needs an alias
there. Interfaces and packages can't use each other in a circle, nor can an export see an interface both imported and
exported. Whoever needs text of a binary holds it against these rules; who only calls what is in it need not.

It knows the resolved model and its rows in the making; where they come from, `builder` knows.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from witgen import ir
from witgen.binary.errors import Budget, NoWorldError, quoted
from witgen.binary.limits import with_resources
from witgen.binary.tables import InterfaceRow, TypeNames, WorldRow

__all__ = ["WitRules"]

K = TypeVar("K", bound=Hashable)

_MAP_KEYS = frozenset(ir.Primitive) - {ir.Primitive.F32, ir.Primitive.F64, ir.Primitive.ERROR_CONTEXT}


class Dependencies(Generic[K]):
    """Who depends on whom, as long as nobody depends on itself. `steps` is the budget of looking that up."""

    def __init__(self, steps: Budget) -> None:
        self._steps = steps
        self._used: dict[K, dict[K, None]] = {}
        self._is_used: set[K] = set()

    def add(self, user: K, used: K, offset: int) -> bool:
        """Notes that `user` depends on `used`; false where that would close a circle, and is not noted."""
        if user == used or used in self._used.get(user, ()):
            return True
        # Nobody depends on most that are new, so that most circles need not be looked for.
        if user in self._is_used and user in self.closure([used], offset):
            return False
        self._used.setdefault(user, {})[used] = None
        self._is_used.add(used)
        return True

    def closure(self, roots: Iterable[K], offset: int) -> dict[K, None]:
        """All that `roots` depend on, themselves included."""
        found = dict.fromkeys(roots)
        pending = list(found)
        while pending:
            self._steps.spend(1, offset)
            for each in self._used.get(pending.pop(), ()):
                if each not in found:
                    found[each] = None
                    pending.append(each)
        return found


@dataclass(frozen=True, slots=True)
class _Uses:
    """The types that an item uses, and the names that its owner has for types."""

    owner: ir.Owner
    table: TypeNames
    name: str
    types: tuple[ir.Type | None, ...]
    offset: int


class WitRules:
    """The rules, and what of the rows they have seen. Each method raises `NoWorldError` where one is not kept."""

    def __init__(
        self, rows: Sequence[InterfaceRow], worlds: Sequence[WorldRow], types: Sequence[ir.TypeDef], parts: Budget
    ) -> None:
        self._rows = rows
        self._worlds = worlds
        self._types = types
        self._parts = parts
        self._packages: Dependencies[ir.PackageName] = Dependencies(parts)
        self._interfaces: Dependencies[str] = Dependencies(parts)
        self._pending: list[_Uses] = []
        self._world_names: set[tuple[ir.PackageName, str | None]] = set()
        self._known_worlds = 0

    def begin(self) -> None:
        """Begins with another import or export."""
        self._pending = []

    def settle(self) -> None:
        """Looks at the names of the types that the items of an import or export use, now that all are known."""
        for uses in self._pending:
            for id_ in self._named(uses):
                used = self._types[id_]
                if used.owner is not None and used.owner != uses.owner and not self._knows(uses, id_):
                    raise NoWorldError(
                        f"no world can have {quoted(uses.name)}, which uses {quoted(used.name or '')} of "
                        f"{self._shown(used.owner)} without bringing that name in",
                        uses.offset,
                    )

    def check_kind(self, kind: ir.Kind, offset: int) -> None:
        """Looks at the definition of a type."""
        if isinstance(kind, ir.Map) and kind.key not in _MAP_KEYS:
            raise NoWorldError("no world can have a map whose keys are neither text nor integers nor truths", offset)

    def check_type(self, owner: ir.Owner, table: TypeNames, name: str, kind: ir.Kind, offset: int) -> None:
        """Looks at a type that an interface or world has in its table of types."""
        self.check_kind(kind, offset)
        if isinstance(kind, ir.Alias):
            target = None if isinstance(kind.target, ir.Primitive) else self._types[kind.target].owner
            if target is not None and target != owner:
                self._check_use(owner, target, name, offset)
        else:
            self._pending.append(_Uses(owner, table, name, with_resources(kind), offset))

    def check_function(self, owner: ir.Owner, table: TypeNames, function: ir.Function, offset: int) -> None:
        """Looks at a function of an interface or world."""
        types = (*(param.type for param in function.params), function.result)
        self._pending.append(_Uses(owner, table, function.name, types, offset))
        if function.resource is not None:
            kind = self._types[function.resource].kind
            if isinstance(kind, ir.Alias) and not self._is_same_interface(owner, kind):
                raise NoWorldError(
                    f"no world can have {quoted(function.name)}, whose resource is defined elsewhere", offset
                )

    def _named(self, uses: _Uses) -> Iterator[ir.TypeId]:
        """The types with a name that one has to say to say what is used."""
        pending = list(uses.types)
        seen: set[ir.Type | None] = set()
        while pending:
            type_ = pending.pop()
            if not isinstance(type_, int) or type_ in seen:
                continue
            seen.add(type_)
            self._parts.spend(1, uses.offset)
            if self._types[type_].name is not None:
                yield type_
            else:
                pending += with_resources(self._types[type_].kind)

    def _knows(self, uses: _Uses, id_: ir.TypeId) -> bool:
        """Whether the owner has the same type under the same name."""
        own = uses.table.get(self._types[id_].name or "")
        while own is not None and own != id_:
            kind = self._types[own].kind
            own = kind.target if isinstance(kind, ir.Alias) and not isinstance(kind.target, ir.Primitive) else None
        return own is not None

    def _is_same_interface(self, owner: ir.Owner, kind: ir.Alias) -> bool:
        """Whether the type behind an alias is of the interface that has the alias: imported, and exported again."""
        target = None if isinstance(kind.target, ir.Primitive) else self._types[kind.target].owner
        if not isinstance(owner, ir.InterfaceOwner) or not isinstance(target, ir.InterfaceOwner):
            return False
        name = self._rows[owner.id].link_name
        return name is not None and name == self._rows[target.id].link_name

    def _check_use(self, owner: ir.Owner, target: ir.Owner, name: str, offset: int) -> None:
        """Looks at a ``use``, which is what an alias of a type of another owner is."""
        used = self._rows[target.id] if isinstance(target, ir.InterfaceOwner) else None
        if used is None or used.link_name is None:
            raise NoWorldError(
                f"no world can have {quoted(name)}, a type of {self._shown(target)} used elsewhere", offset
            )
        if isinstance(owner, ir.WorldOwner):
            self._check_package(self._worlds[owner.id].package, used.package, offset)
            return
        user = self._rows[owner.id]
        self._check_package(user.package, used.package, offset)
        if user.link_name is not None and not self._interfaces.add(user.link_name, used.link_name, offset):
            raise NoWorldError(f"no world can have {quoted(user.link_name)}, which depends on itself", offset)

    def check_interface(self, world: ir.WorldId, row: InterfaceRow, offset: int) -> None:
        """Looks at an interface that a world imports or exports."""
        self._check_package(self._worlds[world].package, row.package, offset)
        for each in self._worlds[self._known_worlds :]:
            self._world_names.add((each.package, each.name))
        self._known_worlds = len(self._worlds)
        if (row.package, row.name) in self._world_names:
            raise NoWorldError(f"no world can have {quoted(row.link_name or '')}, as a world has this name", offset)

    def _check_package(self, user: ir.PackageName, used: ir.PackageName, offset: int) -> None:
        if not self._packages.add(user, used, offset):
            raise NoWorldError(f"no world can have the package {quoted(str(user))}, which depends on itself", offset)

    def check_export(self, row: InterfaceRow, exported: Collection[str], offset: int) -> None:
        """Looks at an interface that a world exports beside others, `exported` by their link names.

        What it uses is either exported, or imported with all that this uses in turn, of which nothing may be exported:
        for then it would be seen twice.
        """
        imported = [name for name in self._used_by(row) if name not in exported]
        for name in self._interfaces.closure(imported, offset):
            if name in exported:
                raise NoWorldError(
                    f"no world can have this export, which uses {quoted(name)} both as an import and as an export",
                    offset,
                )

    def _used_by(self, row: InterfaceRow) -> Iterator[str]:
        """The other interfaces from which an interface uses types."""
        for type_ in row.types.values():
            kind = self._types[type_].kind
            if isinstance(kind, ir.Alias) and not isinstance(kind.target, ir.Primitive):
                owner = self._types[kind.target].owner
                name = self._rows[owner.id].link_name if isinstance(owner, ir.InterfaceOwner) else None
                if name is not None and name != row.link_name:
                    yield name

    def _shown(self, owner: ir.Owner) -> str:
        if isinstance(owner, ir.WorldOwner):
            return "the world"
        name = self._rows[owner.id].link_name
        return "an interface inside the world" if name is None else quoted(name)

"""Types as texts, by two measures: what they are made of, and which definitions they name.

The first is the text of digests: equal texts are types that nobody can tell apart. The second names each definition by
its place (``ns:pkg/interface.name``): where only the first differs, what has changed is a definition that is compared
where it stands, so that a change is told once and not at each of its uses.
"""

from __future__ import annotations

import hashlib

from witgen import ir
from witgen.contract.digest import Digests
from witgen.printer.types import Types
from witgen.resolve.kinds import references

__all__ = ["NOMINAL", "Model"]

#: Kinds whose name is part of what a caller sees.
NOMINAL = (ir.Record, ir.Variant, ir.Enum, ir.Flags, ir.Resource)

_LONGEST_TEXT = 1_000


class Model:
    """A resolved model with what comparing asks of it; each answer is worked out once."""

    def __init__(self, resolve: ir.Resolve) -> None:
        self.resolve = resolve
        self.digests = Digests(resolve)
        self._printed = Types(resolve)
        self._inline = dict(_inline_names(resolve))
        self._shapes: list[str] = []
        self._names: list[str] = []
        self._sent: tuple[list[bool], list[bool]] | None = None

    def package(self, name: ir.PackageName) -> ir.Package:
        """The package of that name."""
        return next(package for package in self.resolve.packages if package.name == name)

    # Which definitions a type names

    def shape(self, type_: ir.Type | None) -> str:
        """A type as text in which definitions stand by their places; aliases are not seen."""
        return self._written(type_, self._shapes, sees_aliases=False)

    def named(self, type_: ir.Type | None) -> str:
        """As `shape`, but aliases too stand by their places."""
        return self._written(type_, self._names, sees_aliases=True)

    def unfolded(self, type_: ir.TypeId) -> str:
        """What an alias, or a name of a structure, stands for: its parts as `named` has them."""
        kind = self.resolve.types[type_].kind
        if isinstance(kind, ir.Alias):
            return self.named(kind.target)
        return _structure(kind, [self.named(part) for part in _parts(kind)])

    def _written(self, type_: ir.Type | None, texts: list[str], *, sees_aliases: bool) -> str:
        if type_ is None:
            return "_"
        if isinstance(type_, ir.Primitive):
            return type_.value
        # A type refers to earlier ones only.
        while len(texts) <= type_:
            row = self.resolve.types[len(texts)]
            if row.name is not None and (sees_aliases or isinstance(row.kind, NOMINAL)):
                texts.append(f"{self.owner(row.owner)}.{row.name}")
            elif isinstance(row.kind, ir.Alias):
                texts.append(self._written(row.kind.target, texts, sees_aliases=sees_aliases))
            else:
                texts.append(_structure(row.kind, [self._earlier(part, texts) for part in _parts(row.kind)]))
        return texts[type_]

    @staticmethod
    def _earlier(type_: ir.Type | None, texts: list[str]) -> str:
        return "_" if type_ is None else type_.value if isinstance(type_, ir.Primitive) else texts[type_]

    def owner(self, owner: ir.Owner | None) -> str:
        """The place of definitions, without a version: that of an interface, or of a world."""
        match owner:
            case ir.InterfaceOwner(id_):
                return self.interface_name(id_)
            case ir.WorldOwner(world):
                row = self.resolve.worlds[world]
                return _unversioned(self.resolve.packages[row.package].name).interface(row.name)
            case _:
                return ""

    def interface_name(self, id_: ir.InterfaceId) -> str:
        """``ns:pkg/interface``; of one that stands in a world the name of the world and its own there."""
        row = self.resolve.interfaces[id_]
        if row.name is None:
            return self._inline.get(id_, "")
        return _unversioned(self.resolve.packages[row.package].name).interface(row.name)

    def package_of(self, definition: ir.TypeDef) -> ir.PackageName | None:
        """The package in which a type is defined."""
        match definition.owner:
            case ir.InterfaceOwner(id_):
                return self.resolve.packages[self.resolve.interfaces[id_].package].name
            case ir.WorldOwner(world):
                return self.resolve.packages[self.resolve.worlds[world].package].name
            case _:
                return None

    # What a type is

    def text(self, type_: ir.Type | None) -> str:
        """A type as digests write it; equal texts are types that nobody can tell apart."""
        return "_" if type_ is None else self.digests.type(type_)

    def shown(self, type_: ir.Type | None) -> str:
        """A type as it is written, for messages."""
        return "_" if type_ is None else self._printed.used(type_)

    def structure(self, type_: ir.Type) -> str:
        """A type as it is written, without its own name where that stands for another type."""
        if isinstance(type_, ir.Primitive):
            return type_.value
        row = self.resolve.types[type_]
        if isinstance(row.kind, ir.Alias):
            return self.shown(row.kind.target)
        return self.shown(type_) if isinstance(row.kind, NOMINAL) else self._printed.defined(row.kind)

    def bare(self, type_: ir.Type) -> str:
        """The shape of a type with borrowed handles as owned ones."""
        kind = self.resolve.kind(type_)
        if isinstance(kind, ir.Own | ir.Borrow):
            return f"Own<{self.shape(kind.resource)}>"
        return self.shape(type_)

    # Which side gets values of a type

    def is_sent(self, id_: ir.TypeId) -> tuple[bool, bool]:
        """Whether values of a definition go to implementers (in parameters), and whether to callers (in results).

        Both, where no function has it.
        """
        if self._sent is None:
            self._sent = self._directions()
        found = self._sent[0][id_], self._sent[1][id_]
        return found if any(found) else (True, True)

    def _directions(self) -> tuple[list[bool], list[bool]]:
        count = len(self.resolve.types)
        params, results = [False] * count, [False] * count
        for function in self._functions():
            for param in function.params:
                if not isinstance(param.type, ir.Primitive):
                    params[param.type] = True
            if function.result is not None and not isinstance(function.result, ir.Primitive):
                results[function.result] = True
        for marks in (params, results):
            # A type refers to earlier ones only.
            for i in range(count - 1, -1, -1):
                if marks[i]:
                    for part in references(self.resolve.types[i].kind):
                        if not isinstance(part, ir.Primitive):
                            marks[part] = True
        return params, results

    def _functions(self) -> list[ir.Function]:
        found = [function for interface in self.resolve.interfaces for function in interface.functions.values()]
        for world in self.resolve.worlds:
            found += self.resolve.world_functions(world.imports)
            found += self.resolve.world_functions(world.exports)
        return found


def _structure(kind: ir.Kind, parts: list[str]) -> str:
    length = f",{kind.length}" if isinstance(kind, ir.FixedLengthList) else ""
    text = f"{type(kind).__name__}<{','.join(parts)}{length}>"
    return text if len(text) <= _LONGEST_TEXT else hashlib.sha256(text.encode()).hexdigest()


def _parts(kind: ir.Kind) -> list[ir.Type | None]:
    """The types that an anonymous type is made of; None for those that are left out, at their places."""
    match kind:
        case ir.Result(ok, err):
            return [ok, err]
        case ir.Future(part) | ir.Stream(part):
            return [part]
        case _:
            return list(references(kind))


def _unversioned(name: ir.PackageName) -> ir.PackageName:
    return ir.PackageName(name.namespace, name.name)


def _inline_names(resolve: ir.Resolve) -> list[tuple[ir.InterfaceId, str]]:
    found = []
    for world in resolve.worlds:
        name = _unversioned(resolve.packages[world.package].name).interface(world.name)
        for direction, items in (("import", world.imports), ("export", world.exports)):
            for key, item in items.items():
                if isinstance(item, ir.InterfaceItem) and resolve.interfaces[item.id].name is None:
                    found.append((item.id, f"{name}#{direction}:{key}"))
    return found

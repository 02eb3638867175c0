"""Completes worlds: carries out ``include`` and spells out every import that another item implies.

See design/mvp/WIT.md, "Union of Worlds with include" and "Transitive imports and worlds".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

from witgen import ir
from witgen.diagnostics import Note, WitError
from witgen.resolve import kinds
from witgen.resolve.draft import DraftInclude, DraftItem, DraftWorld
from witgen.resolve.gates import Features
from witgen.resolve.order import did_you_mean
from witgen.resolve.tables import Tables
from witgen.resolve.uniqueness import unique_key

__all__ = ["Worlds"]

_Items = dict[ir.WorldKey, DraftItem]


class Worlds:
    """Completes the worlds of a package. `worlds` are the ids of the draft's worlds, None for those gated away."""

    def __init__(
        self,
        tables: Tables,
        features: Features,
        name: ir.PackageName,
        package: ir.PackageId,
        worlds: Sequence[ir.WorldId | None],
    ) -> None:
        self._tables = tables
        self._features = features
        self._name = name
        self._package = package
        self._worlds = worlds

    def complete(self, draft: DraftWorld, imports: _Items, exports: _Items) -> ir.World:
        """The world of a draft, its items in terms of the tables given.

        It is to become the next row of `Tables.worlds`. Raises WitError where includes collide, and where exports need
        the same interface both imported and exported.
        """
        id_ = ir.WorldId(len(self._tables.worlds))
        for include in draft.includes:
            if self._features.check(include.stability, self._name, include.span):
                self._include(id_, include, imports, exports)
        for items, direction in ((imports, "import"), (exports, "export")):
            _check_unique(draft, items, direction)
        all_imports, all_exports = self._elaborate(draft, imports, exports)
        return ir.World(draft.name, all_imports, all_exports, self._package, draft.docs, draft.stability)

    # Includes

    def _include(self, id_: ir.WorldId, include: DraftInclude, imports: _Items, exports: _Items) -> None:
        included_id = self._worlds[include.world]
        if included_id is None:
            raise WitError.at(
                include.span,
                "this includes a world that is gated by a feature that is off",
                Note("give the `include` the same gate, or turn the feature on"),
            )
        included = self._tables.worlds[included_id]
        self._check_renames(include, included)
        renames = {rename.name.text: rename.alias.text for rename in reversed(include.names)}
        cloner = _Cloner(self._tables, self._package, ir.WorldOwner(included_id), ir.WorldOwner(id_))
        is_foreign = included.package != self._package
        for source, target, direction in ((included.imports, imports, "import"), (included.exports, exports, "export")):
            for key, item in source.items():
                if isinstance(key, str):
                    self._include_named(cloner, include, _renamed(key, renames), key, item, target, direction)
                else:
                    assert isinstance(item, ir.InterfaceItem)
                    old = target.get(key)
                    merged = self._merge(item, item if old is None else old.item, include, is_foreign)
                    target[key] = DraftItem(merged, include.span if old is None else old.span)

    def _include_named(
        self,
        cloner: _Cloner,
        include: DraftInclude,
        name: str,
        key: str,
        item: ir.WorldItem,
        target: _Items,
        direction: str,
    ) -> None:
        new = cloner.item(name, item)
        if name in target:
            raise WitError.at(
                include.span,
                f"this includes {direction} `{name}`, which the world has already",
                Note("defined here", target[name].span),
                Note(f"give it another name: `with {{ {key} as … }}`"),
            )
        target[name] = DraftItem(new, include.span)

    def _check_renames(self, include: DraftInclude, included: ir.World) -> None:
        """Raise WitError for a name after ``with`` that the included world doesn't have."""
        names = [key for key in (*included.imports, *included.exports) if isinstance(key, str)]
        plain_names = {_split(name)[1] for name in names}
        for rename in include.names:
            if rename.name.text in plain_names:
                continue
            interfaces = {
                self._tables.interfaces[key].name
                for key in (*included.imports, *included.exports)
                if not isinstance(key, str)
            }
            if rename.name.text in interfaces:
                note = Note(
                    f"`{rename.name.text}` is an interface under its own name, which can't be another", rename.span
                )
            else:
                note = Note(f"there is no `{rename.name.text}` to be renamed", rename.span)
            raise WitError.at(
                include.span,
                f"world `{included.name}` has no import or export with the plain name `{rename.name.text}`",
                note,
                *did_you_mean(rename.name.text, names),
            )

    def _merge(
        self, item: ir.InterfaceItem, into: ir.WorldItem, include: DraftInclude, is_foreign: bool
    ) -> ir.InterfaceItem:
        """An interface that comes in with an include, and that the world may have already, with the gate of both."""
        assert isinstance(into, ir.InterfaceItem)
        if is_foreign and item.stability.since is not None:
            # A version of another package means nothing in this one.
            return dataclasses.replace(into, stability=ir.STABLE)
        if item.stability in (into.stability, ir.STABLE):
            return into
        if into.stability == ir.STABLE:
            return dataclasses.replace(into, stability=item.stability)
        name = self._tables.interfaces[item.id].name
        raise WitError.at(include.span, f"this includes interface `{name}` with another gate than the world has it")

    # Implied imports

    def _elaborate(
        self, draft: DraftWorld, imports: _Items, exports: _Items
    ) -> tuple[dict[ir.WorldKey, ir.WorldItem], dict[ir.WorldKey, ir.WorldItem]]:
        """All imports and exports: what is implied in front of what implies it, imports sorted by class."""
        all_imports: dict[ir.WorldKey, ir.WorldItem] = {}
        for key, draft_item in sorted(imports.items(), key=lambda entry: self._class(entry[1].item)):
            item = draft_item.item
            match item:
                case ir.InterfaceItem():
                    self._import(all_imports, key, item)
                case ir.FunctionItem():
                    all_imports[key] = item
                case ir.TypeItem(id=type_):
                    interface = self._tables.used_interface(type_)
                    if interface is not None:
                        stability = self._tables.types[type_].stability
                        self._import(all_imports, interface, ir.InterfaceItem(interface, stability))
                    all_imports[key] = item
        interfaces = {key: entry.item for key, entry in exports.items() if isinstance(entry.item, ir.InterfaceItem)}
        all_exports = {key: entry.item for key, entry in exports.items() if key not in interfaces}
        _Exports(self._tables, draft, interfaces, all_imports, all_exports).add_all()
        return dict(sorted(all_imports.items(), key=lambda entry: self._class(entry[1]))), all_exports

    def _class(self, item: ir.WorldItem) -> int:
        """Where an import stands among others: what it may refer to comes before it."""
        match item:
            case ir.InterfaceItem():
                return 0
            case ir.TypeItem(id=type_):
                return 1 if self._is_use(self._tables.types[type_]) else 2
            case ir.FunctionItem(function=function):
                return 3 if function.resource is None else 4

    def _is_use(self, type_: ir.TypeDef) -> bool:
        if not isinstance(type_.kind, ir.Alias) or isinstance(type_.kind.target, ir.Primitive):
            return False
        return self._tables.types[type_.kind.target].owner != type_.owner

    def _import(self, imports: dict[ir.WorldKey, ir.WorldItem], key: ir.WorldKey, item: ir.InterfaceItem) -> None:
        """Add an interface to the imports, all that it uses before it."""
        if key in imports:
            return
        pending: list[tuple[ir.WorldKey, ir.InterfaceItem, Iterator[ir.InterfaceId]]] = [
            (key, item, iter(self._tables.used_interfaces(item.id)))
        ]
        while pending:
            key, current, rest = pending[-1]
            used = next((interface for interface in rest if interface not in imports), None)
            if used is None:
                pending.pop()
                imports[key] = current
            else:
                implied = ir.InterfaceItem(used, item.stability)
                pending.append((used, implied, iter(self._tables.used_interfaces(used))))


class _Exports:
    """Adds exported interfaces to a world.

    What an exported interface uses must be exported too or else is imported; but never both, for then it would see
    two of them at once.
    """

    def __init__(
        self,
        tables: Tables,
        world: DraftWorld,
        interfaces: dict[ir.WorldKey, ir.InterfaceItem],
        imports: dict[ir.WorldKey, ir.WorldItem],
        exports: dict[ir.WorldKey, ir.WorldItem],
    ) -> None:
        self._tables = tables
        self._world = world
        self._interfaces = interfaces
        self._imports = imports
        self._exports = exports
        #: Interfaces that must be imported, each with the one that uses it.
        self._required: dict[ir.InterfaceId, ir.WorldKey | None] = {}

    def add_all(self) -> None:
        """Add every interface, or raise WitError."""
        for key, item in self._interfaces.items():
            self._add(key, item)

    def _add(self, root: ir.WorldKey, root_item: ir.InterfaceItem) -> None:
        if root in self._exports:
            return
        pending = [(root, root_item, True, iter(self._tables.used_interfaces(root_item.id)))]
        while pending:
            key, item, is_export, rest = pending[-1]
            used = next(rest, None)
            if used is None:
                pending.pop()
                if not is_export:
                    self._required.setdefault(item.id, pending[-1][0])
                    self._imports.setdefault(key, item)
                elif item.id in self._required:
                    raise self._conflict(root, item.id, self._required[item.id])
                else:
                    self._exports[key] = item
                continue
            is_used_export = is_export and used in self._interfaces
            if used in self._exports:
                if not is_used_export:
                    raise self._conflict(root, used, key)
                continue
            if not is_used_export and used in self._required:
                continue
            implied = ir.InterfaceItem(used, item.stability, external_id=item.external_id)
            pending.append((used, implied, is_used_export, iter(self._tables.used_interfaces(used))))

    def _conflict(self, root: ir.WorldKey, interface: ir.InterfaceId, user: ir.WorldKey | None) -> WitError:
        name, needed = self._name(root), self._name(interface)
        notes = [Note(f"`{needed}` is exported, but is also used through an import")]
        if user is not None and user != root:
            via = self._name(user)
            notes = [
                Note(
                    f"`{name}` would see `{needed}` twice: the exported one, and the one that the imported `{via}` uses"
                ),
                Note(f"export `{via}` too: `export {via};`"),
            ]
        return WitError.at(
            self._world.span,
            f"export `{name}` of world `{self._world.name}` uses `{needed}` both as an import and as an export",
            *notes,
        )

    def _name(self, key: ir.WorldKey) -> str:
        return key if isinstance(key, str) else (self._tables.interfaces[key].name or "")


class _Cloner:
    """Copies what a world owns into another world; what belongs to interfaces stays theirs."""

    def __init__(self, tables: Tables, package: ir.PackageId, old: ir.Owner, new: ir.Owner) -> None:
        self._tables = tables
        self._package = package
        self._old = old
        self._new = new
        self._types: dict[ir.TypeId, ir.TypeId] = {}

    def item(self, name: str, item: ir.WorldItem) -> ir.WorldItem:
        """A copy of an item under a plain name."""
        match item:
            case ir.TypeItem(id=type_):
                copy = self._type(type_)
                row = self._tables.types[copy]
                if row.name != name:
                    self._tables.types[copy] = dataclasses.replace(row, name=name)
                return ir.TypeItem(copy)
            case ir.FunctionItem(function=function):
                return ir.FunctionItem(self._function(function, name))
            case ir.InterfaceItem(id=interface):
                if self._tables.interfaces[interface].name is not None:
                    return item
                return dataclasses.replace(item, id=self._interface(interface))

    def _interface(self, id_: ir.InterfaceId) -> ir.InterfaceId:
        old = self._tables.interfaces[id_]
        new_id = ir.InterfaceId(len(self._tables.interfaces))
        inner = _Cloner(self._tables, self._package, ir.InterfaceOwner(id_), ir.InterfaceOwner(new_id))
        inner._types = self._types
        types = {name: inner._type(type_) for name, type_ in old.types.items()}
        functions = {name: inner._function(function, name) for name, function in old.functions.items()}
        self._tables.interfaces.append(
            dataclasses.replace(old, types=types, functions=functions, package=self._package, clone_of=id_)
        )
        return new_id

    def _function(self, function: ir.Function, name: str) -> ir.Function:
        return dataclasses.replace(
            function,
            name=name,
            resource=None if function.resource is None else self._type(function.resource),
            params=tuple(ir.Param(param.name, self._reference(param.type)) for param in function.params),
            result=None if function.result is None else self._reference(function.result),
        )

    def _reference(self, type_: ir.Type) -> ir.Type:
        return type_ if isinstance(type_, ir.Primitive) else self._type(type_)

    def _type(self, id_: ir.TypeId) -> ir.TypeId:
        if id_ not in self._types:
            row = self._tables.types[id_]
            kind = row.kind
            if isinstance(kind, ir.Alias):
                kind = ir.Alias(self._alias_target(kind.target))
            else:
                kind = kinds.convert_kind(kind, lambda type_, _: self._reference(type_))
            owner = None if row.owner is None else self._new
            self._types[id_] = self._tables.add_type(dataclasses.replace(row, kind=kind, owner=owner))
        return self._types[id_]

    def _alias_target(self, target: ir.Type) -> ir.Type:
        if isinstance(target, ir.Primitive):
            return target
        if self._tables.types[target].owner == self._old:
            return self._type(target)
        return self._types.get(target, target)


def _split(name: str) -> tuple[str, str, str]:
    """A name in front of, as and behind the plain name that it has from its resource: ``[method]blob.write`` is
    ``[method]``, ``blob`` and ``.write``."""
    annotation, bracket, rest = name.rpartition("]")
    resource, dot, function = rest.partition(".")
    return annotation + bracket, resource, dot + function


def _renamed(name: str, renames: Mapping[str, str]) -> str:
    """What ``with { old as new }`` makes of a name; a resource's functions follow the resource."""
    before, plain, behind = _split(name)
    return f"{before}{renames.get(plain, plain)}{behind}"


def _check_unique(world: DraftWorld, items: _Items, direction: str) -> None:
    """Raise WitError for names that a component can't have side by side."""
    seen: dict[tuple[bool, str], str] = {}
    for key in items:
        if isinstance(key, str):
            previous = seen.setdefault(unique_key(key), key)
            if previous != key:
                raise WitError.at(
                    items[key].span,
                    f"{direction} `{key}` can't stand beside {direction} `{previous}`: they differ in case alone",
                    Note("defined here", items[previous].span),
                )

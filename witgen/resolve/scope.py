"""The names of interfaces and worlds: which there are in a package, and which each of its files can see.

A file sees its own items, what its top-level ``use`` brings in, and the items of its package's other files.
Interfaces and worlds get their ids here, those of other packages first, then our own in the order of dependency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from witgen import ir
from witgen.diagnostics import Note, Span, WitError
from witgen.resolve import gates
from witgen.resolve.draft import Draft, DraftInterface, DraftType, DraftWorld, ForeignItem, ForeignPackage
from witgen.resolve.errors import Errors, follows
from witgen.resolve.order import did_you_mean, sort_by_dependency
from witgen.resolve.paths import references
from witgen.syntax import ast

__all__ = ["Known", "Scope", "package_name"]


def package_name(name: ast.PackageName) -> ir.PackageName:
    """A package's name as the model has it."""
    version = None if name.version is None else name.version.text
    return ir.PackageName(name.namespace.text, name.name.text, version)


@dataclass(frozen=True, slots=True)
class Known:
    """What a name stands for: an interface or a world of the draft."""

    id: ir.InterfaceId | ir.WorldId
    is_world: bool
    span: Span


class Scope:
    """The interfaces and worlds of a draft by name; making one fills the draft with them.

    Each element of `files` holds the items of one file. Adds to `errors` the names that are taken or don't exist;
    raises WitError for interfaces and worlds that depend on themselves.
    """

    def __init__(self, draft: Draft, files: Sequence[Sequence[ast.Item]], errors: Errors) -> None:
        self._draft = draft
        self._errors = errors
        #: Places of names that were told of: who comes to them again fails without a word.
        self._told: set[Span] = set()
        #: Names, in each file, of top-level ``use`` that failed.
        self._failed: list[set[str]] = []
        self._own: dict[str, Known] = {}
        self._visible: list[dict[str, Known]] = []
        #: The interfaces and worlds of the package in the order in which they are to be defined, with their file.
        self.order: list[tuple[ast.Interface | ast.World, Known, int]] = []
        self._declare_foreign(files)
        self._declare_own(files)
        self._declare_foreign_types(files)

    def interface(self, path: ast.UsePath, file: int) -> ir.InterfaceId:
        """The interface that a path in the given file names."""
        known = self._find(path, file)
        if known.is_world:
            raise WitError.at(
                path.name.span, f"`{path.name.text}` is a world, not an interface", *_defined(known, path)
            )
        return ir.InterfaceId(known.id)

    def world(self, path: ast.UsePath, file: int) -> ir.WorldId:
        """The world that a path in the given file names."""
        known = self._find(path, file)
        if not known.is_world:
            raise WitError.at(
                path.name.span, f"`{path.name.text}` is an interface, not a world", *_defined(known, path)
            )
        return ir.WorldId(known.id)

    def _find(self, path: ast.UsePath, file: int) -> Known:
        if path.package is not None:
            item = self._draft.foreign[package_name(path.package)].items[path.name.text]
            return Known(item.id, item.is_world, item.span)
        name = path.name.text
        known = self._visible[file].get(name) or self._own.get(name)
        if known is None and (path.name.span in self._told or name in self._failed[file]):
            raise follows()
        if known is None:
            raise _no_such_item(path.name, [*self._own, *self._visible[file]])
        return known

    # Items of other packages

    def _declare_foreign(self, files: Sequence[Sequence[ast.Item]]) -> None:
        """Make a placeholder for every interface and world of other packages."""
        draft = self._draft
        for items in files:
            for reference in references(items):
                if reference.path.package is None:
                    continue
                stability = gates.stability(reference.gates)
                path = reference.path
                name = package_name(reference.path.package)
                package = draft.foreign.get(name)
                if package is None:
                    package = draft.foreign[name] = ForeignPackage(reference.path.package.span)
                item = package.items.get(path.name.text)
                if item is None:
                    item = package.items[path.name.text] = self._foreign_item(path.name, reference.is_world)
                item.gates.append(stability)

    def _foreign_item(self, name: ast.Name, is_world: bool) -> ForeignItem:
        id_ = self._new_world("", name.span) if is_world else self.new_interface(None, name.span)
        return ForeignItem(id_, is_world, name.text, name.span)

    def _declare_foreign_types(self, files: Sequence[Sequence[ast.Item]]) -> None:
        """Make a placeholder for every type of other packages."""
        draft = self._draft
        foreign = {
            item.id for package in draft.foreign.values() for item in package.items.values() if not item.is_world
        }
        for file, items in enumerate(files):
            for reference in references(items):
                if reference.names is None:
                    continue
                stability = gates.stability(reference.gates)
                try:
                    interface = self.interface(reference.path, file)
                except WitError:
                    # This is told of where the `use` is carried out.
                    continue
                if interface not in foreign:
                    continue
                types = draft.interfaces[interface].types
                for use in reference.names:
                    if use.name.text not in types:
                        types[use.name.text] = ir.TypeId(len(draft.types))
                        owner = ir.InterfaceOwner(interface)
                        draft.types.append(DraftType(use.name.text, None, owner, use.name.span, stability=stability))

    # Items of this package

    def _declare_own(self, files: Sequence[Sequence[ast.Item]]) -> None:
        items: dict[str, tuple[ast.Interface | ast.World, int]] = {}
        for file, file_items in enumerate(files):
            for item in file_items:
                if isinstance(item, ast.Interface | ast.World):
                    name = item.name
                    previous = items.setdefault(name.text, (item, file))[0].name
                    if previous is not name:
                        self._errors.add(_defined_twice(name, previous.span, "package"))
        for name_text in sort_by_dependency("interface or world", self._dependencies(files, items)):
            item, file = items[name_text]
            if isinstance(item, ast.World):
                known = Known(self._new_world(name_text, item.name.span), True, item.name.span)
            else:
                known = Known(self.new_interface(name_text, item.name.span), False, item.name.span)
            self._own[name_text] = known
            self.order.append((item, known, file))
        for file_items in files:
            self._failed.append(set())
            self._visible.append(dict(self._names_of_file(file_items, self._failed[-1])))

    def _dependencies(
        self, files: Sequence[Sequence[ast.Item]], items: dict[str, tuple[ast.Interface | ast.World, int]]
    ) -> dict[str, list[ast.Name]]:
        """For each interface and world of the package, those of the package that must be defined before it."""
        edges: dict[str, list[ast.Name]] = {name: [] for name in items}
        for file_items in files:
            names = _local_names(file_items, self._errors)
            for reference in references(file_items):
                path = reference.path
                if reference.user is None or path.package is not None:
                    continue
                if path.name.text in names:
                    target = names[path.name.text]
                    if target is not None and target.text in items:
                        edges[reference.user.text].append(target)
                elif path.name.text in items:
                    edges[reference.user.text].append(path.name)
                else:
                    self._told.add(path.name.span)
                    self._errors.add(_no_such_item(path.name, [*items, *names]))
        return edges

    def _names_of_file(self, items: Sequence[ast.Item], failed: set[str]) -> list[tuple[str, Known]]:
        """The names that a file defines; those that can't be defined are added to `failed`."""
        names: list[tuple[str, Known]] = []
        for item in items:
            match item:
                case ast.Interface() | ast.World():
                    names.append((item.name.text, self._own[item.name.text]))
                case ast.TopLevelUse():
                    name = (item.alias or item.path.name).text
                    failed.add(name)
                    with self._errors.collect():
                        names.append((name, self._used(item)))
                        failed.discard(name)
        return names

    def _used(self, item: ast.TopLevelUse) -> Known:
        path = item.path
        if item.gates:
            raise WitError.at(path.span, "a `use` beside interfaces and worlds can't be gated")
        if path.package is not None:
            foreign = self._draft.foreign[package_name(path.package)].items[path.name.text]
            return Known(foreign.id, foreign.is_world, foreign.span)
        if path.name.text not in self._own:
            raise _no_such_item(path.name, list(self._own))
        return self._own[path.name.text]

    def new_interface(self, name: str | None, span: Span) -> ir.InterfaceId:
        """Give an id to an interface that is still to be defined."""
        self._draft.interfaces.append(DraftInterface(name, span))
        return ir.InterfaceId(len(self._draft.interfaces) - 1)

    def _new_world(self, name: str, span: Span) -> ir.WorldId:
        self._draft.worlds.append(DraftWorld(name, span))
        return ir.WorldId(len(self._draft.worlds) - 1)


def _no_such_item(name: ast.Name, candidates: list[str]) -> WitError:
    return WitError.at(
        name.span, f"interface or world `{name.text}` does not exist", *did_you_mean(name.text, candidates)
    )


def _defined_twice(name: ast.Name, previous: Span, where: str) -> WitError:
    return WitError.at(
        name.span, f"`{name.text}` is defined twice in this {where}", Note("first defined here", previous)
    )


def _local_names(items: Sequence[ast.Item], errors: Errors) -> dict[str, ast.Name | None]:
    """The names that a file defines, with the name of the item of the package that each means: None for one of another
    package. Adds to `errors` those that are defined twice."""
    names: dict[str, ast.Name | None] = {}
    places: dict[str, Span] = {}
    brought: set[str] = set()
    for item in items:
        match item:
            case ast.Interface() | ast.World():
                name = item.name
                target: ast.Name | None = item.name
            case ast.TopLevelUse():
                name = item.alias or item.path.name
                target = item.path.name if item.path.package is None else None
            case _:
                continue
        # Of two items, the package tells.
        if name.text in names and (isinstance(item, ast.TopLevelUse) or name.text in brought):
            errors.add(_defined_twice(name, places[name.text], "file"))
        if isinstance(item, ast.TopLevelUse):
            brought.add(name.text)
        names[name.text] = target
        places[name.text] = name.span
    return names


def _defined(known: Known, path: ast.UsePath) -> list[Note]:
    return [Note("defined here", known.span)] if path.package is None else []

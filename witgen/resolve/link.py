"""Carries drafts over into the tables that all packages share.

Ids of a draft become ids of the tables: placeholders what they stand for, gated items nothing at all. A resource that
is used as a value becomes the owned handle that it means. Packages come in the order of dependency, so that what a
draft uses is there already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from witgen import ir
from witgen.diagnostics import Note, Span, WitError
from witgen.resolve import kinds
from witgen.resolve.draft import Draft, DraftFunction, DraftInterface, DraftItem, DraftType, DraftWorld, ForeignItem
from witgen.resolve.errors import Errors, follows
from witgen.resolve.gates import Features
from witgen.resolve.order import did_you_mean
from witgen.resolve.tables import Tables
from witgen.resolve.worlds import Worlds

__all__ = ["link"]

_Id = TypeVar("_Id", ir.TypeId, ir.InterfaceId, ir.WorldId)


def link(tables: Tables, draft: Draft, features: Features) -> ir.PackageId:
    """Add a package to the tables and return its id.

    Raises WitError for what it uses and isn't there, and for worlds that can't be.
    """
    try:
        return _Linker(tables, draft, features).link()
    except WitError:
        tables.failed.add(draft.name)
        del tables.package_ids[draft.name]
        raise


class _Linker:
    def __init__(self, tables: Tables, draft: Draft, features: Features) -> None:
        self._tables = tables
        self._draft = draft
        self._features = features
        self._package = ir.PackageId(len(tables.packages))
        #: For each id of the draft the id in the tables, None for what is gated away.
        self._types: list[ir.TypeId | None] = []
        self._interfaces: list[ir.InterfaceId | None] = []
        self._worlds: list[ir.WorldId | None] = []
        self._missing_packages: set[ir.PackageName] = set()
        self._own_handles: dict[ir.TypeId, ir.TypeId] = {}

    def link(self) -> ir.PackageId:
        draft, tables = self._draft, self._tables
        tables.package_ids[draft.name] = self._package
        self._find_interfaces()
        self._find_worlds()
        self._find_types()
        self._check_resources()
        first_type, first_interface, first_world = len(self._types), len(self._interfaces), len(self._worlds)
        interfaces, worlds = draft.interfaces[first_interface:], draft.worlds[first_world:]
        # Owners are wanted before they are there, but their ids are known.
        self._interfaces += self._reserve(interfaces, len(tables.interfaces), ir.InterfaceId)
        self._worlds += self._reserve(worlds, len(tables.worlds), ir.WorldId)
        for type_ in draft.types[first_type:]:
            self._types.append(self._add_type(type_))
        for interface in interfaces:
            self._add_interface(interface)
        self._check_owners(first_type, ir.InterfaceOwner)
        merged = [(world, self._convert_world(world)) for world in worlds if self._check(world.stability, world.span)]
        self._check_owners(first_type, ir.WorldOwner)
        combine = Worlds(tables, self._features, draft.name, self._package, self._worlds)
        for world, (imports, exports) in merged:
            tables.worlds.append(combine.complete(world, imports, exports))
        tables.packages.append(
            ir.Package(
                draft.name,
                {
                    i.name: id_
                    for i, id_ in zip(interfaces, self._interfaces[first_interface:], strict=True)
                    if i.name and id_ is not None
                },
                {w.name: id_ for w, id_ in zip(worlds, self._worlds[first_world:], strict=True) if id_ is not None},
                draft.docs,
            )
        )
        return self._package

    def _check(self, stability: ir.Stability, span: Span) -> bool:
        return self._features.check(stability, self._draft.name, span)

    def _reserve(
        self, items: Sequence[DraftInterface] | Sequence[DraftWorld], first: int, make: Callable[[int], _Id]
    ) -> list[_Id | None]:
        """The ids that items will get; the gates are checked when they get them."""
        ids: list[_Id | None] = []
        for item in items:
            if self._features.include(item.stability):
                ids.append(make(first))
                first += 1
            else:
                ids.append(None)
        return ids

    # What other packages define

    def _find_interfaces(self) -> None:
        errors = Errors()
        for name, item in self._foreign(is_world=False):
            id_: ir.InterfaceId | None = None
            with errors.collect():
                package = self._package_named(name)
                if self._is_wanted(item):
                    if item.name not in package.interfaces:
                        raise _missing("interface", item, package, package.interfaces, package.worlds)
                    id_ = package.interfaces[item.name]
            self._interfaces.append(id_)
        errors.raise_any()

    def _find_worlds(self) -> None:
        errors = Errors()
        for name, item in self._foreign(is_world=True):
            id_: ir.WorldId | None = None
            with errors.collect():
                package = self._package_named(name)
                if self._is_wanted(item):
                    if item.name not in package.worlds:
                        raise _missing("world", item, package, package.worlds, package.interfaces)
                    id_ = package.worlds[item.name]
            self._worlds.append(id_)
        errors.raise_any()

    def _foreign(self, *, is_world: bool) -> list[tuple[ir.PackageName, ForeignItem]]:
        """The items of other packages, in the order of their ids."""
        items = [
            (name, item)
            for name, package in self._draft.foreign.items()
            for item in package.items.values()
            if item.is_world is is_world
        ]
        return sorted(items, key=lambda entry: entry[1].id)

    def _is_wanted(self, item: ForeignItem) -> bool:
        """Whether any of the places that use an item is there; the gates of those before it are checked."""
        return any(self._check(stability, item.span) for stability in item.gates)

    def _package_named(self, name: ir.PackageName) -> ir.Package:
        id_ = self._tables.package_ids.get(name)
        if id_ == self._package:
            span = self._draft.foreign[name].span
            raise WitError.at(
                span, f"package `{name}` can't use itself by its full name", Note("leave the package away")
            )
        if id_ is not None:
            return self._tables.packages[id_]
        if name in self._missing_packages or name in self._tables.failed:
            raise follows()
        self._missing_packages.add(name)
        known = self._tables.names
        message = f"package `{name}` not found"
        versions = [str(other) for other in known if (other.namespace, other.name) == (name.namespace, name.name)]
        others = [str(other) for other in known if other != self._draft.name]
        if versions:
            notes = [Note(f"there is {' and '.join(f'`{version}`' for version in versions)}")]
        else:
            notes = did_you_mean(str(name), others)
        if not notes and others:
            listed = ", ".join(f"`{other}`" for other in others[:12])
            notes = [Note(f"the packages here are {listed}{' …' if len(others) > 12 else ''}")]
        elif not others:
            notes = [Note("there is no other package; put it into a folder `deps`, or give it as a root of its own")]
        raise WitError.at(self._draft.foreign[name].span, message, *notes)

    def _find_types(self) -> None:
        errors = Errors()
        for type_ in self._draft.types:
            if type_.kind is not None:
                break
            id_: ir.TypeId | None = None
            with errors.collect():
                if self._check(type_.stability, type_.span):
                    assert isinstance(type_.owner, ir.InterfaceOwner)
                    assert type_.name is not None
                    interface = self._tables.interfaces[self._interface(type_.owner.id, type_.span)]
                    if type_.name not in interface.types:
                        raise self._missing_type(type_, interface)
                    id_ = interface.types[type_.name]
            self._types.append(id_)
        errors.raise_any()

    def _missing_type(self, type_: DraftType, interface: ir.Interface) -> WitError:
        assert type_.name is not None
        notes = did_you_mean(type_.name, list(interface.types))
        if type_.name in interface.functions:
            notes = [Note(f"`{type_.name}` is a function; only types can be used")]
        return WitError.at(type_.span, f"type `{type_.name}` is not defined in interface `{interface.name}`", *notes)

    def _check_resources(self) -> None:
        for draft_id, span in self._draft.resources:
            id_ = self._types[draft_id]
            if id_ is None:
                # Whoever uses it hears that it is gated away.
                continue
            if not isinstance(self._tables.kind(id_), ir.Resource):
                raise WitError.at(
                    span, f"`{span.source.text[span.start : span.end]}` is no resource; only resources have handles"
                )

    # What the draft defines

    def _add_type(self, type_: DraftType) -> ir.TypeId | None:
        if not self._check(type_.stability, type_.span):
            return None
        assert type_.kind is not None
        kind = type_.kind
        spans = type_.field_spans
        match kind:
            case ir.Alias() | ir.Own() | ir.Borrow():
                kind = kinds.convert_kind(kind, lambda inner, _: self._type(inner, type_.span))
            case _:
                kind = kinds.convert_kind(kind, lambda inner, i: self._value(inner, spans[i] if spans else type_.span))
        return self._tables.add_type(
            ir.TypeDef(type_.name, kind, self._owner(type_.owner), type_.docs, type_.stability, type_.external_id)
        )

    def _owner(self, owner: ir.Owner | None) -> ir.Owner | None:
        """The owner in the tables; that of a type whose owner is gated away is found out by `_check_owners`."""
        match owner:
            case ir.InterfaceOwner(id=id_):
                interface = self._interfaces[id_]
                return None if interface is None else ir.InterfaceOwner(interface)
            case ir.WorldOwner(id=id_):
                world = self._worlds[id_]
                return None if world is None else ir.WorldOwner(world)
        return None

    def _check_owners(self, first: int, kind: type[ir.InterfaceOwner] | type[ir.WorldOwner]) -> None:
        """Raise WitError for a type that is there although its interface or world is gated away."""
        for type_, id_ in zip(self._draft.types[first:], self._types[first:], strict=True):
            if id_ is None or not isinstance(type_.owner, kind) or self._owner(type_.owner) is not None:
                continue
            what = "interface" if isinstance(type_.owner, ir.InterfaceOwner) else "world"
            raise WitError.at(
                type_.span,
                f"type `{type_.name}` is not gated, but its {what} is, by a feature that is off",
                Note("give the type the gate of what it stands in"),
            )

    def _add_interface(self, draft: DraftInterface) -> None:
        if not self._check(draft.stability, draft.span):
            return
        types = {name: id_ for name, type_ in draft.types.items() if (id_ := self._types[type_]) is not None}
        functions = {
            function.function.name: self._function(function)
            for function in draft.functions
            if self._check(function.function.stability, function.span)
        }
        self._tables.interfaces.append(
            ir.Interface(draft.name, types, functions, self._package, draft.docs, draft.stability)
        )

    def _function(self, draft: DraftFunction) -> ir.Function:
        function, span = draft.function, draft.span
        resource = None if function.resource is None else self._type(function.resource, span)
        params = tuple(ir.Param(param.name, self._value(param.type, span)) for param in function.params)
        result = None if function.result is None else self._value(function.result, span)
        if result is not None and self._tables.has_borrow(result):
            raise WitError.at(
                span,
                f"`{function.item_name}` returns a `borrow`; a borrowed handle is valid during the call only",
            )
        assert not isinstance(resource, ir.Primitive)
        return ir.Function(
            function.name,
            function.kind,
            resource,
            params,
            result,
            function.is_async,
            function.docs,
            function.stability,
            function.external_id,
        )

    def _convert_world(self, draft: DraftWorld) -> tuple[dict[ir.WorldKey, DraftItem], dict[ir.WorldKey, DraftItem]]:
        return self._convert_items(draft.imports), self._convert_items(draft.exports)

    def _convert_items(self, items: dict[ir.WorldKey, DraftItem]) -> dict[ir.WorldKey, DraftItem]:
        converted: dict[ir.WorldKey, DraftItem] = {}
        for key, draft in items.items():
            span = draft.span
            item: ir.WorldItem
            match draft.item:
                case ir.TypeItem(id=type_):
                    id_ = self._types[type_]
                    if id_ is None:
                        # Implementations agree to refuse this rather than to leave the type out.
                        stability = self._draft.types[type_].stability
                        raise WitError.at(
                            span,
                            f"type `{key}` is gated by the feature `{stability.unstable}`, which is off; a world can't "
                            "leave out a type",
                            Note("turn the feature on, or define the type in an interface"),
                        )
                    item = ir.TypeItem(id_)
                case ir.FunctionItem(function=function):
                    if not self._check(function.stability, span):
                        continue
                    item = ir.FunctionItem(self._function(DraftFunction(function, span)))
                case ir.InterfaceItem() as old:
                    if not self._check(old.stability, span):
                        continue
                    interface = self._interface(old.id, span)
                    key = key if isinstance(key, str) else interface
                    item = ir.InterfaceItem(interface, old.stability, old.docs, old.implements, old.external_id)
            converted[key] = DraftItem(item, span)
        return converted

    # References

    def _type(self, type_: ir.Type, span: Span) -> ir.Type:
        if isinstance(type_, ir.Primitive):
            return type_
        id_ = self._types[type_]
        if id_ is None:
            name = self._draft.types[type_].name
            raise _gated_away("type", name, self._draft.types[type_].stability, span)
        return id_

    def _interface(self, id_: ir.InterfaceId, span: Span) -> ir.InterfaceId:
        interface = self._interfaces[id_]
        if interface is None:
            draft = self._draft.interfaces[id_]
            raise _gated_away("interface", draft.name, draft.stability, span)
        return interface

    def _value(self, type_: ir.Type, span: Span) -> ir.Type:
        """The type of a value: an owned handle where the name of a resource stands."""
        id_ = self._type(type_, span)
        if isinstance(id_, ir.Primitive) or not isinstance(self._tables.kind(id_), ir.Resource):
            return id_
        if id_ not in self._own_handles:
            self._own_handles[id_] = self._tables.add_type(ir.TypeDef(None, ir.Own(id_), None))
        return self._own_handles[id_]


def _gated_away(what: str, name: str | None, stability: ir.Stability, span: Span) -> WitError:
    named = f"{what} `{name}`" if name else f"a {what}"
    feature = f" `{stability.unstable}`" if stability.unstable else ""
    return WitError.at(
        span,
        f"this needs {named}, which is gated by the feature{feature} that is off",
        Note("give both the same gate, or turn the feature on"),
    )


def _missing(
    what: str, item: ForeignItem, package: ir.Package, there: Mapping[str, object], others: Mapping[str, object]
) -> WitError:
    """The error for an interface or world that its package doesn't have."""
    notes = did_you_mean(item.name, list(there))
    if item.name in others:
        kind = "a world" if what == "interface" else "an interface"
        notes = [Note(f"`{item.name}` is {kind} of `{package.name}`")]
    return WitError.at(item.span, f"{what} `{item.name}` not found in package `{package.name}`", *notes)

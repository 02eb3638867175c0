"""Packages, interfaces and worlds as they are written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import groupby

from witgen import ir, semver
from witgen.printer.lines import Lines
from witgen.printer.types import Types
from witgen.printer.words import attributes, comments, identifier, package_name

__all__ = ["package_text"]


def package_text(resolve: ir.Resolve, main: ir.PackageId) -> str:
    """The WIT text of package `main`, with all other packages of `resolve` nested in it.

    It resolves to an equal model when the same features are on, with these exceptions. Types stand before functions in
    the text, and includes are carried out, so that functions, nameless types and packages may come in another order. A
    gate of a version that the package has not reached, which an ``include`` can bring, is left out.
    """
    printer = _Printer(resolve)
    printer.main(main)
    return printer.lines.text()


class _Printer:
    def __init__(self, resolve: ir.Resolve) -> None:
        self._resolve = resolve
        self._types = Types(resolve)
        self._package = ir.PackageId(0)
        self.lines = Lines()

    def main(self, main: ir.PackageId) -> None:
        self._package = main
        row = self._resolve.packages[main]
        self._head(row.docs)
        self.lines.line(f"package {package_name(row.name)};")
        self.lines.line("")
        for id_ in row.interfaces.values():
            self._interface(id_)
            self.lines.line("")
        for world in row.worlds.values():
            self._world(world)
        others = [ir.PackageId(i) for i in range(len(self._resolve.packages)) if i != main]
        for i, other in enumerate(others):
            if i > 0:
                self.lines.line("")
                self.lines.line("")
            self._nested(other)

    def _nested(self, package: ir.PackageId) -> None:
        self._package = package
        row = self._resolve.packages[package]
        self._head(row.docs)
        with self.lines.block(f"package {package_name(row.name)}"):
            for id_ in row.interfaces.values():
                self._interface(id_)
            for world in row.worlds.values():
                self._world(world)

    def _head(self, docs: str, stability: ir.Stability = ir.STABLE, external_id: str | None = None) -> None:
        """What stands before an item."""
        for comment in comments(docs):
            self.lines.line(comment)
        for attribute in attributes(self._own_gate(stability), external_id):
            self.lines.line(attribute)

    def _own_gate(self, stability: ir.Stability) -> ir.Stability:
        """A gate as far as the package can have it.

        What comes with an ``include`` brings versions of the package that it is from; those that this one has not
        reached can't be said here.
        """
        version = self._resolve.packages[self._package].name.version
        if stability.since is None or (version and semver.order_key(stability.since) <= semver.order_key(version)):
            return stability
        return ir.STABLE

    # Interfaces

    def _interface(self, id_: ir.InterfaceId) -> None:
        row = self._resolve.interfaces[id_]
        assert row.name is not None
        self._head(row.docs, row.stability)
        with self.lines.block(f"interface {identifier(row.name)}"):
            self._interface_items(row)

    def _interface_items(self, row: ir.Interface) -> None:
        self._type_items(row.types.values(), row.functions.values())
        for function in row.functions.values():
            if function.resource is None:
                self.lines.gap()
                self._function(function)

    def _type_items(self, types: Iterable[ir.TypeId], functions: Iterable[ir.Function]) -> None:
        """What is used of other interfaces, then the types that are defined here; the functions of resources with
        them."""
        rows = [(id_, self._resolve.types[id_]) for id_ in types]
        self._uses([row for _, row in rows if self._origin(row) is not None])
        of_resource: defaultdict[ir.TypeId, list[ir.Function]] = defaultdict(list)
        for function in functions:
            if function.resource is not None:
                of_resource[function.resource].append(function)
        for id_, row in rows:
            if self._origin(row) is None:
                self.lines.gap()
                self._type(row, of_resource[id_])

    def _origin(self, row: ir.TypeDef) -> ir.InterfaceId | None:
        """The interface from which a type is used; None where it is defined."""
        if not isinstance(row.kind, ir.Alias) or isinstance(row.kind.target, ir.Primitive):
            return None
        owner = self._resolve.types[row.kind.target].owner
        return owner.id if isinstance(owner, ir.InterfaceOwner) and owner != row.owner else None

    def _uses(self, rows: Iterable[ir.TypeDef]) -> None:
        """``use``, those that follow each other and differ in names alone in one."""
        for (origin, stability, external_id), group in groupby(
            rows, key=lambda row: (self._origin(row), row.stability, row.external_id)
        ):
            assert origin is not None
            self._head("", stability, external_id)
            names = ", ".join(self._used_name(row) for row in group)
            self.lines.line(f"use {self._path(origin)}.{{{names}}};")

    def _used_name(self, row: ir.TypeDef) -> str:
        assert isinstance(row.kind, ir.Alias) and not isinstance(row.kind.target, ir.Primitive)
        name, alias = self._resolve.types[row.kind.target].name, row.name
        assert name is not None and alias is not None
        return identifier(name) if name == alias else f"{identifier(name)} as {identifier(alias)}"

    def _path(self, id_: ir.InterfaceId) -> str:
        """An interface as this package names it."""
        row = self._resolve.interfaces[id_]
        assert row.name is not None
        if row.package == self._package:
            return identifier(row.name)
        return package_name(self._resolve.packages[row.package].name, row.name)

    # Types and functions

    def _type(self, row: ir.TypeDef, functions: list[ir.Function]) -> None:
        assert row.name is not None
        name = identifier(row.name)
        self._head(row.docs, row.stability, row.external_id)
        match row.kind:
            case ir.Record(fields=fields):
                self._parts(f"record {name}", {f"{identifier(f.name)}: {self._types.used(f.type)}": f for f in fields})
            case ir.Variant(cases=cases):
                self._parts(f"variant {name}", {self._case(case): case for case in cases})
            case ir.Enum(cases=labels):
                self._parts(f"enum {name}", {identifier(label.name): label for label in labels})
            case ir.Flags(flags=labels):
                self._parts(f"flags {name}", {identifier(label.name): label for label in labels})
            case ir.Resource() if functions:
                with self.lines.block(f"resource {name}"):
                    for function in functions:
                        self._function(function)
            case ir.Resource():
                self.lines.line(f"resource {name};")
            case kind:
                self.lines.line(f"type {name} = {self._types.defined(kind)};")

    def _case(self, case: ir.Case) -> str:
        name = identifier(case.name)
        return name if case.type is None else f"{name}({self._types.used(case.type)})"

    def _parts(self, head: str, parts: Mapping[str, ir.Field | ir.Case | ir.Label]) -> None:
        with self.lines.block(head):
            for text, part in parts.items():
                self._head(part.docs)
                self.lines.line(f"{text},")

    def _function(self, function: ir.Function) -> None:
        self._head(function.docs, function.stability, function.external_id)
        text = self._types.function(function)
        match function.kind:
            case ir.FunctionKind.CONSTRUCTOR:
                self.lines.line(f"constructor{text};")
            case ir.FunctionKind.STATIC:
                self.lines.line(f"{identifier(function.item_name)}: static {text};")
            case _:
                self.lines.line(f"{identifier(function.item_name)}: {text};")

    # Worlds

    def _world(self, id_: ir.WorldId) -> None:
        world = self._resolve.worlds[id_]
        self._head(world.docs, world.stability)
        with self.lines.block(f"world {identifier(world.name)}"):
            self._imports(world)
            if world.imports and world.exports:
                self.lines.gap()
            for key, item in world.exports.items():
                self._extern("export", key, item)

    def _imports(self, world: ir.World) -> None:
        """The imports by class, as what they refer to comes before them."""
        items = world.imports
        for key, item in items.items():
            if isinstance(item, ir.InterfaceItem):
                self._extern("import", key, item)
        self._type_items(self._resolve.world_types(items), self._resolve.world_functions(items))
        for key, item in items.items():
            if isinstance(item, ir.FunctionItem) and item.function.resource is None:
                self._extern("import", key, item)

    def _extern(self, direction: str, key: ir.WorldKey, item: ir.WorldItem) -> None:
        match item:
            case ir.FunctionItem(function=function):
                self._head(function.docs, function.stability, function.external_id)
                self.lines.line(f"{direction} {identifier(function.name)}: {self._types.function(function)};")
            case ir.InterfaceItem():
                self._extern_interface(direction, key, item)

    def _extern_interface(self, direction: str, key: ir.WorldKey, item: ir.InterfaceItem) -> None:
        row = self._resolve.interfaces[item.id]
        label = f"{identifier(key)}: " if isinstance(key, str) else ""
        if row.name is None:
            self._head(row.docs, row.stability, item.external_id)
            with self.lines.block(f"{direction} {label}interface"):
                self._interface_items(row)
        else:
            self._head(item.docs, item.stability, item.external_id)
            self.lines.line(f"{direction} {label}{self._path(item.id)};")

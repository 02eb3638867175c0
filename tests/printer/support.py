"""What tests of the printer share: text to a model, and what a model says whatever its ids."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from witgen import ir
from witgen.resolve import Loaded, load
from witgen.resolve.kinds import references

__all__ = ["outline", "resolved"]


def resolved(text: str) -> Loaded:
    """A package in a file of its own, all features on."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "package.wit"
        path.write_text(text)
        return load([path], all_features=True)


def outline(resolve: ir.Resolve) -> dict[str, Any]:
    """All that a model says, in the order in which it says it, but for three things that text can't keep.

    These are ids, the order of functions of resources among others, and which interface inside a world was copied from
    which by ``include``.
    """
    outliner = _Outliner(resolve)
    return {str(package.name): outliner.package(package) for package in resolve.packages}


class _Outliner:
    def __init__(self, resolve: ir.Resolve) -> None:
        self._resolve = resolve

    def package(self, package: ir.Package) -> object:
        interfaces = [self.interface(self._resolve.interfaces[id_]) for id_ in package.interfaces.values()]
        worlds = [self.world(self._resolve.worlds[id_]) for id_ in package.worlds.values()]
        return [docs(package.docs), interfaces, worlds]

    def interface(self, row: ir.Interface) -> object:
        types = [self.definition(id_) for id_ in row.types.values()]
        return [row.name, docs(row.docs), row.stability, types, self.functions(row.functions.values())]

    def functions(self, functions: Iterable[ir.Function]) -> object:
        by_resource: dict[object, list[object]] = {}
        for function in functions:
            by_resource.setdefault(self.type(function.resource), []).append(self.function(function))
        return by_resource

    def world(self, row: ir.World) -> object:
        return [row.name, docs(row.docs), row.stability, self.items(row.imports), self.items(row.exports)]

    def items(self, items: Mapping[ir.WorldKey, ir.WorldItem]) -> object:
        found: list[object] = []
        for key, item in items.items():
            name = self._resolve.link_name(key)
            match item:
                case ir.TypeItem(id=type_):
                    found.append([name, self.definition(type_)])
                case ir.FunctionItem(function=function):
                    found.append([name, self.function(function)])
                case ir.InterfaceItem(id=id_):
                    row = self._resolve.interfaces[id_]
                    what = self.interface(row) if row.name is None else self._resolve.link_name(id_)
                    found.append([name, what, docs(item.docs), item.stability, item.implements, item.external_id])
        return found

    def function(self, function: ir.Function) -> object:
        params = [(param.name, self.type(param.type)) for param in function.params]
        head = [function.name, function.kind, self.type(function.resource), function.is_async, function.external_id]
        return [*head, params, self.type(function.result), docs(function.docs), function.stability]

    def definition(self, id_: ir.TypeId) -> object:
        row = self._resolve.types[id_]
        return [row.name, docs(row.docs), row.stability, row.external_id, self.kind(row.kind)]

    def type(self, type_: ir.Type | None) -> object:
        if type_ is None or isinstance(type_, ir.Primitive):
            return type_
        row = self._resolve.types[type_]
        if row.name is None:
            return self.kind(row.kind)
        match row.owner:
            case ir.InterfaceOwner(id=interface):
                return ("type", self._resolve.link_name(interface), row.name)
            case _:
                return ("type", row.name)

    def kind(self, kind: ir.Kind) -> object:
        parts: list[object] = []
        match kind:
            case ir.Record(fields=named) | ir.Variant(cases=named) | ir.Enum(cases=named) | ir.Flags(flags=named):
                parts = [(part.name, docs(part.docs)) for part in named]
            case ir.Result(ok=ok, err=err):
                parts = [ok is None, err is None]
            case ir.FixedLengthList(length=length):
                parts = [length]
        if isinstance(kind, ir.Variant):
            parts += [case.type is None for case in kind.cases]
        return (type(kind).__name__, tuple(parts), tuple(self.type(inner) for inner in references(kind)))


def docs(text: str) -> tuple[bool, str]:
    """Documentation that is blank is something else than none."""
    return isinstance(text, ir.BlankDocs), text

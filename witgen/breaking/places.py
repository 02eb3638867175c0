"""Where items stand in the text of contracts. The model holds no places: the files are parsed for them once more.

That is done only where there is something to say. What comes out of WebAssembly has no place but its file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from witgen import ir
from witgen.breaking.difference import Place
from witgen.diagnostics import Span, WitError
from witgen.resolve.binaries import is_webassembly
from witgen.resolve.files import Contents, Group, decode_source, read_root
from witgen.syntax import ast, parse

__all__ = ["Places"]

_Found = Iterator[tuple[Place, Span]]

_FUNCTION_NAMES = {
    ir.FunctionKind.CONSTRUCTOR: "[constructor]{0}",
    ir.FunctionKind.METHOD: "[method]{0}.{1}",
    ir.FunctionKind.STATIC: "[static]{0}.{1}",
}


class Places:
    """The places of all that stands in some roots, all of which resolve. `label` says how a file is called."""

    def __init__(self, roots: Iterable[Path], label: Callable[[Path], str]) -> None:
        self._label = label
        self._contents = Contents()
        self._spans: dict[tuple[ir.PackageName, Place], Span] = {}
        for root in dict.fromkeys(roots):
            for group in read_root(root):
                self._add(group)

    def find(self, package: ir.PackageName, place: Place) -> Span | None:
        """Where something stands, or else what it is a part of; None where the package has no text."""
        for end in range(len(place), -1, -1):
            span = self._spans.get((package, place[:end]))
            if span is not None:
                return span
        return None

    def has(self, package: ir.PackageName, place: Place) -> bool:
        """Whether something has a place of its own."""
        return (package, place) in self._spans

    def _add(self, group: Group) -> None:
        files = [file for path in group.files if (file := self._parsed(path)) is not None]
        name = next((_package(file.header.name) for file in files if file.header is not None), None)
        for file in files:
            if file.header is not None and name is not None:
                self._spans.setdefault((name, ()), file.header.name.span)
            self._add_items(name, file.items)

    def _parsed(self, path: Path) -> ast.File | None:
        try:
            data = self._contents[path]
            return None if is_webassembly(data) else parse(decode_source(self._label(path), data))
        except WitError:
            # It was read a moment ago; who changes it meanwhile gets no places.
            return None

    def _add_items(self, package: ir.PackageName | None, items: Sequence[ast.Item]) -> None:
        for item in items:
            match item:
                case ast.NestedPackage(name, inner):
                    nested = _package(name)
                    self._spans.setdefault((nested, ()), name.span)
                    self._add_items(nested, inner)
                case ast.Interface() | ast.World() if package is not None:
                    found = _of_interface(item) if isinstance(item, ast.Interface) else _of_world(item, package)
                    for place, span in found:
                        self._spans.setdefault((package, place), span)


def _package(name: ast.PackageName) -> ir.PackageName:
    return ir.PackageName(name.namespace.text, name.name.text, name.version.text if name.version else None)


def _of_interface(interface: ast.Interface) -> _Found:
    place = ("interface", interface.name.text)
    yield place, interface.name.span
    yield from _of_members(place, interface.items)


def _of_members(place: Place, items: Iterable[ast.InterfaceItem]) -> _Found:
    for item in items:
        match item:
            case ast.NamedFunction():
                yield from _of_function((*place, "function", item.name.text), item.name, item.function)
            case ast.Use():
                yield from _of_use(place, item)
            case _:
                yield from _of_type(place, item, "function")


def _of_use(place: Place, use: ast.Use) -> _Found:
    for used in use.names:
        name = used.alias or used.name
        yield (*place, "type", name.text), name.span


def _of_type(place: Place, item: ast.TypeDefinition, functions: str) -> _Found:
    """A type and its parts; the functions of a resource stand under `functions`."""
    where = (*place, "type", item.name.text)
    yield where, item.name.span
    if isinstance(item, ast.Resource):
        for function in item.functions or ():
            name = _FUNCTION_NAMES[function.kind].format(item.name.text, function.name.text)
            yield from _of_function((*place, functions, name), function.name, function.function)
    elif isinstance(item, ast.Record | ast.Variant | ast.Enum | ast.Flags):
        for part in _parts(item):
            yield (*where, "part", part.name.text), part.name.span


def _parts(item: ast.Record | ast.Variant | ast.Enum | ast.Flags) -> Sequence[ast.Field | ast.Case | ast.Label]:
    match item:
        case ast.Record(fields=fields):
            return fields
        case ast.Flags(flags=flags):
            return flags
        case ast.Variant(cases=cases):
            return cases
        case ast.Enum(cases=labels):
            return labels


def _of_function(place: Place, name: ast.Name, function: ast.Function) -> _Found:
    yield place, name.span
    for parameter in function.parameters:
        yield (*place, "part", parameter.name.text), parameter.name.span


def _of_world(world: ast.World, package: ir.PackageName) -> _Found:
    place = ("world", world.name.text)
    yield place, world.name.span
    for item in world.items:
        match item:
            case ast.Import(extern) | ast.Export(extern):
                yield from _of_extern((*place, "import" if isinstance(item, ast.Import) else "export"), extern, package)
            case ast.Use():
                yield from _of_use(place, item)
            case ast.Include():
                pass
            case _:
                yield from _of_type(place, item, "import")


def _of_extern(place: Place, extern: ast.Extern, package: ir.PackageName) -> _Found:
    match extern:
        case ast.ExternFunction(name, function):
            yield from _of_function((*place, name.text), name, function)
        case ast.ExternInterface(name, items):
            yield (*place, name.text), name.span
            yield from _of_members((*place, name.text), items)
        case ast.ExternPath(label, path):
            owner = package if path.package is None else _package(path.package)
            full = ir.PackageName(owner.namespace, owner.name).interface(path.name.text)
            yield (*place, full if label is None else label.text), (path if label is None else label).span

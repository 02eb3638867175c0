"""From a file to its `Inspection`.

It decodes, digests and counts, and shows nothing. Whatever is wrong with the file is an error at the byte concerned.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from witgen import binary, ir
from witgen.binary import BinaryError
from witgen.binary import model as m
from witgen.binary.core_modules import CoreModuleOutline, outline
from witgen.binary.decoder import check_preamble
from witgen.binary.errors import Budget, quoted
from witgen.binary.evaluate import MAX_STEPS
from witgen.binary.opcodes import CORE_PREAMBLE
from witgen.binary.producers import Producer, producers
from witgen.binary.reader import Reader
from witgen.contract import stamp as stamps
from witgen.contract.digest import Digests
from witgen.diagnostics import WitError
from witgen.inspect.model import (
    Component,
    Contents,
    Extern,
    Inspection,
    Kind,
    Module,
    Obstacle,
    Part,
    Section,
    StampCheck,
    World,
)
from witgen.printer import package_text
from witgen.resolve.binaries import decode
from witgen.resolve.files import shown

__all__ = ["gather", "wit_text"]

#: Sections by which a core module tells a linker of its world begin so.
_COMPONENT_TYPE = "component-type"
#: Modules, components, sections and all else that is told of: more than any tool puts together.
_MAX_PARTS = 20_000


def gather(path: Path) -> Inspection:
    """What is in a component, a binary WIT package or a core module.

    Raises `WitError` where the file can't be read, is none of these, or is malformed.
    """
    data = _read(path)
    try:
        inspect = _module_file if data.startswith(CORE_PREAMBLE) else _component_file
        return inspect(shown(path), data)
    except BinaryError as error:
        raise WitError.at(shown(path), str(error)) from None


def wit_text(path: Path) -> str:
    """The worlds of a file as WIT text: those of a component or package as `witgen wit` prints them.

    Raises `WitError` as `gather` does, and for a core module that carries no world.
    """
    data = _read(path)
    try:
        if not data.startswith(CORE_PREAMBLE):
            check_preamble(data)
            decoded = decode(shown(path), data)
            return package_text(decoded.resolve, decoded.package)
        worlds = list(_carried(outline(Reader(data), 0, len(data))))
    except BinaryError as error:
        raise WitError.at(shown(path), str(error)) from None
    if not worlds:
        raise WitError.at(shown(path), f"this core module carries no world: no section of it is a {_COMPONENT_TYPE}")
    return "\n".join(package_text(resolve, resolve.worlds[world].package) for resolve, world in worlds)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WitError.at(shown(path), f"can't be read: {(error.strerror or str(error)).lower()}") from None


def _module_file(path: str, data: bytes) -> Inspection:
    worlds = tuple([_world(resolve, id_) for resolve, id_ in _carried(outline(Reader(data), 0, len(data)))])
    module = _Gatherer(data).module(0, m.CoreModule(memoryview(data), 0))
    return Inspection(path, Kind.MODULE, len(data), worlds, contents=Contents(modules=(module,)))


def _carried(module: CoreModuleOutline) -> Iterator[tuple[ir.Resolve, ir.WorldId]]:
    """The worlds that a core module carries for the linker."""
    budget = Budget(MAX_STEPS)
    for section in module.custom_sections:
        if section.name.partition(":")[0] == _COMPONENT_TYPE:
            try:
                yield binary.encoded_world(binary.decode(section.data), budget)
            except BinaryError as error:
                where = f"in section {quoted(section.name)}, {error}"
                raise BinaryError(where, section.offset) from None


def _component_file(path: str, data: bytes) -> Inspection:
    component = binary.decode(data)
    gatherer = _Gatherer(data)
    contents = gatherer.contents(component)
    if binary.is_package(component):
        resolve, package = binary.encoded_package(component)
        row = resolve.packages[package]
        digests = Digests(resolve)
        interfaces = {row.name.interface(name): digests.interface(id_) for name, id_ in row.interfaces.items()}
        worlds = tuple([_world(resolve, id_) for id_ in row.worlds.values()])
        return Inspection(path, Kind.PACKAGE, len(data), worlds, interfaces, contents=contents)
    imports, exports = gatherer.externs(component)
    resolve, id_, found = binary.component_part(component)
    world = _world(resolve, id_)
    obstacles = tuple(
        [
            Obstacle(each.side, Extern(each.name, each.sort.value), each.error.message, each.error.offset)
            for each in found
        ]
    )
    return Inspection(
        path,
        Kind.COMPONENT,
        len(data),
        () if obstacles else (world,),
        imports=imports,
        exports=exports,
        obstacles=obstacles,
        part=Part(world.digests.imports, world.digests.exports) if obstacles else None,
        stamp=_stamp_check(component, world, obstacles),
        contents=contents,
    )


def _stamp_check(component: m.Component, world: World, obstacles: Sequence[Obstacle]) -> StampCheck | None:
    """What the stamp says and where the component differs; whatever no world can have is not in the stamp's."""
    stamp = stamps.read_stamp(component)
    if stamp is None:
        return None
    lines = [f"{each.side} {each.extern.name}: {each.message}" for each in obstacles]
    return StampCheck(stamp, tuple(sorted([*lines, *stamps.differences(stamp, world.digests)])))


def _world(resolve: ir.Resolve, id_: ir.WorldId) -> World:
    return World(resolve.world_name(id_), Digests(resolve).world(id_))


class _Gatherer:
    """Gathers what a file consists of; it may be nested in itself no deeper than the decoder allows."""

    def __init__(self, data: bytes) -> None:
        self._reader = Reader(data)
        self._parts = Budget(_MAX_PARTS, f"more than {_MAX_PARTS} parts to tell of")

    def contents(self, component: m.Component) -> Contents:
        """The parts of a component."""
        by_type: dict[type, list[Any]] = {m.CoreModule: [], m.Component: [], m.CustomSection: []}
        for definition in component.definitions:
            if type(definition) in by_type:
                self._parts.spend(1, definition.offset)
                by_type[type(definition)].append(definition)
        return Contents(
            tuple([self.module(i, module) for i, module in enumerate(by_type[m.CoreModule])]),
            tuple([self._component(i, nested) for i, nested in enumerate(by_type[m.Component])]),
            _sections(by_type[m.CustomSection]),
            self._producers(by_type[m.CustomSection]),
        )

    def externs(self, component: m.Component) -> tuple[tuple[Extern, ...], tuple[Extern, ...]]:
        """The imports and the exports of a component."""
        imports = [Extern(d.name, d.desc.sort.value) for d in component.definitions if isinstance(d, m.Import)]
        exports = [Extern(d.name, d.sort.value) for d in component.definitions if isinstance(d, m.Export)]
        self._parts.spend(len(imports) + len(exports), component.offset)
        return tuple(imports), tuple(exports)

    def module(self, index: int, module: m.CoreModule) -> Module:
        """A core module, the one with that index."""
        at, size = module.offset, len(module.data)
        found = outline(self._reader, at, at + size)
        sections = found.custom_sections
        self._parts.spend(len(sections), at)
        return Module(
            index, found.name, at, size, found.imports, found.exports, _sections(sections), self._producers(sections)
        )

    def _component(self, index: int, component: m.Component) -> Component:
        imports, exports = self.externs(component)
        contents = self.contents(component)
        return Component(index, component.offset, len(component.data), imports, exports, contents)

    def _producers(self, sections: Sequence[m.CustomSection]) -> tuple[Producer, ...]:
        found = producers(self._reader, sections)
        if found:
            self._parts.spend(len(found), sections[0].offset)
        return found


def _sections(sections: Iterable[m.CustomSection]) -> tuple[Section, ...]:
    return tuple([Section(section.name, section.offset, len(section.data)) for section in sections])

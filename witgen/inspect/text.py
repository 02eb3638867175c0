"""An `Inspection` as people read it: one block after another, in columns.

What comes out of the file is escaped before it is shown, so that no name can disturb a terminal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from witgen.binary.errors import printable
from witgen.binary.producers import Producer
from witgen.contract.digest import InterfaceDigest
from witgen.inspect.model import (
    Component,
    Contents,
    Extern,
    Inspection,
    Kind,
    Module,
    Obstacle,
    Section,
    StampCheck,
    World,
)

__all__ = ["as_text"]

_TITLES = {Kind.COMPONENT: "component", Kind.PACKAGE: "WIT package", Kind.MODULE: "core module"}
#: The group of what belongs to no package: functions, types and inline interfaces of the world.
_OWN = "of the world itself"
#: The group of what no world can have.
_NO_WORLDS = "of no world"
_LONGEST_LINE = 1000


def as_text(inspection: Inspection) -> str:
    """All blocks, without a line break at the end."""
    title = _TITLES[inspection.kind]
    if inspection.kind is Kind.MODULE and inspection.worlds:
        title += " that carries a world for the linker"
    blocks = [[f"{inspection.path}: {title}, {_bytes(inspection.size)}"]]
    if inspection.kind is Kind.PACKAGE:
        blocks.append(_package(inspection))
    else:
        blocks += [block for world in inspection.worlds for block in _world(world, inspection.kind)]
    if inspection.part is not None:
        blocks.append(_obstacles(inspection.obstacles))
        for title, items in (("imports", inspection.part.imports), ("exports", inspection.part.exports)):
            others = [each.extern for each in inspection.obstacles if f"{each.side}s" == title]
            blocks.append(_side(title, items, others))
    if inspection.kind is Kind.COMPONENT:
        blocks.append(_contract(inspection.stamp))
    blocks += _contents(inspection.contents)
    if inspection.kind is Kind.MODULE:
        blocks += [_sections(module.sections) for module in inspection.contents.modules if module.sections]
    if found := _producers(inspection.contents):
        blocks.append(["produced by", *_columns([(p.field, p.name, p.version) for p in found])])
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _bytes(size: int) -> str:
    return f"{size} bytes"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _columns(rows: Iterable[Sequence[str]], indent: int = 2) -> list[str]:
    """Rows as lines, each column as wide as its widest entry; numbers as they come."""
    shown = [[printable(entry) for entry in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = ["  ".join(f"{entry:<{width}}" for entry, width in zip(row, widths, strict=True)) for row in shown]
    return [" " * indent + line.rstrip() for line in lines]


# Worlds and packages


def _package(inspection: Inspection) -> list[str]:
    rows = [("interface", name, f"sha256:{item.digest}") for name, item in inspection.interfaces.items()]
    rows += [("world", world.name, f"sha256:{world.digests.digest}") for world in inspection.worlds]
    return _columns(rows, indent=0)


def _world(world: World, kind: Kind) -> Iterator[list[str]]:
    """The imports and exports of a world; that of a component has no name worth telling."""
    if kind is Kind.MODULE:
        yield [f"world {printable(world.name)}  sha256:{world.digests.digest}"]
    for title, items in (("imports", world.digests.imports), ("exports", world.digests.exports)):
        yield _side(title, items)


def _obstacles(obstacles: Sequence[Obstacle]) -> list[str]:
    """Why a component is no world: of each import or export that no world can have, what is wrong and at which byte."""
    rows = [
        (f"{each.side} {each.extern.name}", "" if each.offset is None else f"at offset 0x{each.offset:x}", each.message)
        for each in obstacles
    ]
    return ["no world can describe this component", *_columns(rows)]


def _side(title: str, items: Mapping[str, InterfaceDigest], others: Sequence[Extern] = ()) -> list[str]:
    """Imports or exports: what a world can have, then the others."""
    if not items and not others:
        return [f"{title}: none"]
    lines = [title, *(_grouped(items) if items else [])]
    if others:
        lines += [f"  {_NO_WORLDS}", *_columns([(extern.sort, extern.name) for extern in others], indent=4)]
    return lines


def _grouped(items: Mapping[str, InterfaceDigest]) -> list[str]:
    """Interfaces by capability, which is their package: those of WASI first, what is of no package last."""
    order = sorted(items, key=lambda name: (_capability(name) == _OWN, not name.startswith("wasi:"), _capability(name)))
    rows = _columns([_interface(name, items[name]) for name in order], indent=4)
    lines: list[str] = []
    for group, entries in groupby(zip(order, rows, strict=True), key=lambda entry: _capability(entry[0])):
        lines += [f"  {printable(group)}", *(row for _, row in entries)]
    return lines


def _capability(name: str) -> str:
    package, slash, _ = name.rpartition("/")
    return package if slash else _OWN


def _interface(name: str, item: InterfaceDigest) -> tuple[str, str, str]:
    functions = _count(len(item.functions), "function") if item.functions else "types only"
    return name or "(functions and types)", functions, f"sha256:{item.digest}"


def _contract(check: StampCheck | None) -> list[str]:
    if check is None:
        return ["contract: not stamped"]
    rows = [
        ("world", check.stamp.world),
        ("digest", f"sha256:{check.stamp.digests.digest}"),
        ("stamped by", check.stamp.generator),
    ]
    if not check.differences:
        return ["contract", *_columns([*rows, ("verdict", "the component's own types agree")])]
    verdict = ("verdict", "the component is not what its stamp says:")
    return [
        "contract",
        *_columns([*rows, verdict]),
        *(f"    {printable(line, _LONGEST_LINE)}" for line in check.differences),
    ]


# What is inside


def _contents(contents: Contents) -> Iterator[list[str]]:
    if contents.modules:
        yield ["core modules", *_columns(map(_module, contents.modules))]
    if contents.components:
        yield ["components", *(line for component in contents.components for line in _component(component))]
    if contents.sections:
        yield _sections(contents.sections)


def _sections(sections: Iterable[Section]) -> list[str]:
    return ["custom sections", *_columns([(section.name, _bytes(section.size)) for section in sections])]


def _module(module: Module) -> tuple[str, ...]:
    imports, exports = _count(module.imports, "import"), _count(module.exports, "export")
    return str(module.index), _bytes(module.size), imports, exports, module.name or ""


def _component(component: Component) -> list[str]:
    """A nested component. One without code of its own is what linkers make to name the types of an export: a line."""
    contents = component.contents
    head = f"  {component.index}  {_bytes(component.size)}"
    if not contents.modules and not contents.components:
        imports, exports = _count(len(component.imports), "import"), _count(len(component.exports), "export")
        return [f"{head}, without code: {imports}, {exports}"]
    blocks = [
        [title, *_columns([(extern.sort, extern.name) for extern in externs])] if externs else [f"{title}: none"]
        for title, externs in (("imports", component.imports), ("exports", component.exports))
    ]
    inner = [line for block in (*blocks, *_contents(contents)) for line in block]
    return [head, *(f"    {line}" for line in inner)]


def _producers(contents: Contents) -> list[Producer]:
    """Who made what is inside, each once, by field."""
    found: dict[Producer, None] = {}
    pending = [contents]
    while pending:
        current = pending.pop()
        parts: tuple[Contents | Module, ...] = (current, *current.modules)
        for part in parts:
            found.update(dict.fromkeys(part.producers))
        pending += [component.contents for component in current.components]
    return sorted(found, key=lambda producer: (producer.field, producer.name, producer.version))

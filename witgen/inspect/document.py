"""An `Inspection` as a JSON document for machines; ``docs/inspect.md`` describes its form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from witgen.binary.producers import Producer
from witgen.contract.digest import FORM, InterfaceDigest, WorldDigest
from witgen.inspect.model import (
    Component,
    Contents,
    Extern,
    Inspection,
    Module,
    Obstacle,
    Part,
    Section,
    StampCheck,
    World,
)

__all__ = ["VERSION", "as_document"]

#: Of the document's form: another number where a member goes or gets another meaning, not where one comes.
VERSION = 1

Json: TypeAlias = dict[str, Any]


def as_document(inspection: Inspection) -> str:
    """The document: all that the file was found to be, digests of functions too."""
    document = {
        "version": VERSION,
        "kind": inspection.kind.value,
        "size": inspection.size,
        "form": FORM,
        "worlds": [_world(world) for world in inspection.worlds],
        "interfaces": _interfaces(inspection.interfaces),
        "imports": _externs(inspection.imports),
        "exports": _externs(inspection.exports),
        "obstacles": [_obstacle(obstacle) for obstacle in inspection.obstacles],
        "part": None if inspection.part is None else _sides(inspection.part),
        "contract": None if inspection.stamp is None else _stamp(inspection.stamp),
        **_contents(inspection.contents),
    }
    return json.dumps(document, indent=2) + "\n"


def _world(world: World) -> Json:
    return {"name": world.name, "digest": world.digests.digest, **_sides(world.digests)}


def _sides(digests: WorldDigest | Part) -> Json:
    return {"imports": _interfaces(digests.imports), "exports": _interfaces(digests.exports)}


def _obstacle(obstacle: Obstacle) -> Json:
    return {
        "side": obstacle.side,
        "name": obstacle.extern.name,
        "sort": obstacle.extern.sort,
        "message": obstacle.message,
        "offset": obstacle.offset,
    }


def _interfaces(interfaces: Mapping[str, InterfaceDigest]) -> list[Json]:
    return [
        {"name": name, "digest": item.digest, "functions": dict(sorted(item.functions.items()))}
        for name, item in interfaces.items()
    ]


def _stamp(check: StampCheck) -> Json:
    return {
        "generator": check.stamp.generator,
        "world": check.stamp.world,
        "digest": check.stamp.digests.digest,
        "agrees": not check.differences,
        "differences": list(check.differences),
    }


def _contents(contents: Contents) -> Json:
    return {
        "modules": [_module(module) for module in contents.modules],
        "components": [_component(component) for component in contents.components],
        "sections": _sections(contents.sections),
        "producers": _producers(contents.producers),
    }


def _module(module: Module) -> Json:
    return {
        "index": module.index,
        "name": module.name,
        "offset": module.offset,
        "size": module.size,
        "imports": module.imports,
        "exports": module.exports,
        "sections": _sections(module.sections),
        "producers": _producers(module.producers),
    }


def _component(component: Component) -> Json:
    return {
        "index": component.index,
        "offset": component.offset,
        "size": component.size,
        "imports": _externs(component.imports),
        "exports": _externs(component.exports),
        **_contents(component.contents),
    }


def _externs(externs: Iterable[Extern]) -> list[Json]:
    return [{"name": extern.name, "sort": extern.sort} for extern in externs]


def _sections(sections: Iterable[Section]) -> list[Json]:
    return [{"name": section.name, "offset": section.offset, "size": section.size} for section in sections]


def _producers(producers: Iterable[Producer]) -> list[Json]:
    return [{"field": each.field, "name": each.name, "version": each.version} for each in producers]

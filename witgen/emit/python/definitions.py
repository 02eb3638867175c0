"""The named types of a world as classes: dataclasses, unions, enums, flags and aliases."""

from __future__ import annotations

from collections.abc import Container, Iterable

from witgen import ir
from witgen.emit.python.annotations import Annotations
from witgen.emit.python.naming import constant_name, member_name
from witgen.emit.python.view import Member, TypeClass

__all__ = ["type_classes"]

_CLASSES = (ir.Record, ir.Variant, ir.Enum, ir.Flags)


def type_classes(annotations: Annotations, ids: Iterable[ir.TypeId]) -> list[TypeClass]:
    """The classes, or aliases, of named types that are no resources, in their order."""
    found: dict[ir.Type, TypeClass] = {}
    for id_ in ids:
        found[id_] = _type_class(annotations, id_, found)
    return list(found.values())


def _type_class(annotations: Annotations, id_: ir.TypeId, before: Container[ir.Type]) -> TypeClass:
    definition = annotations.resolve.types[id_]
    name = annotations.names.type(id_)
    kind, members = _kind_and_members(annotations, id_, definition.kind)
    if kind != "alias":
        return TypeClass(kind, name, definition.docs, members, wit=_wit_name(annotations.resolve, definition))
    target = definition.kind.target if isinstance(definition.kind, ir.Alias) else id_
    meant = annotations.resolve.dealias(target)
    # Another name of a class is that class; what has no class, or none before this, is for annotations alone.
    is_class = (
        not isinstance(meant, ir.Primitive)
        and isinstance(annotations.resolve.types[meant].kind, _CLASSES)
        and annotations.names.canonical(meant) in before
    )
    code = annotations.of(target)
    return TypeClass(kind, name, definition.docs, target=code if is_class else f'"{code}"')


def _kind_and_members(annotations: Annotations, id_: ir.TypeId, kind: ir.Kind) -> tuple[str, list[Member]]:
    match kind:
        case ir.Record(fields):
            return "record", [Member(member_name(f.name), annotations.of(f.type), f.docs) for f in fields]
        case ir.Variant(cases):
            names = annotations.names.cases(id_)
            return "variant", [
                Member(name, "" if case.type is None else annotations.of(case.type), case.docs)
                for name, case in zip(names, cases, strict=True)
            ]
        case ir.Enum(labels):
            return "enum", [Member(constant_name(label.name), str(i), label.docs) for i, label in enumerate(labels)]
        case ir.Flags(labels):
            return "flags", [
                Member(constant_name(label.name), f"1 << {i}", label.docs) for i, label in enumerate(labels)
            ]
        case _:
            return "alias", []


def _wit_name(resolve: ir.Resolve, definition: ir.TypeDef) -> str:
    """A type as documentation names it: with the interface that defines it."""
    if isinstance(definition.owner, ir.InterfaceOwner):
        return f"{resolve.link_name(definition.owner.id)} {definition.name}"
    return definition.name or ""

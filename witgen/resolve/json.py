"""The resolved model as JSON, in the shape that ``wasm-tools component wit --json`` prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from witgen import ir

__all__ = ["to_json"]

#: What `json.dumps` takes.
Json: TypeAlias = dict[str, Any]


def to_json(resolve: ir.Resolve) -> Json:
    """The model as a document of dicts, lists, strings and numbers, in the order of the tables."""
    return {
        "worlds": [_world(world) for world in resolve.worlds],
        "interfaces": [_interface(interface) for interface in resolve.interfaces],
        "types": [_type_def(type_) for type_ in resolve.types],
        "packages": [_package(package) for package in resolve.packages],
    }


def _world(world: ir.World) -> Json:
    return {
        "name": world.name,
        "imports": _items(world.imports),
        "exports": _items(world.exports),
        "package": world.package,
        **_docs(world.docs),
        **_stability(world.stability),
    }


def _items(items: Mapping[ir.WorldKey, ir.WorldItem]) -> Json:
    return {key if isinstance(key, str) else f"interface-{key}": _item(item) for key, item in items.items()}


def _item(item: ir.WorldItem) -> Json:
    match item:
        case ir.InterfaceItem():
            return {
                "interface": {
                    "id": item.id,
                    **_stability(item.stability),
                    **_external_id(item.external_id),
                    **_docs(item.docs),
                }
            }
        case ir.FunctionItem():
            return {"function": _function(item.function)}
        case ir.TypeItem():
            return {"type": item.id}


def _interface(interface: ir.Interface) -> Json:
    return {
        "name": interface.name,
        "types": dict(interface.types),
        "functions": {name: _function(function) for name, function in interface.functions.items()},
        **_docs(interface.docs),
        **_stability(interface.stability),
        "package": interface.package,
        **({} if interface.clone_of is None else {"clone_of": interface.clone_of}),
    }


def _function(function: ir.Function) -> Json:
    return {
        "name": function.name,
        "kind": _function_kind(function),
        "params": [{"name": param.name, "type": _type(param.type)} for param in function.params],
        **({} if function.result is None else {"result": _type(function.result)}),
        **_docs(function.docs),
        **_stability(function.stability),
        **_external_id(function.external_id),
    }


def _function_kind(function: ir.Function) -> str | Json:
    name = f"async-{function.kind.value}" if function.is_async else function.kind.value
    return name if function.resource is None else {name: function.resource}


def _type_def(type_: ir.TypeDef) -> Json:
    return {
        "name": type_.name,
        "kind": _kind(type_.kind),
        "owner": _owner(type_.owner),
        **_docs(type_.docs),
        **_stability(type_.stability),
        **_external_id(type_.external_id),
    }


def _owner(owner: ir.Owner | None) -> Json | None:
    match owner:
        case ir.InterfaceOwner(id=interface):
            return {"interface": interface}
        case ir.WorldOwner(id=world):
            return {"world": world}
        case None:
            return None


def _kind(kind: ir.Kind) -> str | Json:
    match kind:
        case ir.Record(fields=fields):
            return {"record": {"fields": [{"name": f.name, "type": _type(f.type), **_docs(f.docs)} for f in fields]}}
        case ir.Variant(cases=cases):
            return {"variant": {"cases": [{"name": c.name, "type": _type(c.type), **_docs(c.docs)} for c in cases]}}
        case ir.Enum(cases=labels):
            return {"enum": {"cases": _labels(labels)}}
        case ir.Flags(flags=labels):
            return {"flags": {"flags": _labels(labels)}}
        case ir.Tuple(types=types):
            return {"tuple": {"types": [_type(type_) for type_ in types]}}
        case ir.Option(type=type_):
            return {"option": _type(type_)}
        case ir.Result(ok=ok, err=err):
            return {"result": {"ok": _type(ok), "err": _type(err)}}
        case ir.List(element=type_):
            return {"list": _type(type_)}
        case ir.FixedLengthList(element=type_, length=length):
            return {"fixed-length-list": [_type(type_), length]}
        case ir.Map(key=key, value=value):
            return {"map": [_type(key), _type(value)]}
        case ir.Resource():
            return "resource"
        case ir.Own(resource=resource):
            return {"handle": {"own": resource}}
        case ir.Borrow(resource=resource):
            return {"handle": {"borrow": resource}}
        case ir.Future(type=element):
            return {"future": _type(element)}
        case ir.Stream(type=element):
            return {"stream": _type(element)}
        case ir.Alias(target=target):
            return {"type": _type(target)}


def _type(type_: ir.Type | None) -> str | int | None:
    return type_.value if isinstance(type_, ir.Primitive) else type_


def _labels(labels: Sequence[ir.Label]) -> list[Json]:
    return [{"name": label.name, **_docs(label.docs)} for label in labels]


def _package(package: ir.Package) -> Json:
    return {
        "name": str(package.name),
        **_docs(package.docs),
        "interfaces": dict(package.interfaces),
        "worlds": dict(package.worlds),
    }


def _docs(docs: str) -> Json:
    return {"docs": {"contents": docs}} if docs or isinstance(docs, ir.BlankDocs) else {}


def _external_id(external_id: str | None) -> Json:
    return {} if external_id is None else {"external_id": external_id}


def _stability(stability: ir.Stability) -> Json:
    """A gate; that of a stable item is left out."""
    deprecated = {} if stability.deprecated is None else {"deprecated": stability.deprecated}
    if stability.since is not None:
        return {"stability": {"stable": {"since": stability.since, **deprecated}}}
    if stability.unstable is not None:
        return {"stability": {"unstable": {"feature": stability.unstable, **deprecated}}}
    return {}

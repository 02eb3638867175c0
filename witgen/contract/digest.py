"""Interface digests: a Merkle tree over types, functions, interfaces and worlds.

The canonical form and its digests are specified in ``docs/interface-digest.md``; this module is that document as code.
It reads the resolved model alone, so that a contract in text and a component's own types give the same digests.

A digest must not change with docs, white space, file layout or the order of declarations, and must change with all
that a caller or callee can notice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from witgen import ir

__all__ = ["FORM", "Digests", "InterfaceDigest", "WorldDigest", "world_digest"]

#: Name and version of the canonical form; part of every digest.
FORM = "wit-digest/1"


@dataclass(frozen=True, slots=True)
class InterfaceDigest:
    """The digest of an interface and of what it consists of, by name."""

    digest: str
    types: Mapping[str, str]
    functions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class WorldDigest:
    """The digest of a world and of its imports and exports, by link name.

    Functions that a world imports or exports itself stand in `functions` of the interface named ``""``.
    """

    digest: str
    imports: Mapping[str, InterfaceDigest] = field(default_factory=dict)
    exports: Mapping[str, InterfaceDigest] = field(default_factory=dict)


class Digests:
    """The digests of one resolved model; each node is worked out once."""

    def __init__(self, resolve: ir.Resolve) -> None:
        self._resolve = resolve
        #: The texts of the first types of the model, aliases among them; a type refers to earlier ones.
        self._texts: list[str] = []
        self._interfaces: dict[tuple[ir.InterfaceId, str], InterfaceDigest] = {}

    def type(self, type_: ir.Type) -> str:
        """The text of a type: its keyword, its structure if it is anonymous, ``@digest`` if it has a name.

        Aliases are not seen: they stand for their target.
        """
        if isinstance(type_, ir.Primitive):
            return type_.value
        while len(self._texts) <= type_:
            self._texts.append(self._text(self._resolve.types[len(self._texts)]))
        return self._texts[type_]

    def _text(self, definition: ir.TypeDef) -> str:
        if isinstance(definition.kind, ir.Alias):
            return self.type(definition.kind.target)
        if definition.name is not None and isinstance(definition.kind, _NOMINAL):
            return "@" + self._definition(definition)
        text = self._structure(definition.kind)
        return text if len(text) <= _LONGEST_TEXT else "#" + _node("structure", [text])

    def function(self, function: ir.Function) -> str:
        """The digest of a function: name, parameters in order, result, and whether it is async."""
        lines = [f"name {function.name}"]
        if function.is_async:
            lines.append("async")
        lines += [f"param {param.name} {self.type(param.type)}" for param in function.params]
        if function.result is not None:
            lines.append(f"result {self.type(function.result)}")
        return _node("function", lines)

    def interface(self, id_: ir.InterfaceId, plain_name: str = "") -> InterfaceDigest:
        """The digest of an interface.

        `plain_name` is the name by which a world calls an interface that has none of its own, or a named one that it
        imports under another name.
        """
        found = self._interfaces.get((id_, plain_name))
        if found is None:
            found = self._interfaces[id_, plain_name] = self._interface(id_, plain_name)
        return found

    def world(self, id_: ir.WorldId) -> WorldDigest:
        """The digest of a world, over its own name and all that it imports and exports by link name."""
        world = self._resolve.worlds[id_]
        imports = self._items(world.imports)
        exports = self._items(world.exports)
        name = self._resolve.world_name(id_)
        return WorldDigest(world_digest(name, imports, exports), imports, exports)

    def _items(self, items: Mapping[ir.WorldKey, ir.WorldItem]) -> dict[str, InterfaceDigest]:
        found: dict[str, InterfaceDigest] = {}
        types: dict[str, str] = {}
        functions: dict[str, str] = {}
        for key, item in items.items():
            match item:
                case ir.InterfaceItem(id_):
                    plain = key if isinstance(key, str) else ""
                    found[self._resolve.link_name(key)] = self.interface(id_, plain)
                case ir.FunctionItem(function):
                    functions[function.name] = self.function(function)
                case ir.TypeItem(id_):
                    types[str(key)] = self.type(id_)
        if types or functions:
            found[""] = _members("", types, functions)
        return found

    def _interface(self, id_: ir.InterfaceId, plain_name: str) -> InterfaceDigest:
        interface = self._resolve.interfaces[id_]
        types = {name: self.type(type_) for name, type_ in interface.types.items()}
        functions = {name: self.function(function) for name, function in interface.functions.items()}
        name = self._interface_name(id_)
        if plain_name:
            name = f"{plain_name} {name}".rstrip()
        return _members(name, types, functions)

    def _interface_name(self, id_: ir.InterfaceId) -> str:
        """``ns:pkg/name`` without the version, or nothing for an interface without a name."""
        interface = self._resolve.interfaces[id_]
        if interface.name is None:
            return ""
        name = self._resolve.packages[interface.package].name
        return ir.PackageName(name.namespace, name.name).interface(interface.name)

    def _definition(self, definition: ir.TypeDef) -> str:
        lines = [f"name {definition.name}"]
        match definition.kind:
            case ir.Record(fields):
                lines += [f"field {f.name} {self.type(f.type)}" for f in fields]
                kind = "record"
            case ir.Variant(cases):
                lines += [
                    f"case {case.name}" + ("" if case.type is None else f" {self.type(case.type)}") for case in cases
                ]
                kind = "variant"
            case ir.Enum(labels):
                lines += [f"case {label.name}" for label in labels]
                kind = "enum"
            case ir.Flags(labels):
                lines += [f"flag {label.name}" for label in labels]
                kind = "flags"
            case _:
                kind = "resource"
                if isinstance(definition.owner, ir.InterfaceOwner):
                    lines.append(f"owner {self._interface_name(definition.owner.id)}".rstrip())
        return _node(kind, lines)

    def _structure(self, kind: ir.Kind) -> str:
        match kind:
            case ir.Tuple(types):
                return f"tuple<{','.join(self.type(t) for t in types)}>"
            case ir.Option(type_):
                return f"option<{self.type(type_)}>"
            case ir.Result(ok, err):
                return f"result<{self._maybe(ok)},{self._maybe(err)}>"
            case ir.List(element):
                return f"list<{self.type(element)}>"
            case ir.FixedLengthList(element, length):
                return f"list<{self.type(element)},{length}>"
            case ir.Map(key, value):
                return f"map<{self.type(key)},{self.type(value)}>"
            case ir.Own(resource):
                return f"own<{self.type(resource)}>"
            case ir.Borrow(resource):
                return f"borrow<{self.type(resource)}>"
            case ir.Future(payload):
                return f"future<{self._maybe(payload)}>"
            case ir.Stream(payload):
                return f"stream<{self._maybe(payload)}>"
            case _:
                raise TypeError(f"a {type(kind).__name__} without a name")

    def _maybe(self, type_: ir.Type | None) -> str:
        return "_" if type_ is None else self.type(type_)


def world_digest(name: str, imports: Mapping[str, InterfaceDigest], exports: Mapping[str, InterfaceDigest]) -> str:
    """The digest of the world with that full name, from those of what it imports and exports."""
    lines = [f"name {name}"]
    for direction, items in (("export", exports), ("import", imports)):
        lines += [f"{direction} {item_name} {item.digest}" for item_name, item in sorted(items.items())]
    return _node("world", lines)


#: What is longer is put as its digest, so that no text grows without end.
_LONGEST_TEXT = 1_000

#: Kinds whose name is part of what a caller sees; another kind with a name is an alias of a structure.
_NOMINAL = (ir.Record, ir.Variant, ir.Enum, ir.Flags, ir.Resource)


def _members(name: str, types: Mapping[str, str], functions: Mapping[str, str]) -> InterfaceDigest:
    lines = [f"name {name}".rstrip()]
    lines += [f"function {item} {digest}" for item, digest in sorted(functions.items())]
    lines += [f"type {item} {text}" for item, text in sorted(types.items())]
    return InterfaceDigest(_node("interface", lines), types, functions)


def _node(kind: str, lines: Iterable[str]) -> str:
    text = "".join(f"{line}\n" for line in (f"{FORM} {kind}", *lines))
    return hashlib.sha256(text.encode()).hexdigest()

"""Digests a second time, by nothing but ``docs/interface-digest.md`` and the JSON tables of a resolved package.

The tables are those of ``witgen wit --json``, and of the reference tools too. Nothing of witgen is used, so that the
document is held to be complete, and `witgen.contract.digest` to be what it says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

__all__ = ["digests_by_document"]

#: Per kind of definition: where its parts are, and the word that begins their lines.
_DEFINITIONS = {
    "record": ("fields", "field"),
    "variant": ("cases", "case"),
    "enum": ("cases", "case"),
    "flags": ("flags", "flag"),
}


def digests_by_document(tables: Mapping[str, Any]) -> dict[str, str]:
    """The digests of all interfaces and worlds of packages, by kind, package and name."""
    second = _Second(tables)
    found = {}
    for package in tables["packages"]:
        for name, number in package["interfaces"].items():
            found[f"interface {package['name']} {name}"] = second.interface(number, "")
        for name, number in package["worlds"].items():
            found[f"world {package['name']} {name}"] = second.world(number)
    return found


def _node(kind: str, *lines: str) -> str:
    text = "".join(f"{line}\n" for line in (f"wit-digest/1 {kind}", *lines))
    return hashlib.sha256(text.encode()).hexdigest()


class _Second:
    def __init__(self, tables: Mapping[str, Any]) -> None:
        self._tables = tables
        #: What the first types come to, each of which refers to earlier ones only.
        self._texts: list[str] = []
        for definition in tables["types"]:
            self._texts.append(self._defined(definition))

    # Types

    def _type(self, type_: Any) -> str:
        """A type as it stands in interfaces: a resource is itself."""
        if type_ is None:
            return "_"
        return type_ if isinstance(type_, str) else self._texts[type_]

    def _value(self, type_: Any) -> str:
        """The type of a value, which owns a resource that is not said to be borrowed."""
        text = self._type(type_)
        return f"own<{text}>" if self._is_resource(type_) else text

    def _is_resource(self, type_: Any) -> bool:
        if not isinstance(type_, int):
            return False
        kind = self._tables["types"][type_]["kind"]
        return kind == "resource" or ("type" in kind and self._is_resource(kind["type"]))

    def _defined(self, definition: Mapping[str, Any]) -> str:
        name = f"name {definition['name']}"
        if definition["kind"] == "resource":
            owner = definition["owner"]
            is_of_interface = "interface" in owner
            lines = [f"owner {self._name(owner['interface'])}".rstrip()] if is_of_interface else []
            return "@" + _node("resource", name, *lines)
        ((kind, body),) = definition["kind"].items()
        if kind == "type":
            return self._type(body)
        if kind in _DEFINITIONS:
            parts, word = _DEFINITIONS[kind]
            lines = [f"{word} {part['name']}{self._payload(part.get('type'))}" for part in body[parts]]
            return "@" + _node(kind, name, *lines)
        text = self._structure(kind, body)
        return text if len(text) <= 1000 else "#" + _node("structure", text)

    def _payload(self, type_: Any) -> str:
        return "" if type_ is None else f" {self._value(type_)}"

    def _structure(self, kind: str, body: Any) -> str:
        match kind:
            case "handle":
                ((handle, resource),) = body.items()
                return f"{handle}<{self._type(resource)}>"
            case "tuple":
                return f"tuple<{','.join(map(self._value, body['types']))}>"
            case "result":
                return f"result<{self._value(body['ok'])},{self._value(body['err'])}>"
            case "fixed-length-list":
                return f"list<{self._value(body[0])},{body[1]}>"
            case "map":
                return f"map<{self._value(body[0])},{self._value(body[1])}>"
            case _:
                return f"{kind}<{self._value(body)}>"

    # What has functions

    def _function(self, function: Mapping[str, Any]) -> str:
        kind = function["kind"]
        is_async = (kind if isinstance(kind, str) else next(iter(kind))).startswith("async-")
        params = [f"param {param['name']} {self._value(param['type'])}" for param in function["params"]]
        result = [] if function.get("result") is None else [f"result {self._value(function['result'])}"]
        return _node("function", f"name {function['name']}", *(["async"] if is_async else []), *params, *result)

    def _name(self, interface: int) -> str:
        row = self._tables["interfaces"][interface]
        package = self._tables["packages"][row["package"]]["name"].partition("@")[0]
        return "" if row["name"] is None else f"{package}/{row['name']}"

    def interface(self, number: int, label: str) -> str:
        row = self._tables["interfaces"][number]
        name = f"{label} {self._name(number)}".strip()
        return self._members(name, row["functions"].values(), row["types"])

    def _members(self, name: str, functions: Any, types: Mapping[str, int]) -> str:
        by_name = {function["name"]: self._function(function) for function in functions}
        lines = [f"function {item} {by_name[item]}" for item in sorted(by_name)]
        lines += [f"type {item} {self._type(types[item])}" for item in sorted(types)]
        return _node("interface", f"name {name}".rstrip(), *lines)

    def world(self, number: int) -> str:
        row = self._tables["worlds"][number]
        package, at, version = self._tables["packages"][row["package"]]["name"].partition("@")
        lines = [f"name {package}/{row['name']}{at}{version}"]
        for direction in ("export", "import"):
            items = self._items(row[f"{direction}s"])
            lines += [f"{direction} {name} {items[name]}" for name in sorted(items)]
        return _node("world", *lines)

    def _items(self, items: Mapping[str, Any]) -> dict[str, str]:
        found: dict[str, str] = {}
        functions, types = [], {}
        for key, item in items.items():
            if "interface" in item:
                number = item["interface"]["id"]
                # Tables write the interface itself so where the world gives it no name.
                is_named = key != f"interface-{number}"
                found[key if is_named else self._link_name(number)] = self.interface(number, key if is_named else "")
            elif "function" in item:
                functions.append(item["function"])
            else:
                types[key] = item["type"]
        if functions or types:
            found[""] = self._members("", functions, types)
        return found

    def _link_name(self, interface: int) -> str:
        row = self._tables["interfaces"][interface]
        package, at, version = self._tables["packages"][row["package"]]["name"].partition("@")
        return f"{package}/{row['name']}{at}{version}"

"""Random WIT packages that are valid: text that uses all of the language.

`packages()` is the strategy, `random_package` makes a package with a `random.Random`. Items may be gated by features,
so that packages are valid with all features on. Examples are made from a seed: hypothesis can't make them smaller, but
they come fast.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from hypothesis import strategies as st

__all__ = ["packages", "random_package"]

T = TypeVar("T")

_KEYWORDS = (
    *("as", "async", "bool", "borrow", "char", "constructor", "enum", "error-context", "export", "f32", "flags"),
    *("from", "func", "future", "import", "include", "interface", "list", "map", "option", "own", "package", "record"),
    *(
        "resource",
        "result",
        "s64",
        "static",
        "stream",
        "string",
        "tuple",
        "type",
        "u8",
        "use",
        "variant",
        "with",
        "world",
    ),
)
_WORDS = (
    "a",
    "b",
    "x1",
    "id",
    "self",
    "since",
    "version",
    "http",
    "URL",
    "a-b",
    "A-b",
    "get-X",
    "q-2-z9",
    "none",
    "ok",
)
_PRIMITIVES = ("bool", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "f32", "f64", "char", "string")
_KEYS = ("bool", "u8", "s64", "char", "string")
_VERSIONS = ("1.0.0", "0.2.10", "2.1.0-rc.1", "1.0.0+build.5")
_DOCS = (
    "/// One line.",
    "/// Two\n/// lines.",
    "///   indented\n/// and not",
    "// no doc comment, and yet one",
    "/** A block,\n    with *two* lines. */",
    "/**\n * In the manner of Java.\n */",
    "/* A plain block. */",
    "///",
    "/// a\n///\n/// b é \u65e5 `code` \\ */ /*",
    "///\ttab",
)
_STRINGS = ('""', '"a b"', '"\\u{e9}\\n\\"\\\\"', '"日本\'~"')


def packages() -> st.SearchStrategy[str]:
    """A valid package: the text of a file, packages that it uses nested in it. Valid with all features on."""
    return st.integers(0, 2**32 - 1).map(lambda seed: random_package(Random(seed)))


def random_package(random: Random) -> str:
    """A package as in `packages`."""
    return _Maker(random).file()


@dataclass
class _Type:
    """A type with a name. A value `holds_borrow` where it can't be returned; a resource is one itself."""

    name: str
    is_resource: bool = False
    holds_borrow: bool = False


@dataclass(eq=False)
class _Interface:
    """An interface that others can use. `uses` are those that it uses, directly."""

    package: str
    name: str
    version: str
    types: list[_Type] = field(default_factory=list)
    uses: list[_Interface] = field(default_factory=list)

    def path(self, package: str) -> str:
        """How the package names it."""
        return self.name if package == self.package else f"{self.package}/{self.name}{self.version}"

    def needs(self) -> set[int]:
        """All that it uses, by identity."""
        found: set[int] = set()
        pending = list(self.uses)
        while pending:
            interface = pending.pop()
            if id(interface) not in found:
                found.add(id(interface))
                pending += interface.uses
        return found


@dataclass
class _World:
    """A world that others can include: its plain names, and the interfaces that it exports, each in its own way."""

    package: str
    name: str
    version: str
    names: dict[str, str] = field(default_factory=dict)
    exports: tuple[_Interface, ...] = ()
    labelled: tuple[_Interface, ...] = ()
    inline: tuple[_Interface, ...] = ()

    def path(self, package: str) -> str:
        """How the package names it."""
        return self.name if package == self.package else f"{self.package}/{self.name}{self.version}"

    def export(
        self,
        exports: Sequence[_Interface] = (),
        labelled: Sequence[_Interface] = (),
        inline: Sequence[_Interface] = (),
    ) -> bool:
        """Take these exports too, if the world can have them: none of its exports may be used by what has to be
        imported."""
        exports = (*self.exports, *exports)
        labelled = (*self.labelled, *labelled)
        inline = (*self.inline, *inline)
        named = {id(interface) for interface in exports}
        taken = named | {id(interface) for interface in labelled}
        for interface in (*exports, *labelled, *inline):
            for used in interface.uses:
                if id(used) not in named and not taken.isdisjoint({id(used), *used.needs()}):
                    return False
        self.exports, self.labelled, self.inline = exports, labelled, inline
        return True


class _Names:
    """Names of a scope, none of which is another's but for case."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._taken: set[str] = set()

    def new(self) -> str:
        """A name that is not taken, as it is written."""
        name = self._random.choice(_KEYWORDS if self._random.random() < 0.2 else _WORDS)
        while name.lower() in self._taken:
            name = f"{name}-{self._random.choice('abcxyz')}{self._random.randrange(100)}"
        self._taken.add(name.lower())
        return f"%{name}" if name in _KEYWORDS or self._random.random() < 0.05 else name


class _Maker:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._interfaces: list[_Interface] = []
        self._worlds: list[_World] = []
        self._package = ""
        self._version = ""
        self._counter = itertools.count()

    # Choices

    def _some(self, most: int, make: Callable[[], T], least: int = 0) -> list[T]:
        return [make() for _ in range(self._random.randint(least, most))]

    def _often(self, share: float) -> bool:
        return self._random.random() < share

    def _pick(self, choices: Sequence[T], most: int) -> list[T]:
        return self._random.sample(choices, min(len(choices), self._random.randint(1, most))) if choices else []

    # Files and packages

    def file(self) -> str:
        """The text of a file."""
        names = _Names(self._random)
        nested = self._some(2, lambda: self._nested(names))
        header = f"{self._docs()}{self._name_package(names)};\n"
        return "\n".join([header, *self._items(), *nested])

    def _nested(self, names: _Names) -> str:
        head = f"{self._docs()}{self._name_package(names)}"
        return f"{head} {{\n{''.join(self._items())}}}\n"

    def _name_package(self, names: _Names) -> str:
        self._package = f"{self._random.choice(['x', 'wasi', '%use', 'a-b'])}:{names.new().lower()}"
        self._version = f"@{self._random.choice(_VERSIONS)}" if self._often(0.6) else ""
        return f"package {self._package}{self._version}"

    def _items(self) -> list[str]:
        names = _Names(self._random)
        items = self._some(3, lambda: self._interface(names.new()))
        items += self._some(2, lambda: self._world(names.new()))
        self._random.shuffle(items)
        return items

    # What stands before items

    def _docs(self, share: float = 0.2) -> str:
        return f"{self._random.choice(_DOCS)}\n" if self._often(share) else ""

    def _gates(self, *, external_id: bool = True) -> str:
        gates = []
        if self._version and self._often(0.15):
            gates.append(f"@since(version = {self._random.choice(['0.1.0', self._version[1:]])})")
        elif self._often(0.1):
            gates.append(f"@unstable(feature = {self._random.choice(['f', 'some-feature', '%use'])})")
        if gates and self._often(0.3):
            gates.append("@deprecated(version = 0.2.0)")
        if external_id and self._often(0.1):
            gates.append(f"@external-id({self._random.choice(_STRINGS)})")
        self._random.shuffle(gates)
        return "".join(f"{gate}\n" for gate in gates)

    def _head(self, *, external_id: bool = True) -> str:
        return self._docs() + self._gates(external_id=external_id)

    def _world_gates(self) -> str:
        """Gates for what brings interfaces into a world: those of different places must not contradict each other."""
        return "@unstable(feature = f)\n" if self._often(0.1) else ""

    def _extern_head(self, kind: str) -> str:
        if kind == "function":
            return self._head()
        external_id = f"@external-id({self._random.choice(_STRINGS)})\n" if self._often(0.1) else ""
        return self._docs() + self._world_gates() + external_id

    # Interfaces

    def _interface(self, name: str) -> str:
        interface = _Interface(self._package, name, self._version)
        head = self._head(external_id=False)
        body = self._interface_body(interface)
        self._interfaces.append(interface)
        return f"{head}interface {name} {{\n{body}}}\n"

    def _interface_body(self, interface: _Interface) -> str:
        names = _Names(self._random)
        items = self._some(2, lambda: self._use(self._gates(), interface.types, interface.uses, names))
        items += self._some(5, lambda: self._definition(interface.types, names))
        items += self._some(3, lambda: self._function(names.new(), interface.types))
        self._random.shuffle(items)
        return "".join(items)

    def _use(self, gates: str, types: list[_Type], uses: list[_Interface], names: _Names) -> str:
        candidates = [interface for interface in self._interfaces if interface.types]
        if not candidates:
            return ""
        interface = self._random.choice(candidates)
        uses.append(interface)
        parts = []
        for used in self._pick(interface.types, 3):
            alias = names.new()
            types.append(_Type(alias, used.is_resource, used.holds_borrow))
            parts.append(f"{used.name} as {alias}")
        comma = "," if self._often(0.3) else ""
        return f"{gates}use {interface.path(self._package)}.{{{', '.join(parts)}{comma}}};\n"

    # Types

    def _definition(self, types: list[_Type], names: _Names) -> str:
        kind = self._random.choice(["alias", "alias", "record", "variant", "enum", "flags", "resource"])
        name = names.new()
        new = _Type(name)
        head = self._head()
        if kind == "resource":
            new.is_resource = True
            types.append(new)
            return head + self._resource(name, types)
        if kind == "alias":
            if self._often(0.2) and types:
                target = self._random.choice(types)
                new.is_resource, new.holds_borrow = target.is_resource, target.holds_borrow
                text = f"type {name} = {target.name};\n"
            else:
                text = f"type {name} = {self._type(types, new, anonymous=True)};\n"
        elif kind in ("enum", "flags"):
            text = f"{kind} {name} {{ {self._parts(lambda part: part)} }}\n"
        elif kind == "record":
            text = f"record {name} {{ {self._parts(lambda part: f'{part}: {self._type(types, new)}')} }}\n"
        else:
            text = f"variant {name} {{ {self._parts(lambda part: self._case(part, types, new))} }}\n"
        types.append(new)
        return head + text

    def _case(self, name: str, types: Sequence[_Type], owner: _Type) -> str:
        return f"{name}({self._type(types, owner)})" if self._often(0.6) else name

    def _parts(self, make: Callable[[str], str]) -> str:
        names = _Names(self._random)
        parts = self._some(4, lambda: f"{self._spaced_docs()}{make(names.new())}", least=1)
        return ", ".join(parts) + ("," if self._often(0.5) else "")

    def _spaced_docs(self) -> str:
        docs = self._docs(0.1)
        return f"\n{docs}" if docs else ""

    def _resource(self, name: str, types: list[_Type]) -> str:
        if self._often(0.3):
            return f"resource {name};\n"
        names = _Names(self._random)
        functions = []
        if self._often(0.5):
            result = self._random.choice(["", f" -> result<{name}>", f" -> result<{name}, string>"])
            functions.append(f"{self._head()}constructor({self._parameters(types)}){result};\n")
        for _ in range(self._random.randint(0, 3)):
            static = self._random.choice(["", "", "static "])
            functions.append(self._function(names.new(), types, static))
        self._random.shuffle(functions)
        return f"resource {name} {{\n{''.join(functions)}}}\n"

    def _type(self, types: Sequence[_Type], owner: _Type | None, *, anonymous: bool = False, depth: int = 0) -> str:
        """A type in text; `owner` takes note of borrows in it, without one there can be none."""
        if not anonymous and (depth > 3 or self._often(0.5)):
            usable = [t for t in types if owner is not None or not t.holds_borrow]
            if usable and self._often(0.6):
                return self._named(self._random.choice(usable), owner)
            return self._random.choice(_PRIMITIVES)

        def inner() -> str:
            return self._type(types, owner, depth=depth + 1)

        kind = self._random.choice([*_CONSTRUCTORS, "own", "borrow"])
        resources = [t for t in types if t.is_resource]
        if kind in ("own", "borrow"):
            if not resources or (kind == "borrow" and owner is None):
                return "error-context" if self._often(0.2) else f"list<{self._random.choice(_PRIMITIVES)}>"
            if kind == "borrow" and owner is not None:
                owner.holds_borrow = True
            return f"{kind}<{self._random.choice(resources).name}>"
        return _CONSTRUCTORS[kind](self._random, inner)

    def _named(self, type_: _Type, owner: _Type | None) -> str:
        if type_.holds_borrow and owner is not None:
            owner.holds_borrow = True
        return type_.name

    # Functions

    def _function(self, name: str, types: Sequence[_Type], static: str = "") -> str:
        return f"{self._head()}{name}: {static}{self._function_type(types)};\n"

    def _function_type(self, types: Sequence[_Type]) -> str:
        result = f" -> {self._type(types, None)}" if self._often(0.6) else ""
        return f"{'async ' if self._often(0.2) else ''}func({self._parameters(types)}){result}"

    def _parameters(self, types: Sequence[_Type]) -> str:
        names = _Names(self._random)
        names._taken.add("self")
        return ", ".join(self._some(3, lambda: f"{names.new()}: {self._type(types, _Type(''))}"))

    # Worlds

    def _world(self, name: str) -> str:
        names = _Names(self._random)
        types: list[_Type] = []
        world = _World(self._package, name, self._version)
        items = self._some(1, lambda: self._use(self._world_gates(), types, [], names))
        items += self._some(2, lambda: self._definition(types, names))
        world.names.update({type_.name.removeprefix("%"): type_.name for type_ in types})
        imported: set[int] = set()
        items += self._some(4, lambda: self._import(world, names, types, imported))
        export_names = _Names(self._random)
        items += self._some(4, lambda: self._export(world, export_names, types))
        items += self._some(1, lambda: self._include(world))
        self._random.shuffle(items)
        self._worlds.append(world)
        return f"{self._head(external_id=False)}world {name} {{\n{''.join(items)}}}\n"

    def _import(self, world: _World, names: _Names, types: Sequence[_Type], imported: set[int]) -> str:
        kind = self._random.choice(["function", "inline", "path", "label"])
        head = self._extern_head(kind)
        if kind == "path" and self._interfaces:
            interface = self._random.choice(self._interfaces)
            if id(interface) in imported:
                return ""
            imported.add(id(interface))
            return f"{head}import {interface.path(self._package)};\n"
        name = names.new()
        world.names[name.removeprefix("%")] = name
        if kind == "label" and self._interfaces:
            return f"{head}import {name}: {self._random.choice(self._interfaces).path(self._package)};\n"
        if kind == "inline":
            body = self._interface_body(_Interface(self._package, "", ""))
            return f"{head}import {name}: interface {{\n{body}}}\n"
        return f"{head}import {name}: {self._function_type(types)};\n"

    def _export(self, world: _World, names: _Names, types: Sequence[_Type]) -> str:
        kind = self._random.choice(["function", "inline", "path", "label"])
        head = self._extern_head(kind)
        if kind == "path" and self._interfaces:
            interface = self._random.choice(self._interfaces)
            if interface in world.exports or not world.export(exports=[interface]):
                return ""
            return f"{head}export {interface.path(self._package)};\n"
        name = names.new()
        if kind == "label" and self._interfaces:
            interface = self._random.choice(self._interfaces)
            if not world.export(labelled=[interface]):
                return ""
            text = f"{head}export {name}: {interface.path(self._package)};\n"
        elif kind == "inline":
            interface = _Interface(self._package, "", "")
            body = self._interface_body(interface)
            if not world.export(inline=[interface]):
                return ""
            text = f"{head}export {name}: interface {{\n{body}}}\n"
        else:
            text = f"{head}export {name}: {self._function_type(types)};\n"
        world.names[name.removeprefix("%")] = name
        return text

    def _include(self, world: _World) -> str:
        """An include of a world all of whose plain names become others.

        What it brings may be gated by a version, so that this has to be the version of both packages.
        """
        others = [other for other in self._worlds if other.version in ("", self._version)]
        if not others:
            return ""
        other = self._random.choice(others)
        if not world.export(other.exports, other.labelled, other.inline):
            return ""
        renamed = {name: f"included-{next(self._counter)}" for name in other.names.values()}
        world.names.update({name: name for name in renamed.values()})
        names = ", ".join(f"{name} as {new}" for name, new in renamed.items())
        tail = f" with {{ {names} }}" if names else ";"
        return f"{self._gates(external_id=False)}include {other.path(self._package)}{tail}\n"


_Inner = Callable[[], str]
#: The types with brackets, given a maker of the types in them.
_CONSTRUCTORS: dict[str, Callable[[Random, _Inner], str]] = {
    "list": lambda _, inner: f"list<{inner()}>",
    "fixed": lambda random, inner: f"list<{inner()}, {random.choice([1, 4, 65536])}>",
    "option": lambda _, inner: f"option<{inner()}>",
    "tuple": lambda random, inner: f"tuple<{', '.join(inner() for _ in range(random.randint(1, 3)))}>",
    "map": lambda random, inner: f"map<{random.choice(_KEYS)}, {inner()}>",
    "result": lambda random, inner: random.choice(["result", "result<{}>", "result<_, {}>", "result<{}, {}>"]).format(
        inner(), inner()
    ),
    "future": lambda random, inner: random.choice(["future", f"future<{inner()}>"]),
    "stream": lambda random, inner: random.choice(["stream", f"stream<{inner()}>"]),
}

"""Python names for WIT names: what a name becomes, and who gets which where two want the same.

It knows Python's words and the names that generated modules use themselves; it knows nothing of layout.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Collection, Iterable

from witgen import ir
from witgen.emit.names import shouty_snake as constant_name
from witgen.emit.names import snake
from witgen.emit.names import upper_camel as class_name

__all__ = [
    "ClassNames",
    "class_name",
    "constant_name",
    "local_name",
    "member_name",
    "module_name",
    "snake_of_class",
]

#: Builtins that annotations of generated classes use: a member of that name would hide them.
_ANNOTATIONS = frozenset({"bool", "bytes", "dict", "float", "int", "list", "object", "str", "tuple"})
#: Names that members of generated classes have from their bases.
_INHERITED = frozenset({"close"})
#: Names that bodies of generated functions use.
_LOCALS = frozenset({"cx", "error", "f", "failed", "isinstance", "p", "result", "rt", "self", "tag"})
_TEMPORARY = re.compile(r"v\d+$")


def member_name(name: str) -> str:
    """A field, method or parameter as an attribute: ``user-id`` as ``user_id``, ``from`` as ``from_``."""
    found = snake(name)
    if keyword.iskeyword(found) or found in _ANNOTATIONS or found in _INHERITED or found.startswith("__"):
        return found + "_"
    return found


def local_name(name: str) -> str:
    """A parameter of a generated function: as `member_name`, and none of the names that its body uses."""
    found = member_name(name)
    return found + "_" if found in _LOCALS or _TEMPORARY.match(found) else found


def module_name(name: str) -> str:
    """The file, without ending, of the adapter of a world."""
    return snake(name)


def snake_of_class(class_: str) -> str:
    """``ProgressUpdate`` as ``progress_update``."""
    out = ""
    for i, char in enumerate(class_):
        if char.isupper() and i and not class_[i - 1].isupper() and class_[i - 1] != "_":
            out += "_"
        out += char.lower()
    return out


class ClassNames:
    """The classes of one generated module: each interface and each named type gets a name of its own.

    Where several interfaces define the same name, all of them get the name of the interface in front, and that of the
    package where even that is not enough; so no name depends on the order of declarations.
    """

    def __init__(
        self,
        resolve: ir.Resolve,
        world: ir.WorldId,
        interfaces: Iterable[ir.InterfaceId],
        with_class: Collection[ir.InterfaceId],
        with_two: Collection[ir.InterfaceId],
    ) -> None:
        """Names for `interfaces` of a world; those not in `with_class` only lend theirs to their types.

        Those in `with_two` are imported and exported, so that there is a Protocol beside the class.
        """
        self._resolve = resolve
        self._world = class_name(resolve.worlds[world].name)
        self._candidates: dict[tuple[str, int], list[str]] = {}
        for id_ in interfaces:
            own = self._interface_candidates(id_)
            if id_ in with_class:
                self._candidates["interface", id_] = own
            if id_ in with_two:
                self._candidates["import", id_] = [f"{name}Import" for name in own]
            for name, type_ in resolve.interfaces[id_].types.items():
                if not isinstance(resolve.types[type_].kind, ir.Alias) or self.is_renaming(type_):
                    prefixes = [""] if resolve.interfaces[id_].name is None else ["", *own]
                    self._candidates["type", type_] = [prefix + class_name(name) for prefix in prefixes]
        for item in resolve.worlds[world].imports.values():
            if isinstance(item, ir.TypeItem) and (
                not isinstance(resolve.types[item.id].kind, ir.Alias) or self.is_renaming(item.id)
            ):
                name = class_name(resolve.types[item.id].name or "")
                self._candidates["type", item.id] = [name, self._world + name]
        self._names = self._settle()

    def is_renaming(self, type_: ir.TypeId) -> bool:
        """Whether a named type is an alias that gives its target a new name, and not just brought in by ``use``."""
        definition = self._resolve.types[type_]
        if not isinstance(definition.kind, ir.Alias):
            return False
        target = definition.kind.target
        return isinstance(target, ir.Primitive) or self._resolve.types[target].name != definition.name

    def interface(self, id_: ir.InterfaceId) -> str:
        """The class of an interface."""
        return self._names["interface", id_]

    def imported(self, id_: ir.InterfaceId) -> str:
        """The Protocol of an imported interface."""
        return self._names.get(("import", id_)) or self.interface(id_)

    def type(self, id_: ir.TypeId) -> str:
        """The class of a named type, which ``use`` may have brought in."""
        while ("type", id_) not in self._names:
            kind = self._resolve.types[id_].kind
            assert isinstance(kind, ir.Alias) and not isinstance(kind.target, ir.Primitive)
            id_ = kind.target
        return self._names["type", id_]

    def has(self, id_: ir.TypeId) -> bool:
        """Whether a type has a class or alias of its own in the module."""
        return ("type", id_) in self._names

    @property
    def world(self) -> str:
        """The class of the world."""
        return self._world

    def _interface_candidates(self, id_: ir.InterfaceId) -> list[str]:
        interface = self._resolve.interfaces[id_]
        if interface.name is None:
            return [class_name(self._inline_name(id_))]
        own = class_name(interface.name)
        package = self._resolve.packages[interface.package].name
        version = "" if package.version is None else "V" + re.sub(r"[^0-9A-Za-z]", "_", package.version)
        longer = class_name(package.name) + own
        return [own, longer, class_name(package.namespace) + longer, class_name(package.namespace) + longer + version]

    def _inline_name(self, id_: ir.InterfaceId) -> str:
        for world in self._resolve.worlds:
            for items in (world.imports, world.exports):
                for key, item in items.items():
                    if isinstance(item, ir.InterfaceItem) and item.id == id_:
                        return str(key)
        raise KeyError(id_)

    def _settle(self) -> dict[tuple[str, int], str]:
        level = dict.fromkeys(self._candidates, 0)
        while True:
            names = {key: options[min(level[key], len(options) - 1)] for key, options in self._candidates.items()}
            used = Counter([*names.values(), self._world, self._world + "Imports"])
            clashing = [key for key, name in names.items() if used[name] > 1]
            movable = [key for key in clashing if level[key] < len(self._candidates[key]) - 1]
            if not movable:
                for number, key in enumerate(clashing):
                    names[key] += f"_{number}"
                return names
            # A type gives way before an interface does: interfaces are what a program names most.
            types = [key for key in movable if key[0] == "type"]
            for key in types or movable:
                level[key] += 1

"""Python names for WIT names: what a name becomes, and who gets which where two want the same.

It knows Python's words and the names that generated modules use themselves; it knows nothing of layout.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Sequence

from witgen import ir
from witgen.emit.names import Scope, snake
from witgen.emit.names import shouty_snake as constant_name
from witgen.emit.names import upper_camel as class_name
from witgen.emit.python.sides import Mark, Side, Sides

__all__ = [
    "ClassNames",
    "class_name",
    "constant_name",
    "function_member",
    "local_name",
    "member_name",
    "short_member",
    "snake_of_class",
]

#: What annotations and decorators in generated classes use: a member of that name would hide them.
_ANNOTATIONS = frozenset({"bool", "bytes", "dict", "float", "int", "list", "object", "property", "rt", "str", "tuple"})
#: Names that members of generated classes have from their bases.
_INHERITED = frozenset({"close"})
#: Names that bodies of generated functions use.
_LOCALS = frozenset({"cx", "error", "f", "failed", "isinstance", "p", "result", "rt", "self", "tag"})
#: Names of a generated module that are those of no class of a contract.
_RESERVED = (
    *("Any", "Callable", "ClassVar", "Collection", "Mapping", "Path", "Protocol", "Sequence", "TypeAlias"),
    *("BaseException", "CONTRACT", "False", "None", "NotImplementedError", "True"),
)
#: Behind the name of what is imported, where there is something exported of that name.
_IMPORTED = "Import"
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


def function_member(function: ir.Function) -> str:
    """The Python method for a function; a constructor is the call of its factory."""
    return "__call__" if function.kind is ir.FunctionKind.CONSTRUCTOR else member_name(function.item_name)


def short_member(function: ir.Function) -> str:
    """The function as part of a private name."""
    return "new" if function.kind is ir.FunctionKind.CONSTRUCTOR else member_name(function.item_name)


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
    package where even that is not enough; so no name depends on the order of declarations. Of an interface that is
    exported too, what is imported has ``Import`` behind its name; of one with several exports, what a label exports has
    the label in front.
    """

    def __init__(self, sides: Sides, world: ir.World) -> None:
        """Names for a world and its sides."""
        self._sides = sides
        self._resolve = sides.resolve
        self._world = Scope(_RESERVED).take(class_name(world.name))
        self._inline = {side.id: side.label for side in (*sides.imports, *sides.exports) if side.label}
        self._candidates: dict[tuple[str, int], list[str]] = {}
        exported = {side.id for side in sides.exports}
        imported = {side.id for side in sides.imports}
        for id_ in sides.interfaces():
            own = self._interface_candidates(id_)
            if id_ in exported or self._resolve.interfaces[id_].functions:
                self._candidates["interface", id_] = own
                if id_ in exported and id_ in imported:
                    self._candidates["import", id_] = [f"{name}{_IMPORTED}" for name in own]
            self._add_types(id_)
        for type_ in self._resolve.world_types(world.imports):
            if self._is_new(type_):
                name = class_name(self._resolve.types[type_].name or "")
                self._candidates["type", type_] = [name, self._world + name]
        self._names = self._settle()
        self._scope = Scope([*self._names.values(), self._world, self._world + "Imports", *_RESERVED])
        self._more: dict[tuple[ir.TypeId, str], str] = {}

    def interface(self, id_: ir.InterfaceId) -> str:
        """The class of an interface."""
        return self._names["interface", self._sides.interface_twins.get(id_, id_)]

    def imported(self, id_: ir.InterfaceId) -> str:
        """The Protocol of an imported interface."""
        return self._names.get(("import", id_)) or self.interface(id_)

    def attributes(self, sides: Sequence[Side], scope: Scope) -> dict[Side, str]:
        """By what attributes of one object interfaces are offered; those with a label take theirs first."""
        order = sorted(sides, key=lambda side: not side.label)
        return {side: scope.take(self._attribute(side)) for side in order}

    def _attribute(self, side: Side) -> str:
        """The label, or the class of an interface in lower case."""
        if side.label:
            return member_name(side.label)
        name = self.interface(side.id)
        if self._sides.interface_marks.get(side.id, Mark()).imported:
            name = name.removesuffix(_IMPORTED)
        return member_name(snake_of_class(name).replace("_", "-"))

    def type(self, id_: ir.TypeId) -> str:
        """The class of a named type, which ``use`` may have brought in."""
        id_ = self.canonical(id_)
        while ("type", id_) not in self._names:
            kind = self._resolve.types[id_].kind
            assert isinstance(kind, ir.Alias) and not isinstance(kind.target, ir.Primitive)
            id_ = self.canonical(kind.target)
        return self._names["type", id_]

    def has(self, id_: ir.TypeId) -> bool:
        """Whether a type has a class or alias of its own in the module, if only through its twin."""
        return ("type", self.canonical(id_)) in self._names

    def canonical(self, id_: ir.TypeId) -> ir.TypeId:
        """The type whose class in Python serves for this one too."""
        return self._sides.twins.get(id_, id_)

    def cases(self, id_: ir.TypeId) -> list[str]:
        """The classes of the cases of a variant."""
        kind = self._resolve.types[id_].kind
        assert isinstance(kind, ir.Variant)
        scope = Scope()
        return [scope.take(f"{self.type(id_)}_{class_name(case.name)}") for case in kind.cases]

    def exception(self, id_: ir.TypeId) -> str:
        """The exception for a type that has a class of its own."""
        return self._derived(id_, "Exception")

    def factory(self, id_: ir.TypeId) -> str:
        """The class of what makes objects of a resource."""
        return self._derived(id_, "Factory")

    @property
    def world(self) -> str:
        """The class of the world."""
        return self._world

    def _derived(self, id_: ir.TypeId, suffix: str) -> str:
        """A name made of a type's; it gives way to the names that the contract gives."""
        key = (self.canonical(id_), suffix)
        if key not in self._more:
            self._more[key] = self._scope.take(self.type(id_) + suffix)
        return self._more[key]

    def _is_new(self, type_: ir.TypeId) -> bool:
        """Whether a named type is more than a name brought in by ``use``: defined, or renamed."""
        definition = self._resolve.types[type_]
        if not isinstance(definition.kind, ir.Alias):
            return True
        target = definition.kind.target
        return isinstance(target, ir.Primitive) or self._resolve.types[target].name != definition.name

    def _add_types(self, id_: ir.InterfaceId) -> None:
        interface = self._resolve.interfaces[id_]
        prefixes = ["", *self._plain_candidates(id_)]
        for name, type_ in interface.types.items():
            if type_ not in self._sides.twins and self._is_new(type_):
                mark = self._sides.marks.get(type_, Mark())
                names = [f"{prefix}{class_name(name)}{_IMPORTED * mark.imported}" for prefix in prefixes]
                self._candidates["type", type_] = [class_name(mark.label) + name for name in names]

    def _interface_candidates(self, id_: ir.InterfaceId) -> list[str]:
        mark = self._sides.interface_marks.get(id_, Mark())
        names = [f"{name}{_IMPORTED * mark.imported}" for name in self._plain_candidates(id_)]
        label = class_name(mark.label)
        return [label, *(label + name for name in names)] if label else names

    def _plain_candidates(self, id_: ir.InterfaceId) -> list[str]:
        interface = self._resolve.interfaces[id_]
        if interface.name is None:
            return [class_name(self._inline[id_])]
        own = class_name(interface.name)
        package = self._resolve.packages[interface.package].name
        version = "" if package.version is None else "V" + re.sub(r"[^0-9A-Za-z]", "_", package.version)
        longer = class_name(package.name) + own
        return [own, longer, class_name(package.namespace) + longer, class_name(package.namespace) + longer + version]

    def _settle(self) -> dict[tuple[str, int], str]:
        level = dict.fromkeys(self._candidates, 0)
        while True:
            names = {key: options[min(level[key], len(options) - 1)] for key, options in self._candidates.items()}
            used = Counter([*names.values(), self._world, self._world + "Imports", *_RESERVED])
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

"""How WIT types are spelled in Rust, where, and what is true of them.

It knows paths between the modules of the generated file and the owned and borrowed forms of every type; it knows
nothing of functions or of memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from witgen import ir
from witgen.emit.names import Scope
from witgen.emit.rust import naming
from witgen.resolve.kinds import references

__all__ = ["Facts", "Place", "Places", "Speller", "Types"]

_PRIMITIVES: dict[ir.Primitive, str] = {
    ir.Primitive.BOOL: "bool",
    ir.Primitive.S8: "i8",
    ir.Primitive.U8: "u8",
    ir.Primitive.S16: "i16",
    ir.Primitive.U16: "u16",
    ir.Primitive.S32: "i32",
    ir.Primitive.U32: "u32",
    ir.Primitive.S64: "i64",
    ir.Primitive.U64: "u64",
    ir.Primitive.F32: "f32",
    ir.Primitive.F64: "f64",
    ir.Primitive.CHAR: "char",
    ir.Primitive.STRING: "_rt::String",
}
_FLOATS = frozenset({ir.Primitive.F32, ir.Primitive.F64})
#: The standard library implements its traits for tuples up to this length.
_LONGEST_TUPLE = 12


@dataclass(frozen=True, slots=True)
class Facts:
    """What a type contains, at any depth: handles (owned, borrowed), memory of its own, long tuples, floats."""

    owns: bool = False
    borrows: bool = False
    lists: bool = False
    long_tuple: bool = False
    floats: bool = False

    def __or__(self, other: Facts) -> Facts:
        return Facts(
            self.owns or other.owns,
            self.borrows or other.borrows,
            self.lists or other.lists,
            self.long_tuple or other.long_tuple,
            self.floats or other.floats,
        )

    @property
    def copy(self) -> bool:
        """Whether values are nothing but bits."""
        return not (self.owns or self.borrows or self.lists)


class Types:
    """Facts of the types of one `Resolve`, each worked out once."""

    def __init__(self, resolve: ir.Resolve) -> None:
        self.resolve = resolve
        self._facts: dict[ir.TypeId, Facts] = {}

    def facts(self, type_: ir.Type | None) -> Facts:
        """What `type_` contains."""
        if type_ is None or isinstance(type_, ir.Primitive):
            return Facts(lists=type_ is ir.Primitive.STRING, floats=type_ in _FLOATS)
        found = self._facts.get(type_)
        if found is None:
            found = self._facts[type_] = self._compute(type_)
        return found

    def _compute(self, type_: ir.TypeId) -> Facts:
        match self.resolve.types[type_].kind:
            case ir.Own() | ir.Resource():
                return Facts(owns=True)
            case ir.Borrow():
                return Facts(borrows=True)
            case ir.List() | ir.Map():
                found = Facts(lists=True)
            case ir.Tuple(types):
                found = Facts(long_tuple=len(types) > _LONGEST_TUPLE)
            case _:
                found = Facts()
        for child in references(self.resolve.types[type_].kind):
            found |= self.facts(child)
        return found


@dataclass(frozen=True, slots=True)
class Place:
    """A module of the generated code.

    `exported` says on which side of the component its types are defined, `interface` whose they are (None: the
    world's), `depth` how many steps its lines are moved right in the file where it stands.
    """

    path: tuple[str, ...]
    exported: bool
    interface: ir.InterfaceId | None
    depth: int

    @property
    def root(self) -> str:
        """The path from the module to the top of the file, with ``::`` behind unless empty."""
        return "super::" * len(self.path)

    def to(self, other: Place, name: str) -> str:
        """The path from the module to `name` in another."""
        common = 0
        for mine, yours in zip(self.path, other.path, strict=False):
            if mine != yours:
                break
            common += 1
        return "::".join(("super",) * (len(self.path) - common) + other.path[common:] + (name,))


@dataclass(frozen=True, slots=True)
class TypeNames:
    """The names that belong to a type: its own, that of its borrowed handle and that of the trait behind it."""

    name: str
    borrow: str = ""
    trait: str = ""


class Places:
    """Where the interfaces of a world, and the types that they define, are found in the generated code.

    `split` says that each module is a file of its own.
    """

    def __init__(self, resolve: ir.Resolve, world: ir.WorldId, *, split: bool) -> None:
        self._resolve = resolve
        self._split = split
        self._names: dict[ir.Owner, dict[ir.TypeId, TypeNames]] = {}
        self.root = Place((), False, None, 0)
        row = resolve.worlds[world]
        self._imports = self._interfaces(row.imports, False)
        self._exports = self._interfaces(row.exports, True)

    def of_item(self, key: ir.WorldKey, interface: ir.InterfaceId, exported: bool) -> Place:
        """The module of an interface that the world imports or exports under `key`."""
        path = (*(("exports",) if exported else ()), *self._path(key))
        return Place(path, exported, interface, 0 if self._split else len(path))

    def _path(self, key: ir.WorldKey) -> tuple[str, ...]:
        if isinstance(key, str):
            return (naming.value_name(key),)
        interface = self._resolve.interfaces[key]
        package = self._resolve.packages[interface.package].name
        versions = sum(
            p.name.namespace == package.namespace and p.name.name == package.name for p in self._resolve.packages
        )
        module = naming.package_module(package, versions)
        assert interface.name is not None
        return (naming.value_name(package.namespace), module, naming.value_name(interface.name))

    def of_type(self, type_: ir.TypeId, place: Place) -> Place:
        """The module that defines a named type, as seen from the module at `place`.

        An interface that the world has under several names has its types in the module of each.
        """
        owner = self._resolve.types[type_].owner
        if not isinstance(owner, ir.InterfaceOwner):
            return self.root
        if owner.id == place.interface:
            return place
        if place.exported and owner.id in self._exports:
            return self._exports[owner.id]
        return self._imports[owner.id] if owner.id in self._imports else self._exports[owner.id]

    def names(self, type_: ir.TypeId) -> TypeNames:
        """The Rust names of a named type in the module that defines it."""
        owner = self._resolve.types[type_].owner
        assert owner is not None
        return self._names_of(owner)[type_]

    def hides(self, place: Place, owner: ir.Owner | None, name: str) -> bool:
        """Whether `name` may mean something else than the prelude's in a module."""
        if owner is None or place == self.root:
            return True
        return any(name == names.name for names in self._names_of(owner).values())

    def is_exported_resource(self, resource: ir.TypeId, place: Place) -> bool:
        """Whether the component itself implements a resource (aliases followed), as seen from `place`."""
        return self._follow(resource, place).exported

    def _follow(self, resource: ir.TypeId, place: Place) -> Place:
        """The place where the resource behind an alias is defined, each alias followed from where it stands."""
        place = self.of_type(resource, place)
        kind = self._resolve.types[resource].kind
        if isinstance(kind, ir.Alias) and not isinstance(kind.target, ir.Primitive):
            return self._follow(kind.target, place)
        return place

    def _interfaces(self, items: Mapping[ir.WorldKey, ir.WorldItem], exported: bool) -> dict[ir.InterfaceId, Place]:
        found: dict[ir.InterfaceId, Place] = {}
        for key, item in items.items():
            if isinstance(item, ir.InterfaceItem) and (item.id not in found or key == item.id):
                found[item.id] = self.of_item(key, item.id, exported)
        return found

    def _names_of(self, owner: ir.Owner) -> dict[ir.TypeId, TypeNames]:
        found = self._names.get(owner)
        if found is None:
            found = self._names[owner] = self._name_types(owner)
        return found

    def _name_types(self, owner: ir.Owner) -> dict[ir.TypeId, TypeNames]:
        named = [(ir.TypeId(i), t) for i, t in enumerate(self._resolve.types) if t.owner == owner and t.name]
        scope = Scope({"Guest"})
        plain = {id_: scope.take(naming.type_name(t.name or "")) for id_, t in named}
        names = {}
        for id_, name in plain.items():
            if isinstance(self._resolve.kind(id_), ir.Resource):
                names[id_] = TypeNames(name, scope.take(f"{name}Borrow"), scope.take(f"Guest{name}"))
            else:
                names[id_] = TypeNames(name)
        return names


class Speller:
    """Spells types as they are written in one module."""

    def __init__(self, types: Types, places: Places, place: Place, owner: ir.Owner | None) -> None:
        self._types = types
        self._resolve = types.resolve
        self._places = places
        self.place = place
        self._option = self._prelude(owner, "Option", "::core::option::Option")
        self._result = self._prelude(owner, "Result", "::core::result::Result")

    def _prelude(self, owner: ir.Owner | None, name: str, path: str) -> str:
        return path if self._places.hides(self.place, owner, name) else name

    def path(self, type_: ir.TypeId, name: str) -> str:
        """The path to one of the names of a named type."""
        return self.place.to(self._places.of_type(type_, self.place), name)

    def names(self, type_: ir.TypeId) -> TypeNames:
        """The names of a named type, seen from here."""
        return self._places.names(type_)

    def named(self, type_: ir.TypeId, lifetime: str = "'_") -> str:
        """A named type by its name, with `lifetime` where it contains borrowed handles."""
        tail = f"<{lifetime}>" if self._types.facts(type_).borrows else ""
        return self.path(type_, self.names(type_).name) + tail

    def owned(self, type_: ir.Type | None, lifetime: str = "'_") -> str:
        """The type of a value that is handed over; ``_`` of a result is the unit type."""
        if type_ is None:
            return "()"
        if isinstance(type_, ir.Primitive):
            return _PRIMITIVES[type_]
        if self._resolve.types[type_].name is not None:
            return self.named(type_, lifetime)
        return self.structure(self._resolve.types[type_].kind, lifetime)

    def structure(self, kind: ir.Kind, lifetime: str = "'_") -> str:
        """What a type without a name is made of."""

        def inner(type_: ir.Type | None) -> str:
            return self.owned(type_, lifetime)

        match kind:
            case ir.Tuple(types):
                return _tuple(inner(t) for t in types)
            case ir.Option(some):
                return f"{self._option}<{inner(some)}>"
            case ir.Result(ok, err):
                return f"{self._result}<{inner(ok)}, {inner(err)}>"
            case ir.List(element):
                return f"_rt::Vec<{inner(element)}>"
            case ir.FixedLengthList(element, length):
                return f"[{inner(element)}; {length}]"
            case ir.Map(key, value):
                return f"_rt::Map<{inner(key)}, {inner(value)}>"
            case ir.Own(resource):
                return self.path(resource, self.names(resource).name)
            case ir.Borrow(resource):
                return self._borrow(resource, lifetime)
            case ir.Alias(target):
                return inner(target)
            case _:
                raise AssertionError(f"{kind} has a name")

    def parameter(self, type_: ir.Type) -> str:
        """The type of a parameter of an imported function: borrowed where that saves the caller a copy."""
        facts = self._types.facts(type_)
        if facts.owns or facts.copy:
            return self.owned(type_)
        return self._borrowed(type_)

    def is_exported(self, resource: ir.TypeId) -> bool:
        """Whether the component itself implements a resource."""
        return self._places.is_exported_resource(resource, self.place)

    def result(self, ok: str, err: str) -> str:
        """A result of two types that are spelled already."""
        return f"{self._result}<{ok}, {err}>"

    def _borrowed(self, type_: ir.Type | None) -> str:
        if type_ is None or isinstance(type_, ir.Primitive):
            return "&str" if type_ is ir.Primitive.STRING else self.owned(type_)
        kind = self._resolve.kind(type_)
        if kind is ir.Primitive.STRING:
            return "&str"
        if isinstance(kind, ir.List):
            return f"&[{self.owned(kind.element)}]"
        row = self._resolve.types[type_]
        if row.name is not None:
            return f"&{self.named(type_)}"
        match kind:
            case ir.Tuple(types):
                return _tuple(self._borrowed(t) for t in types)
            case ir.Option(some):
                return f"{self._option}<{self._borrowed(some)}>"
            case ir.Result(ok, err):
                return f"{self._result}<{self._borrowed(ok)}, {self._borrowed(err)}>"
            case ir.Map():
                return f"&{self.owned(type_)}"
            case _:
                return self.owned(type_)

    def _borrow(self, resource: ir.TypeId, lifetime: str) -> str:
        names = self.names(resource)
        if self._places.is_exported_resource(resource, self.place):
            return f"{self.path(resource, names.borrow)}<{lifetime}>"
        mark = "" if lifetime == "'_" else f"{lifetime} "
        return f"&{mark}{self.path(resource, names.name)}"


def _tuple(items: Iterable[str]) -> str:
    spelled = list(items)
    return f"({spelled[0]},)" if len(spelled) == 1 else f"({', '.join(spelled)})"

"""Worlds and packages to component types: what guests carry, and what ``.wit`` files are in binary.

`encode_component_type` writes the payload of the ``component-type`` custom section from which a linker learns the world
of a core module; `encode_package` writes a WIT package as a component of its own. Both say a world or an interface by
the component type that it means: each interface an instance type, each named type an export of it, each ``use`` an
alias to what another instance exports.

The form is that of current tools (metadata format 4). This module reads the resolved model alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from witgen import ir
from witgen.binary import opcodes as op
from witgen.binary.binary_rules import check_kind, check_names, same_name
from witgen.binary.names import unique_key
from witgen.binary.package_docs import SECTION as DOCS_SECTION
from witgen.binary.package_docs import package_docs
from witgen.binary.producers import own_section
from witgen.binary.writer import name_bytes, section, signed, unsigned, vec

__all__ = ["encode_component_type", "encode_package"]

#: Custom section that says how strings travel, its format and the code of UTF-8.
ENCODING_SECTION = "wit-component-encoding"
ENCODING = b"\x04\x00"

_PRIMITIVE_CODES = {primitive: code for code, primitive in op.PRIMITIVES.items()}
_ATTRIBUTE_CODES = {name: code for code, name in op.NAME_ATTRIBUTES.items()}
_COMPONENT_SORT, _FUNC_SORT, _INSTANCE_SORT, _TYPE_SORT = (b"\x04", b"\x01", b"\x05", b"\x03")


def encode_component_type(resolve: ir.Resolve, world: ir.WorldId) -> bytes:
    """The payload of a ``component-type:…`` custom section for guests of `world` whose strings are UTF-8.

    It says that witgen made it, which linkers hand on to the component.
    Raises ValueError for what no binary can say: a use of an interface that the world does not import, records, tuples,
    flags and lists of fixed length that are empty, more than 32 flags, names that are equal but for case and hyphens, a
    package with capital letters in its name.
    """
    _check_packages(resolve)
    name = resolve.worlds[world].name
    encoding = section(op.CUSTOM, name_bytes(ENCODING_SECTION) + ENCODING)
    return op.PREAMBLE + encoding + _type_and_export(name, _wrapped_world(resolve, world), 0) + own_section()


def encode_package(resolve: ir.Resolve, package: ir.PackageId) -> bytes:
    """The binary form of a WIT package, docs and gates included.

    Raises ValueError as `encode_component_type` does.
    """
    _check_packages(resolve)
    row = resolve.packages[package]
    parts = [op.PREAMBLE]
    types = [(name, _wrapped_interface(resolve, id_)) for name, id_ in row.interfaces.items()]
    types += [(name, _wrapped_world(resolve, world)) for name, world in row.worlds.items()]
    for i, (name, type_) in enumerate(types):
        # An export has an index of its own, so that the next definition is two further.
        parts.append(_type_and_export(name, type_, 2 * i))
    parts.append(section(op.CUSTOM, name_bytes(DOCS_SECTION) + package_docs(resolve, package)))
    parts.append(own_section())
    return b"".join(parts)


def _check_packages(resolve: ir.Resolve) -> None:
    for package in resolve.packages:
        name = ir.PackageName(package.name.namespace, package.name.name)
        if str(name) != str(name).lower():
            raise ValueError(f"package {name} has capital letters in its name")


def _type_and_export(name: str, type_: bytes, index: int) -> bytes:
    """Defines type `index` and exports it."""
    export = _extern_name(name) + _TYPE_SORT + unsigned(index) + b"\0"
    return section(op.TYPE, vec([type_])) + section(op.EXPORT, vec([export]))


def _wrapped_world(resolve: ir.Resolve, id_: ir.WorldId) -> bytes:
    """A component type that exports the component type of a world under its full name."""
    outer = _Scope(None)
    index = outer.define(_WorldEncoder(resolve).world(resolve.worlds[id_]))
    outer.export(resolve.world_name(id_), _COMPONENT_SORT, index)
    return outer.component_type()


def _wrapped_interface(resolve: ir.Resolve, id_: ir.InterfaceId) -> bytes:
    """A component type that imports the types that an interface uses and exports the interface under its full name."""
    encoder = _WorldEncoder(resolve)
    used = _in_order(resolve, [id_])
    for each in used:
        name = resolve.link_name(each)
        if each == id_:
            encoder.outer.export(name, _INSTANCE_SORT, encoder.instance_type(each))
        else:
            encoder.import_instance(each, name, encoder.instance_type(each, functions=False))
    return encoder.outer.component_type()


class _Scope:
    """The declarations of a component or instance type in the making, and what has an index in it already."""

    def __init__(self, outer: _Scope | None) -> None:
        self.outer = outer
        self.decls: list[bytes] = []
        self.types = 0
        self.instances = 0
        self.named: dict[ir.TypeId, int] = {}
        self.anonymous: dict[object, int] = {}
        #: Names of imports and of exports, by what makes them unique.
        self._taken: dict[tuple[int, tuple[bool, str]], str] = {}

    def define(self, type_: bytes) -> int:
        """Adds a type definition and gives its index."""
        self.decls.append(bytes((op.DECL_TYPE,)) + type_)
        return self._next_type()

    def define_once(self, key: object, type_: Callable[[], bytes]) -> int:
        """The index of the anonymous type that `key` describes, which is defined where it is not yet."""
        found = self.anonymous.get(key)
        if found is None:
            content = type_()
            found = self.anonymous[key] = self.define(content)
        return found

    def alias_export(self, instance: int, name: str) -> int:
        """The index of a type that an instance exports."""
        self.decls.append(
            bytes((op.DECL_ALIAS,)) + _TYPE_SORT + bytes((op.ALIAS_EXPORT,)) + unsigned(instance) + name_bytes(name)
        )
        return self._next_type()

    def alias_outer(self, index: int) -> int:
        """The index here of a type of the scope around."""
        self.decls.append(bytes((op.DECL_ALIAS,)) + _TYPE_SORT + bytes((op.ALIAS_OUTER,)) + b"\x01" + unsigned(index))
        return self._next_type()

    def export(self, name: str, sort: bytes, index: int, **attributes: str | None) -> None:
        """Exports something that has no index of its own by that."""
        self._declare(op.DECL_EXPORT, name, attributes, sort + unsigned(index))

    def import_(self, name: str, sort: bytes, index: int, **attributes: str | None) -> None:
        """Imports something other than a type."""
        self._declare(op.DECL_IMPORT, name, attributes, sort + unsigned(index))

    def bound(self, decl: int, name: str, index: int | None, **attributes: str | None) -> int:
        """Imports or exports a type, equal to type `index` or a new resource, and gives the index that it gets."""
        bound = bytes((op.BOUND_SUB_RESOURCE,)) if index is None else bytes((op.BOUND_EQ,)) + unsigned(index)
        self._declare(decl, name, attributes, _TYPE_SORT + bound)
        return self._next_type()

    def _declare(self, decl: int, name: str, attributes: Mapping[str, str | None], content: bytes) -> None:
        previous = self._taken.setdefault((decl, unique_key(name)), name)
        if previous is not name:
            raise same_name(previous, name)
        self.decls.append(bytes((decl,)) + _extern_name(name, **attributes) + content)

    def component_type(self) -> bytes:
        """The finished component type."""
        return bytes((op.COMPONENT_TYPE,)) + vec(self.decls)

    def instance_type(self) -> bytes:
        """The finished instance type."""
        return bytes((op.INSTANCE_TYPE,)) + vec(self.decls)

    def _next_type(self) -> int:
        self.types += 1
        return self.types - 1


class _WorldEncoder:
    """Encodes one world, or one interface with what it uses."""

    def __init__(self, resolve: ir.Resolve) -> None:
        self.resolve = resolve
        self.outer = _Scope(None)
        self.scope = self.outer
        #: The interface that is being written; None at the level of the world.
        self.interface: ir.InterfaceId | None = None
        self.instances: dict[ir.InterfaceId, int] = {}
        #: Types of instances that have an index in `outer`.
        self.used: dict[ir.TypeId, int] = {}

    # Worlds and interfaces

    def world(self, world: ir.World) -> bytes:
        """The component type of a world."""
        for key, item in self._ordered(world.imports):
            name, attributes = self.resolve.link_name(key), self._attributes(item)
            match item:
                case ir.InterfaceItem(id_):
                    self.import_instance(id_, name, self.instance_type(id_), **attributes)
                case ir.FunctionItem(function):
                    self.outer.import_(name, _FUNC_SORT, self._func_type(function), **attributes)
                case ir.TypeItem(type_):
                    self.valtype(type_)
        for key, item in self._ordered(world.exports):
            name, attributes = self.resolve.link_name(key), self._attributes(item)
            match item:
                case ir.InterfaceItem(id_):
                    self.outer.export(name, _INSTANCE_SORT, self.instance_type(id_), **attributes)
                    self._new_instance(id_)
                case ir.FunctionItem(function):
                    self.outer.export(name, _FUNC_SORT, self._func_type(function), **attributes)
                case ir.TypeItem():
                    raise ValueError(f"world {world.name} exports a type")
        return self.outer.component_type()

    def import_instance(self, id_: ir.InterfaceId, name: str, type_: int, **attributes: str | None) -> None:
        """Imports an instance of an interface; what is used from it later comes from this one."""
        self.outer.import_(name, _INSTANCE_SORT, type_, **attributes)
        self._new_instance(id_)

    def _new_instance(self, id_: ir.InterfaceId) -> None:
        self.instances[id_] = self.outer.instances
        self.outer.instances += 1
        for type_ in self.resolve.interfaces[id_].types.values():
            self.used.pop(type_, None)

    def instance_type(self, id_: ir.InterfaceId, *, functions: bool = True) -> int:
        """The index of the instance type of an interface."""
        interface = self.resolve.interfaces[id_]
        self.interface, self.scope = id_, _Scope(self.outer)
        for type_ in interface.types.values():
            self.valtype(type_)
        if functions:
            for function in _by_resource(interface):
                type_index = self._func_type(function)
                self.scope.export(function.name, _FUNC_SORT, type_index, external_id=function.external_id)
        content = self.scope.instance_type()
        self.interface, self.scope = None, self.outer
        return self.outer.define(content)

    def _ordered(self, items: Mapping[ir.WorldKey, ir.WorldItem]) -> Iterator[tuple[ir.WorldKey, ir.WorldItem]]:
        """The items of a world, interfaces after those whose types they use."""
        done: set[ir.WorldKey] = set()
        for key, item in items.items():
            before: list[ir.WorldKey] = []
            if isinstance(item, ir.InterfaceItem):
                *used, _ = _in_order(self.resolve, [item.id])
                before = [id_ for id_ in used if id_ in items]
            for each in (*before, key):
                if each not in done:
                    done.add(each)
                    yield each, items[each]

    def _attributes(self, item: ir.WorldItem) -> dict[str, str | None]:
        """What the name of an item carries."""
        if isinstance(item, ir.InterfaceItem):
            implements = self.resolve.link_name(item.id) if item.implements else None
            return {"external_id": item.external_id, "implements": implements}
        return {"external_id": item.function.external_id} if isinstance(item, ir.FunctionItem) else {}

    # Types

    def _func_type(self, function: ir.Function) -> int:
        key = (function.is_async, function.params, function.result)
        return self.scope.define_once(key, lambda: self._func_content(function))

    def _func_content(self, function: ir.Function) -> bytes:
        check_names([param.name for param in function.params])
        params = [name_bytes(param.name) + self.valtype(param.type) for param in function.params]
        result = b"\x01\x00" if function.result is None else b"\0" + self.valtype(function.result)
        return bytes((op.FUNC_ASYNC if function.is_async else op.FUNC,)) + vec(params) + result

    def valtype(self, type_: ir.Type) -> bytes:
        """A use of a type in the present scope, which gets its definition where it has none yet."""
        if isinstance(type_, ir.Primitive):
            return bytes((_PRIMITIVE_CODES[type_],))
        return signed(self.index(type_))

    def index(self, id_: ir.TypeId) -> int:
        """The index of a type in the present scope."""
        found = self.scope.named.get(id_)
        if found is None:
            found = self.scope.named[id_] = self._new_index(id_)
        return found

    def _new_index(self, id_: ir.TypeId) -> int:
        definition = self.resolve.types[id_]
        owner = definition.owner
        if isinstance(owner, ir.InterfaceOwner) and owner.id != self.interface:
            return self._used_index(owner.id, id_, definition)
        if definition.name is None:
            return self.scope.define_once(definition.kind, lambda: self._content(definition))
        decl = op.DECL_EXPORT if self.interface is not None else op.DECL_IMPORT
        behind = self._behind_name(definition)
        return self.scope.bound(decl, definition.name, behind, external_id=definition.external_id)

    def _behind_name(self, definition: ir.TypeDef) -> int | None:
        """The index of what a named type is; None for a resource, which is nothing but its name."""
        match definition.kind:
            case ir.Resource():
                return None
            case ir.Alias(target) if not isinstance(target, ir.Primitive):
                return self.index(target)
            case _:
                return self.scope.define(self._content(definition))

    def _used_index(self, owner: ir.InterfaceId, id_: ir.TypeId, definition: ir.TypeDef) -> int:
        """The index here of a type of another interface: an alias of what its instance exports."""
        outer = self.used.get(id_)
        if outer is None:
            instance = self.instances.get(owner)
            if instance is None or definition.name is None:
                where = self.resolve.link_name(owner)
                raise ValueError(f"type {definition.name} of {where} is used, but {where} is not imported before")
            outer = self.used[id_] = self.outer.alias_export(instance, definition.name)
        return outer if self.scope is self.outer else self.scope.alias_outer(outer)

    def _content(self, definition: ir.TypeDef) -> bytes:
        """The definition of a type; the types in it are defined before."""
        check_kind(definition.kind, definition.name)
        return _CONTENTS[type(definition.kind)](self, definition.kind)

    def optional(self, type_: ir.Type | None) -> bytes:
        """A use of a type that may be absent."""
        return b"\0" if type_ is None else b"\x01" + self.valtype(type_)


#: How a kind of type is written.
_CONTENTS: dict[type, Callable[[_WorldEncoder, Any], bytes]] = {
    ir.Alias: lambda e, k: e.valtype(k.target),
    ir.Record: lambda e, k: bytes((op.RECORD,)) + vec([name_bytes(f.name) + e.valtype(f.type) for f in k.fields]),
    ir.Variant: lambda e, k: bytes((op.VARIANT,))
    + vec([name_bytes(c.name) + e.optional(c.type) + b"\0" for c in k.cases]),
    ir.Enum: lambda e, k: bytes((op.ENUM,)) + vec([name_bytes(c.name) for c in k.cases]),
    ir.Flags: lambda e, k: bytes((op.FLAGS,)) + vec([name_bytes(f.name) for f in k.flags]),
    ir.Tuple: lambda e, k: bytes((op.TUPLE,)) + vec([e.valtype(t) for t in k.types]),
    ir.Option: lambda e, k: bytes((op.OPTION,)) + e.valtype(k.type),
    ir.Result: lambda e, k: bytes((op.RESULT,)) + e.optional(k.ok) + e.optional(k.err),
    ir.List: lambda e, k: bytes((op.LIST,)) + e.valtype(k.element),
    ir.FixedLengthList: lambda e, k: bytes((op.FIXED_LENGTH_LIST,)) + e.valtype(k.element) + unsigned(k.length),
    ir.Map: lambda e, k: bytes((op.MAP,)) + e.valtype(k.key) + e.valtype(k.value),
    ir.Own: lambda e, k: bytes((op.OWN,)) + unsigned(e.index(k.resource)),
    ir.Borrow: lambda e, k: bytes((op.BORROW,)) + unsigned(e.index(k.resource)),
    ir.Stream: lambda e, k: bytes((op.STREAM,)) + e.optional(k.type),
    ir.Future: lambda e, k: bytes((op.FUTURE,)) + e.optional(k.type),
}


def _extern_name(name: str, **attributes: str | None) -> bytes:
    """The name of an import or export; `attributes` are fields of `model.NameAttributes`."""
    present = [
        bytes((_ATTRIBUTE_CODES[field],)) + name_bytes(value)
        for field, value in attributes.items()
        if value is not None
    ]
    if not present:
        return bytes((op.NAME_PLAIN,)) + name_bytes(name)
    return bytes((op.NAME_WITH_ATTRIBUTES,)) + name_bytes(name) + vec(present)


def _by_resource(interface: ir.Interface) -> list[ir.Function]:
    """The functions of an interface: those of its resources first, in the order of the resources."""
    places = {id_: i for i, id_ in enumerate(interface.types.values())}
    return sorted(
        interface.functions.values(),
        key=lambda f: len(places) if f.resource is None else places.get(f.resource, len(places)),
    )


def _in_order(resolve: ir.Resolve, ids: Iterable[ir.InterfaceId]) -> list[ir.InterfaceId]:
    """The interfaces and all those whose types they use, each after those that it uses itself."""
    found: dict[ir.InterfaceId, None] = {}
    pending = [(id_, False) for id_ in ids][::-1]
    entered: set[ir.InterfaceId] = set()
    while pending:
        id_, done = pending.pop()
        if done:
            found[id_] = None
        elif id_ not in entered:
            entered.add(id_)
            pending.append((id_, True))
            pending += [(used, False) for used in _used_interfaces(resolve, id_)][::-1]
    return list(found)


def _used_interfaces(resolve: ir.Resolve, id_: ir.InterfaceId) -> list[ir.InterfaceId]:
    """The interfaces whose types an interface uses directly, in the order in which it does."""
    found: dict[ir.InterfaceId, None] = {}
    for type_ in resolve.interfaces[id_].types.values():
        kind = resolve.types[type_].kind
        if isinstance(kind, ir.Alias) and not isinstance(kind.target, ir.Primitive):
            owner = resolve.types[kind.target].owner
            if isinstance(owner, ir.InterfaceOwner) and owner.id != id_:
                found[owner.id] = None
    return list(found)

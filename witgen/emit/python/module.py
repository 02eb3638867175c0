"""A world as the template of Python adapters sees it: classes, methods and constants with their text.

Which classes a world needs, and in what order, is decided here; what they look like is the template's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from witgen import ir
from witgen.contract.digest import Digests, WorldDigest
from witgen.diagnostics import WitError
from witgen.emit.python.annotations import Annotations, GuestResourceCode, HostResourceCode, ResourceCode
from witgen.emit.python.codec import Codec
from witgen.emit.python.functions import Functions, core_letters
from witgen.emit.python.naming import ClassNames, constant_name, local_name, member_name, snake_of_class

__all__ = ["Module", "build_module"]

#: What the class of a world has beside its interfaces.
_WORLD_MEMBERS = frozenset({"contract", "load"})


@dataclass(frozen=True, slots=True)
class Member:
    """A field, case or label: its Python name, its annotation or value, its docs."""

    name: str
    type: str
    docs: str


@dataclass(frozen=True, slots=True)
class TypeClass:
    """A named type: `kind` chooses the form, `members` are what it consists of."""

    kind: str
    name: str
    docs: str
    members: list[Member] = field(default_factory=list)
    target: str = ""
    wit: str = ""


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a generated class or Protocol. `attribute` is where the `LiftedFunction` is kept."""

    name: str
    parameters: str
    returns: str
    docs: str
    raises: str
    body: list[str] = field(default_factory=list)
    attribute: str = ""
    wit: str = ""
    params: str = ""
    results: str = ""


@dataclass(frozen=True, slots=True)
class ResourceClass:
    """A resource: its methods, and the constructor and static functions that make up its factory."""

    name: str
    member: str
    docs: str
    index: int
    methods: list[Method]
    statics: list[Method]


@dataclass(frozen=True, slots=True)
class InterfaceClass:
    """An imported or exported interface: one class, or one Protocol; no `name` where there is nothing to provide."""

    name: str
    link_name: str
    member: str
    docs: str
    methods: list[Method]
    resources: list[ResourceClass]
    lifted: list[Method] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ImportFunction:
    """An entry of the table of imports of an interface."""

    wit: str
    maker: str
    params: str
    results: str


@dataclass(frozen=True, slots=True)
class Module:
    """All that the template needs."""

    world: str
    link_name: str
    docs: str
    digest: WorldDigest
    imports_digests: list[tuple[str, Mapping[str, str]]]
    exports_digests: list[tuple[str, Mapping[str, str]]]
    resources: list[tuple[str, str, bool]]
    types: list[TypeClass]
    exceptions: list[tuple[str, str]]
    imports: list[InterfaceClass]
    world_imports: list[Member]
    import_tables: list[tuple[str, str, list[ImportFunction]]]
    exports: list[InterfaceClass]
    world_exports: list[Method]
    structs: list[tuple[str, str]]
    enums: list[tuple[str, str]]
    helpers: list[list[str]]
    import_functions: list[list[str]]


def build_module(resolve: ir.Resolve, world: ir.WorldId) -> Module:
    """The template's view of a world. Raises `WitError` naming an item that Python adapters don't carry yet."""
    return _Builder(resolve, world).module()


class _Builder:
    def __init__(self, resolve: ir.Resolve, world_id: ir.WorldId) -> None:
        self.resolve = resolve
        self.world_id = world_id
        self.world = resolve.worlds[world_id]
        self.imported = _interfaces(self.world.imports)
        self.exported = _interfaces(self.world.exports)
        self._refuse_unsupported()
        ids = list(dict.fromkeys([*self.imported.values(), *self.exported.values()]))
        with_class = {id_ for id_ in ids if resolve.interfaces[id_].functions or id_ in self.exported.values()}
        with_two = with_class & set(self.imported.values()) & set(self.exported.values())
        self.names = ClassNames(resolve, world_id, ids, with_class, with_two)
        self.type_ids = self._type_ids(ids)
        self.resources = self._resources()
        self.annotations = Annotations(resolve, self.names, self.resources)
        self.codec = Codec(self.annotations)
        self.exceptions = self._exceptions()
        self.functions = Functions(self.codec, self.annotations, self.exceptions)

    def module(self) -> Module:
        digest = Digests(self.resolve).world(self.world_id)
        exports = [self._export_interface(key, id_) for key, id_ in self.exported.items()]
        taken = _WORLD_MEMBERS | {interface.member for interface in exports}
        world_exports = []
        for function in self.resolve.world_functions(self.world.exports):
            attribute = f"_{member_name(function.name)}"
            method = self._export_method(function, f"self.{attribute}", attribute)
            world_exports.append(replace(method, name=method.name + "_") if method.name in taken else method)
        imports = [self._import_interface(key, id_) for key, id_ in self.imported.items()]
        imports.append(InterfaceClass("", "", "", "", [], self._world_resources()))
        tables, import_functions = self._import_tables()
        return Module(
            world=self.names.world,
            link_name=self.resolve.world_name(self.world_id),
            docs=self.world.docs,
            digest=digest,
            imports_digests=[(n, i.functions) for n, i in sorted(digest.imports.items()) if i.functions],
            exports_digests=[(n, i.functions) for n, i in sorted(digest.exports.items()) if i.functions],
            resources=[self._resource_entry(id_) for id_ in self.resources],
            types=[self._type(id_) for id_ in self.type_ids if not self._is_resource(id_)],
            exceptions=[(name, self.annotations.of(type_)) for type_, name in self.exceptions.items()],
            imports=imports,
            world_imports=self._world_imports(),
            import_tables=tables,
            exports=exports,
            world_exports=world_exports,
            structs=self.codec.structs,
            enums=self._enums(),
            helpers=self.codec.helpers,
            import_functions=import_functions,
        )

    # What there is

    def _refuse_unsupported(self) -> None:
        for items in (self.world.imports, self.world.exports):
            for key, item in items.items():
                functions: list[ir.Function] = []
                if isinstance(item, ir.InterfaceItem):
                    functions = list(self.resolve.interfaces[item.id].functions.values())
                elif isinstance(item, ir.FunctionItem):
                    functions = [item.function]
                for function in functions:
                    where = f"{self.resolve.link_name(key)}#{function.name}"
                    if function.is_async:
                        raise WitError.at(where, "async functions are not supported by the Python emitter yet")
                    for type_ in [p.type for p in function.params] + ([function.result] if function.result else []):
                        self._refuse_type(type_, where)
        for interfaces in (self.imported, self.exported):
            names = list(dict.fromkeys(interfaces.values()))
            if len(names) < len(interfaces):
                twice = next(id_ for id_ in names if list(interfaces.values()).count(id_) > 1)
                raise WitError.at(
                    self.resolve.interfaces[twice].name or "",
                    "an interface under several names in a world is not supported by the Python emitter yet",
                )
        both = set(self.imported.values()) & set(self.exported.values())
        for id_ in sorted(both):
            interface = self.resolve.interfaces[id_]
            if any(self._is_resource(type_) for type_ in interface.types.values()):
                raise WitError.at(
                    self.resolve.link_name(id_),
                    "an interface with resources that a world both imports and exports is not supported by the Python "
                    "emitter yet",
                )

    def _refuse_type(self, type_: ir.Type, where: str) -> None:
        kind = self.resolve.kind(type_)
        match kind:
            case ir.Stream() | ir.Future():
                what = type(kind).__name__.lower()
                raise WitError.at(where, f"{what}s are not supported by the Python emitter yet")
            case ir.Primitive.ERROR_CONTEXT:
                raise WitError.at(where, "error contexts are not supported by the Python emitter yet")
            case ir.Record(fields):
                for item in fields:
                    self._refuse_type(item.type, where)
            case ir.Tuple(types):
                for part in types:
                    self._refuse_type(part, where)
            case ir.List(element) | ir.FixedLengthList(element, _) | ir.Option(element):
                self._refuse_type(element, where)
            case ir.Map(key, value):
                self._refuse_type(key, where)
                self._refuse_type(value, where)
            case ir.Variant() | ir.Result():
                payloads = [c.type for c in kind.cases] if isinstance(kind, ir.Variant) else [kind.ok, kind.err]
                for payload in payloads:
                    if payload is not None:
                        self._refuse_type(payload, where)
            case _:
                pass

    def _type_ids(self, interfaces: list[ir.InterfaceId]) -> list[ir.TypeId]:
        """The types that have a class or alias in the module, those of imports first."""
        found = [type_ for id_ in interfaces for type_ in self.resolve.interfaces[id_].types.values()]
        found += [item.id for item in self.world.imports.values() if isinstance(item, ir.TypeItem)]
        return [type_ for type_ in dict.fromkeys(found) if self.names.has(type_)]

    def _is_resource(self, type_: ir.TypeId) -> bool:
        return isinstance(self.resolve.types[type_].kind, ir.Resource)

    def _resources(self) -> dict[ir.TypeId, ResourceCode]:
        exported = set(self.exported.values())
        found: dict[ir.TypeId, ResourceCode] = {}
        for type_ in self.type_ids:
            if self._is_resource(type_):
                owner = self.resolve.types[type_].owner
                guest = isinstance(owner, ir.InterfaceOwner) and owner.id in exported
                code = GuestResourceCode if guest else HostResourceCode
                found[type_] = code(self.names.type(type_), len(found))
        return found

    def _resource_entry(self, id_: ir.TypeId) -> tuple[str, str, bool]:
        definition = self.resolve.types[id_]
        owner = ""
        if isinstance(definition.owner, ir.InterfaceOwner):
            items = {**self.imported, **self.exported}
            key = next(key for key, interface in items.items() if interface == definition.owner.id)
            owner = self.resolve.link_name(key)
        return owner, definition.name or "", self.resources[id_].host

    def _exceptions(self) -> dict[ir.Type, str]:
        """An exception class for each named type that functions give as ``err``."""
        found: dict[ir.Type, str] = {}
        for id_ in dict.fromkeys([*self.imported.values(), *self.exported.values()]):
            for function in self.resolve.interfaces[id_].functions.values():
                self._note_exception(function, found)
        for items in (self.world.imports, self.world.exports):
            for function in self.resolve.world_functions(items):
                self._note_exception(function, found)
        return found

    def _note_exception(self, function: ir.Function, found: dict[ir.Type, str]) -> None:
        kind = None if function.result is None else self.resolve.kind(function.result)
        if not isinstance(kind, ir.Result) or kind.err is None:
            return
        type_ = self.resolve.dealias(kind.err)
        if not isinstance(type_, ir.Primitive) and self.names.has(type_) and not self._is_resource(type_):
            found[type_] = self.names.type(type_) + "Exception"

    # Types

    def _type(self, id_: ir.TypeId) -> TypeClass:
        definition = self.resolve.types[id_]
        name = self.names.type(id_)
        wit = self._wit_name(definition)
        match definition.kind:
            case ir.Record(fields):
                members = [Member(member_name(f.name), self.annotations.of(f.type), f.docs) for f in fields]
                return TypeClass("record", name, definition.docs, members, wit=wit)
            case ir.Variant(cases):
                members = [
                    Member(
                        f"{name}_{self.annotations.case(c.name)}",
                        "" if c.type is None else self.annotations.of(c.type),
                        c.docs,
                    )
                    for c in cases
                ]
                return TypeClass("variant", name, definition.docs, members, wit=wit)
            case ir.Enum(labels):
                members = [Member(_label(c.name), str(i), c.docs) for i, c in enumerate(labels)]
                return TypeClass("enum", name, definition.docs, members, wit=wit)
            case ir.Flags(labels):
                members = [Member(_label(c.name), f"1 << {i}", c.docs) for i, c in enumerate(labels)]
                return TypeClass("flags", name, definition.docs, members, wit=wit)
            case ir.Alias(target):
                return TypeClass("alias", name, definition.docs, target=self.annotations.of(target), wit=wit)
            case _:
                return TypeClass("alias", name, definition.docs, target=self.annotations.of(id_), wit=wit)

    def _wit_name(self, definition: ir.TypeDef) -> str:
        if isinstance(definition.owner, ir.InterfaceOwner):
            interface = self.resolve.interfaces[definition.owner.id]
            owner = self.resolve.packages[interface.package].name.interface(interface.name)
            return f"{owner} {definition.name}"
        return definition.name or ""

    def _enums(self) -> list[tuple[str, str]]:
        return [
            (self.codec.cases_constant(id_), self.names.type(id_))
            for id_ in self.type_ids
            if isinstance(self.resolve.types[id_].kind, ir.Enum)
        ]

    # Exports

    def _export_interface(self, key: ir.WorldKey, id_: ir.InterfaceId) -> InterfaceClass:
        interface = self.resolve.interfaces[id_]
        methods = [
            self._export_method(function, f"self._{member_name(function.name)}", f"_{member_name(function.name)}")
            for function in interface.functions.values()
            if function.kind is ir.FunctionKind.FREESTANDING
        ]
        resources = [
            self._export_resource(type_, interface) for type_ in interface.types.values() if self._is_resource(type_)
        ]
        lifted = [*methods, *(m for r in resources for m in (*r.methods, *r.statics))]
        return InterfaceClass(
            self.names.interface(id_),
            self.resolve.link_name(key),
            self._interface_member(id_),
            interface.docs,
            methods,
            resources,
            lifted,
        )

    def _export_resource(self, type_: ir.TypeId, interface: ir.Interface) -> ResourceClass:
        definition = self.resolve.types[type_]
        member = member_name(definition.name or "")
        methods: list[Method] = []
        statics: list[Method] = []
        for function in interface.functions.values():
            if function.resource is None or self.resolve.dealias(function.resource) != type_:
                continue
            attribute = f"_{member}_{_short_member(function)}"
            method = self._export_method(function, f"self._i.{attribute}", attribute)
            (methods if function.kind is ir.FunctionKind.METHOD else statics).append(method)
        index = self.resources[type_].index
        return ResourceClass(self.names.type(type_), member, definition.docs, index, methods, statics)

    def _export_method(self, function: ir.Function, target: str, attribute: str) -> Method:
        signature = self.codec.abi.signature(function, lowered=False)
        outcome = self.functions.outcome(function)
        return Method(
            name=_function_member(function),
            parameters=self.functions.parameters(function, exported=True),
            returns=self.functions.returns(function),
            docs=function.docs,
            raises=self.functions.exception(outcome.err) if outcome else "",
            body=self.functions.export_body(function, target),
            attribute=attribute,
            wit=function.name,
            params=core_letters(signature.params),
            results=core_letters(signature.results),
        )

    def _interface_member(self, id_: ir.InterfaceId) -> str:
        """The attribute by which the world's class or its imports offer an interface: its class in lower case."""
        found = member_name(snake_of_class(self.names.interface(id_)).replace("_", "-"))
        return found + "_" if found in _WORLD_MEMBERS else found

    # Imports

    def _import_interface(self, key: ir.WorldKey, id_: ir.InterfaceId) -> InterfaceClass:
        interface = self.resolve.interfaces[id_]
        functions = list(interface.functions.values())
        methods = [self._import_method(f) for f in functions if f.resource is None]
        resources = [self._import_resource(t, functions) for t in interface.types.values() if self._is_resource(t)]
        has_class = bool(interface.functions)
        return InterfaceClass(
            self.names.imported(id_) if has_class else "",
            self.resolve.link_name(key),
            self._interface_member(id_) if has_class else "",
            interface.docs,
            methods,
            resources,
        )

    def _import_resource(self, type_: ir.TypeId, functions: Sequence[ir.Function]) -> ResourceClass:
        definition = self.resolve.types[type_]
        own = [f for f in functions if f.resource is not None and self.resolve.dealias(f.resource) == type_]
        return ResourceClass(
            self.names.type(type_),
            member_name(definition.name or ""),
            definition.docs,
            self.resources[type_].index,
            [self._import_method(f) for f in own if f.kind is ir.FunctionKind.METHOD],
            [self._import_method(f) for f in own if f.kind is not ir.FunctionKind.METHOD],
        )

    def _world_resources(self) -> list[ResourceClass]:
        """The resources that the world itself imports."""
        functions = list(self.resolve.world_functions(self.world.imports))
        types = [item.id for item in self.world.imports.values() if isinstance(item, ir.TypeItem)]
        return [self._import_resource(type_, functions) for type_ in types if self._is_resource(type_)]

    def _import_method(self, function: ir.Function) -> Method:
        outcome = self.functions.outcome(function)
        return Method(
            name=_function_member(function),
            parameters=self.functions.parameters(function, exported=False),
            returns=self.functions.returned(function),
            docs=function.docs,
            raises=self.functions.exception(outcome.err) if outcome else "",
        )

    def _world_imports(self) -> list[Member]:
        """The fields of the class that holds all that a host provides."""
        found = [
            Member(self._interface_member(id_), self.names.imported(id_), self.resolve.interfaces[id_].docs)
            for id_ in self.imported.values()
            if self.resolve.interfaces[id_].functions
        ]
        for function in self.resolve.world_functions(self.world.imports):
            if function.resource is None:
                parameters = ", ".join(self.annotations.of(p.type) for p in function.params)
                type_ = f"Callable[[{parameters}], {self.functions.returned(function)}]"
                found.append(Member(local_name(function.name), type_, function.docs))
        found += [
            Member(resource.member, f"{resource.name}Factory", resource.docs)
            for resource in self._world_resources()
            if resource.statics
        ]
        return found

    def _import_tables(self) -> tuple[list[tuple[str, str, list[ImportFunction]]], list[list[str]]]:
        """For each interface: link name, host expression, entries; and the functions that make core functions."""
        tables: list[tuple[str, str, list[ImportFunction]]] = []
        texts: list[list[str]] = []
        for key, id_ in self.imported.items():
            functions = list(self.resolve.interfaces[id_].functions.values())
            if functions:
                member = self._interface_member(id_)
                entries = [self._import_entry(f, self.names.imported(id_), member, texts) for f in functions]
                tables.append((self.resolve.link_name(key), f"imports.{member}", entries))
        functions = list(self.resolve.world_functions(self.world.imports))
        if functions:
            entries = [self._import_entry(f, f"{self.names.world}Imports", "world", texts) for f in functions]
            tables.append(("", "imports", entries))
        return tables, texts

    def _import_entry(self, function: ir.Function, host: str, member: str, texts: list[list[str]]) -> ImportFunction:
        own = _function_member(function)
        short = _short_member(function)
        resource = ""
        if function.resource is not None:
            resource = member_name(self.resolve.types[function.resource].name or "")
        maker = f"_import_{member}_{resource}_{short}" if resource else f"_import_{member}_{short}"
        match function.kind:
            case ir.FunctionKind.METHOD:
                target = own
            case ir.FunctionKind.CONSTRUCTOR:
                target = f"host.{resource}"
            case ir.FunctionKind.STATIC:
                target = f"host.{resource}.{own}"
            case _:
                target = f"host.{local_name(function.name) if member == 'world' else own}"
        texts.append(self.functions.import_function(maker, function, host, target))
        signature = self.codec.abi.signature(function, lowered=True)
        return ImportFunction(function.name, maker, core_letters(signature.params), core_letters(signature.results))


def _interfaces(items: Mapping[ir.WorldKey, ir.WorldItem]) -> dict[ir.WorldKey, ir.InterfaceId]:
    return {key: item.id for key, item in items.items() if isinstance(item, ir.InterfaceItem)}


def _function_member(function: ir.Function) -> str:
    """The Python method for a function; a constructor is the call of its factory."""
    return "__call__" if function.kind is ir.FunctionKind.CONSTRUCTOR else member_name(function.item_name)


def _short_member(function: ir.Function) -> str:
    """The function as part of a private name."""
    return "new" if function.kind is ir.FunctionKind.CONSTRUCTOR else member_name(function.item_name)


def _label(name: str) -> str:
    """The member of an Enum or Flag; ``mro`` and ``name`` are no trouble in capitals."""
    found = constant_name(name)
    return found if found.isidentifier() else f"_{found}"

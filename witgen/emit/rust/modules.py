"""The modules of a generated file and what stands in each.

It knows the world; types, functions and layout are the business of the modules beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from witgen import ir
from witgen.diagnostics import WitError
from witgen.emit.names import Scope
from witgen.emit.rust import layout, naming
from witgen.emit.rust.definitions import Definition, Definitions
from witgen.emit.rust.functions import Functions, Wrapper
from witgen.emit.rust.needs import Needs
from witgen.emit.rust.types import Place, Places, Speller, Types
from witgen.resolve.kinds import references

__all__ = ["Destructor", "Module", "ResourceModel", "WorldModel", "build"]

#: Methods that handles of imported resources have for code that talks to the host itself.
_RAW = frozenset({"from_handle", "take_handle", "handle"})


@dataclass(frozen=True, slots=True)
class ResourceModel:
    """A resource of a module. `methods` are function texts for its ``impl`` (imported) or its trait (exported)."""

    docs: list[str]
    name: str
    borrow: str
    trait: str
    item: str
    module: str
    exported: bool
    raw: bool
    methods: list[list[str]]


@dataclass(frozen=True, slots=True)
class Destructor:
    """The core function that ends an exported resource."""

    path: tuple[str, ...]
    export_name: str
    resource: str


@dataclass(slots=True)
class Module:
    """A Rust module: its documentation and definitions, the modules inside."""

    depth: int
    name: str = ""
    docs: list[str] = field(default_factory=list)
    children: dict[str, Module] = field(default_factory=dict)
    filled: bool = False
    definitions: list[Definition | ResourceModel] = field(default_factory=list)
    functions: list[list[str]] = field(default_factory=list)
    #: The functions of the ``Guest`` trait; None where there is no such trait.
    guest: list[list[str]] | None = None
    guest_docs: list[str] = field(default_factory=list)
    exports: list[list[str]] = field(default_factory=list)

    @property
    def root(self) -> str:
        """The path to the top of the file."""
        return "super::" * self.depth

    def inside(self, path: Iterable[str]) -> Module:
        """The module at `path` below this one, made where it is missing."""
        found = self
        for name in path:
            if name not in found.children:
                found.children[name] = Module(found.depth + 1, name)
            found = found.children[name]
        return found

    @property
    def traits(self) -> list[ResourceModel]:
        """The resources that the guest implements."""
        return [d for d in self.definitions if isinstance(d, ResourceModel) and d.exported]


@dataclass(frozen=True, slots=True)
class WorldModel:
    """Everything that the template lays out."""

    root: Module
    wrappers: list[Wrapper]
    destructors: list[Destructor]
    needs: Needs


class _Builder:
    def __init__(self, resolve: ir.Resolve, world: ir.WorldId, split: bool, derives: Sequence[str]) -> None:
        self._derives = derives
        self._resolve = resolve
        self._world = resolve.worlds[world]
        self._types = Types(resolve)
        self._places = Places(resolve, world, split=split)
        self._owner = ir.WorldOwner(world)
        self._root = Module(0)
        self._wrappers: list[Wrapper] = []
        self._destructors: list[Destructor] = []
        _refuse(resolve, self._world)
        self._needs = Needs(self._types, self._places, self._world)

    def build(self) -> WorldModel:
        for key, item in self._world.imports.items():
            if isinstance(item, ir.InterfaceItem):
                self._interface(key, item, False)
        self._world_items()
        for key, item in self._world.exports.items():
            if isinstance(item, ir.InterfaceItem):
                self._interface(key, item, True)
        return WorldModel(self._root, self._wrappers, self._destructors, self._needs)

    def _interface(self, key: ir.WorldKey, item: ir.InterfaceItem, exported: bool) -> None:
        interface = self._resolve.interfaces[item.id]
        place = self._places.of_item(key, item.id, exported)
        module = self._root.inside(place.path)
        module.filled = True
        module.docs = layout.docs(item.docs or interface.docs)
        link_name = self._resolve.link_name(key)
        filler = _Filler(self, module, place, ir.InterfaceOwner(item.id), link_name)
        filler.types(interface.types.values(), list(interface.functions.values()))
        free = [f for f in interface.functions.values() if f.resource is None]
        if exported:
            filler.guest(free)
        else:
            filler.imports(free)
        self._wrappers += filler.functions.wrappers
        self._destructors += filler.destructors

    def _world_items(self) -> None:
        filler = _Filler(self, self._root, self._places.root, self._owner, None)
        imported = list(self._resolve.world_functions(self._world.imports))
        filler.types(self._resolve.world_types(self._world.imports), imported)
        filler.imports([f for f in imported if f.resource is None])
        exported = list(self._resolve.world_functions(self._world.exports))
        if exported:
            filler.guest(exported)
            self._root.guest_docs = layout.docs(self._world.docs)
        self._wrappers += filler.functions.wrappers


class _Filler:
    """Fills one module."""

    def __init__(self, builder: _Builder, module: Module, place: Place, owner: ir.Owner, link_name: str | None) -> None:
        types, needs = builder._types, builder._needs
        self._resolve = builder._resolve
        self._module = module
        self._place = place
        self._link_name = link_name
        self._speller = Speller(types, builder._places, place, owner)
        self._definitions = Definitions(types, needs, self._speller, builder._derives)
        self.functions = Functions(types, needs, self._speller, link_name)
        self.destructors: list[Destructor] = []

    def types(self, types: Iterable[ir.TypeId], functions: list[ir.Function]) -> None:
        """Defines types; `functions` are those among which the methods of resources are found."""
        for id_ in types:
            if isinstance(self._resolve.types[id_].kind, ir.Resource):
                self._resource(id_, [f for f in functions if f.resource == id_])
            else:
                self._module.definitions.append(self._definitions.define(id_))

    def imports(self, functions: Iterable[ir.Function]) -> None:
        """Writes functions of the host."""
        scope = Scope()
        for function in functions:
            self._module.functions.append(self.functions.imported(function, scope.take(_name(function))))

    def guest(self, functions: Iterable[ir.Function]) -> None:
        """Declares functions of the guest."""
        scope = Scope()
        self._module.guest = []
        for function in functions:
            name = scope.take(_name(function))
            self._module.guest.append(self.functions.declared(function, name))
            self._module.exports.append(self.functions.exported(function, name))

    def _resource(self, id_: ir.TypeId, functions: list[ir.Function]) -> None:
        names = self._speller.names(id_)
        row = self._resolve.types[id_]
        scope = Scope()
        methods: list[list[str]] = []
        rust_names = [scope.take(_name(f)) for f in functions]
        for function, name in zip(functions, rust_names, strict=True):
            if self._place.exported:
                methods.append(self.functions.declared(function, name))
                self._module.exports.append(self.functions.exported(function, name))
            else:
                methods.append(self.functions.imported(function, name))
        module = self._link_name or "$root"
        if self._place.exported:
            export_name = f"{module}#[dtor]{row.name}"
            self.destructors.append(Destructor(self._place.path, export_name, names.name))
        self._module.definitions.append(
            ResourceModel(
                layout.docs(row.docs),
                names.name,
                names.borrow,
                names.trait,
                row.name or "",
                f"[export]{module}" if self._place.exported else module,
                self._place.exported,
                not _RAW.intersection(rust_names),
                methods,
            )
        )


def build(resolve: ir.Resolve, world: ir.WorldId, *, split: bool, derives: Sequence[str]) -> WorldModel:
    """The modules of a world, each interface in a file of its own or all in one.

    `derives` are traits that records, variants and enums derive as well, where what they contain lets them.
    Raises `WitError` for what the emitter can't carry.
    """
    return _Builder(resolve, world, split, derives).build()


def _name(function: ir.Function) -> str:
    return "new" if function.kind is ir.FunctionKind.CONSTRUCTOR else naming.value_name(function.item_name)


def _refuse(resolve: ir.Resolve, world: ir.World) -> None:
    """Raises `WitError` where a world needs what is asynchronous."""
    seen: set[ir.TypeId] = set()

    def check(type_: ir.Type | None, where: str) -> None:
        if type_ is None or type_ in seen:
            return
        if type_ is ir.Primitive.ERROR_CONTEXT:
            raise WitError.at(where, "`error-context` is not supported yet by the Rust emitter")
        if isinstance(type_, ir.Primitive):
            return
        seen.add(type_)
        row = resolve.types[type_]
        where = f"{where.split(' ')[0]}" if row.name is None else row.name
        if isinstance(row.kind, ir.Stream | ir.Future):
            keyword = type(row.kind).__name__.lower()
            raise WitError.at(where, f"`{keyword}` is not supported yet by the Rust emitter")
        for child in references(row.kind):
            check(child, where)

    def check_function(function: ir.Function, where: str) -> None:
        if function.is_async:
            raise WitError.at(f"{where}{function.item_name}", "`async` is not supported yet by the Rust emitter")
        for param in function.params:
            check(param.type, f"{where}{function.item_name}")
        check(function.result, f"{where}{function.item_name}")

    def check_items(items: Mapping[ir.WorldKey, ir.WorldItem]) -> None:
        for key, item in items.items():
            match item:
                case ir.FunctionItem(function):
                    check_function(function, "")
                case ir.TypeItem(id_):
                    check(id_, resolve.types[id_].name or "")
                case ir.InterfaceItem(id_):
                    for function in resolve.interfaces[id_].functions.values():
                        check_function(function, f"{resolve.link_name(key)}.")
                    for type_ in resolve.interfaces[id_].types.values():
                        check(type_, resolve.link_name(key))

    check_items(world.imports)
    check_items(world.exports)

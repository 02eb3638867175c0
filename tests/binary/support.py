"""Worlds made by hand, and worlds as text that can be compared wherever they came from."""

from __future__ import annotations

from witgen import ir


class Maker:
    """A `Resolve` in the making, with one package."""

    def __init__(self, package: str = "test:made@0.1.0") -> None:
        path, _, version = package.partition("@")
        namespace, name = path.split(":")
        self.package = ir.PackageName(namespace, name, version or None)
        self.types: list[ir.TypeDef] = []
        self.interfaces: list[tuple[str | None, dict[str, ir.TypeId], dict[str, ir.Function]]] = []
        self.worlds: list[ir.World] = []
        self.world_id = ir.WorldId(0)

    def interface(self, name: str | None) -> ir.InterfaceId:
        """Adds an empty interface."""
        self.interfaces.append((name, {}, {}))
        return ir.InterfaceId(len(self.interfaces) - 1)

    def anonymous(self, kind: ir.Kind) -> ir.TypeId:
        """The type without a name of that kind."""
        definition = ir.TypeDef(None, kind, None)
        if definition not in self.types:
            self.types.append(definition)
        return ir.TypeId(self.types.index(definition))

    def named(self, owner: ir.InterfaceId | None, name: str, kind: ir.Kind, docs: str = "") -> ir.TypeId:
        """Adds a type of an interface, or of the world."""
        place: ir.Owner = ir.WorldOwner(self.world_id) if owner is None else ir.InterfaceOwner(owner)
        self.types.append(ir.TypeDef(name, kind, place, docs))
        id_ = ir.TypeId(len(self.types) - 1)
        if owner is not None:
            self.interfaces[owner][1][name] = id_
        return id_

    def function(
        self, owner: ir.InterfaceId | None, name: str, result: ir.Type | None = None, **params: ir.Type
    ) -> ir.Function:
        """Adds a function to an interface, or makes one for the world; ``_`` in parameter names is ``-``."""
        function = ir.Function(
            name,
            ir.FunctionKind.FREESTANDING,
            None,
            tuple(ir.Param(param.replace("_", "-"), type_) for param, type_ in params.items()),
            result,
        )
        if owner is not None:
            self.interfaces[owner][2][name] = function
        return function

    def of_resource(
        self,
        owner: ir.InterfaceId,
        kind: ir.FunctionKind,
        resource: ir.TypeId,
        name: str,
        result: ir.Type | None,
        *params: ir.Param,
    ) -> None:
        """Adds a function of a resource to an interface."""
        full = f"[{kind.value}]{self.types[resource].name}" + (f".{name}" if name else "")
        self.interfaces[owner][2][full] = ir.Function(full, kind, resource, params, result)

    def world(
        self,
        name: str,
        imports: dict[ir.WorldKey, ir.WorldItem] | None = None,
        exports: dict[ir.WorldKey, ir.WorldItem] | None = None,
    ) -> ir.WorldId:
        """Adds a world."""
        self.worlds.append(ir.World(name, imports or {}, exports or {}, ir.PackageId(0)))
        return ir.WorldId(len(self.worlds) - 1)

    def resolve(self) -> ir.Resolve:
        """What was made."""
        package = ir.PackageId(0)
        return ir.Resolve(
            worlds=tuple(self.worlds),
            interfaces=tuple(ir.Interface(name, types, funcs, package) for name, types, funcs in self.interfaces),
            types=tuple(self.types),
            packages=(
                ir.Package(
                    self.package,
                    {row[0]: ir.InterfaceId(i) for i, row in enumerate(self.interfaces) if row[0] is not None},
                    {world.name: ir.WorldId(i) for i, world in enumerate(self.worlds)},
                ),
            ),
        )


def items(*ids: ir.InterfaceId) -> dict[ir.WorldKey, ir.WorldItem]:
    """Interfaces as items of a world, by themselves."""
    return {id_: ir.InterfaceItem(id_) for id_ in ids}


def describe(resolve: ir.Resolve, world: ir.WorldId) -> dict[str, str]:
    """Each type and function of a world as a line of text, with the owners of the types in it."""
    found: dict[str, str] = {}
    row = resolve.worlds[world]
    for side, entries in (("import", row.imports), ("export", row.exports)):
        for key, item in entries.items():
            name = f"{side} {resolve.link_name(key)}"
            match item:
                case ir.FunctionItem(function):
                    found[name] = function_text(resolve, function)
                case ir.TypeItem(id_):
                    found[name] = f"type {_definition(resolve, id_)}"
                case ir.InterfaceItem(id_):
                    found[name] = f"interface {resolve.interfaces[id_].name} implements={item.implements}"
                    found |= {f"{name}.{k}": v for k, v in interface_text(resolve, id_).items()}
    return found


def interface_text(resolve: ir.Resolve, id_: ir.InterfaceId) -> dict[str, str]:
    """Each type and function of an interface as a line of text."""
    row = resolve.interfaces[id_]
    found = {f"type {name}": _definition(resolve, type_) for name, type_ in row.types.items()}
    return found | {name: function_text(resolve, function) for name, function in row.functions.items()}


def function_text(resolve: ir.Resolve, function: ir.Function) -> str:
    """A function as a line of text."""
    params = ", ".join(f"{p.name}: {type_text(resolve, p.type)}" for p in function.params)
    resource = "" if function.resource is None else type_text(resolve, function.resource)
    start = "async " if function.is_async else ""
    result = type_text(resolve, function.result)
    return f"{start}{function.kind.value} {resource}({params}) -> {result} {function.external_id}"


def type_text(resolve: ir.Resolve, type_: ir.Type | None) -> str:
    """A use of a type: ``owner#name`` where it has a name."""
    if type_ is None or isinstance(type_, ir.Primitive):
        return "_" if type_ is None else type_.value
    definition = resolve.types[type_]
    if definition.name is None:
        return _kind(resolve, definition.kind)
    return f"{_owner(resolve, definition.owner)}#{definition.name}"


def _owner(resolve: ir.Resolve, owner: ir.Owner | None) -> str:
    match owner:
        case ir.InterfaceOwner(id_):
            return resolve.link_name(id_) if resolve.interfaces[id_].name is not None else "inline"
        case ir.WorldOwner():
            return "world"
    return "nobody"


def _definition(resolve: ir.Resolve, id_: ir.TypeId) -> str:
    definition = resolve.types[id_]
    return f"{type_text(resolve, id_)} = {_kind(resolve, definition.kind)} {definition.external_id}"


def _kind(resolve: ir.Resolve, kind: ir.Kind) -> str:
    def text(type_: ir.Type | None) -> str:
        return type_text(resolve, type_)

    match kind:
        case ir.Record(fields):
            return f"record({', '.join(f'{f.name}: {text(f.type)}' for f in fields)})"
        case ir.Variant(cases):
            return f"variant({', '.join(f'{c.name}: {text(c.type)}' for c in cases)})"
        case ir.Enum(labels) | ir.Flags(labels):
            return f"{type(kind).__name__}({', '.join(label.name for label in labels)})"
        case ir.Tuple(types):
            return f"tuple({', '.join(map(text, types))})"
        case ir.FixedLengthList(element, length):
            return f"list({text(element)}, {length})"
        case ir.Resource():
            return "resource"
        case _:
            return f"{type(kind).__name__}({', '.join(text(getattr(kind, slot)) for slot in kind.__slots__)})"

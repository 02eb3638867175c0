"""From a decoded component to the resolved model: the world that it implements.

`component_world` reads what a component really imports and exports; `encoded_world` and `encoded_package` read
components that only carry types, as `witgen.binary.encoder` writes them. This module knows what such components consist
of; what an index refers to, `evaluate` finds out, and what is made of it, `builder` knows.
"""

from __future__ import annotations

from witgen import ir
from witgen.binary import entities as en
from witgen.binary import model as m
from witgen.binary.builder import Builder, Obstacle
from witgen.binary.errors import BinaryError, Budget, quoted
from witgen.binary.evaluate import MAX_STEPS, evaluate, evaluate_type
from witgen.binary.names import InterfaceName, interface_name

__all__ = ["component_part", "component_world", "encoded_package", "encoded_world", "is_package"]

#: The world of a component has no name in the binary; these are the ones that other tools give it.
ROOT_PACKAGE = ir.PackageName("root", "component")
ROOT_WORLD = "root"


def component_world(component: m.Component, *, merge: bool = False) -> tuple[ir.Resolve, ir.WorldId]:
    """The world that `component` implements: world ``root`` of package ``root:component``.

    An interface that it both imports and exports has two rows in `Resolve.interfaces`, as a component may import a part
    of an interface only; the package lists the exported one. With `merge` it is read as WIT text has it: the interface
    has one row that holds what both have, docs are read, and what text can't say is refused (`text_rules`).
    Raises `BinaryError` where types and their uses don't fit, `NoWorldError` where no world can have what it imports or
    exports.
    """
    resolve, world, obstacles = _component_world(component, Builder(merge=merge, as_text=merge))
    _raise_first(obstacles)
    return _documented(resolve, component) if merge else resolve, world


def component_part(component: m.Component) -> tuple[ir.Resolve, ir.WorldId, list[Obstacle]]:
    """As `component_world`, with what no world can have left out: the obstacles to its being a world.

    Raises `BinaryError` where types and their uses don't fit.
    """
    return _component_world(component, Builder(merge=False))


def _component_world(component: m.Component, builder: Builder) -> tuple[ir.Resolve, ir.WorldId, list[Obstacle]]:
    world = builder.world(ROOT_WORLD, ROOT_PACKAGE, *evaluate(component))
    return builder.finish(ROOT_PACKAGE), world, builder.obstacles


def _raise_first(obstacles: list[Obstacle]) -> None:
    """Raises what is said of the first obstacle, if there is one."""
    for obstacle in obstacles:
        raise obstacle.error


def is_package(component: m.Component) -> bool:
    """Whether a component is a binary WIT package: all that it has are exports, types of components all of them.

    Raises `BinaryError` where types and their uses don't fit.
    """
    imports, exports = evaluate(component)
    nodes = [en.bare(e.entity) if isinstance(e.entity, en.Named) else None for e in exports.values()]
    return bool(nodes and not imports) and all(
        isinstance(node, en.Defined) and isinstance(node.type, m.ComponentType) for node in nodes
    )


def encoded_world(component: m.Component, budget: Budget | None = None) -> tuple[ir.Resolve, ir.WorldId]:
    """The world in the payload of a ``component-type`` custom section; those of one file have one `budget`."""
    budget = budget or Budget(MAX_STEPS)
    _, exports = evaluate(component, budget)
    builder = Builder(merge=True)
    if len(exports) != 1:
        raise BinaryError(f"one encoded world expected, not {len(exports)} exports", component.offset)
    for name, extern in exports.items():
        item, _, world = _wrapped(name, extern, budget)
        if world is None:
            raise BinaryError(f"{quoted(name)} is not an encoded world", extern.offset)
        id_ = builder.world(item.item, item.package, *evaluate_type(world, budget))
        _raise_first(builder.obstacles)
        return builder.finish(item.package), id_
    raise AssertionError


def encoded_package(component: m.Component) -> tuple[ir.Resolve, ir.PackageId]:
    """The package in a binary WIT package. Interfaces of other packages come with their types only."""
    budget = Budget(MAX_STEPS)
    _, exports = evaluate(component, budget)
    builder = Builder(merge=True)
    package: ir.PackageName | None = None
    seen: set[str] = set()
    for name, extern in exports.items():
        item, (imports, items), world = _wrapped(name, extern, budget)
        if item.item in seen:
            raise BinaryError(f"{quoted(item.item)} is there twice", extern.offset)
        seen.add(item.item)
        if package not in (None, item.package):
            raise BinaryError(f"{quoted(name)} is of package {item.package}, not of {package}", extern.offset)
        package = item.package
        if world is None:
            builder.interfaces(imports, items)
        else:
            builder.world(item.item, item.package, *evaluate_type(world, budget))
    if package is None:
        raise BinaryError("this component exports no package", component.offset)
    _raise_first(builder.obstacles)
    resolve = _documented(builder.finish(package), component)
    return resolve, ir.PackageId(len(resolve.packages) - 1)


def _documented(resolve: ir.Resolve, component: m.Component) -> ir.Resolve:
    """`resolve` with the docs and gates that the component carries for the last package."""
    from witgen.binary import package_docs  # Brings JSON, which running a component does not need.

    id_ = ir.PackageId(len(resolve.packages) - 1)
    custom = [definition for definition in component.definitions if isinstance(definition, m.CustomSection)]
    sections = [section for section in custom if section.name == package_docs.SECTION]
    if len(sections) > 1:
        raise BinaryError(f"{package_docs.SECTION} is there twice", sections[1].offset)
    for section in sections:
        resolve = package_docs.with_package_docs(resolve, id_, bytes(section.data), section.offset)
    return resolve


def _wrapped(
    name: str, extern: en.Extern, budget: Budget
) -> tuple[InterfaceName, tuple[en.Externs, en.Externs], en.Component | None]:
    """What an export of a package is: a component type with one export, which is the interface or the world."""
    entity = extern.entity
    node = en.bare(entity) if isinstance(entity, en.Named) else None
    if not isinstance(node, en.Defined) or not isinstance(node.type, m.ComponentType):
        raise BinaryError(f"{quoted(name)} is not an encoded interface or world", extern.offset)
    imports, exports = evaluate_type(en.Component(node.type.decls, node.scope), budget)
    if len(exports) != 1:
        raise BinaryError(f"{quoted(name)} has {len(exports)} exports instead of one", extern.offset)
    ((link_name, item),) = exports.items()
    world = item.entity if isinstance(item.entity, en.Component) else None
    return interface_name(link_name, item.attributes, item.offset), (imports, exports), world

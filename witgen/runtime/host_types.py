"""Which resource of the host a type is that a component imports.

A type of an interface stands in the contract by its name. One that a ``use`` brought into another interface, or into
the world, stands there under the interface that defines it; then the component's own types say which one it is.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from witgen.binary import entities
from witgen.contract.verification import linker
from witgen.runtime.component import Component
from witgen.runtime.handles import ResourceType

__all__ = ["HostTypes"]


class HostTypes:
    """The imported resource types of one instance."""

    def __init__(self, component: Component, resources: Sequence[tuple[str, str, ResourceType]]) -> None:
        """`resources` are those of the host, as (interface, name, type)."""
        self._component = component
        self._resources = resources

    def find(self, interface: str, name: str) -> ResourceType | None:
        """The resource type that an interface (``""``: the world itself) has under a name; None for other types."""
        return self._defined(interface, name) or self._used(interface, name)

    def _defined(self, interface: str, name: str) -> ResourceType | None:
        owners = {owner: type_ for owner, resource, type_ in self._resources if resource == name}
        link = linker(owners)(interface)
        return None if link is None else owners[link]

    def _used(self, interface: str, name: str) -> ResourceType | None:
        if not self._resources:
            return None
        wanted = self._imported.get(interface, {}).get(name)
        return None if wanted is None else self._behind.get(wanted)

    @functools.cached_property
    def _imported(self) -> dict[str, dict[str, entities.Node]]:
        return _types(self._component.imports)

    @functools.cached_property
    def _behind(self) -> dict[entities.Node, ResourceType]:
        """The resource types by what the component's own types call them."""
        defined: dict[entities.Node, ResourceType] = {}
        for place, types in self._imported.items():
            for item, node in types.items():
                found = self._defined(place, item)
                if found is not None:
                    defined.setdefault(node, found)
        return defined


def _types(imports: entities.Externs) -> dict[str, dict[str, entities.Node]]:
    """What the types of each imported instance stand for, and under ``""`` those that are imported themselves."""
    found: dict[str, dict[str, entities.Node]] = {"": _nodes(imports)}
    for name, extern in imports.items():
        if isinstance(extern.entity, entities.Instance):
            found[name] = _nodes(extern.entity.exports)
    return found


def _nodes(externs: entities.Externs) -> dict[str, entities.Node]:
    return {
        name: entities.bare(extern.entity)
        for name, extern in externs.items()
        if isinstance(extern.entity, entities.Named | entities.ResourceNode)
    }

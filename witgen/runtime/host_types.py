"""Which resource of the host a type is that a component imports.

A type of an interface stands in the contract by its name. One that a ``use`` brought into another interface, or into
the world, stands there under the interface that defines it; the component's own types say that they are one.
"""

from __future__ import annotations

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

    def behind(self, node: entities.Node) -> ResourceType | None:
        """The resource type that the component imports as `node`; None if the host has none of its names."""
        for interface, name in self._component.imported_resources.get(node, ()):
            found = self._defined(interface, name)
            if found is not None:
                return found
        return None

    def _defined(self, interface: str, name: str) -> ResourceType | None:
        owners = {owner: type_ for owner, resource, type_ in self._resources if resource == name}
        link = linker(owners)(interface)
        return None if link is None else owners[link]

"""Who gives a component what it imports: the host of its own world, and providers beside it.

Each of them comes with a generated module, which lifts and lowers by the types of its own contract. A `Source` is such
a module's view of one instance. What is behind handles is common to all: a resource is one type, whichever of the
modules carries it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from witgen.binary import entities
from witgen.contract.verification import linker, same_link_name
from witgen.runtime.component import Component, Contract
from witgen.runtime.core import HostCallback
from witgen.runtime.errors import LinkError
from witgen.runtime.handles import ResourceType

if TYPE_CHECKING:
    from witgen.runtime.context import Context

__all__ = ["HostFunction", "Provider", "Source", "Sources", "drop_host_object"]


@dataclass(frozen=True, slots=True)
class HostFunction:
    """An import as an adapter provides it: its core type, and what makes the core function for a set of options."""

    params: str
    results: str
    make: Callable[[Context], HostCallback]


Functions = Mapping[str, Mapping[str, HostFunction]]


@dataclass(frozen=True, slots=True)
class Provider:
    """Imports for components of any world, such as WASI: `provider` of a generated module makes it.

    `functions` are by interface (link name) and name. `withheld` names packages (``wasi:sockets``) and interfaces
    (``wasi:sockets/tcp``) that components are not granted, though the functions are there.
    """

    contract: Contract
    functions: Functions
    withheld: frozenset[str] = frozenset()

    def withhold(self, *names: str) -> Provider:
        """The same without what is in these packages and interfaces: a component that asks for it does not link."""
        return replace(self, withheld=self.withheld.union(names))


@dataclass(slots=True)
class Source:
    """A generated module that serves an instance.

    `resources` and `owners` are the resource types of its contract, and the generated objects of the exported
    interfaces that define them, by the index that they have in the module.
    """

    contract: Contract
    functions: Functions
    withheld: frozenset[str] = frozenset()
    resources: list[ResourceType] = field(default_factory=list)
    owners: list[Any] = field(init=False)
    link: Callable[[str], str | None] = field(init=False)

    def __post_init__(self) -> None:
        self.owners = [None] * len(self.contract.resources)
        self.link = linker(self.functions)

    def function(self, interface: str, name: str) -> HostFunction | None:
        """The function that it has under a name, granted or not."""
        return self.functions.get(self.link(interface) or interface, {}).get(name)

    def grants(self, interface: str) -> bool:
        """Whether functions of an interface may be used."""
        name = interface.partition("@")[0]
        return name not in self.withheld and name.partition("/")[0] not in self.withheld


class Sources:
    """All that serve one instance, that of its own world first."""

    def __init__(self, contract: Contract, functions: Functions, providers: Sequence[Provider]) -> None:
        self.own = Source(contract, functions)
        self._all = [self.own, *(Source(p.contract, p.functions, p.withheld) for p in providers)]
        #: The resource types of the host: interface, name, type.
        self.host_types: list[tuple[str, str, ResourceType]] = []
        for source in self._all:
            names = _resource_names(source.contract)
            for (owner, name, host), shown in zip(source.contract.resources, names, strict=True):
                source.resources.append(self._host_type(owner, name, shown, host))

    def _host_type(self, owner: str, name: str, shown: str, host: bool) -> ResourceType:
        for known, resource, type_ in self.host_types if host else ():
            if resource == name and same_link_name(known, owner):
                return type_
        type_ = ResourceType(shown, drop_host_object)
        if host:
            self.host_types.append((owner, name, type_))
        return type_

    def find(self, interface: str, name: str) -> tuple[Source, HostFunction] | None:
        """What serves an import: the first that has the function and grants it."""
        for source in self._all:
            function = source.function(interface, name)
            if function is not None and source.grants(interface):
                return source, function
        return None

    def check(self, component: Component) -> None:
        """Refuses a component that asks for a function that nobody gives it. Raises `LinkError` with all of them."""
        missing: dict[str, list[str]] = {}
        for interface, name in _imported_functions(component.imports):
            if self.find(interface, name) is None:
                missing.setdefault(interface, []).append(name)
        if missing:
            lines = "".join(f"\n  {self._complaint(*item)}" for item in sorted(missing.items()))
            raise LinkError(f"{component.name} asks for what it is not given:{lines}")

    def _complaint(self, interface: str, names: Sequence[str]) -> str:
        held = any(source.function(interface, name) is not None for source in self._all for name in names)
        shown = f"{interface} ({', '.join(sorted(names))})" if interface else ", ".join(sorted(names))
        return f"{shown}: {'not granted' if held else 'nothing gives it'}"


def _imported_functions(imports: entities.Externs) -> Iterator[tuple[str, str]]:
    """The functions that a component imports: interface (``""``: none) and name."""
    for name, extern in imports.items():
        match extern.entity:
            case entities.Func():
                yield "", name
            case entities.Instance(exports):
                yield from ((name, item) for item, inner in exports.items() if isinstance(inner.entity, entities.Func))


def _resource_names(contract: Contract) -> list[str]:
    """The resources of a contract as errors name them: with what they belong to where a name is not enough."""
    names = [name for _, name, _ in contract.resources]
    return [
        name if names.count(name) == 1 else f"{name} of {owner or 'the world'}" for owner, name, _ in contract.resources
    ]


def drop_host_object(rep: Any) -> None:
    """The guest has dropped an owning handle to a host object: the object may let go of what it holds."""
    close = getattr(rep, "close", None)
    if close is not None:
        close()

"""A component on its way to an instance: decoded, compiled, compared with a contract.

A `Component` belongs to an engine and can be instantiated any number of times. A `Contract` is what a generated
adapter says of itself: the digests of all that it imports and exports.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import wasmtime

from witgen import binary
from witgen.binary import entities, model
from witgen.binary.evaluate import evaluate
from witgen.contract.verification import FunctionDigests, differences, own_digests
from witgen.runtime.compiled import compiled
from witgen.runtime.core import new_engine
from witgen.runtime.errors import ComponentError, ContractError
from witgen.runtime.limits import DEFAULT, Limits
from witgen.runtime.refusals import unsupported

__all__ = ["Component", "Contract", "default_engine"]

#: The engines that are shared, by whether they count fuel.
_engines: dict[bool, wasmtime.Engine] = {}
_making_engines = threading.Lock()


@dataclass(frozen=True, slots=True)
class Contract:
    """What an adapter was generated for.

    `imports` and `exports` hold the digest of each function by interface (link name; ``""`` for functions of the world
    itself) and function; `resources` are the resource types of the contract as (interface, name, host implements it).
    """

    world: str
    digest: str
    imports: FunctionDigests = field(default_factory=dict)
    exports: FunctionDigests = field(default_factory=dict)
    resources: tuple[tuple[str, str, bool], ...] = ()


def default_engine(limits: Limits = DEFAULT) -> wasmtime.Engine:
    """The engine on which components are compiled that were given no other; made at the first use.

    It is one for all whose `limits` need no fuel to be counted, and another one for the rest.
    """
    fuel = limits.fuel is not None
    with _making_engines:
        if fuel not in _engines:
            _engines[fuel] = new_engine(fuel=fuel)
        return _engines[fuel]


class Component:
    """A component, decoded and compiled. It can be shared between threads and instantiated many times."""

    def __init__(self, data: bytes, *, name: str = "component", engine: wasmtime.Engine | None = None) -> None:
        """Decodes and compiles a component.

        `name` stands in errors. An `engine` of one's own must come from `new_engine`. Raises `ComponentError` if the
        bytes are not a component that can be compiled.
        """
        self.name = name
        self.engine = engine or default_engine()
        try:
            self.definition = binary.decode(data)
        except binary.BinaryError as error:
            raise ComponentError(f"{name}: {error}") from None
        self._modules: dict[int, wasmtime.Module] = {}
        self._compile(self.definition)
        self._agreed: set[tuple[str, ...]] = set()

    @classmethod
    def from_file(cls, path: str | Path, *, engine: wasmtime.Engine | None = None) -> Component:
        """Reads a component from a file. Raises OSError if it can't be read, else as the constructor."""
        return cls(Path(path).read_bytes(), name=str(path), engine=engine)

    def module(self, definition: model.CoreModule) -> wasmtime.Module:
        """The compiled module of a definition in this component."""
        return self._modules[definition.offset]

    @functools.cached_property
    def imports(self) -> entities.Externs:
        """What the component's own types say of its imports, worked out at the first use."""
        return evaluate(self.definition)[0]

    @functools.cached_property
    def imported_resources(self) -> dict[entities.Node, list[tuple[str, str]]]:
        """The names of each resource type that the component imports: interface (``""``: none) and name."""
        found: dict[entities.Node, list[tuple[str, str]]] = {}
        for name, extern in self.imports.items():
            inside = extern.entity.exports if isinstance(extern.entity, entities.Instance) else {}
            for owner, item, inner in [("", name, extern), *((name, *item) for item in inside.items())]:
                if isinstance(inner.entity, entities.Named | entities.ResourceNode):
                    found.setdefault(entities.bare(inner.entity), []).append((owner, item))
        return found

    @functools.cached_property
    def unsupported(self) -> str | None:
        """What the component uses that the runtime does not have, by name; None if there is no such thing."""
        return unsupported(self.definition, self._modules.values())

    def _compile(self, component: model.Component) -> None:
        for definition in component.definitions:
            if isinstance(definition, model.Component):
                self._compile(definition)
            elif isinstance(definition, model.CoreModule):
                try:
                    self._modules[definition.offset] = compiled(self.engine, definition.data)
                except wasmtime.WasmtimeError as error:
                    reason = str(error).strip().splitlines()[-1].strip()
                    raise ComponentError(
                        f"{self.name}: the core module at offset {definition.offset:#x} is not valid: {reason}"
                    ) from None

    def verify(self, contract: Contract, provided: Sequence[Contract] = ()) -> None:
        """Compares the component's own types with a contract, function by function.

        Every import must be a function of the contract, or of one of those that are `provided` beside it, with the same
        digest, and every export of the contract must be there with the same digest. Raises `ContractError` with all
        differences.
        """
        key = (contract.digest, *(other.digest for other in provided))
        if key in self._agreed:
            return
        try:
            found = own_digests(self.definition)
        except binary.BinaryError as error:
            raise ComponentError(f"{self.name}: {error}") from None
        lines = differences(found, contract.imports, contract.exports, [other.imports for other in provided])
        if lines:
            raise ContractError(contract.world, lines)
        self._agreed.add(key)

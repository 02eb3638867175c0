"""A component on its way to an instance: decoded, compiled, compared with a contract.

A `Component` belongs to an engine and can be instantiated any number of times. A `Contract` is what a generated
adapter says of itself: the digests of all that it imports and exports.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import wasmtime

from witgen import binary
from witgen.binary import model
from witgen.runtime.core import new_engine
from witgen.runtime.errors import ComponentError, ContractError

__all__ = ["Component", "Contract", "same_link_name"]

_default_engine: wasmtime.Engine | None = None


@dataclass(frozen=True, slots=True)
class Contract:
    """What an adapter was generated for.

    `imports` and `exports` hold the digest of each function by interface (link name; ``""`` for functions of the world
    itself) and function; `resources` are the resource types of the contract as (interface, name, host implements it).
    """

    world: str
    digest: str
    imports: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    exports: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    resources: tuple[tuple[str, str, bool], ...] = ()


def default_engine() -> wasmtime.Engine:
    """The engine on which components are compiled that were given no other; made at the first use."""
    global _default_engine
    if _default_engine is None:
        _default_engine = new_engine()
    return _default_engine


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
        self._agreed: set[str] = set()

    @classmethod
    def from_file(cls, path: str | Path, *, engine: wasmtime.Engine | None = None) -> Component:
        """Reads a component from a file. Raises OSError if it can't be read, else as the constructor."""
        return cls(Path(path).read_bytes(), name=str(path), engine=engine)

    def module(self, definition: model.CoreModule) -> wasmtime.Module:
        """The compiled module of a definition in this component."""
        return self._modules[definition.offset]

    def _compile(self, component: model.Component) -> None:
        for definition in component.definitions:
            if isinstance(definition, model.Component):
                self._compile(definition)
            elif isinstance(definition, model.CoreModule):
                try:
                    self._modules[definition.offset] = wasmtime.Module(self.engine, bytes(definition.data))
                except wasmtime.WasmtimeError as error:
                    reason = str(error).strip().splitlines()[-1].strip()
                    raise ComponentError(
                        f"{self.name}: the core module at offset {definition.offset:#x} is not valid: {reason}"
                    ) from None

    def verify(self, contract: Contract) -> None:
        """Compares the component's own types with a contract, function by function.

        Every import must be a function of the contract with the same digest, and every export of the contract must be
        there with the same digest. Raises `ContractError` with all differences.
        """
        if contract.digest in self._agreed:
            return
        from witgen.contract.digest import Digests

        try:
            resolve, world = binary.component_world(self.definition)
        except binary.BinaryError as error:
            raise ComponentError(f"{self.name}: {error}") from None
        found = Digests(resolve).world(world)
        differences: list[str] = []
        for name, interface in found.imports.items():
            known = _matching(name, contract.imports)
            for function, digest in interface.functions.items():
                wanted = None if known is None else known.get(function)
                if wanted is None:
                    differences.append(f"import {_full(name, function)}: the contract does not offer it")
                elif wanted != digest:
                    differences.append(f"import {_full(name, function)}: its type differs from the contract's")
        for name, functions in contract.exports.items():
            exported = _matching(name, {key: item.functions for key, item in found.exports.items()})
            for function, digest in functions.items():
                given = None if exported is None else exported.get(function)
                if given is None:
                    differences.append(f"export {_full(name, function)}: the component does not have it")
                elif given != digest:
                    differences.append(f"export {_full(name, function)}: its type differs from the contract's")
        if differences:
            raise ContractError(contract.world, sorted(differences))
        self._agreed.add(contract.digest)


def _full(interface: str, function: str) -> str:
    return f"{interface}#{function}" if interface else function


def _matching(name: str, candidates: Mapping[str, Mapping[str, str]]) -> Mapping[str, str] | None:
    found = candidates.get(name)
    if found is None:
        found = next((item for key, item in candidates.items() if same_link_name(key, name)), None)
    return found


def same_link_name(a: str, b: str) -> bool:
    """Whether two names link: they are equal, or differ in versions that semver calls compatible.

    Linkers may raise an import to a later patch version, so ``wasi:io/poll@0.2.4`` and ``@0.2.6`` are one.
    """
    return a == b or ("@" in a and "@" in b and _compatible(a) == _compatible(b))


def _compatible(name: str) -> tuple[str, str]:
    """A name and the part of its version that must be equal: ``1`` of 1.2.3, ``0.2`` of 0.2.3, all of 0.0.3."""
    base, _, version = name.partition("@")
    core = version.partition("+")[0]
    if "-" in core:
        return base, core
    parts = core.split(".")
    keep = next((i for i, part in enumerate(parts) if part != "0"), len(parts) - 1)
    return base, ".".join(parts[: keep + 1])

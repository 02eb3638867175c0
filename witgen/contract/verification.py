"""Whether a component keeps a contract: its own types against digests, function by function.

A component imports only the functions that it uses of an interface, and a linker may have raised the version of an
import; so functions are compared, not interfaces, and names link as semver says. The same code runs when an adapter
loads a component and in ``witgen verify``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from witgen import binary
from witgen.binary import model
from witgen.contract.digest import Digests, WorldDigest

__all__ = ["FunctionDigests", "differences", "linker", "own_digests", "same_link_name", "world_differences"]

#: The digests of functions by interface (link name; ``""`` for functions of the world itself) and name.
FunctionDigests = Mapping[str, Mapping[str, str]]


def own_digests(component: model.Component) -> WorldDigest:
    """The digests of what a component really imports and exports. Raises `BinaryError` if its types make no sense."""
    resolve, world = binary.component_world(component)
    return Digests(resolve).world(world)


def differences(
    found: WorldDigest, imports: FunctionDigests, exports: FunctionDigests, provided: Sequence[FunctionDigests] = ()
) -> list[str]:
    """Where a component with the digests `found` does not keep a contract, a line each; nothing where it does.

    Every function that it imports must be one of `imports` or of what is `provided` beside them, and agree with all of
    these that have it; every one of `exports` must be there.
    """
    lines = _import_differences(found, {"contract": imports} | {f"provider {n}": p for n, p in enumerate(provided, 1)})
    gives = linker(found.exports)
    for name, functions in exports.items():
        link = gives(name)
        given = {} if link is None else found.exports[link].functions
        for function, digest in functions.items():
            if function not in given:
                lines.append(f"export {full_name(name, function)}: the component does not have it")
            elif given[function] != digest:
                lines.append(f"export {full_name(name, function)}: its type differs from the contract's")
    return sorted(lines)


def _import_differences(found: WorldDigest, offers: Mapping[str, FunctionDigests]) -> list[str]:
    """As `differences`, for imports; `offers` by whose they are."""
    lines: list[str] = []
    links = {whose: linker(functions) for whose, functions in offers.items()}
    for name, interface in found.imports.items():
        offered = {whose: functions.get(links[whose](name) or name, {}) for whose, functions in offers.items()}
        for function, digest in interface.functions.items():
            having = [whose for whose, functions in offered.items() if function in functions]
            if not having:
                nobody = (
                    "the contract does not offer it" if len(offers) == 1 else "no contract and no provider offers it"
                )
                lines.append(f"import {full_name(name, function)}: {nobody}")
            differing = [whose for whose in having if offered[whose][function] != digest]
            lines += (f"import {full_name(name, function)}: its type differs from the {whose}'s" for whose in differing)
    return lines


def world_differences(found: WorldDigest, wanted: WorldDigest) -> list[str]:
    """As `differences`, where the contract is that of a world with the digests `wanted`."""
    imports, exports = (
        {name: item.functions for name, item in items.items()} for items in (wanted.imports, wanted.exports)
    )
    return differences(found, imports, exports)


def full_name(interface: str, function: str) -> str:
    """A function as errors name it: ``ns:pkg/interface@version#function``."""
    return f"{interface}#{function}" if interface else function


def linker(names: Collection[str]) -> Callable[[str], str | None]:
    """Looks up the one of `names` to which a name links: itself, or else the first, in order, that semver allows."""
    compatible: dict[tuple[str, str], str] = {}
    for name in sorted(names):
        if "@" in name:
            compatible.setdefault(_compatible(name), name)

    def find(name: str) -> str | None:
        if name in names:
            return name
        return compatible.get(_compatible(name)) if "@" in name else None

    return find


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

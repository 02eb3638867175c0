"""``witgen hash``: the digests of contracts, as a table for people and as a document for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from witgen import ir
from witgen.contract.digest import FORM, Digests, InterfaceDigest, WorldDigest
from witgen.resolve import load

__all__ = ["PackageDigests", "as_document", "as_table", "digests_of"]


class Roots(Protocol):
    """A contract: the roots of a package, the last one the package itself."""

    @property
    def roots(self) -> Sequence[Path]:
        """Files or folders."""


@dataclass(frozen=True, slots=True)
class PackageDigests:
    """The digests of all that a package defines, by name."""

    package: str
    interfaces: dict[str, InterfaceDigest] = field(default_factory=dict)
    worlds: dict[str, WorldDigest] = field(default_factory=dict)


def digests_of(contracts: Iterable[Roots]) -> list[PackageDigests]:
    """The digests of the packages of contracts and of what they depend on, each package once, sorted by name.

    Raises `WitError` for a contract that does not resolve.
    """
    found: dict[str, PackageDigests] = {}
    for contract in contracts:
        resolve = load(contract.roots).resolve
        digests = Digests(resolve)
        for package in resolve.packages:
            found.setdefault(str(package.name), _package(package, digests))
    return [found[name] for name in sorted(found)]


def _package(package: ir.Package, digests: Digests) -> PackageDigests:
    return PackageDigests(
        str(package.name),
        {name: digests.interface(id_) for name, id_ in sorted(package.interfaces.items())},
        {name: digests.world(id_) for name, id_ in sorted(package.worlds.items())},
    )


def as_table(packages: Iterable[PackageDigests]) -> str:
    """A line for each interface and world under its package: kind, name, digest."""
    lines: list[str] = []
    for package in packages:
        rows = [("interface", name, item.digest) for name, item in package.interfaces.items()]
        rows += [("world", name, item.digest) for name, item in package.worlds.items()]
        width = max((len(name) for _, name, _ in rows), default=0)
        lines.append(f"package {package.package}")
        lines += [f"  {kind:<9} {name:<{width}}  sha256:{digest}" for kind, name, digest in rows]
    return "\n".join(lines)


def as_document(packages: Iterable[PackageDigests]) -> str:
    """A JSON document: the canonical form's name, then packages with interfaces, functions and worlds."""
    document = {
        "form": FORM,
        "packages": {
            package.package: {
                "interfaces": {
                    name: {"digest": item.digest, "functions": dict(sorted(item.functions.items()))}
                    for name, item in package.interfaces.items()
                },
                "worlds": {name: {"digest": item.digest} for name, item in package.worlds.items()},
            }
            for package in packages
        },
    }
    return json.dumps(document, indent=2)

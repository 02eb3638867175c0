"""``witgen hash``: the digests of contracts, as a table for people and as a document for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from witgen import ir
from witgen.contract.digest import FORM, Digests, InterfaceDigest, WorldDigest
from witgen.diagnostics import Note, WitError
from witgen.resolve import load

__all__ = ["PackageDigests", "Roots", "as_document", "as_table", "digests_of"]

_Digest = TypeVar("_Digest", InterfaceDigest, WorldDigest)


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

    One contract may have less of a package than another. Raises `WitError` for a contract that does not resolve, and
    for one that has something else under a name than another has.
    """
    merged: dict[str, PackageDigests] = {}
    for contract in contracts:
        resolve = load(contract.roots).resolve
        digests = Digests(resolve)
        for package in resolve.packages:
            name = str(package.name)
            into = merged.setdefault(name, PackageDigests(name))
            interfaces = {item: digests.interface(id_) for item, id_ in package.interfaces.items()}
            worlds = {item: digests.world(id_) for item, id_ in package.worlds.items()}
            _merge("interface", interfaces, into.interfaces, package.name, contract)
            _merge("world", worlds, into.worlds, package.name, contract)
    return [_sorted(merged[name]) for name in sorted(merged)]


def _merge(
    what: str, items: Mapping[str, _Digest], into: dict[str, _Digest], package: ir.PackageName, contract: Roots
) -> None:
    for name, item in items.items():
        if into.setdefault(name, item).digest != item.digest:
            raise WitError.at(
                str(contract.roots[-1]),
                f"{what} `{package.interface(name)}` is another here than in the contracts before",
                Note("let all contracts have the same files of a package, or give the package another version"),
            )


def _sorted(package: PackageDigests) -> PackageDigests:
    return PackageDigests(
        package.package, dict(sorted(package.interfaces.items())), dict(sorted(package.worlds.items()))
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

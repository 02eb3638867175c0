"""Loading a component as its manifest says: what it claims to be, what it may ask for, how much it may use.

A component is refused with all that is wrong: a manifest, a stamp, a lock or types that differ from the contract for
which the Runner was built, and imports for which it has no grant. `component.toml` has two tables for the Runner::

    [network]                       # beside the address that the Runner listens on, which needs no grant
    connect = ["10.0.0.0/8:443"]    # rules as `witgen.wasi.Sockets` has them
    lookup = ["*.example.org"]      # or true, or false
    sockets = 4096                  # at once

    [limits]                        # `witgen.runtime.Limits`
    memory = 268435456
    seconds = 5
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from witgen import binary
from witgen import runtime as rt
from witgen.contract.lock_file import read_lock
from witgen.contract.manifest import FILE_NAME, Manifest, read_manifest
from witgen.contract.stamp import Stamp, read_stamp
from witgen.contract.verification import differences, linker, own_digests
from witgen.diagnostics import Diagnostic, Span, WitError
from witgen.wasi import Sockets

__all__ = ["Grants", "Loaded", "load"]

#: What a component may use where its manifest sets no limit of its own.
_DEFAULT_SOCKETS = 8192
DEFAULT_LIMITS = rt.Limits(memory=256 << 20, handles=100_000, seconds=10)


@dataclass(frozen=True, slots=True)
class Grants:
    """What a component may reach in the network."""

    connect: tuple[str, ...]
    lookup: bool | tuple[str, ...]
    sockets: int


@dataclass(frozen=True, slots=True)
class Loaded:
    """A component that may be instantiated, within its limits and grants."""

    manifest: Manifest
    path: Path
    component: rt.Component
    limits: rt.Limits
    grants: Grants


def load(
    where: Path, contract: rt.Contract, *, provided: tuple[rt.Contract, ...] = (), lock: Path | None = None
) -> Loaded:
    """The component whose manifest is `where`, or in the folder `where`.

    `contract` is what the Runner has an adapter for; `provided` are those of its other providers. `lock` is a
    ``wit.lock`` that must agree as well. Raises `WitError` with all that is wrong.
    """
    manifest = read_manifest(where / FILE_NAME if where.is_dir() else where)
    folder = where if where.is_dir() else where.parent
    reader = _Tables(manifest)
    path = folder / reader.file()
    grants, limits = reader.grants(), reader.limits()
    reader.end()
    try:
        component = rt.Component.from_file(path, engine=rt.default_engine(limits))
        digests, stamp = own_digests(component.definition), read_stamp(component.definition)
    except OSError as error:
        raise WitError.at(str(path), f"can't be read: {error.strerror}") from None
    except rt.ComponentError as error:
        raise WitError.at(str(path), str(error).removeprefix(f"{path}: ")) from None
    except binary.BinaryError as error:
        raise WitError.at(str(path), str(error)) from None
    problems = [
        *_manifest_problems(manifest, contract, stamp),
        *_stamp_problems(stamp, contract),
        *_lock_problems(lock, contract),
        *differences(digests, contract.imports, contract.exports, [other.imports for other in provided]),
    ]
    for name, item in sorted(digests.imports.items()):
        if name and item.functions and not manifest.grants(name):
            problems.append(f"imports {name}, which its manifest does not grant")
    if component.unsupported is not None:
        problems.append(f"uses {component.unsupported}, which the runtime does not have")
    if problems:
        raise WitError(*(Diagnostic(problem, str(path)) for problem in problems))
    return Loaded(manifest, path, component, limits, grants)


def _manifest_problems(manifest: Manifest, contract: rt.Contract, stamp: Stamp | None) -> Iterator[str]:
    if manifest.world != contract.world:
        yield f"its manifest is for world {manifest.world}, and the Runner for {contract.world}"
    elif manifest.digest != contract.digest:
        yield f"its manifest has another digest of world {contract.world}: sha256:{manifest.digest}"
    if stamp is None:
        return
    sides = (stamp.digests.imports, stamp.digests.exports)
    link = linker({*stamp.digests.imports, *stamp.digests.exports})
    for interface, digest in manifest.interfaces.items():
        found = link(interface)
        if found is None or digest not in {side[found].digest for side in sides if found in side}:
            yield f"its manifest has a digest of {interface} that its stamp does not have: sha256:{digest}"


def _stamp_problems(stamp: Stamp | None, contract: rt.Contract) -> Iterator[str]:
    if stamp is None:
        yield "is not stamped with its contract"
    elif stamp.world != contract.world:
        yield f"its stamp is for world {stamp.world}, and the Runner for {contract.world}"
    elif stamp.digests.digest != contract.digest:
        yield f"its stamp is for another state of world {contract.world}: sha256:{stamp.digests.digest}"


def _lock_problems(lock: Path | None, contract: rt.Contract) -> Iterator[str]:
    if lock is None:
        return
    before, _, after = contract.world.partition("/")
    world, at, version = after.partition("@")
    locked = read_lock(lock).entries.get((before + at + version, "world", world))
    if locked is None:
        yield f"the lock {lock} does not have world {contract.world}"
    elif locked != contract.digest:
        yield f"the lock {lock} has world {contract.world} with another digest: sha256:{locked}"


class _Tables:
    """Takes out of a manifest what is for the Runner, and complains with the place of what it does not understand."""

    def __init__(self, manifest: Manifest) -> None:
        self._source = manifest.source
        self._rest: dict[str, Any] = dict(manifest.rest)
        self._name = manifest.name

    def file(self) -> str:
        """The name of the component's file; by default that of the component."""
        found = self._rest.pop("file", self._name.replace("-", "_") + ".wasm")
        if not isinstance(found, str) or Path(found).name != found:
            raise self._error("file", "file must be the name of a file beside the manifest")
        return found

    def grants(self) -> Grants:
        """The table ``[network]``."""
        table = self._table("network", ("connect", "lookup", "sockets"))
        connect, lookup = table.get("connect", []), table.get("lookup", False)
        sockets = table.get("sockets", _DEFAULT_SOCKETS)
        if not _is_texts(connect):
            raise self._error("connect", "network: connect must be a list of rules")
        if not isinstance(lookup, bool) and not _is_texts(lookup):
            raise self._error("lookup", "network: lookup must be true, false or a list of names")
        if not isinstance(sockets, int) or isinstance(sockets, bool) or sockets < 1:
            raise self._error("sockets", "network: sockets must be a number of sockets")
        try:
            Sockets(connect, (), lookup)
        except ValueError as error:
            raise self._error("network", f"network: {error}") from None
        return Grants(tuple(connect), lookup if isinstance(lookup, bool) else tuple(lookup), sockets)

    def limits(self) -> rt.Limits:
        """The table ``[limits]``."""
        names = tuple(item.name for item in fields(rt.Limits))
        table = self._table("limits", names)
        values = {**{name: getattr(DEFAULT_LIMITS, name) for name in names}, **table}
        try:
            return rt.Limits(**values)
        except (TypeError, ValueError) as error:
            raise self._error("limits", f"limits: {error}") from None

    def end(self) -> None:
        """Complains of what is left."""
        for key in self._rest:
            raise self._error(key, f"{key} is unknown to the Runner")

    def _table(self, name: str, keys: tuple[str, ...]) -> Mapping[str, Any]:
        table = self._rest.pop(name, {})
        if not isinstance(table, dict):
            raise self._error(name, f"{name} must be a table")
        for key in table:
            if key not in keys:
                raise self._error(key, f"{name}: {key} is unknown; there are {', '.join(keys)}")
        return table

    def _error(self, word: str, message: str) -> WitError:
        found = re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", self._source.text)
        where = self._source.path if found is None else Span(self._source, found.start(), found.end())
        return WitError.at(where, message)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)

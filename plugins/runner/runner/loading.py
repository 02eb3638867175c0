"""Loading a component by its manifest: read, compare, grant, compile; nothing of it runs before all of that agrees.

1. The manifest is read: what the component is called, which world it has, what it may ask for.
2. What it claims is compared with the lock of the repository, with the stamp of the component where it has one, and
   with the component's own types, function by function. A component is believed only where all of them agree.
3. What it imports is compared with its capabilities.
4. It is compiled, and gets a provider of what was granted and nothing else.

All that is wrong is told at once, in a `WitError` whose lines name the manifest or the component. What calls the
component afterwards is an adapter: ``wit.World(loaded.component, imports, **loaded.options)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.capabilities import Grants, read_grants
from runner.granting import Granted, grant
from witgen import binary
from witgen import runtime as rt
from witgen.contract.digest import WorldDigest
from witgen.contract.lock_file import Lock, read_lock
from witgen.contract.manifest import FILE_NAME, Manifest, read_manifest
from witgen.contract.stamp import read_stamp
from witgen.contract.verification import FunctionDigests, differences, linker, own_digests
from witgen.diagnostics import Diagnostic, WitError
from witgen.toml import error_at
from witgen.wasi.bindings import host

__all__ = ["LOCK_NAME", "Inspected", "LoadedComponent", "find_lock", "inspect", "load"]

LOCK_NAME = "wit.lock"


@dataclass(frozen=True, slots=True)
class Inspected:
    """A component that was compared with what speaks of it, and agrees; nothing of it is compiled."""

    manifest: Manifest
    grants: Grants
    folder: Path
    data: bytes
    imports: tuple[str, ...]
    exports: tuple[str, ...]
    stamped: bool

    @property
    def path(self) -> Path:
        """Where the component lies."""
        return self.folder / self.grants.file


@dataclass(frozen=True, slots=True)
class LoadedComponent:
    """A component that may be instantiated, any number of times, with what it was granted. `close` lets go of that."""

    inspected: Inspected
    component: rt.Component
    granted: Granted

    @property
    def manifest(self) -> Manifest:
        """What the component said of itself."""
        return self.inspected.manifest

    @property
    def limits(self) -> rt.Limits:
        """What an instance may use."""
        return self.inspected.grants.limits

    @property
    def providers(self) -> tuple[rt.Provider, ...]:
        """What an instance may import beside its own world."""
        return self.granted.providers

    @property
    def options(self) -> dict[str, Any]:
        """What an adapter takes to make an instance, beside the component and the imports of its own world."""
        return {"providers": self.providers, "limits": self.limits}

    def close(self) -> None:
        """Closes folders that were opened for the component. Instances must be gone."""
        self.granted.close()


def load(
    manifest: Path,
    *,
    lock: Path | None = None,
    services: Iterable[rt.Provider] = (),
    offered: Sequence[FunctionDigests] = (),
    engine: Any = None,
) -> LoadedComponent:
    """Loads the component of a manifest (a file, or a folder with a ``component.toml``).

    `lock` is the lock that it is held against, the nearest ``wit.lock`` where it is None. `services` are providers of
    the Runner, such as progress; of each a component gets what its manifest grants. `offered` are imports that the
    caller gives every instance by itself, cut down by `granting.restricted`. Compiled code is kept on disk.

    Raises `WitError` with all that is wrong: files that can't be read, digests that disagree, imports that are not
    granted, capabilities that there are not; OSError for a granted folder that can't be opened.
    """
    services = tuple(services)
    found = inspect(manifest, lock=lock, offered=[*offered, *(item.contract.imports for item in services)])
    try:
        component = rt.Component(
            found.data, name=str(found.path), engine=engine or rt.default_engine(found.grants.limits)
        )
    except rt.ComponentError as error:
        raise WitError.at(str(found.path), str(error).removeprefix(f"{found.path}: ")) from None
    return LoadedComponent(found, component, grant(found.manifest, found.grants, found.folder, services))


def inspect(manifest: Path, *, lock: Path | None = None, offered: Sequence[FunctionDigests] = ()) -> Inspected:
    """Reads and compares all that `load` does, and compiles nothing. `offered` are imports that services give.

    Raises `WitError` as `load` does.
    """
    path = manifest / FILE_NAME if manifest.is_dir() else manifest
    claims = read_manifest(path)
    grants = read_grants(claims)
    against = read_lock(lock or find_lock(path))
    file = path.parent / grants.file
    try:
        data = file.read_bytes()
        definition = binary.decode(data)
        own, stamp = own_digests(definition), read_stamp(definition)
    except OSError as error:
        raise WitError.at(str(file), f"can't be read: {(error.strerror or '').lower()}") from None
    except binary.BinaryError as error:
        raise WitError.at(str(file), str(error)) from None
    comparison = _Comparison(claims, against, str(file), own)
    wrong = [*comparison.claims(), *comparison.types(offered), *comparison.imports()]
    if stamp is not None and (stamp.world, stamp.digests.digest) != (claims.world, claims.digest):
        stamped = f"its stamp is for world {stamp.world}, sha256:{stamp.digests.digest}; its manifest says another"
        wrong.append(Diagnostic(stamped, str(file)))
    if wrong:
        raise WitError(*wrong)
    imports = tuple(sorted(name for name, item in own.imports.items() if item.functions))
    return Inspected(claims, grants, path.parent, data, imports, tuple(sorted(own.exports)), stamp is not None)


def find_lock(manifest: Path) -> Path:
    """The nearest ``wit.lock`` in the folder of a manifest or above. Raises `WitError` if there is none."""
    for folder in manifest.resolve().parents:
        if (folder / LOCK_NAME).is_file():
            return folder / LOCK_NAME
    raise WitError.at(str(manifest), f"there is no {LOCK_NAME} beside it or above to hold the component against")


@dataclass(frozen=True, slots=True)
class _Comparison:
    """A manifest, a lock and the own types of the component in `file`, and where they differ."""

    manifest: Manifest
    lock: Lock
    file: str
    own: WorldDigest

    def claims(self) -> Iterator[Diagnostic]:
        """Where the manifest claims something else than the lock holds."""
        package, world = _place(self.manifest.world)
        locked = self.lock.entries.get((package, "world", world))
        if locked is None:
            yield from self._error("world", f"{self.lock.source.path} does not have world {self.manifest.world}")
            return
        if locked != self.manifest.digest:
            message = f"{self.lock.source.path} has world {self.manifest.world} with another digest: sha256:{locked}"
            yield from self._error("digest", message)
        sides = {**self._interfaces("import"), **self._interfaces("export")}
        link = linker(sides)
        for name, digest in self.manifest.interfaces.items():
            found = link(name)
            if found is None:
                yield from self._error(name, f"world {self.manifest.world} does not have {name}")
            elif sides[found] != digest:
                message = f"{self.lock.source.path} has {name} with another digest: sha256:{sides[found]}"
                yield from self._error(name, message)

    def types(self, offered: Sequence[FunctionDigests]) -> Iterator[Diagnostic]:
        """Where the component's own types are not those of the lock."""
        if (*_place(self.manifest.world),) not in {(p[0], p[2]) for p in self.lock.entries if p[1:2] == ("world",)}:
            return
        imports, exports = self._functions("import"), self._functions("export")
        for line in differences(self.own, imports, exports, [host.CONTRACT.imports, *offered]):
            yield Diagnostic(line, self.file)

    def imports(self) -> Iterator[Diagnostic]:
        """What the component imports without a capability."""
        for name, item in sorted(self.own.imports.items()):
            if name and item.functions and not self.manifest.grants(name):
                functions = ", ".join(sorted(item.functions))
                yield Diagnostic(f"imports {name} ({functions}), which its manifest does not grant", self.file)

    def _interfaces(self, side: str) -> dict[str, str]:
        """The digests of interfaces that the world has on a side, by link name."""
        package, world = _place(self.manifest.world)
        place = package, "world", world, side
        return {p[4]: text for p, text in self.lock.entries.items() if p[:4] == place and ":" in p[4]}

    def _functions(self, side: str) -> FunctionDigests:
        """The digests of all functions that the world has on a side."""
        package, world = _place(self.manifest.world)
        found: dict[str, dict[str, str]] = {name: self._of_interface(name) for name in self._interfaces(side)}
        inline = package, "world", world, side
        for place, digest in self.lock.entries.items():
            if place[:4] == inline and ":" not in place[4]:
                # Functions of the world itself, and those of interfaces that are written inside it.
                interface, _, function = place[4].rpartition("#")
                found.setdefault(interface, {})[function] = digest
        return found

    def _of_interface(self, name: str) -> dict[str, str]:
        package, interface = _place(name)
        place = package, "interface", interface, "function"
        return {p[4]: digest for p, digest in self.lock.entries.items() if p[:4] == place}

    def _error(self, word: str, message: str) -> Sequence[Diagnostic]:
        return error_at(self.manifest.source, word, message).diagnostics


def _place(name: str) -> tuple[str, str]:
    """A full name as a lock has it: ``ns:pkg/item@1.0.0`` as ``ns:pkg@1.0.0`` and ``item``."""
    package, _, rest = name.partition("/")
    item, at, version = rest.partition("@")
    return package + at + version, item

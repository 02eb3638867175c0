"""``witgen verify``: whether all that speaks of a component agrees.

A component is believed only where three things say the same: the lock in the repository, the stamp that the component
carries, and the types decoded from its own binary. Where it has a manifest, that has to agree as well, and the
component imports only what the manifest grants. The comparison of types is that of `verification`, which also runs when
an adapter loads a component.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from witgen import binary
from witgen.contract.digest import Digests, InterfaceDigest, WorldDigest
from witgen.contract.lock_file import Lock, read_lock
from witgen.contract.manifest import FILE_NAME, Manifest, read_manifest
from witgen.contract.stamp import Stamp, read_stamp
from witgen.contract.unchanged import LOCK_NAME
from witgen.contract.verification import full_name, linker, own_digests, world_differences
from witgen.diagnostics import Diagnostic, WitError
from witgen.project import Project, find_project, roots_of
from witgen.resolve import load, select_world

__all__ = ["Claims", "Step", "Verified", "verify"]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was compared: what it is, what is said of it, where it does not agree, what it consists of."""

    what: str
    says: str
    problems: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()

    def all_problems(self) -> Iterator[str]:
        """Its own and those of its parts."""
        yield from self.problems
        for step in self.steps:
            yield from step.all_problems()


@dataclass(frozen=True, slots=True)
class Verified:
    """The world that a component was held against, the digest of that, and all that was compared."""

    world: str
    digest: str
    steps: tuple[Step, ...]

    def diagnostics(self, component: Path) -> list[Diagnostic]:
        """An error for each thing that does not agree."""
        return [Diagnostic(line, str(component)) for step in self.steps for line in step.all_problems()]

    def explained(self) -> str:
        """The tree of what was compared, a line each."""
        return "\n".join(line for step in self.steps for line in _explained(step, ""))


def _explained(step: Step, indent: str) -> Iterator[str]:
    yield f"{indent}{'differs' if any(step.all_problems()) else 'ok':>7}  {step.what}: {step.says}"
    for problem in step.problems:
        yield f"{indent}         - {problem}"
    for inner in step.steps:
        yield from _explained(inner, indent + "  ")


@dataclass(frozen=True, slots=True)
class Claims:
    """Where the claims are that a component is held against.

    `lock` and `manifest` are files that must be there; where they are None, ``wit.lock`` beside ``witgen.toml`` and
    ``component.toml`` beside the component count if they are there. `needs_stamp` says that a component without a stamp
    is refused. `project` is the project, where it is not that of the current folder.
    """

    roots: tuple[Path, ...] = ()
    world: str | None = None
    lock: Path | None = None
    manifest: Path | None = None
    needs_stamp: bool = True
    project: Project | None = None


def verify(component: Path, claims: Claims) -> Verified:
    """Compares a component with a world of the contract of the claims' roots; of the project's, where there are none.

    What does not agree is in the `problems` of the steps. Raises `WitError` if a file can't be read, is not what it
    should be, or the contract is wrong.
    """
    try:
        definition = binary.decode(component.read_bytes())
        own, stamp = own_digests(definition), read_stamp(definition)
    except OSError as error:
        raise WitError.at(str(component), f"can't be read: {(error.strerror or str(error)).lower()}") from None
    except binary.BinaryError as error:
        raise WitError.at(str(component), str(error)) from None
    project = None if claims.roots else claims.project or find_project(Path.cwd())
    world = claims.world or _stamped_world(stamp, project)
    loaded = load(claims.roots if project is None else roots_of(project, world))
    id_ = select_world(loaded, world)
    name, wanted = loaded.resolve.world_name(id_), Digests(loaded.resolve).world(id_)
    steps = [Step(f"contract of world {name}", f"sha256:{wanted.digest}")]
    lock = _lock(claims, project)
    if lock is not None:
        steps.append(_lock_step(lock, name, wanted))
    steps.append(_stamp_step(stamp, name, wanted, claims.needs_stamp))
    steps.append(_types_step(own, wanted))
    manifest = _manifest(component, claims)
    if manifest is not None:
        steps.append(_manifest_step(manifest, name, own, wanted))
    return Verified(name, wanted.digest, tuple(steps))


def _stamped_world(stamp: Stamp | None, project: Project | None) -> str | None:
    """The world in a project's contracts that a component says it was built for."""
    if stamp is None or project is None:
        return None
    name = stamp.world.partition("@")[0].rpartition("/")[2]
    return name if any(target.world == name for target in project.targets) else None


# The lock


def _lock(claims: Claims, project: Project | None) -> Lock | None:
    if claims.lock is not None:
        return read_lock(claims.lock)
    if project is None:
        # Another project's lock says nothing of a contract that is given by its files.
        return None
    path = project.folder / LOCK_NAME
    return read_lock(path) if path.exists() else None


def _lock_step(lock: Lock, name: str, wanted: WorldDigest) -> Step:
    before, _, after = name.partition("/")
    world, at, version = after.partition("@")
    locked = lock.entries.get((before + at + version, "world", world))
    what = f"lock {lock.source.path}"
    if locked is None:
        return Step(what, "does not have the world", (f"the lock {lock.source.path} does not have world {name}",))
    if locked != wanted.digest:
        problem = f"the lock {lock.source.path} has world {name} with another digest: run `witgen hash --check`"
        return Step(what, f"sha256:{locked}", (problem,))
    return Step(what, "the same digest")


# The stamp


def _stamp_step(stamp: Stamp | None, name: str, wanted: WorldDigest, is_needed: bool) -> Step:
    if stamp is None:
        problem = "is not stamped with its contract: `witgen build` and `witgen stamp` do it"
        return Step("stamp", "there is none", (problem,) if is_needed else ())
    what = f"stamp by {stamp.generator}"
    if stamp.world != name:
        return Step(what, f"world {stamp.world}", (f"its stamp is for world {stamp.world}, not for {name}",))
    if stamp.digests.digest != wanted.digest:
        problem = f"its stamp is for another state of world {name}: sha256:{stamp.digests.digest}"
        return Step(what, f"sha256:{stamp.digests.digest}", (problem, *_changed(stamp.digests, wanted)))
    return Step(what, "the same digest")


def _changed(stamped: WorldDigest, wanted: WorldDigest) -> list[str]:
    """What a stamp has otherwise than the contract, function by function."""
    lines = []
    for direction, then, now in ("import", stamped.imports, wanted.imports), (
        "export",
        stamped.exports,
        wanted.exports,
    ):
        for name in sorted({*then, *now}):
            old = then[name].functions if name in then else {}
            new = now[name].functions if name in now else {}
            for function in sorted({*old, *new}):
                if old.get(function) != new.get(function):
                    lines.append(f"its stamp differs in {direction} {full_name(name, function)}")
    return lines


# Its own types


def _types_step(own: WorldDigest, wanted: WorldDigest) -> Step:
    problems = world_differences(own, wanted)
    steps = [*_sides("import", own.imports, problems), *_sides("export", wanted.exports, problems)]
    told = {problem for step in steps for problem in step.problems}
    return Step("its own types", f"{len(steps)} interfaces", tuple(p for p in problems if p not in told), tuple(steps))


def _sides(direction: str, items: Mapping[str, InterfaceDigest], problems: Sequence[str]) -> Iterator[Step]:
    for name, item in sorted(items.items()):
        if not item.functions:
            continue
        starts = tuple(f"{direction} {full_name(name, function)}: " for function in item.functions)
        own = tuple(problem for problem in problems if problem.startswith(starts))
        yield Step(f"{direction} {name or 'of the world itself'}", f"{len(item.functions)} functions", own)


# The manifest


def _manifest(component: Path, claims: Claims) -> Manifest | None:
    path = claims.manifest or component.parent / FILE_NAME
    return read_manifest(path) if claims.manifest is not None or path.is_file() else None


def _manifest_step(manifest: Manifest, name: str, own: WorldDigest, wanted: WorldDigest) -> Step:
    problems = []
    if manifest.world != name:
        problems.append(f"its manifest is for world {manifest.world}, not for {name}")
    elif manifest.digest != wanted.digest:
        problems.append(f"its manifest has another digest of world {name}: sha256:{manifest.digest}")
    interfaces = {**wanted.imports, **wanted.exports}
    link = linker(interfaces)
    for interface, digest in manifest.interfaces.items():
        found = link(interface)
        if found is None:
            problems.append(f"its manifest speaks of {interface}, which world {name} does not have")
        elif digest not in {side[found].digest for side in (wanted.imports, wanted.exports) if found in side}:
            problems.append(f"its manifest has another digest of {interface}: sha256:{digest}")
    grants = [_grant(manifest, import_) for import_, item in sorted(own.imports.items()) if item.functions]
    return Step(
        f"manifest {manifest.source.path}", f"{manifest.name} {manifest.version}", tuple(problems), tuple(grants)
    )


def _grant(manifest: Manifest, import_: str) -> Step:
    shown = import_ or "functions of the world itself"
    if not import_ or manifest.grants(import_):
        return Step(f"import {shown}", "granted")
    return Step(f"import {shown}", "not granted", (f"imports {import_}, which its manifest does not grant",))

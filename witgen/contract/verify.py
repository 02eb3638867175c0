"""``witgen verify``: a component file against a contract in WIT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from witgen import binary
from witgen.contract.digest import Digests
from witgen.contract.verification import own_digests, world_differences
from witgen.diagnostics import Diagnostic, WitError
from witgen.project import Contract, find_project
from witgen.resolve import load, select_world

__all__ = ["Agreement", "verify"]


@dataclass(frozen=True, slots=True)
class Agreement:
    """The world that a component implements, and its digest."""

    world: str
    digest: str


def verify(component: Path, roots: Sequence[Path], world: str | None) -> Agreement:
    """Compares a component with a world of the contract of `roots`; of the project's, where there are none.

    Raises `WitError` if the file can't be read, is not a component, or does not keep the contract: then with a
    diagnostic for each function that differs.
    """
    try:
        found = own_digests(binary.decode(component.read_bytes()))
    except OSError as error:
        raise WitError.at(str(component), f"can't be read: {error.strerror}") from None
    except binary.BinaryError as error:
        raise WitError.at(str(component), str(error)) from None
    loaded = load(roots or _contract_of(world).roots)
    id_ = select_world(loaded, world)
    wanted = Digests(loaded.resolve).world(id_)
    lines = world_differences(found, wanted)
    if lines:
        raise WitError(*(Diagnostic(line, str(component)) for line in lines))
    return Agreement(loaded.resolve.world_name(id_), wanted.digest)


def _contract_of(world: str | None) -> Contract:
    """The project's contract from which the world is generated, or its only contract."""
    project = find_project(Path.cwd())
    named = {target.contract.name: target.contract for target in project.targets if target.world == world}
    found = list(named.values()) or ([] if world else list(project.contracts))
    if len(found) != 1:
        worlds = ", ".join(sorted(target.world for target in project.targets if target.world))
        raise WitError.at("witgen.toml", f"say by --world which contract is meant; there are: {worlds}")
    return found[0]

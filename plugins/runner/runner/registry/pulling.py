"""``runner pull``: a component out of a registry into a folder, after every digest on the way has been compared.

The folder appears as a whole or not at all. What is in it has been held against the lock that the folder would be held
against, and nothing of it has run.
"""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from runner.capabilities import read_grants
from runner.errors import RunnerError
from runner.loading import LOCK_NAME, inspect
from runner.registry import layout
from runner.registry.client import Repository, connect
from runner.registry.errors import RegistryError
from runner.registry.keys import public_key
from runner.registry.layout import Artifact
from runner.registry.reference import Reference, is_version
from runner.registry.signing import verify
from runner.services import offered
from witgen import semver
from witgen.contract.manifest import FILE_NAME, Manifest, read_manifest
from witgen.diagnostics import Diagnostic, WitError

__all__ = ["Pulled", "Pulling", "pull"]


@dataclass(frozen=True, slots=True)
class Pulling:
    """What is fetched to where. `plain` is as `connect` takes it, `key` a public key to verify with."""

    reference: Reference
    folder: Path
    lock: Path | None = None
    key: Path | None = None
    force: bool = False
    plain: bool | None = None


@dataclass(frozen=True, slots=True)
class Pulled:
    """What was fetched, and the lock that it agrees with."""

    reference: Reference
    digest: str
    manifest: Manifest
    lock: Path | None
    verified: bool


def pull(wanted: Pulling) -> Pulled:
    """Fetches a component; the highest release where the reference names neither version nor digest.

    Raises `RunnerError` where the registry does not have what is wanted or digests or signatures are wrong, `WitError`
    with all that a lock has against the component, OSError for a folder that can't be written.
    """
    _check_place(wanted.folder, wanted.force)
    repository = connect(wanted.reference, plain=wanted.plain)
    reference = wanted.reference
    if reference.tag is None and reference.digest is None:
        reference = reference.at(_latest(repository))
    found = repository.manifest(reference.tag or reference.digest or "")
    if found is None:
        raise RegistryError(str(reference), "there is no such version")
    if wanted.key is not None:
        verify(repository, found.digest, public_key(wanted.key))
    artifact = layout.read(found, str(reference))
    if reference.tag is not None and is_version(reference.tag) and artifact.version != reference.tag:
        # A signature is for a manifest, so that what was signed as one version could be passed off as another.
        raise RegistryError(str(reference), f"is version {artifact.version} under another name")
    layout.check_config(repository.blob(artifact.config.digest, artifact.config.size), artifact, str(reference))
    component = repository.blob(artifact.layer.digest, artifact.layer.size)
    target = Path(os.path.realpath(wanted.folder))
    target.parent.mkdir(parents=True, exist_ok=True)
    # On the same file system, and below the same locks.
    made = target.parent / f".{target.name}.{secrets.token_hex(4)}"
    try:
        made.mkdir()
        manifest, lock = _written(made, target, artifact, component, str(reference), wanted.lock)
        _moved(made, target)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return Pulled(reference, found.digest, manifest, lock, wanted.key is not None)


def _check_place(folder: Path, force: bool) -> None:
    """Raises `RunnerError` for a place that may not be written to. With `force` that of a component may."""
    if not os.path.lexists(folder) or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not force:
        raise RunnerError(f"{folder} is there already; --force replaces it")
    if not (folder / FILE_NAME).is_file():
        raise RunnerError(f"{folder} is no folder of a component: it has no {FILE_NAME}, and stays as it is")


def _latest(repository: Repository) -> str:
    releases = [tag for tag in repository.tags() if is_version(tag) and "-" not in tag]
    if not releases:
        raise RegistryError(str(repository.reference), "there is no release")
    return max(releases, key=semver.order_key)


def _written(
    made: Path, target: Path, artifact: Artifact, component: bytes, place: str, given: Path | None
) -> tuple[Manifest, Path | None]:
    """Writes the files, and compares them with the lock. A lock that was in the folder stays in it."""
    try:
        _write(made / FILE_NAME, artifact.manifest)
        manifest = read_manifest(made / FILE_NAME)
        if artifact.world_digest != f"sha256:{manifest.digest}":
            raise WitError.at(FILE_NAME, f"{layout.DIGEST} is another digest than that of its manifest")
        file = read_grants(manifest).file
        if file in (FILE_NAME, LOCK_NAME) or not file.isprintable():
            raise WitError.at(FILE_NAME, f"its component can't be called {file!r}")
        _write(made / file, component)
        if (target / LOCK_NAME).is_file():
            shutil.copyfile(target / LOCK_NAME, made / LOCK_NAME)
        nearest = next((path for folder in made.parents if (path := folder / LOCK_NAME).is_file()), None)
        own = made / LOCK_NAME
        lock = given or (own if own.is_file() else nearest)
        if lock is not None:
            inspect(made, lock=lock, offered=offered())
    except WitError as error:
        # Places in a folder that is gone by now help nobody.
        raise WitError(
            *(Diagnostic(item.message, place, item.notes, item.rule) for item in error.diagnostics)
        ) from None
    return manifest, target / LOCK_NAME if lock == own else lock


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _moved(made: Path, target: Path) -> None:
    """Gives the new folder the name; what had it goes, or comes back where that fails."""
    if not target.is_dir():
        made.rename(target)
        return
    aside = made.with_name(made.name + ".old")
    target.rename(aside)
    try:
        made.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)

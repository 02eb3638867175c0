"""``runner publish``: a component that agrees with its contract goes to a registry, if its version allows what changed.

All that speaks against it is found out before anything is uploaded. Then the blobs come first, the signature second and
the version last: whatever breaks off, nobody finds a version that is not complete.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.errors import RunnerError
from runner.loading import Inspected, inspect
from runner.registry import layout
from runner.registry.client import Repository, connect, digest_of
from runner.registry.comparing import decode, predecessor, refusals
from runner.registry.errors import RegistryError
from runner.registry.keys import private_key
from runner.registry.reference import Reference, is_version
from runner.registry.signing import sign
from runner.services import offered
from witgen.diagnostics import Diagnostic, WitError
from witgen.resolve import Loaded

__all__ = ["Published", "Publishing", "publish"]


@dataclass(frozen=True, slots=True)
class Publishing:
    """What is published where. `plain` is as `connect` takes it, `key` a private key to sign with."""

    manifest: Path
    reference: Reference
    lock: Path | None = None
    key: Path | None = None
    force: bool = False
    plain: bool | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """What has been published, and the version that it was compared with."""

    reference: Reference
    digest: str
    predecessor: str | None
    signed: bool


def publish(wanted: Publishing) -> Published:
    """Publishes a component.

    Raises `WitError` with all that its contract or its version has against it, `RunnerError` where the key can't be
    used or the registry does not go along, OSError for files that can't be read.
    """
    found = inspect(wanted.manifest, lock=wanted.lock, offered=offered())
    version = wanted.reference.tag or found.manifest.version
    reference = wanted.reference.at(version)
    if wanted.reference.digest is not None or not is_version(version):
        given = wanted.reference.digest or version
        raise RunnerError(f"{given!r} is no version to publish: it is of the form 1.2.3 or 1.2.3-rc.1")
    key = None if wanted.key is None else private_key(wanted.key)
    repository, loaded = connect(reference, plain=wanted.plain), decode(found.data)
    earlier = predecessor(version, list(filter(is_version, repository.tags())))
    wrong = [
        *_overwritten(repository, version, wanted.force),
        *_broken(repository, earlier, loaded, version, str(found.path)),
    ]
    if wrong:
        raise WitError(*wrong)
    manifest, blobs = _artifact(found, loaded, version)
    for blob in blobs:
        repository.put_blob(blob)
    if key is not None:
        sign(repository, digest_of(manifest), key)
    repository.put_manifest(version, manifest)
    return Published(reference, digest_of(manifest), earlier, key is not None)


def _artifact(found: Inspected, loaded: Loaded, version: str) -> tuple[bytes, tuple[bytes, ...]]:
    claims = found.manifest
    config = layout.config(found.data, loaded, claims.world)
    manifest = layout.build(
        *(found.data, config),
        name=claims.name,
        version=version,
        digest=claims.digest,
        text=claims.source.text,
    )
    return manifest, (found.data, config)


def _overwritten(repository: Repository, version: str, force: bool) -> Iterator[Diagnostic]:
    there = None if force else repository.manifest(version)
    if there is not None:
        yield Diagnostic(f"is there already, as {there.digest}", str(repository.reference))


def _broken(repository: Repository, earlier: str | None, new: Loaded, version: str, place: str) -> Iterator[Diagnostic]:
    """What is broken of the version before."""
    there = None if earlier is None else repository.manifest(earlier)
    if earlier is None or there is None:
        return
    before = str(repository.reference.at(earlier))
    layer = layout.component(there, before)
    try:
        old = decode(repository.blob(layer.digest, layer.size))
    except WitError as error:
        raise RegistryError(before, f"is no component: {error.diagnostics[0].message}") from None
    yield from refusals(old, new, (earlier, version), place)

"""From grants to providers: the WASI that a manifest grants, and the Runner's own services cut down to the same.

A package is served where the manifest names it or an interface of it, and each interface that it does not name is
withheld. Nothing is inherited from the process: no variable, no folder, no address.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from runner.capabilities import Grants
from witgen import runtime as rt
from witgen import wasi
from witgen.contract.manifest import Manifest

__all__ = ["Granted", "grant", "restricted", "speaks_of"]


class Granted:
    """What a component was granted, ready for use. It holds folders open: `close` it when no instance is left."""

    def __init__(self, providers: tuple[rt.Provider, ...], filesystem: wasi.Filesystem | None) -> None:
        self.providers = providers
        self._filesystem = filesystem

    def close(self) -> None:
        """Closes the folders."""
        if self._filesystem is not None:
            self._filesystem.close()


def grant(manifest: Manifest, grants: Grants, folder: Path, services: Iterable[rt.Provider] = ()) -> Granted:
    """What `manifest` grants, of WASI and of `services`. `folder` is where paths begin.

    Raises OSError for a folder that can't be opened.
    """
    filesystem = None
    if speaks_of(manifest, "wasi:filesystem"):
        filesystem = wasi.Filesystem(
            wasi.Preopen(item.guest, folder / item.path, write=item.write) for item in grants.folders
        )
    network = grants.network
    granted = wasi.provider(
        clocks=wasi.Clocks() if speaks_of(manifest, "wasi:clocks") else None,
        random=wasi.Random() if speaks_of(manifest, "wasi:random") else None,
        cli=_cli(manifest, grants) if speaks_of(manifest, "wasi:cli") else None,
        filesystem=filesystem,
        sockets=(
            wasi.Sockets(network.connect, network.bind, network.lookup, max_sockets=network.max_sockets)
            if speaks_of(manifest, "wasi:sockets")
            else None
        ),
    )
    # Services come first: where one of them serves WASI too, such as sockets under another loop, it is meant.
    return Granted(tuple(restricted(item, manifest) for item in (*services, granted)), filesystem)


def restricted(provider: rt.Provider, manifest: Manifest) -> rt.Provider:
    """A provider without the interfaces that a manifest does not grant."""
    names = {name.partition("@")[0] for name in provider.functions if not manifest.grants(name)}
    return provider.withhold(*names)


def _cli(manifest: Manifest, grants: Grants) -> wasi.Cli:
    # What a component writes before it dies is worth having; it goes where the Runner's own complaints go.
    stderr = sys.__stderr__.fileno() if sys.__stderr__ is not None else None
    return wasi.Cli([manifest.name], grants.environment, stdout=stderr, stderr=stderr)


def speaks_of(manifest: Manifest, package: str) -> bool:
    """Whether a manifest grants a package, or an interface of it."""
    return any(name.partition("/")[0] == package for name in manifest.capabilities)

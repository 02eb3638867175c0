"""A component as an artifact of the OCI: manifest, config and layer; both ways. It moves no bytes.

It is the Wasm OCI artifact layout of the CNCF's working group, as wasm-pkg-tools write and read it: a manifest with
one layer ``application/wasm`` and a config ``application/vnd.wasm.config.v0+json``. The ``component.toml`` is an
annotation of the manifest: so it is under the same digest, tag and signature as the component, and readers that expect
exactly one layer are content.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runner.errors import RunnerError
from runner.registry.client import MANIFEST, Found, digest_of
from runner.registry.errors import RegistryError
from witgen import ir
from witgen.resolve import Loaded

__all__ = [
    "CONFIG",
    "DIGEST",
    "LAYER",
    "MANIFEST_TEXT",
    "Artifact",
    "Descriptor",
    "build",
    "check_config",
    "component",
    "config",
    "descriptor",
    "encode",
    "read",
]

CONFIG = "application/vnd.wasm.config.v0+json"
LAYER = "application/wasm"
#: Annotations. No domain is claimed: the project has none.
MANIFEST_TEXT, DIGEST = "witgen.component.manifest", "witgen.component.digest"
TITLE, VERSION = "org.opencontainers.image.title", "org.opencontainers.image.version"
#: Bytes of a component, and of a config.
_LARGEST, _LARGEST_CONFIG = 1 << 30, 4 << 20
_DIGEST = re.compile("sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What a manifest says of a blob."""

    media_type: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Artifact:
    """What a manifest of a component says."""

    config: Descriptor
    layer: Descriptor
    manifest: bytes
    version: str
    world_digest: str


def encode(content: Mapping[str, Any]) -> bytes:
    """JSON without blanks, in the order that is given."""
    return json.dumps(content, separators=(",", ":"), ensure_ascii=False).encode()


def config(data: bytes, loaded: Loaded, world: str) -> bytes:
    """The config of a component: `loaded` is what its bytes decode to, `world` what it was built for.

    The time in it is now, or that of SOURCE_DATE_EPOCH.
    """
    resolve = loaded.resolve
    (own,) = resolve.packages[loaded.main].worlds.values()
    row = resolve.worlds[own]
    sides = {"exports": _names(resolve, row.exports), "imports": _names(resolve, row.imports)}
    return encode(
        {
            "created": _now(),
            "architecture": "wasm",
            "os": "wasip2",
            "layerDigests": [digest_of(data)],
            "component": {**sides, "target": world},
        }
    )


def _now() -> str:
    """The time in RFC 3339. Raises `RunnerError` where SOURCE_DATE_EPOCH is none."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    try:
        seconds = time.time() if epoch is None else int(epoch)
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    except (ValueError, OverflowError, OSError):
        raise RunnerError(f"SOURCE_DATE_EPOCH is {epoch!r}, which is no time in seconds") from None


def _names(resolve: ir.Resolve, items: Mapping[ir.WorldKey, ir.WorldItem]) -> list[str]:
    return [key if isinstance(key, str) else resolve.link_name(key) for key in items]


def build(data: bytes, settings: bytes, *, name: str, version: str, digest: str, text: str) -> bytes:
    """The manifest of a component and its config: `digest` is that of the world, `text` the component.toml."""
    return encode(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": digest_of(settings), "size": len(settings)},
            "layers": [{"mediaType": LAYER, "digest": digest_of(data), "size": len(data)}],
            "annotations": {TITLE: name, VERSION: version, DIGEST: f"sha256:{digest}", MANIFEST_TEXT: text},
        }
    )


def component(found: Found, place: str) -> Descriptor:
    """The component in a manifest, whoever has written it. Raises `RegistryError` where there is none."""
    layers = found.content.get("layers")
    if not isinstance(layers, list) or len(layers) != 1:
        raise RegistryError(place, "is no component: its manifest does not have exactly one layer")
    return descriptor(layers[0], LAYER, _LARGEST, place)


def read(found: Found, place: str) -> Artifact:
    """What a manifest says. Raises `RegistryError` for one that `runner publish` does not write."""
    content, layer = found.content, component(found, place)
    own = descriptor(content.get("config"), CONFIG, _LARGEST_CONFIG, place)
    annotations = content.get("annotations")
    annotations = annotations if isinstance(annotations, dict) else {}
    text = annotations.get(MANIFEST_TEXT)
    try:
        manifest = text.encode() if isinstance(text, str) else None
    except UnicodeEncodeError:
        manifest = None
    if manifest is None:
        raise RegistryError(place, f"has no {MANIFEST_TEXT}: `runner publish` did not write it")
    return Artifact(own, layer, manifest, *(str(annotations.get(key)) for key in (VERSION, DIGEST)))


def descriptor(data: Any, media_type: str, largest: int, place: str) -> Descriptor:
    """A descriptor of blobs of a type and at most `largest` bytes. Raises `RegistryError` for another one."""
    item = data if isinstance(data, dict) else {}
    if item.get("mediaType") != media_type:
        raise RegistryError(place, f"is no component: {item.get('mediaType')!r} where {media_type} belongs")
    digest, size = item.get("digest"), item.get("size")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise RegistryError(place, f"what it says of {media_type} has no digest that can be checked")
    if not isinstance(size, int) or not 0 <= size <= largest:
        raise RegistryError(place, f"what it says of {media_type} has a size beyond {largest} bytes")
    return Descriptor(media_type, digest, size)


def check_config(data: bytes, artifact: Artifact, place: str) -> None:
    """Raises `RegistryError` where a config is not that of a component, or of another layer."""
    try:
        content = json.loads(data)
        said = [content["architecture"], content["os"], content["layerDigests"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        said = []
    if said != ["wasm", "wasip2", [artifact.layer.digest]]:
        raise RegistryError(place, "its config is not that of its component")

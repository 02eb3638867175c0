"""Signatures as cosign makes them: an artifact beside the one that is signed, under a tag made of its digest.

After cosign's ``SIGNATURE_SPEC.md``: the payload is one of "simple signing" and names the digest of the manifest; its
signature (ECDSA on P-256, SHA-256) is an annotation of its layer. One artifact holds the signatures of many keys. Keys
are all there is: no certificates, no transparency log.
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from runner.registry.client import MANIFEST, Repository, digest_of
from runner.registry.errors import RegistryError
from runner.registry.layout import descriptor, encode

__all__ = ["sign", "tag_of", "verify"]

_CONFIG = "application/vnd.oci.image.config.v1+json"
_PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"
_SIGNATURE = "dev.cosignproject.cosign/signature"
_TYPE = "cosign container image signature"
_SCHEME = ec.ECDSA(hashes.SHA256())
_NEVER = "0001-01-01T00:00:00Z"
_LARGEST = 1 << 20
_MOST = 100


def tag_of(digest: str) -> str:
    """The tag under which the signatures of a manifest are."""
    return digest.replace(":", "-") + ".sig"


def sign(repository: Repository, digest: str, key: ec.EllipticCurvePrivateKey) -> None:
    """Signs a manifest, which need not be there yet. Signatures that are there are kept."""
    there = _layers(repository, digest)
    if _verified(repository, there, digest, key.public_key()):
        return
    reference = repository.reference
    payload = encode(
        {
            "critical": {
                "identity": {"docker-reference": f"{reference.registry}/{reference.repository}"},
                "image": {"docker-manifest-digest": digest},
                "type": _TYPE,
            },
            "optional": None,
        }
    )
    signature = base64.b64encode(key.sign(payload, _SCHEME)).decode()
    layer = {
        "mediaType": _PAYLOAD,
        "size": len(payload),
        "digest": digest_of(payload),
        "annotations": {_SIGNATURE: signature},
    }
    layers = [*there, layer]
    config = _config([item.get("digest") for item in layers])
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": _CONFIG, "size": len(config), "digest": digest_of(config)},
        "layers": layers,
    }
    for blob in (payload, config):
        repository.put_blob(blob)
    repository.put_manifest(tag_of(digest), encode(manifest))


def verify(repository: Repository, digest: str, key: ec.EllipticCurvePublicKey) -> None:
    """Raises `RegistryError` where no signature of a manifest is that of a key."""
    layers = _layers(repository, digest)
    if not layers:
        raise RegistryError(str(repository.reference), f"{digest} is not signed")
    if not _verified(repository, layers, digest, key):
        raise RegistryError(str(repository.reference), f"{digest} is not signed with this key")


def _verified(
    repository: Repository, layers: list[dict[str, Any]], digest: str, key: ec.EllipticCurvePublicKey
) -> bool:
    return any(_is_signed(repository, layer, digest, key) for layer in layers)


def _layers(repository: Repository, digest: str) -> list[dict[str, Any]]:
    """The signatures that there are."""
    found = repository.manifest(tag_of(digest))
    layers = [] if found is None else found.content.get("layers")
    if not isinstance(layers, list) or len(layers) > _MOST:
        raise RegistryError(str(repository.reference), f"its signatures have more than {_MOST} layers, or none")
    return [layer for layer in layers if isinstance(layer, dict)]


def _is_signed(repository: Repository, layer: dict[str, Any], digest: str, key: ec.EllipticCurvePublicKey) -> bool:
    if layer.get("mediaType") != _PAYLOAD:
        return False
    described = descriptor(layer, _PAYLOAD, _LARGEST, str(repository.reference))
    payload = repository.blob(described.digest, described.size)
    try:
        key.verify(base64.b64decode(layer["annotations"][_SIGNATURE], validate=True), payload, _SCHEME)
        critical = json.loads(payload)["critical"]
        # A signature counts for what its payload names, not for where it lies.
        return bool(critical["type"] == _TYPE and critical["image"]["docker-manifest-digest"] == digest)
    except (InvalidSignature, KeyError, TypeError, ValueError, RecursionError, binascii.Error):
        return False


def _config(digests: list[Any]) -> bytes:
    """The config of an image that is none, as cosign writes it."""
    return encode(
        {
            "architecture": "",
            "created": _NEVER,
            "history": [{"created": _NEVER} for _ in digests],
            "os": "",
            "rootfs": {"type": "layers", "diff_ids": digests},
            "config": {},
        }
    )

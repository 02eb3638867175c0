"""A repository in a registry: its blobs, manifests and tags, after the OCI distribution specification 1.1.

Whatever comes out of it has the digest by which it was asked for. It does not know what a component is.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from runner.registry import credentials
from runner.registry.errors import RegistryError
from runner.registry.reference import Reference
from runner.registry.transport import Answer, Transport, joined

__all__ = ["MANIFEST", "Found", "Repository", "connect", "digest_of"]

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
#: Uploads of one blob that are tried.
_TRIES = 3
_PAGES = 1000
_NEXT = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')


def digest_of(data: bytes) -> str:
    """The digest by which a registry knows these bytes."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class Found:
    """A manifest as it came: its bytes, their digest, and what they say."""

    data: bytes
    digest: str
    content: dict[str, Any]


def connect(reference: Reference, *, plain: bool | None) -> Repository:
    """The repository of a reference. Over plain HTTP if `plain` says so; None stands for "on this machine alone"."""
    is_plain = reference.is_loopback if plain is None else plain
    found = credentials.find(reference, os.environ)
    transport = Transport(reference.registry, reference.host, found, plain=is_plain, direct=reference.is_loopback)
    return Repository(reference, transport)


class Repository:
    """All that a registry has under one name. Methods raise `RegistryError` where the registry does not go along."""

    def __init__(self, reference: Reference, transport: Transport) -> None:
        self.reference = reference
        self._transport = transport
        self._path = f"/v2/{reference.repository}"

    def tags(self) -> list[str]:
        """All tags; none for a repository that is not there."""
        found: dict[str, None] = {}
        target = f"{self._path}/tags/list"
        for _ in range(_PAGES):
            answer = self._transport.send("GET", target)
            if answer.status == 404:
                break
            self._expect(answer, 200, "list of versions")
            names = _object(answer.body).get("tags") or []
            before = len(found)
            found.update((name, None) for name in names if isinstance(name, str))
            following = _NEXT.search(answer.fields.get("link", ""))
            # A page with nothing new leads nowhere.
            if following is None or len(found) == before:
                break
            target = self._joined(answer, following[1])
        else:
            raise self._error(f"list of versions: has more than {_PAGES} pages")
        return list(found)

    def manifest(self, name: str) -> Found | None:
        """The manifest of a tag or digest; None where there is none."""
        answer = self._transport.send("GET", f"{self._path}/manifests/{name}", fields={"Accept": MANIFEST})
        if answer.status == 404:
            return None
        self._expect(answer, 200, f"manifest {name}")
        digest = digest_of(answer.body)
        told = answer.fields.get("docker-content-digest", digest)
        if told != digest or (name.startswith("sha256:") and name != digest):
            raise self._error(f"manifest {name}: its bytes have the digest {digest}")
        content = _object(answer.body)
        if not content:
            raise self._error(f"manifest {name}: is no manifest")
        return Found(answer.body, digest, content)

    def put_manifest(self, name: str, data: bytes) -> None:
        """Stores a manifest under a tag. What it names has to be there."""
        answer = self._transport.send(
            "PUT", f"{self._path}/manifests/{name}", fields={"Content-Type": MANIFEST}, body=data
        )
        self._expect(answer, 201, f"manifest {name}")

    def blob(self, digest: str, size: int) -> bytes:
        """A blob of `size` bytes."""
        answer = self._transport.send("GET", f"{self._path}/blobs/{digest}", largest=size)
        self._expect(answer, 200, f"blob {digest}")
        if digest_of(answer.body) != digest:
            raise self._error(f"blob {digest}: its bytes have the digest {digest_of(answer.body)}")
        return answer.body

    def put_blob(self, data: bytes) -> bool:
        """Stores a blob, in one piece; False where it was there already."""
        digest = digest_of(data)
        answer = self._transport.send("HEAD", f"{self._path}/blobs/{digest}")
        if answer.status == 200:
            return False
        self._expect(answer, 404, f"blob {digest}")
        for tries_left in reversed(range(_TRIES)):
            try:
                self._upload(digest, data)
                break
            except RegistryError as error:
                # An upload that broke off begins anew; what was refused stays refused.
                if not tries_left or 400 <= error.status < 500:
                    raise
        return True

    def _upload(self, digest: str, data: bytes) -> None:
        answer = self._transport.send("POST", f"{self._path}/blobs/uploads/", body=b"")
        self._expect(answer, 202, "upload")
        location = answer.fields.get("location")
        if location is None:
            raise self._error("upload: does not say where to")
        target = self._joined(answer, location)
        target += ("&" if urlsplit(target).query else "?") + urlencode({"digest": digest})
        fields = {"Content-Type": "application/octet-stream"}
        answer = self._transport.send("PUT", target, fields=fields, body=data, retried=False)
        self._expect(answer, 201, f"blob {digest}")

    def _expect(self, answer: Answer, status: int, what: str) -> None:
        if answer.status != status:
            raise RegistryError.of_answer(str(self.reference), what, answer.status, answer.body)

    def _joined(self, answer: Answer, target: str) -> str:
        return joined(str(self.reference), answer.url, target)

    def _error(self, message: str) -> RegistryError:
        return RegistryError(str(self.reference), message)


def _object(data: bytes) -> dict[str, Any]:
    """An object of JSON; an empty one where it is something else."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}

"""The name of a component in a registry: ``HOST[:PORT]/REPOSITORY[:VERSION|@sha256:…]``. It knows no network.

Forms are those of the OCI distribution specification, section "Pulling manifests".
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace

from runner.errors import RunnerError

__all__ = ["Reference", "is_version", "parse"]

_REPOSITORY = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_DIGEST = re.compile("sha256:[0-9a-f]{64}")
_HOST = re.compile(r"([a-zA-Z0-9.-]+|\[[0-9a-fA-F:.]+\])(:[0-9]{1,5})?")
_NUMBER = "(0|[1-9][0-9]*)"
_PART = "(0|[1-9][0-9]*|[0-9]*[a-zA-Z-][0-9a-zA-Z-]*)"
_VERSION = re.compile(rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_PART}(\.{_PART})*)?")
#: Docker Hub answers at another host than the one by which it is named.
_HUB, _HUB_HOST = "docker.io", "registry-1.docker.io"


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that has the right form; of `tag` and `digest` there may be one."""

    registry: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        end = f":{self.tag}" if self.tag else f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.repository}{end}"

    @property
    def host(self) -> str:
        """The host and port that answer."""
        return _HUB_HOST if self.registry == _HUB else self.registry

    @property
    def is_loopback(self) -> bool:
        """Whether the registry is on this machine."""
        name = re.sub(r":[0-9]+$", "", self.registry).strip("[]")
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return name == "localhost"

    def at(self, tag: str) -> Reference:
        """The same repository at a tag."""
        return replace(self, tag=tag, digest=None)


def parse(text: str) -> Reference:
    """Reads a name. Raises `RunnerError` where it has another form."""
    registry, slash, rest = text.partition("/")
    rest, at, digest = rest.partition("@")
    repository, colon, tag = rest.partition(":")
    if not slash or not _HOST.fullmatch(registry) or not _REPOSITORY.fullmatch(repository):
        raise RunnerError(f"{text!r} is not of the form HOST[:PORT]/NAME[:VERSION], with a name in lower case")
    if at and not _DIGEST.fullmatch(digest):
        raise RunnerError(f"{text!r}: {digest!r} is no digest of the form sha256:…")
    if colon and not _TAG.fullmatch(tag):
        raise RunnerError(f"{text!r}: {tag!r} can't be a version in a registry")
    if at and colon:
        raise RunnerError(f"{text!r} has a version and a digest: one of them is enough")
    return Reference(registry, repository, tag or None, digest or None)


def is_version(text: str) -> bool:
    """Whether a tag is a semantic version. One with a build (``+…``) can't be a tag."""
    return _VERSION.fullmatch(text) is not None

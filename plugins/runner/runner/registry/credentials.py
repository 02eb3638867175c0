"""Who we are to a registry: a name and a password, from the environment or from what ``docker login`` has kept.

It reads; what becomes of the two is for `runner.registry.authentication`.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import RunnerError
from runner.registry.reference import Reference

__all__ = ["Credentials", "find"]

_USER, _PASSWORD = "RUNNER_REGISTRY_USER", "RUNNER_REGISTRY_PASSWORD"
#: Under which names ``docker login`` keeps those of a registry.
_KEYS = ("{}", "https://{}", "http://{}", "https://{}/v1/", "https://{}/v2/", "https://index.{}/v1/")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and a password."""

    user: str
    password: str = field(repr=False)

    def basic(self) -> str:
        """The value of the field Authorization (RFC 7617)."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def find(reference: Reference, environment: Mapping[str, str] = os.environ) -> Credentials | None:
    """Those for a registry; None where there are none. Raises `RunnerError` for a file that can't be understood."""
    if environment.get(_USER):
        return Credentials(environment[_USER], environment.get(_PASSWORD, ""))
    folder = environment.get("DOCKER_CONFIG")
    path = (Path(folder) if folder else Path.home() / ".docker") / "config.json"
    try:
        entries = json.loads(path.read_bytes()).get("auths", {})
        entry: Mapping[str, str] = next(
            (entries[name] for key in _KEYS if (name := key.format(reference.registry)) in entries), {}
        )
        return _read(entry)
    except FileNotFoundError:
        return None
    except (ValueError, AttributeError, TypeError, binascii.Error):
        raise RunnerError(f"{path} is not what docker keeps: no credentials can be read") from None


def _read(entry: Mapping[str, str]) -> Credentials | None:
    if entry.get("auth"):
        user, _, password = base64.b64decode(entry["auth"], validate=True).decode().partition(":")
        return Credentials(user, password)
    if entry.get("username"):
        return Credentials(entry["username"], entry.get("password", ""))
    return None

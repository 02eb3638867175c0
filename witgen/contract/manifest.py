"""The manifest of a component, ``component.toml`` beside it: what it claims to be, and what it may ask for.

::

    name = "http-component"
    version = "0.1.0"
    world = "component:http/http-component@0.1.0"
    digest = "5d366d13…"                          # of the world
    capabilities = ["wasi:io", "wasi:clocks/monotonic-clock", "runner:host"]

    [interfaces]                                  # of what the world imports and exports, by link name
    "component:http/server@0.1.0" = "765188c8…"

A capability is a package or an interface, without a version, that the component may import. Tables that are not named
here (network grants, limits) are for who runs the component, and are handed on as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from witgen.diagnostics import Source, WitError
from witgen.toml import error_at, read_toml

__all__ = ["FILE_NAME", "Manifest", "read_manifest"]

FILE_NAME = "component.toml"

_DIGEST = re.compile("[0-9a-f]{64}")
_CAPABILITY = re.compile(r"[A-Za-z][\w-]*:[A-Za-z][\w-]*(/[A-Za-z][\w-]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that was read. `rest` is what only who runs the component understands."""

    source: Source
    name: str
    version: str
    world: str
    digest: str
    capabilities: tuple[str, ...] = ()
    interfaces: Mapping[str, str] = field(default_factory=dict)
    rest: Mapping[str, Any] = field(default_factory=dict)

    def grants(self, import_: str) -> bool:
        """Whether the component may import an interface, or a function of its own, by link name."""
        name = import_.partition("@")[0]
        return name in self.capabilities or name.partition("/")[0] in self.capabilities


def read_manifest(path: Path) -> Manifest:
    """Reads a manifest. Raises `WitError` with the place of what is wrong."""
    source, data = read_toml(path)
    return _Reader(source).manifest(data)


class _Reader:
    """Takes values out of the tables, and complains with the line on which a key stands."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def manifest(self, data: dict[str, Any]) -> Manifest:
        """The manifest that the data are."""
        texts = {key: self._take(data, key, str, "a string") for key in ("name", "version", "world", "digest")}
        if not _DIGEST.fullmatch(texts["digest"]):
            raise self._error("digest", "digest must be the 64 hexadecimal digits of the world's digest")
        capabilities = self._take(data, "capabilities", list, "a list of packages and interfaces")
        for item in capabilities:
            if not isinstance(item, str) or not _CAPABILITY.fullmatch(item):
                raise self._error("capabilities", f"capabilities: {item!r} is no package or interface (`wasi:io`)")
        interfaces = self._take(data, "interfaces", dict, "a table of digests", {})
        for name, digest in interfaces.items():
            if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
                raise self._error(name, f"interfaces: what `{name}` has is no digest")
        return Manifest(self._source, **texts, capabilities=tuple(capabilities), interfaces=interfaces, rest=data)

    def _take(self, data: dict[str, Any], key: str, kind: type, spelled: str, default: Any = None) -> Any:
        value = data.pop(key, default)
        if value is None:
            raise self._error("", f"{key} is missing")
        if not isinstance(value, kind):
            raise self._error(key, f"{key} must be {spelled}")
        return value

    def _error(self, word: str, message: str) -> WitError:
        return error_at(self._source, word, message)

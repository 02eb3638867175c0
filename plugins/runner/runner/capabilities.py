"""What the manifest of a component may say beyond what witgen reads: which capabilities there are, and their tables.

::

    capabilities = ["wasi:io", "wasi:sockets/tcp", "wasi:cli/environment", "runner:progress/events"]
    file = "http_component.wasm"            # beside the manifest; unless it is said, the name with `_` for `-`

    [network]                               # needs a capability in wasi:sockets; rules as in docs/wasi-sockets.md
    bind = ["tcp://127.0.0.1:8080"]
    connect = ["tcp://10.0.0.0/8:443"]
    lookup = ["*.example.org"]              # or true
    max-sockets = 256

    [environment]                           # needs wasi:cli/environment
    LANG = "C.UTF-8"

    [[folder]]                              # needs a capability in wasi:filesystem
    guest = "/config"
    path = "res/config"                     # relative to the manifest
    write = false

    [limits]                                # as witgen.runtime.Limits, None where nothing is said but its defaults
    memory = 67108864
    seconds = 5

It reads and checks; it opens no folder and no socket. `runner.granting` makes what is granted.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import PurePosixPath
from typing import Any

from witgen import runtime as rt
from witgen.contract.manifest import Manifest
from witgen.diagnostics import Diagnostic, Note, WitError
from witgen.toml import error_at
from witgen.wasi.policy import Policy

__all__ = ["PACKAGES", "Folder", "Grants", "Network", "read_grants"]

#: The packages that a manifest may name, and their interfaces.
PACKAGES: Mapping[str, tuple[str, ...]] = {
    "wasi:io": ("error", "poll", "streams"),
    "wasi:clocks": ("monotonic-clock", "wall-clock"),
    "wasi:random": ("random", "insecure", "insecure-seed"),
    "wasi:cli": (
        "environment",
        "exit",
        "stdin",
        "stdout",
        "stderr",
        "terminal-input",
        "terminal-output",
        "terminal-stdin",
        "terminal-stdout",
        "terminal-stderr",
    ),
    "wasi:filesystem": ("types", "preopens"),
    "wasi:sockets": (
        "network",
        "instance-network",
        "ip-name-lookup",
        "tcp",
        "tcp-create-socket",
        "udp",
        "udp-create-socket",
    ),
    "runner:host": ("logging", "readiness", "tls"),
    "runner:progress": ("types", "workbook", "events", "telemetry"),
}
_NAMES = [*PACKAGES, *(f"{package}/{name}" for package, names in PACKAGES.items() for name in names)]
#: Keys of ``[limits]`` by those of `rt.Limits`.
_LIMITS = {item.name.replace("_", "-"): item.name for item in fields(rt.Limits)}


@dataclass(frozen=True, slots=True)
class Network:
    """``[network]``: rules for addresses and names, as `witgen.wasi.Sockets` takes them."""

    bind: tuple[str, ...] = ()
    connect: tuple[str, ...] = ()
    lookup: bool | tuple[str, ...] = False
    max_sockets: int = 256


@dataclass(frozen=True, slots=True)
class Folder:
    """A ``[[folder]]``: `path` of the host, as it stands in the manifest, is `guest` for the component."""

    guest: str
    path: str
    write: bool = False


@dataclass(frozen=True, slots=True)
class Grants:
    """What a manifest says for the Runner alone."""

    file: str
    network: Network = Network()
    environment: Mapping[str, str] = field(default_factory=dict)
    folders: tuple[Folder, ...] = ()
    limits: rt.Limits = rt.DEFAULT_LIMITS


def read_grants(manifest: Manifest) -> Grants:
    """The grants of a manifest. Raises `WitError` with all that is wrong in it."""
    return _Reader(manifest).grants()


class _Reader:
    """Takes the tables apart, and keeps what is wrong until all has been seen."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._wrong: list[Diagnostic] = []

    def grants(self) -> Grants:
        rest = self._manifest.rest
        self._capabilities()
        self._known(rest, ("file", "network", "environment", "folder", "limits"), "", "key or table")
        found = Grants(
            self._file(rest.get("file")),
            self._network(self._table("network", "wasi:sockets")),
            self._environment(self._table("environment", "wasi:cli/environment")),
            tuple(self._folders(rest.get("folder", []))),
            self._limits(self._table("limits", "")),
        )
        if self._wrong:
            raise WitError(*self._wrong)
        return found

    def _capabilities(self) -> None:
        for name in self._manifest.capabilities:
            if name not in _NAMES:
                self._error(name, f"unknown capability: {name}", *_close(name, _NAMES))

    def _file(self, value: Any) -> str:
        if value is None:
            return self._manifest.name.replace("-", "_") + ".wasm"
        if not isinstance(value, str) or not value or PurePosixPath(value).name != value:
            self._error("file", "file must be the name of a file beside the manifest")
            return ""
        return value

    def _network(self, table: Mapping[str, Any]) -> Network:
        self._known(table, ("bind", "connect", "lookup", "max-sockets"), "network")
        rules = {name: tuple(self._strings(table, name, "network")) for name in ("bind", "connect")}
        lookup = table.get("lookup", False)
        names = lookup if isinstance(lookup, bool) else tuple(self._strings(table, "lookup", "network"))
        most = self._take(table, "max-sockets", int, "a number of sockets", 256, "network")
        if most < 1:
            self._error("max-sockets", "network: max-sockets must be 1 or more", table="network")
        for key in ("bind", "connect", "lookup"):
            given = names if key == "lookup" else rules[key]
            try:
                Policy(**{key: given})  # type: ignore[arg-type]
            except ValueError as error:
                self._error(key, f"network: {error}", table="network")
        return Network(rules["bind"], rules["connect"], names, most)

    def _environment(self, table: Mapping[str, Any]) -> Mapping[str, str]:
        for name, value in table.items():
            if not isinstance(value, str):
                self._error(name, f"environment: {name} must be a string", table="environment")
        return dict(table)

    def _folders(self, tables: Any) -> Iterator[Folder]:
        if not isinstance(tables, list):
            self._error("folder", "folder must be an array of tables: [[folder]]")
            return
        if tables:
            self._needs("folder", "wasi:filesystem")
        for table in tables:
            self._known(table, ("guest", "path", "write"), "folder")
            guest, path = (self._take(table, key, str, "a string", "", "folder") for key in ("guest", "path"))
            if not guest or not path:
                self._error("folder", "folder: guest and path must both be there")
            yield Folder(guest, path, self._take(table, "write", bool, "true or false", False, "folder"))

    def _limits(self, table: Mapping[str, Any]) -> rt.Limits:
        self._known(table, tuple(_LIMITS), "limits")
        found = dict[str, Any]()
        for key, value in table.items():
            try:
                found.update({_LIMITS[key]: value} if key in _LIMITS and rt.Limits(**{_LIMITS[key]: value}) else {})
            except (TypeError, ValueError) as error:
                self._error(key, f"limits: {error}", table="limits")
        return rt.Limits(**found)

    # What all of them need

    def _table(self, name: str, capability: str) -> Mapping[str, Any]:
        """A table, and the complaint that nothing it could speak of is granted."""
        table = self._manifest.rest.get(name, {})
        if not isinstance(table, dict):
            self._error(name, f"{name} must be a table")
            return {}
        if table and capability:
            self._needs(name, capability)
        return table

    def _needs(self, table: str, capability: str) -> None:
        granted = self._manifest.capabilities
        if not any(name == capability or name.startswith(capability + "/") for name in granted):
            package = capability.partition("/")[0]
            if package not in granted:
                self._error(table, f"[{table}] grants nothing without the capability {capability}")

    def _take(self, table: Mapping[str, Any], key: str, kind: type, spelled: str, default: Any, where: str) -> Any:
        value = table.get(key, default)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            self._error(key, f"{where}: {key} must be {spelled}", table=where)
            return default
        return value

    def _strings(self, table: Mapping[str, Any], key: str, where: str) -> Iterator[str]:
        value = table.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._error(key, f"{where}: {key} must be a list of strings", table=where)
            return
        yield from value

    def _known(self, table: Mapping[str, Any], names: tuple[str, ...], where: str, what: str = "key") -> None:
        for key in table:
            if key not in names:
                prefix = f"{where}: " if where else ""
                self._error(key, f"{prefix}unknown {what}: {key}", *_close(key, names), table=where)

    def _error(self, word: str, message: str, *notes: Note, table: str = "") -> None:
        self._wrong += error_at(self._manifest.source, word, message, *notes, table=table).diagnostics


def _close(word: str, known: Any) -> list[Note]:
    close = difflib.get_close_matches(word, known, n=1)
    return [Note(f"did you mean `{close[0]}`?")] if close else []

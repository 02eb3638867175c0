"""What was found out about a component, for people and for machines. It only writes; `runner.loading` finds out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Any

from runner.loading import Inspected

__all__ = ["document", "text"]


def text(found: Inspected) -> str:
    """A few lines for people."""
    return "\n".join(_lines(found))


def document(found: Inspected) -> dict[str, Any]:
    """The same as data for JSON."""
    manifest, grants = found.manifest, found.grants
    return {
        "name": manifest.name,
        "version": manifest.version,
        "world": manifest.world,
        "digest": manifest.digest,
        "component": str(found.path),
        "stamped": found.stamped,
        "imports": list(found.imports),
        "exports": list(found.exports),
        "capabilities": list(manifest.capabilities),
        "network": asdict(grants.network),
        "environment": dict(grants.environment),
        "folders": [asdict(item) for item in grants.folders],
        "limits": asdict(grants.limits),
    }


def _lines(found: Inspected) -> Iterator[str]:
    manifest, grants = found.manifest, found.grants
    yield f"{manifest.name} {manifest.version}: {found.path} may be loaded"
    yield f"  world      {manifest.world}"
    yield f"  digest     sha256:{manifest.digest}, in the lock, in the {'stamp' if found.stamped else 'manifest'} alike"
    for name in found.exports:
        yield f"  exports    {name}"
    for name in found.imports:
        yield f"  imports    {name or 'functions of its world'}: granted"
    for name in sorted(set(manifest.capabilities)):
        yield f"  capability {name}"
    for key in ("bind", "connect", "lookup"):
        value = getattr(grants.network, key)
        if value:
            yield f"  {key:<10} {'any name' if value is True else ', '.join(value)}"
    for folder in grants.folders:
        yield f"  folder     {folder.guest} is {folder.path}, {'to write' if folder.write else 'to read'}"
    for variable, value in sorted(grants.environment.items()):
        yield f"  variable   {variable}={value}"
    for item in fields(grants.limits):
        value = getattr(grants.limits, item.name)
        yield f"  limit      {item.name.replace('_', ' ')}: {'none' if value is None else value}"

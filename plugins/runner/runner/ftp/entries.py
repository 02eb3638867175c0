"""What the storage knows of a file, in the words of the contract."""

from __future__ import annotations

import runner.bindings.ftp_component as wit
from runner.storage import Kind, Stat

__all__ = ["entry_of"]

_KINDS = {Kind.FILE: wit.EntryKind.FILE, Kind.DIRECTORY: wit.EntryKind.DIRECTORY, Kind.OTHER: wit.EntryKind.OTHER}


def entry_of(found: Stat, name: str | None = None) -> wit.Entry:
    """What is listed of a file or directory; `name` is how it is to be called, if not by its own name."""
    return wit.Entry(
        name=name or found.name,
        kind=_KINDS[found.kind],
        size=found.size,
        modified=found.modified,
        permissions=wit.Permissions(0),
        unix_mode=found.mode,
        owner=found.owner,
        group=found.group,
        unique=found.unique,
    )

"""What the storage knows of a file, in the words of the contract."""

from __future__ import annotations

import runner.bindings.ftp_component as wit
from runner.storage import Entry, Kind, Permissions

__all__ = ["entry_of"]

_KINDS = {Kind.FILE: wit.EntryKind.FILE, Kind.DIRECTORY: wit.EntryKind.DIRECTORY, Kind.OTHER: wit.EntryKind.OTHER}
#: Both have the letters of RFC 3659, 7.5.5.
_PERMISSIONS = [(ours, getattr(wit.Permissions, str(ours.name))) for ours in Permissions]


def entry_of(found: Entry, permissions: Permissions, name: str | None = None) -> wit.Entry:
    """What is listed of a file or directory; `name` is how it is to be called, if not by its own name."""
    return wit.Entry(
        name=name or found.name,
        kind=_KINDS[found.kind],
        size=found.size,
        modified=found.modified,
        permissions=_permissions(permissions),
        unix_mode=found.mode,
        owner=found.owner,
        group=found.group,
        unique=found.unique,
    )


def _permissions(given: Permissions) -> wit.Permissions:
    found = wit.Permissions(0)
    for ours, theirs in _PERMISSIONS:
        if given & ours:
            found |= theirs
    return found

"""What a storage says of files and directories, and what somebody may do with them."""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["ALL", "READING", "Entry", "Kind", "Permissions", "letters", "parse_permissions"]


class Kind(enum.Enum):
    """What an entry is."""

    FILE = "file"
    DIRECTORY = "dir"
    OTHER = "other"


class Permissions(enum.Flag):
    """What may be done, by the letters of RFC 3659, 7.5.5."""

    APPEND = enum.auto()
    CREATE = enum.auto()
    DELETE = enum.auto()
    ENTER = enum.auto()
    RENAME = enum.auto()
    ENUMERATE = enum.auto()
    MAKE_DIRECTORY = enum.auto()
    PURGE = enum.auto()
    RETRIEVE = enum.auto()
    STORE = enum.auto()


_LETTERS = dict(zip("acdeflmprw", Permissions, strict=True))
ALL = Permissions(0)
for _item in Permissions:
    ALL |= _item
#: To look around and to fetch, and no more.
READING = Permissions.ENTER | Permissions.ENUMERATE | Permissions.RETRIEVE
_OF_FILES = Permissions.APPEND | Permissions.DELETE | Permissions.RENAME | Permissions.RETRIEVE | Permissions.STORE
_OF_DIRECTORIES = (
    Permissions.CREATE
    | Permissions.DELETE
    | Permissions.ENTER
    | Permissions.RENAME
    | Permissions.ENUMERATE
    | Permissions.MAKE_DIRECTORY
    | Permissions.PURGE
)


def parse_permissions(letters: str) -> Permissions:
    """Permissions from their letters, such as ``elr``. Raises ValueError for others."""
    found = Permissions(0)
    for letter in letters:
        if letter not in _LETTERS:
            raise ValueError(f"{letter!r} is no permission; there are {', '.join(_LETTERS)}")
        found |= _LETTERS[letter]
    return found


def letters(permissions: Permissions) -> str:
    """The letters of permissions."""
    return "".join(letter for letter, item in _LETTERS.items() if item & permissions)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or directory: what is not known is None. `modified` is in nanoseconds since the Unix epoch."""

    name: str
    kind: Kind
    size: int | None = None
    modified: int | None = None
    mode: int | None = None
    owner: str | None = None
    group: str | None = None
    #: What tells it from every other, whatever its name.
    unique: str | None = None

    def permissions(self, granted: Permissions) -> Permissions:
        """What of that which somebody may do makes sense with it (RFC 3659, 7.5.5)."""
        match self.kind:
            case Kind.FILE:
                return granted & _OF_FILES
            case Kind.DIRECTORY:
                return granted & _OF_DIRECTORIES
        return Permissions(0)

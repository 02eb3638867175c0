"""Paths as clients write them, and what they mean below a root: absolute ones without ``.`` and ``..``.

There is no way out: ``..`` at the root is the root, and names that some system would take for more than a name are
refused.
"""

from __future__ import annotations

import re

from runner.storage.errors import Reason, StorageError

__all__ = ["RESERVED", "Parts", "join", "resolve"]

#: How names begin that are the Runner's own: unfinished uploads.
RESERVED = ".runner-upload-"
#: The names from the root on.
Parts = tuple[str, ...]

_LONGEST_NAME = 255
_LONGEST_PATH = 4000
_DRIVE = re.compile(r"[A-Za-z]:")


def resolve(folder: str, path: str) -> str:
    """What a path means for somebody who is in `folder`, an absolute path. Raises `StorageError`: bad-name."""
    if len(path.encode(errors="surrogatepass")) > _LONGEST_PATH:
        raise StorageError(Reason.BAD_NAME, "the path is too long")
    parts = [] if path.startswith("/") else [name for name in folder.split("/") if name]
    for name in path.split("/"):
        if name == "..":
            if parts:
                parts.pop()
        elif name not in ("", "."):
            parts.append(checked(name))
    return join(tuple(parts))


def checked(name: str) -> str:
    """The name, if it may be one. Raises `StorageError`: bad-name."""
    problem = _problem(name)
    if problem:
        raise StorageError(Reason.BAD_NAME, problem)
    return name


def _problem(name: str) -> str:
    if any(character < " " or character == "\x7f" for character in name):
        return "the name has control characters"
    if "\\" in name or _DRIVE.match(name):
        return "the name means something else on other systems"
    if name.startswith(RESERVED):
        return "the name is reserved"
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        return "the name is not Unicode"
    return "the name is too long" if len(encoded) > _LONGEST_NAME else ""


def join(parts: Parts) -> str:
    """The absolute path of these names."""
    return "/" + "/".join(parts)


def split(path: str) -> Parts:
    """The names in a path that `resolve` gave."""
    return tuple(name for name in path.split("/") if name)

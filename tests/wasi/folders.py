"""Folders as a component is given them, and what it does with descriptors in short words."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from witgen.wasi import Filesystem, Preopen
from witgen.wasi.bindings import host
from witgen.wasi.bindings.host import DescriptorFlags, OpenFlags, PathFlags
from witgen.wasi.bindings.host import TypesErrorCode as Code

__all__ = [
    "FOLLOW",
    "NOFOLLOW",
    "READ",
    "WRITE",
    "Code",
    "entries",
    "granted",
    "held",
    "names",
    "opened",
    "ordinary_user",
    "refused",
    "refuses",
]

FOLLOW, NOFOLLOW = PathFlags.SYMLINK_FOLLOW, PathFlags(0)
READ, WRITE = DescriptorFlags.READ, DescriptorFlags.WRITE

#: The user whom nothing belongs to.
NOBODY = 65534

_LETTERS = {
    "r": (OpenFlags(0), READ),
    "w": (OpenFlags(0), WRITE),
    "c": (OpenFlags.CREATE, DescriptorFlags(0)),
    "x": (OpenFlags.CREATE | OpenFlags.EXCLUSIVE, DescriptorFlags(0)),
    "t": (OpenFlags.TRUNCATE, DescriptorFlags(0)),
    "d": (OpenFlags.DIRECTORY, DescriptorFlags(0)),
    "m": (OpenFlags(0), DescriptorFlags.MUTATE_DIRECTORY),
}


def granted(folder: Path, *, write: bool = True) -> host.Descriptor:
    """The descriptor of a folder that a component is given."""
    [(descriptor, name)] = Filesystem([Preopen("/", folder, write=write)]).get_directories()
    assert name == "/"
    return descriptor


def opened(folder: host.Descriptor, path: str, how: str = "r", *, follow: bool = True) -> host.Descriptor:
    """What a path leads to, opened: r(ead), w(rite), c(reate), x (create, exclusive), t(runcate), d(irectory), m."""
    open_flags, flags = OpenFlags(0), DescriptorFlags(0)
    for letter in how:
        open_flags |= _LETTERS[letter][0]
        flags |= _LETTERS[letter][1]
    return folder.open_at(FOLLOW if follow else NOFOLLOW, path, open_flags, flags)


@contextmanager
def ordinary_user(folder: Path) -> Iterator[Path]:
    """What is done inside is done by a user whom permissions concern.

    What is in the folder belongs to that user; this is the path by which it can be reached.
    """
    if os.geteuid() != 0:
        yield folder
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    before = Path.cwd()
    # The folders above are root's alone.
    os.chdir(folder)
    os.seteuid(NOBODY)
    try:
        yield Path()
    finally:
        os.seteuid(0)
        os.chdir(before)


def names(folder: Path) -> list[str]:
    """The names in a folder of the host, in order."""
    return sorted(path.name for path in folder.iterdir())


def held() -> int:
    """How many descriptors the process has open, those aside that belong to instances which nobody has any more."""
    gc.collect()
    return len(names(Path("/dev/fd")))


def entries(folder: host.Descriptor) -> dict[str, host.DescriptorType]:
    """What is in a directory, with its types."""
    stream = folder.read_directory()
    found = {}
    while (entry := stream.read_directory_entry()) is not None:
        assert entry.name not in found
        found[entry.name] = entry.type
    return found


@contextmanager
def refused(code: Code) -> Iterator[None]:
    """What is done inside fails with this code."""
    with pytest.raises(host.TypesErrorCodeException) as caught:
        yield
    assert caught.value.value is code


def refuses(operation: Callable[..., Any], *arguments: Any) -> Code:
    """The code with which an operation fails."""
    with pytest.raises(host.TypesErrorCodeException) as caught:
        operation(*arguments)
    code: Code = caught.value.value
    return code

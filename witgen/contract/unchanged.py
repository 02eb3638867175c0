"""Whether a check that once found nothing wrong would find nothing wrong again, told without doing it.

What the check read is remembered with the digest of it: the folders' entries, and the bytes of contracts, lock and
project file. Where all of them are the same again, and the code that checks is the same, so is the answer. Nothing here
parses or compares; it imports little, since this is what most checks come to.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from witgen import store
from witgen.fingerprint import FRONT_END, fingerprint

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LOCK_NAME", "Subject", "digest_of", "find_subject", "is_unchanged", "remember"]

LOCK_NAME = "wit.lock"

_PROJECT_NAME = "witgen.toml"
_KIND = "checked"
_CODE = (*FRONT_END, "contract", "project.py", "toml.py")


class Subject(NamedTuple):
    """What is checked: the contracts of a project file, or the one whose roots are `paths`, against a lock.

    `project` is "" where there are paths, and where there is no project. It and `lock` are absolute.
    """

    project: str
    paths: tuple[Path, ...]
    lock: str


def find_subject(paths: tuple[Path, ...], lock: Path | None) -> Subject:
    """What is meant by these arguments in the current folder."""
    folder = start = os.getcwd()
    project = "" if paths else os.path.join(folder, _PROJECT_NAME)
    while project and not os.path.isfile(project):
        above = os.path.dirname(folder)
        project = "" if above == folder else os.path.join(above, _PROJECT_NAME)
        folder = above
    if lock is not None:
        place = os.path.join(start, lock)
    else:
        place = os.path.join(os.path.dirname(project) or start, LOCK_NAME)
    return Subject(project, paths, place)


def is_unchanged(subject: Subject) -> bool:
    """Whether a check was well, and all that it read then is the same now."""
    record = store.get(_KIND, _key(subject))
    if record is None:
        return False
    digest, number, *paths = record.decode("utf-8", "surrogateescape").split("\0")
    return digest_of(paths[: int(number)], paths[int(number) :]) == digest


def digest_of(folders: Sequence[str], files: Iterable[str]) -> str | None:
    """The digest of what a check reads: folders whose entries matter, and files whose bytes do.

    None where one can't be read.
    """
    parts: list[bytes] = []
    try:
        for folder in folders:
            with os.scandir(folder) as entries:
                listing = sorted(os.fsencode(entry.name) + b"/" * entry.is_dir() for entry in entries)
            parts += [b"%d" % len(listing), *listing]
        for path in files:
            with open(path, "rb") as file:
                parts.append(file.read())
    except OSError:
        return None
    return store.key_of(*parts)


def remember(subject: Subject, folders: Sequence[str], files: Iterable[str], digest: str) -> None:
    """Remember that a check was well when what it read, named by absolute paths, had that digest."""
    if fingerprint(*_CODE) is None:
        return
    record = "\0".join([digest, str(len(folders)), *folders, *files])
    store.put(_KIND, _key(subject), record.encode("utf-8", "surrogateescape"))


def _key(subject: Subject) -> str:
    """The key of what is known of a subject to this code."""
    paths = (os.path.abspath(path) for path in subject.paths)
    return store.key_of(fingerprint(*_CODE) or b"", *map(os.fsencode, (subject.project, subject.lock, *paths)))

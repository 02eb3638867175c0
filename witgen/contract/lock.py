"""The lock: what was agreed upon, held against the contracts as they are.

`write` puts the digests of contracts into ``wit.lock``; `check` says in words where contracts and lock differ, function
by function. The form of the file is `lock_file`'s, the digests are `listing`'s.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from witgen.contract.listing import digests_of
from witgen.contract.lock_file import Entries, Lock, Place, check_version, entries_of, read_lock, render
from witgen.contract.unchanged import Subject, digest_of, remember
from witgen.diagnostics import Diagnostic, Note, WitError
from witgen.files import write_all
from witgen.project import Contract, find_project, read_project
from witgen.resolve.binaries import is_text_form
from witgen.resolve.files import read_root
from witgen.toml import read_text

__all__ = ["check", "differences", "write"]

#: How many differences are told of.
_MOST = 100


def write(subject: Subject) -> bool:
    """Write the digests of contracts into the lock, and return whether it had other ones.

    Raises WitError where a contract is wrong, where the file is no lock or one of another version of witgen, and where
    it can't be written.
    """
    path = Path(_shown(Path(subject.lock)))
    content = render(entries_of(digests_of(_contracts(subject)))).encode()
    if os.access(path, os.F_OK):
        source = read_text(path)
        if source.text.replace("\r\n", "\n").encode() == content:
            return False
        if source.text.strip():
            check_version(source)
    write_all({path: content})
    return True


def check(subject: Subject) -> None:
    """Compare contracts with the lock. Raises WitError that names every difference, or says what is wrong with either.

    A check that finds none is remembered for `unchanged`.
    """
    contracts = _contracts(subject)
    folders, files = _read_for(contracts)
    files = [*filter(None, [subject.project]), subject.lock, *files]
    before = digest_of(folders, files)
    entries = entries_of(digests_of(contracts))
    path = Path(subject.lock)
    if not os.path.lexists(path):
        raise WitError.at(_shown(path), "there is no lock yet", Note("run `witgen hash --write` to make one"))
    found = differences(read_lock(path), entries)
    if found:
        raise WitError(*found)
    # What was changed meanwhile is for the next check, and what wasmtime made of its text form for the next wasmtime.
    has_text_form = any(is_text_form(Path(file).read_bytes()) for file in files)
    if before is not None and not has_text_form and before == digest_of(folders, files):
        remember(subject, folders, files, before)


def _contracts(subject: Subject) -> Sequence[Contract]:
    if subject.paths:
        return [Contract("", subject.paths)]
    return read_project(Path(subject.project)).contracts if subject.project else find_project(Path.cwd()).contracts


def _read_for(contracts: Sequence[Contract]) -> tuple[list[str], list[str]]:
    """The folders and files that decide what contracts are, by absolute paths."""
    groups = [
        group
        for root in dict.fromkeys(root for contract in contracts for root in contract.roots)
        for group in read_root(root)
    ]
    files = dict.fromkeys(str(path.absolute()) for group in groups for path in group.files)
    folders = dict.fromkeys(str(path.absolute()) for group in groups for path in group.folders)
    return list(folders), list(files)


def differences(lock: Lock, entries: Entries) -> list[Diagnostic]:
    """Where contracts with these entries differ from a lock, in the order of names.

    What follows from another difference is left out: a whole for its parts, and the parts of what is new or gone.
    """
    differing = {place for place in {*lock.entries, *entries} if lock.entries.get(place) != entries.get(place)}
    changed_within = {whole for place in differing for whole in _wholes(place)}
    found: list[Diagnostic] = []
    for place in sorted(differing):
        if place not in lock.entries:
            is_said, state = any(whole not in lock.entries for whole in _wholes(place)), "is not in the lock"
        elif place not in entries:
            is_said, state = any(whole not in entries for whole in _wholes(place)), "is in the lock, but is gone"
        else:
            is_said, state = place in changed_within, "has changed"
        if not is_said:
            found.append(Diagnostic(f"{_in_words(place)} {state}", lock.line_of(place) or lock.source.path))
    if not found:
        return []
    notes = [Note("if all this is meant, run `witgen hash --write`")]
    if len(found) > _MOST:
        notes.insert(0, Note(f"there are {len(found) - _MOST} more differences"))
    *others, last = found[:_MOST]
    return [*others, Diagnostic(last.message, last.where, tuple(notes))]


def _wholes(place: Place) -> list[Place]:
    """What an entry is a part of: a function's interface inside a world, its interface or world, its package."""
    wholes = [place[:end] for end in (1, 3) if end < len(place)]
    inline, hash_, _ = place[-1].partition("#")
    return [*wholes, (*place[:-1], inline)] if hash_ else wholes


def _in_words(place: Place) -> str:
    """``function `draw` of interface `demo:geometry/shapes@1.2.0```."""
    package, *rest = place
    if not rest:
        return f"package `{package}`"
    name, at, version = package.partition("@")
    kind, item, *member = rest
    whole = f"{kind} `{name}/{item}{at}{version}`"
    return f"{member[0]} `{member[1]}` of {whole}" if member else whole


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)

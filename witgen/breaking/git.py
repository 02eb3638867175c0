"""Files as they were at a commit, by way of git: written to a folder, without touching the working tree.

It knows commits and paths; it knows nothing of contracts.
"""

from __future__ import annotations

import os
import posixpath
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from witgen.diagnostics import Note, WitError

__all__ = ["Commit", "find_commit"]

_LINK = "120000"
_FILES = ("100644", "100755")
_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "LANGUAGE")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the repository whose working tree is `top`; `name` is what the user calls it."""

    top: Path
    id: str
    name: str

    def path_of(self, path: Path) -> PurePosixPath:
        """A path of the working tree as the repository names it. Raises WitError for one that lies outside."""
        try:
            return PurePosixPath(path.resolve().relative_to(self.top).as_posix())
        except ValueError:
            raise WitError.at(str(path), f"lies outside of the git repository in {self.top}") from None

    def has(self, path: PurePosixPath) -> bool:
        """Whether there was something at a path."""
        return bool(self._entries([path]))

    def export(self, paths: Iterable[PurePosixPath], suffixes: Sequence[str], folder: Path) -> None:
        """Writes the files that are at or below `paths` into a folder, at the paths that they have.

        Of what lies below a path those with one of the suffixes. Links come along where they lead to something that
        lies in the repository, together with what they lead to.
        """
        waiting, done = set(paths), set[PurePosixPath]()
        blobs: dict[PurePosixPath, str] = {}
        links: dict[PurePosixPath, str] = {}
        while waiting:
            named, waiting = waiting - done, set()
            done |= named
            for mode, object_, path in self._entries(sorted(named)):
                if mode == _LINK:
                    links[path] = object_
                elif mode in _FILES and (path in named or path.name.endswith(tuple(suffixes))):
                    blobs[path] = object_
            new = [path for path in links if path not in done]
            done |= set(new)
            for path, target in zip(new, self._contents([links[path] for path in new]), strict=True):
                waiting |= _link(path, target, folder)
        for path, content in zip(blobs, self._contents(list(blobs.values())), strict=True):
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)

    def _entries(self, paths: Sequence[PurePosixPath]) -> list[tuple[str, str, PurePosixPath]]:
        """Mode, object and path of the files at or below paths."""
        if not paths:
            return []
        names = [os.fsencode(path) for path in paths]
        listed = _git(self.top, "--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", self.id, "--", *names)
        entries = []
        for line in filter(None, listed.split(b"\0")):
            head, _, name = line.partition(b"\t")
            mode, _, object_ = head.decode().split(" ")
            entries.append((mode, object_, PurePosixPath(os.fsdecode(name))))
        return entries

    def _contents(self, objects: Sequence[str]) -> list[bytes]:
        """The bytes of objects, in order."""
        if not objects:
            return []
        data = _git(self.top, "cat-file", "--batch", given="".join(f"{object_}\n" for object_ in objects).encode())
        found, at = [], 0
        for _ in objects:
            end = data.index(b"\n", at)
            if data.endswith(b" missing", at, end):
                raise WitError.at("git", f"an object of `{self.name}` is not in this clone: {data[at:end].decode()}")
            start, size = end + 1, int(data[at:end].rsplit(b" ", 1)[1])
            found.append(data[start : start + size])
            at = start + size + 1
        return found


def _link(path: PurePosixPath, target: bytes, folder: Path) -> set[PurePosixPath]:
    """Makes a link, and returns what it leads to; nothing where that lies outside of the repository."""
    name = os.fsdecode(target)
    goal = posixpath.normpath(posixpath.join(path.parent, name))
    if posixpath.isabs(name) or goal == ".." or goal.startswith("../"):
        return set()
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(name)
    return {PurePosixPath(goal)}


def find_commit(name: str, folder: Path) -> Commit:
    """The commit that a name stands for in the repository of a folder.

    Raises WitError where git is not installed, where the folder is in no repository, and where there is no such commit.
    """
    top = Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").rstrip(b"\n")))
    try:
        id_ = (
            _git(folder, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").decode().strip()
        )
    except WitError:
        notes = [Note("give a commit, branch or tag of git, or a path that exists")]
        if _git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true":
            notes.append(
                Note("this clone is shallow: fetch the commit, or clone with all of its history (`fetch-depth: 0`)")
            )
        raise WitError.at("git", f"there is no commit `{name}`", *notes) from None
    return Commit(top.resolve(), id_, name)


def _git(folder: Path, *args: str | bytes, given: bytes = b"") -> bytes:
    """What git prints. Raises WitError with what it complains of."""
    # Hooks say by these which repository they run for; here it is that of the folder. Complaints are read in English.
    environment = {name: value for name, value in os.environ.items() if name not in _OF_HOOKS} | {"LC_ALL": "C"}
    try:
        done = subprocess.run(
            ["git", *args], cwd=folder, input=given, capture_output=True, check=False, env=environment
        )
    except FileNotFoundError:
        raise WitError.at("git", "is not installed; compare with a folder or a file instead") from None
    if done.returncode != 0:
        complaint = done.stderr.decode(errors="replace").strip()
        if "not a git repository" in complaint:
            raise WitError.at(str(folder), "is in no git repository; compare with a folder or a file instead")
        raise WitError.at("git", complaint.removeprefix("fatal: ") or f"failed with {done.returncode}")
    return done.stdout

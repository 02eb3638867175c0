"""The older state that contracts are compared with: at a commit, in a folder, in files.

It finds and reads files; what they say is for `witgen.resolve`.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from witgen.breaking.git import Commit, find_commit
from witgen.diagnostics import Diagnostic, Note, Source, Span, WitError
from witgen.project import FILE_NAME, Contract, Project, read_project
from witgen.resolve.files import named, shown

__all__ = ["Base", "opened"]

_SUFFIXES = (".wit", ".wasm", ".wat")


@dataclass(frozen=True)
class Base:
    """Contracts at an older time. `folder` is where their files were put; "" names a state that is on the disk."""

    name: str
    contracts: Sequence[Contract]
    folder: Path | None = None

    def label(self, path: Path) -> str:
        """A file as it is printed: ``main:wit/a.wit`` of a commit, as git itself names it."""
        place = path.absolute()
        if self.folder is not None and place.is_relative_to(self.folder):
            return f"{self.name}:{shown(place.relative_to(self.folder))}"
        return named(path)

    @contextlib.contextmanager
    def labelled(self) -> Iterator[None]:
        """Errors within name files as `label` does."""
        try:
            yield
        except WitError as error:
            raise WitError(*map(self._diagnostic, error.diagnostics)) from None

    def _diagnostic(self, diagnostic: Diagnostic) -> Diagnostic:
        where = diagnostic.where
        place = self.label(Path(where)) if isinstance(where, str) else self._span(where)
        notes = tuple(
            replace(note, span=None if note.span is None else self._span(note.span)) for note in diagnostic.notes
        )
        return Diagnostic(diagnostic.message, place, notes)

    def _span(self, span: Span) -> Span:
        if self.folder is None:
            return span
        return Span(Source(self.label(Path(span.source.path)), span.source.text), span.start, span.end)


@contextlib.contextmanager
def opened(against: Sequence[str], start: Path, paths: Sequence[Path], project: Project | None) -> Iterator[Base]:
    """The contracts of `paths`, or else those of the project, as they were in the state that `against` names.

    Files and folders, relative to `start`, are read as they are, several as roots of one contract; a folder with a
    ``witgen.toml`` has the contracts that it says. Anything else is a commit. Raises WitError where there is no such
    thing.
    """
    folder = project.folder if project is not None else _nearest_folder(paths[-1])
    found = [(start / name).exists() for name in against]
    if all(found):
        _check_ambiguity(against, folder)
        yield Base(" ".join(against), _on_disk([start / name for name in against], paths))
        return
    if len(against) > 1:
        raise WitError.at(against[found.index(False)], "no such file or folder; of commits there can be only one")
    name, colon, inner = against[0].partition(":")
    commit = find_commit(name, folder)
    with tempfile.TemporaryDirectory(prefix="witgen-") as made:
        temporary = Path(made).resolve()
        export = _Export(commit, temporary)
        if colon:
            contracts = export.inside(inner)
        elif project is None:
            contracts = export.roots(paths)
        else:
            contracts = export.project(project)
        yield Base(name, contracts, temporary)


def _nearest_folder(path: Path) -> Path:
    """A path that is a folder, or else the nearest folder above it; one that can be entered, as git has to."""
    full = Path(os.path.realpath(path))
    return next(folder for folder in (full, *full.parents) if os.access(f"{folder}/", os.X_OK))


def _on_disk(roots: Sequence[Path], paths: Sequence[Path]) -> Sequence[Contract]:
    file = roots[0] / FILE_NAME
    if len(roots) == 1 and not paths and file.is_file():
        project = read_project(file)
        return [_below(roots[0], contract, project.folder) for contract in project.contracts]
    return [Contract("", tuple(roots))]


def _below(folder: Path, contract: Contract, absolute: Path) -> Contract:
    """A contract of a folder with its roots named as the folder is."""
    roots = (root.relative_to(absolute) if root.is_relative_to(absolute) else root for root in contract.roots)
    return Contract(contract.name, tuple(folder / root for root in roots))


def _check_ambiguity(against: Sequence[str], folder: Path) -> None:
    """Raises WitError for what is a path and a commit too, as a folder ``main`` may be."""
    if len(against) > 1 or "/" in against[0] or "." in against[0]:
        return
    try:
        find_commit(against[0], folder)
    except WitError:
        return
    raise WitError.at(
        against[0], f"this is a commit and a path; write `./{against[0]}` for the path, `refs/…` for the commit"
    )


class _Export:
    """Contracts at a commit, their files written to a folder."""

    def __init__(self, commit: Commit, folder: Path) -> None:
        self._commit = commit
        self._folder = folder

    def inside(self, inner: str) -> Sequence[Contract]:
        """The root at a path of the repository."""
        path = PurePosixPath(inner.rstrip("/") or ".")
        if not self._written([path]):
            raise WitError.at(f"{self._commit.name}:{inner}", "there was no such file or folder at that commit")
        return [Contract("", (self._folder / path,))]

    def roots(self, paths: Sequence[Path]) -> Sequence[Contract]:
        """The same roots as they were. Raises WitError where the last one was not there yet."""
        contract = self._contract("", paths)
        if contract is None:
            name = self._commit.path_of(paths[-1])
            raise WitError.at(
                f"{self._commit.name}:{name}",
                "there was no such file or folder at that commit",
                Note(f"if it was elsewhere, say so: --against {self._commit.name}:PATH"),
            )
        return [contract]

    def project(self, project: Project) -> Sequence[Contract]:
        """The contracts of ``witgen.toml`` as it was, and those of today whose roots were there but not in it."""
        path = self._commit.path_of(project.folder / FILE_NAME)
        found: dict[str, Contract] = {}
        if self._written([path]):
            try:
                old = read_project(self._folder / path)
            except WitError as error:
                raise WitError.at(f"{self._commit.name}:{path}", error.diagnostics[0].message) from None
            for contract in old.contracts:
                roots = [PurePosixPath(root.resolve().relative_to(self._folder).as_posix()) for root in contract.roots]
                self._written(roots)
                found[contract.name] = contract
        for contract in project.contracts:
            was = None if contract.name in found else self._contract(contract.name, contract.roots)
            if was is not None:
                found[contract.name] = was
        return list(found.values())

    def _contract(self, name: str, roots: Sequence[Path]) -> Contract | None:
        """A contract with those of its roots that were there; None where its package was not."""
        paths = [self._commit.path_of(root) for root in roots]
        there = [path for path in paths if self._written([path])]
        return Contract(name, tuple(self._folder / path for path in there)) if paths[-1] in there else None

    def _written(self, paths: Sequence[PurePosixPath]) -> bool:
        """Writes what was at paths, and says whether there was anything."""
        is_there = all(self._commit.has(path) for path in paths)
        if is_there:
            self._commit.export(paths, _SUFFIXES, self._folder)
        return is_there

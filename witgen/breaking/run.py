"""``witgen breaking``: reads two states of contracts, compares them, and says what the versions don't allow."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from witgen import ir
from witgen.breaking.base import Base, opened
from witgen.breaking.components import against_component, is_component
from witgen.breaking.difference import Difference, Place
from witgen.breaking.gated import features_of
from witgen.breaking.packages import Change, Side, compare_sides
from witgen.breaking.places import Places
from witgen.breaking.report import advice, message, summary
from witgen.breaking.rule import Level
from witgen.breaking.shapes import Model
from witgen.breaking.versions import allowed
from witgen.diagnostics import Diagnostic, Note, Span, WitError
from witgen.project import Contract, Project, find_project, project_file
from witgen.resolve import Loaded, load, select_world
from witgen.resolve.files import named

__all__ = ["NothingToCompareWith", "Options", "Outcome", "run"]


class NothingToCompareWith(Exception):
    """Neither options nor the project say what the older state is."""


@dataclass(frozen=True, slots=True)
class Options:
    """What is compared with what.

    `paths` are the roots of one contract; without them all contracts of the project are meant. `against` names the
    older state, `ignore` rules that say nothing. What is None or empty is as the project file says. `world` is that for
    which a component was built, if one is the older state.
    """

    paths: Sequence[Path] = ()
    against: Sequence[str] = ()
    features: Sequence[str] = ()
    all_features: bool = False
    ignore: Sequence[str] = ()
    allow_unversioned: bool = False
    world: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of the contracts, in lines to be read, and what their versions don't allow."""

    lines: Sequence[str]
    diagnostics: Sequence[Diagnostic]


def run(options: Options, folder: Path) -> Outcome:
    """Compares contracts with an older state of them.

    Raises WitError where either state can't be read or resolved, NothingToCompareWith where nothing says which the
    older one is.
    """
    project = find_project(folder) if not options.paths else _project_of(folder)
    against, start = tuple(options.against), Path()
    if not against and project is not None and project.breaking.against:
        against, start = (project.breaking.against,), project.folder
    if not against:
        raise NothingToCompareWith("give --against, or `against` in the table `breaking` of witgen.toml")
    contracts = [Contract("", tuple(options.paths))] if project is None or options.paths else project.contracts
    with opened(against, start, options.paths, None if options.paths else project) as base:
        return _Run(options, project, base, contracts).outcome()


def _project_of(folder: Path) -> Project | None:
    """The project of a folder, whose settings go for paths too; none where there is none."""
    return find_project(folder) if project_file(folder) else None


class _Run:
    def __init__(self, options: Options, project: Project | None, base: Base, contracts: Sequence[Contract]) -> None:
        settings = None if project is None else project.breaking
        self._options = options
        self._base = base
        self._contracts = contracts
        self._ignored = {*options.ignore, *(settings.ignore if settings else ())}
        #: The root in which a package is, or whose contract uses it.
        self._homes: dict[ir.PackageName, Path] = {}
        self._allows_unversioned = options.allow_unversioned or bool(settings and settings.allow_unversioned)

    def outcome(self) -> Outcome:
        lines: list[str] = []
        diagnostics: list[Diagnostic] = []
        for change in self._changes():
            kept = [difference for difference in change.differences if difference.rule.id not in self._ignored]
            limit = self._limit(change)
            refused = [difference for difference in kept if difference.rule.level > limit]
            lines += summary(change, kept, limit)
            diagnostics += self._errors(change, refused)
        return Outcome(lines, diagnostics)

    def _changes(self) -> list[Change]:
        new = [self._load(contract) for contract in self._contracts]
        for contract, loaded in zip(self._contracts, new, strict=True):
            for package in loaded.resolve.packages:
                self._homes.setdefault(package.name, contract.roots[-1])
        with self._base.labelled():
            old = [self._load(contract) for contract in self._base.contracts]
        changes = compare_sides(
            _side(old),
            _side(new),
            features=None if self._options.all_features else self._options.features,
            gated=lambda name, place: self._gated.get((name, place)),
        )
        is_built, is_built_now = (bool(loaded) and is_component(loaded[-1]) for loaded in (old, new))
        if is_built_now and not is_built:
            place = named(self._contracts[-1].roots[-1])
            raise WitError.at(place, "is a component: `witgen verify` says whether it keeps a contract")
        if is_built and not is_built_now:
            return against_component(changes, old[-1], new[-1], select_world(new[-1], self._options.world))
        if self._options.world is not None:
            raise WitError.at("--world", "is for comparing with a component, which has been built for one world")
        return changes

    def _load(self, contract: Contract) -> Loaded:
        return load(contract.roots, features=self._options.features, all_features=self._options.all_features)

    def _limit(self, change: Change) -> Level:
        """Up to which level differences are allowed."""
        if change.old is None or change.new is None:
            return Level.BREAKING
        if change.new.version is None and self._allows_unversioned:
            return Level.BREAKING
        return allowed(change.old.version, change.new.version)

    # What is only asked where there is something to say

    @functools.cached_property
    def _gated(self) -> dict[tuple[ir.PackageName, Place], str]:
        return {} if self._options.all_features else features_of(self._contracts, self._options.features)

    @functools.cached_property
    def _places(self) -> Places:
        return Places((root for contract in self._contracts for root in contract.roots), named)

    @functools.cached_property
    def _old_places(self) -> Places:
        return Places((root for contract in self._base.contracts for root in contract.roots), self._base.label)

    # Errors

    def _errors(self, change: Change, refused: Sequence[Difference]) -> Iterator[Diagnostic]:
        remarks = advice(change, refused)
        for difference in refused:
            notes = [*self._notes(change, difference), *(remarks if difference is refused[-1] else ())]
            where = self._where(change, difference)
            yield Diagnostic(message(difference), where, tuple(notes), rule=difference.rule.id)

    def _where(self, change: Change, difference: Difference) -> Span | str:
        """The item in the new text; of what is gone, that of which it was a part."""
        if change.new is not None:
            return self._places.find(change.new, difference.place) or named(self._homes[change.new])
        assert change.old is not None
        found = self._old_places.find(change.old, difference.place)
        return found or self._base.label(self._base.contracts[-1].roots[-1])

    def _notes(self, change: Change, difference: Difference) -> Iterator[Note]:
        if difference.breaks:
            yield Note(f"it breaks {', '.join(difference.breaks)}")
        if not difference.is_gone or change.old is None or change.new is None:
            return
        if self._old_places.has(change.old, difference.place):
            at = f"at {self._base.name}" if self._base.folder else "before"
            yield Note(f"it stood here {at}", self._old_places.find(change.old, difference.place))


def _side(contracts: Iterable[Loaded]) -> Side:
    """The packages of contracts."""
    packages: dict[ir.PackageName, Model] = {}
    mains: dict[ir.PackageName, Model] = {}
    for loaded in contracts:
        model = Model(loaded.resolve)
        for package in loaded.resolve.packages:
            # One contract may have less of a package than another, if it comes out of a binary.
            there = packages.setdefault(package.name, model)
            if there is not model and _size(model, package.name) > _size(there, package.name):
                packages[package.name] = model
        mains[loaded.resolve.packages[loaded.main].name] = model
    return Side({**packages, **mains}, tuple(mains))


def _size(model: Model, name: ir.PackageName) -> int:
    package = model.package(name)
    interfaces = (model.resolve.interfaces[id_] for id_ in package.interfaces.values())
    return len(package.worlds) + sum(1 + len(row.functions) + len(row.types) for row in interfaces)

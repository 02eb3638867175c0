"""``witgen breaking``: reads two states of contracts, compares them, and says what the versions don't allow."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from witgen import ir
from witgen.breaking.base import Base, opened
from witgen.breaking.difference import Difference, Place
from witgen.breaking.gated import features_of
from witgen.breaking.packages import Change, Side, compare_sides
from witgen.breaking.places import Places
from witgen.breaking.rule import Level
from witgen.breaking.shapes import Model
from witgen.breaking.versions import allowed, smallest
from witgen.diagnostics import Diagnostic, Note, Span, WitError
from witgen.project import Contract, Project, find_project, project_file
from witgen.resolve import load
from witgen.resolve.files import shown

__all__ = ["Options", "Outcome", "run"]


@dataclass(frozen=True, slots=True)
class Options:
    """What is compared with what.

    `paths` are the roots of one contract; without them all contracts of the project are meant. `against` names the
    older state, `ignore` rules that say nothing. What is None or empty is as the project file says.
    """

    paths: Sequence[Path] = ()
    against: Sequence[str] = ()
    features: Sequence[str] = ()
    all_features: bool = False
    ignore: Sequence[str] = ()
    allow_unversioned: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of the contracts, in lines to be read, and what their versions don't allow."""

    lines: Sequence[str]
    diagnostics: Sequence[Diagnostic]


def run(options: Options, folder: Path) -> Outcome:
    """Compares contracts with an older state of them.

    Raises WitError where either state can't be read or resolved, and where nothing says which the older one is.
    """
    project = find_project(folder) if not options.paths else _project_of(folder)
    against = tuple(options.against) or ((project.breaking.against,) if project and project.breaking.against else ())
    if not against:
        raise WitError.at("witgen", "nothing says what to compare with; give --against, or `against` in witgen.toml")
    contracts = [Contract("", tuple(options.paths))] if project is None or options.paths else project.contracts
    with opened(against, options.paths, None if options.paths else project) as base:
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
        self._allows_unversioned = options.allow_unversioned or bool(settings and settings.allow_unversioned)

    def outcome(self) -> Outcome:
        new = self._side(self._contracts)
        with self._base.labelled():
            old = self._side(self._base.contracts)
        features = None if self._options.all_features else self._options.features
        lines: list[str] = []
        diagnostics: list[Diagnostic] = []
        for change in compare_sides(
            old, new, features=features, gated=lambda name, place: self._gated.get((name, place))
        ):
            kept = [difference for difference in change.differences if difference.rule.id not in self._ignored]
            limit = self._limit(change)
            refused = [difference for difference in kept if difference.rule.level > limit]
            lines += _summary(change, kept, refused)
            diagnostics += self._errors(change, refused)
        return Outcome(lines, diagnostics)

    def _limit(self, change: Change) -> Level:
        """Up to which level differences are allowed."""
        if change.old is None or change.new is None:
            return Level.BREAKING
        if change.new.version is None and self._allows_unversioned:
            return Level.BREAKING
        return allowed(change.old.version, change.new.version)

    def _side(self, contracts: Iterable[Contract]) -> Side:
        packages: dict[ir.PackageName, Model] = {}
        mains: dict[ir.PackageName, Model] = {}
        for contract in contracts:
            loaded = load(contract.roots, features=self._options.features, all_features=self._options.all_features)
            model = Model(loaded.resolve)
            for package in loaded.resolve.packages:
                # One contract may have less of a package than another, if it comes out of a binary.
                there = packages.setdefault(package.name, model)
                if _size(model, package.name) > _size(there, package.name):
                    packages[package.name] = model
            mains[loaded.resolve.packages[loaded.main].name] = model
        return Side({**packages, **mains}, tuple(mains))

    # What is only asked where there is something to say

    @functools.cached_property
    def _gated(self) -> dict[tuple[ir.PackageName, Place], str]:
        return {} if self._options.all_features else features_of(self._contracts, self._options.features)

    @functools.cached_property
    def _places(self) -> Places:
        return Places((root for contract in self._contracts for root in contract.roots), shown)

    @functools.cached_property
    def _old_places(self) -> Places:
        return Places((root for contract in self._base.contracts for root in contract.roots), self._base.label)

    # Errors

    def _errors(self, change: Change, refused: Sequence[Difference]) -> Iterator[Diagnostic]:
        advice = _advice(change, refused)
        for difference in refused:
            notes = list(self._notes(change, difference))
            if difference is refused[-1]:
                notes += advice
            yield Diagnostic(
                f"{_message(difference)} [{difference.rule.id}]", self._where(change, difference), tuple(notes)
            )

    def _where(self, change: Change, difference: Difference) -> Span | str:
        """The item in the new text; of what is gone, that of which it was a part."""
        name = change.new
        if name is not None:
            return self._places.find(name, difference.place) or shown(self._contracts[-1].roots[-1])
        assert change.old is not None
        found = self._old_places.find(change.old, difference.place)
        return found or self._base.label(self._base.contracts[-1].roots[-1])

    def _notes(self, change: Change, difference: Difference) -> Iterator[Note]:
        if difference.breaks:
            yield Note(f"it breaks {', '.join(difference.breaks)}")
        if difference.is_gone and change.old is not None and change.new is not None:
            if self._old_places.has(change.old, difference.place):
                at = f"at {self._base.name}" if self._base.folder else "before"
                yield Note(f"it stood here {at}", self._old_places.find(change.old, difference.place))


def _size(model: Model, name: ir.PackageName) -> int:
    package = model.package(name)
    interfaces = (model.resolve.interfaces[id_] for id_ in package.interfaces.values())
    return len(package.worlds) + sum(1 + len(row.functions) + len(row.types) for row in interfaces)


def _message(difference: Difference) -> str:
    """A difference with the interface or world in which it is."""
    place = difference.place
    if len(place) < 3:
        return difference.message
    inside = place[1]
    if place[0] == "world" and len(place) > 4 and place[4] != "part":
        inside = f"{inside}, {place[2]} {place[3]}"
    return f"{inside}: {difference.message}"


def _advice(change: Change, refused: Sequence[Difference]) -> list[Note]:
    """What to do."""
    levels = [difference.rule.level for difference in refused if difference.rule.level < Level.MISTAKE]
    if not levels or change.old is None or change.new is None:
        return []
    if change.new.version is None:
        return [
            Note(
                "give the package a version, so that what breaks can be told from what does not, or allow it with --allow-unversioned"
            )
        ]
    return [Note(f"if it is meant, make it `{_needed(change, max(levels))}`")]


def _needed(change: Change, level: Level) -> ir.PackageName:
    """The package in the smallest version that allows differences of a level."""
    assert change.old is not None
    return ir.PackageName(change.name.namespace, change.name.name, smallest(change.old.version, level))


def _summary(change: Change, kept: Sequence[Difference], refused: Sequence[Difference]) -> Iterator[str]:
    """A line on a package, and one for each difference that its version allows."""
    yield f"{_headline(change)}: {_verdict(change, kept)}"
    for difference in kept:
        if difference not in refused:
            yield f"  {difference.rule.level.word:<9} {_message(difference)} [{difference.rule.id}]"


def _headline(change: Change) -> str:
    if change.old is None or change.new is None or change.old == change.new:
        return f"package {change.new or change.old}"
    return f"package {change.old} → {change.new}"


def _verdict(change: Change, kept: Sequence[Difference]) -> str:
    if change.old is None:
        return "is new"
    if change.new is None:
        return "is gone"
    if not kept:
        return "unchanged"
    levels = [difference.rule.level for difference in kept]
    counted = [(levels.count(level), level) for level in sorted(set(levels), reverse=True)]
    told = ", ".join(f"{count} {_PLURALS[level][count > 1]}" for count, level in counted)
    level = max((level for level in levels if level < Level.MISTAKE), default=Level.NOTICE)
    needed = smallest(change.old.version, level)
    return f"{told}; needs {needed} or later" if needed not in (None, change.old.version) else told


_PLURALS = {
    Level.MISTAKE: ("mistake", "mistakes"),
    Level.BREAKING: ("breaking change", "breaking changes"),
    Level.ADDITION: ("addition", "additions"),
    Level.NOTICE: ("change of no consequence", "changes of no consequence"),
}

"""``witgen check``: all that continuous integration asks of the contracts of a project, in one run.

Each step is a command of its own; here they are brought together, run to the end whatever one of them finds, and told
of in one table. It knows what there is to check, and leaves how to the rooms.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from witgen.diagnostics import Diagnostic, WitError
from witgen.project import Project

__all__ = ["STEPS", "Outcome", "Skipped", "Step", "as_table", "check"]

#: What makes a pattern of the name of a file.
_MAGIC = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a step: in a word or two, and the errors that it found."""

    step: str
    says: str
    diagnostics: tuple[Diagnostic, ...] = ()
    is_skipped: bool = False

    @property
    def state(self) -> str:
        """``ok``, ``failed`` or ``skipped``."""
        return "failed" if self.diagnostics else "skipped" if self.is_skipped else "ok"


class Skipped(Exception):
    """A step has nothing to check, and says why."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step: `run` says what was checked, raises `WitError` for what is wrong, `Skipped` where there is nothing."""

    name: str
    run: Callable[[Project], str]


def check(project: Project, begin: Callable[[str], None] = lambda step: None) -> list[Outcome]:
    """Runs all steps for a project; `begin` is told the name of each before it runs.

    An error without a rule gets the step's name as its rule.
    """
    outcomes = []
    for step in STEPS:
        begin(step.name)
        try:
            outcomes.append(Outcome(step.name, step.run(project)))
        except Skipped as reason:
            outcomes.append(Outcome(step.name, str(reason), is_skipped=True))
        except WitError as error:
            found = tuple(d if d.rule else dataclasses.replace(d, rule=step.name) for d in error.diagnostics)
            outcomes.append(Outcome(step.name, _count(len(found), "error"), found))
    return outcomes


def as_table(outcomes: Sequence[Outcome]) -> str:
    """A line for each step."""
    return "\n".join(f"{outcome.state:>9}  {outcome.step:<9} {outcome.says}" for outcome in outcomes)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _fmt(project: Project) -> str:
    from witgen.fmt.files import format_paths
    from witgen.sources import project_texts

    outcome = format_paths(project_texts(project))
    diagnostics = [diagnostic for error in outcome.errors for diagnostic in error.diagnostics]
    diagnostics += (file.complaint() for file in outcome.changed)
    if diagnostics:
        raise WitError(*diagnostics)
    return _count(len(outcome.files), "file")


def _lint(project: Project) -> str:
    from witgen.lint.configuration import counting
    from witgen.lint.run import lint_project

    found = lint_project(project, project.lint)
    if found:
        raise WitError(*found)
    return _count(len(counting(project.lint)), "rule")


def _hash(project: Project) -> str:
    from witgen.contract.unchanged import LOCK_NAME, Subject, is_unchanged
    from witgen.project import FILE_NAME

    subject = Subject(str(project.folder / FILE_NAME), (), str(project.folder / LOCK_NAME))
    if not is_unchanged(subject):
        from witgen.contract.lock import check as check_lock

        check_lock(subject)
    return _count(len(project.contracts), "contract")


def _generate(project: Project) -> str:
    if not project.targets:
        raise Skipped("witgen.toml has no [[generate]]")
    from witgen.files import differing
    from witgen.generate import generate

    files = generate(project.targets, project.folder)
    stale = differing(files)
    if stale:
        raise WitError(*(Diagnostic("is not up to date: run `witgen generate`", _shown(path)) for path in stale))
    return _count(len(files), "file")


def _verify(project: Project) -> str:
    if not project.components:
        raise Skipped("witgen.toml names no [verify] components")
    from witgen.contract.verify import Claims, verify

    components: list[Path] = []
    diagnostics: list[Diagnostic] = []
    for pattern in project.components:
        found = sorted(project.folder.glob(pattern))
        if not found and not _MAGIC & set(pattern):
            diagnostics.append(Diagnostic("can't be read: there is no such file; build it first", pattern))
        components += found
    for path in dict.fromkeys(components):
        shown = Path(_shown(path))
        try:
            diagnostics += verify(path, Claims(project=project)).diagnostics(shown)
        except WitError as error:
            diagnostics += error.diagnostics
    if diagnostics:
        raise WitError(*diagnostics)
    return _count(len(components), "component")


def _shown(path: Path) -> str:
    return os.path.relpath(path)


#: All steps, in their order.
STEPS = (
    Step("fmt", _fmt),
    Step("lint", _lint),
    Step("hash", _hash),
    Step("generate", _generate),
    Step("verify", _verify),
)

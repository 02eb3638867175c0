"""``witgen lint``: from files to diagnostics, each with the id of its rule.

It knows which files are a package together; the rules know the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath

from witgen.diagnostics import Diagnostic, WitError
from witgen.lint.allowances import ID, Allowances
from witgen.lint.checks import CHECKS, Finding
from witgen.lint.configuration import counting
from witgen.lint.package import Package
from witgen.lint.rules import RULES
from witgen.project import LintRules, Project
from witgen.resolve.files import decode_source
from witgen.sources import project_texts, read_text, wit_files
from witgen.syntax import ast, parse

__all__ = ["lint_paths", "lint_project", "lint_text"]

_KNOWN = frozenset(rule.id for rule in RULES)


def lint_project(project: Project, choice: LintRules) -> list[Diagnostic]:
    """What is found in the roots of a project that are text. Raises WitError where that is no WIT."""
    return lint_paths(project_texts(project), choice)


def lint_paths(paths: Sequence[Path], choice: LintRules) -> list[Diagnostic]:
    """What is found in files, and in all ``*.wit`` of folders; files of a folder are a package together.

    Raises WitError with all that can't be read, or is no WIT.
    """
    errors: list[WitError] = []
    files: dict[Path, ast.File] = {}
    for path in wit_files(paths, errors):
        try:
            place = path.resolve()
            if place not in files:
                files[place] = parse(read_text(path))
        except WitError as error:
            errors.append(error)
    if errors:
        raise WitError(*(diagnostic for error in errors for diagnostic in error.diagnostics))
    return _lint(files.values(), choice)


def lint_text(name: str, data: bytes, choice: LintRules) -> list[Diagnostic]:
    """What is found in a text that is known by `name`. Raises WitError if it is no WIT."""
    return _lint([parse(decode_source(name, data))], choice)


def _lint(files: Iterable[ast.File], choice: LintRules) -> list[Diagnostic]:
    files = list(files)
    rules = counting(choice)
    allowances = {file.source: Allowances(file, _KNOWN) for file in files}
    found = [
        (rule, finding)
        for package in _packages(files)
        for rule in sorted(rules)
        for finding in CHECKS[rule](package)
        if not allowances[finding.span.source].allow(rule, finding.span)
    ]
    for allowance in allowances.values():
        found += ((ID, finding) for finding in (*allowance.findings, *allowance.unused(rules)))
    order = {file.source: number for number, file in enumerate(files)}
    found.sort(key=lambda item: (order[item[1].span.source], item[1].span.start, item[0]))
    return [_diagnostic(rule, finding) for rule, finding in found]


def _diagnostic(rule: str, finding: Finding) -> Diagnostic:
    return Diagnostic(finding.message, finding.span, rule=rule)


def _packages(files: Sequence[ast.File]) -> Iterator[Package]:
    """The packages of the files, and those nested in them."""
    groups: dict[object, list[ast.File]] = {}
    for file in files:
        groups.setdefault(_group(file, files), []).append(file)
    for group in groups.values():
        headers = [file.header for file in group if file.header is not None]
        # Any one of the files may have the documentation of the package.
        header = next((found for found in headers if found.comments), headers[0] if headers else None)
        items = tuple(item for file in group for item in file.items)
        if header is not None or any(not isinstance(item, ast.NestedPackage) for item in items):
            yield Package(header, items)
        yield from (Package(item, item.items) for item in items if isinstance(item, ast.NestedPackage))


def _group(file: ast.File, files: Sequence[ast.File]) -> object:
    """What files of one package have in common: their folder and the name in their header.

    A file without a header belongs to the package that another file of its folder names.
    """
    folder = PurePath(file.source.path).parent
    header = file.header
    if header is None:
        beside = (other for other in files if PurePath(other.source.path).parent == folder)
        header = next((other.header for other in beside if other.header is not None), None)
    return folder, None if header is None else _name(header.name)


def _name(name: ast.PackageName) -> tuple[str, str, str]:
    return name.namespace.text, name.name.text, "" if name.version is None else name.version.text

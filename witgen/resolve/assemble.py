"""Puts the packages of roots together: those from binaries as they are; those from text it drafts, sorts by dependency,
and links in turn.

Errors that do not depend on each other are told of in one go: those of different files, interfaces and worlds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from witgen import ir, semver
from witgen.diagnostics import Diagnostic, Note, Span, WitError
from witgen.resolve.binaries import Decoded, decode, is_text_form, is_webassembly
from witgen.resolve.define import define_package
from witgen.resolve.docs import docs_text
from witgen.resolve.draft import Draft
from witgen.resolve.errors import Errors
from witgen.resolve.files import Contents, Group, decode_source, named
from witgen.resolve.gates import Features
from witgen.resolve.link import link
from witgen.resolve.merge import Merge
from witgen.resolve.order import spelled_out
from witgen.resolve.scope import package_name
from witgen.resolve.tables import Tables
from witgen.syntax import ast, parse

__all__ = ["assemble"]


def assemble(
    roots: Iterable[Iterable[Group]], contents: Contents, features: Features
) -> tuple[ir.Resolve, ir.PackageId]:
    """Resolve the packages of roots, the first group of each its own package.

    Returns the model and the package of the last root in it. Raises WitError for everything that is wrong with the
    input.
    """
    read = _Read(contents)
    for groups in roots:
        for i, group in enumerate(groups):
            read.add(group, is_main=i == 0)
    read.raise_any()
    tables = Tables(list(read.drafts))
    merge = Merge(tables)
    for decoded in read.binaries:
        merge.add(decoded)
    _check_forms(read.drafts.values(), merge.places)
    errors = Errors()
    for draft in _sorted(read.drafts):
        with errors.collect():
            link(tables, draft, features)
    errors.raise_any()
    assert read.main is not None
    return tables.freeze(), tables.package_ids[read.main]


class _Read:
    """What was read so far: the drafts of all packages, and all that is wrong with them."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self.binaries: list[Decoded] = []
        self.drafts: dict[ir.PackageName, Draft] = {}
        self.main: ir.PackageName | None = None
        self.errors = Errors()
        self._clashes: list[Diagnostic] = []

    def raise_any(self) -> None:
        """Raise WitError for all that is wrong; packages that are there twice come last."""
        if self.errors.happened or self._clashes:
            raise WitError(*self.errors.diagnostics, *self._clashes)

    def add(self, group: Group, *, is_main: bool) -> None:
        """Read the files of a group: draft its packages, or decode the one that it is."""
        if group.problem is not None:
            self.errors.add(group.problem)
            return
        errors = Errors()
        header: ast.PackageHeader | None = None
        documented: ast.PackageHeader | None = None
        files: list[list[ast.Item]] = []
        nested: list[ast.NestedPackage] = []
        for path in group.files:
            with errors.collect():
                data = self._contents[path]
                if is_webassembly(data) and (group.stands_alone or not is_text_form(data)):
                    self._add_binary(group, data, is_main=is_main)
                    return
                file = parse(decode_source(named(path), data))
                files.append([item for item in file.items if not isinstance(item, ast.NestedPackage)])
                nested += (item for item in file.items if isinstance(item, ast.NestedPackage))
                if file.header is not None:
                    _check_header(file.header, header, documented)
                    header = file.header
                    documented = header if header.comments else documented
        with self.errors.collect():
            errors.raise_any()
        for package in nested:
            with self.errors.collect():
                self._keep(_draft_nested(package))
        if errors.happened:
            return
        with self.errors.collect():
            if header is None:
                raise WitError.at(
                    group.path,
                    "no `package` header was found in any WIT file of this package",
                    Note("begin a file with `package namespace:name;`"),
                )
            docs = "" if documented is None else docs_text(documented.comments)
            draft = define_package(package_name(header.name), header.name.span, docs, files)
            self._keep(draft)
            if is_main:
                self.main = draft.name

    def _add_binary(self, group: Group, data: bytes, *, is_main: bool) -> None:
        if not group.stands_alone:
            raise WitError.at(
                group.path, "there is a WebAssembly file among those of this package, which can only be WIT text"
            )
        decoded = decode(group.path, data)
        if decoded.is_component and not is_main:
            raise WitError.at(group.path, "this is a component, not a package; `deps` holds packages")
        self.binaries.append(decoded)
        if is_main:
            self.main = decoded.name

    def _keep(self, draft: Draft) -> None:
        previous = self.drafts.setdefault(draft.name, draft)
        if previous is not draft:
            message = f"package `{draft.name}` is defined in two different places"
            self._clashes.append(Diagnostic(message, draft.span, (Note("first defined here", previous.span),)))


def _check_forms(drafts: Iterable[Draft], places: Mapping[ir.PackageName, str]) -> None:
    """Raise WitError for packages that are there both as text and in a binary."""
    errors = Errors()
    for draft in drafts:
        if draft.name in places:
            message = f"package `{draft.name}` is defined in two different places"
            errors.add(WitError.at(draft.span, message, Note(f"it is also in {places[draft.name]}")))
    errors.raise_any()


def _check_header(
    header: ast.PackageHeader, previous: ast.PackageHeader | None, documented: ast.PackageHeader | None
) -> None:
    """Raise WitError if a header contradicts those of the files before."""
    name = package_name(header.name)
    if previous is not None and package_name(previous.name) != name:
        raise WitError.at(
            header.name.span,
            f"package `{name}` is not the package of the file before, `{package_name(previous.name)}`",
            Note("all files of a folder are one package", previous.name.span),
        )
    if header.comments and documented is not None:
        first, last = header.comments[0].span, header.comments[-1].span
        raise WitError.at(
            Span(first.source, first.start, last.end),
            "the package is documented twice; only one of its files can have comments before `package`",
            Note("first documented here", documented.name.span),
        )


def _draft_nested(package: ast.NestedPackage) -> Draft:
    for item in package.items:
        if isinstance(item, ast.NestedPackage):
            raise WitError.at(item.name.span, "packages can't be nested in nested packages")
    name = package_name(package.name)
    return define_package(name, package.name.span, docs_text(package.comments), [package.items])


def _sorted(drafts: dict[ir.PackageName, Draft]) -> list[Draft]:
    """The drafts so that each follows all that it uses, otherwise by name.

    Raises WitError where packages depend on each other in a circle.
    """
    order: dict[ir.PackageName, Draft] = {}
    for name in sorted(drafts, key=_order_key):
        if name in order:
            continue
        path: dict[ir.PackageName, None] = {}
        pending = [(name, iter(drafts[name].foreign.items()))]
        while pending:
            current, rest = pending[-1]
            entry = next(rest, None)
            if entry is None:
                pending.pop()
                path.pop(current, None)
                order[current] = drafts[current]
                continue
            used, place = entry
            if used in path:
                raise _cycle([*path, used], place.span)
            if used in drafts and used not in order:
                path[used] = None
                pending.append((used, iter(drafts[used].foreign.items())))
    return list(order.values())


def _cycle(path: list[ir.PackageName], span: Span) -> WitError:
    """The error for the last package of a path that is in it already."""
    cycle = path[path.index(path[-1]) :]
    notes = [spelled_out(cycle) if len(cycle) > 2 else Note("within a package, names stand without it")]
    return WitError.at(span, f"package `{path[-1]}` depends on itself", *notes)


def _order_key(name: ir.PackageName) -> tuple[object, ...]:
    return (name.namespace, name.name, semver.order_key(name.version))

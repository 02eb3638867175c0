"""Reads roots and puts their packages together: those from binaries as they are; those from text it drafts, sorts by
dependency, and links in turn.

Errors that do not depend on each other are told of in one go: those of different files, interfaces and worlds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from witgen import ir
from witgen.diagnostics import Note, Source, Span, WitError
from witgen.resolve.binaries import Decoded, decode
from witgen.resolve.define import define_package
from witgen.resolve.docs import docs_text
from witgen.resolve.draft import Draft
from witgen.resolve.errors import Errors
from witgen.resolve.files import Group, read_file, read_root
from witgen.resolve.gates import Features
from witgen.resolve.link import link
from witgen.resolve.merge import Merge
from witgen.resolve.scope import package_name
from witgen.resolve.tables import Tables
from witgen.syntax import ast, parse, semver

__all__ = ["Loaded", "load"]


@dataclass(frozen=True)
class Loaded:
    """What a set of roots holds.

    `main` is the package of the last root, `sources` are all texts that were read, in the order of reading.
    """

    resolve: ir.Resolve
    main: ir.PackageId
    sources: tuple[Source, ...]


def load(roots: Sequence[Path], *, features: Collection[str] = (), all_features: bool = False) -> Loaded:
    """Read and resolve the packages of `roots`: WIT files, folders with their ``deps``, and WebAssembly files.

    All roots see each other's packages. Items gated by ``@unstable`` are there if their feature is among `features` or
    `all_features` is set; what comes out of a binary is there whatever its gates. Of a component, the world that it
    implements is read, as package ``root:component``. Raises WitError for everything that is wrong with the input.
    """
    if not roots:
        raise WitError.at("witgen", "there is nothing to read; name a WIT file or a folder of WIT files")
    read = _Read()
    for root in roots:
        for i, group in enumerate(read_root(root)):
            read.add(group, is_main=i == 0)
    read.errors.raise_any()
    tables = Tables()
    merge = Merge(tables)
    for decoded in read.binaries:
        merge.add(decoded)
    _check_forms(read.drafts.values(), merge.places)
    allowed = Features(frozenset(features), all_features)
    for draft in _sorted(read.drafts):
        link(tables, draft, allowed)
    assert read.main is not None
    return Loaded(tables.freeze(), tables.package_ids[read.main], tuple(read.sources))


class _Read:
    """What was read so far: the drafts of all packages, and all that is wrong with them."""

    def __init__(self) -> None:
        self.binaries: list[Decoded] = []
        self.drafts: dict[ir.PackageName, Draft] = {}
        self.sources: list[Source] = []
        self.main: ir.PackageName | None = None
        self.errors = Errors()

    def add(self, group: Group, *, is_main: bool) -> None:
        """Read the files of a group: draft its packages, or decode the one that it is."""
        errors = Errors()
        header: ast.PackageHeader | None = None
        documented: ast.PackageHeader | None = None
        files: list[list[ast.Item]] = []
        for path in group.files:
            with errors.collect():
                content = read_file(path)
                if isinstance(content, bytes):
                    self._add_binary(group, content, is_main=is_main)
                    return
                self.sources.append(content)
                file = parse(content)
                files.append([item for item in file.items if not isinstance(item, ast.NestedPackage)])
                for item in file.items:
                    if isinstance(item, ast.NestedPackage):
                        with self.errors.collect():
                            self._keep(_draft_nested(item))
                if file.header is not None:
                    _check_header(file.header, header, documented)
                    header = file.header
                    documented = header if header.comments else documented
        with self.errors.collect():
            errors.raise_any()
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
            raise WitError.at(
                draft.span,
                f"package `{draft.name}` is defined in two different places",
                Note("first defined here", previous.span),
            )


def _check_forms(drafts: Iterable[Draft], places: Mapping[ir.PackageName, str]) -> None:
    """Raise WitError for packages that are there both as text and in a binary."""
    errors = Errors()
    for draft in drafts:
        with errors.collect():
            if draft.name in places:
                raise WitError.at(
                    draft.span,
                    f"package `{draft.name}` is defined in two different places",
                    Note(f"it is also in {places[draft.name]}"),
                )
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
    spelled = " → ".join(f"`{name}`" for name in cycle)
    notes = [Note(f"the cycle is {spelled}")] if len(cycle) > 2 else []
    return WitError.at(span, f"package `{path[-1]}` depends on itself", *notes)


def _order_key(name: ir.PackageName) -> tuple[object, ...]:
    return (name.namespace, name.name, semver.order_key(name.version))

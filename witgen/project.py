"""The project file ``witgen.toml``: which contracts there are, and what is generated from them.

::

    [contract.http]
    roots = ["wit/deps/io", "wit/http-component.wit"]   # files or package folders, the last one the root package

    [[generate]]
    contract = "http"
    world = "http-component"          # may be left out where the package has one world
    python = "src/bindings"           # a folder, or a file that ends in .py
    rust = "plugins/http/src/bindings.rs"
    split = true                      # Rust as a folder, `bindings`, with a file for each interface
    derives = ["PartialEq"]           # what records, variants and enums in Rust derive as well
    provided = ["wasi:io"]            # imports that Python leaves to providers; those of `PROVIDED` unless it is said

    [verify]
    components = ["dist/*.wasm"]      # built components that `witgen check` verifies; patterns may match none

    [lint]
    enable = ["missing-member-docs"]  # rules and categories that count beside those that do by default
    disable = ["naming"]              # rules and categories that don't count

Paths are relative to the file. It knows the file's form; it reads no contract.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from witgen.diagnostics import Note, Source, Span, WitError
from witgen.toml import read_toml

__all__ = [
    "DERIVE",
    "FILE_NAME",
    "PROVIDED",
    "PROVIDED_NAME",
    "Contract",
    "LintRules",
    "Project",
    "Target",
    "find_project",
    "project_file",
    "read_project",
    "roots_of",
]

FILE_NAME = "witgen.toml"

_LANGUAGES = ("python", "rust")
#: Keys of a target that say how Rust is to be generated, with the type of their values.
_FOR_RUST: dict[str, tuple[type, str]] = {
    "split": (bool, "true or false"),
    "derives": (list, "a list of traits"),
}
#: The same for Python.
_FOR_PYTHON: dict[str, tuple[type, str]] = {
    "provided": (list, "a list of packages and interfaces"),
}
_FOR_LANGUAGES = {"rust": _FOR_RUST, "python": _FOR_PYTHON}
#: The packages whose imports Python leaves to providers where nothing else is said: those that `witgen.wasi` has.
PROVIDED = ("wasi:io", "wasi:clocks", "wasi:random", "wasi:cli", "wasi:filesystem", "wasi:sockets")
#: A package, or an interface of it, without a version.
PROVIDED_NAME = re.compile(r"[a-z][a-z0-9-]*:[a-z][a-z0-9-]*(/[a-z][a-z0-9-]*)?", re.ASCII | re.IGNORECASE)
#: The path of a trait that Rust can derive.
DERIVE = re.compile(r"(::)?[A-Za-z_]\w*(::[A-Za-z_]\w*)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Contract:
    """A named set of roots, the last one the root package."""

    name: str
    roots: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Target:
    """What is generated for a world: a place for each language that is wanted.

    `split` says that Rust becomes a folder with a file for each interface, `derives` names traits that its records,
    variants and enums derive as well, `provided` packages and interfaces whose imports Python leaves to providers.
    """

    contract: Contract
    world: str | None
    outputs: tuple[tuple[str, Path], ...]
    split: bool = False
    derives: tuple[str, ...] = ()
    provided: tuple[str, ...] = PROVIDED


@dataclass(frozen=True, slots=True)
class LintRules:
    """Rules and categories of ``witgen lint`` that count beside those that do by default, and those that don't."""

    enable: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """A ``witgen.toml``, read and checked.

    `folder` is where it lies, `lint` says which rules count, `components` names files, relative to the folder.
    """

    folder: Path
    contracts: tuple[Contract, ...]
    targets: tuple[Target, ...]
    lint: LintRules
    components: tuple[str, ...] = ()


def find_project(start: Path) -> Project:
    """The project of a folder: the nearest ``witgen.toml`` in it or above. Raises `WitError` if there is none."""
    path = project_file(start)
    if path is None:
        raise WitError.at(
            FILE_NAME, f"not found in {start.resolve()} or above; name the contract's files, or write one"
        )
    return read_project(path)


def roots_of(project: Project, world: str | None) -> tuple[Path, ...]:
    """The roots of the contract from which a world is generated, or of the only one. Raises `WitError` if unclear."""
    named = {target.contract.name: target.contract for target in project.targets if target.world == world}
    found = list(named.values()) or ([] if world else list(project.contracts))
    if len(found) != 1:
        worlds = ", ".join(sorted(target.world for target in project.targets if target.world))
        raise WitError.at(FILE_NAME, f"say by --world which contract is meant; there are: {worlds}")
    return found[0].roots


def project_file(start: Path) -> Path | None:
    """The nearest ``witgen.toml`` in a folder or above, if there is one."""
    folders = (start.resolve(), *start.resolve().parents)
    return next((folder / FILE_NAME for folder in folders if (folder / FILE_NAME).is_file()), None)


def read_project(path: Path) -> Project:
    """Reads a project file. Raises `WitError` with the place of what is wrong."""
    source, data = read_toml(path)
    return _Reader(source, path.resolve().parent).project(data)


class _Reader:
    """Turns the tables into data, and complains with the line on which a key stands."""

    def __init__(self, source: Source, folder: Path) -> None:
        self._source = source
        self._folder = folder

    def project(self, data: Mapping[str, Any]) -> Project:
        self._known(data, ("contract", "generate", "lint", "verify"), "table")
        contracts = {name: self._contract(name, table) for name, table in self._table(data, "contract", dict).items()}
        targets = tuple(self._target(table, contracts) for table in self._table(data, "generate", list))
        lint = self._lint(self._table(data, "lint", dict))
        return Project(
            self._folder, tuple(contracts.values()), targets, lint, self._components(self._table(data, "verify", dict))
        )

    def _components(self, table: Mapping[str, Any]) -> tuple[str, ...]:
        self._known(table, ("components",), "key")
        found = table.get("components", [])
        if not isinstance(found, list) or not all(isinstance(n, str) and n and not n.startswith("/") for n in found):
            raise self._error(
                "components", "components must be a list of files or patterns below the folder of this file"
            )
        return tuple(found)

    def _lint(self, table: Mapping[str, Any]) -> LintRules:
        if not table:
            return LintRules()
        from witgen.lint.configuration import NAMES

        self._known(table, ("enable", "disable"), "key")
        for key, names in table.items():
            if not isinstance(names, list):
                raise self._error(key, f"{key} must be a list of rules and categories")
            for name in names:
                if name not in NAMES:
                    raise self._error(str(name), f"there is no rule or category {name!r}", *_suggestion(name, NAMES))
        return LintRules(tuple(table.get("enable", ())), tuple(table.get("disable", ())))

    def _contract(self, name: str, table: Any) -> Contract:
        if not isinstance(table, dict):
            raise self._error(name, f"contract {name} must be a table")
        self._known(table, ("roots",), "key")
        roots = table.get("roots")
        if not isinstance(roots, list) or not roots or not all(isinstance(root, str) for root in roots):
            raise self._error("roots" if roots is not None else name, f"contract {name}: roots must be a list of paths")
        return Contract(name, tuple(self._folder / root for root in roots))

    def _target(self, table: Any, contracts: Mapping[str, Contract]) -> Target:
        if not isinstance(table, dict):
            raise self._error("generate", "generate must be an array of tables: [[generate]]")
        options = _FOR_RUST | _FOR_PYTHON
        self._known(table, ("contract", "world", *_LANGUAGES, *options), "key")
        for key, value in table.items():
            kind, spelled = options.get(key, (str, "a string"))
            if not isinstance(value, kind):
                raise self._error(key, f"{key} must be {spelled}")
        name = table.get("contract")
        if not isinstance(name, str) or name not in contracts:
            what = "says no contract" if name is None else f"names an unknown contract: {name}"
            raise self._error(str(name or "generate"), f"generate {what}", *_suggestion(name, contracts))
        outputs = tuple((language, self._folder / table[language]) for language in _LANGUAGES if language in table)
        if not outputs:
            raise self._error("generate", f"generate for contract {name} names no output: python or rust")
        for language, keys in _FOR_LANGUAGES.items():
            for key in keys:
                if key in table and language not in table:
                    raise self._error(key, f"{key} is for {language.title()}, and {language} names no place")
        derives = tuple(table.get("derives", ()))
        for derive in derives:
            if not isinstance(derive, str) or not DERIVE.fullmatch(derive):
                raise self._error("derives", f"derives: {derive!r} is no path of a trait")
        provided = tuple(table.get("provided", PROVIDED))
        for item in provided:
            if not isinstance(item, str) or not PROVIDED_NAME.fullmatch(item):
                raise self._error("provided", f"provided: {item!r} is no package or interface (`wasi:io`)")
        return Target(contracts[name], table.get("world"), outputs, table.get("split", False), derives, provided)

    def _table(self, data: Mapping[str, Any], key: str, kind: type) -> Any:
        found = data.get(key, kind())
        if not isinstance(found, kind):
            raise self._error(key, f"{key} must be {'a table' if kind is dict else 'an array of tables'}")
        return found

    def _known(self, table: Mapping[str, Any], names: tuple[str, ...], what: str) -> None:
        for key in table:
            if key not in names:
                raise self._error(key, f"unknown {what}: {key}", *_suggestion(key, names))

    def _error(self, word: str, message: str, *notes: Note) -> WitError:
        found = re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", self._source.text)
        if found is None:
            return WitError.at(self._source.path, message, *notes)
        return WitError.at(Span(self._source, found.start(), found.end()), message, *notes)


def _suggestion(word: object, known: Any) -> list[Note]:
    import difflib

    close = difflib.get_close_matches(str(word), list(known), n=1)
    return [Note(f"did you mean `{close[0]}`?")] if close else []

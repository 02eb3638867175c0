"""Feature flags: which there are, what each is, and where that was said.

Lowest first, a flag is what `KNOWN` says, the table ``[default]`` of the file, the table of the environment, a variable
``FEATURE_runner_http_component``, and the command line. A flag that is not in `KNOWN` is an error wherever it stands.
This module reads once; `runner.watching` reads again. What a flag switches is known where it is asked for.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from witgen.diagnostics import Note, Source, WitError
from witgen.toml import error_at, parse_toml, read_text

__all__ = ["FILE_NAME", "KNOWN", "Change", "Flag", "Flags", "Value", "parse_override"]

FILE_NAME = "feature_flags.toml"
#: The table of the file that holds for every environment.
DEFAULT = "default"
_PREFIX = "FEATURE_"
#: What variables and the command line may say; the file has booleans of its own.
_WORDS = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag that the Runner knows."""

    name: str
    default: bool
    help: str

    @property
    def variable(self) -> str:
        """The variable of the process environment that sets it."""
        return _PREFIX + self.name.replace(".", "_")


_TABLE = (
    Flag("runner.http_component", False, "HTTP is served by the component; off: by the implementation in Python."),
    Flag("runner.ftp_component", False, "FTP is served by the component; off: by the implementation in Python."),
    Flag("runner.http_metrics", False, "Every HTTP request is counted and timed for Prometheus."),
    Flag("runner.sparse_store", True, "The workbook stores what is set, durably; off: a dense one in memory."),
    Flag("runner.progress_bus", True, "Updates are kept and delivered to subscriptions; off: they only get ids."),
)
#: All flags by name.
KNOWN: Mapping[str, Flag] = {flag.name: flag for flag in _TABLE}
_FIRST_WORDS = {flag.name.partition(".")[0] for flag in _TABLE}


@dataclass(frozen=True, slots=True)
class Value:
    """What a flag is, and who said so, in words for people: ``feature_flags.toml [prod]``."""

    value: bool
    source: str


@dataclass(frozen=True, slots=True)
class Change:
    """A flag that is not any more what it was."""

    name: str
    old: bool
    new: bool


@dataclass(frozen=True, slots=True)
class Flags(Mapping[str, bool]):
    """What every known flag is. It does not change; a file that was changed makes others."""

    values_: Mapping[str, Value]
    environment: str | None = None

    @classmethod
    def load(
        cls,
        path: Path | None = None,
        environment: str | None = None,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, bool] | None = None,
    ) -> Flags:
        """What the flags are by the file at `path` (None: there is none), the process environment and `overrides`.

        `environ` is that of the process where it is None. Raises `WitError` for a file that can't be read or is
        wrong, an unknown flag or environment, and a variable that says neither yes nor no.
        """
        return cls.of(None if path is None else read_text(path), environment, environ, overrides)

    @classmethod
    def of(
        cls,
        source: Source | None,
        environment: str | None = None,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, bool] | None = None,
    ) -> Flags:
        """As `load`, of a file that was read already."""
        values = {flag.name: Value(flag.default, "built in") for flag in _TABLE}
        if source is not None:
            values.update(_of_file(source, environment))
        values.update(_of_environ(os.environ if environ is None else environ))
        for name, value in (overrides or {}).items():
            if name not in KNOWN:
                raise _unknown_option(name)
            values[name] = Value(value, "command line")
        return cls(values, environment)

    def __getitem__(self, name: str) -> bool:
        return self.values_[name].value

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)

    def source(self, name: str) -> str:
        """Who said what a flag is."""
        return self.values_[name].source

    @property
    def active(self) -> tuple[str, ...]:
        """The names of the flags that are on, sorted."""
        return tuple(sorted(name for name, value in self.items() if value))

    def changes(self, new: Flags) -> tuple[Change, ...]:
        """What is not the same in `new`."""
        return tuple(Change(name, old, new[name]) for name, old in self.items() if old != new[name])


def parse_override(text: str) -> tuple[str, bool]:
    """A flag of the command line, ``NAME=VALUE``. Raises `WitError` where it is none."""
    name, equals, word = text.partition("=")
    if not equals or word.lower() not in _WORDS:
        raise WitError.at("--flag", f"{text!r} is not NAME=true or NAME=false")
    if name not in KNOWN:
        raise _unknown_option(name)
    return name, _WORDS[word.lower()]


# The file


def _of_file(source: Source, environment: str | None) -> dict[str, Value]:
    tables = {name: _table(source, name, table) for name, table in parse_toml(source).items()}
    if environment is not None and environment not in tables:
        raise WitError.at(
            source.path, f"there is no table [{environment}] for the environment", *_close(environment, tables)
        )
    return {
        name: Value(value, f"{source.path} [{table}]")
        for table in (DEFAULT, *([] if environment is None else [environment]))
        for name, value in tables.get(table, {}).items()
    }


def _table(source: Source, name: str, table: Any) -> dict[str, bool]:
    """The flags of one table, by their dotted names; wrong ones all at once."""
    if not isinstance(table, dict) or name in _FIRST_WORDS:
        raise error_at(source, name, f"`{name}` stands in no table: [{DEFAULT}], or that of an environment")
    found, wrong = dict[str, bool](), list[WitError]()
    for flag, value in _flattened(table, ""):
        word = flag.rpartition(".")[2]
        if flag not in KNOWN:
            wrong.append(error_at(source, word, f"unknown flag: {flag}", *_close(flag, KNOWN), table=name))
        elif not isinstance(value, bool):
            wrong.append(error_at(source, word, f"{flag} must be true or false", table=name))
        else:
            found[flag] = value
    if wrong:
        raise WitError(*(diagnostic for error in wrong for diagnostic in error.diagnostics))
    return found


def _flattened(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """The values of a table under dotted names, however its keys are nested or quoted."""
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _flattened(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


# The process environment


def _of_environ(environ: Mapping[str, str]) -> Iterator[tuple[str, Value]]:
    by_variable = {flag.variable: flag.name for flag in _TABLE}
    for variable, word in environ.items():
        # Other programs have features as well: only what is meant for the Runner is judged.
        if not variable.lower().startswith("feature_runner_"):
            continue
        if variable not in by_variable:
            raise WitError.at(variable, "there is no such flag", *_close(variable, by_variable))
        if word.lower() not in _WORDS:
            raise WitError.at(variable, f"{word!r} is neither true nor false")
        yield by_variable[variable], Value(_WORDS[word.lower()], f"variable {variable}")


def _unknown_option(name: str) -> WitError:
    return WitError.at("--flag", f"unknown flag: {name}", *_close(name, KNOWN))


def _close(word: str, known: Iterable[str]) -> list[Note]:
    by_case = {name.lower(): name for name in known}
    close = difflib.get_close_matches(word.lower(), by_case, n=1)
    return [Note(f"did you mean `{by_case[close[0]]}`?")] if close else []

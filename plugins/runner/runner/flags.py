"""Feature flags: what they are, where their values come from, and how a running process learns of changes.

``feature_flags.toml`` has a table ``[default]`` and one for each environment. Lowest first, a value comes from what is
built in, ``[default]``, the environment's table, the process environment (``FEATURE_runner_http_component=true``) and
the command line (``--flag runner.http_component=true``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from witgen.diagnostics import Source, Span, WitError
from witgen.toml import read_toml

__all__ = ["KNOWN", "Flag", "Flags", "Layers", "Setting", "Watched", "read_layers"]

DEFAULT_TABLE = "default"
VARIABLE_PREFIX = "FEATURE_"
_WORDS = {"true": True, "1": True, "on": True, "yes": True, "false": False, "0": False, "off": False, "no": False}


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag that the Runner knows."""

    name: str
    default: bool
    help: str

    @property
    def variable(self) -> str:
        """The variable of the process environment that sets it."""
        return VARIABLE_PREFIX + self.name.replace(".", "_")


KNOWN: Mapping[str, Flag] = {
    flag.name: flag
    for flag in (
        Flag("runner.http_component", False, "HTTP is served by the component, and not in Python"),
        Flag("runner.ftp_component", False, "FTP is served by the component, and not in Python"),
        Flag("runner.http_metrics", False, "every request is counted and timed by method and path pattern"),
        Flag("runner.sparse_store", True, "the workbook stores only what is set"),
        Flag("runner.progress_bus", True, "requests and changes of state are published as progress"),
    )
}


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of a flag, and where it comes from."""

    flag: Flag
    value: bool
    source: str


#: Values by source, lowest first: what each source says of flags.
Layers = list[tuple[str, dict[str, bool]]]


class Flags(Mapping[str, bool]):
    """The values of all known flags."""

    def __init__(self, layers: Layers) -> None:
        self.settings: dict[str, Setting] = {}
        for flag in KNOWN.values():
            setting = Setting(flag, flag.default, "built in")
            for source, values in layers:
                if flag.name in values:
                    setting = Setting(flag, values[flag.name], source)
            self.settings[flag.name] = setting

    def __getitem__(self, name: str) -> bool:
        return self.settings[name].value

    def __iter__(self) -> Any:
        return iter(self.settings)

    def __len__(self) -> int:
        return len(self.settings)

    @property
    def active(self) -> list[str]:
        """The names of those that are on."""
        return [name for name, setting in self.settings.items() if setting.value]


def read_layers(
    path: Path | None, environment: str | None, variables: Mapping[str, str], overrides: Iterable[str]
) -> Layers:
    """What all sources say. Without `path` there is no file, without `environment` only its ``[default]`` counts.

    `overrides` are ``NAME=VALUE``. Raises `WitError` with the place of what is wrong: an unknown flag, a value that is
    neither true nor false, an environment that the file does not have.
    """
    layers: Layers = []
    if path is not None:
        source, data = read_toml(path)
        layers += _file_layers(source, data, environment)
    layers.append(("process environment", _from_variables(variables)))
    layers.append(("command line", dict(_override(item) for item in overrides)))
    return layers


def _file_layers(source: Source, data: dict[str, Any], environment: str | None) -> Layers:
    found = {}
    for table, values in data.items():
        if not isinstance(values, dict):
            raise _error(
                source, table, f"{table} stands outside of a table: [{DEFAULT_TABLE}] or that of an environment"
            )
        found[table] = dict(_flattened(source, values))
    wanted = [DEFAULT_TABLE]
    if environment is not None and environment != DEFAULT_TABLE:
        if environment not in found:
            raise WitError.at(source.path, f"there is no environment [{environment}]")
        wanted.append(environment)
    return [(f"{source.path} [{table}]", found[table]) for table in wanted if table in found]


def _flattened(source: Source, values: dict[str, Any], prefix: str = "") -> Iterable[tuple[str, bool]]:
    """Flags by their dotted names, however the file nests them."""
    for key, value in values.items():
        name = prefix + key
        if isinstance(value, dict):
            yield from _flattened(source, value, name + ".")
        elif name not in KNOWN:
            raise _error(source, key, _unknown(name))
        elif not isinstance(value, bool):
            raise _error(source, key, f"{name} must be true or false")
        else:
            yield name, value


def _from_variables(variables: Mapping[str, str]) -> dict[str, bool]:
    by_variable = {flag.variable: flag for flag in KNOWN.values()}
    found = {}
    for variable, text in variables.items():
        if not variable.startswith(VARIABLE_PREFIX + "runner_"):
            continue
        flag = by_variable.get(variable)
        if flag is None:
            raise WitError.at(variable, _unknown(variable.removeprefix(VARIABLE_PREFIX)))
        found[flag.name] = _value(variable, text)
    return found


def _override(item: str) -> tuple[str, bool]:
    name, equals, text = item.partition("=")
    if not equals:
        raise WitError.at("--flag", f"{item!r} is not of the form NAME=VALUE")
    if name not in KNOWN:
        raise WitError.at("--flag", _unknown(name))
    return name, _value("--flag", text)


def _value(where: str, text: str) -> bool:
    value = _WORDS.get(text.strip().lower())
    if value is None:
        raise WitError.at(where, f"{text!r} is neither true nor false")
    return value


def _unknown(name: str) -> str:
    return f"there is no flag {name}; there are {', '.join(KNOWN)}"


def _error(source: Source, word: str, message: str) -> WitError:
    found = re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", source.text)
    return WitError.at(source.path if found is None else Span(source, found.start(), found.end()), message)


class Watched:
    """Flags of a running process, read anew when it is asked to look.

    A file that is broken or gone keeps the values that there are.
    """

    def __init__(
        self,
        path: Path | None,
        environment: str | None,
        variables: Mapping[str, str],
        overrides: Iterable[str],
    ) -> None:
        """Reads for the first time. Raises as `read_layers`."""
        self._path = path
        self._rest = environment, dict(variables), list(overrides)
        self._seen = self._stamp()
        self._broken: str | None = None
        self.flags = Flags(read_layers(path, *self._rest))

    def look(
        self, changed: Callable[[Flag, bool, bool], None], warn: Callable[[str], None], *, always: bool = False
    ) -> None:
        """Reads again if the file is another one than before, or `always`.

        Calls `changed` for each flag with its old and its new value, and `warn` once with what is wrong with the file.
        """
        stamp = self._stamp()
        if stamp == self._seen and not always:
            return
        self._seen = stamp
        try:
            flags = Flags(read_layers(self._path, *self._rest))
        except WitError as error:
            if str(error) != self._broken:
                self._broken = str(error)
                warn(f"the values of flags stay as they were: {error}")
            return
        self._broken = None
        old, self.flags = self.flags, flags
        for name, setting in flags.settings.items():
            if setting.value != old[name]:
                changed(setting.flag, old[name], setting.value)

    def _stamp(self) -> tuple[int, int, int] | None:
        if self._path is None:
            return None
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_ino, status.st_size, status.st_mtime_ns

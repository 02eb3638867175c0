"""The file that says what users do: how many there are, how often they do something, and what, and for how long.

It knows the form of the file and what its values may be. Who acts by it is `runner.baseline.load`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from witgen.diagnostics import Source, WitError
from witgen.toml import error_at, parse_toml, read_text

__all__ = ["FTP_STEPS", "METHODS", "FtpAction", "HttpAction", "Scenario", "Work", "load", "loads", "parse", "shipped"]

METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
FTP_STEPS = ("list", "retr", "stor")
#: The most bytes that an action sends or fetches: a user holds them in memory.
_MOST = 64 << 20


_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class HttpAction:
    """A request. In its path ``{user}`` and ``{task}`` become names; with `reports` it sends fields of a task."""

    share: float
    path: str
    method: str = "GET"
    size: int = 0
    reports: bool = False


@dataclass(frozen=True, slots=True)
class FtpAction:
    """A session: log in, do the steps one after the other, log out. `size` is that of the files, in bytes."""

    share: float
    steps: tuple[str, ...] = ("list",)
    size: int = 10_000


@dataclass(frozen=True, slots=True)
class Work:
    """What a user's tasks are: `fields` names there are in all, of which a task has `own`, and `changes` at a time."""

    tasks: int = 4
    fields: int = 200
    own: int = 12
    changes: int = 4


@dataclass(frozen=True, slots=True)
class Scenario:
    """What users do. Times are in seconds; `think` is the mean of the time between two things that a user does."""

    http: Sequence[HttpAction]
    ftp: Sequence[FtpAction] = ()
    users: int = 500
    seed: int = 1
    warm_up: float = 60.0
    measure: float = 300.0
    think: float = 10.0
    work: Work = field(default_factory=Work)

    def dumps(self) -> str:
        """As JSON, for another process."""
        return json.dumps(asdict(self))


def loads(text: str) -> Scenario:
    """What `Scenario.dumps` gave."""
    data = json.loads(text)
    data["http"] = [HttpAction(**item) for item in data["http"]]
    data["ftp"] = [FtpAction(**item | {"steps": tuple(item["steps"])}) for item in data["ftp"]]
    return Scenario(**data | {"work": Work(**data["work"])})


def shipped() -> Path:
    """The scenario that comes with the Runner, of the installed package or of the source tree."""
    installed = _PACKAGE / "shipped" / "baseline.toml"
    return installed if installed.exists() else _PACKAGE.parent / "docs" / "plan" / "baseline.toml"


def load(path: Path) -> Scenario:
    """The scenario of a file. Raises `WitError` with the places of what is wrong."""
    return parse(read_text(path))


def parse(source: Source) -> Scenario:
    """As `load`, of a file that was read already."""
    return _Reader(source, parse_toml(source)).scenario()


@dataclass(frozen=True, slots=True)
class _Kind:
    """What a value may be."""

    least: float = 0
    most: float = math.inf
    whole: bool = True

    def __str__(self) -> str:
        what = "a whole number" if self.whole else "a number"
        return f"{what} from {self.least:g}" + ("" if self.most == math.inf else f" to {self.most:g}")

    def allows(self, value: Any) -> bool:
        """Whether it may be `value`."""
        right = (int,) if self.whole else (int, float)
        return isinstance(value, right) and not isinstance(value, bool) and self.least <= value <= self.most


_TOP = {
    "users": _Kind(1, 100_000),
    "seed": _Kind(),
    "warm_up": _Kind(0, 86_400, whole=False),
    "measure": _Kind(1, 86_400, whole=False),
    "think": _Kind(0, 3600, whole=False),
}
_WORK = {"tasks": _Kind(1), "fields": _Kind(1, 10_000), "own": _Kind(1, 10_000), "changes": _Kind(1, 10_000)}
_SHARE, _SIZE = _Kind(0, whole=False), _Kind(0, _MOST)
_TABLES = ("http", "ftp", "work")


class _Reader:
    """Reads one file. Keys have ``-`` where names have ``_``."""

    def __init__(self, source: Source, data: Mapping[str, Any]) -> None:
        self._source = source
        self._data = data

    def scenario(self) -> Scenario:
        data = self._data
        self._known(data, [*map(_key, _TOP), *_TABLES], "")
        top = self._numbers(data, _TOP, "")
        work = data.get("work", {})
        if not isinstance(work, dict):
            raise self._wrong("work", "`work` must be a table", "")
        self._known(work, list(_WORK), "work")
        found = Work(**self._numbers(work, _WORK, "work"))
        if not found.changes <= found.own <= found.fields:
            raise self._wrong("work", "a task can't have more fields than there are, or change more than it has", "")
        http = [self._http(item) for item in self._actions("http")]
        ftp = [self._ftp(item) for item in self._actions("ftp")]
        if not sum(item.share for item in http) + sum(item.share for item in ftp):
            raise WitError.at(self._source.path, "users do nothing: there is no [[http]] or [[ftp]] with a share")
        return Scenario(http, ftp, work=found, **top)

    def _actions(self, name: str) -> list[dict[str, Any]]:
        found = self._data.get(name, [])
        if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
            raise self._wrong(name, f"`{name}` must be tables of the form [[{name}]]", "")
        return found

    def _http(self, item: Mapping[str, Any]) -> HttpAction:
        given = self._action(item, HttpAction, "http")
        path, method = given.get("path"), given.get("method", "GET")
        if not isinstance(path, str) or not path.startswith("/") or not path.isascii() or " " in path:
            raise self._wrong("path" if "path" in given else "http", 'an [[http]] needs a path such as "/"', "http")
        if method not in METHODS:
            raise self._wrong("method", f"{method!r} is no method; there are {', '.join(METHODS)}", "http")
        if not isinstance(given.get("reports", False), bool):
            raise self._wrong("reports", "`reports` must be true or false", "http")
        return HttpAction(**given)

    def _ftp(self, item: Mapping[str, Any]) -> FtpAction:
        given = self._action(item, FtpAction, "ftp")
        steps = given.get("steps", ["list"])
        if not isinstance(steps, list) or not steps or any(step not in FTP_STEPS for step in steps):
            raise self._wrong("steps", f"`steps` must be a list of {', '.join(FTP_STEPS)}", "ftp")
        return FtpAction(**given | {"steps": tuple(steps)})

    def _action(self, item: Mapping[str, Any], kind: type[HttpAction] | type[FtpAction], table: str) -> dict[str, Any]:
        self._known(item, [each.name for each in fields(kind)], table)
        if "share" not in item:
            raise self._wrong(table, f"a [[{table}]] needs a share", "")
        self._numbers(item, {"share": _SHARE, "size": _SIZE}, table)
        return dict(item)

    def _numbers(self, data: Mapping[str, Any], kinds: Mapping[str, _Kind], table: str) -> dict[str, Any]:
        found = {}
        for name, kind in kinds.items():
            key = _key(name)
            if key not in data:
                continue
            if not kind.allows(data[key]):
                raise self._wrong(key, f"`{key}` must be {kind}", table)
            found[name] = data[key]
        return found

    def _known(self, data: Mapping[str, Any], keys: Sequence[str], table: str) -> None:
        for key in data:
            if key not in keys:
                raise self._wrong(key, f"unknown key {key!r}; there are {', '.join(sorted(keys))}", table)

    def _wrong(self, word: str, message: str, table: str) -> WitError:
        return error_at(self._source, word, message, table=table)


def _key(name: str) -> str:
    return name.replace("_", "-")

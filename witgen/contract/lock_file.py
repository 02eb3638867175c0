"""The form of ``wit.lock``: the digests of contracts as TOML that is read well in a diff.

::

    version = 1
    form = "wit-digest/1"

    [package."demo:geometry@1.2.0"]

    [package."demo:geometry@1.2.0".interface.shapes]
    digest = "765188c8…"
    function."[method]canvas.draw" = "48340b22…"
    type.point = "@c474bcec…"

    [package."demo:geometry@1.2.0".world.plotter]
    digest = "5d366d13…"
    export.plot = "f6545a94…"
    import."demo:geometry/shapes@1.2.0" = "765188c8…"

A line for each thing that can change, sorted, so that what is changed on two branches is merged as other text is. It
knows how digests are written and where they stand; it works out none and compares none.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from witgen.contract.digest import FORM, WorldDigest
from witgen.contract.listing import PackageDigests
from witgen.diagnostics import Note, Source, Span, WitError
from witgen.toml import parse_toml, read_text

__all__ = ["Entries", "Lock", "Place", "check_version", "entries_of", "read_lock", "render"]

#: The version of the form that is written and understood.
VERSION = 1

#: Where an entry stands: ``(package,)``, ``(package, "interface", name)``,
#: ``(package, "interface", name, "function", name)``.
Place: TypeAlias = tuple[str, ...]
#: The digest, or text of a type, at each place; that of a package is empty.
Entries: TypeAlias = Mapping[Place, str]

_LONGEST_TEXT = 200
_MEMBERS = {"interface": ("function", "type"), "world": ("export", "import", "type")}
_TITLE = "# What the contracts are agreed to be: written by `witgen hash --write`, compared by `witgen hash --check`."
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_VERSION_LINE = re.compile(r"^version *= *(\d+)", re.MULTILINE)
_FORM_LINE = re.compile(r"^form *= *[\"']([^\"'\n]*)", re.MULTILINE)
_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7})(?: .*)?$", re.MULTILINE)


def entries_of(packages: Iterable[PackageDigests]) -> dict[Place, str]:
    """What a lock of these packages holds."""
    found: dict[Place, str] = {}
    for package in packages:
        found[package.package,] = ""
        for name, interface in package.interfaces.items():
            path = package.package, "interface", name
            found[path] = interface.digest
            found.update(((*path, "function", item), digest) for item, digest in interface.functions.items())
            found.update(((*path, "type", item), _short(text)) for item, text in interface.types.items())
        for name, world in package.worlds.items():
            path = package.package, "world", name
            found[path] = world.digest
            found.update(((*path, *member), text) for member, text in _of_world(world))
    return found


def _of_world(world: WorldDigest) -> Iterator[tuple[tuple[str, str], str]]:
    """The members of a world; a function of an interface that is written inside it is named after both."""
    for direction, items in (("import", world.imports), ("export", world.exports)):
        for name, item in items.items():
            if name:
                yield (direction, name), item.digest
            if ":" not in name:
                prefix = f"{name}#" if name else ""
                yield from (((direction, prefix + function), digest) for function, digest in item.functions.items())
            if not name:
                yield from ((("type", type_), _short(text)) for type_, text in item.types.items())


def _short(text: str) -> str:
    """The text of a type, or its digest where it is longer than one cares to read; it can be longer than all files."""
    return text if len(text) <= _LONGEST_TEXT else "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def render(entries: Entries) -> str:
    """The text of a lock."""
    lines = [_TITLE, f"version = {VERSION}", f'form = "{FORM}"']
    for path in sorted(entries):
        if len(path) < 5:
            lines += ["", _head(path)]
        if len(path) > 1:
            lines.append(f'{_key(path)} = "{entries[path]}"')
    return "\n".join(lines) + "\n"


def _head(place: Place) -> str:
    """The line above the entries of a package, interface or world."""
    package, *rest = place
    return f"[{'.'.join(['package', _quoted(package), *map(_quoted, rest)])}]"


def _key(place: Place) -> str:
    """What stands before a digest."""
    return "digest" if len(place) < 5 else f"{place[3]}.{_quoted(place[4])}"


def _quoted(name: str) -> str:
    # No name of WIT has anything in it that would have to be escaped.
    return name if _BARE.fullmatch(name) else f'"{name}"'


@dataclass(frozen=True)
class Lock:
    """A lock that was read."""

    source: Source
    entries: Entries

    def line_of(self, place: Place) -> Span | None:
        """The line of an entry, or else of what it belongs to; None where neither has a line as `render` writes it."""
        lines = self._lines
        while place:
            head = _head(place[:3])
            for key in (_key(place), ""):
                if (head, key) in lines:
                    return lines[head, key]
            place = place[:-2]
        return None

    @functools.cached_property
    def _lines(self) -> dict[tuple[str, str], Span]:
        """The lines by the head above them and the key in them; that of a head has no key."""
        lines: dict[tuple[str, str], Span] = {}
        head = ""
        at = 0
        for line in self.source.text.splitlines(keepends=True):
            shown = line.rstrip()
            if shown.startswith("["):
                head = shown
            key = "" if shown == head else shown.partition(" = ")[0]
            lines.setdefault((head, key), Span(self.source, at, at + len(shown)))
            at += len(line)
        return lines


def read_lock(path: Path) -> Lock:
    """Read a lock. Raises WitError where it can't be read, or is none that this version of witgen understands."""
    source = read_text(path)
    check_version(source)
    conflict = _CONFLICT.search(source.text)
    if conflict:
        raise WitError.at(
            Span(source, conflict.start(), conflict.end()),
            "two branches were merged here and have not been brought together",
            Note("bring the contracts together, then run `witgen hash --write`"),
        )
    try:
        return Lock(source, dict(_flatten(parse_toml(source))))
    except _Malformed as error:
        raise WitError.at(
            source.path, f"{error} has no place in a lock", Note("run `witgen hash --write` to make it anew")
        ) from None


def check_version(source: Source) -> None:
    """Raise WitError for a text that is no lock, or one that another version of witgen has written.

    It need not be TOML: a lock with conflicts of a merge in it is still a lock.
    """
    version, form = _VERSION_LINE.search(source.text), _FORM_LINE.search(source.text)
    if version is None or form is None:
        raise WitError.at(source.path, "this is no lock of witgen: it does not say which `version` and `form` it has")
    for found, known, what in ((version, str(VERSION), "version"), (form, FORM, "form")):
        if found[1] != known:
            raise WitError.at(
                Span(source, found.start(1), found.end(1)),
                f"the lock has {what} {found[1]}; this witgen knows {known}",
                Note("use the witgen that wrote it, or remove the lock and write it anew"),
            )


class _Malformed(Exception):
    """A part of a lock that has no place in it."""


def _flatten(data: Mapping[str, object]) -> Iterator[tuple[Place, str]]:
    """The entries in the tables of a lock."""
    for key in data:
        if key not in ("version", "form", "package"):
            raise _Malformed(f"`{key}`")
    for package, kinds in _table(data.get("package", {}), "package"):
        yield (package,), ""
        for kind, items in _table(kinds, package):
            if kind not in _MEMBERS:
                raise _Malformed(f"`{kind}` of package `{package}`")
            for name, members in _table(items, kind):
                place = package, kind, name
                for member, values in _table(members, name):
                    if member == "digest":
                        yield place, _text(values, member)
                    elif member in _MEMBERS[kind]:
                        for item, text in _table(values, member):
                            yield (*place, member, item), _text(text, item)
                    else:
                        raise _Malformed(f"`{member}` of {kind} `{name}`")


def _table(value: object, name: str) -> Iterable[tuple[str, object]]:
    if not isinstance(value, dict):
        raise _Malformed(f"`{name}`")
    return value.items()


def _text(value: object, name: str) -> str:
    if not isinstance(value, str):
        raise _Malformed(f"`{name}`")
    return value

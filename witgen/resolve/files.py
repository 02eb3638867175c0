"""Which files belong to a root, and which of them are a package together; what is in them.

A root is a file, which stands alone, or a folder: its ``*.wit`` files are one package, and each entry of its folder
``deps`` (a WIT file, a WebAssembly file, or a folder of WIT files) is another; ``deps`` of dependencies aren't read.
See design/mvp/WIT.md, "Filesystem structure".
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import stat
from pathlib import Path

from witgen.diagnostics import Source, Span, WitError

__all__ = ["Contents", "Group", "decode_source", "named", "read_root", "shown"]

_SUFFIXES = (".wit", ".wasm", ".wat")


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Files that are one package together. `path` names them as a whole; `problem` is why they can't be found.

    `stands_alone` is true for a file that is no part of a folder's package: it may be WebAssembly as well. `folders`
    are those whose entries decide which files these are.
    """

    path: str
    files: tuple[Path, ...]
    problem: WitError | None = None
    stands_alone: bool = False
    folders: tuple[Path, ...] = ()


def read_root(root: Path) -> list[Group]:
    """The groups of a root: its own, then those of its dependencies in the order of their names."""
    groups = [_group(root, "there is no WIT file in this folder")]
    dependencies = root / "deps"
    if groups[0].problem is not None or groups[0].stands_alone or not os.path.lexists(dependencies):
        return groups
    try:
        entries = _entries(dependencies)
    except WitError as error:
        return [*groups, Group(named(dependencies), (), error)]
    groups = [dataclasses.replace(groups[0], folders=(root, dependencies))]
    for entry in entries:
        group = _group(entry, "there is no WIT file in this folder, though it is in `deps`")
        if not group.stands_alone or entry.suffix in _SUFFIXES:
            groups.append(group)
    return groups


def _group(path: Path, if_empty: str) -> Group:
    """The group of a file, or of the WIT files of a folder."""
    try:
        if not _is_folder(path):
            return Group(named(path), (path,), stands_alone=True)
        files = [entry for entry in _entries(path) if entry.suffix == ".wit" and not _is_folder(entry)]
        if not files:
            raise WitError.at(named(path), if_empty)
    except WitError as error:
        return Group(named(path), (), error)
    return Group(named(path), tuple(files), folders=(path,))


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, in the order of the names' bytes."""
    try:
        return sorted(folder.iterdir(), key=lambda path: os.fsencode(path.name))
    except OSError as error:
        raise _unreadable(folder, error) from None


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(_mode(path))


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValueError:
        raise WitError.at(named(path), "this can't be the name of a file") from None


class Contents(dict[Path, bytes]):
    """The bytes of files, each read once, when it is first asked for. Raises WitError for one that can't be read."""

    def __missing__(self, path: Path) -> bytes:
        if not stat.S_ISREG(_mode(path)):
            raise WitError.at(named(path), "this is not a regular file")
        try:
            content = self[path] = path.read_bytes()
        except OSError as error:
            raise _unreadable(path, error) from None
        return content


def decode_source(name: str, data: bytes) -> Source:
    """Bytes as text that is known by `name`. Raises WitError where they are none."""
    try:
        return Source(name, data.decode())
    except UnicodeDecodeError as error:
        source = Source(name, data.decode(errors="replace"))
        start = len(data[: error.start].decode())
        raise WitError.at(Span(source, start, start + 1), "this is not UTF-8, as WIT text must be") from None


def _unreadable(path: Path, error: OSError) -> WitError:
    if isinstance(error, FileNotFoundError) and not path.is_symlink():
        return WitError.at(named(path), "no such file or folder")
    reason = (error.strerror or type(error).__name__).lower()
    return WitError.at(named(path), f"can't be read: {reason}")


def named(path: Path) -> str:
    """A file of a contract as errors name it: as it was given, but relative where it lies below the current folder."""
    with contextlib.suppress(OSError, ValueError):
        path = path.relative_to(Path.cwd()) if path.is_absolute() else path
    return shown(path)


def shown(path: Path) -> str:
    """The path as text that can be printed, whatever the bytes of its name."""
    return str(path).encode("utf-8", "backslashreplace").decode()

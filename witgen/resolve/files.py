"""Which files belong to a root, and which of them are a package together; what is in them.

A root is a WIT file, which stands alone, or a folder: its ``*.wit`` files are one package, and each entry of its folder
``deps`` (a WIT file, or a folder of them) is another; ``deps`` of dependencies aren't read. See design/mvp/WIT.md,
"Filesystem structure".
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from witgen.diagnostics import Source, Span, WitError

__all__ = ["Contents", "Group", "decode_source", "read_root", "read_source"]

_BINARY_SUFFIXES = (".wasm", ".wat")


@dataclass(frozen=True, slots=True)
class Group:
    """Files that are one package together. `path` names them as a whole; `problem` is why they can't be found."""

    path: str
    files: tuple[Path, ...]
    problem: WitError | None = None


def read_root(root: Path) -> list[Group]:
    """The groups of a root: its own, then those of its dependencies in the order of their names."""
    groups = [_group(root, "there is no WIT file in this folder")]
    dependencies = root / "deps"
    if groups[0].problem is not None or groups[0].files == (root,) or not os.path.lexists(dependencies):
        return groups
    try:
        entries = _entries(dependencies)
    except WitError as error:
        return [*groups, Group(_shown(dependencies), (), error)]
    for entry in entries:
        group = _group(entry, "there is no WIT file in this folder, though it is in `deps`")
        if group.files != (entry,) or entry.suffix == ".wit" or entry.suffix in _BINARY_SUFFIXES:
            groups.append(group)
    return groups


def _group(path: Path, if_empty: str) -> Group:
    """The group of a file, or of the WIT files of a folder."""
    try:
        if not _is_folder(path):
            return Group(_shown(path), (path,))
        files = [entry for entry in _entries(path) if entry.suffix == ".wit" and not _is_folder(entry)]
        if not files:
            raise WitError.at(_shown(path), if_empty)
    except WitError as error:
        return Group(_shown(path), (), error)
    return Group(_shown(path), tuple(files))


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
        raise WitError.at(_shown(path), "this can't be the name of a file") from None


class Contents(dict[Path, bytes]):
    """The bytes of files, each read once, when it is first asked for. Raises WitError for one that can't be read."""

    def __missing__(self, path: Path) -> bytes:
        if not stat.S_ISREG(_mode(path)):
            raise WitError.at(_shown(path), "this is not a regular file")
        try:
            content = self[path] = path.read_bytes()
        except OSError as error:
            raise _unreadable(path, error) from None
        return content


def read_source(path: Path, data: bytes) -> Source:
    """The bytes of a file as text. Raises WitError where they are none."""
    if path.suffix in _BINARY_SUFFIXES or data.startswith(b"\0asm"):
        raise WitError.at(_shown(path), "this is a WebAssembly file; only packages in the form of WIT text can be read")
    return decode_source(_shown(path), data)


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
        return WitError.at(_shown(path), "no such file or folder")
    reason = (error.strerror or type(error).__name__).lower()
    return WitError.at(_shown(path), f"can't be read: {reason}")


def _shown(path: Path) -> str:
    """The path as text that can be printed, whatever the bytes of its name."""
    return str(path).encode("utf-8", "backslashreplace").decode()

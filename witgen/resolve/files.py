"""Which files belong to a root, and which of them are a package together; and what they hold.

A root is a file, which stands alone, or a folder: its ``*.wit`` files are one package, and each entry of its folder
``deps`` (a WIT file, a WebAssembly file, or a folder of WIT files) is another; ``deps`` of dependencies aren't read.
See design/mvp/WIT.md, "Filesystem structure".
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from witgen.diagnostics import Source, Span, WitError
from witgen.resolve.binaries import is_webassembly

__all__ = ["Group", "read_file", "read_root"]

_SUFFIXES = (".wit", ".wasm", ".wat")


@dataclass(frozen=True, slots=True)
class Group:
    """Files that are one package together. `path` names them as a whole.

    `stands_alone` is true for a file that is no part of a folder's package: it may be WebAssembly as well.
    """

    path: str
    files: tuple[Path, ...]
    stands_alone: bool


def read_root(root: Path) -> Iterator[Group]:
    """The groups of a root: its own, then those of its dependencies in the order of their names.

    Raises WitError for files and folders that aren't there or can't be read.
    """
    if not _is_folder(root):
        yield Group(_shown(root), (root,), stands_alone=True)
        return
    files = [entry for entry in _entries(root) if entry.suffix == ".wit" and not _is_folder(entry)]
    if not files:
        raise WitError.at(_shown(root), "there is no WIT file in this folder")
    yield Group(_shown(root), tuple(files), stands_alone=False)
    dependencies = root / "deps"
    if not os.path.lexists(dependencies):
        return
    for entry in _entries(dependencies):
        if _is_folder(entry):
            files = [file for file in _entries(entry) if file.suffix == ".wit" and not _is_folder(file)]
            if not files:
                raise WitError.at(_shown(entry), "there is no WIT file in this folder, though it is in `deps`")
            yield Group(_shown(entry), tuple(files), stands_alone=False)
        elif entry.suffix in _SUFFIXES:
            yield Group(_shown(entry), (entry,), stands_alone=True)


def _entries(folder: Path) -> list[Path]:
    """What is in a folder, in the order of the names' bytes."""
    try:
        return sorted(folder.iterdir(), key=lambda path: os.fsencode(path.name))
    except OSError as error:
        raise _unreadable(folder, error) from None


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError as error:
        raise _unreadable(path, error) from None
    except ValueError:
        raise WitError.at(_shown(path), "this can't be the name of a file") from None


def read_file(path: Path) -> Source | bytes:
    """A file as text, or its bytes where it is WebAssembly. Raises WitError where it is neither or can't be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise WitError.at(_shown(path), "this is not a regular file")
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None
    if is_webassembly(data):
        return data
    try:
        return Source(_shown(path), data.decode())
    except UnicodeDecodeError as error:
        source = Source(_shown(path), data.decode(errors="replace"))
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

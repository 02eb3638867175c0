"""Which files belong to a root, and which of them are a package together; and their text.

A root is a WIT file, which stands alone, or a folder: its ``*.wit`` files are one package, and each entry of its folder
``deps`` (a WIT file, or a folder of them) is another; ``deps`` of dependencies aren't read. See design/mvp/WIT.md,
"Filesystem structure".
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from witgen.diagnostics import Source, Span, WitError

__all__ = ["Group", "decode_source", "read_root", "read_source"]

_BINARY_SUFFIXES = (".wasm", ".wat")


@dataclass(frozen=True, slots=True)
class Group:
    """Files that are one package together. `path` names them as a whole."""

    path: str
    files: tuple[Path, ...]


def read_root(root: Path) -> Iterator[Group]:
    """The groups of a root: its own, then those of its dependencies in the order of their names.

    Raises WitError for files and folders that aren't there or can't be read.
    """
    if not _is_folder(root):
        yield Group(_shown(root), (root,))
        return
    files = [entry for entry in _entries(root) if entry.suffix == ".wit" and not _is_folder(entry)]
    if not files:
        raise WitError.at(_shown(root), "there is no WIT file in this folder")
    yield Group(_shown(root), tuple(files))
    dependencies = root / "deps"
    if not os.path.lexists(dependencies):
        return
    for entry in _entries(dependencies):
        if _is_folder(entry):
            files = [file for file in _entries(entry) if file.suffix == ".wit" and not _is_folder(file)]
            if not files:
                raise WitError.at(_shown(entry), "there is no WIT file in this folder, though it is in `deps`")
            yield Group(_shown(entry), tuple(files))
        elif entry.suffix == ".wit" or entry.suffix in _BINARY_SUFFIXES:
            yield Group(_shown(entry), (entry,))


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


def read_source(path: Path) -> Source:
    """A file as text. Raises WitError where it has none."""
    if not stat.S_ISREG(_mode(path)):
        raise WitError.at(_shown(path), "this is not a regular file")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None
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

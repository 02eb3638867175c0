"""Which WIT texts a command means by files and folders, or by a project, and how they are read.

It knows files; what is in them is for others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from witgen.diagnostics import Source, WitError
from witgen.project import Project
from witgen.resolve.binaries import is_webassembly
from witgen.resolve.files import Contents, decode_source, shown

__all__ = ["project_texts", "read_text", "wit_files"]

#: Folders that hold what others wrote, or what was made from it. Hidden folders are left alone too.
_LEFT_ALONE = ("deps", "node_modules", "target")


def project_texts(project: Project) -> list[Path]:
    """The roots that a project names and that are text."""
    roots = dict.fromkeys(root for contract in project.contracts for root in contract.roots)
    contents = Contents()
    return [root for root in roots if not root.is_file() or not is_webassembly(contents[root])]


def wit_files(paths: Sequence[Path], errors: list[WitError]) -> Iterator[Path]:
    """The files among paths, and all ``*.wit`` in folders, in the order of their names; relative where they lie below.

    Below a folder, ``deps``, build output, hidden folders and links are left alone, unless they are named. Adds to
    `errors` what can't be searched.
    """
    for path in paths:
        yield from (_relative(file) for file in _in_path(path, errors))


def read_text(path: Path) -> Source:
    """A file as WIT text. Raises WitError where it can't be read, or is no text."""
    data = Contents()[path]
    if is_webassembly(data):
        raise WitError.at(shown(path), "this is a WebAssembly file; only WIT text is meant here")
    return decode_source(shown(path), data)


def _in_path(path: Path, errors: list[WitError]) -> list[Path]:
    """A file itself; of a folder the WIT files in it and below, in the order of their names.

    Adds to `errors` what can't be searched.
    """
    if not os.path.isdir(path):  # noqa: PTH112 - where one can't look there is no folder, and no error here
        return [path]
    found: list[Path] = []
    before = len(errors)
    for folder, folders, names in os.walk(path, onerror=lambda error: errors.append(_unreadable(error))):
        folders[:] = sorted(name for name in folders if name not in _LEFT_ALONE and not name.startswith("."))
        files = [Path(folder, name) for name in sorted(names) if name.endswith(".wit")]
        found += [file for file in files if not file.is_symlink()]
    if not found and len(errors) == before:
        errors.append(WitError.at(str(path), "there is no WIT file in this folder"))
    return found


def _unreadable(error: OSError) -> WitError:
    return WitError.at(str(error.filename), f"can't be read: {(error.strerror or type(error).__name__).lower()}")


def _relative(path: Path) -> Path:
    """A path relative to where the command runs, if it is below."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path

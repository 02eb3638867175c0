"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from witgen.diagnostics import WitError

__all__ = ["differing", "write_all"]


def differing(files: Mapping[Path, bytes]) -> list[Path]:
    """Those of `files` that are missing or hold something else, in order."""
    return [path for path, content in files.items() if not path.is_file() or path.read_bytes() != content]


def write_all(files: Mapping[Path, bytes]) -> None:
    """Writes each file to a temporary name beside its place, then renames all of them.

    Where one can't be written, none is touched. Raises `WitError` naming the file.
    """
    ready: list[tuple[str, Path]] = []
    try:
        for path, content in files.items():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
                ready.append((name, path))
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                Path(name).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
            except OSError as error:
                raise WitError.at(str(path), f"can't be written: {error.strerror or error}") from None
        for name, path in ready:
            try:
                Path(name).replace(path)
            except OSError as error:
                raise WitError.at(str(path), f"can't be written: {error.strerror or error}") from None
    finally:
        for name, _ in ready:
            Path(name).unlink(missing_ok=True)

"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from witgen.diagnostics import WitError

__all__ = ["differing", "write_all"]


def differing(files: Mapping[Path, bytes]) -> list[Path]:
    """Those of `files` that are missing or hold something else, in order."""
    return [path for path, content in files.items() if not path.is_file() or path.read_bytes() != content]


def write_all(files: Mapping[Path, bytes]) -> None:
    """Writes each file to a temporary name beside its place, then renames all of them.

    Links are followed, and modes stay. What is there and is no regular file, such as a device or a pipe, is written
    into. Where one can't be written, none is touched. Raises `WitError` naming the file.
    """
    ready: list[tuple[str, Path, Path]] = []
    streams: list[tuple[Path, bytes]] = []
    try:
        for path, content in files.items():
            with _naming(path):
                place = path.resolve() if path.is_symlink() else path
                if place.exists() and not place.is_file():
                    streams.append((path, content))
                    continue
                place.parent.mkdir(parents=True, exist_ok=True)
                descriptor, name = tempfile.mkstemp(dir=place.parent, prefix=".witgen-")
                ready.append((name, place, path))
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                _adopt(Path(name), place)
        for name, place, path in ready:
            with _naming(path):
                Path(name).replace(place)
        for path, content in streams:
            with _naming(path), path.open("wb") as file:
                file.write(content)
    finally:
        for name, _, _ in ready:
            Path(name).unlink(missing_ok=True)


def _adopt(new: Path, place: Path) -> None:
    """Give a new file the mode of the one that it takes the place of, and its owner where that is allowed."""
    if not place.exists():
        new.chmod(0o644)
        return
    old = place.stat()
    with contextlib.suppress(OSError, AttributeError):
        os.chown(new, old.st_uid, old.st_gid)
    new.chmod(old.st_mode & 0o777)


@contextlib.contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turns an OSError of the block into a `WitError` that names the file."""
    try:
        yield
    except OSError as error:
        raise WitError.at(str(path), f"can't be written: {(error.strerror or str(error)).lower()}") from None

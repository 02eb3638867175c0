"""`wasi:filesystem` by grant: the folders that components are given, under the names by which they see them.

Nothing else of the host's files can be reached: every operation starts at one of these folders and stays below it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from witgen.wasi.bindings import host
from witgen.wasi.descriptors import Descriptor
from witgen.wasi.file_errors import error_code
from witgen.wasi.files import OpenFile
from witgen.wasi.io import IoError

__all__ = ["Filesystem", "Preopen"]


@dataclass(frozen=True, slots=True)
class Preopen:
    """A folder that components are given.

    `guest` is the path under which they see it (``/data``), `folder` where it is on the host. Only with `write` may
    they change anything in it.
    """

    guest: str
    folder: str | os.PathLike[str]
    write: bool = False


class Filesystem:
    """Preopened folders: the interfaces `wasi:filesystem/types` and `wasi:filesystem/preopens`.

    It may serve any number of instances, one after the other or at the same time; they share the folders and nothing
    else. `secret` goes into the hashes of metadata: with the same secret of 16 to 64 bytes they are the same in
    another run of the host, without one they are not.
    """

    def __init__(self, preopens: Iterable[Preopen], *, secret: bytes | None = None) -> None:
        """Opens the folders, so that later renames do not matter. Raises `OSError` if one can't be opened as such."""
        self._secret = os.urandom(32) if secret is None else secret
        if not 16 <= len(self._secret) <= 64:
            raise ValueError(f"a secret of {len(self._secret)} bytes, where 16 to 64 are wanted")
        self._folders = [(_opened(preopen.folder), preopen) for preopen in preopens]

    def __enter__(self) -> Filesystem:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives out no more folders. Descriptors that components hold stay open until they drop them."""
        self._folders = []

    def get_directories(self) -> Sequence[tuple[host.Descriptor, str]]:
        """The folders, each with the name by which components see it."""
        read = host.DescriptorFlags.READ.value
        return [
            (Descriptor(file, read, mutable=preopen.write, secret=self._secret), preopen.guest)
            for file, preopen in self._folders
        ]

    def filesystem_error_code(self, err: host.ErrorError) -> host.TypesErrorCode | None:
        """What a stream's error means for files; None where it has another meaning, which another interface knows."""
        return error_code(err.error) if type(err) is IoError else None


def _opened(folder: str | os.PathLike[str]) -> OpenFile:
    return OpenFile(os.open(Path(folder), os.O_RDONLY | os.O_DIRECTORY))

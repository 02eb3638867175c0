"""From a path to a name in an open directory, without ever leaving the directory where the path begins.

A path goes one name at a time, each opened relative to the directory before it and never through a symbolic link; links
are read and followed here. What other processes rename or replace meanwhile can make a path fail or lead elsewhere
below the root, but not out of it. Follows "WASI filesystem path resolution" (`path-resolution.md` of wasi-filesystem).
This module knows descriptors and `OSError`, and nothing of WASI's values.
"""

from __future__ import annotations

import errno
import os
from types import TracebackType

__all__ = ["MODE", "Walk", "decode", "encode", "failure", "open_below"]

#: Permissions of new files, less those that the process masks.
MODE = 0o666

#: How directories on the way are opened: to go through them takes no permission to list them.
_THROUGH = getattr(os, "O_PATH", getattr(os, "O_SEARCH", os.O_RDONLY)) | os.O_DIRECTORY | os.O_NOFOLLOW
#: A component neither becomes the owner of a terminal nor waits for the other end of a named pipe.
_FINAL = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY

#: How opening a symbolic link fails that is not to be followed; other things may fail in these ways, too.
_PERHAPS_LINK = frozenset({errno.ELOOP, errno.ENOTDIR, errno.EMLINK})

#: The longest path in bytes, and the most links of one path, as Linux has them.
_LONGEST = 4095
_MOST_LINKS = 40
#: The most directories that are opened for one path: ``..`` goes down from the root again.
_MOST_STEPS = 8192


def failure(code: int) -> OSError:
    """The exception for an `errno`."""
    return OSError(code, os.strerror(code))


def encode(path: str) -> bytes:
    """A path of a component, or the contents of a link, for the system. Raises `OSError`: EINVAL, ENAMETOOLONG."""
    data = path.encode()
    if b"\0" in data:
        raise failure(errno.EINVAL)
    if len(data) > _LONGEST:
        raise failure(errno.ENAMETOOLONG)
    return data


def decode(name: bytes) -> str:
    """A name of the system for components. Raises `OSError` with EILSEQ if it is not UTF-8."""
    try:
        return name.decode()
    except UnicodeDecodeError:
        raise failure(errno.EILSEQ) from None


def _names(path: bytes, present: bool) -> list[bytes]:
    """The names in a path, the first one last; ``.`` is kept where it is the end. Raises `OSError`."""
    if not path:
        raise failure(errno.ENOENT)
    if path.startswith(b"/"):
        raise failure(errno.EPERM)
    names = [name for name in path.split(b"/") if name not in (b"", b".")]
    if not names or path.endswith((b"/.", b"/") if present else b"/."):
        names.append(b".")
    return names[::-1]


class Walk:
    """The way of one path. Used in a ``with`` statement, whose end closes what it has opened.

    `folder` is the descriptor of the directory that it has come to: `root` at first, which is the caller's.
    `slash` says whether the path ends in ``/``, and so can only mean a directory. Where the path is one of something
    that is there (`present`), such an end is the same as ``/.``: it leads through a link.
    """

    def __init__(self, root: int, path: str, *, present: bool = False) -> None:
        """Raises `OSError`: EINVAL, ENAMETOOLONG, ENOENT (nothing in it), EPERM (begins with ``/``)."""
        data = encode(path)
        self.folder = self._root = root
        self.slash = data.endswith(b"/")
        #: The names that lead from the root to `folder`.
        self._passed: list[bytes] = []
        #: The names ahead, the next one last.
        self._ahead = _names(data, present)
        self._links = self._steps = 0

    def __enter__(self) -> Walk:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._move(self._root)

    def last(self) -> bytes:
        """Goes through all names but the last, which it gives; ``.`` is `folder` itself. Raises `OSError`."""
        while True:
            name = self._ahead.pop()
            if name == b"..":
                self._up()
            elif not self._ahead:
                return name
            elif name != b".":
                self._enter(name)

    def end(self, *, follow: bool) -> bytes:
        """As `last`; if `follow`, what it gives was no symbolic link."""
        name = self.last()
        while follow and self.follow(name):
            name = self.last()
        return name

    def follow(self, name: bytes) -> bool:
        """Puts the path in a symbolic link of `folder` in front; says whether the name is one.

        Raises `OSError`: EPERM (absolute), ELOOP (too many).
        """
        try:
            target = os.readlink(name, dir_fd=self.folder)
        except OSError as error:
            # Not a link, or not there: whatever is done with it will say so.
            if error.errno in (errno.EINVAL, errno.ENOENT):
                return False
            raise
        self._links += 1
        if self._links > _MOST_LINKS:
            raise failure(errno.ELOOP)
        self._ahead += _names(target, True)
        return True

    def _enter(self, name: bytes) -> None:
        """Goes into a directory, or through a link."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise failure(errno.ELOOP)
        try:
            inner = os.open(name, _THROUGH, dir_fd=self.folder)
        except OSError as error:
            if error.errno not in _PERHAPS_LINK or not self.follow(name):
                raise
        else:
            self._move(inner)
            self._passed.append(name)

    def _up(self) -> None:
        """Goes up: from the root down again, for what is above a directory is its own affair."""
        count = 1
        while self._ahead and self._ahead[-1] == b"..":
            self._ahead.pop()
            count += 1
        if count > len(self._passed):
            raise failure(errno.EPERM)
        self._ahead = [*(self._ahead or [b"."]), *reversed(self._passed[:-count])]
        self._passed = []
        self._move(self._root)

    def _move(self, folder: int) -> None:
        left, self.folder = self.folder, folder
        if left != self._root:
            os.close(left)


def open_below(root: int, path: str, flags: int, *, follow: bool) -> int:
    """Opens what a path leads to; a link at its end only if `follow`. Gives a new descriptor. Raises `OSError`."""
    creates = bool(flags & os.O_CREAT)
    with Walk(root, path, present=not creates) as walk:
        while True:
            name = walk.last()
            if creates and walk.slash:
                raise failure(errno.EISDIR)
            try:
                return os.open(name, flags | _FINAL, MODE, dir_fd=walk.folder)
            except OSError as error:
                if not follow or error.errno not in _PERHAPS_LINK or not walk.follow(name):
                    raise

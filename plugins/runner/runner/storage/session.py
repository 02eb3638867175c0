"""The files as somebody sees them: below a home, with permissions, up to a share of the space."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from runner.storage.entries import ALL, Entry, Kind, Permissions
from runner.storage.errors import Reason, StorageError
from runner.storage.paths import Parts, checked, resolve, split
from runner.storage.tree import Source, Tree, Upload

__all__ = ["Session"]

_MAY = Permissions
_STORING = Permissions.STORE | Permissions.CREATE


class Session:
    """A tree for one user. Paths are absolute ones that `resolve` gave. Everything but `resolve` may block, and raises
    `StorageError` for what is refused.
    """

    def __init__(self, tree: Tree, home: str = "/", permissions: Permissions = ALL, quota: int | None = None) -> None:
        """`home` is the directory that the user sees as ``/``; `quota` is how many bytes all files there may have."""
        self._tree = tree
        self._home = split(resolve("/", home))
        self.granted = permissions
        self._quota = quota
        #: Whether `enter`, `stat` and `open` are prompt, and whether to begin an upload that takes nothing over is.
        self.prompt = tree.prompt
        self.prompt_uploads = tree.prompt and quota is None
        # Who may replace files and bring new ones need not be told what there is.
        self._stores = permissions & _STORING == _STORING

    def resolve(self, folder: str, path: str) -> str:
        """What a path means for somebody who is in `folder`. Raises `StorageError`: bad-name."""
        return resolve(folder, path)

    def may(self, entry: Entry) -> Permissions:
        """What the user may do with an entry."""
        return entry.permissions(self.granted)

    def enter(self, path: str) -> None:
        """Refuses a path that is no directory, or not for the user."""
        self._need(_MAY.ENTER)
        if self._tree.stat(self._real(path)).kind is not Kind.DIRECTORY:
            raise StorageError(Reason.WRONG_KIND)

    def stat(self, path: str) -> Entry:
        """What is there."""
        found = self._tree.stat(self._real(path))
        return found if split(path) else replace(found, name="/")

    def list(self, path: str) -> list[Entry]:
        """What is in a directory, by name; or of a file the file."""
        self._need(_MAY.ENUMERATE)
        found = self.stat(path)
        return self._tree.list(self._real(path)) if found.kind is Kind.DIRECTORY else [found]

    def make_directory(self, path: str) -> None:
        """Makes a directory where nothing is."""
        self._need(_MAY.MAKE_DIRECTORY)
        self._tree.make_directory(self._below(path))

    def remove_directory(self, path: str) -> None:
        """Removes an empty directory."""
        self._need(_MAY.DELETE)
        self._tree.remove_directory(self._below(path))

    def delete(self, path: str) -> None:
        """Removes a file."""
        self._need(_MAY.DELETE)
        self._tree.delete(self._below(path))

    def rename(self, old: str, new: str) -> None:
        """Gives something another path, where nothing is."""
        self._need(_MAY.RENAME)
        self._tree.rename(self._below(old), self._below(new))

    def open(self, path: str, offset: int = 0) -> Source:
        """Opens a file for reading, from a position on."""
        self._need(_MAY.RETRIEVE)
        return self._tree.open(self._real(path), offset)

    def store(self, path: str, offset: int = 0) -> Upload:
        """Begins a file, instead of the one that is there; its first `offset` bytes are kept."""
        if not self._stores:
            self._need(_MAY.STORE if offset or self._is_there(path) else _MAY.CREATE)
        return self._limited(self._tree.store(self._below(path), offset), offset)

    def append(self, path: str) -> Upload:
        """Begins to lengthen a file, which need not be there."""
        self._need(_MAY.APPEND if self._is_there(path) else _MAY.CREATE)
        return self._limited(self._tree.append(self._below(path)), 0)

    def unique(self, folder: str, name: str = "file") -> Upload:
        """Begins a file under a name that is free: `name`, or one like it."""
        self._need(_MAY.CREATE)
        return self._limited(self._tree.unique(self._real(folder), checked(name)), 0)

    def _need(self, permission: Permissions) -> None:
        if not self.granted & permission:
            raise StorageError(Reason.FORBIDDEN)

    def _real(self, path: str) -> Parts:
        return self._home + split(path)

    def _below(self, path: str) -> Parts:
        """As `_real`, for what can't be done with the home itself."""
        if not split(path):
            raise StorageError(Reason.FORBIDDEN)
        return self._real(path)

    def _is_there(self, path: str) -> bool:
        try:
            self._tree.stat(self._below(path))
        except StorageError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            return False
        return True

    def _limited(self, upload: Upload, kept: int) -> Upload:
        if self._quota is None:
            return upload
        try:
            return _Limited(upload, self._quota - self._used(self._home) - kept)
        except BaseException:
            upload.abandon()
            raise

    def _used(self, path: Parts) -> int:
        """The bytes of all files below a directory; what links lead to more than once counts once."""
        total, seen, ahead = 0, set[str | None](), [path]
        while ahead:
            folder = ahead.pop()
            for entry in self._listed(folder):
                if entry.kind is not Kind.DIRECTORY:
                    total += entry.size or 0
                elif entry.unique is None or entry.unique not in seen:
                    seen.add(entry.unique)
                    ahead.append((*folder, entry.name))
        return total

    def _listed(self, path: Parts) -> Sequence[Entry]:
        """What is in a directory; nothing where it has been removed since somebody found it."""
        try:
            return self._tree.list(path)
        except StorageError as error:
            if error.reason is not Reason.NOT_FOUND:
                raise
            return []


class _Limited:
    """An upload for which there is room for so many bytes. What it replaces counts until it is replaced."""

    prompt = False

    def __init__(self, upload: Upload, room: int) -> None:
        self._upload = upload
        self._room = room

    @property
    def name(self) -> str:
        """What it will be called."""
        return self._upload.name

    def write(self, pieces: Iterable[bytes]) -> None:
        """Appends bytes, as far as there is room for them."""
        pieces = list(pieces)
        self._room -= sum(map(len, pieces))
        if self._room < 0:
            raise StorageError(Reason.QUOTA)
        self._upload.write(pieces)

    def commit(self) -> None:
        """Has it be there."""
        self._upload.commit()

    def abandon(self) -> None:
        """Has it never been."""
        self._upload.abandon()

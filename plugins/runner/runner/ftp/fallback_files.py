"""Files and accounts of the Runner in the words of pyftpdlib: its paths are the absolute ones of a `Session`."""

from __future__ import annotations

import errno
import os
import stat
import zlib
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, TypeVar

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.exceptions import AuthenticationFailed, FilesystemError
from pyftpdlib.filesystems import AbstractedFS

from runner.accounts import Account, Accounts
from runner.storage import Entry, Kind, Permissions, Session, Source, StorageError, Upload

__all__ = ["Files", "Received", "Users"]

T = TypeVar("T")
_MODES = {Kind.FILE: stat.S_IFREG, Kind.DIRECTORY: stat.S_IFDIR, Kind.OTHER: stat.S_IFIFO}
#: Its letters, and what of ours one needs for each.
_LETTERS = {
    "e": Permissions.ENTER,
    "l": Permissions.ENUMERATE,
    "r": Permissions.RETRIEVE,
    "a": Permissions.APPEND | Permissions.CREATE,
    "d": Permissions.DELETE,
    "f": Permissions.RENAME,
    "m": Permissions.MAKE_DIRECTORY,
    "w": Permissions.STORE | Permissions.CREATE,
}


class Users(DummyAuthorizer):  # type: ignore[misc]
    """Who is logged in on one connection."""

    def __init__(self, accounts: Accounts) -> None:
        super().__init__()
        self._accounts = accounts
        self.account: Account | None = None

    def validate_authentication(self, username: str, password: str, handler: Any) -> None:
        """Raises `AuthenticationFailed` where name and password do not fit."""
        self.account = self._accounts.login(username, password)
        if self.account is None:
            raise AuthenticationFailed

    def get_home_dir(self, username: str) -> str:
        """The home is the root."""
        return "/"

    def get_msg_login(self, username: str) -> str:
        """What is said when somebody has logged in."""
        return "Login successful."

    def get_msg_quit(self, username: str) -> str:
        """What is said when somebody leaves."""
        return "Goodbye."

    def has_perm(self, username: str, perm: str, path: str | None = None) -> bool:
        """Whether the user may do something, as far as that can be said without looking at the files."""
        return self.account is not None and bool(self.account.permissions & _LETTERS.get(perm, Permissions(0)))

    def get_perms(self, username: str) -> str:
        """All that the user may do."""
        return "".join(letter for letter in _LETTERS if self.has_perm(username, letter))


class Files(AbstractedFS):  # type: ignore[misc]
    """The user's files."""

    def __init__(self, root: str, cmd_channel: Any) -> None:
        super().__init__(root, cmd_channel)
        account = cmd_channel.authorizer.account
        self._session = Session(cmd_channel.owner.tree, account.home, account.permissions, account.quota)

    # Paths

    def ftp2fs(self, ftppath: str) -> str:
        """What a path of the client means. Raises `StorageError`."""
        return self._session.resolve(self.cwd, ftppath)

    def fs2ftp(self, fspath: str) -> str:
        """They are the same."""
        return fspath

    def validpath(self, path: str) -> bool:
        """Those are that `ftp2fs` gave."""
        return True

    def realpath(self, path: str) -> str:
        """Links are the storage's affair."""
        return path

    # What is there

    def stat(self, path: str) -> Any:
        """What is known of a path, in the form of `os.stat`."""
        return _status(_told(lambda: self._session.stat(path)))

    lstat = stat

    def listdir(self, path: str) -> list[str]:
        """The names in a directory."""
        return [entry.name for entry in _told(lambda: self._session.list(path))]

    def isfile(self, path: str) -> bool:
        """Whether it is a file."""
        return self._kind(path) is Kind.FILE

    def isdir(self, path: str) -> bool:
        """Whether it is a directory."""
        return self._kind(path) is Kind.DIRECTORY

    def lexists(self, path: str) -> bool:
        """Whether there is something."""
        return self._kind(path) is not None

    def getsize(self, path: str) -> int:
        """The size of a file."""
        return _told(lambda: self._session.stat(path)).size or 0

    def getmtime(self, path: str) -> float:
        """When it was last changed, in seconds since the Unix epoch."""
        return (_told(lambda: self._session.stat(path)).modified or 0) / 1e9

    def get_user_by_uid(self, uid: str) -> str:
        """They are names already."""
        return uid

    def get_group_by_gid(self, gid: str) -> str:
        """They are names already."""
        return gid

    def _kind(self, path: str) -> Kind | None:
        try:
            return self._session.stat(path).kind
        except StorageError:
            return None

    # What is changed

    def chdir(self, path: str) -> None:
        """Goes to a directory."""
        _told(lambda: self._session.enter(path))
        self.cwd = path

    def mkdir(self, path: str) -> None:
        """Makes a directory."""
        _told(lambda: self._session.make_directory(path))

    def rmdir(self, path: str) -> None:
        """Removes a directory."""
        _told(lambda: self._session.remove_directory(path))

    def remove(self, path: str) -> None:
        """Removes a file."""
        _told(lambda: self._session.delete(path))

    def rename(self, src: str, dst: str) -> None:
        """Gives something another path."""
        _told(lambda: self._session.rename(src, dst))

    # Transfers

    def open(self, filename: str, mode: str) -> Any:
        """A file to be sent, or one that is received: after REST (``r+b``) from where `seek` says on."""
        if mode == "rb":
            return _told(lambda: _sent(self._session.open(filename), filename))
        if mode == "r+b":
            return Received(filename, lambda position: self._session.store(filename, position))
        begin = self._session.append if mode == "ab" else self._session.store
        return _told(lambda: _begun(filename, begin(filename)))

    def mkstemp(self, suffix: str = "", prefix: str = "", dir: str | None = None, mode: str = "wb") -> Any:
        """A file that is received under a name that is free."""
        upload = _told(lambda: self._session.unique(dir or self.cwd, prefix.rstrip(".") or "file"))
        return _begun(self._session.resolve(dir or self.cwd, upload.name), upload)


def _told(call: Callable[[], T]) -> T:
    """Has pyftpdlib be told what is refused, in its own words."""
    try:
        return call()
    except StorageError as error:
        raise FilesystemError(str(error)) from None


def _status(entry: Entry) -> Any:
    mode = 0o700 if entry.kind is Kind.DIRECTORY else 0o600
    return SimpleNamespace(
        st_mode=_MODES[entry.kind] | (mode if entry.mode is None else entry.mode),
        st_nlink=1,
        st_size=entry.size or 0,
        st_uid=entry.owner or "ftp",
        st_gid=entry.group or "ftp",
        st_mtime=(entry.modified or 0) / 1e9,
        st_ctime=(entry.modified or 0) / 1e9,
        st_dev=0,
        st_ino=zlib.crc32((entry.unique or entry.name).encode()),
    )


def _sent(source: Source, name: str) -> Any:
    """A file that is sent: the system's own, where there is one, which it can send by itself."""
    if source.descriptor is None:
        return _Source(source, name)
    file = os.fdopen(os.dup(source.descriptor), "rb")
    source.close()
    return file


class _Source:
    """A file that is sent, from a storage without descriptors."""

    def __init__(self, source: Source, name: str) -> None:
        self._source = source
        self.name = name
        self.closed = False

    def read(self, size: int) -> bytes:
        """The next bytes."""
        try:
            return self._source.read(size)
        except StorageError as error:
            raise OSError(errno.EIO, str(error)) from None

    def seek(self, position: int) -> None:
        """Leaves bytes out."""
        while position > 0 and (data := self.read(min(position, 1 << 20))):
            position -= len(data)

    def close(self) -> None:
        """Lets go of it."""
        self._source.close()
        self.closed = True


class Received:
    """A file that is received. What is closed before `commit` has never been."""

    def __init__(self, name: str, begin: Callable[[int], Upload]) -> None:
        """`begin` begins the upload, at the position that `seek` gives."""
        self.name = name
        self._begin = begin
        self._upload: Upload | None = None
        self.closed = False

    def seek(self, position: int) -> None:
        """Begins after so many bytes of what is there."""
        self._upload = _told(lambda: self._begin(position))

    def write(self, data: bytes) -> int:
        """Appends bytes."""
        assert self._upload is not None
        try:
            self._upload.write([data])
        except StorageError as error:
            raise OSError(errno.EIO, str(error)) from None
        return len(data)

    def commit(self) -> None:
        """Has the file be there. Raises `StorageError`."""
        assert self._upload is not None
        self._upload.commit()

    def close(self) -> None:
        """Lets go of it."""
        if self._upload is not None:
            self._upload.abandon()
        self.closed = True


def _begun(name: str, upload: Upload) -> Received:
    """A file that is received from its beginning."""
    found = Received(name, lambda position: upload)
    found.seek(0)
    return found

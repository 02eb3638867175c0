"""Files and accounts of the Runner in the words of pyftpdlib: its paths are the absolute ones of a `Session`."""

from __future__ import annotations

import copy
import errno
import hashlib
import os
import re
import stat
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, TypeVar

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.exceptions import AuthenticationFailed, FilesystemError
from pyftpdlib.filesystems import AbstractedFS

from runner.accounts.accounts import Accounts
from runner.accounts.file import Account
from runner.storage import Entry, Kind, Permissions, Reason, Session, Source, StorageError, Upload

__all__ = ["Files", "Received", "Users", "refusal", "reply_to"]

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
#: The codes of replies to refusals that are not 550, as `refusal-reason` of ``component:ftp/control`` has them.
_CODES = {
    Reason.BAD_NAME: 553,
    Reason.BUSY: 450,
    Reason.NO_SPACE: 452,
    Reason.QUOTA: 552,
    Reason.UNSUPPORTED: 504,
    Reason.STORAGE: 451,
}
#: How `runner.storage` writes what is unique about a file of the system: device and number.
_UNIQUE = re.compile(r"([0-9a-f]+)g([0-9a-f]+)")


def reply_to(error: StorageError) -> str:
    """The reply to a command that the storage refuses."""
    return f"{_CODES.get(error.reason, 550)} {error}."


def refusal(error: BaseException | None) -> StorageError:
    """What the storage has said, or what it should have."""
    while error is not None and not isinstance(error, StorageError):
        error = error.__cause__
    return error or StorageError(Reason.STORAGE)


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
        self._listed: dict[str, Entry] = {}
        self._known: dict[str, Entry] = {}
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
        known = self._known.get(path)
        return _status(path, known or self._told(lambda: self._session.stat(path)))

    lstat = stat

    def listdir(self, path: str) -> list[str]:
        """The names in a directory. What is known of them beside is kept for the listing that is to be made."""
        entries = self._told(lambda: self._session.list(path))
        self._listed = {f"{path.rstrip('/')}/{entry.name}": entry for entry in entries}
        return [entry.name for entry in entries]

    def format_list(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        """The lines of LIST."""
        lines: Iterator[bytes] = AbstractedFS.format_list(self._knowing(), *args, **kwargs)
        return lines

    def format_mlsx(self, *args: Any, **kwargs: Any) -> Iterator[bytes]:
        """The lines of MLSD."""
        lines: Iterator[bytes] = AbstractedFS.format_mlsx(self._knowing(), *args, **kwargs)
        return lines

    def _knowing(self) -> Files:
        """The same files for one listing, which is made while it is sent: they are not asked for again one by one."""
        found = copy.copy(self)
        found._known, self._listed = self._listed, {}
        return found

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
        return self._told(lambda: self._session.stat(path)).size or 0

    def getmtime(self, path: str) -> float:
        """When it was last changed, in seconds since the Unix epoch."""
        return (self._told(lambda: self._session.stat(path)).modified or 0) / 1e9

    def get_user_by_uid(self, uid: str) -> str:
        """They are names already."""
        return uid

    def get_group_by_gid(self, gid: str) -> str:
        """They are names already."""
        return gid

    def _kind(self, path: str) -> Kind | None:
        try:
            return self._told(lambda: self._session.stat(path)).kind
        except FilesystemError:
            return None

    def _told(self, call: Callable[[], T]) -> T:
        """Has pyftpdlib be told what is refused in its own words, and the connection in those of the storage."""
        try:
            return call()
        except StorageError as error:
            self.cmd_channel.refusal = error
            raise FilesystemError(str(error)) from None

    # What is changed

    def chdir(self, path: str) -> None:
        """Goes to a directory."""
        self._told(lambda: self._session.enter(path))
        self.cwd = path

    def mkdir(self, path: str) -> None:
        """Makes a directory."""
        self._told(lambda: self._session.make_directory(path))

    def rmdir(self, path: str) -> None:
        """Removes a directory."""
        self._told(lambda: self._session.remove_directory(path))

    def remove(self, path: str) -> None:
        """Removes a file."""
        self._told(lambda: self._session.delete(path))

    def rename(self, src: str, dst: str) -> None:
        """Gives something another path."""
        self._told(lambda: self._session.rename(src, dst))

    # Transfers

    def open(self, filename: str, mode: str) -> Any:
        """A file to be sent, or one that is received: after REST (``r+b``) from where `seek` says on."""
        if mode == "rb":
            return self._told(lambda: _sent(self._session.open(filename), filename))
        if mode == "r+b":
            return Received(filename, lambda position: self._told(lambda: self._session.store(filename, position)))
        begin = self._session.append if mode == "ab" else self._session.store
        return self._told(lambda: _begun(filename, begin(filename)))

    def mkstemp(self, suffix: str = "", prefix: str = "", dir: str | None = None, mode: str = "wb") -> Any:
        """A file that is received under a name that is free."""
        upload = self._told(lambda: self._session.unique(dir or self.cwd, prefix.rstrip(".") or "file"))
        return _begun(self._session.resolve(dir or self.cwd, upload.name), upload)


def _status(path: str, entry: Entry) -> Any:
    device, number = _unique(path, entry)
    mode = 0o700 if entry.kind is Kind.DIRECTORY else 0o600
    return SimpleNamespace(
        st_mode=_MODES[entry.kind] | (mode if entry.mode is None else entry.mode),
        st_nlink=1,
        st_size=entry.size or 0,
        st_uid=entry.owner or "ftp",
        st_gid=entry.group or "ftp",
        st_mtime=(entry.modified or 0) / 1e9,
        st_ctime=(entry.modified or 0) / 1e9,
        st_dev=device,
        st_ino=number,
    )


def _unique(path: str, entry: Entry) -> tuple[int, int]:
    """What tells it from every other, as pyftpdlib wants it: in two numbers."""
    found = _UNIQUE.fullmatch(entry.unique or "")
    if found is not None:
        return int(found[1], 16), int(found[2], 16)
    return 0, int.from_bytes(hashlib.blake2b((entry.unique or path).encode(), digest_size=8).digest())


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
            raise OSError(errno.EIO, str(error)) from error

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
        self._upload = self._begin(position)

    def write(self, data: bytes) -> int:
        """Appends bytes."""
        assert self._upload is not None
        try:
            self._upload.write([data])
        except StorageError as error:
            raise OSError(errno.EIO, str(error)) from error
        return len(data)

    def commit(self) -> None:
        """Has the file be there; a second time there is nothing to do. Raises `StorageError`."""
        if self._upload is not None:
            upload, self._upload = self._upload, None
            upload.commit()

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

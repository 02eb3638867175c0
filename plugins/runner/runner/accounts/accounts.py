"""Logging in: a name and a password against a file, which is read again when it has changed.

Passwords are hashed with argon2id (RFC 9106), which is meant to be slow and large: only a few are checked at a time. So
that clients that come often need not wait for that each time, a password that was right is remembered for a minute, as
a digest whose key exists in this process alone (BLAKE2, RFC 7693); the hash in the file is part of it, so that a
changed one counts at once. Who looks into the memory of this process sees passwords anyway, as they arrive.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import structlog

from runner.accounts.file import ANONYMOUS, Account, parse
from witgen.diagnostics import WitError
from witgen.toml import read_text

__all__ = ["Accounts", "hash_password"]

_log = structlog.get_logger("runner.accounts")
#: Names under which clients ask to be let in without a password.
_ANONYMOUS = {ANONYMOUS, "ftp"}
#: Passwords that are checked at a time, each with 64 MiB of memory.
_AT_ONCE = 2
#: Seconds that a right password is remembered, and how many.
_REMEMBERED = 60.0
_MOST = 4096
#: Seconds between one look at the file and the next.
_LOOK = 1.0


class Accounts:
    """The accounts of a file. Threads may share it."""

    def __init__(self, path: Path | None = None, *, anonymous: Account | None = None) -> None:
        """Reads the file; without one there is nobody but `anonymous`, which goes before the one of the file.

        Raises `WitError` for a file that can't be read or is wrong.
        """
        self._path = path
        self._anonymous = anonymous
        self._lock = threading.Lock()
        self._checking = threading.Semaphore(_AT_ONCE)
        self._key = secrets.token_bytes(32)
        self._right: dict[bytes, float] = {}
        self._looked = time.monotonic()
        self._seen = self._state()
        self._accounts: Mapping[str, Account] = {} if path is None else parse(read_text(path))
        # A password that nobody has, for names that nobody has: checking it takes as long.
        self._nobody = next((item.password for item in self._accounts.values() if item.password), None)

    @property
    def names(self) -> list[str]:
        """Who may log in."""
        anonymous = [] if self._anonymous is None else [ANONYMOUS]
        return sorted({*self._accounts, *anonymous})

    def remembered(self, name: str, password: str) -> Account | None:
        """The account, if name and password are known to be right; never blocks. None says nothing: `login` knows."""
        if self._is_due(time.monotonic()) or not self._lock.acquire(blocking=False):
            return None
        try:
            if name in _ANONYMOUS and (found := self._guest()) is not None:
                return found
            account = self._accounts.get(name)
            if account is None or account.password is None:
                return None
            known = self._right.get(self._digest(account, password), 0) > time.monotonic()
            return account if known else None
        finally:
            self._lock.release()

    def login(self, name: str, password: str) -> Account | None:
        """The account, if name and password are right. May block for the time that a hash takes, about 50 ms.

        It takes as long for a name that there is not, so that nobody finds out names by that.
        """
        self._look()
        if name in _ANONYMOUS and (found := self._guest()) is not None:
            return found
        account = self._accounts.get(name)
        if account is not None and account.password is not None:
            return account if self._is_right(account, password) else None
        if self._nobody is not None:
            self._verify(self._nobody, password)
        return None

    def _guest(self) -> Account | None:
        return self._anonymous or self._accounts.get(ANONYMOUS)

    def _is_right(self, account: Account, password: str) -> bool:
        assert account.password is not None
        known = self._digest(account, password)
        with self._lock:
            if self._right.get(known, 0) > time.monotonic():
                return True
        if not self._verify(account.password, password):
            return False
        with self._lock:
            if len(self._right) >= _MOST:
                self._right.clear()
            self._right[known] = time.monotonic() + _REMEMBERED
        return True

    def _digest(self, account: Account, password: str) -> bytes:
        found = hashlib.blake2b(key=self._key, digest_size=32)
        for part in (account.name, account.password or "", password):
            data = part.encode(errors="surrogatepass")
            found.update(len(data).to_bytes(8) + data)
        return found.digest()

    def _verify(self, hashed: str, password: str) -> bool:
        from argon2 import PasswordHasher
        from argon2.exceptions import InvalidHashError, VerificationError

        with self._checking:
            try:
                return PasswordHasher().verify(hashed, password.encode(errors="surrogatepass"))
            except (VerificationError, InvalidHashError):
                return False

    def _look(self) -> None:
        """Reads the file again if it has changed. A broken one changes nothing."""
        with self._lock:
            now = time.monotonic()
            if self._path is None or not self._is_due(now):
                return
            self._looked = now
            state = self._state()
            if state == self._seen:
                return
            self._seen = state
            try:
                self._accounts = parse(read_text(self._path))
            except WitError as error:
                _log.warning("the accounts can't be read again, and stay as they are", problem=str(error))
                return
            self._nobody = next((item.password for item in self._accounts.values() if item.password), None)
        _log.info("accounts were read again", accounts=len(self._accounts))

    def _is_due(self, now: float) -> bool:
        return self._path is not None and now - self._looked >= _LOOK

    def _state(self) -> tuple[int, int, int] | None:
        if self._path is None:
            return None
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size, found.st_ino


def hash_password(password: str) -> str:
    """The hash that goes into a file."""
    from argon2 import PasswordHasher

    return PasswordHasher().hash(password.encode(errors="surrogatepass"))

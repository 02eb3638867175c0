"""The file of accounts: what stands in it, and how tables come into it and out of it without a change to the rest.

[accounts.alice]
password = "$argon2id$v=19$…"
home = "/alice"
permissions = "acdeflmprw"
quota = 1_000_000_000

[anonymous]
home = "/pub"
"""

from __future__ import annotations

import itertools
import re
import tomllib
from dataclasses import dataclass
from typing import Any

from runner.storage import ALL, READING, Permissions, StorageError, parse_permissions
from runner.storage.paths import resolve
from witgen.diagnostics import Source, WitError
from witgen.toml import error_at, parse_toml

__all__ = ["ANONYMOUS", "Account", "add", "parse", "remove"]

#: The name of whoever logs in without one (RFC 1635), and the other that clients use.
ANONYMOUS = "anonymous"
_NAME = re.compile(r"[^\x00-\x20\x7f](?:[^\x00-\x1f\x7f]*[^\x00-\x20\x7f])?")
_HASH = re.compile(r"\$argon2(id|i|d)\$v=\d+\$m=\d+,t=\d+,p=\d+\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+")
_KEYS = ("password", "home", "permissions", "quota")
_HEADER = re.compile(r"^[ \t]*\[[^\n]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may log in: `password` is the argon2 hash, None for who needs none; `quota` is in bytes."""

    name: str
    password: str | None
    home: str = "/"
    permissions: Permissions = ALL
    quota: int | None = None


def parse(source: Source) -> dict[str, Account]:
    """The accounts of a file, by name. Raises `WitError` with the place of what is wrong."""
    data = parse_toml(source)
    for key in data:
        if key not in ("accounts", ANONYMOUS):
            raise error_at(source, key, f"unknown table {key!r}; there are accounts and {ANONYMOUS}")
    tables = data.get("accounts", {})
    if not isinstance(tables, dict):
        raise error_at(source, "accounts", "accounts must be tables such as [accounts.alice]")
    found = {}
    for name, table in tables.items():
        if name == ANONYMOUS or not _NAME.fullmatch(name):
            raise error_at(source, name, f"{name!r} can't be the name of an account", table="accounts")
        found[name] = _account(source, name, table, f"accounts.{name}")
    if ANONYMOUS in data:
        found[ANONYMOUS] = _account(source, ANONYMOUS, data[ANONYMOUS], ANONYMOUS)
    return found


def _account(source: Source, name: str, table: Any, where: str) -> Account:
    def wrong(word: str, message: str) -> WitError:
        return error_at(source, word, message, table=where)

    if not isinstance(table, dict):
        raise error_at(source, name, f"account {name!r} must be a table")
    keys = _KEYS[1:] if name == ANONYMOUS else _KEYS
    for key in table:
        if key not in keys:
            raise wrong(key, f"account {name!r} can't have {key!r}; there are {', '.join(keys)}")
    password = table.get("password")
    if name != ANONYMOUS and not (isinstance(password, str) and _HASH.fullmatch(password)):
        raise wrong(
            "password" if password is not None else name,
            f"account {name!r} needs an argon2 hash as password; `runner accounts hash` makes one",
        )
    home = table.get("home", "/")
    try:
        if not isinstance(home, str) or resolve("/", home) != home:
            raise ValueError
    except (StorageError, ValueError):
        raise wrong("home", f"home of account {name!r} must be an absolute path without . and ..") from None
    permissions = table.get("permissions")
    try:
        granted = (READING if name == ANONYMOUS else ALL) if permissions is None else parse_permissions(permissions)
    except (ValueError, TypeError) as error:
        raise wrong("permissions", f"permissions of account {name!r}: {error}") from None
    quota = table.get("quota")
    if quota is not None and (not isinstance(quota, int) or isinstance(quota, bool) or quota < 0):
        raise wrong("quota", f"quota of account {name!r} must be a number of bytes")
    return Account(name, password, home, granted, quota)


def add(text: str, name: str, values: dict[str, str | int]) -> str:
    """The text of a file with one more account. Raises ValueError if it can't have that name."""
    if name == ANONYMOUS or not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} can't be the name of an account")
    lines = [f"[accounts.{_quoted(name)}]", *(f"{key} = {_literal(value)}" for key, value in values.items())]
    gap = "" if not text or text.endswith("\n\n") else "\n" if text.endswith("\n") else "\n\n"
    return text + gap + "\n".join(lines) + "\n"


def remove(text: str, name: str) -> str:
    """The text of a file without an account. Raises KeyError if there is none, ValueError if it can't be taken out."""
    before = tomllib.loads(text)
    del before["accounts"][name]
    starts = [found.start() for found in _HEADER.finditer(text)]
    for start, end in itertools.pairwise([*starts, len(text)]):
        header = text[start:end].partition("\n")[0]
        if tomllib.loads(header) == {"accounts": {name: {}}}:
            after = text[:start] + text[end:]
            if tomllib.loads(after).get("accounts", {}) == before["accounts"]:
                return after
    raise ValueError(f"account {name!r} is not written as a table of its own: take it out by hand")


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _literal(name)


def _literal(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

"""`runner accounts`: who may log in."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from pathlib import Path

import click

from runner.errors import RunnerError
from runner.options import reporting

__all__ = ["accounts"]

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def accounts() -> None:
    """Look after the file of accounts. Passwords are asked for, or read from the first line of standard input."""


def _password() -> str:
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    line = sys.stdin.readline().rstrip("\r\n")
    if not line:
        raise RunnerError("there is no password on standard input")
    return line


def _write(path: Path, text: str) -> None:
    """Writes the file as a whole, if it is a right one.

    Who may read it stays as it was: the Runner may be in its group. A new one is for its owner alone.
    """
    from runner.accounts.file import parse
    from witgen.diagnostics import Source

    parse(Source(str(path), text))
    # What a link leads to is written, and not the link.
    target = path.resolve()
    temporary = target.with_name(f"{target.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with contextlib.suppress(FileNotFoundError):
                before = target.stat()
                with contextlib.suppress(PermissionError):
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
                    os.fchmod(file.fileno(), before.st_mode & 0o777)
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        # The other name says nothing to anyone.
        error.filename, error.filename2 = str(path), None
        raise


def _read(path: Path) -> str:
    from runner.accounts.file import parse
    from witgen.toml import read_text

    source = read_text(path)
    parse(source)
    return source.text


@accounts.command("add")
@click.argument("file", type=_FILE)
@click.argument("name")
@click.option("--home", default="/", show_default=True, help="The directory that the user sees as /.")
@click.option("--permissions", metavar="LETTERS", help="Of acdeflmprw (RFC 3659, 7.5.5). [default: all]")
@click.option("--quota", type=click.IntRange(0), help="How many bytes all files of the home may have.")
@reporting
def _add(file: Path, name: str, home: str, permissions: str | None, quota: int | None) -> None:
    """Add an account to FILE, or give one that is there another password and settings."""
    from runner.accounts.accounts import hash_password
    from runner.accounts.file import add, remove

    text = _read(file) if file.exists() else ""
    values: dict[str, str | int] = {"password": hash_password(_password()), "home": home}
    if permissions is not None:
        values["permissions"] = permissions
    if quota is not None:
        values["quota"] = quota
    try:
        with contextlib.suppress(KeyError):
            text = remove(text, name)
        _write(file, add(text, name, values))
    except ValueError as error:
        raise RunnerError(str(error)) from None
    click.echo(f"{file}: {name} may log in")


@accounts.command("list")
@click.argument("file", type=_FILE)
@reporting
def _list(file: Path) -> None:
    """Print who may log in."""
    from runner.accounts.file import parse
    from runner.storage.entries import letters
    from witgen.toml import read_text

    for account in parse(read_text(file)).values():
        quota = "" if account.quota is None else f"  {account.quota} bytes"
        click.echo(f"{account.name}  {account.home}  {letters(account.permissions)}{quota}")


@accounts.command("remove")
@click.argument("file", type=_FILE)
@click.argument("name")
@reporting
def _remove(file: Path, name: str) -> None:
    """Remove an account from FILE."""
    from runner.accounts.file import remove

    try:
        _write(file, remove(_read(file), name))
    except KeyError:
        raise RunnerError(f"{file} has no account {name!r}") from None
    except ValueError as error:
        raise RunnerError(str(error)) from None


@accounts.command("hash")
@reporting
def _hash() -> None:
    """Print the hash of a password."""
    from runner.accounts.accounts import hash_password

    click.echo(hash_password(_password()))

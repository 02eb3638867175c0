"""Who may log in: the file of accounts, what it may say, and the commands that look after it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from runner.accounts.accounts import Accounts, hash_password
from runner.accounts.file import Account, add, parse, remove
from runner.storage import ALL, READING

from witgen.diagnostics import Source, WitError

SECRET = hash_password("secret")
OTHER = hash_password("other")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two accounts, one with all settings."""
    path = tmp_path / "accounts.toml"
    path.write_text(
        f'# Who may log in.\n[accounts.alice]\npassword = "{SECRET}"\n\n'
        f'[accounts."b ob"]\npassword = "{OTHER}" # his\nhome = "/bob"\npermissions = "elr"\nquota = 100\n'
    )
    return path


def test_names_and_passwords_that_are_right_give_an_account(file: Path) -> None:
    accounts = Accounts(file)
    assert accounts.login("alice", "secret") == Account("alice", SECRET, "/", ALL, None)
    assert accounts.login("b ob", "other") == Account("b ob", OTHER, "/bob", READING, 100)
    assert accounts.names == ["alice", "b ob"]


def test_what_was_right_is_known_at_once_until_the_file_changes(file: Path) -> None:
    accounts = Accounts(file)
    assert accounts.remembered("alice", "secret") is None
    accounts.login("alice", "secret")
    accounts.login("alice", "wrong")
    assert _known(accounts, "alice", "secret") == Account("alice", SECRET, "/", ALL, None)
    assert accounts.remembered("alice", "wrong") is accounts.remembered("carol", "secret") is None
    file.write_text(file.read_text().replace(SECRET, OTHER))
    # Sooner or later it is to be looked at, which may block, and so is for `login`.
    until = time.monotonic() + 30
    while accounts.remembered("alice", "secret") is not None and time.monotonic() < until:
        time.sleep(0.05)
    assert accounts.login("alice", "secret") is None
    assert accounts.login("alice", "other") is not None
    assert accounts.remembered("alice", "secret") is None


def test_who_needs_no_password_is_known_at_once() -> None:
    guest = Account("anonymous", None, permissions=READING)
    accounts = Accounts(anonymous=guest)
    assert accounts.remembered("ftp", "me@example.org") is accounts.remembered("anonymous", "") is guest
    assert Accounts().remembered("anonymous", "") is None


def _known(accounts: Accounts, name: str, password: str) -> Account | None:
    """What is remembered, where the file has just been looked at."""
    accounts.login(name, password)
    return accounts.remembered(name, password)


@pytest.mark.parametrize(
    ("name", "password"),
    [("alice", "other"), ("alice", ""), ("alice", "secre"), ("Alice", "secret"), ("", ""), ("carol", "secret")],
)
def test_others_are_refused_again_and_again(file: Path, name: str, password: str) -> None:
    accounts = Accounts(file)
    for _ in range(2):
        assert accounts.login(name, password) is None
    assert accounts.login("anonymous", "me@example.org") is None


def test_anonymous_users_need_no_password_where_they_are_allowed(file: Path) -> None:
    file.write_text(file.read_text() + '[anonymous]\nhome = "/pub"\n')
    accounts = Accounts(file)
    for name in ("anonymous", "ftp"):
        assert accounts.login(name, "whatever") == Account("anonymous", None, "/pub", READING)
    assert accounts.login("alice", "") is None


def test_anonymous_users_can_be_allowed_without_a_file() -> None:
    accounts = Accounts(anonymous=Account("anonymous", None))
    assert accounts.login("anonymous", "") is not None
    assert accounts.login("alice", "") is None


def test_a_password_that_was_right_counts_no_more_when_it_was_changed(file: Path) -> None:
    accounts = Accounts(file)
    assert accounts.login("alice", "secret")
    file.write_text(file.read_text().replace(SECRET, hash_password("new")))
    end = time.monotonic() + 20
    while accounts.login("alice", "secret"):
        assert time.monotonic() < end
        time.sleep(0.1)
    assert accounts.login("alice", "new")
    assert accounts.login("alice", "secret") is None


def test_a_broken_file_changes_nothing(file: Path) -> None:
    accounts = Accounts(file)
    file.write_text("[accounts.alice]\n")
    time.sleep(1.1)
    assert accounts.login("alice", "secret")
    file.unlink()
    time.sleep(1.1)
    assert accounts.login("alice", "secret")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[accounts.a]\n", "a.toml:1:11: error: account 'a' needs an argon2 hash as password"),
        ('[accounts.a]\npassword = "x"\n', "a.toml:2:1: error: account 'a' needs an argon2 hash"),
        (f'[accounts.a]\npassword = "{SECRET}"\nhome = "x"\n', "a.toml:3:1: error: home of account 'a' must be"),
        (f'[accounts.a]\npassword = "{SECRET}"\nhome = "/x/.."\n', "a.toml:3:1: error: home of account 'a' must be"),
        (f'[accounts.a]\npassword = "{SECRET}"\npermissions = "rx"\n', "a.toml:3:1: error: permissions of account 'a'"),
        (f'[accounts.a]\npassword = "{SECRET}"\npermissions = 1\n', "a.toml:3:1: error: permissions of account 'a'"),
        (f'[accounts.a]\npassword = "{SECRET}"\nquota = -1\n', "a.toml:3:1: error: quota of account 'a' must be"),
        (f'[accounts.a]\npassword = "{SECRET}"\nquota = true\n', "a.toml:3:1: error: quota of account 'a' must be"),
        (f'[accounts.a]\npassword = "{SECRET}"\nhone = "/"\n', "a.toml:3:1: error: account 'a' can't have 'hone'"),
        (f'[anonymous]\npassword = "{SECRET}"\n', "a.toml:2:1: error: account 'anonymous' can't have 'password'"),
        (f'[accounts.anonymous]\npassword = "{SECRET}"\n', "a.toml:1:11: error: 'anonymous' can't be the name"),
        ("accounts = 1\n", "a.toml:1:1: error: accounts must be tables"),
        ("[accounts]\na = 1\n", "a.toml:2:1: error: account 'a' must be a table"),
        ("[users.a]\n", "a.toml:1:2: error: unknown table 'users'"),
        ("[accounts.a\n", "a.toml:1:12: error: "),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_place(text: str, message: str) -> None:
    with pytest.raises(WitError) as caught:
        parse(Source("a.toml", text))
    assert str(caught.value).startswith(message)


def test_tables_come_in_and_go_out_and_the_rest_stays(file: Path) -> None:
    text = file.read_text()
    longer = add(text, 'we"ird', {"password": SECRET, "home": "/w"})
    assert longer.startswith(text)
    assert parse(Source("a", longer))['we"ird'].home == "/w"
    assert remove(longer, 'we"ird').rstrip("\n") == text.rstrip("\n")
    assert remove(text, "alice").startswith('# Who may log in.\n[accounts."b ob"]')
    with pytest.raises(KeyError):
        remove(text, "carol")
    with pytest.raises(ValueError, match="take it out by hand"):
        remove(f'accounts = {{ a = {{ password = "{SECRET}" }} }}\n', "a")


# The commands


def run(*args: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """`runner accounts`, with standard input."""
    command = [sys.executable, "-m", "runner.cli", "accounts", *args]
    return subprocess.run(command, input=said, capture_output=True, text=True, timeout=60)


def test_accounts_are_added_listed_and_removed(tmp_path: Path) -> None:
    file = str(tmp_path / "new.toml")
    assert run("add", file, "alice", said="secret\n").returncode == 0
    assert run("add", file, "bob", "--home", "/b", "--permissions", "elr", "--quota", "5", said="x\n").returncode == 0
    assert (tmp_path / "new.toml").stat().st_mode & 0o077 == 0
    assert run("list", file).stdout == "alice  /  acdeflmprw\nbob  /b  elr  5 bytes\n"
    assert Accounts(Path(file)).login("alice", "secret")
    # Again: another password.
    assert run("add", file, "alice", said="changed\n").returncode == 0
    accounts = Accounts(Path(file))
    assert accounts.login("alice", "changed") and not accounts.login("alice", "secret")
    assert run("remove", file, "bob").returncode == 0
    assert run("list", file).stdout.startswith("alice")
    assert "secret" not in Path(file).read_text()


def test_who_may_read_the_file_stays_as_it_was(tmp_path: Path) -> None:
    new, shared, link = tmp_path / "new.toml", tmp_path / "shared.toml", tmp_path / "link.toml"
    shared.touch()
    shared.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(shared, 0, 12345)
    group = shared.stat().st_gid
    link.symlink_to(shared)
    for file in (new, shared, link):
        assert run("add", str(file), "ada", said="x\n").returncode == 0
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    assert (stat.S_IMODE(shared.stat().st_mode), shared.stat().st_gid) == (0o640, group)
    assert link.is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.toml", "new.toml", "shared.toml"]


def test_a_hash_can_be_had_alone() -> None:
    done = run("hash", said="secret\n")
    assert parse(Source("a", f'[accounts.a]\npassword = "{done.stdout.strip()}"\n'))["a"].permissions == ALL


@pytest.mark.parametrize(
    ("args", "said", "message"),
    [
        (["add", "{file}", "anonymous"], "x\n", "can't be the name"),
        (["add", "{file}", "a b\n"], "x\n", "can't be the name"),
        (["add", "{file}", "carol"], "", "there is no password"),
        (["add", "{file}", "carol", "--home", "x"], "x\n", "home of account 'carol' must be"),
        (["add", "{file}", "carol", "--permissions", "z"], "x\n", "'z' is no permission"),
        (["remove", "{file}", "carol"], "", "has no account 'carol'"),
        (["list", "{file}.no"], "", "can't be read"),
        (["add", "{file}.no/accounts", "carol"], "x\n", "{file}.no/accounts: error: no such file or directory\n"),
    ],
)
def test_what_is_wrong_changes_nothing(file: Path, args: list[str], said: str, message: str) -> None:
    before = file.read_text()
    done = run(*(arg.format(file=file) for arg in args), said=said)
    assert done.returncode == 1
    assert message.format(file=file) in done.stderr
    assert "Traceback" not in done.stderr
    assert file.read_text() == before

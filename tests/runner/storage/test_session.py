"""What can be done with files, the same on every storage."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from runner.storage import ALL, READING, Kind, Permissions, Reason, Session, StorageError, Tree, parse_permissions

from tests.runner.storage.conftest import get, names, put


def refusal(call: Callable[[], object]) -> Reason:
    """Why something is refused."""
    with pytest.raises(StorageError) as caught:
        call()
    return caught.value.reason


def test_a_file_is_there_when_its_upload_is_committed_and_not_before(session: Session) -> None:
    upload = session.store("/a")
    upload.write([b"one", b"", b"two"])
    assert names(session) == []
    assert refusal(lambda: session.stat("/a")) is Reason.NOT_FOUND
    upload.commit()
    assert names(session) == ["a"]
    assert get(session, "/a") == b"onetwo"
    assert get(session, "/a", 4) == b"wo"
    assert get(session, "/a", 6) == b""


def test_an_upload_that_is_abandoned_has_never_been(session: Session) -> None:
    put(session, "/a", b"old")
    for path in ("/a", "/b"):
        upload = session.store(path)
        upload.write([b"new" * 1000])
        upload.abandon()
        upload.abandon()
    assert names(session) == ["a"]
    assert get(session, "/a") == b"old"


def test_an_upload_replaces_what_is_there_at_once(session: Session) -> None:
    put(session, "/a", b"old and longer")
    source = session.open("/a")
    put(session, "/a", b"new")
    assert get(session, "/a") == b"new"
    source.close()


def test_the_beginning_of_a_file_can_be_kept(session: Session) -> None:
    put(session, "/a", b"0123456789")
    upload = session.store("/a", 4)
    upload.write([b"xy"])
    upload.commit()
    assert get(session, "/a") == b"0123xy"
    assert refusal(lambda: session.store("/a", 7)) is Reason.UNSUPPORTED
    assert refusal(lambda: session.store("/b", 1)) is Reason.NOT_FOUND
    assert names(session) == ["a"]


def test_a_file_can_be_lengthened(session: Session) -> None:
    for data in (b"one", b"two"):
        upload = session.append("/a")
        upload.write([data])
        upload.commit()
    assert get(session, "/a") == b"onetwo"


def test_what_somebody_else_has_added_meanwhile_is_not_lost(session: Session) -> None:
    put(session, "/a", b"start")
    first, second = session.append("/a"), session.append("/a")
    first.write([b" first"])
    second.write([b" second"])
    first.commit()
    assert refusal(second.commit) is Reason.BUSY
    assert get(session, "/a") == b"start first"
    assert names(session) == ["a"]


def test_a_file_that_was_deleted_while_it_was_lengthened_stays_deleted(session: Session) -> None:
    put(session, "/a", b"start")
    upload = session.append("/a")
    session.delete("/a")
    assert refusal(upload.commit) in (Reason.BUSY, Reason.NOT_FOUND)
    assert names(session) == []


def test_a_unique_name_is_the_wanted_one_or_like_it(session: Session) -> None:
    found = []
    for _ in range(3):
        upload = session.unique("/", "a.txt")
        upload.write([upload.name.encode()])
        upload.commit()
        found.append(upload.name)
    assert found[0] == "a.txt"
    assert len(set(found)) == 3
    assert all(name.startswith("a") and get(session, f"/{name}") == name.encode() for name in found)


def test_directories_are_made_and_removed(session: Session) -> None:
    session.make_directory("/d")
    session.make_directory("/d/e")
    assert session.stat("/d/e").kind is Kind.DIRECTORY
    session.enter("/d/e")
    put(session, "/d/e/f", b"x")
    assert refusal(lambda: session.remove_directory("/d")) is Reason.NOT_EMPTY
    assert refusal(lambda: session.make_directory("/d")) is Reason.ALREADY_EXISTS
    assert refusal(lambda: session.make_directory("/no/d")) is Reason.NOT_FOUND
    session.delete("/d/e/f")
    session.remove_directory("/d/e")
    session.remove_directory("/d")
    assert names(session) == []


def test_files_are_no_directories_and_the_other_way_round(session: Session) -> None:
    put(session, "/f")
    session.make_directory("/d")
    for call in (
        lambda: session.enter("/f"),
        lambda: session.store("/d"),
        lambda: session.append("/d"),
        lambda: session.open("/d"),
        lambda: session.delete("/d"),
        lambda: session.remove_directory("/f"),
        lambda: session.make_directory("/f/x"),
        lambda: session.store("/f/x"),
        lambda: session.unique("/f", "x"),
    ):
        assert refusal(call) in (Reason.WRONG_KIND, Reason.NOT_FOUND)
    assert names(session) == ["d", "f"]


def test_things_get_other_names_where_nothing_is(session: Session) -> None:
    put(session, "/a", b"a")
    put(session, "/b", b"b")
    session.make_directory("/d")
    put(session, "/d/x", b"x")
    session.rename("/a", "/d/y")
    session.rename("/d", "/e")
    assert (names(session), names(session, "/e")) == (["b", "e"], ["x", "y"])
    assert get(session, "/e/y") == b"a"
    assert refusal(lambda: session.rename("/b", "/e/x")) is Reason.ALREADY_EXISTS
    assert refusal(lambda: session.rename("/b", "/e")) is Reason.ALREADY_EXISTS
    assert refusal(lambda: session.rename("/no", "/c")) is Reason.NOT_FOUND
    assert refusal(lambda: session.rename("/e", "/e/f")) in (Reason.BAD_NAME, Reason.NOT_FOUND)
    assert get(session, "/b") == b"b"


@pytest.mark.parametrize("name", ["*", "**", "a?", "[ab]"])
def test_names_that_are_patterns_elsewhere_are_names(session: Session, name: str) -> None:
    for path in ("/a", "/ab", "/b"):
        put(session, path, path.encode())
    put(session, f"/{name}", b"1")
    session.rename(f"/{name}", "/moved")
    session.make_directory(f"/{name}")
    session.make_directory(f"/{name}/{name}")
    put(session, f"/{name}/{name}/{name}", b"2")
    put(session, f"/{name}/{name}/{name}", b"3")
    session.rename(f"/{name}", "/other")
    assert names(session) == ["a", "ab", "b", "moved", "other"]
    assert [get(session, path) for path in ("/a", "/ab", "/b", "/moved")] == [b"/a", b"/ab", b"/b", b"1"]
    assert get(session, f"/other/{name}/{name}") == b"3"


def test_the_root_itself_stays(session: Session) -> None:
    for call in (
        lambda: session.delete("/"),
        lambda: session.remove_directory("/"),
        lambda: session.rename("/", "/a"),
        lambda: session.store("/"),
        lambda: session.append("/"),
        lambda: session.make_directory("/"),
    ):
        assert refusal(call) is Reason.FORBIDDEN
    assert session.stat("/").kind is Kind.DIRECTORY


def test_what_is_not_there_is_not_found(session: Session) -> None:
    for call in (
        lambda: session.stat("/a"),
        lambda: session.list("/a"),
        lambda: session.open("/a"),
        lambda: session.delete("/a"),
        lambda: session.remove_directory("/a"),
        lambda: session.enter("/a"),
        lambda: session.store("/a/b"),
        lambda: session.unique("/a", "b"),
    ):
        assert refusal(call) is Reason.NOT_FOUND


def test_entries_say_size_and_time(session: Session) -> None:
    put(session, "/a", b"12345")
    found = session.stat("/a")
    assert (found.name, found.kind, found.size) == ("a", Kind.FILE, 5)
    assert found.modified is not None and abs(found.modified / 1e9 - time.time()) < 60
    assert session.list("/") == [found] == session.list("/a")


def test_a_home_is_the_root_of_its_user(tree: Tree) -> None:
    everybody = Session(tree)
    everybody.make_directory("/home")
    put(everybody, "/secret", b"s")
    user = Session(tree, "/home")
    put(user, "/a", b"a")
    assert get(everybody, "/home/a") == b"a"
    assert user.resolve("/", "../secret") == "/secret"
    assert refusal(lambda: user.open("/secret")) is Reason.NOT_FOUND
    assert user.stat("/").name == "/"


def test_who_may_only_read_changes_nothing(tree: Tree) -> None:
    put(Session(tree), "/a", b"a")
    Session(tree).make_directory("/d")
    user = Session(tree, permissions=READING)
    assert (names(user), get(user, "/a")) == (["a", "d"], b"a")
    for call in (
        lambda: user.store("/a"),
        lambda: user.store("/b"),
        lambda: user.append("/a"),
        lambda: user.unique("/"),
        lambda: user.delete("/a"),
        lambda: user.rename("/a", "/b"),
        lambda: user.make_directory("/e"),
        lambda: user.remove_directory("/d"),
    ):
        assert refusal(call) is Reason.FORBIDDEN
    assert names(user) == ["a", "d"]


def test_who_may_only_bring_new_files_replaces_none(tree: Tree) -> None:
    user = Session(tree, permissions=Permissions.CREATE)
    put(user, "/a", b"a")
    assert refusal(lambda: user.store("/a")) is Reason.FORBIDDEN
    assert refusal(lambda: user.open("/a")) is Reason.FORBIDDEN
    assert refusal(lambda: user.list("/")) is Reason.FORBIDDEN


def test_permissions_of_entries_fit_their_kind(session: Session) -> None:
    put(session, "/a")
    session.make_directory("/d")
    assert session.may(session.stat("/a")) == parse_permissions("adfrw")
    assert session.may(session.stat("/d")) == parse_permissions("cdeflmp")
    assert parse_permissions("acdeflmprw") == ALL
    with pytest.raises(ValueError, match="'x' is no permission"):
        parse_permissions("rx")


def test_a_share_of_the_space_is_kept(tree: Tree) -> None:
    user = Session(tree, quota=10)
    put(user, "/a", b"12345")
    user.make_directory("/d")
    put(user, "/d/b", b"1234")
    upload = user.store("/c")
    upload.write([b"1"])
    assert refusal(lambda: upload.write([b"2"])) is Reason.QUOTA
    upload.abandon()
    assert names(user) == ["a", "d"]
    user.delete("/a")
    put(user, "/c", b"123456")


def test_directories_that_come_and_go_refuse_no_upload_of_who_has_a_share(session: Session, tree: Tree) -> None:
    user, over = Session(tree, quota=10), threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            session.make_directory("/d")
            session.make_directory("/d/e")
            session.remove_directory("/d/e")
            session.remove_directory("/d")

    with ThreadPoolExecutor() as pool:
        done = pool.submit(come_and_go)
        try:
            for _ in range(300):
                put(user, "/a", b"1234")
        finally:
            over.set()
        done.result()


def test_many_bytes_come_as_they_were(session: Session) -> None:
    data = bytes(range(256)) * 20_000
    upload = session.store("/a")
    for at in range(0, len(data), 70_001):
        upload.write([data[at : at + 70_001]])
    upload.commit()
    assert get(session, "/a") == data

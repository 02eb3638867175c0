"""A folder as a storage: links, killed processes, full disks, and what other processes do to it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from runner.errors import RunnerError
from runner.storage import Kind, Reason, Session, StorageError, Tree, open_tree
from runner.storage.paths import RESERVED

from tests.runner.storage.conftest import get, names, put, refuse_nameless_files
from tests.runner.storage.test_session import refusal


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder, beside one that is none of the clients' business."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret").write_text("secret")
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


@pytest.fixture
def session(root: Path) -> Iterator[Session]:
    """Somebody who may do everything."""
    tree = open_tree(str(root))
    yield Session(tree)
    tree.close()


def present(folder: Path) -> list[str]:
    """What there is in a folder, whoever looks."""
    return sorted(path.name for path in folder.iterdir())


def test_links_that_stay_inside_are_what_they_lead_to(root: Path, session: Session) -> None:
    (root / "d").mkdir()
    (root / "d/f").write_text("text")
    (root / "file").symlink_to("d/f")
    (root / "folder").symlink_to("d")
    (root / "d/up").symlink_to("../d/./f")
    assert get(session, "/file") == get(session, "/folder/f") == get(session, "/folder/up") == b"text"
    assert session.stat("/folder").kind is Kind.DIRECTORY
    assert [(entry.name, entry.kind) for entry in session.list("/")] == [
        ("d", Kind.DIRECTORY),
        ("file", Kind.FILE),
        ("folder", Kind.DIRECTORY),
    ]
    put(session, "/file", b"new")
    assert (root / "d/f").read_text() == "new"
    assert (root / "file").is_symlink()


@pytest.mark.parametrize("target", ["../outside", "/", "../../..", "{outside}", "d/../../outside"])
def test_links_that_lead_out_lead_nowhere(root: Path, session: Session, target: str) -> None:
    outside = root.parent / "outside"
    (root / "d").mkdir()
    (root / "link").symlink_to(target.format(outside=outside))
    (root / "leaf").symlink_to(f"../outside/{target.count('.')}")
    assert names(session) == ["d"]
    for call in (
        lambda: session.stat("/link"),
        lambda: session.list("/link"),
        lambda: session.enter("/link"),
        lambda: session.open("/link/secret"),
        lambda: session.store("/link/new"),
        lambda: session.store("/leaf"),
        lambda: session.append("/leaf"),
        lambda: session.delete("/link/secret"),
        lambda: session.make_directory("/link/new"),
        lambda: session.rename("/link/secret", "/mine"),
        lambda: session.rename("/d", "/link/d"),
    ):
        assert refusal(call) in (Reason.FORBIDDEN, Reason.NOT_FOUND)
    assert present(outside) == ["secret"]


def test_links_in_circles_end(root: Path, session: Session) -> None:
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    (root / "self").symlink_to(".")
    assert refusal(lambda: session.open("/a")) is Reason.FORBIDDEN
    assert names(session) == ["self"]
    limited = Session(session._tree, quota=1000)
    put(limited, "/f", b"x" * 900)


def test_a_link_itself_is_removed_and_renamed_and_not_what_it_leads_to(root: Path, session: Session) -> None:
    (root / "f").write_text("text")
    (root / "link").symlink_to("f")
    session.rename("/link", "/other")
    session.delete("/other")
    assert names(session) == ["f"]


def test_folders_that_are_swapped_for_links_meanwhile_lead_nowhere(root: Path, session: Session) -> None:
    """Another process turns a directory into a link that leads out and back again, as fast as it can."""
    (root / "d").mkdir()
    (root / "d/secret").write_text("inside")
    (root / "link").symlink_to("../outside")
    over = threading.Event()

    def swap() -> None:
        while not over.is_set():
            (root / "d").rename(root / "kept")
            (root / "link").rename(root / "d")
            (root / "d").rename(root / "link")
            (root / "kept").rename(root / "d")
            # Long enough for a reader to come in between.
            time.sleep(0.001)

    thread = threading.Thread(target=swap)
    thread.start()
    seen: set[bytes | Reason] = set()
    try:
        for _ in range(2000):
            try:
                seen.add(get(session, "/d/secret"))
            except StorageError as error:
                seen.add(error.reason)
    finally:
        over.set()
        thread.join()
    assert seen <= {b"inside", Reason.NOT_FOUND, Reason.FORBIDDEN, Reason.WRONG_KIND}
    assert b"inside" in seen


def test_what_is_no_file_is_not_opened(root: Path, session: Session) -> None:
    os.mkfifo(root / "pipe")
    assert session.stat("/pipe").kind is Kind.OTHER
    assert refusal(lambda: session.open("/pipe")) is Reason.WRONG_KIND
    assert refusal(lambda: session.store("/pipe")) is Reason.WRONG_KIND


def test_names_that_are_not_unicode_are_left_out(root: Path, session: Session) -> None:
    (Path(os.fsdecode(os.fsencode(root) + b"/\xff"))).write_text("x")
    put(session, "/ö")
    assert names(session) == ["ö"]


def test_permission_bits_are_kept_and_new_files_have_the_usual_ones(root: Path, session: Session) -> None:
    put(session, "/a")
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((root / "a").stat().st_mode) == 0o666 & ~umask
    (root / "a").chmod(0o640)
    put(session, "/a", b"new")
    assert stat.S_IMODE((root / "a").stat().st_mode) == 0o640
    found = session.stat("/a")
    assert found.mode == 0o640 and found.owner and found.group and found.unique


def test_a_folder_that_is_not_there_can_be_no_storage(tmp_path: Path) -> None:
    for root in (str(tmp_path / "no"), "no-such-protocol://x"):
        with pytest.raises(RunnerError, match="can't be used as a storage"):
            open_tree(root)


# Processes that are killed, and disks that are full

WRITER = """
import sys, time
from runner.storage import Session, open_tree
session = Session(open_tree(sys.argv[1]))
if sys.argv[3] == "named":
    from tests.runner.storage.conftest import refuse_nameless_files
    import pytest
    refuse_nameless_files(pytest.MonkeyPatch())
upload = session.append("/a") if sys.argv[2] == "append" else session.store("/a")
upload.write([b"half of it"])
if sys.argv[2] == "commit":
    upload.commit()
print("ready", flush=True)
time.sleep(60)
"""


def killed(root: Path, what: str, kind: str = "nameless") -> None:
    """A process that uploads, and is killed in the middle."""
    command = [sys.executable, "-c", WRITER, str(root), what, kind]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).resolve().parents[3]) as process:
        assert process.stdout is not None and process.stdout.readline() == b"ready\n"
        process.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("what", ["store", "append"])
def test_a_killed_upload_leaves_nothing(root: Path, session: Session, what: str) -> None:
    (root / "a").write_text("before ")
    killed(root, what)
    assert present(root) == ["a"]
    assert get(session, "/a") == b"before "


def test_a_committed_upload_survives_its_process(root: Path, session: Session) -> None:
    killed(root, "commit")
    assert get(session, "/a") == b"half of it"


@pytest.mark.parametrize("how", ["sweep", "list", "remove"])
def test_what_is_left_where_files_need_names_is_removed(root: Path, session: Session, how: str) -> None:
    (root / "d").mkdir()
    killed(root / "d", "store", "named")
    assert [name[: len(RESERVED)] for name in present(root / "d")] == [RESERVED]
    if how == "remove":
        session.remove_directory("/d")
        return
    if how == "sweep":
        session._tree.sweep()
    else:
        assert names(session, "/d") == []
    assert present(root / "d") == []


def test_uploads_under_way_are_not_swept(root: Path, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse_nameless_files(monkeypatch)
    upload = session.store("/a")
    upload.write([b"text"])
    open_tree(str(root)).sweep()
    assert names(session) == []
    upload.commit()
    assert get(session, "/a") == b"text"


@pytest.fixture
def small(session: Session) -> Iterator[Session]:
    """A disk on which no file can be larger than 64 kB."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, limits[1]))
    yield session
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def test_an_upload_for_which_there_is_no_room_leaves_what_was_there(small: Session) -> None:
    put(small, "/a", b"old")
    upload = small.store("/a")
    with pytest.raises(StorageError) as caught:
        for _ in range(100):
            upload.write([b"x" * 1000])
    assert caught.value.reason is Reason.NO_SPACE
    upload.abandon()
    assert get(small, "/a") == b"old"
    assert names(small) == ["a"]


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("file systems can't be mounted here")
    try:
        tree: Tree = open_tree(str(disk))
        session = Session(tree)
        put(session, "/a", b"old")
        upload = session.store("/a")
        assert refusal(lambda: write_much(upload.write)) is Reason.NO_SPACE
        upload.abandon()
        assert get(session, "/a") == b"old"
        put(session, "/b", b"x" * 100_000)
        tree.close()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def write_much(write: Callable[[list[bytes]], None]) -> None:
    for _ in range(100):
        write([b"x" * 10_000])


# Many at once


def test_of_many_who_lengthen_a_file_at_once_none_is_lost(root: Path) -> None:
    tree = open_tree(str(root))
    put(Session(tree), "/a", b"")
    accepted = []

    def lengthen(number: int) -> None:
        session = Session(tree)
        for turn in range(20):
            line = f"{number}.{turn}\n".encode()
            upload = session.append("/a")
            upload.write([line])
            try:
                upload.commit()
            except StorageError as error:
                assert error.reason is Reason.BUSY
            else:
                accepted.append(line)

    threads = [threading.Thread(target=lengthen, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(get(Session(tree), "/a").splitlines(keepends=True)) == sorted(accepted)
    assert accepted
    assert present(root) == ["a"]
    tree.close()


def test_of_two_who_want_a_free_name_one_gets_it(session: Session) -> None:
    first, second = session.unique("/", "a"), session.unique("/", "a")
    first.write([b"first"])
    first.commit()
    assert refusal(second.commit) is Reason.ALREADY_EXISTS
    assert get(session, "/a") == b"first"
    assert names(session) == ["a"]


def test_what_is_in_memory_is_ready_and_what_is_not_is_not(root: Path, session: Session) -> None:
    (root / "f").write_bytes(b"x" * 20_000)
    with contextlib.closing(session.open("/f", 5000)) as source:
        assert source.ready(10_000) == b"x" * 10_000
        assert source.read(10_000) == b"x" * 5000
        assert source.ready(0) == b""
        assert source.ready(1) is None
    with (root / "f").open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    with contextlib.closing(session.open("/f")) as source:
        found = source.ready(20_000)
        # A file system in memory has nothing else.
        assert found is None or found == b"x" * 20_000
        assert source.read(20_000) == (b"x" * 20_000 if found is None else b"")


def test_only_what_waits_for_nothing_is_prompt(root: Path) -> None:
    (root / "large").write_bytes(bytes(5 << 20))
    (root / "small").write_bytes(b"small")
    for sync, prompt in ((True, False), (False, True)):
        tree = open_tree(str(root), sync=sync)
        assert tree.prompt
        for path, wanted in (("/new", prompt), ("/small", prompt), ("/large", False)):
            upload = Session(tree).store(path)
            assert upload.prompt is wanted
            upload.abandon()
        # The quota is seen by adding up all that there is.
        assert Session(tree).prompt_uploads and not Session(tree, quota=10 << 20).prompt_uploads
        limited = Session(tree, quota=10 << 20).store("/new")
        assert not limited.prompt
        limited.abandon()
        tree.close()


@pytest.mark.parametrize("nameless", [True, False])
def test_files_are_replaced_while_others_clear_up(
    root: Path, monkeypatch: pytest.MonkeyPatch, *, nameless: bool
) -> None:
    if not nameless:
        refuse_nameless_files(monkeypatch)
    session = Session(open_tree(str(root), sync=False))
    over = threading.Event()
    seen: set[tuple[str, ...]] = set()

    def look() -> None:
        while not over.is_set():
            seen.add(tuple(names(session, "/")))

    lookers = [threading.Thread(target=look) for _ in range(2)]
    put(session, "/f", b"0")
    for looker in lookers:
        looker.start()
    try:
        for number in range(500):
            put(session, "/f", str(number).encode())
            assert get(session, "/f") == str(number).encode()
    finally:
        over.set()
        for looker in lookers:
            looker.join()
    assert seen == {("f",)} and present(root) == ["f"]


def test_a_lock_that_somebody_else_keeps_is_not_waited_for_long(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = open_tree(str(root), sync=False)
    session = Session(tree)
    put(session, "/a", b"before")
    with held_by_another(root):
        upload = session.store("/b")
        upload.write([b"x"])
        assert refusal(upload.commit) is Reason.BUSY
        assert names(session) == ["a"]
    put(session, "/b", b"after")
    tree.close()


@contextlib.contextmanager
def held_by_another(folder: Path) -> Iterator[None]:
    """Another program has the lock of a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)

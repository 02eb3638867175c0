"""What a component can do with descriptors of files and directories, and what it is told where it can't."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.wasi.folders import FOLLOW, NOFOLLOW, Code, entries, granted, names, opened, ordinary_user, refused, refuses
from witgen.wasi import Filesystem, Preopen
from witgen.wasi.bindings import host
from witgen.wasi.bindings.host import DescriptorFlags, DescriptorType, OpenFlags

READ, WRITE, MUTATE = DescriptorFlags.READ, DescriptorFlags.WRITE, DescriptorFlags.MUTATE_DIRECTORY
BEYOND = 1 << 63
LARGEST = (1 << 64) - 1


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inside/a").mkdir(parents=True)
    (tmp_path / "inside/file").write_bytes(b"contents")
    (tmp_path / "inside/a/below").write_bytes(b"")
    return tmp_path / "inside"


@pytest.fixture
def root(folder: Path) -> host.Descriptor:
    return granted(folder)


# Opening.


@pytest.mark.parametrize(
    ("how", "flags"),
    [
        ("r", READ),
        ("w", WRITE),
        ("rw", READ | WRITE),
        ("", DescriptorFlags(0)),
        ("rm", READ),
        ("wc", WRITE),
        ("rt", READ),
    ],
)
def test_a_file_has_the_flags_that_it_was_asked_for_with(
    root: host.Descriptor, how: str, flags: DescriptorFlags
) -> None:
    assert opened(root, "file", how).get_flags() == flags


@pytest.mark.parametrize("how", ["r", "rd", "", "rm", "d"])
def test_a_directory_may_be_changed_if_the_folder_may(folder: Path, how: str) -> None:
    assert MUTATE in opened(granted(folder), "a", how).get_flags()
    if "m" not in how:
        assert MUTATE not in opened(granted(folder, write=False), "a", how).get_flags()


def test_requests_to_write_through_to_the_disk_are_kept(root: host.Descriptor) -> None:
    for flag in (
        DescriptorFlags.FILE_INTEGRITY_SYNC,
        DescriptorFlags.DATA_INTEGRITY_SYNC,
        DescriptorFlags.REQUESTED_WRITE_SYNC,
    ):
        file = root.open_at(NOFOLLOW, "file", OpenFlags(0), WRITE | flag)
        assert file.get_flags() == WRITE | flag
        assert file.write(b"!", 0) == 1


@pytest.mark.parametrize(
    ("path", "how", "code"),
    [
        ("missing", "r", Code.NO_ENTRY),
        ("file", "wx", Code.EXIST),
        ("a", "wx", Code.EXIST),
        ("file", "rd", Code.NOT_DIRECTORY),
        ("a", "w", Code.IS_DIRECTORY),
        ("a", "rw", Code.IS_DIRECTORY),
        ("a", "rt", Code.IS_DIRECTORY),
        ("a", "rc", Code.IS_DIRECTORY),
        ("new", "wcd", Code.INVALID),
        ("a", "dt", Code.INVALID),
        ("a", "dx", Code.INVALID),
        ("a/missing/new", "wc", Code.NO_ENTRY),
        ("file/new", "wc", Code.NOT_DIRECTORY),
        ("new/", "wc", Code.IS_DIRECTORY),
    ],
)
def test_what_can_not_be_opened_is_told_why(
    folder: Path, root: host.Descriptor, path: str, how: str, code: Code
) -> None:
    assert refuses(opened, root, path, how) is code
    assert names(folder) == ["a", "file"] and (folder / "file").read_bytes() == b"contents"


def test_opening_creates_and_empties_files(folder: Path, root: host.Descriptor) -> None:
    opened(root, "new", "wx")
    opened(root, "file", "wc")
    assert (folder / "new").read_bytes() == b"" and (folder / "file").read_bytes() == b"contents"
    opened(root, "file", "rt")
    assert (folder / "file").read_bytes() == b""


def test_a_file_is_not_a_directory(root: host.Descriptor) -> None:
    file = opened(root, "file", "rw")
    assert refuses(file.read_directory) is Code.NOT_DIRECTORY
    assert refuses(opened, file, "x") is Code.NOT_DIRECTORY
    assert refuses(opened, file, ".") is Code.NOT_DIRECTORY
    assert refuses(file.create_directory_at, "x") is Code.NOT_DIRECTORY
    assert refuses(file.stat_at, FOLLOW, "x") is Code.NOT_DIRECTORY
    assert refuses(file.readlink_at, "x") is Code.NOT_DIRECTORY
    assert refuses(root.rename_at, "file", file, "x") is Code.NOT_DIRECTORY


def test_a_directory_has_no_data(root: host.Descriptor) -> None:
    for operation, arguments in (
        (root.read, (1, 0)),
        (root.write, (b"x", 0)),
        (root.read_via_stream, (0,)),
        (root.write_via_stream, (0,)),
        (root.append_via_stream, ()),
        (root.set_size, (0,)),
        (root.advise, (0, 0, host.Advice.NORMAL)),
    ):
        assert refuses(operation, *arguments) is Code.IS_DIRECTORY


# Reading and writing.


def test_reading_and_writing_at_positions(folder: Path, root: host.Descriptor) -> None:
    file = opened(root, "file", "rw")
    assert file.read(4, 2) == (b"nten", False)
    assert file.read(100, 6) == (b"ts", False)
    assert file.read(100, 8) == (b"", True)
    assert file.read(100, 1 << 40) == (b"", True)
    assert file.read(0, 0) == (b"", False)
    assert file.write(b"XY", 1) == 2
    assert file.write(b"", 3) == 0
    assert file.write(b"end", 10) == 3
    assert (folder / "file").read_bytes() == b"cXYtents\0\0end"


def test_what_a_component_asks_for_is_no_measure_of_what_is_reserved(folder: Path, root: host.Descriptor) -> None:
    (folder / "file").write_bytes(b"x" * (3 << 20))
    data, end = opened(root, "file").read(LARGEST, 0)
    assert 0 < len(bytes(data)) < 3 << 20 and not end


def test_reading_and_writing_want_the_flags_for_it(root: host.Descriptor) -> None:
    reader, writer = opened(root, "file", "r"), opened(root, "file", "w")
    assert refuses(reader.write, b"x", 0) is Code.BAD_DESCRIPTOR
    assert refuses(reader.write_via_stream, 0) is Code.BAD_DESCRIPTOR
    assert refuses(reader.append_via_stream) is Code.BAD_DESCRIPTOR
    assert refuses(reader.set_size, 0) is Code.INVALID
    assert refuses(writer.read, 1, 0) is Code.BAD_DESCRIPTOR
    assert refuses(writer.read_via_stream, 0) is Code.BAD_DESCRIPTOR
    emptied = opened(root, "file", "rt")
    assert refuses(emptied.write, b"x", 0) is Code.BAD_DESCRIPTOR


@pytest.mark.parametrize("position", [BEYOND, LARGEST])
def test_positions_that_no_file_has_are_invalid(root: host.Descriptor, position: int) -> None:
    file = opened(root, "file", "rw")
    for operation, arguments in (
        (file.read, (1, position)),
        (file.write, (b"x", position)),
        (file.read_via_stream, (position,)),
        (file.write_via_stream, (position,)),
        (file.set_size, (position,)),
        (file.advise, (position, 0, host.Advice.RANDOM)),
        (file.advise, (0, position, host.Advice.RANDOM)),
    ):
        assert refuses(operation, *arguments) is Code.INVALID


def test_a_file_can_not_be_written_beyond_what_the_system_has(root: host.Descriptor) -> None:
    file = opened(root, "file", "w")
    assert refuses(file.write, b"xy", BEYOND - 1) in (Code.FILE_TOO_LARGE, Code.INVALID)
    assert refuses(file.set_size, BEYOND - 1) in (Code.FILE_TOO_LARGE, Code.INVALID)


def test_the_size_of_a_file_is_set(folder: Path, root: host.Descriptor) -> None:
    file = opened(root, "file", "w")
    file.set_size(4)
    assert (folder / "file").read_bytes() == b"cont"
    file.set_size(6)
    assert (folder / "file").read_bytes() == b"cont\0\0"


def test_advice_is_taken(root: host.Descriptor) -> None:
    for advice in host.Advice:
        opened(root, "file").advise(0, 8, advice)


def test_files_and_directories_are_synchronized_however_they_were_opened(root: host.Descriptor) -> None:
    for descriptor in (opened(root, "file", "r"), opened(root, "file", "w"), root, opened(root, "a", "rd")):
        descriptor.sync()
        descriptor.sync_data()


# Attributes.


def test_the_attributes_of_a_file(folder: Path, root: host.Descriptor) -> None:
    os.link(folder / "file", folder / "other")
    os.utime(folder / "file", ns=(1_000_000_002, 3_000_000_004))
    for found in (opened(root, "file").stat(), root.stat_at(NOFOLLOW, "file"), root.stat_at(FOLLOW, "other")):
        assert (found.type, found.link_count, found.size) == (DescriptorType.REGULAR_FILE, 2, 8)
        assert found.data_access_timestamp == host.Datetime(1, 2)
        assert found.data_modification_timestamp == host.Datetime(3, 4)
        changed = (folder / "file").stat().st_ctime_ns
        assert found.status_change_timestamp == host.Datetime(*divmod(changed, 10**9))


def test_times_before_1970_are_not_told(folder: Path, root: host.Descriptor) -> None:
    os.utime(folder / "file", ns=(-1, -(10**9)))
    found = root.stat_at(NOFOLLOW, "file")
    assert found.data_access_timestamp is None and found.data_modification_timestamp is None


def test_a_file_that_is_gone_still_has_attributes(folder: Path, root: host.Descriptor) -> None:
    file = opened(root, "file")
    root.unlink_file_at("file")
    assert (file.stat().link_count, file.stat().size, file.read(3, 0)[0]) == (0, 8, b"con")


def test_the_types_of_all_kinds_of_files(folder: Path, root: host.Descriptor) -> None:
    (folder / "link").symlink_to("nowhere")
    os.mkfifo(folder / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.open(".", os.O_RDONLY)
        os.chdir(folder)
        try:
            listener.bind("socket")
        finally:
            os.fchdir(here)
            os.close(here)
    expected = {
        "a": DescriptorType.DIRECTORY,
        "file": DescriptorType.REGULAR_FILE,
        "link": DescriptorType.SYMBOLIC_LINK,
        "fifo": DescriptorType.FIFO,
        "socket": DescriptorType.SOCKET,
    }
    assert entries(root) == expected
    assert {name: root.stat_at(NOFOLLOW, name).type for name in expected} == expected
    assert (root.get_type(), opened(root, "file").get_type()) == (DescriptorType.DIRECTORY, DescriptorType.REGULAR_FILE)
    assert refuses(opened, root, "socket") is Code.NO_SUCH_DEVICE
    assert granted(Path("/dev")).stat_at(FOLLOW, "null").type is DescriptorType.CHARACTER_DEVICE


NO_CHANGE, NOW = host.NewTimestamp_NoChange(), host.NewTimestamp_Now()


def at(seconds: int, nanoseconds: int = 0) -> host.NewTimestamp:
    return host.NewTimestamp_Timestamp(host.Datetime(seconds, nanoseconds))


def test_timestamps_are_set_each_for_itself(folder: Path, root: host.Descriptor) -> None:
    file = opened(root, "file")
    for change in (file.set_times, lambda *new: root.set_times_at(NOFOLLOW, "file", *new)):
        change(at(1, 2), at(3, 4))
        assert times(folder / "file") == (1_000_000_002, 3_000_000_004)
        change(NO_CHANGE, at(5))
        assert times(folder / "file") == (1_000_000_002, 5_000_000_000)
        change(at(6, 999_999_999), NO_CHANGE)
        assert times(folder / "file") == (6_999_999_999, 5_000_000_000)
        change(NO_CHANGE, NO_CHANGE)
        assert times(folder / "file") == (6_999_999_999, 5_000_000_000)
        change(NOW, NO_CHANGE)
        assert times(folder / "file")[0] > 10**18 and times(folder / "file")[1] == 5_000_000_000
        change(at(7), NOW)
        assert times(folder / "file")[0] == 7_000_000_000 and times(folder / "file")[1] > 10**18
        change(at(1), at(1))
        change(NOW, NOW)
        assert min(times(folder / "file")) > 10**18
    assert refuses(file.set_times, at(0, 10**9), NO_CHANGE) is Code.INVALID
    assert refuses(file.set_times, NO_CHANGE, at(LARGEST)) is Code.OVERFLOW


@pytest.mark.parametrize("seconds", [1 << 35, 1 << 45, (1 << 63) - 1])
def test_timestamps_as_far_away_as_the_system_has_them(folder: Path, seconds: int) -> None:
    shared = Path("/dev/shm")
    for place in (folder, *([shared] if shared.is_dir() else [])):
        with tempfile.TemporaryDirectory(dir=place) as made:
            root = granted(Path(made))
            file = opened(root, "file", "wx")
            with contextlib.suppress(host.TypesErrorCodeException):
                file.set_times(at(seconds), at(seconds, 999_999_999))
            found = file.stat()
            assert root.stat_at(NOFOLLOW, "file") == found
            assert file.metadata_hash() == root.metadata_hash_at(NOFOLLOW, "file")


def times(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_atime_ns, found.st_mtime_ns


def test_timestamps_of_links_and_of_what_they_lead_to(folder: Path, root: host.Descriptor) -> None:
    (folder / "link").symlink_to("file")
    before = times(folder / "file")
    root.set_times_at(NOFOLLOW, "link", at(1), at(2))
    assert (times(folder / "link"), times(folder / "file")) == ((10**9, 2 * 10**9), before)
    root.set_times_at(FOLLOW, "link", at(3), at(4))
    assert times(folder / "file") == (3 * 10**9, 4 * 10**9)
    opened(root, "a", "rd").set_times(at(5), at(6))
    assert times(folder / "a") == (5 * 10**9, 6 * 10**9)
    assert refuses(root.set_times_at, FOLLOW, "missing", NOW, NOW) is Code.NO_ENTRY


def test_descriptors_of_one_file_are_of_the_same_object(folder: Path, root: host.Descriptor) -> None:
    os.link(folder / "file", folder / "other")
    file = opened(root, "file")
    assert file.is_same_object(file) and file.is_same_object(opened(root, "other", "w"))
    assert not file.is_same_object(root) and not file.is_same_object(opened(root, "a/below"))
    assert root.is_same_object(opened(root, "a/..", "rd")) and root.is_same_object(granted(folder))


def test_a_hash_stays_until_a_file_is_changed(folder: Path) -> None:
    secret = bytes(range(16))
    [(root, _)] = Filesystem([Preopen("/", folder, write=True)], secret=secret).get_directories()
    first = opened(root, "file").metadata_hash()
    assert first == root.metadata_hash_at(NOFOLLOW, "file") == opened(root, "file", "w").metadata_hash()
    [(again, _)] = Filesystem([Preopen("/", folder)], secret=secret).get_directories()
    assert again.metadata_hash_at(NOFOLLOW, "file") == first
    assert granted(folder).metadata_hash_at(NOFOLLOW, "file") != first
    others = [root.metadata_hash(), root.metadata_hash_at(NOFOLLOW, "a"), root.metadata_hash_at(FOLLOW, "a/below")]
    opened(root, "file", "w").write(b"!", 8)
    others.append(root.metadata_hash_at(NOFOLLOW, "file"))
    os.utime(folder / "file", ns=(0, 0))
    others.append(root.metadata_hash_at(NOFOLLOW, "file"))
    (folder / "new").write_bytes(b"contents!")
    os.utime(folder / "new", ns=(0, 0))
    (folder / "new").rename(folder / "file")
    others.append(root.metadata_hash_at(NOFOLLOW, "file"))
    assert len({(found.lower, found.upper) for found in [first, *others]}) == 7
    assert len({found.lower for found in others}) == 6 and all(0 <= found.upper <= LARGEST for found in others)


# Directories.


def test_a_directory_is_read_from_the_start_by_each_stream(folder: Path, root: host.Descriptor) -> None:
    expected = {"a", "file"}
    for number in range(300):
        (folder / f"entry-{number}").touch()
        expected.add(f"entry-{number}")
    one, two = root.read_directory(), root.read_directory()
    first = [one.read_directory_entry() for _ in range(5)]
    assert {entry.name for entry in first if entry} < expected
    assert entries(root).keys() == expected
    rest = []
    while (entry := one.read_directory_entry()) is not None:
        rest.append(entry.name)
    assert sorted([*rest, *(entry.name for entry in first if entry)]) == sorted(expected)
    assert one.read_directory_entry() is None
    found = two.read_directory_entry()
    assert found is not None and found.name in expected


def test_an_empty_directory_has_no_entries(folder: Path, root: host.Descriptor) -> None:
    (folder / "empty").mkdir()
    assert entries(opened(root, "empty", "rd")) == {}


def test_names_that_are_not_text_are_errors_of_their_own(folder: Path, root: host.Descriptor) -> None:
    (folder / "a/below").unlink()
    for name in (b"\xff", b"good", b"\xc3", b"\xed\xa0\x80"):
        os.close(os.open(os.fsencode(folder / "a") + b"/" + name, os.O_CREAT | os.O_WRONLY))
    stream = opened(root, "a", "rd").read_directory()
    found: list[str | Code | None] = []
    for _ in range(6):
        try:
            entry = stream.read_directory_entry()
        except host.TypesErrorCodeException as error:
            found.append(error.value)
        else:
            found.append(None if entry is None else entry.name)
    assert found[4:] == [None, None]
    assert sorted(map(str, found[:4])) == ["TypesErrorCode.ILLEGAL_BYTE_SEQUENCE"] * 3 + ["good"]
    (folder / "link").symlink_to(os.fsdecode(b"\xff"))
    assert refuses(root.readlink_at, "link") is Code.ILLEGAL_BYTE_SEQUENCE


def test_directories_are_made_and_removed(folder: Path, root: host.Descriptor) -> None:
    root.create_directory_at("new")
    root.create_directory_at("new/inner/")
    assert (folder / "new/inner").is_dir()
    assert refuses(root.create_directory_at, "new") is Code.EXIST
    assert refuses(root.create_directory_at, "file") is Code.EXIST
    assert refuses(root.create_directory_at, ".") is Code.EXIST
    assert refuses(root.create_directory_at, "missing/new") is Code.NO_ENTRY
    assert refuses(root.remove_directory_at, "new") is Code.NOT_EMPTY
    assert refuses(root.remove_directory_at, "file") is Code.NOT_DIRECTORY
    assert refuses(root.remove_directory_at, "missing") is Code.NO_ENTRY
    assert refuses(root.remove_directory_at, "new/.") is Code.INVALID
    root.remove_directory_at("new/inner/")
    root.remove_directory_at("new")
    assert not (folder / "new").exists()


def test_removing_a_directory_does_not_go_through_links(folder: Path, root: host.Descriptor) -> None:
    (folder / "empty").mkdir()
    (folder / "link").symlink_to("empty")
    for path in ("link", "link/"):
        assert refuses(root.remove_directory_at, path) is Code.NOT_DIRECTORY
    assert (folder / "empty").is_dir() and (folder / "link").is_symlink()


def test_files_and_links_are_unlinked(folder: Path, root: host.Descriptor) -> None:
    (folder / "link").symlink_to("a")
    assert refuses(root.unlink_file_at, "a") is Code.IS_DIRECTORY
    assert refuses(root.unlink_file_at, "a/") is Code.IS_DIRECTORY
    assert refuses(root.unlink_file_at, "file/") is Code.NOT_DIRECTORY
    assert refuses(root.unlink_file_at, "link/") is Code.NOT_DIRECTORY
    assert refuses(root.unlink_file_at, "missing") is Code.NO_ENTRY
    assert refuses(root.unlink_file_at, "missing/") is Code.NO_ENTRY
    root.unlink_file_at("link")
    root.unlink_file_at("a/below")
    assert names(folder) == ["a", "file"] and names(folder / "a") == []


def test_symbolic_links_are_made_and_read(folder: Path, root: host.Descriptor) -> None:
    for target in ("file", "../outside", "missing/x", "a/../file", "ä", "x/"):
        root.symlink_at(target, "a/link")
        assert os.readlink(folder / "a/link") == target  # noqa: PTH115
        assert root.readlink_at("a/link") == target
        root.unlink_file_at("a/link")
    for target in ("/etc/passwd", "/", "//x"):
        assert refuses(root.symlink_at, target, "link") is Code.NOT_PERMITTED
    assert refuses(root.symlink_at, "x\0", "link") is Code.INVALID
    assert refuses(root.symlink_at, "", "link") is Code.NO_ENTRY
    assert refuses(root.symlink_at, "x" * 5000, "link") is Code.NAME_TOO_LONG
    assert refuses(root.symlink_at, "x", "file") is Code.EXIST
    assert refuses(root.symlink_at, "x", "a/") is Code.EXIST
    assert refuses(root.symlink_at, "x", "new/") is Code.NO_ENTRY
    assert refuses(root.readlink_at, "file") is Code.INVALID
    assert refuses(root.readlink_at, "missing") is Code.NO_ENTRY
    (folder / "absolute").symlink_to("/etc")
    assert refuses(root.readlink_at, "absolute") is Code.NOT_PERMITTED


def test_hard_links_are_made(folder: Path, root: host.Descriptor) -> None:
    (folder / "link").symlink_to("file")
    below = opened(root, "a", "rd")
    root.link_at(NOFOLLOW, "file", below, "hard")
    root.link_at(FOLLOW, "link", root, "followed")
    root.link_at(NOFOLLOW, "link", root, "linked")
    assert (folder / "file").stat().st_nlink == 3 and (folder / "linked").is_symlink()
    assert refuses(root.link_at, NOFOLLOW, "missing", root, "new") is Code.NO_ENTRY
    assert refuses(root.link_at, NOFOLLOW, "file", root, "link") is Code.EXIST
    assert refuses(root.link_at, NOFOLLOW, "a", root, "new") is Code.NOT_PERMITTED
    assert refuses(root.link_at, NOFOLLOW, "file/", root, "new") is Code.NOT_DIRECTORY
    assert refuses(root.link_at, NOFOLLOW, "file", root, "new/") is Code.NO_ENTRY


def test_files_and_directories_are_renamed_across_descriptors(folder: Path, root: host.Descriptor) -> None:
    below = opened(root, "a", "rd")
    root.rename_at("file", below, "moved")
    below.rename_at("below", root, "file")
    assert (folder / "a/moved").read_bytes() == b"contents" and (folder / "file").read_bytes() == b""
    below.rename_at("moved", root, "file")
    assert (folder / "file").read_bytes() == b"contents"
    root.rename_at("a/", root, "b/")
    root.rename_at("b", root, "c")
    root.create_directory_at("empty")
    root.rename_at("c", root, "empty")
    assert names(folder) == ["empty", "file"]


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("missing", "new", Code.NO_ENTRY),
        ("file", "missing/new", Code.NO_ENTRY),
        ("file", "a", Code.IS_DIRECTORY),
        ("a", "file", Code.NOT_DIRECTORY),
        ("other", "a", Code.NOT_EMPTY),
        ("a", "a/below/new", Code.NOT_DIRECTORY),
        ("a", "a/new", Code.INVALID),
        ("file/", "new", Code.NOT_DIRECTORY),
        ("file", "new/", Code.NOT_DIRECTORY),
        ("link/", "new", Code.NOT_DIRECTORY),
        (".", "new", Code.BUSY),
        ("file", "", Code.NO_ENTRY),
    ],
)
def test_what_can_not_be_renamed_stays(folder: Path, root: host.Descriptor, old: str, new: str, code: Code) -> None:
    (folder / "other").mkdir()
    (folder / "link").symlink_to("a")
    assert refuses(root.rename_at, old, root, new) is code
    assert names(folder) == ["a", "file", "link", "other"]


def test_a_name_is_not_moved_to_another_filesystem(folder: Path, root: host.Descriptor) -> None:
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == folder.stat().st_dev:
        pytest.skip("there is only one filesystem")
    assert refuses(root.rename_at, "file", granted(shared), "witgen-test") is Code.CROSS_DEVICE
    assert refuses(root.link_at, NOFOLLOW, "file", granted(shared), "witgen-test") is Code.CROSS_DEVICE


def test_descriptors_of_another_host_are_elsewhere(root: host.Descriptor) -> None:
    other: Any = object()
    assert refuses(root.rename_at, "file", other, "new") is Code.CROSS_DEVICE
    assert refuses(root.link_at, NOFOLLOW, "file", other, "new") is Code.CROSS_DEVICE
    assert not root.is_same_object(other)


# Folders that are granted for reading alone.


def test_nothing_is_changed_through_a_folder_that_is_granted_for_reading(folder: Path) -> None:
    (folder / "link").symlink_to("file")
    before = {path: (path.lstat().st_mtime_ns, path.lstat().st_nlink) for path in folder.rglob("*")}
    root = granted(folder, write=False)
    for how in ("w", "rw", "wc", "rc", "rx", "rt", "wt", "m", "rm"):
        assert refuses(opened, root, "file", how) is Code.READ_ONLY
        assert refuses(opened, root, "new", how) is Code.READ_ONLY
    below = opened(root, "a", "rd")
    for here in (root, below):
        assert refuses(here.create_directory_at, "new") is Code.READ_ONLY
        assert refuses(here.remove_directory_at, "a") is Code.READ_ONLY
        assert refuses(here.unlink_file_at, "file") is Code.READ_ONLY
        assert refuses(here.symlink_at, "x", "new") is Code.READ_ONLY
        assert refuses(here.link_at, NOFOLLOW, "file", here, "new") is Code.READ_ONLY
        assert refuses(here.rename_at, "file", here, "new") is Code.READ_ONLY
        assert refuses(here.set_times_at, FOLLOW, "file", NOW, NOW) is Code.READ_ONLY
        assert refuses(here.set_times, NOW, NOW) is Code.READ_ONLY
    file = opened(root, "file")
    assert refuses(file.set_times, NOW, NOW) is Code.READ_ONLY
    assert refuses(file.write, b"x", 0) is Code.BAD_DESCRIPTOR
    assert refuses(file.set_size, 0) is Code.INVALID
    assert {path: (path.lstat().st_mtime_ns, path.lstat().st_nlink) for path in folder.rglob("*")} == before
    assert content_of(file) == b"contents" and content_of(opened(root, "link")) == b"contents"
    assert entries(below) == {"below": DescriptorType.REGULAR_FILE}
    assert root.readlink_at("link") == "file"


def content_of(file: host.Descriptor) -> bytes:
    return bytes(file.read(100, 0)[0])


def test_files_granted_for_reading_do_not_come_into_a_folder_for_writing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "writable").mkdir()
    reading, writing = granted(folder, write=False), granted(tmp_path / "writable")
    assert refuses(reading.link_at, NOFOLLOW, "file", writing, "file") is Code.READ_ONLY
    assert refuses(reading.rename_at, "file", writing, "file") is Code.READ_ONLY
    assert refuses(writing.rename_at, "x", reading, "file") is Code.READ_ONLY
    assert names(tmp_path / "writable") == []


# The system's own limits.


def test_what_permissions_forbid_is_no_access(folder: Path) -> None:
    with ordinary_user(folder) as here:
        root = granted(here)
        (here / "file").chmod(0)
        assert refuses(opened, root, "file") is Code.ACCESS
        (here / "file").chmod(0o444)
        assert refuses(opened, root, "file", "w") is Code.ACCESS
        assert content_of(opened(root, "file")) == b"contents"
        (here / "a").chmod(0o555)
        assert refuses(root.unlink_file_at, "a/below") is Code.ACCESS
        assert refuses(root.create_directory_at, "a/new") is Code.ACCESS
        (here / "a").chmod(0o755)


def test_new_files_and_directories_have_the_permissions_that_the_process_leaves(
    folder: Path, root: host.Descriptor
) -> None:
    before = os.umask(0o027)
    try:
        opened(root, "new", "wc")
        root.create_directory_at("made")
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "new").stat().st_mode) == 0o640
    assert stat.S_IMODE((folder / "made").stat().st_mode) == 0o750


def test_a_process_without_descriptors_says_so(root: host.Descriptor) -> None:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(map(int, names(Path("/dev/fd"))))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 20, before[1]))
    try:
        held = []
        with refused(Code.INSUFFICIENT_MEMORY):
            while True:
                held.append(opened(root, "file"))
        for descriptor in held:
            descriptor.close()
        opened(root, "file")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_every_code_is_the_one_that_is_named_after_its_errno() -> None:
    from witgen.wasi.file_errors import error_code

    for name in ("EACCES", "EBUSY", "EROFS", "EXDEV", "ENOSPC", "EDQUOT", "ETXTBSY"):
        assert error_code(OSError(getattr(errno, name), "")) is not Code.IO
    assert error_code(OSError("no number")) is Code.IO
    assert error_code(OSError(errno.ENOPROTOOPT, "")) is Code.IO

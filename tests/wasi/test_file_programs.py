"""Programs of the standard library that work with the files of folders which they are granted."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.wasi.folders import held, names
from tests.wasi.oracle import run_on_wasmtime
from tests.wasi.running import Outcome, Program
from tests.wasi.support import build_program
from witgen import runtime as rt
from witgen import wasi

#: The numbers of errors in the C library of these guests.
BADF, EXIST, ISDIR, NOENT, NOTEMPTY, PERM, ROFS = 8, 20, 31, 44, 55, 63, 69


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program `files.rs`."""
    return Program(build_program("files", tmp_path_factory.mktemp("files")))


Run = Callable[..., list[str]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tree(tmp_path)


def tree(outer: Path) -> Path:
    """A folder with things in it, beside a file that is out of reach."""
    (outer / "secret").write_text("secret")
    folder = outer / "inside"
    (folder / "a/b").mkdir(parents=True)
    (folder / "file").write_text("contents")
    (folder / "lines").write_text("one\ntwo\nthree\n")
    (folder / "a/link").symlink_to("../file")
    (folder / "out").symlink_to("../secret")
    (folder / "up").symlink_to("..")
    (folder / "absolute").symlink_to("/etc")
    (folder / "broken").symlink_to("nothing")
    return folder


@pytest.fixture
def run(program: Program, folder: Path) -> Run:
    """Does operations in a new instance; gives what came of each."""

    def run(*operations: str, write: bool = True) -> list[str]:
        return results(program.run(*operations, filesystem=granted(folder, write=write)), operations)

    return run


def granted(folder: Path, *, write: bool = True) -> wasi.Filesystem:
    """A folder, granted as the root of all that a program sees."""
    return wasi.Filesystem([wasi.Preopen("/", folder, write=write)])


def results(outcome: Outcome, operations: Sequence[str]) -> list[str]:
    """What came of each operation."""
    assert (outcome.status, outcome.error) == (0, b"")
    lines = outcome.out.decode().splitlines()
    for line, operation in zip(lines, operations, strict=True):
        assert line.startswith(f"{operation} -> ")
    return [line.removeprefix(f"{operation} -> ") for line, operation in zip(lines, operations, strict=True)]


def error(line: str) -> int:
    """The number of the error that came of an operation."""
    kind, number = line.rsplit(" ", 1)
    assert kind.isalpha() and number.startswith("Some("), line
    return int(number[5:-1])


def test_files_are_read_and_written(run: Run, folder: Path) -> None:
    assert run("read|file", "read|/file", "read|./a/../file", "lines|lines") == [*["contents"] * 3, "3"]
    assert run("write|new|text", "append|new|, more", "read|new") == ["done", "done", "text, more"]
    assert (folder / "new").read_text() == "text, more"
    assert run("new|other", "write|file|shorter", "truncate|new") == ["done"] * 3
    assert ((folder / "file").read_text(), (folder / "new").read_text()) == ("shorter", "")
    assert error(*run("new|other")) == EXIST


def test_files_are_changed_in_the_middle_and_resized(run: Run, folder: Path) -> None:
    assert run("patch|file|3|XY") == ['5 "conXYnts" 6 [116, 115]']
    assert run("patch|file|10|end") == ['13 "conXYnts\\0\\0end" 11 [110, 100]']
    assert run("resize|file|4", "read|file") == ["done", "conX"]
    assert run("resize|file|6", "read|file") == ["done", "conX\0\0"]


def test_what_is_open_twice_is_one_file(run: Run) -> None:
    assert run("together|new") == ['"one 0\\ntwo 0\\none 1\\ntwo 1\\none 2\\ntwo 2\\n"']


def test_a_large_file_is_written_and_read(run: Run, folder: Path) -> None:
    assert run("large|new|5000001", "copy|new|copied") == ["true 2500001", "5000001"]
    data = (folder / "copied").read_bytes()
    assert data == bytes((index * 7 + index // 251) & 255 for index in range(5_000_001))


def test_directories_are_made_listed_and_removed(run: Run, folder: Path) -> None:
    assert run("list|/") == ["a/ absolute@ broken@ file lines out@ up@"] == run("list|.")
    assert run("list|a", "make|new", "make-all|x/y/z", "write|x/y/z/f|1", "list|x/y") == [
        "b/ link@",
        *["done"] * 3,
        "z/",
    ]
    assert error(run("remove-directory|x")[0]) == NOTEMPTY
    assert error(run("remove|x")[0]) == ISDIR
    assert run("remove-directory|new", "remove-all|x", "remove-all|a", "remove|up", "remove|out") == ["done"] * 5
    assert names(folder) == ["absolute", "broken", "file", "lines"]
    assert (folder.parent / "secret").read_text() == "secret"


def test_many_files_are_removed_while_they_are_listed(run: Run, folder: Path) -> None:
    for number in range(700):
        (folder / "a/b" / f"file-{number}").touch()
    assert run("remove-all|a") == ["done"]
    assert not (folder / "a").exists()


def test_files_get_other_names(run: Run, folder: Path) -> None:
    assert run("rename|file|a/moved", "hard-link|a/moved|again", "soft-link|again|soft") == ["done"] * 3
    assert run("read|again", "read|soft", "read-link|soft") == ["contents", "contents", "again"]
    assert (folder / "again").samefile(folder / "a/moved")
    assert error(run("rename|missing|x")[0]) == NOENT
    assert error(run("soft-link|/etc|x")[0]) == PERM


def test_metadata_is_told_and_set(run: Run, folder: Path) -> None:
    assert run("metadata|a/link", "link-metadata|a/link", "open-metadata|.") == [
        "true false false 8 now now",
        "false false true 0 now now",
        "false true false 0 now now",
    ]
    assert run("touch|file|5|6") == ["true false false 8 5 6"]
    found = (folder / "file").stat()
    assert (found.st_atime_ns, found.st_mtime_ns) == (5_000_000_005, 6_000_000_005)
    assert run("exists|file", "exists|missing", "sync|file", "sync-reader|file") == ["true", "false", "done", "done"]


@pytest.mark.parametrize(
    "path", ["../secret", "out", "up/secret", "a/../../secret", "a/b/../../../secret", "absolute/passwd"]
)
def test_what_is_outside_is_out_of_reach(run: Run, folder: Path, path: str) -> None:
    found = run(
        f"read|{path}",
        f"write|{path}|x",
        f"append|{path}|x",
        f"truncate|{path}",
        f"metadata|{path}",
        f"copy|{path}|copied",
        f"resize|{path}|0",
    )
    assert {error(line) for line in found} == {PERM}
    assert (folder.parent / "secret").read_text() == "secret" and not (folder / "copied").exists()


def test_nothing_is_made_moved_or_removed_outside(run: Run, folder: Path) -> None:
    found = run(
        "make|up/new",
        "make|../new",
        "new|up/new",
        "remove|up/secret",
        "remove|../secret",
        "rename|file|up/new",
        "rename|up/secret|new",
        "hard-link|up/secret|new",
        "hard-link|file|../new",
        "remove-directory|up/inside",
        "remove-all|up/inside",
        "list|up",
        "list|..",
    )
    assert {error(line) for line in found} == {PERM}
    assert names(folder.parent) == ["inside", "secret"]
    # The library looks for the folder that an absolute path is in; there is none but this one.
    assert error(run("read|/etc/passwd")[0]) == NOENT


def test_a_folder_for_reading_is_read(run: Run, folder: Path) -> None:
    def read_only(*operations: str) -> list[str]:
        return run(*operations, write=False)

    before = {path: path.lstat() for path in folder.rglob("*")}
    assert read_only("read|file", "read|a/link", "list|a", "lines|lines")[1:] == ["contents", "b/ link@", "3"]
    found = read_only(
        "write|file|x",
        "append|file|x",
        "new|new",
        "truncate|file",
        "make|new",
        "remove|file",
        "rename|file|new",
        "hard-link|file|new",
        "soft-link|file|new",
        "remove-directory|a/b",
        "remove-all|a",
        "touch|file|1|1",
    )
    assert {error(line) for line in found} == {ROFS}
    assert error(read_only("write-reader|file")[0]) == BADF
    after = {path: path.lstat() for path in folder.rglob("*")}
    assert {path: (s.st_mtime_ns, s.st_size, s.st_nlink) for path, s in after.items()} == {
        path: (s.st_mtime_ns, s.st_size, s.st_nlink) for path, s in before.items()
    }


def test_a_program_sees_each_folder_under_its_name(program: Program, tmp_path: Path) -> None:
    for name in ("one", "two", "two/inner"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    operations = ["read|/data/file", "read|/data/deep/file", "read|/other/file", "rename|/data/file|/data/deep/new"]
    folders = [
        wasi.Preopen("/data", tmp_path / "one", write=True),
        wasi.Preopen("/data/deep", tmp_path / "two", write=True),
    ]
    one, two, other, moved = results(program.run(*operations, filesystem=wasi.Filesystem(folders)), operations)
    assert (one, two, error(other), moved) == ("one", "two", NOENT, "done")
    assert (tmp_path / "two/new").read_text() == "one"


def test_a_program_without_folders_has_no_files(program: Program) -> None:
    operations = ["read|/etc/passwd", "list|/", "write|x|y"]
    assert {error(line) for line in results(program.run(*operations), operations)} == {NOENT}


def test_a_program_that_is_not_granted_files_does_not_link(program: Program) -> None:
    provider = wasi.provider(clocks=wasi.Clocks(), random=wasi.Random(), cli=wasi.Cli())
    with pytest.raises(rt.LinkError, match=r"wasi:filesystem/types.*: not granted"):
        wasi.Command(program.component, providers=[provider])


def test_what_a_program_leaves_open_is_closed_with_it(program: Program, folder: Path) -> None:
    program.run("read|file", filesystem=granted(folder))
    before = held()
    for _ in range(3):
        assert program.run("hold|file|30", filesystem=granted(folder)).out == b"hold|file|30 -> held\n"
        assert isinstance(program.run("hold|file|30", "trap", filesystem=granted(folder)).status, rt.Trap)
    assert held() == before


#: Operations in the order in which they are done, in one folder.
SCRIPT = """\
read|file
write|new|text
append|new|more
read|new
new|new
list|/
list|a
metadata|a/link
link-metadata|a/link
metadata|broken
link-metadata|broken
exists|broken
read|a/link
read|a/b
read|out
read|up/secret
write|out|x
write|broken|made
read|nothing
read|../secret
read|/etc/passwd
read|absolute/passwd
read-link|absolute
read-link|out
read-link|file
patch|new|2|XX
together|t
large|l|1000000
copy|l|l2
copy|l|a
remove|l
rename|l2|a/l3
rename|file|a
rename|a|file
rename|a|a/b/c
rename|missing|x
hard-link|file|hard
hard-link|a|hard2
hard-link|file|new
soft-link|file|soft
soft-link|/etc|soft2
soft-link|x|file
make-all|x/y/z
make|x
make|missing/x
write|x/y/z/f|1
write|x|1
write|x/q/|1
write|file/x|1
remove-directory|x
remove-directory|file
remove-directory|missing
remove|x
remove|x/
remove|file/
remove-all|x
remove-all|a
remove-all|up
list|.
touch|file|5|6
sync|file
sync-reader|file
resize|file|3
resize-reader|file|1
read|file
read|.
read|
list|file
metadata|missing
metadata|file/
metadata|file/x
metadata|soft/
remove|missing
open-metadata|.
""".splitlines()


def test_a_program_does_the_same_as_on_the_wasi_of_wasmtime(program: Program, tmp_path: Path) -> None:
    for name in ("ours", "theirs"):
        (tmp_path / name).mkdir()
    one, two = tree(tmp_path / "ours"), tree(tmp_path / "theirs")
    ours = program.run(*SCRIPT, filesystem=granted(one))
    theirs = run_on_wasmtime(program, *SCRIPT, folder=tmp_path, preopens={"/": two})
    assert results(ours, SCRIPT) == results(theirs, SCRIPT)
    assert contents(one) == contents(two)


def contents(folder: Path) -> dict[str, bytes | str]:
    """All that is in a folder."""
    return {
        str(path.relative_to(folder)): (
            os.readlink(path) if path.is_symlink() else ("" if path.is_dir() else path.read_bytes())  # noqa: PTH115
        )
        for path in folder.rglob("*")
    }

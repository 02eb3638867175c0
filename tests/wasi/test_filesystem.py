"""Which folders components are given, and what is left of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.wasi.folders import Code, entries, held, opened, refuses
from witgen.wasi import Filesystem, Preopen


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).write_text(name)
    return tmp_path


def test_components_get_the_folders_under_the_names_that_were_said(folders: Path) -> None:
    files = Filesystem([Preopen("/data", folders / "one"), Preopen(".", str(folders / "two"), write=True)])
    found = files.get_directories()
    assert [name for _, name in found] == ["/data", "."]
    assert [list(entries(descriptor)) for descriptor, _ in found] == [["one"], ["two"]]
    assert refuses(opened, found[0][0], "new", "wc") is Code.READ_ONLY
    opened(found[1][0], "new", "wc")
    assert Filesystem([]).get_directories() == []


def test_a_folder_stays_the_one_that_it_was_when_it_was_granted(folders: Path) -> None:
    files = Filesystem([Preopen("/", folders / "one")])
    (folders / "one").rename(folders / "three")
    (folders / "two").rename(folders / "one")
    [(root, _)] = files.get_directories()
    assert list(entries(root)) == ["one"]


def test_a_folder_may_be_named_by_a_link(folders: Path) -> None:
    (folders / "link").symlink_to("one")
    [(root, _)] = Filesystem([Preopen("/", folders / "link")]).get_directories()
    assert list(entries(root)) == ["one"]


def test_what_is_no_folder_is_not_granted_and_leaves_nothing_open(folders: Path) -> None:
    before = held()
    with pytest.raises(FileNotFoundError, match="missing"):
        Filesystem([Preopen("/", folders / "one"), Preopen("/x", folders / "missing")])
    with pytest.raises(NotADirectoryError):
        Filesystem([Preopen("/", folders / "one"), Preopen("/x", folders / "one/one")])
    assert held() == before


def test_a_secret_must_be_long_enough_to_be_one(folders: Path) -> None:
    for length in (0, 15, 65):
        with pytest.raises(ValueError, match="16 to 64"):
            Filesystem([], secret=bytes(length))


def test_a_component_that_asks_for_its_folders_again_costs_no_descriptors(folders: Path) -> None:
    files = Filesystem([Preopen("/", folders / "one")])
    before = held()
    kept = [files.get_directories()[0][0] for _ in range(50)]
    assert held() == before and all(descriptor.is_same_object(kept[0]) for descriptor in kept)


def test_closing_gives_out_no_more_and_takes_nothing_away(folders: Path) -> None:
    before = held()
    with Filesystem([Preopen("/", folders / "one")]) as files:
        [(root, _)] = files.get_directories()
        assert held() == before + 1
    assert files.get_directories() == []
    assert list(entries(root)) == ["one"]
    del root
    assert held() == before


def test_other_programs_do_not_inherit_the_folders(folders: Path) -> None:
    [(root, _)] = Filesystem([Preopen("/", folders / "one")]).get_directories()
    file = opened(root, "one")
    listing = "import pathlib; print([str(path.resolve()) for path in pathlib.Path('/proc/self/fd').iterdir()])"
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("there is no /proc")
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, close_fds=False, check=True)
    assert str(folders) not in done.stdout and file.stat().size == 3

"""Files are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from witgen.diagnostics import WitError
from witgen.files import differing, write_all


def test_only_what_differs_is_named(tmp_path: Path) -> None:
    same, other, missing = tmp_path / "same", tmp_path / "other", tmp_path / "missing"
    same.write_bytes(b"a")
    other.write_bytes(b"x")
    assert differing({same: b"a", other: b"a", missing: b"a"}) == [other, missing]


def test_folders_are_made_and_nothing_temporary_stays(tmp_path: Path) -> None:
    write_all({tmp_path / "deep/er/file": b"content"})
    assert [path.name for path in (tmp_path / "deep/er").iterdir()] == ["file"]
    assert (tmp_path / "deep/er/file").read_bytes() == b"content"


def test_where_one_file_cannot_be_written_none_is_touched(tmp_path: Path) -> None:
    good, blocked = tmp_path / "good", tmp_path / "plain" / "below"
    good.write_bytes(b"before")
    (tmp_path / "plain").write_bytes(b"a file, not a folder")
    with pytest.raises(WitError, match="can't be written"):
        write_all({good: b"after", blocked: b"x"})
    assert good.read_bytes() == b"before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good", "plain"]


def test_the_mode_of_a_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "script"
    path.write_bytes(b"a")
    path.chmod(0o755)
    write_all({path: b"b"})
    assert path.stat().st_mode & 0o777 == 0o755


def test_a_link_stays_a_link_to_what_is_written(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"a")
    link.symlink_to(target)
    write_all({link: b"b"})
    assert link.is_symlink() and target.read_bytes() == b"b"


def test_what_is_no_file_is_written_into_and_stays_what_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_all({pipe: b"content"})
        assert os.read(reader, 100) == b"content"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_folder_is_no_place_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(WitError, match="can't be written: is a directory"):
        write_all({tmp_path: b"content"})


def test_a_name_may_be_as_long_as_names_can_be(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    write_all({path: b"content"})
    assert path.read_bytes() == b"content"

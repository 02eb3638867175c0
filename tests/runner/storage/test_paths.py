"""What paths of clients mean, and that none leads out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runner.storage import Reason, StorageError
from runner.storage.paths import resolve


@pytest.mark.parametrize(
    ("folder", "path", "found"),
    [
        ("/", "a", "/a"),
        ("/a", "b", "/a/b"),
        ("/a", "/b", "/b"),
        ("/a", "", "/a"),
        ("/a", ".", "/a"),
        ("/a/b", "..", "/a"),
        ("/a/b", "../c", "/a/c"),
        ("/a", "../../../etc/passwd", "/etc/passwd"),
        ("/", "..", "/"),
        ("/", "a//b/./c/", "/a/b/c"),
        ("/", "/a/../..//b", "/b"),
        ("/", "...", "/..."),
        ("/", "ö ü/…", "/ö ü/…"),
        ("/", " leading and trailing ", "/ leading and trailing "),
        ("/", "ab:c", "/ab:c"),
    ],
)
def test_paths_are_resolved_below_the_root(folder: str, path: str, found: str) -> None:
    assert resolve(folder, path) == found


@pytest.mark.parametrize(
    "path",
    [
        "a\0b",
        "a\r\nb",
        "..\\..\\etc",
        "\\\\server\\share",
        "C:\\windows",
        "c:file",
        ".runner-upload-1234",
        "a/.runner-upload-1/b",
        "x" * 256,
        "ä" * 128,
        "a/" * 2001,
        "\ud800",
        "a\x7f",
    ],
)
def test_names_that_mean_more_than_a_name_are_refused(path: str) -> None:
    with pytest.raises(StorageError) as caught:
        resolve("/", path)
    assert caught.value.reason is Reason.BAD_NAME


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b c", "...", "/", "~", "%2e%2e", "-", "$HOME"]), max_size=12))
def test_whatever_is_put_together_stays_below_the_root(names: list[str]) -> None:
    found = resolve("/home", "/".join(names))
    assert found.startswith("/")
    assert not {"..", ".", ""} & set(found[1:].split("/")) or found == "/"
    assert resolve("/", found) == found

"""The store: what was kept is found again, whole or not at all, and nothing that goes wrong with it is an error."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from witgen import store

KEY = store.key_of(b"some", b"input")


def only_entry(folder: Path) -> Path:
    (entry,) = folder.iterdir()
    return entry


def test_what_was_put_is_got(fresh_cache: Path) -> None:
    assert store.get("kind", KEY) is None
    store.put("kind", KEY, b"value")
    assert store.get("kind", KEY) == b"value"
    assert store.get("other", KEY) is None
    assert store.get("kind", store.key_of(b"other")) is None


def test_a_key_tells_how_its_parts_are_divided() -> None:
    assert len({store.key_of(b"ab", b"c"), store.key_of(b"a", b"bc"), store.key_of(b"abc"), store.key_of()}) == 4


@pytest.mark.parametrize("damage", [b"", b"short", b"\0" * 100])
def test_a_damaged_entry_is_not_there(fresh_cache: Path, damage: bytes) -> None:
    store.put("kind", KEY, b"value")
    only_entry(fresh_cache).write_bytes(damage)
    assert store.get("kind", KEY) is None
    store.put("kind", KEY, b"value")
    assert store.get("kind", KEY) == b"value"


def test_an_entry_with_one_bit_turned_is_not_there(fresh_cache: Path) -> None:
    store.put("kind", KEY, b"value")
    path = only_entry(fresh_cache)
    whole = path.read_bytes()
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
        assert store.get("kind", KEY) is None


def test_an_entry_under_the_name_of_another_is_not_there(fresh_cache: Path) -> None:
    store.put("kind", KEY, b"value")
    other = store.key_of(b"other")
    path = only_entry(fresh_cache)
    path.rename(path.with_name(path.name.replace(KEY[:40], other[:40])))
    assert store.get("kind", other) is None


def test_a_folder_that_can_not_be_made_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WITGEN_CACHE_DIR", str(tmp_path / "file" / "cache"))
    store.put("kind", KEY, b"value")
    assert store.get("kind", KEY) is None


def test_a_folder_in_the_place_of_an_entry_does_no_harm(fresh_cache: Path) -> None:
    store.put("kind", KEY, b"value")
    path = only_entry(fresh_cache)
    path.unlink()
    path.mkdir()
    store.put("kind", KEY, b"value")
    assert store.get("kind", KEY) is None
    assert only_entry(fresh_cache) == path


def test_it_can_be_turned_off(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put("kind", KEY, b"value")
    monkeypatch.setenv("WITGEN_CACHE", "off")
    assert store.get("kind", KEY) is None
    store.put("other", KEY, b"value")
    monkeypatch.delenv("WITGEN_CACHE")
    assert store.get("kind", KEY) == b"value"
    assert store.get("other", KEY) is None


def test_a_user_without_a_home_has_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in ("WITGEN_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    store.put("kind", KEY, b"value")
    assert store.get("kind", KEY) is None
    assert not list(tmp_path.iterdir())


def test_entries_that_nobody_used_for_long_make_room(fresh_cache: Path) -> None:
    store.put("old", KEY, b"value")
    store.put("used", KEY, b"value")
    (fresh_cache / "of-someone-else").write_text("stays")
    long_ago = time.time() - 60 * 24 * 60 * 60
    for path in fresh_cache.iterdir():
        os.utime(path, (long_ago, long_ago))
    assert store.get("used", KEY) == b"value"
    store.put("new", "0" * 64, b"value")
    assert store.get("old", KEY) is None
    assert store.get("used", KEY) == b"value"
    assert store.get("new", "0" * 64) == b"value"
    assert (fresh_cache / "of-someone-else").exists()


def test_it_does_not_grow_without_bound(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_MOST_ENTRIES", 20)
    for number in range(60):
        store.put("kind", f"0{number:<063}", b"value")
    assert len(list(fresh_cache.iterdir())) == 20


def test_a_value_that_is_too_large_is_not_kept(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "_MOST_BYTES", 1000)
    store.put("kind", KEY, bytes(300))
    assert store.get("kind", KEY) is None


def test_writers_at_the_same_time_do_not_disturb_each_other(fresh_cache: Path) -> None:
    script = (
        "from witgen import store\n"
        "for number in range(300):\n"
        "    store.put('kind', '0' * 64, b'value' * 2000)\n"
        "    assert store.get('kind', '0' * 64) in (None, b'value' * 2000)\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert store.get("kind", "0" * 64) == b"value" * 2000
    assert len(list(fresh_cache.iterdir())) == 1

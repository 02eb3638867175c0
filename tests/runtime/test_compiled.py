"""Compiled code is found again on disk, by any process, and believed only where nobody else can have written it."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import wasmtime

from tests.runtime.support import component
from witgen import runtime as rt
from witgen import store
from witgen.runtime import compiled as module_under_test
from witgen.runtime.compiled import compiled

ENGINE = rt.new_engine()

posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")
not_root = pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may write everywhere")


def core(number: int, size: int = 0) -> bytes:
    """A core module whose function `f` gives `number`, with `size` bytes of data."""
    text = (
        f'(module (memory 512) (data (i32.const 0) "{"x" * size}") (func (export "f") (result i32) i32.const {number}))'
    )
    return bytes(wasmtime.wat2wasm(text))


#: Compiled, it is large enough to be mapped.
LARGE = core(5, 2 << 20)


def runs(found: wasmtime.Module, engine: wasmtime.Engine = ENGINE) -> int:
    """What `f` of a module gives."""
    place = wasmtime.Store(engine)
    place.set_epoch_deadline(1)
    function = wasmtime.Instance(place, found, []).exports(place)["f"]
    assert isinstance(function, wasmtime.Func)
    return int(function(place))


def entries(cache: Path) -> list[Path]:
    folder = cache / "compiled"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def entry(cache: Path) -> Path:
    (found,) = entries(cache)
    return found


def overwrite(path: Path, data: bytes) -> None:
    """As a crash or a fault of the disk would: not in place, because the file may be mapped by this process."""
    path.unlink()
    path.write_bytes(data)
    path.chmod(0o600)


@pytest.mark.parametrize("module", [core(5), LARGE], ids=["small", "large"])
def test_code_is_kept_and_found(fresh_cache: Path, module: bytes) -> None:
    assert runs(compiled(ENGINE, module)) == 5
    kept = entry(fresh_cache).stat()
    assert runs(compiled(ENGINE, module)) == 5
    assert entry(fresh_cache).stat().st_mtime_ns == kept.st_mtime_ns
    # That it is really used shows where other code lies in its place.
    poison(entry(fresh_cache))
    assert runs(compiled(ENGINE, module)) == 666


@pytest.mark.parametrize("module", [core(5), LARGE], ids=["small", "large"])
@pytest.mark.parametrize("damage", ["empty", "cut", "one bit", "another file"])
def test_a_damaged_entry_is_made_anew(fresh_cache: Path, module: bytes, damage: str) -> None:
    compiled(ENGINE, module)
    path = entry(fresh_cache)
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    overwrite(path, {"empty": b"", "cut": whole[:-1], "one bit": flipped, "another file": bytes(len(whole))}[damage])
    assert runs(compiled(ENGINE, module)) == 5
    assert entry(fresh_cache).read_bytes() == whole


def test_bytes_that_wasmtime_did_not_make_are_refused_by_it(fresh_cache: Path) -> None:
    compiled(ENGINE, core(5))
    path = entry(fresh_cache)
    path.unlink()
    forged = path.with_name(f"{path.name.partition('-')[0]}-{module_under_test._digest(b'not code')}.witgen")
    forged.write_bytes(b"not code")
    forged.chmod(0o600)
    assert runs(compiled(ENGINE, core(5))) == 5
    assert not forged.exists()


def test_engines_with_other_settings_do_not_share_code(fresh_cache: Path) -> None:
    config = wasmtime.Config()
    config.cranelift_opt_level = "none"
    engines = [
        ENGINE,
        rt.new_engine(config),
        rt.new_engine(interruptible=False),
        rt.new_engine(fuel=True),
    ]
    for engine in engines:
        compiled(engine, core(5))
    assert len(entries(fresh_cache)) == len(engines)
    for engine in (rt.new_engine(), rt.new_engine(fuel=True)):
        compiled(engine, core(5))
    assert len(entries(fresh_cache)) == len(engines)


def test_a_module_that_is_not_valid_is_an_error_each_time(fresh_cache: Path) -> None:
    for _ in range(2):
        with pytest.raises(wasmtime.WasmtimeError):
            compiled(ENGINE, b"\0asm\1\0\0\0\xff")
    assert not entries(fresh_cache)


def test_nothing_is_kept_where_that_is_turned_off(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WITGEN_CACHE", "off")
    assert runs(compiled(ENGINE, core(5))) == 5
    assert not fresh_cache.exists()


def test_a_folder_that_can_not_be_made_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WITGEN_CACHE_DIR", str(tmp_path / "file"))
    assert runs(compiled(ENGINE, core(5))) == 5


@posix
@not_root
def test_a_folder_that_can_not_be_written_is_still_read(fresh_cache: Path) -> None:
    compiled(ENGINE, core(5))
    folder = fresh_cache / "compiled"
    folder.chmod(0o500)
    try:
        assert runs(compiled(ENGINE, core(5))) == 5
        assert runs(compiled(ENGINE, core(6))) == 6
    finally:
        folder.chmod(0o700)
    assert entry(fresh_cache)


@posix
def test_the_folder_and_what_is_in_it_are_the_users_alone(fresh_cache: Path) -> None:
    mask = os.umask(0)
    try:
        compiled(ENGINE, core(5))
    finally:
        os.umask(mask)
    assert stat.S_IMODE((fresh_cache / "compiled").stat().st_mode) == 0o700
    assert stat.S_IMODE(entry(fresh_cache).stat().st_mode) == 0o600


@posix
@pytest.mark.parametrize("mode", [0o770, 0o777, 0o702])
def test_a_folder_that_others_can_write_is_not_used(fresh_cache: Path, mode: int) -> None:
    compiled(ENGINE, core(5))
    (fresh_cache / "compiled").chmod(mode)
    poison(entry(fresh_cache))
    assert runs(compiled(ENGINE, core(5))) == 5
    compiled(ENGINE, core(7))
    assert len(entries(fresh_cache)) == 1


@posix
def test_a_file_that_others_can_write_is_not_used(fresh_cache: Path) -> None:
    compiled(ENGINE, core(5))
    poison(entry(fresh_cache))
    entry(fresh_cache).chmod(0o666)
    assert runs(compiled(ENGINE, core(5))) == 5


@posix
def test_a_link_is_not_followed(fresh_cache: Path, tmp_path: Path) -> None:
    compiled(ENGINE, core(5))
    path = poison(entry(fresh_cache))
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert runs(compiled(ENGINE, core(5))) == 5
    shutil.move(fresh_cache / "compiled", tmp_path / "moved")
    (fresh_cache / "compiled").symlink_to(tmp_path / "moved")
    poison(entry(fresh_cache))
    assert runs(compiled(ENGINE, core(5))) == 5


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("what", ["folder", "file"])
def test_what_belongs_to_another_user_is_not_used(fresh_cache: Path, what: str) -> None:
    compiled(ENGINE, core(5))
    path = poison(entry(fresh_cache))
    os.chown(path if what == "file" else path.parent, 12345, 12345)
    assert runs(compiled(ENGINE, core(5))) == 5


def poison(path: Path) -> Path:
    """Puts other code in an entry's place, all in order but that it is not the module's; gives the new place."""
    engine_made = bytes(wasmtime.Module(ENGINE, core(666)).serialize())
    mode = path.stat().st_mode
    path.unlink()
    path = path.with_name(f"{path.name.partition('-')[0]}-{module_under_test._digest(engine_made)}.witgen")
    path.write_bytes(engine_made)
    path.chmod(mode)
    return path


def test_the_folder_does_not_grow_without_bound(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_under_test, "_MOST_ENTRIES", 5)
    for number in range(12):
        compiled(ENGINE, core(number))
    assert len(entries(fresh_cache)) == 5
    monkeypatch.setattr(module_under_test, "_MOST_BYTES", 100)
    compiled(ENGINE, core(100))
    assert len(entries(fresh_cache)) == 5


def test_other_entries_of_the_cache_are_left_alone(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put("kind", "0" * 64, b"value")
    monkeypatch.setattr(module_under_test, "_MOST_ENTRIES", 1)
    for number in range(3):
        compiled(ENGINE, core(number))
    store.put("kind", "1" * 64, b"value")
    assert store.get("kind", "0" * 64) == b"value"
    assert len(entries(fresh_cache)) == 1


def test_components_find_their_modules(fresh_cache: Path) -> None:
    first = component("")
    kept = entries(fresh_cache)
    assert kept
    second = component("")
    assert entries(fresh_cache) == kept
    assert first.definition.definitions == second.definition.definitions
    with pytest.raises(rt.ComponentError, match=r"core module at offset .* is not valid"):
        rt.Component(b"\0asm\x0d\0\1\0\1\x0a\0asm\1\0\0\0\xff\0")


WRITER = """
import sys
from tests.runtime.test_compiled import ENGINE, core, runs
from witgen.runtime.compiled import compiled
for number in range(8):
    assert runs(compiled(ENGINE, core(number % 4, 1 << 18))) == number % 4
    assert runs(compiled(ENGINE, core(number % 4, 1 << 18))) == number % 4
"""


def test_processes_that_write_at_the_same_time_do_not_disturb_each_other(fresh_cache: Path) -> None:
    command = [sys.executable, "-c", WRITER]
    writers = [subprocess.Popen(command, cwd=Path(__file__).resolve().parents[2]) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len({path.name.partition("-")[0] for path in entries(fresh_cache)}) == 4
    assert all(module_under_test._digest(path.read_bytes()) in path.name for path in entries(fresh_cache))


def test_a_process_finds_what_another_one_kept(fresh_cache: Path) -> None:
    subprocess.run([sys.executable, "-c", WRITER], cwd=Path(__file__).resolve().parents[2], check=True)
    kept = {path: path.stat().st_mtime_ns for path in entries(fresh_cache)}
    for number in range(4):
        assert runs(compiled(ENGINE, core(number, 1 << 18))) == number
    assert {path: path.stat().st_mtime_ns for path in entries(fresh_cache)} == kept

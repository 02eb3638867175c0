"""Loading by way of the store: what was resolved before is taken from it, and only then."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from witgen import ir
from witgen.binary import encode_package
from witgen.diagnostics import WitError
from witgen.ir import BlankDocs
from witgen.resolve import assemble, load, loading
from witgen.resolve.json import to_json
from witgen.resolve.kept import pack, unpack

MAIN = "package a:main;\n\n/// Of the main package.\ninterface i {\n  use a:lib/types.{t};\n  f: func(x: t) -> t;\n}\n"
LIB = "package a:lib;\ninterface types {\n  type t = u32;\n  @unstable(feature = fancy)\n  type u = u8;\n}\n"
OTHER = "package a:other;\ninterface more {}\n"


@pytest.fixture
def folder(tmp_path: Path, fresh_cache: Path) -> Path:
    """A package folder with one dependency in a folder and one in a file."""
    root = tmp_path / "wit"
    (root / "deps/lib").mkdir(parents=True)
    (root / "main.wit").write_text(MAIN)
    (root / "deps/lib/lib.wit").write_text(LIB)
    (root / "deps/other.wit").write_text(OTHER)
    return root


@pytest.fixture
def resolved(monkeypatch: pytest.MonkeyPatch) -> Callable[[], bool]:
    """Tells whether anything was really resolved since it was last asked."""
    calls: list[None] = []
    real = assemble.assemble

    def counted(*args: object) -> object:
        calls.append(None)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(assemble, "assemble", counted)

    def answer() -> bool:
        was = bool(calls)
        calls.clear()
        return was

    return answer


def test_the_same_contract_is_resolved_once(folder: Path, resolved: Callable[[], bool]) -> None:
    first = load([folder])
    assert resolved()
    second = load([folder])
    assert not resolved()
    assert second.resolve == first.resolve
    assert second.main == first.main
    assert to_json(second.resolve) == to_json(first.resolve)


def test_the_same_contract_in_another_place_is_the_same(folder: Path, resolved: Callable[[], bool]) -> None:
    load([folder])
    moved = folder.rename(folder.with_name("elsewhere"))
    assert resolved()
    load([moved])
    assert not resolved()


def test_a_binary_alone_is_another_thing_than_one_in_a_folder(folder: Path, tmp_path: Path) -> None:
    loaded = load([folder])
    binary = encode_package(loaded.resolve, loaded.main)
    place = tmp_path / "binary"
    place.mkdir()
    (place / "x.wit").write_bytes(binary)
    load([place / "x.wit"])
    with pytest.raises(WitError, match="there is a WebAssembly file among those of this package"):
        load([place])


def rename_file(root: Path) -> None:
    (root / "main.wit").rename(root / "other.wit")


CHANGES: dict[str, Callable[[Path], object]] = {
    "a byte of a file": lambda root: (root / "main.wit").write_text(MAIN.replace("Of", "of")),
    "a byte of a dependency": lambda root: (root / "deps/lib/lib.wit").write_text(LIB.replace("u32", "u64")),
    "a byte of a dependency in a file": lambda root: (root / "deps/other.wit").write_text(OTHER + "\n"),
    "a new file": lambda root: (root / "more.wit").write_text("interface j {}\n"),
    "a new file of a dependency": lambda root: (root / "deps/lib/more.wit").write_text("interface j {}\n"),
    "a new dependency": lambda root: (root / "deps/third.wit").write_text("package a:third;\n"),
    "a file of another name": rename_file,
    "a dependency that is gone": lambda root: (root / "deps/other.wit").unlink(),
    "a dependency of another name": lambda root: (root / "deps/lib").rename(root / "deps/zlib"),
    "text that moved to another file": lambda root: (
        (root / "main.wit").write_text("package a:main;\n"),
        (root / "rest.wit").write_text(MAIN.removeprefix("package a:main;\n")),
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_each_change_is_seen(
    folder: Path, resolved: Callable[[], bool], change: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    load([folder])
    change(folder)
    resolved()
    found = load([folder])
    assert resolved()
    monkeypatch.setenv("WITGEN_CACHE", "off")
    assert found.resolve == load([folder]).resolve


def test_what_is_asked_for_counts(folder: Path, resolved: Callable[[], bool]) -> None:
    lib = folder / "deps/lib"
    plain = load([lib]).resolve
    assert resolved()
    fancy = load([lib], features=["fancy"]).resolve
    assert resolved()
    assert len(fancy.types) == len(plain.types) + 1
    assert load([lib], all_features=True).resolve == fancy
    assert resolved()
    assert load([lib], features=["other", "fancy"]).resolve == fancy
    assert resolved()
    load([lib], features=["fancy", "other", "fancy"])
    assert not resolved()


def test_the_order_of_roots_counts(folder: Path, resolved: Callable[[], bool]) -> None:
    lib, other = folder / "deps/lib", folder / "deps/other.wit"
    load([lib, other])
    resolved()
    found = load([other, lib])
    assert resolved()
    assert str(found.resolve.packages[found.main].name) == "a:lib"


def test_other_code_resolves_again(folder: Path, resolved: Callable[[], bool], monkeypatch: pytest.MonkeyPatch) -> None:
    load([folder])
    monkeypatch.setattr(loading, "fingerprint", lambda *parts: b"other code")
    resolved()
    load([folder])
    assert resolved()


def test_where_nothing_can_be_kept_all_is_resolved(
    folder: Path, resolved: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "fingerprint", lambda *parts: None)
    load([folder])
    load([folder])
    assert resolved()


def test_mistakes_are_not_kept(folder: Path, fresh_cache: Path) -> None:
    (folder / "main.wit").write_text(MAIN.replace("use", "usee"))
    messages = []
    for _ in range(2):
        with pytest.raises(WitError) as caught:
            load([folder])
        messages.append(str(caught.value))
    assert messages[0] == messages[1]
    assert not list(fresh_cache.glob("packages-*"))


def test_an_entry_that_is_no_model_is_ignored(folder: Path, fresh_cache: Path, resolved: Callable[[], bool]) -> None:
    expected = load([folder]).resolve
    for path in fresh_cache.glob("packages-*"):
        path.write_bytes(path.read_bytes()[:-1])
    resolved()
    assert load([folder]).resolve == expected
    assert resolved()


def test_a_file_that_can_not_be_read_is_told_of_with_the_others(folder: Path) -> None:
    (folder / "main.wit").write_text("package a:main")
    (folder / "deps/other.wit").unlink()
    (folder / "deps/other.wit").symlink_to(folder / "nowhere")
    with pytest.raises(WitError, match="can't be read"):
        load([folder])


@pytest.mark.parametrize("code", [b"cos\nsystem\n(S'true'\ntR.", b"", b"\x80\x05N.", b"(I1\nI2\nt."])
def test_bytes_that_are_no_model_are_refused(code: bytes) -> None:
    assert unpack(code) is None


def test_a_model_is_the_same_after_it_was_kept(wasi: Path) -> None:
    loaded = load([wasi])
    again = unpack(pack(loaded.resolve, loaded.main))
    assert again == (loaded.resolve, loaded.main)


def test_blank_documentation_stays_what_it_is() -> None:
    package = ir.Package(ir.PackageName("a", "b"), {}, {}, BlankDocs())
    again = unpack(pack(ir.Resolve(packages=(package,)), ir.PackageId(0)))
    assert again is not None
    assert isinstance(again[0].packages[0].docs, BlankDocs)


def test_what_was_kept_needs_no_parser(folder: Path) -> None:
    script = (
        "import sys, pathlib\nfrom witgen.resolve import load, select_world\n"
        f"load([pathlib.Path({str(folder)!r})])\n"
        "print(*sys.modules)"
    )

    def modules() -> set[str]:
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        return set(done.stdout.split())

    heavy = {"lark", "witgen.syntax", "witgen.resolve.link", "witgen.resolve.define", "witgen.resolve.assemble"}
    assert heavy <= modules()
    assert not heavy & modules()


def test_processes_at_the_same_time_do_not_disturb_each_other(folder: Path, fresh_cache: Path) -> None:
    script = f"import pathlib, witgen.resolve as r\nprint(len(r.load([pathlib.Path({str(folder)!r})]).resolve.types))"
    running = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) for _ in range(3)]
    assert len({process.communicate()[0] for process in running}) == 1
    assert all(process.returncode == 0 for process in running)
    assert len(list(fresh_cache.glob("packages-*"))) == 1

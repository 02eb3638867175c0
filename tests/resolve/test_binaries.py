"""Packages in the form of WebAssembly: read as text is, used by packages of text, and in agreement with each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.packages import packages
from tests.printer.support import outline, resolved
from witgen import binary
from witgen.diagnostics import WitError
from witgen.printer import json_text
from witgen.resolve import Loaded, load

LIBRARY = """
package lib:types@1.0.0;
interface t {
  resource r { m: func(); }
  record q { a: list<u8>, b: option<tuple<u8>> }
  f: func(x: list<string>) -> list<u8>;
}
interface more { type z = u8; }
"""
USER = """
package lib:user@1.0.0;
interface i { use lib:types/t@1.0.0.{r, q}; g: func(x: list<r>, y: option<q>) -> list<u8>; }
world w { import i; export run: func(); }
"""
NESTED = LIBRARY.replace("package lib:types@1.0.0;", "package lib:types@1.0.0 {") + "}\n"
MAIN = """
package app:main;
interface i { use lib:user/i@1.0.0.{q}; f: func(q: q); }
world w { include lib:user/w@1.0.0; import i; }
"""
COMPONENT = '(component (import "lib:x/i" (instance (export "f" (func)))))'


GOLDEN = Path(__file__).parent / "golden/binary"


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.wat")), ids=lambda path: path.stem)
def test_a_binary_has_the_tables_of_the_reference_tools(path: Path) -> None:
    assert json_text(load([path]).resolve) == path.with_suffix(".json").read_text()


def encoded(text: str) -> bytes:
    loaded = resolved(text)
    return binary.encode_package(loaded.resolve, loaded.main)


def folder(path: Path, **deps: str | bytes) -> Path:
    """A package folder; the names of `deps` have ``_`` for their dot."""
    (path / "deps").mkdir()
    (path / "main.wit").write_text(MAIN)
    for name, content in deps.items():
        file = path / "deps" / name.replace("_", ".")
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def names(loaded: Loaded) -> list[str]:
    return [str(package.name) for package in loaded.resolve.packages]


def test_text_uses_what_binaries_define(tmp_path: Path) -> None:
    loaded = load([folder(tmp_path, user_wasm=encoded(USER + NESTED))])
    assert names(loaded) == ["lib:types@1.0.0", "lib:user@1.0.0", "app:main"]
    assert str(loaded.resolve.packages[loaded.main].name) == "app:main"
    world = loaded.resolve.worlds[loaded.resolve.packages[loaded.main].worlds["w"]]
    assert [loaded.resolve.link_name(key) for key in world.imports] == [
        "lib:types/t@1.0.0",
        "lib:user/i@1.0.0",
        "app:main/i",
    ]
    assert [loaded.resolve.link_name(key) for key in world.exports] == ["run"]


def test_a_package_has_the_same_meaning_in_each_form(tmp_path: Path) -> None:
    text = tmp_path / "text"
    (text / "deps").mkdir(parents=True)
    (text / "main.wit").write_text(MAIN)
    (text / "deps/user.wit").write_text(USER)
    (text / "deps/types.wit").write_text(LIBRARY)
    other = tmp_path / "binary"
    other.mkdir()
    mixed = load([folder(other, types_wasm=encoded(LIBRARY), user_wasm=encoded(USER + NESTED))])
    assert outline(mixed.resolve) == outline(load([text]).resolve)


def test_a_package_in_several_binaries_is_one(tmp_path: Path) -> None:
    loaded = load([folder(tmp_path, a_wasm=encoded(USER + NESTED), b_wasm=encoded(LIBRARY))])
    assert names(loaded) == ["lib:types@1.0.0", "lib:user@1.0.0", "app:main"]
    assert list(loaded.resolve.packages[0].interfaces) == ["t", "more"]


def test_the_gates_of_the_package_itself_count(tmp_path: Path) -> None:
    gated = LIBRARY.replace("interface t {", "@since(version = 1.0.0) interface t {")
    loaded = load([folder(tmp_path, a_wasm=encoded(USER + NESTED), b_wasm=encoded(gated))])
    interface = loaded.resolve.interfaces[loaded.resolve.packages[0].interfaces["t"]]
    assert interface.stability.since == "1.0.0"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("a: list<u8>", "a: list<u16>", "type `q`"),
        ("a: list<u8>", "c: list<u8>", "type `q`"),
        ("x: list<string>", "x: list<char>", "function `f`"),
        ("f: func", "f: async func", "function `f`"),
        ("-> list<u8>", "", "function `f`"),
    ],
)
def test_what_contradicts_another_binary_is_refused_with_both_places(
    tmp_path: Path, old: str, new: str, what: str
) -> None:
    other = encoded(LIBRARY.replace(old, new))
    with pytest.raises(WitError) as caught:
        load([folder(tmp_path, a_wasm=encoded(USER + NESTED), b_wasm=other)])
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}/deps/b.wasm: error: {what} in `lib:types/t@1.0.0`")
    assert f"{tmp_path}/deps/a.wasm" in message


@pytest.mark.parametrize(
    ("old", "new"), [("export run", "export walk"), ("import i;", ""), ("run: func()", "run: func(a: u8)")]
)
def test_a_world_that_contradicts_another_binary_is_refused(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(WitError, match="lib:user/w@"):
        load([folder(tmp_path, a_wasm=encoded(USER + NESTED), b_wasm=encoded(USER.replace(old, new) + NESTED))])


def test_a_world_without_an_interface_that_it_needs_is_refused(tmp_path: Path) -> None:
    text = """package a:b;
interface one { type t = u8; }
interface two { use one.{t}; }
interface three { use two.{t}; }
world w { import three; }
"""
    broken = encoded(text)
    # The world has another interface in the place of that one.
    at = broken.rindex(b"a:b/two")
    path = tmp_path / "a.wasm"
    path.write_bytes(broken[:at] + b"a:b/owt" + broken[at + 7 :])
    with pytest.raises(WitError, match="world `w` has `three` without `two`"):
        load([path])


def test_a_package_in_text_and_in_a_binary_is_refused_with_both_places(tmp_path: Path) -> None:
    with pytest.raises(WitError) as caught:
        load([folder(tmp_path, types_wit=LIBRARY, user_wasm=encoded(USER + NESTED))])
    message = str(caught.value)
    assert f"{tmp_path}/deps/types.wit:2:9: error: package `lib:types@1.0.0`" in message
    assert f"{tmp_path}/deps/user.wasm" in message


def test_a_component_stands_for_its_world(tmp_path: Path) -> None:
    path = tmp_path / "component.wat"
    path.write_text(COMPONENT)
    loaded = load([path])
    assert names(loaded) == ["lib:x", "root:component"]
    world = loaded.resolve.worlds[loaded.resolve.packages[loaded.main].worlds["root"]]
    assert [loaded.resolve.link_name(key) for key in world.imports] == ["lib:x/i"]


def test_an_interface_that_a_component_imports_and_exports_is_one(tmp_path: Path) -> None:
    path = tmp_path / "component.wat"
    path.write_text(
        '(component (import "lib:x/i" (instance $i (export "f" (func)) (export "g" (func))))'
        ' (export "lib:x/i" (instance $i)))'
    )
    resolve = load([path]).resolve
    assert len(resolve.interfaces) == 1
    assert list(resolve.interfaces[0].functions) == ["f", "g"]


def test_a_component_is_no_dependency(tmp_path: Path) -> None:
    with pytest.raises(WitError, match="this is a component, not a package"):
        load([folder(tmp_path, lib_wat=COMPONENT)])


def test_what_a_file_holds_counts_and_not_its_name(tmp_path: Path) -> None:
    names_of_forms = {"text.wasm": LIBRARY.encode(), "binary.wit": encoded(LIBRARY), "both.wat": b";; c\n(component)"}
    for name, content in names_of_forms.items():
        (tmp_path / name).write_bytes(content)
    assert names(load([tmp_path / "text.wasm"])) == ["lib:types@1.0.0"]
    assert names(load([tmp_path / "binary.wit"])) == ["lib:types@1.0.0"]
    assert names(load([tmp_path / "both.wat"])) == ["root:component"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("(component", "1:11"),
        ("(component\n (foo)\n)", "2:3"),
        ("(; é ;)\n(; é ;) (foo)", "2:10"),
        ("(component (;", "1:12"),
    ],
)
def test_a_mistake_in_the_text_form_has_its_place(tmp_path: Path, text: str, place: str) -> None:
    path = tmp_path / "bad.wat"
    path.write_text(text)
    with pytest.raises(WitError) as caught:
        load([path])
    assert str(caught.value).startswith(f"{path}:{place}: error: ")


def test_a_core_module_is_no_package(tmp_path: Path) -> None:
    path = tmp_path / "module.wat"
    path.write_text("(module)")
    with pytest.raises(WitError, match="core module"):
        load([path])


def test_webassembly_among_the_files_of_a_package_is_refused(tmp_path: Path) -> None:
    (tmp_path / "main.wit").write_text(LIBRARY)
    (tmp_path / "other.wit").write_bytes(encoded(LIBRARY))
    with pytest.raises(WitError, match="WebAssembly"):
        load([tmp_path])


def test_every_cut_of_a_binary_is_one_error_with_a_place(tmp_path: Path) -> None:
    data = encoded(USER + NESTED)
    path = tmp_path / "cut.wasm"
    for length in range(8, len(data), 7):
        path.write_bytes(data[:length])
        try:
            load([path])
        except WitError as error:
            assert str(error).startswith(f"{path}: error: at offset 0x")


@settings(max_examples=100, deadline=None)
@given(packages())
def test_whatever_is_valid_survives_the_binary(text: str) -> None:
    loaded = resolved(text)
    main = loaded.resolve.packages[loaded.main]
    if main.interfaces or main.worlds:
        try:
            data = binary.encode_package(loaded.resolve, loaded.main)
        except ValueError as error:
            # Names that only text tells apart.
            assert "are the same name" in str(error)
            return
        resolve, _ = binary.encoded_package(binary.decode(data))
        assert outline(resolve)[str(main.name)] == outline(loaded.resolve)[str(main.name)]

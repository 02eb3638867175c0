"""Generated code for every world among the golden cases: formatted, typed, compiled, and the same each time."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import black
import pytest

from tests.tools import lint_rust, pyright_errors
from witgen import ir
from witgen.binary import encode_component_type, encode_package
from witgen.diagnostics import WitError
from witgen.emit import python, rust
from witgen.resolve import load

T = TypeVar("T")

ROOT = Path(__file__).resolve().parents[2]
CASES = [
    *sorted((ROOT / "tests/resolve/golden/pass").glob("*.wit")),
    *sorted((ROOT / "tests/guests/family").glob("*/*.wit")),
    *sorted((ROOT / "tests/emit/worlds").glob("*.wit")),
    ROOT / "tests/guests/echo/wit/echo.wit",
]

#: Worlds that the emitters refuse.
NOT_CARRIED = {"async_functions_w"}


def worlds(emit: Callable[[ir.Resolve, ir.WorldId, str], T]) -> Iterator[tuple[str, T]]:
    """What `emit` makes of each world that it can carry, and a name for it."""
    for case in CASES:
        resolve = load([case]).resolve
        for number, row in enumerate(resolve.worlds):
            name = f"{case.stem}_{row.name}".replace("-", "_").lower()
            try:
                found = emit(resolve, ir.WorldId(number), case.name)
            except WitError as error:
                assert name in NOT_CARRIED and "not supported" in str(error), error
            else:
                assert name not in NOT_CARRIED
                yield name, found


def python_texts() -> list[tuple[str, str]]:
    return list(worlds(lambda resolve, world, source: python.emit(resolve, world, source=source)))


@functools.cache
def kept_python_texts() -> list[tuple[str, str]]:
    return python_texts()


def rust_files(derives: Sequence[str] = ()) -> dict[str, str]:
    """Each world as one file and as a folder of files, by their paths."""

    def files(resolve: ir.Resolve, world: ir.WorldId, source: str) -> tuple[str, dict[str, str]]:
        stub = rust.Stub(encode_component_type(resolve, world), "0", source, derives)
        return rust.emit(resolve, world, stub), rust.emit_split(resolve, world, stub)

    found = {}
    for name, (one, several) in worlds(files):
        found[f"one_{name}.rs"] = one
        found |= {f"several_{name}/{path}": text for path, text in several.items()}
    return found


def test_the_same_contract_gives_the_same_bytes() -> None:
    assert python_texts() == kept_python_texts()
    assert rust_files() == rust_files()


def test_python_is_left_alone_by_black_and_accepted_by_mypy(tmp_path: Path) -> None:
    for name, text in kept_python_texts():
        mode = black.Mode(line_length=100)
        assert black.format_str(text.replace("# fmt: off\n", ""), mode=mode) == text.replace("# fmt: off\n", ""), name
        (tmp_path / f"{name}.py").write_text(text)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode, done.stdout


def test_python_is_accepted_by_pyright(tmp_path: Path) -> None:
    for name, text in kept_python_texts():
        (tmp_path / f"{name}.py").write_text(text)
    assert pyright_errors(tmp_path) == []


def write_crate(folder: Path, derives: Sequence[str] = ()) -> Path:
    """A crate of all stubs, private as a guest would have them: what nobody uses is not to be warned of."""
    files = rust_files(derives)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    modules = sorted({path.partition("/")[0].removesuffix(".rs") for path in files})
    root = folder / "lib.rs"
    root.write_text("#![no_std]\n\n" + "".join(f"mod {module};\n" for module in modules))
    return root


@pytest.mark.parametrize("edition", ["2018", "2024"])
def test_rust_is_accepted_in_other_editions(tmp_path: Path, edition: str) -> None:
    lint_rust(write_crate(tmp_path), edition)


def test_rust_has_no_text_that_rustc_refuses_in_comments_and_literals(tmp_path: Path) -> None:
    path, binary, root = (tmp_path / name for name in ("contract.wit", "contract.wasm", "lib.rs"))
    docs = "/// carriage\rreturn, ***"
    interface = f"interface i {{\n{docs}\nenum e {{\n{docs}\nx }}\n{docs}\nf: func() -> result<_, e>; }}"
    path.write_text(f"package a:b;\n{docs}\n{interface}\nworld w {{ import i; export i; }}\n")
    package = encode_package(load([path]).resolve, ir.PackageId(0))
    texts = []
    # Text may not have what turns its direction; the docs of a binary package may.
    for character in "\u202a\u202e\u2066\u2069":
        binary.write_bytes(package.replace(b"***", character.encode()))
        resolve = load([binary]).resolve
        stub = rust.Stub(encode_component_type(resolve, ir.WorldId(0)), "0", "")
        texts.append(rust.emit(resolve, ir.WorldId(0), stub))
    root.write_text("".join(f"mod m{number} {{\n{text}\n}}\n" for number, text in enumerate(texts)))
    lint_rust(root)


def test_worlds_that_export_no_function_have_the_macro_too(tmp_path: Path) -> None:
    resolve = load([ROOT / "tests/emit/worlds/without-functions.wit"]).resolve
    for number, row in enumerate(resolve.worlds):
        stub = rust.Stub(encode_component_type(resolve, ir.WorldId(number)), "0", "")
        (tmp_path / f"{row.name}.rs").write_text(rust.emit(resolve, ir.WorldId(number), stub))
    root = tmp_path / "lib.rs"
    root.write_text("""\
mod resources;
mod types;

pub struct Component;

impl resources::exports::test::without_functions::handles::GuestX for Component {}

impl resources::exports::test::without_functions::handles::Guest for Component {
    type X = Self;
}

resources::export!(Component with_types_in resources);
types::export!(Component beside crate::resources with_types_in types);
""")
    lint_rust(root)


@pytest.mark.parametrize("derives", [[], ["PartialEq", "Eq", "PartialOrd", "Ord", "::core::hash::Hash"]])
def test_rust_is_left_alone_by_rustfmt_and_has_no_warning(tmp_path: Path, derives: list[str]) -> None:
    root = write_crate(tmp_path, derives)
    lint_rust(root)
    if shutil.which("rustfmt") is not None:
        done = subprocess.run(["rustfmt", "--check", "--edition", "2021", str(root)], capture_output=True, text=True)
        assert not done.returncode, done.stdout


@pytest.mark.parametrize("language", ["python", "rust"])
@pytest.mark.parametrize("type_", ["stream<u8>", "future<string>", "error-context"])
@pytest.mark.parametrize("signature", ["(x: {})", "() -> {}"])
def test_what_is_not_carried_yet_is_refused_by_name(tmp_path: Path, language: str, type_: str, signature: str) -> None:
    path = tmp_path / "contract.wit"
    function = f"f: func{signature.format(type_)};"
    path.write_text(f"package a:b;\ninterface i {{ {function} }}\nworld w {{ import i; }}\n")
    resolve = load([path]).resolve
    with pytest.raises(WitError) as caught:
        if language == "python":
            python.emit(resolve, ir.WorldId(0), source="")
        else:
            rust.emit(resolve, ir.WorldId(0), rust.Stub(b"", "", ""))
    assert "a:b/i" in str(caught.value) and "f" in str(caught.value)
    assert "not supported" in str(caught.value)


@pytest.mark.parametrize("type_", ["stream<u8>", "future", "list<error-context>"])
def test_a_type_that_no_function_uses_is_refused_by_name_too(tmp_path: Path, type_: str) -> None:
    path = tmp_path / "contract.wit"
    for place in ("interface i {{ {} }} world w {{ import i; }}", "world w {{ {} }}"):
        path.write_text(f"package a:b; {place.format(f'record r {{ x: {type_} }}')}")
        with pytest.raises(WitError, match=r"r: .* are not supported by the Python emitter yet"):
            python.emit(load([path]).resolve, ir.WorldId(0), source="")

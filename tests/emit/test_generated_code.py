"""Generated code for every world among the golden cases: formatted, typed, compiled, and the same each time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import black
import pytest

from witgen import ir
from witgen.binary import encode_component_type
from witgen.diagnostics import WitError
from witgen.emit import python, rust
from witgen.resolve import load

ROOT = Path(__file__).resolve().parents[2]
CASES = [*sorted((ROOT / "tests/resolve/golden/pass").glob("*.wit")), ROOT / "tests/guests/echo/wit/echo.wit"]

#: Worlds that an emitter refuses, by name.
NOT_CARRIED = {"python": {"async_functions_w"}, "rust": {"async_functions_w"}}


def sources(language: str) -> Iterator[tuple[str, str]]:
    """The name and text of the file of each world that the language can carry."""
    for case in CASES:
        resolve = load([case]).resolve
        for number, row in enumerate(resolve.worlds):
            world = ir.WorldId(number)
            name = f"{case.stem}_{row.name}".replace("-", "_")
            try:
                if language == "python":
                    yield name, python.emit(resolve, world, source=case.name)
                else:
                    section = encode_component_type(resolve, world)
                    yield name, rust.emit(resolve, world, component_type=section, digest="0", source=case.name)
            except WitError as error:
                assert name in NOT_CARRIED[language] and "not supported" in str(error), error


@pytest.fixture(scope="module", params=["python", "rust"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_the_same_contract_gives_the_same_bytes(language: str) -> None:
    assert list(sources(language)) == list(sources(language))


def test_python_is_left_alone_by_black_and_accepted_by_mypy(tmp_path: Path) -> None:
    for name, text in sources("python"):
        mode = black.Mode(line_length=100)
        assert black.format_str(text.replace("# fmt: off\n", ""), mode=mode) == text.replace("# fmt: off\n", ""), name
        (tmp_path / f"{name}.py").write_text(text)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert not done.returncode, done.stdout


def test_rust_is_left_alone_by_rustfmt_and_compiles_without_a_warning(tmp_path: Path) -> None:
    if shutil.which("rustc") is None:
        pytest.skip("there is no rustc on this machine")
    for name, text in sources("rust"):
        path = tmp_path / f"{name}.rs"
        path.write_text(text)
        command = ["rustc", "--edition", "2021", "--crate-type", "lib", "--emit", "metadata", "-Dwarnings"]
        done = subprocess.run([*command, "--out-dir", str(tmp_path), str(path)], capture_output=True, text=True)
        assert not done.returncode, done.stderr
        if shutil.which("rustfmt") is not None:
            done = subprocess.run(
                ["rustfmt", "--check", "--edition", "2021", str(path)], capture_output=True, text=True
            )
            assert not done.returncode, done.stdout


@pytest.mark.parametrize("type_", ["stream<u8>", "future<string>", "error-context"])
def test_what_is_not_carried_yet_is_refused_by_name(tmp_path: Path, language: str, type_: str) -> None:
    path = tmp_path / "contract.wit"
    path.write_text(f"package a:b;\ninterface i {{ f: func(x: {type_}); }}\nworld w {{ import i; }}\n")
    resolve = load([path]).resolve
    with pytest.raises(WitError) as caught:
        if language == "python":
            python.emit(resolve, ir.WorldId(0), source="")
        else:
            rust.emit(resolve, ir.WorldId(0), component_type=b"", digest="", source="")
    assert "a:b/i" in str(caught.value) and "f" in str(caught.value)
    assert "not supported" in str(caught.value)


@pytest.mark.parametrize("type_", ["stream<u8>", "future", "list<error-context>"])
def test_a_type_that_no_function_uses_is_refused_by_name_too(tmp_path: Path, type_: str) -> None:
    path = tmp_path / "contract.wit"
    for place in ("interface i {{ {} }} world w {{ import i; }}", "world w {{ {} }}"):
        path.write_text(f"package a:b; {place.format(f'record r {{ x: {type_} }}')}")
        with pytest.raises(WitError, match=r"r: .* are not supported by the Python emitter yet"):
            python.emit(load([path]).resolve, ir.WorldId(0), source="")

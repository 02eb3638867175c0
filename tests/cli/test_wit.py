"""`witgen wit`: the resolved package as text or JSON, on stdout or in a file, from each form of a package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from witgen import binary
from witgen.cli import main
from witgen.resolve import load
from witgen.resolve.json import to_json

ROOT = Path(__file__).resolve().parents[2]
COMPONENT = ROOT / "plugins/progress-runner/prebuilt/progress_runner.wasm"
GATED = """package a:b;

interface i {
  @unstable(feature = one)
  f: func();

  @unstable(feature = two)
  g: func();

  h: func();
}

"""


def wit(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["wit", *(str(arg) for arg in args)], catch_exceptions=False)


@pytest.fixture
def gated(tmp_path: Path) -> Path:
    path = tmp_path / "gated.wit"
    path.write_text(GATED)
    return path


def test_a_package_that_is_printed_already_is_printed_as_it_is(gated: Path) -> None:
    result = wit(gated, "--all-features")
    assert result.exit_code == 0
    assert result.stdout == GATED


@pytest.mark.parametrize(
    ("options", "there"),
    [
        ([], "h"),
        (["--features", "one"], "fh"),
        (["--features", "one,two"], "fgh"),
        (["--features", "one two"], "fgh"),
        (["--features", "two", "--features", "one,other"], "fgh"),
    ],
)
def test_features_are_named_in_lists_or_one_by_one(gated: Path, options: list[str], there: str) -> None:
    text = wit(gated, *options).stdout
    assert [name for name in "fgh" if f"  {name}: func();" in text] == list(there)


def test_the_model_is_printed_as_json(gated: Path) -> None:
    result = wit(gated, "--json", "--all-features")
    assert json.loads(result.stdout) == json.loads(json.dumps(to_json(load([gated], all_features=True).resolve)))
    assert result.stdout.startswith('{\n  "worlds": [],\n  "interfaces": [\n    {\n      "name": "i",')


def test_other_packages_follow_as_nested_ones(tmp_path: Path) -> None:
    library, app = tmp_path / "library.wit", tmp_path / "app.wit"
    library.write_text("package lib:types;\ninterface t { type id = u64; }\n")
    app.write_text("package app:main;\nworld w { import f: func(); import lib:types/t; }\n")
    result = wit(library, app)
    assert result.stdout.startswith("package app:main;\n\nworld w {\n  import lib:types/t;\n")
    assert "\npackage lib:types {\n  interface t {\n    type id = u64;\n  }\n}\n" in result.stdout
    bundle = tmp_path / "bundle.wit"
    bundle.write_text(result.stdout)
    assert wit(bundle).stdout == result.stdout


def test_a_file_is_written_in_place_of_stdout(gated: Path, tmp_path: Path) -> None:
    out = tmp_path / "new/out.wit"
    result = wit(gated, "--all-features", "-o", out)
    assert result.exit_code == 0
    assert result.stdout == ""
    assert out.read_text() == GATED


def test_a_binary_package_is_printed_as_its_text_is(gated: Path, tmp_path: Path) -> None:
    loaded = load([gated], all_features=True)
    encoded = tmp_path / "package.wasm"
    encoded.write_bytes(binary.encode_package(loaded.resolve, loaded.main))
    assert wit(encoded).stdout == GATED


def test_the_binary_form_goes_to_a_pipe_or_into_a_file(gated: Path, tmp_path: Path) -> None:
    loaded = load([gated], features=["one"])
    expected = binary.encode_package(loaded.resolve, loaded.main)
    out = tmp_path / "package.wasm"
    assert wit(gated, "--wasm", "--features", "one").stdout_bytes == expected
    assert wit(gated, "--wasm", "--features", "one", "-o", out).stdout == ""
    assert out.read_bytes() == expected


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no pseudo-terminals here")
def test_bytes_are_not_written_to_a_terminal(gated: Path) -> None:
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "witgen.cli", "wit", str(gated), "--wasm"]
    done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, text=True)
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 2
    assert "--wasm writes bytes" in done.stderr


def test_one_form_is_asked_for_at_a_time(gated: Path) -> None:
    assert wit(gated, "--wasm", "--json").exit_code == 2


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ("record r {}", "record r has no fields"),
        ("flags f {}", "flags f are 0, not 1 to 32"),
        ("type t = tuple<>;", "tuple t has no types"),
        ("f: func() -> tuple<>;", "a tuple has no types"),
        ("type l = list<u8, 0>;", "list of fixed length l has no elements"),
        ("a-b: func(); ab: func();", "a-b and ab are the same name in the binary form"),
        ("f: func(a-1: u8, a1: u8);", "a-1 and a1 are the same name in the binary form"),
        ("enum e { a-b, ab }", "a-b and ab are the same name in the binary form"),
        ("resource r { r: static func(); }", "r and [static]r.r are the same name in the binary form"),
    ],
)
def test_what_has_no_binary_form_is_refused(tmp_path: Path, item: str, says: str) -> None:
    path, out = tmp_path / "empty.wit", tmp_path / "out.wasm"
    path.write_text(f"package a:b;\ninterface i {{ {item} }}\n")
    result = wit(path, "--wasm", "-o", out)
    assert result.exit_code == 1
    assert result.stderr == f"a:b: error: has no binary form: {says}\n"
    assert not out.exists()


def test_no_binary_names_a_package_in_capital_letters(tmp_path: Path) -> None:
    path = tmp_path / "loud.wit"
    path.write_text("package a:LOUD;\ninterface i {}\n")
    result = wit(path, "--wasm", "-o", tmp_path / "out.wasm")
    assert result.exit_code == 1
    assert "package a:LOUD has capital letters in its name" in result.stderr


def test_a_component_is_printed_as_the_world_that_it_implements() -> None:
    text = wit(COMPONENT).stdout
    assert text.startswith("package root:component;\n\nworld root {\n")
    assert "  export runner:progress/workbook@0.1.0;\n" in text
    assert "\npackage runner:progress@0.1.0 {\n" in text


@pytest.mark.parametrize("length", [0, 3, 200, 10_000])
def test_a_cut_binary_is_one_error_and_leaves_files_alone(tmp_path: Path, length: int) -> None:
    path, out = tmp_path / "cut.wasm", tmp_path / "out.wit"
    path.write_bytes(COMPONENT.read_bytes()[:length])
    out.write_text("before")
    result = wit(path, "-o", out)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{path}:") and "error: " in result.stderr
    assert "Traceback" not in result.output
    assert out.read_text() == "before"


def test_wrong_text_is_refused_at_its_place(tmp_path: Path) -> None:
    path = tmp_path / "bad.wit"
    path.write_text("package a:b;\ninterface i { f: func() -> strin; }\n")
    result = wit(path)
    assert result.exit_code == 1
    assert f"{path}:2:28: error: " in result.stderr
    assert result.stdout == ""


def test_without_a_path_there_is_nothing_to_print() -> None:
    assert wit().exit_code == 2

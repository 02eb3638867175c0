"""`witgen wit`: the resolved package as text or JSON, on stdout or in a file, from each form of a package."""

from __future__ import annotations

import json
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

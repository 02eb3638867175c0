"""Wrong input ends with one clear error and exit code 1; nothing is written, and there is never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from witgen.cli import main

GOOD = "package a:b;\ninterface i { f: func(x: u32) -> string; }\nworld w { export i; }\n"


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(main, [str(arg) for arg in args], catch_exceptions=False)


def generate(contract: Path, out: Path, *more: str) -> Result:
    return run("generate", contract, "--lang", "python", "-o", out, *more)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("package a:b;\ninterface i { f func(); }\n", ":2:17", "expected"),
        ("package a:b;\ninterface i { f: func() -> strin; }\nworld w { export i; }\n", ":2:28", "strin"),
        ("package a:b;\nworld w { export nowhere; }\n", ":2:18", "nowhere"),
        ("package a:b;\ninterface i { f: func(); f: func(); }\n", ":2:26", "f"),
        ("package a:b;\ninterface i {", ":2:", "expected"),
        ("", "", ""),
    ],
)
def test_a_wrong_contract_is_refused_at_its_place(tmp_path: Path, text: str, place: str, says: str) -> None:
    contract, out = tmp_path / "bad.wit", tmp_path / "out.py"
    contract.write_text(text)
    out.write_text("before")
    result = generate(contract, out)
    assert result.exit_code == 1
    assert f"{contract}{place}" in result.stderr
    assert "error: " in result.stderr and says in result.stderr
    assert "Traceback" not in result.output
    assert out.read_text() == "before"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    result = generate(tmp_path / "none.wit", tmp_path / "out.py")
    assert result.exit_code == 1
    assert str(tmp_path / "none.wit") in result.stderr
    assert not (tmp_path / "out.py").exists()


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    contract = tmp_path / "bad.wit"
    contract.write_bytes(b"package a:b;\ninterface i {}\n\xff")
    result = run("hash", contract)
    assert result.exit_code == 1
    assert "UTF-8" in result.stderr


def test_an_unknown_world_is_refused_with_those_that_there_are(tmp_path: Path) -> None:
    contract = tmp_path / "good.wit"
    contract.write_text(GOOD)
    result = generate(contract, tmp_path / "out.py", "--world", "v")
    assert result.exit_code == 1
    assert "w" in result.stderr


def test_what_python_adapters_cannot_carry_is_named(tmp_path: Path) -> None:
    contract = tmp_path / "good.wit"
    contract.write_text(GOOD.replace("f: func(x: u32) -> string", "f: func(x: stream<u8>)"))
    result = generate(contract, tmp_path / "out.py")
    assert result.exit_code == 1
    assert "a:b/i#f" in result.stderr and "stream" in result.stderr
    assert not (tmp_path / "out.py").exists()


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("list<t{0}>", "nested more than 100 deep"),
        ("tuple<t{0}, t{0}>", "made of more than 10,000 types"),
        ("list<t{0}, 65536>", "made of more than 1,000,000 values"),
    ],
)
@pytest.mark.parametrize("language", ["python", "rust"])
def test_types_that_no_code_can_be_made_for_are_refused(tmp_path: Path, language: str, kind: str, says: str) -> None:
    contract = tmp_path / "deep.wit"
    types = "".join(f"  type t{n + 1} = {kind.format(n)};\n" for n in range(3_000))
    contract.write_text(f"package a:b;\ninterface i {{\n  type t0 = u8;\n{types}}}\nworld w {{ import i; }}\n")
    result = run("generate", contract, "--lang", language, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr.startswith("a:b/i: error: type `t") and says in result.stderr


def test_what_a_guest_cannot_carry_is_named(tmp_path: Path) -> None:
    contract, out = tmp_path / "good.wit", tmp_path / "out.rs"
    contract.write_text(GOOD.replace("f: func(x: u32)", "record r {} f: func(x: r)"))
    result = run("generate", contract, "--lang", "rust", "-o", out)
    assert result.exit_code == 1
    assert "record r has no fields" in result.stderr
    assert not out.exists()


def test_options_without_paths_are_a_usage_error(tmp_path: Path) -> None:
    assert run("generate", "--lang", "python").exit_code == 2
    assert run("generate", tmp_path / "x.wit").exit_code == 2


def test_a_good_contract_is_written_once_and_then_left_alone(tmp_path: Path) -> None:
    contract, out = tmp_path / "good.wit", tmp_path / "bindings"
    contract.write_text(GOOD)
    assert "written" in generate(contract, out).stdout
    text = (out / "w.py").read_bytes()
    assert "unchanged" in generate(contract, out).stdout
    assert (out / "w.py").read_bytes() == text
    assert generate(contract, out, "--check").exit_code == 0
    contract.write_text(GOOD.replace("u32", "u64"))
    stale = generate(contract, out, "--check")
    assert stale.exit_code == 1 and "not up to date" in stale.stderr
    assert (out / "w.py").read_bytes() == text

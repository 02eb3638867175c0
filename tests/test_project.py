"""witgen.toml: what it says, and how it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from witgen.diagnostics import WitError
from witgen.project import find_project, read_project

GOOD = """
[contract.http]
roots = ["wit/deps/io", "wit/http.wit"]

[[generate]]
contract = "http"
world = "http-component"
python = "bindings"
rust = "src/bindings.rs"
"""


def project(folder: Path, text: str) -> Path:
    path = folder / "witgen.toml"
    path.write_text(text)
    return path


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(WitError) as caught:
        read_project(project(folder, text))
    return str(caught.value)


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    project(tmp_path, GOOD)
    below = tmp_path / "a/b"
    below.mkdir(parents=True)
    found = find_project(below)
    (contract,) = found.contracts
    assert contract.roots == (tmp_path / "wit/deps/io", tmp_path / "wit/http.wit")
    (target,) = found.targets
    assert target.world == "http-component"
    assert target.outputs == (("python", tmp_path / "bindings"), ("rust", tmp_path / "src/bindings.rs"))


def test_no_project_file_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    with pytest.raises(WitError, match="not found in"):
        find_project(tmp_path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[contract", "witgen.toml:1:"),
        (GOOD.replace("contract.http", "contracts.http"), "unknown table: contracts"),
        (GOOD.replace("roots", "root"), "did you mean `roots`?"),
        (GOOD.replace('contract = "http"', 'contract = "htp"'), "did you mean `http`?"),
        (GOOD.replace('contract = "http"\n', ""), "says no contract"),
        (GOOD.replace('python = "bindings"\nrust = "src/bindings.rs"\n', ""), "names no output"),
        (GOOD.replace('python = "bindings"', "python = 3"), "python must be a string"),
        (GOOD.replace('["wit/deps/io", "wit/http.wit"]', "[]"), "roots must be a list of paths"),
        (GOOD.replace("[[generate]]", "[generate]"), "generate must be an array of tables"),
        (GOOD.replace('rust = "src/bindings.rs"', "split = true"), "rust names no place"),
        (GOOD + 'split = "yes"', "split must be true or false"),
        (GOOD + 'derives = "Eq"', "derives must be a list of traits"),
        (GOOD + 'derives = ["a b"]', "'a b' is no path of a trait"),
        (GOOD + 'provided = ["wasi:io@0.2.0"]', "'wasi:io@0.2.0' is no package or interface"),
        (GOOD.replace('python = "bindings"', "provided = []"), "python names no place"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    message = refusal(tmp_path, text)
    assert says in message
    assert "witgen.toml:" in message and "error: " in message


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "witgen.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(WitError, match="is not UTF-8"):
        read_project(path)

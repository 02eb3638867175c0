"""`witgen verify`: a component keeps its contract, or each function that differs is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import wasmtime
from click.testing import CliRunner, Result

from witgen import binary
from witgen.cli import main
from witgen.contract.stamp import SECTION, stamped
from witgen.contract.stamping import stamp_of

ROOT = Path(__file__).resolve().parents[2]
COMPONENT = ROOT / "plugins/progress-runner/prebuilt/progress_runner.wasm"
CONTRACT = ROOT / "plugins/runner/wit/progress.wit"


CHANGED = CONTRACT.read_text().replace("heartbeat: func(timestamp: u64", "heartbeat: func(timestamp: s64")
PROJECT = """
[contract.progress]
roots = ["progress.wit"]

[[generate]]
contract = "progress"
world = "progress-runner"
python = "bindings"
"""


@pytest.fixture
def unstamped(tmp_path: Path) -> Path:
    """The component as another tool would have built it."""
    emptied = binary.with_custom_section(COMPONENT.read_bytes(), SECTION, b"")
    path = tmp_path / "unstamped.wasm"
    # The section that has nothing but its name stands at the end: number, size, length of the name, name.
    path.write_bytes(emptied[: -(3 + len(SECTION))])
    return path


def problems(result: Result) -> list[str]:
    """The messages on stderr."""
    return [line.partition(": error: ")[2] for line in result.stderr.splitlines() if ": error: " in line]


def verify(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["verify", *(str(arg) for arg in args)], catch_exceptions=False)


def test_the_prebuilt_component_keeps_the_contract_of_the_repository() -> None:
    result = verify(COMPONENT, CONTRACT)
    assert result.exit_code == 0, result.output
    assert "runner:progress/progress-runner@0.1.0, sha256:" in result.stdout


def test_the_stamp_says_which_contract_of_the_project_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert verify(COMPONENT).exit_code == 0
    assert verify(COMPONENT, "--world", "progress-runner").exit_code == 0


def test_a_component_without_a_stamp_is_refused_unless_it_is_said(
    unstamped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = verify(unstamped, CONTRACT)
    assert result.exit_code == 1
    assert problems(result) == ["is not stamped with its contract: `witgen build` and `witgen stamp` do it"]
    assert verify(unstamped, CONTRACT, "--unstamped").exit_code == 0
    monkeypatch.chdir(ROOT)
    unclear = verify(unstamped)
    assert unclear.exit_code == 1
    assert "say by --world which contract is meant" in unclear.stderr and "http-component" in unclear.stderr


def test_a_component_of_another_tool_is_stamped(unstamped: Path) -> None:
    result = CliRunner().invoke(main, ["stamp", str(unstamped), str(CONTRACT)])
    assert result.exit_code == 0, result.output
    assert verify(unstamped, CONTRACT).exit_code == 0
    changed = unstamped.with_name("other.wit")
    changed.write_text(CHANGED)
    refused = CliRunner().invoke(main, ["stamp", str(unstamped), str(changed)])
    assert refused.exit_code == 1 and "#heartbeat: its type differs" in refused.stderr


def test_each_function_that_differs_is_named(tmp_path: Path) -> None:
    changed = tmp_path / "progress.wit"
    changed.write_text(CHANGED)
    # Away from its manifest, which would have a word to say too.
    alone = tmp_path / "alone.wasm"
    alone.write_bytes(COMPONENT.read_bytes())
    result = verify(alone, changed)
    assert result.exit_code == 1
    another, stamp, types = problems(result)
    assert another.startswith("its stamp is for another state of world runner:progress/progress-runner@0.1.0: sha256:")
    assert stamp == "its stamp differs in export runner:progress/telemetry@0.1.0#heartbeat"
    assert types == "export runner:progress/telemetry@0.1.0#heartbeat: its type differs from the contract's"


def test_a_stamp_that_lies_is_found_by_the_types(tmp_path: Path) -> None:
    """The stamp of a contract that the component does not keep: put on by force."""
    changed = tmp_path / "progress.wit"
    changed.write_text(CHANGED)
    lying = tmp_path / "lying.wasm"
    lying.write_bytes(stamped(COMPONENT.read_bytes(), stamp_of((changed,), None)))
    result = verify(lying, changed)
    assert result.exit_code == 1
    assert problems(result) == [
        "export runner:progress/telemetry@0.1.0#heartbeat: its type differs from the contract's"
    ]


def test_a_lock_of_another_state_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    contract = tmp_path / "progress.wit"
    contract.write_text(CHANGED)
    (tmp_path / "witgen.toml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(main, ["hash", "--write"]).exit_code == 0
    contract.write_text(CONTRACT.read_text())
    result = verify(COMPONENT)
    assert result.exit_code == 1
    assert problems(result) == [
        "the lock wit.lock has world runner:progress/progress-runner@0.1.0 with another digest: "
        "run `witgen hash --check`"
    ]
    (tmp_path / "empty.lock").write_text('version = 1\nform = "wit-digest/1"\n')
    assert "does not have world" in problems(verify(COMPONENT, "--lock", "empty.lock"))[0]
    assert "wit.lock: error: can't be read" in verify(COMPONENT, "--lock", "none/wit.lock").stderr


def test_what_was_compared_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    lines = verify(COMPONENT, "--explain").stdout.splitlines()
    assert [line.split(":")[0].split("  ")[-1] for line in lines if line.startswith("     ok  ")] == [
        "contract of world runner",
        "lock wit.lock",
        "stamp by witgen 0.1.0",
        "its own types",
        "manifest plugins/progress-runner/prebuilt/component.toml",
    ]
    assert "       ok  export runner:progress/workbook@0.1.0: 11 functions" in lines


def manifest(folder: Path, **changes: str) -> Path:
    """The component with a manifest beside it, some lines of it changed."""
    digest = verify(COMPONENT, CONTRACT).stdout.strip().rpartition("sha256:")[2]
    lines = {
        "name": '"progress-runner"',
        "version": '"0.1.0"',
        "world": '"runner:progress/progress-runner@0.1.0"',
        "digest": f'"{digest}"',
        "capabilities": '["wasi:clocks"]',
        **changes,
    }
    (folder / "component.toml").write_text("".join(f"{key} = {value}\n" for key, value in lines.items() if value))
    copy = folder / "component.wasm"
    copy.write_bytes(COMPONENT.read_bytes())
    return copy


def test_the_manifest_has_to_agree(tmp_path: Path) -> None:
    assert verify(manifest(tmp_path), CONTRACT).exit_code == 0
    zeros = "0" * 64
    for key, value, says in (
        (
            "digest",
            f'"{zeros}"',
            f"its manifest has another digest of world runner:progress/progress-runner@0.1.0: sha256:{zeros}",
        ),
        ("world", '"a:b/c"', "its manifest is for world a:b/c, not for runner:progress/progress-runner@0.1.0"),
        (
            "interfaces",
            f'{{"runner:progress/events@0.1.0" = "{zeros}"}}',
            "its manifest has another digest of runner:progress/events@0.1.0",
        ),
        ("interfaces", f'{{"a:b/c" = "{zeros}"}}', "its manifest speaks of a:b/c, which world"),
    ):
        result = verify(manifest(tmp_path, **{key: value}), CONTRACT)
        assert result.exit_code == 1
        (problem,) = problems(result)
        assert problem.startswith(says)


def test_imports_stay_within_the_grants_of_the_manifest(tmp_path: Path) -> None:
    world = "world w { import i; import j; import h: func(); }"
    (tmp_path / "w.wit").write_text(f"package a:b; interface i {{ f: func(); }} interface j {{ g: func(); }} {world}")
    component = tmp_path / "w.wasm"
    component.write_bytes(wasmtime.wat2wasm("""(component
              (import "a:b/i" (instance (export "f" (func))))
              (import "a:b/j" (instance (export "g" (func))))
              (import "h" (func)))"""))
    assert CliRunner().invoke(main, ["stamp", str(component), str(tmp_path / "w.wit")]).exit_code == 0
    digest = verify(component, tmp_path / "w.wit").stdout.strip().rpartition("sha256:")[2]
    head = f'name = "w"\nversion = "1"\nworld = "a:b/w"\ndigest = "{digest}"\n'
    for capabilities, refused in ('["a:b"]', []), ('["a:b/i"]', ["a:b/j"]), ("[]", ["a:b/i", "a:b/j"]):
        (tmp_path / "component.toml").write_text(f"{head}capabilities = {capabilities}\n")
        found = problems(verify(component, tmp_path / "w.wit"))
        assert found == [f"imports {name}, which its manifest does not grant" for name in refused]


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("name", "", "component.toml: error: name is missing"),
        ("version", "1", "component.toml:2:1: error: version must be a string"),
        ("digest", '"abc"', "component.toml:4:1: error: digest must be the 64 hexadecimal digits"),
        ("capabilities", '["wasi"]', "component.toml:5:1: error: capabilities: 'wasi' is no package or interface"),
        ("interfaces", '{"a:b/c" = "1"}', "what `a:b/c` has is no digest"),
    ],
)
def test_a_manifest_that_is_wrong_is_told(tmp_path: Path, key: str, value: str, says: str) -> None:
    result = verify(manifest(tmp_path, **{key: value}), CONTRACT)
    assert result.exit_code == 1 and says in result.stderr


@pytest.mark.parametrize("length", [0, 3, 8, 200, 100_000])
def test_a_truncated_component_is_one_error(tmp_path: Path, length: int) -> None:
    path = tmp_path / "cut.wasm"
    path.write_bytes(COMPONENT.read_bytes()[:length])
    result = verify(path, CONTRACT)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{path}: error: ")
    assert "Traceback" not in result.output


def test_a_missing_component_is_named(tmp_path: Path) -> None:
    result = verify(tmp_path / "none.wasm", CONTRACT)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"{tmp_path}/none.wasm: error: can't be read")

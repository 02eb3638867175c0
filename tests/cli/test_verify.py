"""`witgen verify`: a component keeps its contract, or each function that differs is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from witgen.cli import main

ROOT = Path(__file__).resolve().parents[2]
COMPONENT = ROOT / "plugins/progress-runner/prebuilt/progress_runner.wasm"
CONTRACT = ROOT / "plugins/runner/wit/progress.wit"


def verify(*args: str | Path) -> Result:
    return CliRunner().invoke(main, ["verify", *(str(arg) for arg in args)], catch_exceptions=False)


def test_the_prebuilt_component_keeps_the_contract_of_the_repository() -> None:
    result = verify(COMPONENT, CONTRACT)
    assert result.exit_code == 0, result.output
    assert "runner:progress/progress-runner@0.1.0, sha256:" in result.stdout


def test_the_project_file_knows_the_contract_of_a_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert verify(COMPONENT, "--world", "progress-runner").exit_code == 0
    unclear = verify(COMPONENT)
    assert unclear.exit_code == 1
    assert "http-component" in unclear.stderr


def test_each_function_that_differs_is_named(tmp_path: Path) -> None:
    changed = tmp_path / "progress.wit"
    changed.write_text(CONTRACT.read_text().replace("heartbeat: func(timestamp: u64", "heartbeat: func(timestamp: s64"))
    result = verify(COMPONENT, changed)
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"{COMPONENT}: error: export runner:progress/telemetry@0.1.0#heartbeat: its type differs from the contract's"
    ]


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

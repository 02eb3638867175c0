"""`scripts/run_component_smoke.sh`: a component that works, one that does not, and arguments that are wrong."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts/run_component_smoke.sh"


def smoke(*args: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """The script with some arguments."""
    return subprocess.run([SCRIPT, *args], cwd=cwd, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize(
    ("protocol", "case"), [("http", "keeps a connection for 20 requests"), ("ftp", "stores 3 MB, fetches them")]
)
def test_the_components_that_come_with_the_project_are_well(tmp_path: Path, protocol: str, case: str) -> None:
    done = smoke(protocol, "--prebuilt", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith(case))
    assert row.endswith("ok")
    assert "served by: component" in done.stdout
    assert f"smoke: {protocol} is well" in done.stdout


@pytest.mark.parametrize("args", [(), ("gopher",), ("http", "--fast"), ("http", "--prebuilt", "more")])
def test_wrong_arguments_are_answered_with_the_usage(args: tuple[str, ...]) -> None:
    done = smoke(*args)
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")


def test_a_service_that_falls_back_to_python_is_not_well(tmp_path: Path) -> None:
    folder = tmp_path / "http"
    shutil.copytree(ROOT / "plugins/http-component/prebuilt", folder)
    manifest = folder / "component.toml"
    # It may not have the memory that it begins with: it can't start, and Python serves all the cases.
    manifest.write_text(manifest.read_text().replace("memory = 268435456", "memory = 65536"))
    command = [sys.executable, str(ROOT / "scripts/smoke.py"), "http", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "served by: python" in done.stdout
    assert "smoke: http FAILED" in done.stderr

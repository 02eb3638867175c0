"""`witgen build`: finds workspace and compiler, says what is missing, and builds the same bytes in any folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from witgen.build import _find_compiler, build
from witgen.cli import main
from witgen.diagnostics import WitError

ROOT = Path(__file__).resolve().parents[2]


def workspace(folder: Path) -> Path:
    """A copy of this repository's Cargo workspace."""
    for name in ("Cargo.toml", "Cargo.lock"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "plugins/progress-runner", folder / "plugins/progress-runner")
    return folder


def without_compilers(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Hides every compiler but Debian's, whose linker is hidden."""
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("CARGO_HOME", str(folder))
    monkeypatch.setenv("RUSTUP_HOME", str(folder))


def test_a_folder_without_a_workspace_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WitError, match="no Cargo workspace"):
        build(None, root=tmp_path, echo=lambda line: None)


def test_a_manifest_that_is_not_toml_is_named(tmp_path: Path) -> None:
    (tmp_path / "Cargo.toml").write_text("[workspace")
    with pytest.raises(WitError, match=r"Cargo\.toml: error: can't be read"):
        build(None, root=tmp_path, echo=lambda line: None)


def test_an_unknown_crate_is_refused_with_a_suggestion() -> None:
    with pytest.raises(WitError, match="did you mean `progress-runner`"):
        build("progres-runner", root=ROOT, echo=lambda line: None)


def test_a_machine_without_a_compiler_is_told_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_compilers(monkeypatch, tmp_path)
    monkeypatch.chdir(ROOT)
    result = CliRunner().invoke(main, ["build", "progress-runner"], catch_exceptions=False)
    assert result.exit_code == 1
    assert "rustup target add wasm32-wasip2" in result.stderr
    assert "Traceback" not in result.output


def compiler_or_skip() -> None:
    try:
        _find_compiler()
    except WitError:
        pytest.skip("no Rust that builds for wasm32-wasip2 on this machine")


def test_a_crate_that_does_not_compile_is_reported_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    compiler_or_skip()
    folder = workspace(tmp_path)
    source = folder / "plugins/progress-runner/src/lib.rs"
    source.write_text(source.read_text() + "\nfn broken() -> u32 { \"no\" }\n")
    with pytest.raises(WitError, match="progress-runner: error: cargo ended with"):
        build("progress-runner", root=folder, echo=lambda line: None)
    assert "mismatched types" in capfd.readouterr().err
    assert not list(folder.glob("target/wasm32-wasip2/release/*.wasm"))


def test_two_builds_in_different_folders_are_the_same_bytes(tmp_path: Path) -> None:
    compiler_or_skip()
    components = []
    for name in ("one", "a-longer-name/two"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (component,) = build("progress-runner", root=workspace(folder), echo=lambda line: None)
        components.append(component.read_bytes())
    assert components[0] == components[1]
    assert str(tmp_path).encode() not in components[0]
    assert os.fsencode(Path.home()) + b"/." not in components[0]

"""`witgen build`: finds workspace and compiler, says what is missing, and builds the same bytes in any folder."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.binary.samples import component
from tests.tools import guest_compiler_or_skip
from witgen.binary import decode
from witgen.build import _find_compiler, build
from witgen.cli import main
from witgen.contract.stamp import read_stamp
from witgen.diagnostics import WitError

ROOT = Path(__file__).resolve().parents[2]


def workspace(folder: Path) -> Path:
    """A copy of this repository's Cargo workspace."""
    for name in ("Cargo.toml", "Cargo.lock"):
        shutil.copy(ROOT / name, folder / name)
    for crate in ("ftp-component", "guest-kit", "http-component", "progress-runner"):
        shutil.copytree(ROOT / "plugins" / crate, folder / "plugins" / crate)
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


def test_a_crate_that_does_not_compile_is_reported_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    guest_compiler_or_skip()
    folder = workspace(tmp_path)
    source = folder / "plugins/progress-runner/src/lib.rs"
    source.write_text(source.read_text() + "\nfn broken() -> u32 { \"no\" }\n")
    with pytest.raises(WitError, match="progress-runner: error: cargo ended with"):
        build("progress-runner", root=folder, echo=lambda line: None)
    assert "mismatched types" in capfd.readouterr().err
    assert not list(folder.glob("target/wasm32-wasip2/release/*.wasm"))


def with_another_home(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives cargo another folder of its own, for which it has to unpack the crates again."""
    old = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    (home / "registry").mkdir(parents=True)
    for name in ("bin", "registry/index", "registry/cache"):
        (home / name).symlink_to(old / name)
    monkeypatch.setenv("PATH", str(_find_compiler().cargo.parent), prepend=os.pathsep)
    monkeypatch.setenv("CARGO_HOME", str(home))


def test_builds_in_different_folders_and_homes_are_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest_compiler_or_skip()
    components: list[bytes] = []
    for name in ("one", "a-longer-name/two"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        workspace(folder)
        if components:
            with_another_home(tmp_path / "home", monkeypatch)
        (component,) = build("progress-runner", root=folder, echo=lambda line: None)
        components.append(component.read_bytes())
    assert components[0] == components[1]
    for part in (str(tmp_path), f"{Path.home()}/.", "registry"):
        assert part.encode() not in components[0]
    assert components[0].count(b"/dlmalloc-") == components[0].count(b"crates/dlmalloc-")


CONTRACT = "package a:b;\nworld w { export f: func(x: u32); }\n"
PROJECT = """[contract.c]
roots = ["c.wit"]
[[generate]]
contract = "c"
rust = "guest/src/bindings.rs"
"""
CARGO = """#!/bin/sh
if [ $1 = metadata ]; then echo '{"packages": []}'; exit; fi
echo '{"reason": "compiler-artifact", "target": {"kind": ["cdylib"]}, "manifest_path": "GUEST/Cargo.toml",
"filenames": ["OUT"]}' | tr '\\n' ' '
"""
GUEST = """
  (core module $m (func (export "f") (param i32)))
  (core instance $i (instantiate $m))
  (func $f (param "x" PARAM) (canon lift (core func $i "f")))
  (export "f" (func $f))
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a project file, and a compiler that has always built `built.wasm` already."""
    files = {
        "Cargo.toml": '[workspace]\nmembers = ["guest"]\n',
        "guest/Cargo.toml": '[package]\nname = "guest"\n',
        "c.wit": CONTRACT,
        "witgen.toml": PROJECT,
        "bin/cargo": CARGO.replace("GUEST", str(tmp_path / "guest")).replace("OUT", str(tmp_path / "built.wasm")),
        "bin/rustc": f"#!/bin/sh\necho {tmp_path}\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    (tmp_path / "lib/rustlib/wasm32-wasip2/lib").mkdir(parents=True)
    (tmp_path / "built.wasm").write_bytes(component(GUEST.replace("PARAM", "u32")))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    return tmp_path


def built(project: Path) -> tuple[bytes, list[str]]:
    lines: list[str] = []
    (path,) = build(None, root=project, echo=lines.append)
    return path.read_bytes(), lines


def test_a_component_gets_the_stamp_of_the_contract_whose_stubs_lie_in_its_crate(project: Path) -> None:
    before = (project / "built.wasm").read_bytes()
    data, lines = built(project)
    assert data.startswith(before)
    stamp = read_stamp(decode(data))
    assert stamp is not None
    assert stamp.world == "a:b/w"
    assert lines[-1] == f"built.wasm: stamped for a:b/w, sha256:{stamp.digests.digest}"


def test_a_component_that_is_stamped_again_is_the_same(project: Path) -> None:
    first, _ = built(project)
    assert built(project)[0] == first


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("witgen.toml", PROJECT.replace("guest/src", "elsewhere")),
        ("witgen.toml", PROJECT + '[[generate]]\ncontract = "c"\nrust = "guest/src/more.rs"\n'),
        ("witgen.toml", ""),
        ("guest/src/Cargo.toml", ""),
    ],
    ids=["stubs elsewhere", "two contracts", "no contract", "a crate in the crate"],
)
def test_a_component_whose_contract_is_not_known_is_left_as_it_is(project: Path, name: str, text: str) -> None:
    before = (project / "built.wasm").read_bytes()
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text(text)
    data, lines = built(project)
    assert data == before
    assert "not stamped" in lines[-1]


def test_a_component_that_does_not_keep_its_contract_is_not_stamped(project: Path) -> None:
    before = component(GUEST.replace("PARAM", "s32"))
    (project / "built.wasm").write_bytes(before)
    with pytest.raises(WitError, match="export f: its type differs from the contract's") as caught:
        built(project)
    assert "witgen generate --check" in str(caught.value)
    assert (project / "built.wasm").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"\0asm\1\0\0\0", b"\0asm\x0d\0\1\0\1"])
def test_what_cargo_built_may_be_no_component(project: Path, content: bytes) -> None:
    (project / "built.wasm").write_bytes(content)
    with pytest.raises(WitError, match=r"built\.wasm: error: at offset 0x"):
        built(project)

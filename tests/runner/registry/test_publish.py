"""What is published is found by the layout that other tools read; what may not be published leaves no trace."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from runner.registry.client import connect, digest_of
from runner.registry.reference import parse

from tests.runner.registry.component import make
from tests.runner.registry.service import MANIFEST, ROOT, Registry, errors, run


def name(place: str) -> str:
    return place.partition("/")[2]


def test_the_artifact_is_laid_out_as_the_specification_says(registry: Registry, place: str, tmp_path: Path) -> None:
    folder = make(tmp_path / "app", imports=["random"])
    done = run("publish", folder, place)
    component = (folder / "app.wasm").read_bytes()
    manifest = registry.manifest(name(place), "1.0.0")
    digest = "sha256:" + hashlib.sha256(component).hexdigest()
    assert manifest["schemaVersion"] == 2
    assert manifest["mediaType"] == MANIFEST
    assert manifest["layers"] == [{"mediaType": "application/wasm", "digest": digest, "size": len(component)}]
    assert manifest["config"]["mediaType"] == "application/vnd.wasm.config.v0+json"
    config = json.loads(registry.get(f"/v2/{name(place)}/blobs/{manifest['config']['digest']}")[1])
    assert config.pop("created").endswith("Z")
    assert config == {
        "architecture": "wasm",
        "os": "wasip2",
        "layerDigests": [digest],
        "component": {
            "exports": ["test:app/dice@1.0.0"],
            "imports": ["wasi:random/random@0.2.6"],
            "target": "test:app/app@1.0.0",
        },
    }
    annotations = manifest["annotations"]
    assert annotations["witgen.component.manifest"].encode() == (folder / "component.toml").read_bytes()
    assert annotations["org.opencontainers.image.title"] == "app"
    assert annotations["org.opencontainers.image.version"] == "1.0.0"
    assert done.stdout.strip() == f"{place}@sha256:{hashlib.sha256(raw(registry, place, '1.0.0')).hexdigest()}"


def raw(registry: Registry, place: str, tag: str) -> bytes:
    return registry.get(f"/v2/{name(place)}/manifests/{tag}")[1]


def test_the_same_component_at_the_same_time_is_the_same_artifact(
    registry: Registry, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    folder = make(tmp_path / "app")
    first = run("publish", folder, place).stdout
    assert run("publish", folder / "component.toml", place, "--force").stdout == first
    assert (
        b"2023-11-14T22:13:20Z"
        in registry.stored(registry.manifest(name(place), "1.0.0")["config"]["digest"]).read_bytes()
    )


@pytest.mark.parametrize("epoch", ["yesterday", "", "9" * 30])
def test_a_time_that_is_none_is_refused(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    (line,) = errors("publish", make(tmp_path / "app"), place)
    assert "which is no time in seconds" in line


def test_the_component_of_the_repository_is_published(registry: Registry, place: str) -> None:
    assert "is the first release" in run("publish", ROOT / "plugins/http-component/prebuilt", place).stderr
    assert len(registry.tags(name(place))) == 1


def test_the_version_is_that_of_the_manifest_or_the_one_that_is_named(
    registry: Registry, place: str, tmp_path: Path
) -> None:
    folder = make(tmp_path / "app", version="1.2.3")
    run("publish", folder, place)
    run("publish", folder, f"{place}:1.3.0-rc.1")
    assert registry.tags(name(place)) == ["1.2.3", "1.3.0-rc.1"]


@pytest.mark.parametrize(
    ("end", "message"),
    [
        (":latest", "'latest' is no version to publish"),
        (":1.0", "'1.0' is no version to publish"),
        ("@sha256:" + "0" * 64, "is no version to publish"),
        (":1.0.0+build", "can't be a version in a registry"),
        ("/UPPER", "with a name in lower case"),
    ],
)
def test_what_is_no_version_is_not_published(
    registry: Registry, place: str, tmp_path: Path, end: str, message: str
) -> None:
    (line,) = errors("publish", make(tmp_path / "app"), place + end)
    assert message in line
    assert registry.tags(name(place)) == []


def test_a_version_that_is_there_is_not_overwritten_unless_that_is_said(
    registry: Registry, place: str, tmp_path: Path
) -> None:
    run("publish", make(tmp_path / "one"), place)
    before = raw(registry, place, "1.0.0")
    other = make(tmp_path / "two", imports=["random"])
    (line,) = errors("publish", other, place)
    assert f"{place}:1.0.0: error: is there already, as sha256:" in line
    assert raw(registry, place, "1.0.0") == before
    run("publish", other, place, "--force")
    assert raw(registry, place, "1.0.0") != before


def test_a_component_that_does_not_agree_with_its_lock_is_not_published(
    registry: Registry, place: str, tmp_path: Path
) -> None:
    folder = make(tmp_path / "app")
    (folder / "app.wasm").write_bytes(
        (make(tmp_path / "other", exports={"dice": {"roll": "u32"}}) / "app.wasm").read_bytes()
    )
    (line,) = errors("publish", folder, place)
    assert "export test:app/dice@1.0.0#roll: its type differs from the contract's" in line
    later = make(tmp_path / "later", contract="1.1.0")
    lines = errors("publish", folder, place, "--lock", later / "wit.lock")
    assert "does not have world test:app/app@1.0.0" in lines[0]
    (line,) = errors("publish", folder, place, "--lock", tmp_path / "gone.lock")
    assert "can't be read" in line
    assert registry.tags(name(place)) == []


def test_everything_that_is_wrong_with_an_import_is_told_and_nothing_uploaded(
    registry: Registry, place: str, tmp_path: Path
) -> None:
    folder = make(tmp_path / "app", imports=["random", "insecure"])
    text = (folder / "component.toml").read_text()
    (folder / "component.toml").write_text(text.replace('"wasi:random/random", "wasi:random/insecure"', ""))
    assert len(errors("publish", folder, place)) == 2
    digest = "sha256:" + hashlib.sha256((folder / "app.wasm").read_bytes()).hexdigest()
    assert not registry.stored(digest).exists()


# What versions allow

CHANGES = [
    # What becomes of version 1.0.0 with dice.roll: u64, in which version, and what is said against it.
    ({"version": "1.0.1"}, None),
    ({"version": "1.0.1", "exports": {"dice": {"roll": "u32"}}}, "result of function `roll` was `u64`, is `u32`"),
    ({"version": "2.0.0", "exports": {"dice": {"roll": "u32"}}}, "result of function `roll` was `u64`, is `u32`"),
    ({"version": "2.0.0", "contract": "2.0.0", "exports": {"dice": {"roll": "u32"}}}, None),
    ({"version": "1.1.0", "contract": "2.0.0", "exports": {"dice": {"roll": "u32"}}}, "has version 2.0.0, it had"),
    ({"version": "1.1.0", "contract": "1.1.0", "exports": {"dice": {"roll": "u64", "throw": "u8"}}}, None),
    ({"version": "1.1.0", "exports": {"dice": {"roll": "u64", "throw": "u8"}}}, "function `throw` is new"),
    ({"version": "1.1.0", "exports": {"dice": {"roll": "u64"}, "cards": {"draw": "u8"}}}, None),
    (
        {"version": "1.0.1", "exports": {"dice": {"roll": "u64"}, "cards": {"draw": "u8"}}},
        "test:app/cards@1.0.0` is new",
    ),
    ({"version": "1.9.0", "exports": {"cards": {"draw": "u8"}}}, "export `test:app/dice@1.0.0` is gone"),
    ({"version": "2.0.0", "exports": {"cards": {"draw": "u8"}}}, None),
    ({"version": "1.0.1", "imports": ["random"]}, "import `wasi:random/random@0.2.6` is new"),
    ({"version": "1.1.0", "imports": ["random"]}, None),
]


@pytest.mark.parametrize(("change", "message"), CHANGES, ids=range(len(CHANGES)))
def test_a_version_has_to_allow_what_changed(
    registry: Registry, place: str, tmp_path: Path, change: dict[str, object], message: str | None
) -> None:
    run("publish", make(tmp_path / "old"), place)
    new = make(tmp_path / "new", **change)  # type: ignore[arg-type]
    if message is None:
        assert "which follows 1.0.0" in run("publish", new, place).stderr
        return
    lines = errors("publish", new, place)
    assert any(message in line for line in lines), lines
    assert registry.tags(name(place)) == ["1.0.0"]


def test_a_component_that_imports_less_is_no_breaking_change(place: str, tmp_path: Path) -> None:
    run("publish", make(tmp_path / "old", imports=["random", "insecure"]), place)
    run("publish", make(tmp_path / "new", version="1.0.1", imports=["random"]), place)


def test_the_version_that_would_do_is_named(place: str, tmp_path: Path) -> None:
    run("publish", make(tmp_path / "old"), place)
    new = make(tmp_path / "new", version="1.0.1", exports={"cards": {"draw": "u8"}})
    assert "note: if it is meant, make the component 2.0.0 or later" in run("publish", new, place, code=1).stderr


def test_what_is_compared_is_the_release_before_not_the_last_one(place: str, tmp_path: Path) -> None:
    run("publish", make(tmp_path / "one"), place)
    two = make(tmp_path / "two", version="2.0.0", contract="2.0.0", exports={"dice": {"roll": "u32"}})
    run("publish", two, place)
    run("publish", make(tmp_path / "pre", version="1.1.0-rc.1", exports={"dice": {"roll": "u64"}}), place)
    patch = make(tmp_path / "patch", version="1.0.1")
    assert "which follows 1.0.0" in run("publish", patch, place).stderr
    broken = make(tmp_path / "broken", version="1.1.0", exports={"dice": {"roll": "u8"}})
    assert errors("publish", broken, place)


def test_a_version_that_another_tool_has_published_is_compared_as_well(
    registry: Registry, place: str, tmp_path: Path
) -> None:
    run("publish", make(tmp_path / "old"), place)
    manifest = registry.manifest(name(place), "1.0.0")
    del manifest["annotations"]
    repository = connect(parse(place), plain=None)
    repository.put_manifest("1.1.0", json.dumps(manifest).encode())
    new = make(tmp_path / "new", version="1.1.1", exports={"cards": {"draw": "u8"}})
    assert any("is gone [export-removed]" in line for line in errors("publish", new, place))
    repository.put_blob(b"no component")
    text = {"mediaType": "application/wasm", "digest": digest_of(b"no component"), "size": 12}
    repository.put_manifest("1.1.0", json.dumps({**manifest, "layers": [text]}).encode())
    (line,) = errors("publish", new, place)
    assert line.startswith(f"runner: error: {place}:1.1.0: is no component: ")


# What else can go wrong


def test_a_registry_that_is_not_there_is_one_line(place: str, tmp_path: Path) -> None:
    (line,) = errors("publish", make(tmp_path / "app"), "localhost:1/app")
    assert line == "runner: error: localhost:1: can't be reached: connection refused"


def test_without_the_extra_the_command_says_what_to_install(place: str, tmp_path: Path) -> None:
    (tmp_path / "urllib3.py").write_text("raise ModuleNotFoundError('no', name='urllib3')")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, "-m", "runner.cli", "publish", str(make(tmp_path / "app")), place]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (
        1,
        "runner: error: urllib3 is not installed: pip install 'witgen[registry]'\n",
    )

"""What is pulled is what was published, byte for byte, or it is refused and nothing has changed on the disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.runner.registry.component import make
from tests.runner.registry.service import ROOT, Registry, errors, run

Edit = Callable[[dict[str, Any]], object]


def name(place: str) -> str:
    return place.partition("/")[2]


def published(place: str, folder: Path, **options: object) -> Path:
    made = make(folder, **options)  # type: ignore[arg-type]
    run("publish", made, place)
    return made


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def test_what_comes_back_is_what_was_published(place: str, tmp_path: Path) -> None:
    app = published(place, tmp_path / "app")
    done = run("pull", f"{place}:1.0.0", tmp_path / "deep" / "got")
    assert files(tmp_path / "deep" / "got") == {
        item: data for item, data in files(app).items() if item in ("component.toml", "app.wasm")
    }
    assert "there is no wit.lock to hold it against; no signature was asked for" in done.stderr


def test_the_http_component_comes_back_ready_to_be_inspected(place: str, tmp_path: Path) -> None:
    shipped = ROOT / "plugins/http-component/prebuilt"
    (tmp_path / "wit.lock").write_bytes((ROOT / "wit.lock").read_bytes())
    run("publish", shipped, place)
    assert f"agrees with {tmp_path / 'wit.lock'}" in run("pull", place, tmp_path / "got").stderr
    assert files(tmp_path / "got") == files(shipped)
    assert "may be loaded" in run("inspect", tmp_path / "got").stdout


def test_a_digest_names_one_artifact_and_no_name_the_highest_release(place: str, tmp_path: Path) -> None:
    first = published(place, tmp_path / "one")
    digest = run("pull", place, tmp_path / "got").stdout.strip().rpartition("@")[2]
    published(place, tmp_path / "ten", version="1.10.0", imports=["random"])
    published(place, tmp_path / "nine", version="1.9.0", imports=["random"])
    published(place, tmp_path / "next", version="2.0.0-rc.1")
    assert f"from {place}:1.10.0;" in run("pull", place, tmp_path / "latest").stderr
    run("pull", f"{place}@{digest}", tmp_path / "exact")
    assert files(tmp_path / "exact")["component.toml"] == files(first)["component.toml"]


def test_what_there_is_not_is_one_line(place: str, tmp_path: Path) -> None:
    assert errors("pull", place, tmp_path / "got") == [f"runner: error: {place}: there is no release"]
    published(place, tmp_path / "app")
    for end in (":2.0.0", "@sha256:" + "0" * 64):
        assert errors("pull", place + end, tmp_path / "got") == [
            f"runner: error: {place}{end}: there is no such version"
        ]
    assert not (tmp_path / "got").exists()


# Digests


@pytest.mark.parametrize("part", ["layer", "config"])
def test_bytes_that_were_changed_in_the_registry_are_refused(
    registry: Registry, place: str, tmp_path: Path, part: str
) -> None:
    published(place, tmp_path / "app", version="1.0.0" if part == "layer" else "1.0.1")
    tag = registry.tags(name(place))[0]
    manifest = registry.manifest(name(place), tag)
    digest = (manifest["layers"][0] if part == "layer" else manifest["config"])["digest"]
    stored = registry.stored(digest)
    before = stored.read_bytes()
    try:
        stored.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        (line,) = errors("pull", f"{place}:{tag}", tmp_path / "got")
        assert f"blob {digest}: its bytes have the digest sha256:" in line
        stored.write_bytes(before + b"x")
        (line,) = errors("pull", f"{place}:{tag}", tmp_path / "got")
        assert f"more than {len(before)} bytes" in line
        assert not (tmp_path / "got").exists()
    finally:
        # Registries keep what is equal once, for all tests.
        stored.write_bytes(before)


def test_a_manifest_that_was_changed_in_the_registry_is_refused(registry: Registry, place: str, tmp_path: Path) -> None:
    published(place, tmp_path / "app")
    digest = run("pull", place, tmp_path / "got").stdout.strip().rpartition("@")[2]
    stored = registry.stored(digest)
    stored.write_bytes(stored.read_bytes().replace(b"seconds = 5", b"seconds = 9"))
    for end in ("", f"@{digest}"):
        assert len(errors("pull", place + end, tmp_path / "other")) == 1
    assert not (tmp_path / "other").exists()


def republished(registry: Registry, place: str, tag: str, edit: Edit) -> None:
    """Puts a manifest under a tag that is another one's, but for an edit; by the client, which takes anything."""
    from runner.registry.client import connect
    from runner.registry.reference import parse

    manifest = registry.manifest(name(place), "1.0.0")
    edit(manifest)
    connect(parse(place), plain=None).put_manifest(tag, json.dumps(manifest).encode())


def _annotate(**changed: str) -> Edit:
    def edit(manifest: dict[str, Any]) -> None:
        manifest["annotations"].update({f"witgen.component.{key}": value for key, value in changed.items()})

    return edit


WRONG: list[tuple[Edit, str]] = [
    (lambda m: m.pop("annotations"), "has no witgen.component.manifest"),
    (lambda m: m.update(layers=[]), "does not have exactly one layer"),
    (lambda m: m.update(layers=m["layers"] * 2), "does not have exactly one layer"),
    (lambda m: m["layers"][0].update(size=1 << 40), "has a size beyond"),
    (lambda m: m["layers"][0].update(size=10), "more than 10 bytes"),
    (lambda m: m["layers"][0].update(mediaType="text/html"), "'text/html' where application/wasm belongs"),
    (lambda m: m["config"].update(mediaType="text/html"), "'text/html' where application/vnd.wasm.config"),
    (lambda m: m["config"].update(m["layers"][0], mediaType=m["config"]["mediaType"]), "its config is not that of"),
    (_annotate(digest="sha256:0"), "witgen.component.digest is another digest"),
    (_annotate(manifest="name = 3"), "name must be a string"),
    (_annotate(manifest="]"), "invalid"),
    (_annotate(manifest="\ud800"), "has no witgen.component.manifest"),
]


@pytest.mark.parametrize(("edit", "message"), WRONG, ids=range(len(WRONG)))
def test_an_artifact_that_is_not_as_we_write_them_is_refused(
    registry: Registry, place: str, tmp_path: Path, edit: Edit, message: str
) -> None:
    published(place, tmp_path / "app")
    republished(registry, place, "odd", edit)
    lines = errors("pull", f"{place}:odd", tmp_path / "got")
    assert message in lines[0], lines
    assert registry.host in lines[0]
    assert not (tmp_path / "got").exists()


@pytest.mark.parametrize("file", ["../app.wasm", "/tmp/app.wasm", "component.toml", "wit.lock", "a\\u0000b", "a\\nb"])
def test_a_component_can_not_be_written_elsewhere(registry: Registry, place: str, tmp_path: Path, file: str) -> None:
    text = (published(place, tmp_path / "app") / "component.toml").read_text()
    republished(registry, place, "odd", _annotate(manifest=f'file = "{file}"\n{text}'))
    assert len(errors("pull", f"{place}:odd", tmp_path / "inner" / "got")) == 1
    assert not files(tmp_path / "inner")


def test_one_version_is_not_passed_off_as_another(registry: Registry, place: str, tmp_path: Path) -> None:
    published(place, tmp_path / "app")
    republished(registry, place, "1.0.5", lambda manifest: None)
    (line,) = errors("pull", place, tmp_path / "got")
    assert line == f"runner: error: {place}:1.0.5: is version 1.0.0 under another name"


# The lock


def test_a_component_of_another_contract_is_refused(place: str, tmp_path: Path) -> None:
    published(place, tmp_path / "app")
    other = make(tmp_path / "other", exports={"dice": {"roll": "u32"}})
    (tmp_path / "wit.lock").write_bytes((other / "wit.lock").read_bytes())
    lines = errors("pull", place, tmp_path / "got")
    assert f"{place}:1.0.0: error: " in lines[0]
    assert "with another digest" in lines[0]
    assert not (tmp_path / "got").exists()
    run("pull", place, tmp_path / "got", "--lock", tmp_path / "app" / "wit.lock")


def test_nothing_is_left_of_what_was_refused(place: str, tmp_path: Path) -> None:
    published(place, tmp_path / "app")
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "wit.lock").write_bytes((make(tmp_path / "other", contract="3.0.0") / "wit.lock").read_bytes())
    errors("pull", place, inner / "got")
    assert list(files(inner)) == ["wit.lock"]


# The folder


def test_a_folder_that_is_there_is_replaced_as_a_whole_and_only_if_that_is_said(place: str, tmp_path: Path) -> None:
    got = tmp_path / "got"
    published(place, tmp_path / "one")
    run("pull", place, got)
    (got / "left-over").write_text("of the first")
    (got / "wit.lock").write_bytes((tmp_path / "one" / "wit.lock").read_bytes())
    published(place, tmp_path / "two", version="1.1.0", imports=["random"])
    before = files(got)
    assert errors("pull", place, got) == [f"runner: error: {got} is there already; --force replaces it"]
    assert files(got) == before
    run("pull", place, got, "--force")
    assert sorted(files(got)) == ["app.wasm", "component.toml", "wit.lock"]
    assert files(got)["app.wasm"] == files(tmp_path / "two")["app.wasm"]


def test_what_is_no_folder_of_a_component_is_not_replaced_by_any_word(place: str, tmp_path: Path) -> None:
    published(place, tmp_path / "app")
    home = tmp_path / "home"
    home.mkdir()
    (home / "diary").write_text("dear diary")
    (line,) = errors("pull", place, home, "--force")
    assert "is no folder of a component" in line
    assert files(home) == {"diary": b"dear diary"}
    (line,) = errors("pull", place, home / "diary", "--force")
    assert (home / "diary").read_text() == "dear diary"


def test_an_empty_folder_and_a_link_to_one_are_filled(place: str, tmp_path: Path) -> None:
    published(place, tmp_path / "app")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    run("pull", place, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert sorted(files(tmp_path / "real")) == ["app.wasm", "component.toml"]
    run("pull", place, tmp_path / "link", "--force")
    assert sorted(files(tmp_path / "real")) == ["app.wasm", "component.toml"]


def test_what_is_wrong_leaves_the_folder_that_was_there(registry: Registry, place: str, tmp_path: Path) -> None:
    published(place, tmp_path / "app")
    run("pull", place, tmp_path / "got")
    before = files(tmp_path / "got")
    republished(registry, place, "odd", _annotate(manifest="name = 3"))
    errors("pull", f"{place}:odd", tmp_path / "got", "--force")
    assert files(tmp_path / "got") == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]

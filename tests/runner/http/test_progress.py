"""A component that `runner serve http` grants progress, where its manifest asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runner.http.extended import with_a_sign_of_life
from tests.runner.http.serving import COMPONENT, ROOT, component_with, serving

ASGI = "tests.runner.http.app:asgi"


@pytest.fixture
def component(tmp_path: Path) -> Path:
    """The shipped component, which calls progress besides; its manifest does not grant that."""
    folder = component_with(tmp_path / "component")
    file = folder / "http_component.wasm"
    file.write_bytes(with_a_sign_of_life(file.read_bytes()))
    return folder


def grant(folder: Path, capability: str) -> None:
    manifest = folder / "component.toml"
    manifest.write_text(manifest.read_text().replace('"runner:host",', f'"runner:host", "{capability}",'))


@pytest.mark.parametrize("capability", ["runner:progress", "runner:progress/telemetry"])
@pytest.mark.parametrize("kept", [True, False])
def test_a_component_is_given_the_progress_that_its_manifest_grants(
    component: Path, tmp_path: Path, capability: str, kept: bool
) -> None:
    grant(component, capability)
    options = ("--progress", str(tmp_path / "progress.db")) if kept else ()
    with serving(ROOT, "--flag", COMPONENT, "--component", str(component), *options, app=ASGI) as process:
        process.wait_for('"mode": "component".*"event": "serving"')
        assert process.get("/") == (200, b"hello")
        assert process.stop() == 0


@pytest.mark.parametrize("capability", ["", "runner:progress/events"])
def test_a_component_without_the_grant_is_refused_and_python_serves(component: Path, capability: str) -> None:
    if capability:
        grant(component, capability)
    with serving(ROOT, "--flag", COMPONENT, "--component", str(component), app=ASGI) as process:
        line = process.wait_for('"mode": "python".*"event": "serving"').string
        assert "imports runner:progress/telemetry@0.1.0 (heartbeat), which its manifest does not grant" in line
        assert process.get("/") == (200, b"hello")


def test_a_component_that_can_not_have_its_progress_gives_way_to_python(component: Path, tmp_path: Path) -> None:
    grant(component, "runner:progress")
    broken = tmp_path / "progress.db"
    broken.write_bytes(b"this is no file of progress" * 100)
    options = ("--component", str(component), "--progress", str(broken))
    with serving(ROOT, "--flag", COMPONENT, *options, app=ASGI) as process:
        process.wait_for('"mode": "python".*progress.db.*"event": "serving"')
        assert process.get("/") == (200, b"hello")

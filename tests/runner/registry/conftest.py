"""A registry for all tests of this folder, and a clean environment for each of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.registry.service import Registry, running


@pytest.fixture(scope="package")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with running(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture
def place(registry: Registry, tmp_path: Path) -> str:
    """A repository that no other test has."""
    return f"{registry.host}/tests/{tmp_path.name.replace('_', '-').lower().strip('-')}"


@pytest.fixture(autouse=True)
def nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials, passwords or proxies of whoever runs the tests."""
    for name in ("RUNNER_REGISTRY_USER", "RUNNER_REGISTRY_PASSWORD", "COSIGN_PASSWORD", "SOURCE_DATE_EPOCH"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))

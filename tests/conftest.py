"""What all tests share: a cache of their own, no deadlines, and the files of WASI."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.tools import import_file

# How long a test takes depends on the machine; what it finds does not.
settings.register_profile("witgen", deadline=None)
settings.load_profile("witgen")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder for this run alone, also for the processes that it starts: the user's is left as it is."""
    folder = tmp_path_factory.mktemp("cache")
    patch = pytest.MonkeyPatch()
    patch.setenv("WITGEN_CACHE_DIR", str(folder))
    patch.delenv("WITGEN_CACHE", raising=False)
    yield folder
    patch.undo()


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder for one test."""
    folder = tmp_path / "fresh-cache"
    monkeypatch.setenv("WITGEN_CACHE_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def wasi() -> Path:
    """The folder of a package that has all of WASI 0.2 in its `deps`."""
    found: Path | None = import_file(ROOT / "scripts/fetch_wasi.py", "fetch_wasi").find()
    if found is None:
        pytest.skip("the WIT files of WASI 0.2 are not on this machine (`python scripts/fetch_wasi.py` fetches them)")
    return found

"""The guests of the family, built once for all tests."""

from __future__ import annotations

import pytest

from tests.guests.family import NOT_EVERYWHERE, WORLDS, World, build_family
from tests.tools import guest_compiler_or_skip


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> dict[str, World]:
    """The worlds by name; tests are skipped where no Rust builds for the target."""
    guest_compiler_or_skip()
    built = build_family(tmp_path_factory.mktemp("guests"), [name for name in WORLDS if name not in NOT_EVERYWHERE])
    adapters = tmp_path_factory.mktemp("adapters")
    return {name: World(name, path, adapters) for name, path in built.items()}

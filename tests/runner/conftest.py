"""The progress-runner component: built on this machine where that can be done, else the prebuilt one."""

from __future__ import annotations

from pathlib import Path

import pytest

from witgen import runtime as rt

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "target/wasm32-wasip2/release/progress_runner.wasm"
PREBUILT = ROOT / "plugins/progress-runner/prebuilt/progress_runner.wasm"


@pytest.fixture(scope="session", params=["prebuilt", "built"])
def component_file(request: pytest.FixtureRequest) -> Path:
    """The file of the component, prebuilt and, where `make build` or `make demo` has made it, freshly built."""
    if request.param == "prebuilt":
        return PREBUILT
    if not BUILT.exists():
        pytest.skip("the guest has not been built on this machine (`make build`)")
    return BUILT


@pytest.fixture(scope="session")
def component(component_file: Path) -> rt.Component:
    """The component, compiled once."""
    return rt.Component.from_file(component_file)

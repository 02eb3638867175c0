"""The FTP component: the prebuilt one, and where it has been built on this machine that one too."""

from __future__ import annotations

from pathlib import Path

import pytest

from witgen import runtime as rt

ROOT = Path(__file__).resolve().parents[3]
BUILT = ROOT / "target/wasm32-wasip2/release/ftp_component.wasm"
PREBUILT = ROOT / "plugins/ftp-component/prebuilt/ftp_component.wasm"


@pytest.fixture(scope="session")
def component() -> rt.Component:
    """The component, compiled once."""
    return rt.Component.from_file(PREBUILT)

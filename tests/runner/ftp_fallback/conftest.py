"""Servers for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from runner.ftp.config import FtpConfig

from tests.runner.ftp_fallback.serving import Server


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers, and ends them."""
    servers: list[Server] = []

    def start(certificate: Path | None = None, *, root: str | None = None, **config: Any) -> Server:
        servers.append(Server(root or tmp_path, FtpConfig(**config), certificate))
        return servers[-1]

    yield start
    for server in servers:
        if not server.server.stopping:
            server.stop(0)
        server.loop.call_soon_threadsafe(server.loop.stop)

"""Clients that other people made, as processes: curl and wrk. Tests that need one are skipped where it is not there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.runner.http.serving import PATIENCE

__all__ = ["curl", "needs", "wrk"]


def needs(program: str) -> pytest.MarkDecorator:
    """Skips a test where a program can't be had."""
    return pytest.mark.skipif(
        shutil.which(program) is None, reason=f"{program} is not there (scripts/setup_clients.sh)"
    )


def curl(*args: str | Path, data: bytes | None = None, status: int = 0) -> bytes:
    """What curl prints, which has to end with an exit status; `data` is its standard input."""
    command = ["curl", "-sS", "--http1.1", "--max-time", str(PATIENCE), *map(str, args)]
    found = subprocess.run(command, input=data, capture_output=True, timeout=2 * PATIENCE)
    assert found.returncode == status, found.stderr.decode()
    return found.stdout


def wrk(url: str, *args: str | Path, seconds: int = 1) -> int:
    """How many requests wrk got answered; none may have failed."""
    command = ["wrk", "-t", "1", "-c", "16", "-d", f"{seconds}s", "--timeout", str(int(PATIENCE)), *map(str, args), url]
    found = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE)
    assert found.returncode == 0, found.stderr
    assert "Socket errors" not in found.stdout and "Non-2xx" not in found.stdout, found.stdout
    count = re.search(r"(\d+) requests in", found.stdout)
    assert count is not None, found.stdout
    return int(count[1])

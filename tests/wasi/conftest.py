"""Guests of the tests of WASI, built once; and being somebody else than root."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

NOBODY = 65534


@pytest.fixture
def ordinary_user(tmp_path: Path) -> Iterator[Path]:
    """The test goes on as a user whom permissions concern.

    What is in `tmp_path` belongs to that user; this is the path by which it can be reached.
    """
    if os.geteuid() != 0:
        yield tmp_path
        return
    for path in (tmp_path, *tmp_path.rglob("*")):
        os.chown(path, NOBODY, NOBODY, follow_symlinks=False)
    before = Path.cwd()
    # The folders above are root's alone.
    os.chdir(tmp_path)
    os.seteuid(NOBODY)
    try:
        yield Path()
    finally:
        os.seteuid(0)
        os.chdir(before)

"""Storages of each kind: a folder, a folder on a file system without files that have no name, and one of fsspec."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from runner.storage import Session, Tree, open_tree


@pytest.fixture(params=["folder", "folder without O_TMPFILE", "memory"])
def tree(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tree]:
    """An empty storage."""
    if request.param == "memory":
        root = f"memory://{uuid.uuid4().hex}"
    else:
        (tmp_path / "root").mkdir()
        root = str(tmp_path / "root")
    if request.param == "folder without O_TMPFILE":
        refuse_nameless_files(monkeypatch)
    found = open_tree(root)
    if request.param == "memory":
        import fsspec

        fsspec.filesystem("memory").mkdir(root.removeprefix("memory:/"))
    yield found
    found.close()


@pytest.fixture
def session(tree: Tree) -> Session:
    """Somebody who may do everything in it."""
    return Session(tree)


def refuse_nameless_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the system say what file systems say that don't have them."""
    real = os.open

    def refusing(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            raise OSError(95, "Operation not supported")
        return real(path, flags, *args, **kwargs)

    monkeypatch.setattr(os, "open", refusing)


def put(session: Session, path: str, data: bytes = b"") -> None:
    """Stores a file."""
    upload = session.store(path)
    upload.write([data])
    upload.commit()


def get(session: Session, path: str, offset: int = 0) -> bytes:
    """What a file has from an offset on."""
    source = session.open(path, offset)
    try:
        data = b""
        while piece := source.read(1 << 16):
            data += piece
        assert source.length == len(data)
        return data
    finally:
        source.close()


def names(session: Session, path: str = "/") -> list[str]:
    """What is in a directory."""
    return [entry.name for entry in session.list(path)]

"""From what an operator writes to a storage."""

from __future__ import annotations

from pathlib import Path

from runner.errors import RunnerError
from runner.storage.errors import StorageError
from runner.storage.local import LocalTree
from runner.storage.remote import RemoteTree
from runner.storage.tree import Tree

__all__ = ["open_tree"]


def open_tree(root: str, *, sync: bool = True) -> Tree:
    """The storage at a folder, or at a URL that fsspec knows (``memory://``, ``s3://bucket/path``).

    `sync` is that of `LocalTree`. Raises `RunnerError`.
    """
    try:
        if "://" not in root:
            return LocalTree(Path(root), sync=sync)
        if root.startswith("file://"):
            return LocalTree(Path(root.removeprefix("file://")), sync=sync)
        import fsspec

        system, path = fsspec.url_to_fs(root)
        return RemoteTree(system, path)
    except (StorageError, ImportError, ValueError) as error:
        # fsspec says in an ImportError which package a protocol needs.
        raise RunnerError(f"{root} can't be used as a storage: {error}") from None

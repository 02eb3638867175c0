"""The components that come with the Runner: in the installed package, or in the source tree that it runs from."""

from __future__ import annotations

from pathlib import Path

__all__ = ["folder"]

_PACKAGE = Path(__file__).resolve().parent


def folder(protocol: str) -> Path:
    """The folder with the manifest and the file of the component for ``http`` or ``ftp``."""
    installed = _PACKAGE / "shipped" / protocol
    return installed if installed.is_dir() else _PACKAGE.parents[1] / f"{protocol}-component" / "prebuilt"

"""The components that come with the Runner: in the installed package, or in the source tree that it runs from."""

from __future__ import annotations

from pathlib import Path

__all__ = ["flag_of", "folder", "name_of"]

_PACKAGE = Path(__file__).resolve().parent


def name_of(protocol: str) -> str:
    """What the component for ``http`` or ``ftp`` is called in figures, logs and progress."""
    return f"{protocol}-component"


def flag_of(protocol: str) -> str:
    """The feature flag that has it serve."""
    return f"runner.{protocol}_component"


def folder(protocol: str) -> Path:
    """The folder with the manifest and the file of the component for ``http`` or ``ftp``."""
    installed = _PACKAGE / "shipped" / protocol
    return installed if installed.is_dir() else _PACKAGE.parents[1] / name_of(protocol) / "prebuilt"

"""Where the grammar and the templates are: beside the package in a checkout, inside it in an installed wheel."""

from __future__ import annotations

from pathlib import Path

__all__ = ["grammar_path", "template_root"]

_PACKAGE = Path(__file__).resolve().parent


def _folder(name: str) -> Path:
    shipped = _PACKAGE / "_data" / name
    return shipped if shipped.is_dir() else _PACKAGE.parent / name


def grammar_path() -> Path:
    """The file of the WIT grammar."""
    return _folder("grammars") / "wit.lark"


def template_root() -> Path:
    """The folder that holds one folder of templates a language."""
    return _folder("templates")

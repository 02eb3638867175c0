"""The digest of parts of witgen's own code, for the keys of what they made: what one version kept, no other takes.

It knows files, not modules: nothing is imported to be read.
"""

from __future__ import annotations

import functools
import os
import sys

from witgen.store import key_of

__all__ = ["EMITTERS", "FRONT_END", "fingerprint"]

#: What decides how contracts resolve, relative to the package: files, and folders of files.
FRONT_END = (
    "assets.py",
    "binary",
    "diagnostics.py",
    "garbage.py",
    "ir.py",
    "nodes.py",
    "resolve",
    "semver.py",
    "syntax",
)

#: What decides the code that is generated of a resolved model, beside formatters and the engine of templates.
EMITTERS = (
    "__init__.py",
    "abi.py",
    "assets.py",
    "binary",
    "contract",
    "diagnostics.py",
    "emit",
    "generate.py",
    "ir.py",
    "nodes.py",
    "resolve",
    "semver.py",
    "templates",
)

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
#: What lies inside the package in a wheel, and beside it in a checkout.
_SHIPPED = ("grammars", "templates")
_SUFFIXES = (".py", ".lark", ".j2")


@functools.cache
def fingerprint(*parts: str) -> bytes | None:
    """The digest of the files of `parts`, of the grammar and of this Python's version.

    None where the sources aren't files that can be read, as in a zip archive: then nothing can be kept.
    """
    content = [sys.version.encode()]
    try:
        for name in (name for part in (*parts, "grammars") for name in _sources(part)):
            with open(os.path.join(_PACKAGE, name), "rb") as file:
                content += [name.encode(), file.read()]
    except OSError:
        return None
    return key_of(*content).encode()


def _sources(part: str) -> list[str]:
    """The files of a part, those of its folders too. Raises OSError where it has none."""
    if part.endswith(".py"):
        return [part]
    if part in _SHIPPED:
        part = next((p for p in (f"_data/{part}", f"../{part}") if os.path.isdir(os.path.join(_PACKAGE, p))), part)
    names: list[str] = []
    for entry in sorted(os.scandir(os.path.join(_PACKAGE, part)), key=lambda entry: entry.name):
        if entry.name.endswith(_SUFFIXES):
            names.append(f"{part}/{entry.name}")
        elif entry.is_dir() and entry.name != "__pycache__":
            names += _sources(f"{part}/{entry.name}")
    if not names:
        raise FileNotFoundError(part)
    return names

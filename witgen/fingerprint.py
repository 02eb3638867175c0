"""The digest of parts of witgen's own code, for the keys of what they made: what one version kept, no other takes.

It knows files, not modules: nothing is imported to be read.
"""

from __future__ import annotations

import functools
import os
import sys

from witgen.store import key_of

__all__ = ["FRONT_END", "fingerprint"]

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

_PACKAGE = os.path.dirname(os.path.abspath(__file__))
#: Where the grammar lies in a wheel and in a checkout.
_GRAMMARS = ("_data/grammars", "../grammars")


@functools.cache
def fingerprint(*parts: str) -> bytes | None:
    """The digest of the source files of `parts`, of the grammar and of this Python's version.

    None where the sources aren't files that can be read, as in a zip archive: then nothing can be kept.
    """
    grammars = next((folder for folder in _GRAMMARS if os.path.isdir(os.path.join(_PACKAGE, folder))), "")
    content = [sys.version.encode()]
    try:
        for name in (name for part in (*parts, grammars) for name in _sources(part)):
            with open(os.path.join(_PACKAGE, name), "rb") as file:
                content += [name.encode(), file.read()]
    except OSError:
        return None
    return key_of(*content).encode()


def _sources(part: str) -> list[str]:
    """The source files of a part. Raises OSError where it has none."""
    if part.endswith(".py"):
        return [part]
    names = sorted(name for name in os.listdir(os.path.join(_PACKAGE, part)) if name.endswith((".py", ".lark")))
    if not names:
        raise FileNotFoundError(part)
    return [f"{part}/{name}" for name in names]

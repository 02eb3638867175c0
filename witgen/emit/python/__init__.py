"""Python host adapters: one module for a world, typed and formatted, that stands on `witgen.runtime`."""

from __future__ import annotations

import functools
import json
import re
import textwrap
from collections.abc import Callable, Collection

import black
from black.mode import TargetVersion
from jinja2 import Environment

from witgen import __version__, ir
from witgen.emit import templates
from witgen.emit.python.module import build_module

__all__ = ["emit"]

_LINE_LENGTH = 100
_IMPORTS_PLACE = "@imports@"
_IMPORTABLE = {
    "collections.abc": ("Callable", "Collection", "Mapping", "Sequence"),
    "dataclasses": ("dataclass",),
    "pathlib": ("Path",),
    "typing": ("Any", "ClassVar", "Protocol", "TypeAlias"),
}
_WORD = re.compile(r"[A-Za-z_]\w*")
_PROSE = re.compile(r'"""(?:\\.|[^\\])*?"""|#.*')


def emit(resolve: ir.Resolve, world: ir.WorldId, *, source: str, provided: Collection[str] = ()) -> str:
    """The adapter for a world, as the text of a Python module.

    `source` is the contract as the header names it (a path relative to the project). `provided` names packages
    (``wasi:io``) and interfaces (``wasi:io/poll``) of which imports are left to providers. The text depends on the
    contract, these and the version of the generator alone. Raises `WitError` for what adapters can't carry yet, naming
    the item.
    """
    module = build_module(resolve, world, provided)
    text = (
        _environment()
        .get_template("adapter.py.j2")
        .render(m=module, version=__version__, source=source, imports=_IMPORTS_PLACE)
    )
    text = text.replace(_IMPORTS_PLACE, _imports(text))
    mode = black.Mode(line_length=_LINE_LENGTH, target_versions={TargetVersion.PY311})
    # Only now, or black would leave it alone here too: a project's own settings must not reformat it.
    return black.format_str(text, mode=mode).replace("# ruff: noqa\n", "# ruff: noqa\n# fmt: off\n", 1)


@functools.cache
def _environment() -> Environment:
    filters: dict[str, Callable[..., str]] = {
        "docstring": _docstring,
        "code": _code,
        "literal": json.dumps,
        "comment": _comment,
    }
    return templates.environment("python", filters)


def _imports(text: str) -> str:
    """The import statements for those names of the standard library that a module uses."""
    code = _PROSE.sub("", text)
    words = set(_WORD.findall(code))
    lines = [f"import {name}" for name in ("enum", "struct") if f"{name}." in code]
    for module, names in _IMPORTABLE.items():
        used = [name for name in names if name in words]
        if used:
            lines.append(f"from {module} import {', '.join(used)}")
    return "\n".join(lines) + "\n"


def _docstring(docs: str, indent: int, fallback: str = "", extra: str = "") -> str:
    """A docstring of WIT docs, at an indent of so many spaces."""
    paragraphs = [textwrap.dedent(docs).strip() or fallback, extra]
    text = "\n\n".join(part for part in paragraphs if part)
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if text.endswith('"'):
        text += " "
    lines = text.split("\n")
    if len(lines) == 1:
        return f'"""{text}"""'
    pad = " " * indent
    return "\n".join(['"""' + lines[0], *(pad + line if line.strip() else "" for line in lines[1:]), pad + '"""'])


def _code(lines: list[str], indent: int) -> str:
    """Lines of code at an indent of so many spaces; the first one without."""
    pad = " " * indent
    return "\n".join(line if not i else pad + line for i, line in enumerate(lines))


def _comment(docs: str, indent: int) -> str:
    """WIT docs as the comment above a member (``#:``), each line with its break; nothing for no docs."""
    pad = " " * indent
    return "".join(f"{pad}#: {line}".rstrip() + "\n" for line in textwrap.dedent(docs).strip().splitlines())

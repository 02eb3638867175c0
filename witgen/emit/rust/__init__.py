"""Rust guest stubs: one self-contained file a world.

The file needs ``core`` and ``alloc`` and nothing else, is laid out as rustfmt lays it out, and offers the names and
types of wit-bindgen's default output, so that a guest written for one compiles against the other. What crosses the
boundary is written as tables; the run-time module at its end carries them out.
"""

from __future__ import annotations

from collections.abc import Iterable

from jinja2 import Environment, FileSystemLoader, StrictUndefined

import witgen
from witgen import ir
from witgen.assets import template_root
from witgen.emit.rust.layout import indent
from witgen.emit.rust.modules import build
from witgen.emit.rust.section import byte_string

__all__ = ["emit"]


def emit(resolve: ir.Resolve, world: ir.WorldId, *, component_type: bytes, digest: str, source: str) -> str:
    """The text of the stub of a world.

    `component_type` is the payload of the custom section that describes the world, `digest` that of its contract and
    `source` the name of the contract, as the header is to give them. The same input gives the same bytes. Raises
    `WitError` for what the emitter can't carry: ``async``, ``stream``, ``future`` and ``error-context``.
    """
    model = build(resolve, world)
    row = resolve.worlds[world]
    package = resolve.packages[row.package].name
    name = package.interface(row.name)
    environment = Environment(
        loader=FileSystemLoader(template_root() / "rust"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
        extensions=["jinja2.ext.do"],
    )
    environment.filters |= {"apart": _apart, "escaped": _escaped, "indented": _indented, "joined": "\n".join}
    return environment.get_template("file.rs.j2").render(
        model=model,
        version=witgen.__version__,
        digest=digest,
        source=source,
        world=name,
        macro=f"__export_{row.name.lower().replace('-', '_')}",
        has=model.needs.has,
        numbers=model.needs.numbers,
        tuples=[_tuple(arity) for arity in sorted(model.needs.arities)],
        return_area=model.needs.return_area,
        section_name=f'"component-type:witgen:{witgen.__version__}:{name}"',
        section_size=len(component_type),
        section=byte_string(component_type),
    )


def _apart(parts: Iterable[str]) -> str:
    """Texts with an empty line between each two; empty ones are left out."""
    return "\n\n".join(text for text in (part.strip("\n") for part in parts) if text)


def _indented(text: str) -> str:
    return "\n".join(indent(text.strip("\n").split("\n")))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _tuple(arity: int) -> str:
    return "tuple! { " + ", ".join(f"T{i} t{i}" for i in range(arity)) + " }"

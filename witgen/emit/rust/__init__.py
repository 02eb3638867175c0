"""Rust guest stubs: one self-contained file a world, or a folder with a file for each interface.

The code needs ``core`` and ``alloc`` and nothing else, is laid out as rustfmt lays it out, and offers the names and
types of wit-bindgen's default output, so that a guest written for one compiles against the other. What crosses the
boundary is written as tables; the run-time module ``_rt`` carries them out.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment

import witgen
from witgen import ir
from witgen.emit import templates
from witgen.emit.rust.layout import indent
from witgen.emit.rust.modules import Module, build
from witgen.emit.rust.section import byte_string

__all__ = ["Stub", "emit", "emit_split"]


@dataclass(frozen=True, slots=True)
class Stub:
    """What a stub is to be like, and what it says of itself.

    `component_type` is the payload of the custom section that describes the world, `digest` that of its contract and
    `source` the name of the contract, as the header is to give them. `derives` are paths of traits that records,
    variants and enums derive as well, where what they contain lets them.
    """

    component_type: bytes
    digest: str
    source: str
    derives: Sequence[str] = ()


def emit(resolve: ir.Resolve, world: ir.WorldId, stub: Stub) -> str:
    """The stub of a world as one file. The same input gives the same bytes.

    Raises `WitError` for what the emitter can't carry: ``async``, ``stream``, ``future`` and ``error-context``.
    """
    return _render(resolve, world, stub, split=False)[""]


def emit_split(resolve: ir.Resolve, world: ir.WorldId, stub: Stub) -> dict[str, str]:
    """The stub of a world as the files of a folder, by their names in it: ``mod.rs`` and one for each interface.

    All else is as for `emit`.
    """
    return _render(resolve, world, stub, split=True)


def _render(resolve: ir.Resolve, world: ir.WorldId, stub: Stub, *, split: bool) -> dict[str, str]:
    model = build(resolve, world, split=split, derives=stub.derives)
    row = resolve.worlds[world]
    package = resolve.packages[row.package].name
    name = package.interface(row.name)
    environment = _environment()
    header = {"version": witgen.__version__, "digest": stub.digest, "source": stub.source, "world": name}
    runtime: dict[str, Any] = {
        **header,
        "split": split,
        "has": model.needs.has,
        "numbers": model.needs.numbers,
        "tuples": [_tuple(arity) for arity in sorted(model.needs.arities)],
        "return_area": model.needs.return_area,
        "section_name": f'"component-type:witgen:{witgen.__version__}:{name}:"',
        "section_size": len(stub.component_type),
        "section": byte_string(stub.component_type),
    }
    macro = f"__export_{row.name.lower().replace('-', '_')}"
    top = environment.get_template("file.rs.j2").render(model=model, macro=macro, **runtime)
    if not split:
        return {"": top}
    interface = environment.get_template("interface.rs.j2")
    return {
        "mod.rs": top,
        "_rt.rs": environment.get_template("runtime.rs.j2").render(**runtime),
        **{
            f"{path}.rs": interface.render(module=module, split=split, **header) for path, module in _filled(model.root)
        },
    }


@functools.cache
def _environment() -> Environment:
    filters = {"apart": _apart, "escaped": _escaped, "indented": _indented, "joined": "\n".join}
    return templates.environment("rust", filters)


def _filled(module: Module, folder: str = "") -> Iterator[tuple[str, Module]]:
    """The modules of interfaces below a module, each with the path of its file, without the suffix."""
    for name, child in module.children.items():
        path = folder + name.removeprefix("r#")
        if child.filled:
            yield path, child
        yield from _filled(child, f"{path}/")


def _apart(parts: Iterable[str]) -> str:
    """Texts with an empty line between each two; empty ones are left out."""
    return "\n\n".join(text for text in (part.strip("\n") for part in parts) if text)


def _indented(text: str) -> str:
    return "\n".join(indent(text.strip("\n").split("\n")))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _tuple(arity: int) -> str:
    return "tuple! { " + ", ".join(f"T{i} t{i}" for i in range(arity)) + " }"

"""How deep and how large types may be for code to be made for them.

The language sets no end to what types are built of. Code that carries a value has a line for each part of it.
"""

from __future__ import annotations

from witgen import ir
from witgen.abi import Abi
from witgen.diagnostics import WitError
from witgen.resolve.kinds import references

__all__ = ["check_types"]

#: Types within types, aliases not counted.
DEEPEST = 100
#: Types that a type is made of, each counted wherever it stands.
LARGEST = 10_000
#: Bytes of a value: a 32-bit memory has twice as many, of which Rust addresses half with one value.
MOST_BYTES = (1 << 31) - 1


def check_types(resolve: ir.Resolve) -> None:
    """Raise WitError for the first type that is nested too deep or made of too much."""
    depths: list[int] = []
    sizes: list[int] = []
    for type_ in resolve.types:
        parts = [part for part in references(type_.kind) if not isinstance(part, ir.Primitive)]
        is_alias = isinstance(type_.kind, ir.Alias)
        depths.append(max((depths[part] for part in parts), default=0) + (not is_alias))
        sizes.append(min(sum((sizes[part] for part in parts), start=1), LARGEST + 1))
        where = f"type `{type_.name}`" if type_.name else "a type"
        if depths[-1] > DEEPEST:
            raise WitError.at(_owner(resolve, type_), f"{where} is nested more than {DEEPEST} deep")
        if sizes[-1] > LARGEST:
            raise WitError.at(_owner(resolve, type_), f"{where} is made of more than {LARGEST:,} types")
    abi = Abi(resolve)
    for number, type_ in enumerate(resolve.types):
        if isinstance(type_.kind, ir.FixedLengthList) and abi.size(ir.TypeId(number)) > MOST_BYTES:
            where = f"type `{type_.name}`" if type_.name else "a type"
            raise WitError.at(_owner(resolve, type_), f"{where} takes more than {MOST_BYTES:,} bytes")


def _owner(resolve: ir.Resolve, type_: ir.TypeDef) -> str:
    """The name of the interface or world that a type belongs to."""
    match type_.owner:
        case ir.InterfaceOwner(id=interface):
            return resolve.link_name(interface)
        case ir.WorldOwner(id=world):
            return resolve.worlds[world].name
    return "types"

"""How deep and how large types may be for code to be made for them.

The language sets no end to what types are built of. Code that carries a value has a line for each part of it.
"""

from __future__ import annotations

from witgen import ir
from witgen.diagnostics import WitError
from witgen.resolve.kinds import references

__all__ = ["check_types"]

#: Types within types, aliases not counted.
DEEPEST = 100
#: Types that a type is made of, each counted wherever it stands.
LARGEST = 10_000
#: Values that lie in one value, as in a list of fixed length.
MOST_VALUES = 1_000_000


def check_types(resolve: ir.Resolve) -> None:
    """Raise WitError for the first type that is nested too deep or made of too much."""
    depths: list[int] = []
    sizes: list[int] = []
    values: list[int] = []
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
        values.append(min(_values(type_.kind, values), MOST_VALUES + 1))
        if values[-1] > MOST_VALUES:
            raise WitError.at(_owner(resolve, type_), f"{where} is made of more than {MOST_VALUES:,} values")


def _values(kind: ir.Kind, values: list[int]) -> int:
    """How many values at most lie in one value of a type, given those of earlier types."""
    if isinstance(kind, ir.List | ir.Map):
        return 1
    length = kind.length if isinstance(kind, ir.FixedLengthList) else 1
    return length * max(1, sum(1 if isinstance(part, ir.Primitive) else values[part] for part in references(kind)))


def _owner(resolve: ir.Resolve, type_: ir.TypeDef) -> str:
    """The name of the interface or world that a type belongs to."""
    match type_.owner:
        case ir.InterfaceOwner(id=interface):
            return resolve.link_name(interface)
        case ir.WorldOwner(id=world):
            return resolve.worlds[world].name
    return "types"

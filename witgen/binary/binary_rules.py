"""What the binary form can't say, though WIT text can: the rules that a validator of components has and WIT has not.

It knows the resolved model; how it is written, `encoder` knows.
"""

from __future__ import annotations

from collections.abc import Iterable

from witgen import ir
from witgen.binary.decoder_types import MAX_FLAGS
from witgen.binary.names import unique_key

__all__ = ["check_kind", "check_names", "same_name"]


#: Kinds that must have something in them: what they are called, and what they must have.
_NOT_EMPTY: dict[type, tuple[str, str]] = {
    ir.Record: ("record", "fields"),
    ir.Tuple: ("tuple", "types"),
    ir.FixedLengthList: ("list of fixed length", "elements"),
}


def check_kind(kind: ir.Kind, name: str | None) -> None:
    """Raises ValueError for a type that the binary format has no form for; `name` is None where it has none."""
    match kind:
        case ir.Record(()) | ir.Tuple(()) | ir.FixedLengthList(length=0):
            what, parts = _NOT_EMPTY[type(kind)]
            raise ValueError(f"a {what} has no {parts}" if name is None else f"{what} {name} has no {parts}")
        case ir.Flags(flags) if not 0 < len(flags) <= MAX_FLAGS:
            raise ValueError(f"flags {name} are {len(flags)}, not 1 to {MAX_FLAGS}")
        case ir.Record(items) | ir.Variant(items) | ir.Enum(items) | ir.Flags(items):
            check_names([item.name for item in items])


def check_names(names: Iterable[str]) -> None:
    """Raises ValueError for names of fields, cases, flags or parameters that the binary format can't tell apart."""
    taken: dict[tuple[bool, str], str] = {}
    for name in names:
        previous = taken.setdefault(unique_key(name), name)
        if previous is not name:
            raise same_name(previous, name)


def same_name(a: str, b: str) -> ValueError:
    """The error for two names that stand in one place."""
    return ValueError(f"{a} and {b} are the same name in the binary form")

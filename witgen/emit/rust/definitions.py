"""Type definitions of an interface as Rust: what is said of each type, and the table by which it is lowered and lifted.

It knows derives, layouts and documentation; the run-time module of the generated file knows how tables are carried out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from witgen import ir
from witgen.abi import Abi, discriminant_size
from witgen.emit.rust import layout, naming
from witgen.emit.rust.needs import Needs
from witgen.emit.rust.types import Facts, Place, Speller, Types

__all__ = ["Definition", "Definitions"]

_TAGS = {1: "u8", 2: "u16", 4: "u32"}
_ENUM_DERIVES = ("Clone", "Copy", "Debug", "PartialEq", "Eq", "PartialOrd", "Ord")
#: Traits of the standard library: tuples beyond its longest have none of them, floats not those that are total.
_STANDARD = frozenset({"Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd"})
_TOTAL = frozenset({"Eq", "Hash", "Ord"})
_PLAIN_LOWERED = frozenset({ir.Primitive.BOOL, ir.Primitive.CHAR})


@dataclass(frozen=True, slots=True)
class Definition:
    """A named type as the template lays it out. `lines` is the definition itself, `table` the macro call behind it."""

    lines: Sequence[str]
    table: Sequence[str] = ()
    error: str | None = None
    #: The names, in WIT, and the documentation of the cases of an enum that functions fail with.
    error_cases: Sequence[tuple[str, str, str]] = ()
    #: Whether `lines` call a macro, on which no attribute may stand.
    is_macro: bool = False


class Definitions:
    """Defines the types of one module. `derives` are traits that records, variants and enums derive as well."""

    def __init__(self, types: Types, needs: Needs, speller: Speller, derives: Sequence[str]) -> None:
        self._derives = derives
        self._types = types
        self._resolve = types.resolve
        self._abi = Abi(types.resolve)
        self._needs = needs
        self._speller = speller
        self._depth = speller.place.depth

    def define(self, type_: ir.TypeId) -> Definition:
        """The definition of a named type that is no resource."""
        row = self._resolve.types[type_]
        match row.kind:
            case ir.Record(fields):
                return self._record(type_, row, fields)
            case ir.Variant(cases):
                return self._variant(type_, row, cases)
            case ir.Enum(cases):
                return self._enum(type_, row, cases)
            case ir.Flags(flags):
                return self._flags(type_, row, flags)
            case _:
                return self._alias(type_, row)

    def _record(self, type_: ir.TypeId, row: ir.TypeDef, fields: Sequence[ir.Field]) -> Definition:
        facts = self._types.facts(type_)
        names = naming.field_names(f.name for f in fields)
        head = self._head(type_, "struct", facts)
        plain = [self._plain(type_, lifted) for lifted in (False, True)]
        lines = [*layout.docs(row.docs), *self._derive(facts), *(["#[repr(C)]"] if any(plain) else []), f"{head} {{"]
        for name, field in zip(names, fields, strict=True):
            text = f"pub {name}: {self._speller.owned(field.type, _lifetime(facts))},"
            lines += layout.indent([*layout.docs(field.docs), *layout.field(self._depth + 1, text)])
        offsets, _, _ = self._abi.field_offsets(f.type for f in fields)
        slots = _running(len(self._abi.flat(f.type)) for f in fields)
        rows = [f"{n}: {at} {slot}," for n, at, slot in zip(names, offsets, slots, strict=True)]
        uses = [f"{use} {str(plain[use == 'lift']).lower()}" for use in self._uses(type_)]
        table = self._table("record", type_, facts, [f"[{', '.join(uses)}]"], rows)
        return Definition([*lines, "}"], table, self._error(type_))

    def _variant(self, type_: ir.TypeId, row: ir.TypeDef, cases: Sequence[ir.Case]) -> Definition:
        facts = self._types.facts(type_)
        names = naming.case_names(c.name for c in cases)
        lines = [*layout.docs(row.docs), *self._derive(facts), f"{self._head(type_, 'enum', facts)} {{"]
        for name, case in zip(names, cases, strict=True):
            payload = "" if case.type is None else f"({self._speller.owned(case.type, _lifetime(facts))})"
            text = f"{name}{payload},"
            lines += layout.indent([*layout.docs(case.docs), *layout.field(self._depth + 1, text)])
        parts = self._abi.variant_layout(tuple(c.type for c in cases))
        extra = [f"{_TAGS[parts.discriminant_size]} {parts.payload_offset}", f"[{', '.join(self._uses(type_))}]"]
        rows = [
            f"{number} {name}{'' if case.type is None else '(value)'},"
            for number, (name, case) in enumerate(zip(names, cases, strict=True))
        ]
        table = self._table("variant", type_, facts, extra, rows)
        return Definition([*lines, "}"], table, self._error(type_))

    def _enum(self, type_: ir.TypeId, row: ir.TypeDef, cases: Sequence[ir.Label]) -> Definition:
        names = naming.case_names(c.name for c in cases)
        tag = _TAGS[discriminant_size(len(cases))]
        derives = self._attribute([*_ENUM_DERIVES, *self._derives])
        name = self._speller.names(type_).name
        lines = [*layout.docs(row.docs), *derives, f"#[repr({tag})]", f"pub enum {name} {{"]
        for case_name, case in zip(names, cases, strict=True):
            lines += layout.indent([*layout.docs(case.docs), f"{case_name},"])
        rows = [f"{i} {case_name}," for i, case_name in enumerate(names)]
        table: list[str] = []
        if self._uses(type_):
            table = [f"_rt::enumeration! {{ {name}, {tag} {{", *layout.indent(rows), "} }"]
        told = [(n, c.name, " ".join(layout.plain(c.docs).split())) for n, c in zip(names, cases, strict=True)]
        error = self._error(type_)
        return Definition([*lines, "}"], table, error, told if error else ())

    def _flags(self, type_: ir.TypeId, row: ir.TypeDef, flags: Sequence[ir.Label]) -> Definition:
        name = self._speller.names(type_).name
        bits = f"u{8 * max(self._abi.size(type_), 1)}"
        plain = str(self._plain(type_, True)).lower()
        opening = f"{name}: {bits}, {len(self._abi.flat(type_))}, {plain} {{"
        inner = [*layout.docs(row.docs), opening]
        for i, (flag, label) in enumerate(zip(naming.constant_names(f.name for f in flags), flags, strict=True)):
            inner += layout.indent([*layout.docs(label.docs), f"{flag} = {i};"])
        return Definition(["_rt::flags! {", *layout.indent([*inner, "}"]), "}"], is_macro=True)

    def _alias(self, type_: ir.TypeId, row: ir.TypeDef) -> Definition:
        facts = self._types.facts(type_)
        names = self._speller.names(type_)
        spelled = self._speller.structure(row.kind, "'a")
        head = f"pub type {names.name}{_generics(facts)}"
        lines = [*layout.docs(row.docs), *layout.alias(self._depth, head, spelled)]
        resource = row.kind.target if isinstance(row.kind, ir.Alias) else None
        if names.borrow and isinstance(resource, int) and self._speller.is_exported(type_):
            target = self._speller.names(resource)
            spelled = f"{self._speller.path(resource, target.borrow)}<'a>"
            lines += layout.alias(self._depth, f"pub type {names.borrow}<'a>", spelled)
        return Definition(lines)

    def _derive(self, facts: Facts) -> list[str]:
        if facts.owns or facts.borrows:
            return self._attribute([] if facts.long_tuple else ["Debug"])
        names = ["Clone", *(["Copy"] if facts.copy else []), *([] if facts.long_tuple else ["Debug"])]
        return self._attribute([*names, *(d for d in self._derives if _derivable(d, facts))])

    def _attribute(self, names: Iterable[str]) -> list[str]:
        return layout.derive(self._depth, list(dict.fromkeys(names)))

    def _head(self, type_: ir.TypeId, keyword: str, facts: Facts) -> str:
        return f"pub {keyword} {self._speller.names(type_).name}{_generics(facts)}"

    def _uses(self, type_: ir.TypeId) -> list[str]:
        return self._needs.uses(type_, self._place)

    @property
    def _place(self) -> Place:
        return self._speller.place

    def _table(
        self, macro: str, type_: ir.TypeId, facts: Facts, extra: Sequence[str], rows: Sequence[str]
    ) -> list[str]:
        if not self._uses(type_):
            return []
        found = self._abi.layout(type_)
        name = self._speller.names(type_).name
        spelled = f"{name}<'_>" if facts.borrows else name
        numbers = f"({found.size}, {found.align}, {len(found.flat)})"
        opening = " ".join([f"_rt::{macro}! {{", spelled + ",", numbers, *extra, "{"])
        return [opening, *layout.indent(rows), "} }"]

    def _error(self, type_: ir.TypeId) -> str | None:
        facts = self._types.facts(type_)
        if type_ not in self._needs.errors or facts.long_tuple:
            return None
        return self._speller.named(type_)

    def _plain(self, type_: ir.Type, lifted: bool) -> bool:
        """Whether values lie in Rust's memory as in the canonical layout; `lifted`: and any bits are a value."""
        type_ = self._resolve.dealias(type_)
        if isinstance(type_, ir.Primitive):
            return type_ is not ir.Primitive.STRING and (not lifted or type_ not in _PLAIN_LOWERED)
        match self._resolve.types[type_].kind:
            case ir.Record(fields):
                return all(self._plain(f.type, lifted) for f in fields)
            case ir.FixedLengthList(element):
                return self._plain(element, lifted)
            case ir.Enum():
                return not lifted
            case ir.Flags(flags):
                return bool(flags)
            case _:
                return False


def _derivable(path: str, facts: Facts) -> bool:
    trait = path.rpartition("::")[2]
    return not (facts.long_tuple and trait in _STANDARD) and not (facts.floats and trait in _TOTAL)


def _generics(facts: Facts) -> str:
    return "<'a>" if facts.borrows else ""


def _lifetime(facts: Facts) -> str:
    return "'a" if facts.borrows else "'_"


def _running(counts: Iterable[int]) -> list[int]:
    total, found = 0, []
    for count in counts:
        found.append(total)
        total += count
    return found

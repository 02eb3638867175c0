"""Type definitions, names and external descriptions out of the binary.

This module knows the productions of `Binary.md`, sections "Type Definitions" and "Import and Export Definitions" (the
names), and keeps count of the index spaces so that no index can point to nothing. It does not know what an index
refers to beyond its space: that is for whoever evaluates the types.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from witgen.binary import model as m
from witgen.binary import opcodes as op
from witgen.binary.reader import Reader

__all__ = ["MAX_DEPTH", "MAX_FLAGS", "Scope", "TypeReader"]

T = TypeVar("T")

#: How many flags a type may have.
MAX_FLAGS = 32
#: How deep components and types may be nested in each other, together.
MAX_DEPTH = 100


class Scope:
    """The sizes of the index spaces of a component or of a component or instance type, as far as it has been read."""

    __slots__ = ("counts", "depth", "outer")

    def __init__(self, outer: Scope | None) -> None:
        self.outer = outer
        self.depth: int = 0 if outer is None else outer.depth + 1
        self.counts: dict[m.Sort, int] = dict.fromkeys(m.Sort, 0)


class TypeReader(Reader):
    """Reads types in the innermost `scope`."""

    __slots__ = ("scope",)

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.scope = Scope(None)

    # Indices and sorts

    def index(self, sort: m.Sort) -> int:
        """An index into the space of `sort`."""
        at = self.pos
        value = self.u32()
        count = self.scope.counts[sort]
        if value >= count:
            raise self.fail(f"{sort.value} {value} does not exist: {count} defined so far", at)
        return value

    def type_index(self) -> int:
        """An index into the type space."""
        return self.index(m.Sort.TYPE)

    def sort(self, allowed: frozenset[m.Sort], what: str) -> m.Sort:
        """A sort, one of those allowed for `what`."""
        at = self.pos
        code = self.byte()
        if code == op.CORE_SORT:
            code = self.byte()
            found = op.CORE_SORTS.get(code)
        else:
            found = op.SORTS.get(code)
        if found not in allowed or found is None:
            named = f"0x{code:02x}" if found is None else found.value
            raise self.fail(f"{named} is no sort of {what}", at)
        return found

    def enter(self) -> Scope:
        """Opens a scope inside the present one and gives the present one, to be put back."""
        outer = self.scope
        self.scope = Scope(outer)
        if self.scope.depth > MAX_DEPTH:
            raise self.fail(f"nested more than {MAX_DEPTH} levels deep")
        return outer

    # Names

    def extern_name(self) -> tuple[str, m.NameAttributes]:
        """The name of an import or export and what it carries."""
        at = self.pos
        form = self.byte()
        if form > op.NAME_WITH_ATTRIBUTES:
            raise self.fail(f"0x{form:02x} is no form of a name", at)
        name = self.name()
        if form != op.NAME_WITH_ATTRIBUTES:
            return name, m.NO_ATTRIBUTES
        found: dict[str, str] = {}
        for _ in range(self.count("name attributes")):
            at = self.pos
            code = self.byte()
            field = op.NAME_ATTRIBUTES.get(code)
            if field is None:
                raise self.fail(f"0x{code:02x} is no name attribute", at)
            if field in found:
                raise self.fail("duplicate name attribute", at)
            found[field] = self.name()
        return name, m.NameAttributes(**found)

    def extern_desc(self) -> m.ExternDesc:
        """``externdesc``"""
        sort = self.sort(op.EXTERN_SORTS, "an import or export")
        if sort is m.Sort.TYPE:
            return m.ExternDesc(sort, None if self._bound("type") else self.type_index())
        if sort is m.Sort.VALUE:
            if self._bound("value"):
                return m.ExternDesc(sort, None, self.valtype())
            return m.ExternDesc(sort, self.index(sort))
        space = m.Sort.CORE_TYPE if sort is m.Sort.CORE_MODULE else m.Sort.TYPE
        return m.ExternDesc(sort, self.index(space))

    def _bound(self, what: str) -> bool:
        return self.flag(f"how a {what} is bound")

    # Value types

    def valtype(self) -> m.ValType:
        """``valtype``"""
        at = self.pos
        primitive = op.PRIMITIVES.get(self.peek())
        if primitive is not None:
            self.pos = at + 1
            return primitive
        value = self.s33()
        if value < 0:
            raise self.fail(f"0x{self.data[at]:02x} is no value type", at)
        count = self.scope.counts[m.Sort.TYPE]
        if value >= count:
            raise self.fail(f"type {value} does not exist: {count} defined so far", at)
        return value

    def optional_valtype(self) -> m.ValType | None:
        """``<valtype>?``"""
        return self.valtype() if self.flag("whether a type follows") else None

    def labelled(self) -> m.Labelled:
        """``labelvaltype``"""
        return m.Labelled(self.name(), self.valtype())

    def case(self) -> m.Labelled:
        """``case``"""
        found = m.Labelled(self.name(), self.optional_valtype())
        self.expect(0, "the end of a case")
        return found

    def result_list(self) -> m.ValType | None:
        """``resultlist``"""
        if not self.flag("whether a function has no result"):
            return self.valtype()
        self.expect(0, "the number of results")
        return None

    # Definitions of types

    def type_def(self) -> m.TypeDef:
        """``type``"""
        at = self.pos
        code = self.byte()
        read = _DEFTYPES.get(code)
        if read is not None:
            return m.TypeDef(read(self), at)
        primitive = op.PRIMITIVES.get(code)
        if primitive is None:
            raise self.fail(f"0x{code:02x} is no type", at)
        return m.TypeDef(primitive, at)

    def _resource(self) -> m.ResourceType:
        at = self.pos
        rep = self.core_valtype()
        if rep != "i32":
            raise self.fail(f"a resource is represented by i32, not by {rep}", at)
        return m.ResourceType(rep, self.index(m.Sort.CORE_FUNC) if self.flag("whether there is a destructor") else None)

    def some(self, what: str, item: Callable[[], T]) -> tuple[T, ...]:
        """A vector that is not empty."""
        at = self.pos
        found = self.vec(what, item)
        if not found:
            raise self.fail(f"a type without {what}", at)
        return found

    def at_least_one(self, what: str) -> int:
        """A number that is not 0."""
        at = self.pos
        value = self.u32()
        if not value:
            raise self.fail(f"a type without {what}", at)
        return value

    def _flags(self) -> m.Flags:
        at = self.pos
        found = m.Flags(self.some("flags", self.name))
        if len(found.labels) > MAX_FLAGS:
            raise self.fail(f"{len(found.labels)} flags, more than {MAX_FLAGS}", at)
        return found

    def _func(self, is_async: bool = False) -> m.FuncType:
        return m.FuncType(self.vec("parameters", self.labelled), self.result_list(), is_async)

    def _decls(self, readers: dict[int, Callable[[TypeReader], m.Declaration]]) -> tuple[m.Declaration, ...]:
        """The declarations of a component or instance type."""
        count = self.count("declarations")
        outer = self.enter()
        counts = self.scope.counts
        decls = []
        for _ in range(count):
            at = self.pos
            read = readers.get(self.byte())
            if read is None:
                raise self.fail(f"0x{self.data[at]:02x} is no declaration here", at)
            decl = read(self)
            counts[decl.space] += 1
            decls.append(decl)
        self.scope = outer
        return tuple(decls)

    def alias(self) -> m.Alias:
        """``alias``"""
        at = self.pos
        sort = self.sort(_ALIAS_SORTS, "an alias")
        target = self.byte()
        if target not in _ALIAS_TARGETS or sort not in _ALIAS_TARGETS[target]:
            raise self.fail(f"{sort.value} is no sort of alias target 0x{target:02x}", at)
        if target == op.ALIAS_EXPORT:
            return m.ExportAlias(sort, self.index(m.Sort.INSTANCE), self.name(), at)
        if target == op.ALIAS_CORE_EXPORT:
            return m.CoreExportAlias(sort, self.index(m.Sort.CORE_INSTANCE), self.name(), at)
        return self._outer_alias(sort, at)

    def _outer_alias(self, sort: m.Sort, at: int) -> m.OuterAlias:
        count = self.u32()
        scope: Scope | None = self.scope
        if count > self.scope.depth:
            raise self.fail(f"outer alias {count} levels out, but only {self.scope.depth} enclose it", at)
        for _ in range(count):
            scope = scope.outer if scope is not None else None
        assert scope is not None
        index = self.u32()
        if index >= scope.counts[sort]:
            raise self.fail(f"{sort.value} {index} does not exist {count} levels out", at)
        return m.OuterAlias(sort, count, index, at)

    def type_alias(self) -> m.Alias:
        """``alias`` in a type: of instance exports and outer types only."""
        at = self.pos
        found = self.alias()
        if isinstance(found, m.CoreExportAlias) or found.sort not in _DECL_ALIAS_SORTS:
            raise self.fail(f"no alias of sort {found.sort.value} in a type", at)
        return found

    def import_(self) -> m.Import:
        """``import``"""
        at = self.pos
        name, attributes = self.extern_name()
        return m.Import(name, self.extern_desc(), attributes, at)

    def export_decl(self) -> m.ExportDecl:
        """``exportdecl``"""
        at = self.pos
        name, attributes = self.extern_name()
        return m.ExportDecl(name, self.extern_desc(), attributes, at)

    # Core types

    def core_valtype(self) -> str:
        """A core value type; those of the GC proposal are not read."""
        code = self.byte()
        name = op.CORE_VALUE_TYPES.get(code)
        if name is None:
            raise self.fail(f"core value type 0x{code:02x} is not supported", self.pos - 1)
        return name

    def core_type(self) -> m.CoreTypeDef:
        """``core:type``: a function type, or a module type, which is only measured."""
        at = self.pos
        code = self.byte()
        if code == op.CORE_FUNC_TYPE:
            return m.CoreTypeDef(self._core_func(), at)
        if code != op.CORE_MODULE_TYPE:
            raise self.fail(f"core type 0x{code:02x} is not supported", at)
        for _ in range(self.count("declarations")):
            self._core_decl()
        return m.CoreTypeDef(m.OpaqueCoreType("module", self.view[at : self.pos]), at)

    def _core_func(self) -> m.CoreFuncType:
        return m.CoreFuncType(self.vec("parameters", self.core_valtype), self.vec("results", self.core_valtype))

    def _core_decl(self) -> None:
        """``core:moduledecl``; its indices are into spaces of its own and stay unchecked."""
        at = self.pos
        kind = self.byte()
        if kind == 0x00:
            self.name()
        if kind in (0x00, 0x03):
            self.name()
            self._core_import_desc()
        elif kind == 0x01:
            self.expect(op.CORE_FUNC_TYPE, "a core function type")
            self._core_func()
        elif kind == 0x02:
            self.expect(0x10, "the sort of an alias")
            self.expect(0x01, "an outer alias")
            self.u32()
            self.u32()
        else:
            raise self.fail(f"0x{kind:02x} is no declaration of a module type", at)

    def _core_import_desc(self) -> None:
        at = self.pos
        kind = self.byte()
        if kind == 0x00:
            self.u32()
        elif kind == 0x01:
            self.core_valtype()
            self._limits()
        elif kind == 0x02:
            self._limits()
        elif kind == 0x03:
            self.core_valtype()
            self.flag("whether a global is mutable")
        elif kind == 0x04:
            self.expect(0, "an exception tag")
            self.u32()
        else:
            raise self.fail(f"0x{kind:02x} is no kind of a core import or export", at)

    def _limits(self) -> None:
        flags = self.byte()
        if flags > 0x0F:
            raise self.fail(f"0x{flags:02x} is no form of limits", self.pos - 1)
        for _ in range(1 + (flags & 1) + (flags >> 3)):
            self._u64()

    def _u64(self) -> None:
        for _ in range(10):
            if self.byte() < 0x80:
                return
        raise self.fail("number does not fit into 64 bits")


#: ``deftype`` by its code, primitives apart.
_DEFTYPES: dict[int, Callable[[TypeReader], m.DefType]] = {
    op.RECORD: lambda r: m.Record(r.some("fields", r.labelled)),
    op.VARIANT: lambda r: m.Variant(r.some("cases", r.case)),
    op.LIST: lambda r: m.List(r.valtype()),
    op.FIXED_LENGTH_LIST: lambda r: m.FixedLengthList(r.valtype(), r.at_least_one("elements")),
    op.MAP: lambda r: m.Map(r.valtype(), r.valtype()),
    op.TUPLE: lambda r: m.Tuple(r.some("types", r.valtype)),
    op.FLAGS: TypeReader._flags,
    op.ENUM: lambda r: m.Enum(r.some("cases", r.name)),
    op.OPTION: lambda r: m.Option(r.valtype()),
    op.RESULT: lambda r: m.Result(r.optional_valtype(), r.optional_valtype()),
    op.OWN: lambda r: m.Own(r.type_index()),
    op.BORROW: lambda r: m.Borrow(r.type_index()),
    op.STREAM: lambda r: m.Stream(r.optional_valtype()),
    op.FUTURE: lambda r: m.Future(r.optional_valtype()),
    op.RESOURCE: TypeReader._resource,
    op.FUNC: TypeReader._func,
    op.FUNC_ASYNC: lambda r: r._func(is_async=True),
    op.COMPONENT_TYPE: lambda r: m.ComponentType(r._decls(_COMPONENT_DECLS)),
    op.INSTANCE_TYPE: lambda r: m.InstanceType(r._decls(_INSTANCE_DECLS)),
}

_INSTANCE_DECLS: dict[int, Callable[[TypeReader], m.Declaration]] = {
    op.DECL_CORE_TYPE: TypeReader.core_type,
    op.DECL_TYPE: TypeReader.type_def,
    op.DECL_ALIAS: TypeReader.type_alias,
    op.DECL_EXPORT: TypeReader.export_decl,
}
_COMPONENT_DECLS: dict[int, Callable[[TypeReader], m.Declaration]] = {
    **_INSTANCE_DECLS,
    op.DECL_IMPORT: TypeReader.import_,
}

_ALIAS_TARGETS: dict[int, frozenset[m.Sort]] = {
    op.ALIAS_EXPORT: op.EXTERN_SORTS,
    op.ALIAS_CORE_EXPORT: op.CORE_EXPORT_SORTS,
    op.ALIAS_OUTER: op.OUTER_SORTS,
}
_ALIAS_SORTS = frozenset().union(*_ALIAS_TARGETS.values())
_DECL_ALIAS_SORTS = frozenset({m.Sort.TYPE, m.Sort.CORE_TYPE, m.Sort.INSTANCE})

"""What a world needs of the generated file: which types cross the boundary in which direction, and by what means.

It knows the canonical ABI's view of types; it spells nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from witgen import ir
from witgen.abi import Abi
from witgen.emit.rust.types import Place, Places, Types
from witgen.resolve.kinds import references

__all__ = ["Needs"]

_NUMBERS: dict[ir.Primitive, tuple[str, str]] = {
    ir.Primitive.S8: ("i8", "i32"),
    ir.Primitive.U8: ("u8", "i32"),
    ir.Primitive.S16: ("i16", "i32"),
    ir.Primitive.U16: ("u16", "i32"),
    ir.Primitive.S32: ("i32", "i32"),
    ir.Primitive.U32: ("u32", "i32"),
    ir.Primitive.S64: ("i64", "i64"),
    ir.Primitive.U64: ("u64", "i64"),
    ir.Primitive.F32: ("f32", "f32"),
    ir.Primitive.F64: ("f64", "f64"),
}


class Needs:
    """Collected over all functions of a world.

    `has` names the parts of the run-time module that are needed, `numbers` its numeric types with their core types,
    `arities` the lengths of its tuples, `return_area` the bytes that results without memory of their own take, and
    `errors` the types that functions fail with.
    """

    def __init__(self, types: Types, places: Places, world: ir.World) -> None:
        self._types = types
        self._resolve = types.resolve
        self._places = places
        self._abi = Abi(self._resolve)
        self.has: set[str] = set()
        self.arities: set[int] = set()
        self.errors: set[ir.TypeId] = set()
        self.return_area = 0
        self._numbers: set[ir.Primitive] = set()
        self._lowered: set[tuple[ir.TypeId, Place]] = set()
        self._lifted: set[tuple[ir.TypeId, Place]] = set()
        for key, item in world.imports.items():
            self._add_item(key, item, False)
        for key, item in world.exports.items():
            self.has.add("exports")
            self._add_item(key, item, True)

    @property
    def numbers(self) -> list[tuple[str, str]]:
        """The numeric types that are needed, with the core type of each."""
        return [names for primitive, names in _NUMBERS.items() if primitive in self._numbers]

    def uses(self, type_: ir.TypeId, place: Place) -> list[str]:
        """The directions in which the type defined at `place` crosses: ``lower``, ``lift``, both or neither."""
        key = (type_, place)
        return ["lower"] * (key in self._lowered) + ["lift"] * (key in self._lifted)

    def _add_item(self, key: ir.WorldKey, item: ir.WorldItem, exported: bool) -> None:
        match item:
            case ir.FunctionItem(function):
                self._add_function(function, self._places.root, exported)
            case ir.InterfaceItem(id_):
                place = self._places.of_item(key, id_, exported)
                for function in self._resolve.interfaces[id_].functions.values():
                    self._add_function(function, place, exported)
                self._add_types(self._resolve.interfaces[id_].types.values(), exported)
            case ir.TypeItem(id_):
                self._add_types((id_,), exported)

    def _add_types(self, types: Iterable[ir.TypeId], exported: bool) -> None:
        """What the definitions of types need, also of those that no function has."""
        for type_ in types:
            match self._resolve.types[type_].kind:
                case ir.Resource():
                    self.has |= {"exported" if exported else "imported", "import"}
                case ir.Flags():
                    self.has.add("flags")

    def _add_function(self, function: ir.Function, place: Place, exported: bool) -> None:
        self.has.add("export" if exported else "import")
        signature = self._abi.signature(function, lowered=not exported)
        if function.params:
            self.arities.add(len(function.params))
        for param in function.params:
            self._visit(param.type, place, not exported)
            facts = self._types.facts(param.type)
            if not exported and not facts.owns and not facts.copy:
                self.has.add("reference")
            if exported and self._lends(param.type, place):
                self.has |= {"borrowed", "reference"}
        if function.result is None:
            return
        self._visit(function.result, place, exported)
        self._add_error(function.result)
        if exported and signature.indirect_result:
            if self._types.facts(function.result).lists:
                self.has.add("returned")
            else:
                self.return_area = max(self.return_area, self._abi.size(function.result))

    def lends(self, function: ir.Function, place: Place) -> bool:
        """Whether the host lends handles of imported resources to an exported function."""
        return any(self._lends(param.type, place) for param in function.params)

    def _lends(self, type_: ir.Type, place: Place) -> bool:
        if isinstance(type_, ir.Primitive) or not self._types.facts(type_).borrows:
            return False
        row = self._resolve.types[type_]
        if isinstance(row.kind, ir.Borrow):
            return not self._places.is_exported_resource(row.kind.resource, place)
        inside = place if row.name is None else self._places.of_type(type_, place)
        return any(self._lends(child, inside) for child in references(row.kind))

    def _add_error(self, result: ir.Type) -> None:
        kind = self._resolve.kind(result)
        if isinstance(kind, ir.Result) and kind.err is not None:
            err = self._resolve.dealias(kind.err)
            if not isinstance(err, ir.Primitive):
                self.errors.add(err)

    def _visit(self, type_: ir.Type, place: Place, lowered: bool) -> None:
        if isinstance(type_, ir.Primitive):
            self._visit_primitive(type_)
            return
        row = self._resolve.types[type_]
        if row.name is not None:
            place = self._places.of_type(type_, place)
            seen = self._lowered if lowered else self._lifted
            if (type_, place) in seen:
                return
            seen.add((type_, place))
        self._visit_kind(row.kind)
        if isinstance(row.kind, ir.Own | ir.Borrow):
            return
        for child in references(row.kind):
            self._visit(child, place, lowered)

    def _visit_primitive(self, primitive: ir.Primitive) -> None:
        if primitive in _NUMBERS:
            self._numbers.add(primitive)
            self.has.add("number")
        else:
            self.has.add(primitive.value)

    def _visit_kind(self, kind: ir.Kind) -> None:
        match kind:
            case ir.Tuple(types):
                self.arities.add(len(types))
            case ir.Map():
                self.has.add("map")
                self.arities.add(2)
            case ir.FixedLengthList():
                self.has.add("array")
            case ir.Result(ok, err):
                self.has.add("result")
                if ok is None or err is None:
                    self.has.add("unit")
            case ir.Option() | ir.List() | ir.Record() | ir.Variant() | ir.Enum() | ir.Flags():
                self.has.add(type(kind).__name__.lower())
            case ir.Borrow():
                self.has.add("reference")
            case _:
                pass

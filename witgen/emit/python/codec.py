"""Lifting and lowering as Python code: for each type, the statements that read or write it.

`Codec` writes code for four places: `load` and `store` for linear memory, `lift` and `lower` for flat core values
(`CanonicalABI.md`, sections "Loading", "Storing", "Lifting Flat Values", "Lowering Flat Values"). What lies at fixed
offsets in a type is read or written by one ``struct`` call, whatever the depth of records, tuples and options in which
it lies; what does not (variants with several payloads, elements of lists) gets a function of its own, made once a type
and collected in `helpers`.

Code written here assumes names: ``cx`` the `Context`, ``p`` the address, ``rt`` the runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from witgen import abi, ir
from witgen.emit.python.annotations import Annotations
from witgen.emit.python.code import Block, Slot, struct_format
from witgen.emit.python.naming import constant_name, member_name

__all__ = ["Codec", "core_value"]

_P = ir.Primitive

#: ``struct`` letters of the primitives in memory.
_LETTERS: dict[ir.Primitive, str] = {
    _P.BOOL: "?",
    _P.S8: "b",
    _P.U8: "B",
    _P.S16: "h",
    _P.U16: "H",
    _P.S32: "i",
    _P.U32: "I",
    _P.S64: "q",
    _P.U64: "Q",
    _P.F32: "f",
    _P.F64: "d",
    _P.CHAR: "I",
}
#: Lists of these are read and written in one step; char is not, because it is checked.
_PLAIN = frozenset(_LETTERS) - {_P.CHAR, _P.BOOL}
_UNSIGNED = {1: "B", 2: "H", 4: "I"}
_CORE_LETTERS = {abi.Core.I32: "I", abi.Core.I64: "Q", abi.Core.F32: "f", abi.Core.F64: "d"}
_ZERO = {"f": "0.0", "d": "0.0", "?": "False"}
_SLOT = 16

NewSlot = Callable[[int, str], str]


class Codec:
    """Writes the code for the types of one world."""

    def __init__(self, annotations: Annotations) -> None:
        self._annotations = annotations
        self._names = annotations.names
        self._resolve = annotations.resolve
        self.abi = abi.Abi(self._resolve)
        self._structs: dict[str, str] = {}
        self._made: dict[tuple[str, ir.Type], str] = {}
        self._taken: set[str] = set()
        #: Functions that were asked for, each as its lines; one comes after those that it calls.
        self.helpers: list[list[str]] = []

    @property
    def structs(self) -> list[tuple[str, str]]:
        """Names and formats of the ``struct.Struct`` constants that the code uses."""
        return [(name, format_) for format_, name in self._structs.items()]

    def struct(self, slots: Sequence[Slot], size: int | None = None) -> str:
        """The constant for a layout; layouts that are the same share one."""
        format_ = struct_format(slots, size)
        return self._structs.setdefault(format_, f"_S{len(self._structs)}")

    # Reading memory

    def load(self, type_: ir.Type, block: Block, address: str = "p", offset: int = 0) -> str:
        """An expression for the value at `address` plus `offset`, in a region that has been checked.

        Adds what must come before it.
        """
        slots: list[Slot] = []
        expression = self._load(type_, offset, address, self._slot_maker(slots, block))
        self.unpack(block, slots, address)
        return expression

    def load_parameters(self, types: Sequence[ir.Type], block: Block) -> list[str]:
        """Expressions for parameters that lie in memory as a tuple at ``p``; checks the region."""
        offsets, size, align = self.abi.field_offsets(types)
        self.check(block, "p", str(size), align)
        slots: list[Slot] = []
        make = self._slot_maker(slots, block)
        values = [self._load(type_, offset, "p", make) for type_, offset in zip(types, offsets, strict=True)]
        self.unpack(block, slots, "p")
        return values

    def unpack(self, block: Block, slots: list[Slot], address: str) -> None:
        """Reads `slots` at `address` into their variables."""
        if slots:
            targets = ", ".join(slot.code for slot in slots) + ("," if len(slots) == 1 else "")
            block.add(f"{targets} = {self.struct(slots)}.unpack_from(cx.view, {address})")

    def check(self, block: Block, address: str, size: str, align: int) -> None:
        """Makes sure that a region lies in memory and is aligned."""
        misaligned = f"{address} & {align - 1} or " if align > 1 else ""
        with block.indented(f"if {misaligned}{address} + {size} > cx.size:"):
            block.add(f"cx.check({address}, {size}, {align})" if align > 1 else f"cx.check({address}, {size})")

    @staticmethod
    def _slot_maker(slots: list[Slot], block: Block) -> NewSlot:
        def make(offset: int, letter: str) -> str:
            name = block.fresh()
            slots.append(Slot(offset, letter, name))
            return name

        return make

    def _load(self, type_: ir.Type, offset: int, address: str, slot: NewSlot) -> str:
        type_ = self._resolve.dealias(type_)
        if isinstance(type_, ir.Primitive):
            if type_ is _P.STRING:
                return f"cx.string({slot(offset, 'I')}, {slot(offset + 4, 'I')})"
            value = slot(offset, _LETTERS[type_])
            return f"rt.char({value})" if type_ is _P.CHAR else value
        kind = self._resolve.types[type_].kind
        match kind:
            case ir.List() | ir.Map():
                return self._lifted_list(type_, slot(offset, "I"), slot(offset + 4, "I"))
            case ir.Own() | ir.Borrow():
                return self._lifted_handle(kind, slot(offset, "I"))
            case ir.Enum(labels):
                value = slot(offset, _UNSIGNED[abi.discriminant_size(len(labels))])
                return self._lifted_enum(type_, value)
            case ir.Flags(flags):
                size = abi.flags_size(len(flags))
                words = [slot(offset + at, _UNSIGNED[min(size, 4)]) for at in range(0, size, 4)]
                return self._lifted_flags(type_, words)
            case ir.Record() | ir.Tuple() | ir.FixedLengthList():
                types = self._parts(kind)
                offsets, _, _ = self.abi.field_offsets(types)
                values = [self._load(t, offset + o, address, slot) for t, o in zip(types, offsets, strict=True)]
                return self._made_of(type_, values)
            case ir.Option(payload):
                tag = slot(offset, "B")
                at = offset + self.abi.variant_layout((None, payload)).payload_offset
                value = self._some(payload, self._load(payload, at, address, slot))
                return f"({value} if {tag} == 1 else None if {tag} == 0 else rt.bad_case({tag}))"
            case ir.Variant() | ir.Result():
                at_ = f"{address} + {offset}" if offset else address
                return f"{self._load_function(type_)}(cx, {at_})"
            case _:
                raise AssertionError(kind)

    def _load_function(self, type_: ir.TypeId) -> str:
        """The function that reads a variant or result at an address."""

        def write(block: Block) -> None:
            cases = self._cases(type_)
            layout = self.abi.variant_layout(tuple(payload for _, payload, _ in cases))
            letter = _UNSIGNED[layout.discriminant_size]
            if letter == "B":
                block.add("tag = cx.view[p]")
            else:
                block.add(f"(tag,) = {self.struct([Slot(0, letter, 'tag')])}.unpack_from(cx.view, p)")
            for number, (_, payload, wrap) in enumerate(cases):
                with block.indented(f"if tag == {number}:"):
                    if payload is None:
                        block.add(f"return {wrap('')}")
                    else:
                        block.add(f"return {wrap(self.load(payload, block, 'p', layout.payload_offset))}")
            block.add("raise rt.bad_case(tag)")

        return self._helper("load", type_, f"cx: rt.Context, p: int) -> {self._annotations.of(type_)}", write)

    def _lifted_list(self, type_: ir.TypeId, pointer: str, length: str) -> str:
        kind = self._resolve.types[type_].kind
        if isinstance(kind, ir.Map):
            return f"dict({self._load_list_function(type_)}(cx, {pointer}, {length}))"
        assert isinstance(kind, ir.List)
        if self._resolve.dealias(kind.element) is _P.U8:
            return f"cx.bytes({pointer}, {length})"
        return f"{self._load_list_function(type_)}(cx, {pointer}, {length})"

    def _load_list_function(self, type_: ir.TypeId) -> str:
        element_types, element = self._element(type_)

        def write(block: Block) -> None:
            _, size, align = self.abi.field_offsets(element_types)
            plain = self._plain_letter(element_types)
            block.add(f"size = n * {size}")
            self.check(block, "p", "size", align)
            if plain:
                block.add(f'return cx.view[p : p + size].cast("{plain}").tolist()')
                return
            slots: list[Slot] = []
            inner = Block()
            make = self._slot_maker(slots, inner)
            expression = self._load_element(element_types, make)
            if "q" not in _identifiers(expression) and slots:
                targets = ", ".join(slot.code for slot in slots) + ("," if len(slots) == 1 else "")
                layout = self.struct(slots, size)
                block.add(f"return [{expression} for {targets} in {layout}.iter_unpack(cx.view[p : p + size])]")
                return
            block.add(f"found: list[{element}] = []")
            with block.indented(f"for q in range(p, p + size, {size}):"):
                self.unpack(block, slots, "q")
                block.add(f"found.append({expression})")
            block.add("return found")

        return self._helper("load", type_, f"cx: rt.Context, p: int, n: int) -> list[{element}]", write)

    def _load_element(self, types: list[ir.Type], make: NewSlot) -> str:
        if len(types) == 1:
            return self._load(types[0], 0, "q", make)
        offsets, _, _ = self.abi.field_offsets(types)
        values = [self._load(t, o, "q", make) for t, o in zip(types, offsets, strict=True)]
        return f"({', '.join(values)})"

    def _element(self, type_: ir.TypeId) -> tuple[list[ir.Type], str]:
        """The types of which an element of a list or map consists, and its annotation."""
        kind = self._resolve.types[type_].kind
        if isinstance(kind, ir.Map):
            key, value = self._annotations.of(kind.key), self._annotations.of(kind.value)
            return [kind.key, kind.value], f"tuple[{key}, {value}]"
        assert isinstance(kind, ir.List)
        return [kind.element], self._annotations.of(kind.element)

    def _plain_letter(self, types: list[ir.Type]) -> str:
        type_ = self._resolve.dealias(types[0])
        plain = len(types) == 1 and isinstance(type_, ir.Primitive) and type_ in _PLAIN
        return _LETTERS[type_] if plain and isinstance(type_, ir.Primitive) else ""

    # Writing memory

    def store(self, type_: ir.Type, value: str, block: Block, address: str = "p") -> None:
        """Statements that write `value` at `address`, whose region has been checked."""
        self._store_all([(type_, value, 0)], [], address, block)

    def store_case(self, number: int, payload: ir.Type | None, offset: int, value: str, block: Block) -> None:
        """Statements that write a case of a variant with at most 256 cases at ``p``; its payload lies at `offset`."""
        parts = [] if payload is None else [(payload, value, offset)]
        self._store_all(parts, [Slot(0, "B", str(number))], "p", block)

    def store_parameters(self, types: Sequence[ir.Type], values: Sequence[str], block: Block) -> None:
        """Statements that write parameters as a tuple into new memory, ``p``."""
        offsets, size, align = self.abi.field_offsets(types)
        block.add(f"p = cx.allocate({size}, {align})")
        self._store_all(list(zip(types, values, offsets, strict=True)), [], "p", block)

    def _store_all(
        self, parts: Sequence[tuple[ir.Type, str, int]], slots: list[Slot], address: str, block: Block
    ) -> None:
        later: list[str] = []
        for type_, value, offset in parts:
            self._store(type_, value, offset, address, block, slots, later)
        self.pack(block, slots, address)
        block.add(*later)

    def pack(self, block: Block, slots: list[Slot], address: str) -> None:
        """Writes `slots` at `address`."""
        if slots:
            values = ", ".join(slot.code for slot in slots)
            block.add(f"{self.struct(slots)}.pack_into(cx.view, {address}, {values})")

    def _store(
        self,
        type_: ir.Type,
        value: str,
        offset: int,
        address: str,
        block: Block,
        slots: list[Slot],
        later: list[str],
    ) -> None:
        type_ = self._resolve.dealias(type_)
        if isinstance(type_, ir.Primitive):
            if type_ is _P.STRING:
                self._put_pair(f"cx.put_string({value})", offset, 4, block, slots)
            else:
                slots.append(Slot(offset, _LETTERS[type_], f"rt.code_point({value})" if type_ is _P.CHAR else value))
            return
        kind = self._resolve.types[type_].kind
        match kind:
            case ir.List() | ir.Map():
                self._put_pair(self._lowered_list(type_, value), offset, 4, block, slots)
            case ir.Own() | ir.Borrow():
                slots.append(Slot(offset, "I", self._lowered_handle(kind, value)))
            case ir.Enum(labels):
                letter = _UNSIGNED[abi.discriminant_size(len(labels))]
                slots.append(Slot(offset, letter, f"{value}._value_"))
            case ir.Flags(flags):
                size = abi.flags_size(len(flags))
                for number, at in enumerate(range(0, size, 4)):
                    word = self._flags_word(value, number, size)
                    slots.append(Slot(offset + at, _UNSIGNED[min(size, 4)], word))
            case ir.Record() | ir.Tuple() | ir.FixedLengthList():
                types = self._parts(kind)
                offsets, _, _ = self.abi.field_offsets(types)
                values = self._taken_apart(kind, value, block)
                for part, at, inner in zip(types, offsets, values, strict=True):
                    self._store(part, inner, offset + at, address, block, slots, later)
            case ir.Option(payload) if not self._has_variants(payload):
                value = self._named(value, block)
                at = offset + self.abi.variant_layout((None, payload)).payload_offset
                inner_slots: list[Slot] = []
                present = block.child()
                inner = f"{value}.value" if self._nests(payload) else value
                self._store(payload, inner, at, address, present, inner_slots, [])
                tag = block.fresh()
                names = [block.fresh() for _ in inner_slots]
                with block.indented(f"if {value} is None:"):
                    block.add(f"{tag} = 0")
                    block.add(*(f"{n} = {_ZERO.get(s.letter, '0')}" for n, s in zip(names, inner_slots, strict=True)))
                with block.indented("else:"):
                    block.add(*present.lines, f"{tag} = 1")
                    block.add(*(f"{n} = {s.code}" for n, s in zip(names, inner_slots, strict=True)))
                slots.append(Slot(offset, "B", tag))
                slots += [Slot(s.offset, s.letter, n) for n, s in zip(names, inner_slots, strict=True)]
            case ir.Variant() | ir.Result() | ir.Option():
                at_ = f"{address} + {offset}" if offset else address
                later.append(f"{self._store_function(type_)}(cx, {at_}, {value})")
            case _:
                raise AssertionError(kind)

    def _store_function(self, type_: ir.TypeId) -> str:
        """The function that writes a variant, result or option at an address."""

        def write(block: Block) -> None:
            cases = self._cases(type_)
            layout = self.abi.variant_layout(tuple(payload for _, payload, _ in cases))
            letter = _UNSIGNED[layout.discriminant_size]
            for number, (test, payload, _) in enumerate(cases):
                with block.indented(f"{'elif' if number else 'if'} {test}:" if test else "else:"):
                    inner = (
                        [] if payload is None else [(payload, self._payload_of(type_, payload), layout.payload_offset)]
                    )
                    self._store_all(inner, [Slot(0, letter, str(number))], "p", block)
            if cases[-1][0]:
                with block.indented("else:"):
                    block.add(f"raise rt.bad_type(v, {self._annotations.of(type_)!r})")

        return self._helper("store", type_, f"cx: rt.Context, p: int, v: {self._annotations.of(type_)}) -> None", write)

    def _put_pair(self, call: str, offset: int, gap: int, block: Block, slots: list[Slot]) -> None:
        pointer, length = block.fresh(), block.fresh()
        block.add(f"{pointer}, {length} = {call}")
        slots += [Slot(offset, "I", pointer), Slot(offset + gap, "I", length)]

    def _lowered_list(self, type_: ir.TypeId, value: str) -> str:
        kind = self._resolve.types[type_].kind
        if isinstance(kind, ir.List) and self._resolve.dealias(kind.element) is _P.U8:
            return f"cx.put_bytes({value})"
        if isinstance(kind, ir.Map):
            value = f"{value}.items()"
        return f"{self._store_list_function(type_)}(cx, {value})"

    def _store_list_function(self, type_: ir.TypeId) -> str:
        types, element = self._element(type_)
        collection = "Collection" if isinstance(self._resolve.types[type_].kind, ir.Map) else "Sequence"

        def write(block: Block) -> None:
            offsets, size, align = self.abi.field_offsets(types)
            block.add("n = len(v)")
            with block.indented("if not n:"):
                block.add(f"return {align}, 0")
            block.add(f"p = cx.allocate(n * {size}, {align})")
            plain = self._plain_letter(types)
            if plain:
                block.add(f'struct.pack_into(f"<{{n}}{plain}", cx.view, p, *v)', "return p, n")
                return
            targets = ["w"] if len(types) == 1 else ["k", "w"]
            block.add("q = p")
            with block.indented(f"for {', '.join(targets)} in v:"):
                self._store_all(list(zip(types, targets, offsets, strict=True)), [], "q", block)
                block.add(f"q += {size}")
            block.add("return p, n")

        annotation = f"cx: rt.Context, v: {collection}[{element}]) -> tuple[int, int]"
        return self._helper("store", type_, annotation, write)

    # Flat values

    def lift(self, type_: ir.Type, values: list[tuple[str, str]]) -> str:
        """An expression for the value whose flat core values are next in `values`, each a (letter, expression).

        Letters are those of the core types, unsigned: ``I``, ``Q``, ``f``, ``d``. What is used is taken off the list.
        """
        type_ = self._resolve.dealias(type_)
        if isinstance(type_, ir.Primitive):
            if type_ is _P.STRING:
                return f"cx.string({values.pop(0)[1]}, {values.pop(0)[1]})"
            return _lifted_scalar(type_, values.pop(0)[1])
        kind = self._resolve.types[type_].kind
        match kind:
            case ir.List() | ir.Map():
                return self._lifted_list(type_, values.pop(0)[1], values.pop(0)[1])
            case ir.Own() | ir.Borrow():
                return self._lifted_handle(kind, values.pop(0)[1])
            case ir.Enum():
                return self._lifted_enum(type_, values.pop(0)[1])
            case ir.Flags(flags):
                words = [values.pop(0)[1] for _ in range(0, len(flags), 32)]
                return self._lifted_flags(type_, words)
            case ir.Record() | ir.Tuple() | ir.FixedLengthList():
                return self._made_of(type_, [self.lift(part, values) for part in self._parts(kind)])
            case ir.Option(payload):
                tag = values.pop(0)[1]
                value = self._some(payload, self.lift(payload, values))
                return f"({value} if {tag} == 1 else None if {tag} == 0 else rt.bad_case({tag}))"
            case ir.Variant() | ir.Result():
                count = len(self.abi.flat(type_))
                arguments = ", ".join(values.pop(0)[1] for _ in range(count))
                return f"{self._lift_function(type_)}(cx, {arguments})"
            case _:
                raise AssertionError(kind)

    def _lift_function(self, type_: ir.TypeId) -> str:
        flat = self.abi.flat(type_)
        names = [f"a{i}" for i in range(len(flat))]
        annotated = [
            f"{n}: {'int' if c in (abi.Core.I32, abi.Core.I64) else 'float'}" for n, c in zip(names, flat, strict=True)
        ]

        def write(block: Block) -> None:
            for number, (_, payload, wrap) in enumerate(self._cases(type_)):
                with block.indented(f"if a0 == {number}:"):
                    if payload is None:
                        block.add(f"return {wrap('')}")
                        continue
                    values = [
                        (_CORE_LETTERS[own], _case_value(joined, own, name))
                        for own, joined, name in zip(self.abi.flat(payload), flat[1:], names[1:], strict=False)
                    ]
                    block.add(f"return {wrap(self.lift(payload, values))}")
            block.add("raise rt.bad_case(a0)")

        signature = f"cx: rt.Context, {', '.join(annotated)}) -> {self._annotations.of(type_)}"
        return self._helper("lift", type_, signature, write)

    def lower(self, type_: ir.Type, value: str, block: Block) -> list[tuple[str, str]]:
        """The flat core values of `value`, each a (``struct`` letter, expression); adds what must come before."""
        type_ = self._resolve.dealias(type_)
        if isinstance(type_, ir.Primitive):
            if type_ is _P.STRING:
                return self._lower_pair(f"cx.put_string({value})", block)
            return [_lowered_scalar(type_, value)]
        kind = self._resolve.types[type_].kind
        match kind:
            case ir.List() | ir.Map():
                return self._lower_pair(self._lowered_list(type_, value), block)
            case ir.Own() | ir.Borrow():
                return [("I", self._lowered_handle(kind, value))]
            case ir.Enum():
                return [("I", f"{value}._value_")]
            case ir.Flags(flags):
                size = abi.flags_size(len(flags))
                return [("I", self._flags_word(value, number, size)) for number in range((len(flags) + 31) // 32)]
            case ir.Record() | ir.Tuple() | ir.FixedLengthList():
                values = self._taken_apart(kind, value, block)
                return [
                    item
                    for part, inner in zip(self._parts(kind), values, strict=True)
                    for item in self.lower(part, inner, block)
                ]
            case ir.Variant() | ir.Result() | ir.Option():
                names = [block.fresh() for _ in self.abi.flat(type_)]
                targets = f"({names[0]},)" if len(names) == 1 else ", ".join(names)
                block.add(f"{targets} = {self._lower_function(type_)}(cx, {value})")
                letters = [_CORE_LETTERS[core] for core in self.abi.flat(type_)]
                return list(zip(letters, names, strict=True))
            case _:
                raise AssertionError(kind)

    def _lower_pair(self, call: str, block: Block) -> list[tuple[str, str]]:
        pointer, length = block.fresh(), block.fresh()
        block.add(f"{pointer}, {length} = {call}")
        return [("I", pointer), ("I", length)]

    def _lower_function(self, type_: ir.TypeId) -> str:
        """The function that gives the flat values of a variant, option or result, payloads joined."""
        flat = self.abi.flat(type_)
        annotations = ["int" if core in (abi.Core.I32, abi.Core.I64) else "float" for core in flat]

        def write(block: Block) -> None:
            cases = self._cases(type_)
            for number, (test, payload, _) in enumerate(cases):
                with block.indented(f"if {test}:" if test else "else:"):
                    values = [str(number)]
                    if payload is not None:
                        own = self.lower(payload, self._payload_of(type_, payload), block)
                        values += [
                            core_value(letter, core, code) for (letter, code), core in zip(own, flat[1:], strict=False)
                        ]
                    values += [_ZERO.get(_CORE_LETTERS[core], "0") for core in flat[len(values) :]]
                    block.add(f"return {', '.join(values)}" + ("," if len(values) == 1 else ""))
            if cases[-1][0]:
                block.add(f"raise rt.bad_type(v, {self._annotations.of(type_)!r})")

        signature = f"cx: rt.Context, v: {self._annotations.of(type_)}) -> tuple[{', '.join(annotations)}]"
        return self._helper("lower", type_, signature, write)

    # Parts that all four share

    def _helper(self, verb: str, type_: ir.TypeId, signature: str, write: Callable[[Block], None]) -> str:
        found = self._made.get((verb, type_))
        if found is None:
            name = f"_{verb}_{self._describe(type_)}"
            number = 2
            while name in self._taken:
                name, number = f"_{verb}_{self._describe(type_)}_{number}", number + 1
            self._taken.add(name)
            found = self._made[verb, type_] = name
            block = Block()
            with block.indented(f"def {name}({signature}:"):
                write(block)
            self.helpers.append(block.lines)
        return found

    def _describe(self, type_: ir.Type) -> str:
        """A name for a type as part of the name of a function."""
        type_ = self._resolve.dealias(type_)
        if isinstance(type_, ir.Primitive):
            return type_.value.replace("-", "_")
        definition = self._resolve.types[type_]
        if self._names.has(type_):
            return member_name_of(self._names.type(type_))
        match definition.kind:
            case ir.List(element) | ir.FixedLengthList(element, _):
                return f"list_{self._describe(element)}"
            case ir.Option(payload):
                return f"option_{self._describe(payload)}"
            case ir.Result(ok, err):
                parts = [self._describe(t) if t is not None else "none" for t in (ok, err)]
                return f"result_{'_'.join(parts)}"
            case ir.Tuple(types):
                return "tuple_" + "_".join(self._describe(t) for t in types)
            case ir.Map(key, value):
                return f"map_{self._describe(key)}_{self._describe(value)}"
            case ir.Own(resource) | ir.Borrow(resource):
                return self._describe(resource)
            case _:
                return "value"

    def _parts(self, kind: ir.Record | ir.Tuple | ir.FixedLengthList) -> list[ir.Type]:
        match kind:
            case ir.Record(fields):
                return [f.type for f in fields]
            case ir.Tuple(types):
                return list(types)
            case ir.FixedLengthList(element, length):
                return [element] * length

    def _made_of(self, type_: ir.TypeId, values: list[str]) -> str:
        kind = self._resolve.types[type_].kind
        if isinstance(kind, ir.Record):
            return f"{self._names.type(type_)}({', '.join(values)})"
        if isinstance(kind, ir.Tuple):
            return f"({', '.join(values)}{',' if len(values) == 1 else ''})"
        return f"[{', '.join(values)}]"

    def _taken_apart(self, kind: ir.Record | ir.Tuple | ir.FixedLengthList, value: str, block: Block) -> list[str]:
        if isinstance(kind, ir.Record):
            value = self._named(value, block, dots=0)
            return [f"{value}.{member_name(f.name)}" for f in kind.fields]
        names = [block.fresh() for _ in self._parts(kind)]
        block.add(f"{', '.join(names)}{',' if len(names) == 1 else ''} = {value}")
        return names

    @staticmethod
    def _named(value: str, block: Block, dots: int = 0) -> str:
        """`value`, in a variable where it is more than a name."""
        if value.count(".") <= dots and value.replace(".", "_").isidentifier():
            return value
        name = block.fresh()
        block.add(f"{name} = {value}")
        return name

    def _cases(self, type_: ir.TypeId) -> list[tuple[str, ir.Type | None, Callable[[str], str]]]:
        """For each case: the test that ``v`` is it, its payload, and how a value is made of the payload.

        The test is empty for a last case that is all that remains.
        """
        kind = self._resolve.types[type_].kind
        match kind:
            case ir.Variant(cases):
                union = self._names.type(type_)
                return [self._variant_case(f"{union}_{self._annotations.case(c.name)}", c.type) for c in cases]
            case ir.Option(payload):
                none: tuple[str, ir.Type | None, Callable[[str], str]] = ("v is None", None, lambda _: "None")
                some = "isinstance(v, rt.Some)" if self._nests(payload) else ""
                return [none, (some, payload, lambda code: self._some(payload, code))]
            case ir.Result(ok, err):
                return [
                    ("isinstance(v, rt.Ok)", ok, lambda code: f"rt.Ok({code or 'None'})"),
                    ("isinstance(v, rt.Err)", err, lambda code: f"rt.Err({code or 'None'})"),
                ]
            case _:
                raise AssertionError(kind)

    @staticmethod
    def _variant_case(name: str, payload: ir.Type | None) -> tuple[str, ir.Type | None, Callable[[str], str]]:
        return (f"isinstance(v, {name})", payload, lambda code: f"{name}({code})")

    def _payload_of(self, type_: ir.TypeId, payload: ir.Type) -> str:
        kind = self._resolve.types[type_].kind
        return "v" if isinstance(kind, ir.Option) and not self._nests(payload) else "v.value"

    def _nests(self, payload: ir.Type) -> bool:
        """Whether an option of this payload needs `Some`, because None is a value of the payload too."""
        return isinstance(self._resolve.kind(payload), ir.Option)

    def _some(self, payload: ir.Type, code: str) -> str:
        return f"rt.Some({code})" if self._nests(payload) else code

    def _has_variants(self, type_: ir.Type) -> bool:
        """Whether storing the type needs a function of its own, so that it can't lie in a ``struct`` of fixed form."""
        kind = self._resolve.kind(type_)
        match kind:
            case ir.Variant() | ir.Result():
                return True
            case ir.Option(payload):
                return self._has_variants(payload)
            case ir.Record() | ir.Tuple() | ir.FixedLengthList():
                return any(self._has_variants(part) for part in self._parts(kind))
            case _:
                return False

    def _lifted_enum(self, type_: ir.TypeId, value: str) -> str:
        return f"{self.cases_constant(type_)}[{value}]"

    def cases_constant(self, type_: ir.TypeId) -> str:
        """The tuple of an enum's members, in order."""
        return f"_{constant_name(_kebab(self._names.type(type_)))}"

    def _lifted_flags(self, type_: ir.TypeId, words: list[str]) -> str:
        kind = self._resolve.types[type_].kind
        assert isinstance(kind, ir.Flags)
        count = len(kind.flags)
        value = " | ".join(word if not i else f"{word} << {32 * i}" for i, word in enumerate(words))
        full = (1 << count) - 1
        return f"{self._names.type(type_)}(({value}) & {full:#x})" if words else f"{self._names.type(type_)}(0)"

    @staticmethod
    def _flags_word(value: str, number: int, size: int) -> str:
        if size <= 4:
            return f"{value}._value_"
        return f"{value}._value_ >> {32 * number} & 0xFFFFFFFF"

    def _lifted_handle(self, kind: ir.Own | ir.Borrow, handle: str) -> str:
        code = self._annotations.resource(self._resource(kind))
        own = isinstance(kind, ir.Own)
        return code.lifted(f"cx.handles.{'take' if own else 'rep'}({handle}, cx.resources[{code.index}])", own)

    def _lowered_handle(self, kind: ir.Own | ir.Borrow, value: str) -> str:
        return self._annotations.resource(self._resource(kind)).lowered(value, isinstance(kind, ir.Own))

    def _resource(self, kind: ir.Own | ir.Borrow) -> ir.TypeId:
        resource = self._resolve.dealias(kind.resource)
        assert not isinstance(resource, ir.Primitive)
        return resource


def member_name_of(class_: str) -> str:
    """``ProgressUpdate`` as ``progress_update``."""
    return _kebab(class_).replace("-", "_")


def _kebab(class_: str) -> str:
    out: list[str] = []
    for i, char in enumerate(class_):
        if char.isupper() and i and not class_[i - 1].isupper() and class_[i - 1] != "_":
            out.append("-")
        out.append(char.lower())
    return "".join(out)


def _identifiers(code: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in code).split()


def _lifted_scalar(type_: ir.Primitive, value: str) -> str:
    """The Python value of a scalar whose flat core value, unsigned, is `value`."""
    match type_:
        case _P.BOOL:
            return f"{value} != 0"
        case _P.U8:
            return f"{value} & 0xFF"
        case _P.U16:
            return f"{value} & 0xFFFF"
        case _P.S8 | _P.S16 | _P.S32 | _P.S64:
            return f"rt.{type_.value}({value})"
        case _P.CHAR:
            return f"rt.char({value})"
        case _:
            return value


def _lowered_scalar(type_: ir.Primitive, value: str) -> tuple[str, str]:
    """The letter and expression by which ``struct`` writes a scalar into a core value, sign-extended."""
    match type_:
        case _P.S8:
            return "i", f"rt.check_s8({value})"
        case _P.S16:
            return "i", f"rt.check_s16({value})"
        case _P.CHAR:
            return "I", f"rt.code_point({value})"
        case _:
            return _LETTERS[type_], value


def core_value(letter: str, core: abi.Core, code: str) -> str:
    """A flat value, written by `letter`, as the core type into which the cases of a variant were joined.

    What has the letter of that core type already is left for whoever writes it to check.
    """
    if letter in "fd":
        if core in (abi.Core.F32, abi.Core.F64):
            return code
        return f"rt.f32_bits({code})" if letter == "f" else f"rt.f64_bits({code})"
    if letter in "iq":
        return f"rt.unsigned_{'32' if letter == 'i' else '64'}({code})"
    if letter not in _BITS or _CORE_LETTERS[core] == letter:
        return code
    return f"rt.in_range({code}, {_BITS[letter]})"


_BITS = {"B": 8, "H": 16, "I": 32, "Q": 64}


def _case_value(joined: abi.Core, own: abi.Core, code: str) -> str:
    """The reverse of `core_value`, giving an unsigned or float value of the case's own core type."""
    if joined is own:
        return code
    if own is abi.Core.F32:
        return f"rt.bits_f32({code})"
    if own is abi.Core.F64:
        return f"rt.bits_f64({code})"
    return f"({code} & 0xFFFFFFFF)"

"""Values in linear memory as Python code: the statements that read and write them.

What lies at fixed offsets in a type is read or written by one ``struct`` call, whatever the depth of records, tuples
and options in which it lies; what does not (variants with several payloads, elements of lists) gets a function of its
own.
After `CanonicalABI.md`, sections "Loading" and "Storing".

Code written here assumes names: ``cx`` the `Context`, ``p`` the address, ``rt`` the runtime.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from witgen import abi, ir
from witgen.emit.python.code import Block, Slot
from witgen.emit.python.parts import ZERO, Parts

__all__ = ["LETTERS", "MemoryCode"]

_P = ir.Primitive

#: ``struct`` letters of the primitives in memory.
LETTERS: dict[ir.Primitive, str] = {
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
_PLAIN = frozenset(LETTERS) - {_P.CHAR, _P.BOOL}
_UNSIGNED = {1: "B", 2: "H", 4: "I"}

NewSlot = Callable[[int, str], str]


class MemoryCode(Parts):
    """Writes code that loads and stores values."""

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
            value = slot(offset, LETTERS[type_])
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
                word = slot(offset, _UNSIGNED[abi.flags_size(len(flags))]) if flags else "0"
                return self._lifted_flags(type_, word)
            case ir.FixedLengthList() if self._is_long(type_):
                return f"{self._load_fixed_function(type_, kind)}(cx, {_at(address, offset)})"
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
                return f"{self._load_function(type_)}(cx, {_at(address, offset)})"
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
        element_types, element = self._element(type_, self._annotations.of)

        def write(block: Block) -> None:
            _, size, align = self.abi.field_offsets(element_types)
            block.add(f"size = n * {size}")
            self.check(block, "p", "size", align)
            self._load_elements(element_types, element, block)

        return self._helper("load", type_, f"cx: rt.Context, p: int, n: int) -> list[{element}]", write)

    def _load_fixed_function(self, type_: ir.TypeId, kind: ir.FixedLengthList) -> str:
        """The function that reads a long list of fixed length at an address."""
        element = self._annotations.of(kind.element)

        def write(block: Block) -> None:
            block.add(f"size = {self.abi.size(type_)}")
            self._load_elements([kind.element], element, block)

        return self._helper("load", type_, f"cx: rt.Context, p: int) -> list[{element}]", write)

    def _load_elements(self, types: list[ir.Type], element: str, block: Block) -> None:
        """Reads elements that lie one after another from ``p`` on, in a region of ``size`` bytes that was checked."""
        _, size, _ = self.abi.field_offsets(types)
        plain = self._plain_letter(types)
        if plain:
            view = f'cx.view[p : p + size].cast("{plain}")'
            # `tolist` has the type of a list of integers for every format.
            block.add(f"return list({view})" if plain in "fd" else f"return {view}.tolist()")
            return
        slots: list[Slot] = []
        inner = Block()
        make = self._slot_maker(slots, inner)
        expression = self._load_element(types, make)
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

    def _load_element(self, types: list[ir.Type], make: NewSlot) -> str:
        if len(types) == 1:
            return self._load(types[0], 0, "q", make)
        offsets, _, _ = self.abi.field_offsets(types)
        values = [self._load(t, o, "q", make) for t, o in zip(types, offsets, strict=True)]
        return f"({', '.join(values)})"

    def _element(self, type_: ir.TypeId, annotate: Callable[[ir.Type], str]) -> tuple[list[ir.Type], str]:
        """The types of which an element of a list or map consists, and its annotation."""
        kind = self._resolve.types[type_].kind
        if isinstance(kind, ir.Map):
            return [kind.key, kind.value], f"tuple[{self._annotations.of(kind.key)}, {annotate(kind.value)}]"
        assert isinstance(kind, ir.List)
        return [kind.element], annotate(kind.element)

    def _plain_letter(self, types: list[ir.Type]) -> str:
        type_ = self._resolve.dealias(types[0])
        plain = len(types) == 1 and isinstance(type_, ir.Primitive) and type_ in _PLAIN
        return LETTERS[type_] if plain and isinstance(type_, ir.Primitive) else ""

    # Writing memory

    def store(self, type_: ir.Type, value: str, block: Block, address: str = "p") -> None:
        """Statements that write `value` at `address`, whose region has been checked."""
        self._store_all([(type_, value, 0)], [], address, block)

    def store_case(
        self, number: int, payload: ir.Type | None, offset: int, value: str, block: Block, address: str
    ) -> None:
        """Statements that write a case of a variant with at most 256 cases at `address`, its payload at `offset`."""
        parts = [] if payload is None else [(payload, value, offset)]
        self._store_all(parts, [Slot(0, "B", str(number))], address, block)

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
                slots.append(Slot(offset, LETTERS[type_], f"rt.code_point({value})" if type_ is _P.CHAR else value))
            return
        kind = self._resolve.types[type_].kind
        match kind:
            case ir.List() | ir.Map():
                self._put_pair(self._lowered_list(type_, value), offset, 4, block, slots)
            case ir.Own() | ir.Borrow():
                slots.append(Slot(offset, "I", self._lowered_handle(kind, value)))
            case ir.Enum(labels):
                letter = _UNSIGNED[abi.discriminant_size(len(labels))]
                slots.append(Slot(offset, letter, self._lowered_number(type_, value, block)))
            case ir.Flags(flags):
                if flags:
                    letter = _UNSIGNED[abi.flags_size(len(flags))]
                    slots.append(Slot(offset, letter, self._lowered_number(type_, value, block)))
            case ir.FixedLengthList() if self._is_long(type_):
                later.append(f"{self._store_fixed_function(type_, kind)}(cx, {_at(address, offset)}, {value})")
            case ir.Record() | ir.Tuple() | ir.FixedLengthList():
                types = self._parts(kind)
                offsets, _, _ = self.abi.field_offsets(types)
                values = self._taken_apart(kind, value, block)
                for part, at, inner in zip(types, offsets, values, strict=True):
                    self._store(part, inner, offset + at, address, block, slots, later)
            case ir.Option(payload) if not self._has_functions(payload):
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
                    block.add(*(f"{n} = {ZERO.get(s.letter, '0')}" for n, s in zip(names, inner_slots, strict=True)))
                with block.indented("else:"):
                    block.add(*present.lines, f"{tag} = 1")
                    block.add(*(f"{n} = {s.code}" for n, s in zip(names, inner_slots, strict=True)))
                slots.append(Slot(offset, "B", tag))
                slots += [Slot(s.offset, s.letter, n) for n, s in zip(names, inner_slots, strict=True)]
            case ir.Variant() | ir.Result() | ir.Option():
                later.append(f"{self._store_function(type_)}(cx, {_at(address, offset)}, {value})")
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

        return self._helper(
            "store", type_, f"cx: rt.Context, p: int, v: {self._annotations.stored(type_)(type_)}) -> None", write
        )

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
        types, element = self._element(type_, self._annotations.stored(type_))
        collection = "Collection" if isinstance(self._resolve.types[type_].kind, ir.Map) else "Sequence"

        def write(block: Block) -> None:
            _, size, align = self.abi.field_offsets(types)
            block.add("n = len(v)")
            block.add(f"p = cx.allocate(n * {size}, {align})")
            self._store_elements(types, "{n}", block)
            block.add("return p, n")

        annotation = f"cx: rt.Context, v: {collection}[{element}]) -> tuple[int, int]"
        return self._helper("store", type_, annotation, write)

    def _store_fixed_function(self, type_: ir.TypeId, kind: ir.FixedLengthList) -> str:
        """The function that writes a long list of fixed length at an address."""
        annotate = self._annotations.stored(type_)

        def write(block: Block) -> None:
            with block.indented(f"if len(v) != {kind.length}:"):
                block.add(f"raise rt.bad_length(v, {kind.length})")
            self._store_elements([kind.element], str(kind.length), block)

        annotation = f"cx: rt.Context, p: int, v: Sequence[{annotate(kind.element)}]) -> None"
        return self._helper("store", type_, annotation, write)

    def _store_elements(self, types: list[ir.Type], count: str, block: Block) -> None:
        """Writes the elements of ``v`` one after another from ``p`` on; `count` is their number in a format string."""
        offsets, size, _ = self.abi.field_offsets(types)
        plain = self._plain_letter(types)
        if plain:
            literal = "f" if "{" in count else ""
            block.add(f'struct.pack_into({literal}"<{count}{plain}", cx.view, p, *v)')
            return
        targets = ["w"] if len(types) == 1 else ["k", "w"]
        block.add("q = p")
        with block.indented(f"for {', '.join(targets)} in v:"):
            self._store_all(list(zip(types, targets, offsets, strict=True)), [], "q", block)
            block.add(f"q += {size}")


def _at(address: str, offset: int) -> str:
    return f"{address} + {offset}" if offset else address


def _identifiers(code: str) -> list[str]:
    return "".join(c if c.isalnum() or c == "_" else " " for c in code).split()

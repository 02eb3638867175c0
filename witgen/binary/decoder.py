"""A component binary to its definitions: `decode`.

After `Binary.md` of the component model, a method a production. Core modules are cut out and not read. Every index is
checked against what has been defined before it, every length against the bytes that are there; types are not compared
with each other. Malformed input of any kind raises `BinaryError`.
"""

from __future__ import annotations

from collections.abc import Callable

from witgen.binary import model as m
from witgen.binary import opcodes as op
from witgen.binary.decoder_types import Scope, TypeReader
from witgen.binary.errors import BinaryError

__all__ = ["check_preamble", "decode"]


def decode(data: bytes | bytearray | memoryview) -> m.Component:
    """The component in `data`, whole files only.

    Raises `BinaryError` for anything that is not a well-formed component binary.
    """
    reader = _ComponentReader(bytes(data))
    check_preamble(reader.data)
    return reader.component()


def check_preamble(data: bytes) -> None:
    """Raises `BinaryError`, saying what `data` is instead, unless it begins like a component."""
    if data.startswith(op.PREAMBLE):
        return
    if not data:
        raise BinaryError("the file is empty", 0)
    if op.PREAMBLE.startswith(data):
        raise BinaryError("unexpected end", len(data))
    if data.startswith(op.CORE_PREAMBLE):
        raise BinaryError("this is a core module, not a component", 4)
    if data.startswith(op.MAGIC) and data[6:8] == op.PREAMBLE[6:8]:
        raise BinaryError(f"component format version 0x{data[4]:x} is not supported, only 0x{op.PREAMBLE[4]:x} is", 4)
    if data.startswith(op.MAGIC):
        raise BinaryError("neither a component nor a core module", 4)
    raise BinaryError(f"this is {_kind_of_text(data)}, not a component binary", 0)


def _kind_of_text(data: bytes) -> str:
    """What a file that does not begin with ``\\0asm`` seems to be."""
    try:
        text = data[:4096].decode(errors="strict" if len(data) <= 4096 else "ignore")
    except UnicodeDecodeError:
        return "no WebAssembly"
    if "\0" in text:
        return "no WebAssembly"
    lines = [line.strip() for line in text.splitlines()]
    code = next((line for line in lines if line and not line.startswith(("//", "/*", "*", ";;"))), "")
    if code.startswith("("):
        return "WebAssembly text"
    if code.startswith(("package ", "interface ", "world ", "use ", "@")):
        return "WIT text"
    return "no WebAssembly"


class _ComponentReader(TypeReader):
    """Reads the sections of a component and of those nested in it."""

    __slots__ = ()

    def component(self) -> m.Component:
        """``component``, up to the present end."""
        start = self.pos
        self.pos += len(op.PREAMBLE)
        definitions: list[m.Definition] = []
        end = self.end
        while self.pos < end:
            self._section(definitions)
            self.end = end
        return m.Component(tuple(definitions), self.view[start:end], start)

    def _section(self, definitions: list[m.Definition]) -> None:
        at = self.pos
        number = self.byte()
        self.tally(1, at)
        self.end = self.length("section") + self.pos
        found = _SECTIONS.get(number)
        if found is None:
            raise self.fail(f"section {number} is unknown", at)
        count, read = found(self)
        counts = self.scope.counts
        for _ in range(count):
            definition = read(self)
            definitions.append(definition)
            space = definition.space
            if space is not None:
                counts[space] += 1
            elif isinstance(definition, m.Start):
                counts[m.Sort.VALUE] += definition.results
        if self.pos != self.end:
            raise self.fail(f"section {number} goes on after its content")

    def nested(self) -> m.Component:
        """A component inside this one."""
        if not self.data.startswith(op.PREAMBLE, self.pos, self.end):
            raise self.fail("this is not a component")
        outer: Scope = self.enter()
        found = self.component()
        self.scope = outer
        return found

    def custom(self) -> m.CustomSection:
        """``core:custom``"""
        at = self.pos
        return m.CustomSection(self.name(), self.rest(), at)

    def core_module(self) -> m.CoreModule:
        """``core:module``: cut out, not read."""
        at = self.pos
        if not self.data.startswith(op.CORE_PREAMBLE, at, self.end):
            raise self.fail("this is not a core module")
        return m.CoreModule(self.rest(), at)

    def core_instance(self) -> m.InstantiateModule | m.BundleCoreExports:
        """``core:instance``"""
        at = self.pos
        if self.flag("how a core instance is made"):
            return m.BundleCoreExports(self.vec("exports", self._core_inline_export), at)
        return m.InstantiateModule(self.index(m.Sort.CORE_MODULE), self.vec("arguments", self._core_arg), at)

    def _core_arg(self) -> m.CoreArg:
        name = self.name()
        self.expect(0x12, "the sort of a core argument")
        return m.CoreArg(name, self.index(m.Sort.CORE_INSTANCE))

    def _core_inline_export(self) -> m.CoreInlineExport:
        name = self.name()
        at = self.pos
        sort = op.CORE_SORTS.get(self.byte())
        if sort is None or sort not in op.CORE_EXPORT_SORTS:
            raise self.fail(f"0x{self.data[at]:02x} is no sort of a core export", at)
        return m.CoreInlineExport(name, sort, self.index(sort))

    def instance(self) -> m.InstantiateComponent | m.BundleExports:
        """``instance``"""
        at = self.pos
        if self.flag("how an instance is made"):
            return m.BundleExports(self.vec("exports", self._inline_export), at)
        return m.InstantiateComponent(self.index(m.Sort.COMPONENT), self.vec("arguments", self._arg), at)

    def _arg(self) -> m.Arg:
        name = self.name()
        sort = self.sort(op.EXTERN_SORTS, "an argument")
        return m.Arg(name, sort, self.index(sort))

    def _inline_export(self) -> m.InlineExport:
        name, attributes = self.extern_name()
        sort = self.sort(op.EXTERN_SORTS, "an export")
        return m.InlineExport(name, sort, self.index(sort), attributes)

    def export(self) -> m.Export:
        """``export``"""
        at = self.pos
        name, attributes = self.extern_name()
        sort = self.sort(op.EXTERN_SORTS, "an export")
        index = self.index(sort)
        desc_at = self.pos
        desc = self.extern_desc() if self.flag("whether an export has a type") else None
        if desc is not None and desc.sort is not sort:
            raise self.fail(f"an item of sort {sort.value} is exported as {desc.sort.value}", desc_at)
        return m.Export(name, sort, index, desc, attributes, at)

    def start(self) -> m.Start:
        """``start``"""
        at = self.pos
        found = m.Start(self.index(m.Sort.FUNC), self.vec("arguments", self._value_index), self.u32(), at)
        if found.results > 1:
            raise self.fail(f"a start function with {found.results} results", at)
        return found

    def _value_index(self) -> int:
        return self.index(m.Sort.VALUE)

    def value(self) -> m.ValueDef:
        """``value``"""
        at = self.pos
        type_ = self.valtype()
        size = self.length("value")
        start = self.pos
        self.pos = start + size
        return m.ValueDef(type_, self.view[start : self.pos], at)

    def canon(self) -> m.Canon:
        """``canon``"""
        at = self.pos
        code = self.byte()
        if code == op.LIFT:
            self.expect(0, "what is lifted")
            core_func = self.index(m.Sort.CORE_FUNC)
            options = self._options()
            return m.CanonLift(core_func, self.type_index(), options, at)
        if code == op.LOWER:
            self.expect(0, "what is lowered")
            return m.CanonLower(self.index(m.Sort.FUNC), self._options(), at)
        resource = _RESOURCE_BUILTINS.get(code)
        if resource is not None:
            return resource(self.type_index(), at)
        builtin = op.BUILTINS.get(code)
        if builtin is None:
            raise self.fail(f"canonical definition 0x{code:02x} is unknown", at)
        return self._builtin(*builtin, at)

    def _builtin(self, name: str, what_follows: str, at: int) -> m.CanonBuiltin:
        operands: list[int] = []
        result: m.ValType | None = None
        value_type: str | None = None
        options = m.NO_OPTIONS
        for letter in what_follows:
            sort = _OPERAND_SPACES.get(letter)
            if sort is not None:
                operands.append(self.index(sort))
            elif letter == "n":
                operands.append(self.u32())
            elif letter == "f":
                operands.append(self.flag(f"how {name} works"))
            elif letter == "v":
                value_type = self.core_valtype()
            elif letter == "r":
                result = self.result_list()
            else:
                options = self._options()
        return m.CanonBuiltin(name, tuple(operands), result, value_type, options, at)

    def _options(self) -> m.CanonOptions:
        """``opts``"""
        count = self.count("canonical options")
        if not count:
            return m.NO_OPTIONS
        found: dict[str, object] = {}
        for _ in range(count):
            at = self.pos
            field, value = self._option()
            if field in found:
                raise self.fail(f"canonical option {field.replace('_', '-')} twice", at)
            found[field] = value
        return m.CanonOptions(**found)  # type: ignore[arg-type]

    def _option(self) -> tuple[str, object]:
        code = self.byte()
        indexed = op.INDEX_OPTIONS.get(code)
        if indexed is not None:
            field, sort = indexed
            return field, self.index(sort)
        if code in op.STRING_ENCODINGS:
            return "string_encoding", op.STRING_ENCODINGS[code]
        flag = op.FLAG_OPTIONS.get(code)
        if flag is None:
            raise self.fail(f"canonical option 0x{code:02x} is unknown", self.pos - 1)
        return flag, True


_RESOURCE_BUILTINS: dict[int, Callable[[int, int], m.Canon]] = {
    op.RESOURCE_NEW: m.ResourceNew,
    op.RESOURCE_DROP: m.ResourceDrop,
    op.RESOURCE_REP: m.ResourceRep,
}

#: The letters of `opcodes.BUILTINS` that stand for an index.
_OPERAND_SPACES: dict[str, m.Sort] = {
    "t": m.Sort.TYPE,
    "y": m.Sort.CORE_TYPE,
    "m": m.Sort.CORE_MEMORY,
    "x": m.Sort.CORE_TABLE,
}

_ReadOne = Callable[[_ComponentReader], m.Definition]


def _one(read: _ReadOne) -> Callable[[_ComponentReader], tuple[int, _ReadOne]]:
    """A section that holds one definition."""
    return lambda reader: (1, read)


def _many(what: str, read: _ReadOne) -> Callable[[_ComponentReader], tuple[int, _ReadOne]]:
    """A section that holds a vector of definitions."""
    return lambda reader: (reader.count(what), read)


_SECTIONS = {
    op.CUSTOM: _one(_ComponentReader.custom),
    op.CORE_MODULE: _one(_ComponentReader.core_module),
    op.CORE_INSTANCE: _many("core instances", _ComponentReader.core_instance),
    op.CORE_TYPE: _many("core types", TypeReader.core_type),
    op.COMPONENT: _one(_ComponentReader.nested),
    op.INSTANCE: _many("instances", _ComponentReader.instance),
    op.ALIAS: _many("aliases", TypeReader.alias),
    op.TYPE: _many("types", TypeReader.type_def),
    op.CANON: _many("canonical definitions", _ComponentReader.canon),
    op.START: _one(_ComponentReader.start),
    op.IMPORT: _many("imports", TypeReader.import_),
    op.EXPORT: _many("exports", _ComponentReader.export),
    op.VALUE: _many("values", _ComponentReader.value),
}

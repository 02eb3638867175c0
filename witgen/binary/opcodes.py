"""The numbers of the binary format, as tables that decoder and encoder share.

After `Binary.md` of the component model; where it is older than the tools, after what they write today.
"""

from __future__ import annotations

from witgen.binary.model import Sort, StringEncoding
from witgen.ir import Primitive

#: ``\0asm``, then version and layer of a component.
MAGIC = b"\0asm"
PREAMBLE = MAGIC + b"\x0d\0\x01\0"
#: The preamble of a core module.
CORE_PREAMBLE = MAGIC + b"\x01\0\0\0"

#: Section numbers.
(
    CUSTOM,
    CORE_MODULE,
    CORE_INSTANCE,
    CORE_TYPE,
    COMPONENT,
    INSTANCE,
    ALIAS,
    TYPE,
    CANON,
    START,
    IMPORT,
    EXPORT,
    VALUE,
) = range(13)

#: ``primvaltype``
PRIMITIVES: dict[int, Primitive] = {
    0x7F: Primitive.BOOL,
    0x7E: Primitive.S8,
    0x7D: Primitive.U8,
    0x7C: Primitive.S16,
    0x7B: Primitive.U16,
    0x7A: Primitive.S32,
    0x79: Primitive.U32,
    0x78: Primitive.S64,
    0x77: Primitive.U64,
    0x76: Primitive.F32,
    0x75: Primitive.F64,
    0x74: Primitive.CHAR,
    0x73: Primitive.STRING,
    0x64: Primitive.ERROR_CONTEXT,
}

#: ``sort`` without the core sorts, which are 0x00 and a code of `CORE_SORTS`.
SORTS: dict[int, Sort] = {
    0x01: Sort.FUNC,
    0x02: Sort.VALUE,
    0x03: Sort.TYPE,
    0x04: Sort.COMPONENT,
    0x05: Sort.INSTANCE,
}
CORE_SORT = 0x00
#: ``core:sort``
CORE_SORTS: dict[int, Sort] = {
    0x00: Sort.CORE_FUNC,
    0x01: Sort.CORE_TABLE,
    0x02: Sort.CORE_MEMORY,
    0x03: Sort.CORE_GLOBAL,
    0x04: Sort.CORE_TAG,
    0x10: Sort.CORE_TYPE,
    0x11: Sort.CORE_MODULE,
    0x12: Sort.CORE_INSTANCE,
}
#: Sorts that a core instance can export.
CORE_EXPORT_SORTS = frozenset({Sort.CORE_FUNC, Sort.CORE_TABLE, Sort.CORE_MEMORY, Sort.CORE_GLOBAL, Sort.CORE_TAG})
#: Sorts that a component can import and export.
EXTERN_SORTS = frozenset({Sort.CORE_MODULE, *SORTS.values()})
#: Sorts that can be taken from an outer component.
OUTER_SORTS = frozenset({Sort.CORE_MODULE, Sort.CORE_TYPE, Sort.TYPE, Sort.COMPONENT})

#: ``deftype``, and ``functype`` with its async form.
RESOURCE = 0x3F
FUNC = 0x40
FUNC_ASYNC = 0x43
COMPONENT_TYPE = 0x41
INSTANCE_TYPE = 0x42

#: ``defvaltype``
RECORD = 0x72
VARIANT = 0x71
LIST = 0x70
TUPLE = 0x6F
FLAGS = 0x6E
ENUM = 0x6D
OPTION = 0x6B
RESULT = 0x6A
OWN = 0x69
BORROW = 0x68
FIXED_LENGTH_LIST = 0x67
STREAM = 0x66
FUTURE = 0x65
MAP = 0x63

#: ``instancedecl`` and ``componentdecl``
DECL_CORE_TYPE, DECL_TYPE, DECL_ALIAS, DECL_IMPORT, DECL_EXPORT = range(5)

#: ``aliastarget``
ALIAS_EXPORT, ALIAS_CORE_EXPORT, ALIAS_OUTER = range(3)

#: ``typebound``
BOUND_EQ, BOUND_SUB_RESOURCE = range(2)

#: What an import or export name begins with: nothing special (two forms, the second is historical), or attributes.
NAME_PLAIN, NAME_PLAIN_OLD, NAME_WITH_ATTRIBUTES = range(3)
#: Codes of name attributes, to the fields of `NameAttributes`.
NAME_ATTRIBUTES: dict[int, str] = {0x00: "implements", 0x01: "version_suffix", 0x02: "external_id"}

#: Core value types, by name.
CORE_VALUE_TYPES: dict[int, str] = {
    0x7F: "i32",
    0x7E: "i64",
    0x7D: "f32",
    0x7C: "f64",
    0x7B: "v128",
    0x70: "funcref",
    0x6F: "externref",
}
CORE_FUNC_TYPE = 0x60
CORE_MODULE_TYPE = 0x50

#: ``canon``
LIFT = 0x00
LOWER = 0x01
RESOURCE_NEW = 0x02
RESOURCE_DROP = 0x03
RESOURCE_REP = 0x04

#: ``canonopt`` that carry a string encoding, to the encoding.
STRING_ENCODINGS: dict[int, StringEncoding] = {
    0x00: StringEncoding.UTF8,
    0x01: StringEncoding.UTF16,
    0x02: StringEncoding.LATIN1_UTF16,
}
#: ``canonopt`` that carry an index, to the field of `CanonOptions` and the index space.
INDEX_OPTIONS: dict[int, tuple[str, Sort]] = {
    0x03: ("memory", Sort.CORE_MEMORY),
    0x04: ("realloc", Sort.CORE_FUNC),
    0x05: ("post_return", Sort.CORE_FUNC),
    0x07: ("callback", Sort.CORE_FUNC),
    0x08: ("core_type", Sort.CORE_TYPE),
}
#: ``canonopt`` that carry nothing, to the field of `CanonOptions`.
FLAG_OPTIONS: dict[int, str] = {0x06: "is_async", 0x09: "is_gc"}

#: The other canonical built-ins: name in the text format, and what follows the code, a letter each: ``t`` type index,
#: ``y`` core type index, ``m`` core memory index, ``x`` core table index, ``n`` number, ``f`` flag, ``v`` core value
#: type, ``r`` result list, ``o`` options.
BUILTINS: dict[int, tuple[str, str]] = {
    0x05: ("task.cancel", ""),
    0x06: ("subtask.cancel", "f"),
    0x07: ("resource.drop async", "t"),
    0x08: ("backpressure.set", ""),
    0x09: ("task.return", "ro"),
    0x0A: ("context.get", "vn"),
    0x0B: ("context.set", "vn"),
    0x0C: ("thread.yield", "f"),
    0x0D: ("subtask.drop", ""),
    0x0E: ("stream.new", "t"),
    0x0F: ("stream.read", "to"),
    0x10: ("stream.write", "to"),
    0x11: ("stream.cancel-read", "tf"),
    0x12: ("stream.cancel-write", "tf"),
    0x13: ("stream.drop-readable", "t"),
    0x14: ("stream.drop-writable", "t"),
    0x15: ("future.new", "t"),
    0x16: ("future.read", "to"),
    0x17: ("future.write", "to"),
    0x18: ("future.cancel-read", "tf"),
    0x19: ("future.cancel-write", "tf"),
    0x1A: ("future.drop-readable", "t"),
    0x1B: ("future.drop-writable", "t"),
    0x1C: ("error-context.new", "o"),
    0x1D: ("error-context.debug-message", "o"),
    0x1E: ("error-context.drop", ""),
    0x1F: ("waitable-set.new", ""),
    0x20: ("waitable-set.wait", "fm"),
    0x21: ("waitable-set.poll", "fm"),
    0x22: ("waitable-set.drop", ""),
    0x23: ("waitable.join", ""),
    0x24: ("backpressure.inc", ""),
    0x25: ("backpressure.dec", ""),
    0x26: ("thread.index", ""),
    0x27: ("thread.new-indirect", "yx"),
    0x28: ("thread.resume-later", ""),
    0x29: ("thread.suspend", "f"),
    0x2A: ("thread.suspend-then-resume", "f"),
    0x2B: ("thread.yield-then-resume", "f"),
    0x2C: ("thread.suspend-then-promote", "f"),
    0x2D: ("thread.yield-then-promote", "f"),
    0x2E: ("stream.forward", "t"),
    0x2F: ("future.forward", "t"),
    0x40: ("thread.spawn-ref", "y"),
    0x41: ("thread.spawn-indirect", "yx"),
    0x42: ("thread.available-parallelism", ""),
}

"""What all code for values shares: layouts, functions made once a type, values put together and taken apart.

`Parts` knows what becomes of each type in Python (a record is a call of its class, a variant one of several classes);
it knows nothing of where a value lies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from witgen import abi, ir
from witgen.emit.names import Scope
from witgen.emit.python.annotations import Annotations
from witgen.emit.python.code import Block, Slot, struct_format
from witgen.emit.python.naming import member_name, snake_of_class

__all__ = ["ZERO", "Parts"]

#: What stands for a value that is not there, by its ``struct`` letter; 0 for the others.
ZERO = {"f": "0.0", "d": "0.0", "?": "False"}
#: The names of constants for layouts.
_STRUCT = re.compile(r"_S\d+")


class Parts:
    """The base of what writes code for the types of one world."""

    def __init__(self, annotations: Annotations) -> None:
        self._annotations = annotations
        self._names = annotations.names
        self._resolve = annotations.resolve
        self.abi = abi.Abi(self._resolve)
        self._structs: dict[str, str] = {}
        self._made: dict[tuple[str, ir.Type], str] = {}
        self._taken: set[str] = set()
        self._constants: dict[ir.TypeId, str] = {}
        self._scope = Scope()
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
            return snake_of_class(self._names.type(type_))
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
                names = self._names.cases(type_)
                return [self._variant_case(name, case.type) for name, case in zip(names, cases, strict=True)]
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

    def _is_long(self, type_: ir.Type) -> bool:
        """Whether a list of fixed length has so many parts that it always lies in memory: a loop goes through it."""
        return len(self.abi.flat(type_)) > abi.MAX_FLAT_PARAMS

    def _has_functions(self, type_: ir.Type) -> bool:
        """Whether storing the type needs a function of its own, so that it can't lie in a ``struct`` of fixed form."""
        kind = self._resolve.kind(type_)
        match kind:
            case ir.Variant() | ir.Result():
                return True
            case ir.FixedLengthList() if self._is_long(type_):
                return True
            case ir.Option(payload):
                return self._has_functions(payload)
            case ir.Record() | ir.Tuple() | ir.FixedLengthList():
                return any(self._has_functions(part) for part in self._parts(kind))
            case _:
                return False

    def _lifted_enum(self, type_: ir.TypeId, value: str) -> str:
        return f"{self.cases_constant(type_)}[{value}]"

    def cases_constant(self, type_: ir.TypeId) -> str:
        """The tuple of an enum's members, in order."""
        if type_ not in self._constants:
            name = f"_{snake_of_class(self._names.type(type_)).upper()}"
            self._constants[type_] = self._scope.take(f"{name}_" if _STRUCT.fullmatch(name) else name)
        return self._constants[type_]

    def _lifted_flags(self, type_: ir.TypeId, word: str) -> str:
        kind = self._resolve.types[type_].kind
        assert isinstance(kind, ir.Flags)
        full = (1 << len(kind.flags)) - 1
        return f"{self._names.type(type_)}(({word}) & {full:#x})" if kind.flags else f"{self._names.type(type_)}(0)"

    def _lowered_number(self, type_: ir.TypeId, value: str, block: Block) -> str:
        """The discriminant of an enum, or the bits of flags: of that very class, as another's may mean nothing here."""
        value = self._named(value, block)
        class_ = self._names.type(type_)
        return f"{value}._value_ if {value}.__class__ is {class_} else rt.wrong_class({value}, {class_!r})"

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

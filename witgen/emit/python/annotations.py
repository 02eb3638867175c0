"""Python types for WIT types, as generated code annotates and documents them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from witgen import ir
from witgen.emit.python.naming import ClassNames
from witgen.resolve.kinds import references

__all__ = ["Annotations", "GuestResourceCode", "HostResourceCode", "ResourceCode"]

_P = ir.Primitive

_PRIMITIVES: dict[ir.Primitive, str] = {
    _P.BOOL: "bool",
    **dict.fromkeys([_P.S8, _P.U8, _P.S16, _P.U16, _P.S32, _P.U32, _P.S64, _P.U64], "int"),
    _P.F32: "float",
    _P.F64: "float",
    _P.CHAR: "str",
    _P.STRING: "str",
}


@dataclass(frozen=True, slots=True)
class ResourceCode:
    """How handles of a resource become Python objects and back; `index` is its place in the module's table."""

    class_: str
    index: int
    host: ClassVar[bool]

    def lifted(self, rep: str, own: bool) -> str:
        """The object for what a handle of the guest named."""
        raise NotImplementedError

    def lowered(self, value: str, own: bool) -> str:
        """What the guest gets for an object."""
        raise NotImplementedError


class HostResourceCode(ResourceCode):
    """A resource that the host implements: the object itself stands behind the handle."""

    __slots__ = ()
    host = True

    def lifted(self, rep: str, own: bool) -> str:
        return rep

    def lowered(self, value: str, own: bool) -> str:
        return f"cx.handles.{'add' if own else 'lend'}(cx.resources[{self.index}], {value})"


class GuestResourceCode(ResourceCode):
    """A resource that the guest implements: an object of a generated class keeps the representation."""

    __slots__ = ()
    host = False

    def lifted(self, rep: str, own: bool) -> str:
        return f"{self.class_}.{'_owned' if own else '_borrowed'}(cx, {self.index}, {rep})"

    def lowered(self, value: str, own: bool) -> str:
        return f"{value}.{'_give' if own else '_lend'}(cx, {self.index})"


class Annotations:
    """Annotations for the types of one world, by the classes that the generated module defines."""

    def __init__(
        self,
        resolve: ir.Resolve,
        names: ClassNames,
        resources: dict[ir.TypeId, ResourceCode],
        passed: Iterable[ir.Type] = (),
    ) -> None:
        """Annotations, where callers pass in values of the types `passed`."""
        self.resolve = resolve
        self.names = names
        self._resources = resources
        self._passed = self._with_parts(passed)

    def resource(self, id_: ir.TypeId) -> ResourceCode:
        """How handles of a resource are carried across."""
        return self._resources[id_]

    def of(self, type_: ir.Type | None) -> str:
        """The type of a value that the module gives out, or that a data class holds."""
        return self._annotation(type_, given=False)

    def given(self, type_: ir.Type | None) -> str:
        """The type of a value that a caller passes in: any sequence for a list, any buffer for bytes."""
        return self._annotation(type_, given=True)

    def stored(self, type_: ir.Type) -> Callable[[ir.Type], str]:
        """How values of a type, and what is in them, are annotated where code of the module writes them: as `given` if
        callers pass in such values, as `of` if there are only those that data classes hold."""
        return self.given if self.resolve.dealias(type_) in self._passed else self.of

    def _with_parts(self, types: Iterable[ir.Type]) -> set[ir.Type]:
        """The types, aliases followed, and those of which they are made without a data class around them."""
        found: set[ir.Type] = set()
        pending = list(types)
        while pending:
            type_ = self.resolve.dealias(pending.pop())
            if type_ in found:
                continue
            found.add(type_)
            if not isinstance(type_, ir.Primitive):
                kind = self.resolve.types[type_].kind
                pending += [] if isinstance(kind, ir.Record | ir.Variant) else references(kind)
        return found

    def _annotation(self, type_: ir.Type | None, given: bool) -> str:
        if type_ is None:
            return "None"
        if isinstance(type_, ir.Primitive):
            return _PRIMITIVES[type_]
        definition = self.resolve.types[type_]
        if isinstance(definition.kind, ir.Alias):
            return self._annotation(definition.kind.target, given)
        match definition.kind:
            case ir.Record() | ir.Variant() | ir.Enum() | ir.Flags() | ir.Resource():
                return self.names.type(type_)
            case ir.Own(resource) | ir.Borrow(resource):
                return self.names.type(resource)
            case ir.List(element):
                if self.resolve.dealias(element) is _P.U8:
                    return "rt.Buffer" if given else "bytes"
                return f"{'Sequence' if given else 'list'}[{self._annotation(element, given)}]"
            case ir.FixedLengthList(element, _):
                return f"{'Sequence' if given else 'list'}[{self._annotation(element, given)}]"
            case ir.Map(key, value):
                return f"{'Mapping' if given else 'dict'}[{self.of(key)}, {self._annotation(value, given)}]"
            case ir.Tuple(types):
                return f"tuple[{', '.join(self._annotation(t, given) for t in types)}]"
            case ir.Option(payload):
                inner = self._annotation(payload, given)
                return (
                    f"rt.Some[{inner}] | None"
                    if isinstance(self.resolve.kind(payload), ir.Option)
                    else f"{inner} | None"
                )
            case ir.Result(ok, err):
                return f"rt.Ok[{self._annotation(ok, given)}] | rt.Err[{self._annotation(err, given)}]"
            case kind:
                raise AssertionError(kind)

"""Functions as Rust: the signatures that guest authors see, and the calls between them and core functions.

It knows conventions for parameters, names and the shape of bodies; lowering and lifting are the business of the types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from witgen import ir
from witgen.abi import Abi, Core
from witgen.emit.names import Scope, snake
from witgen.emit.rust import layout, naming
from witgen.emit.rust.needs import Needs
from witgen.emit.rust.types import Speller, Types

__all__ = ["Functions", "Wrapper"]

#: Names that bodies of imported functions use unless a parameter has them.
_LOCALS = ("import", "params", "args", "area", "temps", "flat")


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A core function that the component exports.

    `path` is that of the module, `export_name` that of the core function, `function` the generic function that does
    the work, `implementer` the associated type of the ``Guest`` trait whose trait it needs (empty for ``Guest``).
    """

    path: tuple[str, ...]
    export_name: str
    function: str
    implementer: str
    params: tuple[str, ...]
    result: str | None


class Functions:
    """Writes the functions of one module.

    `interface` is the name by which the component links it, None for the world.
    """

    def __init__(self, types: Types, needs: Needs, speller: Speller, interface: str | None) -> None:
        self._types = types
        self._resolve = types.resolve
        self._abi = Abi(types.resolve)
        self._needs = needs
        self._speller = speller
        self._depth = speller.place.depth
        self._interface = interface
        self._names = Scope()
        self.wrappers: list[Wrapper] = []

    def imported(self, function: ir.Function, name: str) -> list[str]:
        """A function that calls the host; those of a resource stand in its ``impl``."""
        depth = self._depth + (function.resource is not None)
        params = self._params(function)
        names = [name for name, _ in params]
        scope = Scope(names)
        import_, tuple_, args, area, temps, flat = (scope.take(local) for local in _LOCALS)
        head = f"pub fn {name}"
        spelled = [n if n == "&self" else f"{n}: {self._speller.parameter(t)}" for n, t in params]
        lines = layout.signature(depth, head, spelled, self._result(function), " {")
        body = self._import(function, import_)
        core = self._abi.signature(function, lowered=True)
        if names:
            values = ["self" if n == "&self" else n for n in names]
            body += layout.tuple_expression(depth + 1, f"let {tuple_} = ", values, ";")
            body.append(f"let mut {temps} = _rt::Temps::new();")
        if core.indirect_params:
            size = self._abi.field_offsets(p.type for p in function.params)[1]
            body.append(f"let mut {args} = _rt::Area::<{size}>::new();")
        if core.indirect_result:
            assert function.result is not None
            body.append(f"let mut {area} = _rt::Area::<{self._abi.size(function.result)}>::new();")
        calls: list[str] = []
        if core.indirect_params:
            calls.append(f"{args}.store(&{tuple_}, &mut {temps});")
            flat = f"[{args}.address()" + (f", {area}.address()]" if core.indirect_result else "]")
        elif core.indirect_result and names:
            flat = f"_rt::flatten_to(&{tuple_}, &mut {area}, &mut {temps})"
        elif core.indirect_result:
            flat = f"[{area}.address()]"
        else:
            flat = f"_rt::flatten(&{tuple_}, &mut {temps})" if names else "[]"
        if core.indirect_result:
            calls += [f"{import_}({flat});", f"{area}.load()"]
        elif function.result is None:
            calls.append(f"{import_}({flat});")
        else:
            calls.append(f"_rt::lift({import_}({flat}))")
        body += layout.unsafe_block(self._depth + 1, calls)
        return [*layout.docs(function.docs), *lines, *layout.indent(body), "}"]

    def declared(self, function: ir.Function, name: str) -> list[str]:
        """A function of a trait that the guest implements."""
        spelled = [n if n == "&self" else f"{n}: {self._speller.owned(t)}" for n, t in self._params(function)]
        depth = self._depth + 1
        lines = layout.signature(depth, f"fn {name}", spelled, self._result(function), ";")
        return [*layout.docs(function.docs), *lines]

    def exported(self, function: ir.Function, name: str) -> list[str]:
        """The generic core function behind a function of a trait."""
        core = self._abi.signature(function, lowered=False)
        bare = self._names.take("_".join(snake(part) for part in _parts(function)))
        wrapper = f"_export_{bare}"
        names = self._speller.names(function.resource) if function.resource is not None else None
        trait = "Guest" if names is None else names.trait
        params = tuple(c.value for c in core.params)
        result = core.results[0].value if core.results else None
        self._record(function, wrapper, names.name if names else "", params, result)

        scope = Scope()
        values = [scope.take(naming.value_name(p.name)) for p in function.params]
        call = self._call(function, name, values)
        lines: list[str] = []
        if core.indirect_result and function.result is not None and self._types.facts(function.result).lists:
            static = f"RETURNED_{bare.upper()}"
            spelled = self._speller.owned(function.result)
            size = self._abi.size(function.result)
            lines += [
                "_rt::returned! {",
                f"    {static}, _release_{bare}:",
                f"    {size}, {spelled}",
                "}",
                "",
            ]
            self._record_post_return(function, f"_release_{bare}")
            call = f"{static}.keep({call})"
        elif core.indirect_result:
            call = f"_rt::return_area({call})"
        elif function.result is not None:
            call = f"_rt::single({call})"
        spelled_params = ", ".join(f"a{i}: {core_}" for i, core_ in enumerate(params))
        arrow = "" if result is None else f" -> {result}"
        body = [f"{wrapper}<T_: {trait}>({spelled_params}){arrow}"]
        if values:
            pattern = ", ".join(values) + ("," if len(values) == 1 else "")
            body[0] += ","
            body.append(f"({pattern}) = {'take' if core.indirect_params else 'unflatten'}")
        block = ["let _lending = _rt::Lending::begin();"] if self._needs.lends(function, self._speller.place) else []
        if function.result is None:
            block += [f"{call};", "0"]
        return [*lines, "_rt::export! {", *layout.indent(body), *layout.indent(self._arm(block, call, function)), "}"]

    def _arm(self, block: Sequence[str], call: str, function: ir.Function) -> list[str]:
        if not block:
            return [f"=> {call}"]
        tail = [] if function.result is None else [call]
        return ["=> {", *layout.indent([*block, *tail]), "}"]

    def _call(self, function: ir.Function, name: str, values: Sequence[str]) -> str:
        args = list(values)
        if function.kind is ir.FunctionKind.METHOD:
            assert function.resource is not None
            args[0] = f"{self._speller.names(function.resource).borrow}::get::<T_>(&{values[0]})"
        call = f"T_::{name}({', '.join(args)})"
        if function.kind is ir.FunctionKind.CONSTRUCTOR:
            assert function.resource is not None and function.result is not None
            resource = self._speller.names(function.resource).name
            if isinstance(self._resolve.kind(function.result), ir.Result):
                return f"{call}.map({resource}::new)"
            return f"{resource}::new({call})"
        return call

    def _params(self, function: ir.Function) -> list[tuple[str, ir.Type]]:
        names = naming.field_names(p.name for p in function.params)
        pairs = [(n, p.type) for n, p in zip(names, function.params, strict=True)]
        if function.kind is ir.FunctionKind.METHOD:
            pairs[0] = ("&self", pairs[0][1])
        return pairs

    def _result(self, function: ir.Function) -> str | None:
        if function.result is None:
            return None
        if function.kind is not ir.FunctionKind.CONSTRUCTOR:
            return self._speller.owned(function.result)
        kind = self._resolve.kind(function.result)
        if isinstance(kind, ir.Result):
            return self._speller.result("Self", self._speller.owned(kind.err))
        return "Self"

    def _import(self, function: ir.Function, name: str) -> list[str]:
        core = self._abi.signature(function, lowered=True)
        params = ", ".join(f"a{i}: {c.value}" for i, c in enumerate(core.params))
        arrow = f" -> {core.results[0].value}" if core.results else ""
        module = self._interface or "$root"
        return [
            "_rt::import! {",
            f'    {name} = "{module}" "{function.name}"',
            f"    [{len(core.params)}] ({params}){arrow}",
            "}",
        ]

    def _record(
        self, function: ir.Function, wrapper: str, implementer: str, params: tuple[str, ...], result: str | None
    ) -> None:
        path = self._speller.place.path
        self.wrappers.append(Wrapper(path, self._export_name(function), wrapper, implementer, params, result))

    def _record_post_return(self, function: ir.Function, release: str) -> None:
        name = f"cabi_post_{self._export_name(function)}"
        self.wrappers.append(Wrapper(self._speller.place.path, name, release, "-", (Core.I32.value,), None))

    def _export_name(self, function: ir.Function) -> str:
        return function.name if self._interface is None else f"{self._interface}#{function.name}"


def _parts(function: ir.Function) -> list[str]:
    kind, _, rest = function.name.rpartition("]")
    return [*([kind.lstrip("[")] if kind else []), *rest.split(".")]

"""What a component may use that this runtime does not have: found in its definitions, before any of its code runs.

Components inside are looked into as well, whether they are instantiated or not. Nothing here carries anything out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import wasmtime

from witgen.binary import model
from witgen.binary.matching import parts_of
from witgen.binary.model import Sort
from witgen.ir import Primitive

__all__ = ["unsupported"]

#: What the root component may import; a component inside is given what it imports by the one around it.
_FROM_HOST = frozenset({Sort.FUNC, Sort.INSTANCE, Sort.TYPE})


def unsupported(component: model.Component, modules: Iterable[wasmtime.Module]) -> str | None:
    """The first thing that a component uses and the runtime lacks, by name; None if there is no such thing.

    `modules` are its core modules, those of components inside included.
    """
    imports = (d for d in component.definitions if isinstance(d, model.Import) and d.desc.sort not in _FROM_HOST)
    for definition in imports:
        return f"the import of a {definition.desc.sort.value} ({definition.name})"
    return next(_in_definitions(component), None) or next(_in_modules(modules), None)


def _in_definitions(component: model.Component) -> Iterator[str]:
    for definition in component.definitions:
        if isinstance(definition, model.Component):
            yield from _in_definitions(definition)
        else:
            look = _LOOKS.get(type(definition))
            found = None if look is None else look(definition)
            if found is not None:
                yield found


def _in_modules(modules: Iterable[wasmtime.Module]) -> Iterator[str]:
    """A memory that canonical options might name is exported by the module that has it."""
    for module in modules:
        for export in module.exports:
            type_ = export.type
            if isinstance(type_, wasmtime.MemoryType) and (type_.is_64 or type_.is_shared):
                yield "64-bit or shared memories"


def _options(definition: model.CanonLift | model.CanonLower) -> str | None:
    options = definition.options
    if options.is_async or options.callback is not None:
        return "async functions"
    return "functions lifted or lowered with the gc option" if options.is_gc or options.core_type is not None else None


def _builtin(definition: model.CanonBuiltin) -> str:
    return f"the canonical built-in {definition.name}"


def _type(definition: model.TypeDef) -> str | None:
    type_ = definition.type
    if isinstance(type_, model.FuncType) and type_.is_async:
        return "async functions"
    if type_ is Primitive.ERROR_CONTEXT or Primitive.ERROR_CONTEXT in parts_of(type_):
        return "values of type error-context"
    return _TYPES.get(type(type_))


def _sort(definition: model.Import | model.Export) -> str | None:
    return "values as imports or exports" if definition.space is Sort.VALUE else None


_TYPES: Mapping[type, str] = {model.Stream: "values of type stream", model.Future: "values of type future"}

_LOOKS: Mapping[type, Callable[[Any], str | None]] = {
    model.CanonLift: _options,
    model.CanonLower: _options,
    model.CanonBuiltin: _builtin,
    model.TypeDef: _type,
    model.Import: _sort,
    model.Export: _sort,
    model.Start: lambda definition: "component start functions",
    model.ValueDef: lambda definition: "values as definitions",
}

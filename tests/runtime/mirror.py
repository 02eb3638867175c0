"""Guests, and chains of them, that give each call to the import of the same name, for any types without resources.

`mirror` makes one for an interface that a world imports and exports: whatever the host of the import returns comes out
of the export, and what goes into the export arrives there. The guest looks at no value; the adapter writes and reads
each of them twice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.runtime.support import LIBRARY, component
from witgen import ir
from witgen import runtime as rt
from witgen.abi import Abi, Core, Signature

__all__ = ["attacker", "chain", "mirror", "mirror_text"]


class _Text:
    """Types as the component text has them; named ones are defined by `definitions`."""

    def __init__(self, resolve: ir.Resolve, interface: ir.Interface) -> None:
        self._resolve = resolve
        self.definitions = [(name, self._content(resolve.types[id_].kind)) for name, id_ in interface.types.items()]

    def use(self, type_: ir.Type) -> str:
        """A use of a type."""
        if isinstance(type_, ir.Primitive):
            return type_.value
        row = self._resolve.types[type_]
        return self._content(row.kind) if row.name is None else f"${row.name}"

    def _content(self, kind: ir.Kind) -> str:
        return _CONTENTS[type(kind)](self, kind)

    def function(self, function: ir.Function) -> str:
        """The type of a function."""
        params = " ".join(f'(param "{param.name}" {self.use(param.type)})' for param in function.params)
        return params if function.result is None else f"{params} (result {self.use(function.result)})"


def _variant(text: _Text, kind: ir.Variant) -> str:
    cases = [f'(case "{c.name}"{"" if c.type is None else " " + text.use(c.type)})' for c in kind.cases]
    return f"(variant {' '.join(cases)})"


def _record(text: _Text, kind: ir.Record) -> str:
    fields = [f'(field "{field.name}" {text.use(field.type)})' for field in kind.fields]
    return f"(record {' '.join(fields)})"


def _names(labels: Sequence[ir.Label]) -> str:
    return " ".join(f'"{label.name}"' for label in labels)


def _result(text: _Text, kind: ir.Result) -> str:
    ok = "" if kind.ok is None else f" {text.use(kind.ok)}"
    return f"(result{ok}{'' if kind.err is None else f' (error {text.use(kind.err)})'})"


_CONTENTS: dict[type, Callable[[_Text, Any], str]] = {
    ir.Alias: lambda t, k: t.use(k.target),
    ir.Record: _record,
    ir.Variant: _variant,
    ir.Enum: lambda t, k: f"(enum {_names(k.cases)})",
    ir.Flags: lambda t, k: f"(flags {_names(k.flags)})",
    ir.Tuple: lambda t, k: f"(tuple {' '.join(map(t.use, k.types))})",
    ir.Option: lambda t, k: f"(option {t.use(k.type)})",
    ir.Result: _result,
    ir.List: lambda t, k: f"(list {t.use(k.element)})",
    ir.FixedLengthList: lambda t, k: f"(list {t.use(k.element)} {k.length})",
    ir.Map: lambda t, k: f"(map {t.use(k.key)} {t.use(k.value)})",
}


def mirror(resolve: ir.Resolve, interface: ir.InterfaceId) -> rt.Component:
    """The guest for an interface, imported and exported by its own name."""
    return component(mirror_text(resolve, interface))


def mirror_text(resolve: ir.Resolve, interface: ir.InterfaceId, encoding: str = "utf8") -> str:
    """What `mirror` makes, as text, with strings in an encoding."""
    row = resolve.interfaces[interface]
    return _component(_Text(resolve, row), resolve.link_name(interface), row, Abi(resolve), encoding)


def chain(resolve: ir.Resolve, interface: ir.InterfaceId, encodings: Sequence[str]) -> rt.Component:
    """Mirrors inside a component, each of which calls the one before it; the first calls the host.

    There is one for each string encoding, which it takes and gives strings in.
    """
    row, name = resolve.interfaces[interface], resolve.link_name(interface)
    inner, before = "", "$host"
    for number, encoding in enumerate(encodings):
        text = _component(_Text(resolve, row), name, row, Abi(resolve), encoding)
        inner += f"""
          (component $mirror-{number} {LIBRARY} {text})
          (instance $link-{number} (instantiate $mirror-{number} (with "{name}" (instance {before}))))
          (alias export $link-{number} "{name}" (instance $api-{number}))
        """
        before = f"$api-{number}"
    return component(f'{_import_of(_Text(resolve, row), name, row)} {inner} (export "{name}" (instance {before}))')


def attacker(resolve: ir.Resolve, interface: ir.InterfaceId, names: Sequence[str]) -> rt.Component:
    """A mirror inside a component, and beside it one that calls it with whatever bytes it is given.

    Export ``go-NAME`` puts its bytes at address 0 and calls function NAME, which takes its parameters from memory, with
    that address; the result goes to 32768.
    """
    row, link_name = resolve.interfaces[interface], resolve.link_name(interface)
    text, abi = _Text(resolve, row), Abi(resolve)
    functions = [row.functions[name] for name in names]
    options = "(memory $memory) (realloc $realloc)"

    def each(form: str) -> str:
        return " ".join(form.replace("NAME", function.name) for function in functions)

    parameter = '(param "data" (list u8))'

    def call(function: ir.Function) -> str:
        indirect = abi.signature(function, lowered=True).indirect_result
        text = f"(call ${function.name} (i32.const 0) {'(i32.const 32768)' if indirect else ''})"
        text = text if indirect else f"(drop {text})"
        copy = "(memory.copy (i32.const 0) (local.get 0) (local.get 1))"
        return f'(func (export "go-{function.name}") (param i32 i32) {copy} {text})'

    return component(f"""
      {_import_of(text, link_name, row)}
      (component $mirror {LIBRARY} {_component(text, link_name, row, abi)})
      (instance $one (instantiate $mirror (with "{link_name}" (instance $host))))
      (alias export $one "{link_name}" (instance $api))
      (component $attacker {LIBRARY}
        {_import_of(text, link_name, row)}
        {each(f'(core func $NAME (canon lower (func $host "NAME") {options}))')}
        (core module $main
          (import "libc" "memory" (memory 1))
          {" ".join(_import(f, abi) for f in functions)}
          {" ".join(map(call, functions))})
        (core instance $main (instantiate $main (with "libc" (instance $libc))
          (with "host" (instance {each('(export "NAME" (func $NAME))')}))))
        {each(f'(func (export "go-NAME") {parameter} (canon lift (core func $main "go-NAME") {options}))')})
      (instance $two (instantiate $attacker (with "{link_name}" (instance $api))))
      {each('(export "go-NAME" (func $two "go-NAME"))')}
    """)


def _import_of(text: _Text, link_name: str, row: ir.Interface) -> str:
    types = " ".join(
        f'(type ${name}_ {content}) (export "{name}" (type ${name} (eq ${name}_)))'
        for name, content in text.definitions
    )
    functions = " ".join(f'(export "{f.name}" (func {text.function(f)}))' for f in row.functions.values())
    return f'(import "{link_name}" (instance $host {types} {functions}))'


def _component(text: _Text, link_name: str, row: ir.Interface, abi: Abi, encoding: str = "utf8") -> str:
    functions = list(row.functions.values())
    options = f"(memory $memory) (realloc $realloc) string-encoding={encoding}"

    def each(form: str, items: Sequence[ir.Function]) -> str:
        parts = [form.replace("NAME", f.name).replace("TYPE", text.function(f)) for f in items]
        return " ".join(parts)

    def types(form: str) -> str:
        return " ".join(form.replace("NAME", name).replace("TYPE", content) for name, content in text.definitions)

    post = '(post-return (core func $main "NAME-post"))'
    lifted = f'(func $NAME TYPE (canon lift (core func $main "NAME") {options} {post}))'
    return f"""
      {_import_of(text, link_name, row)}
      {each(f'(core func $NAME (canon lower (func $host "NAME") {options}))', functions)}
      (core module $main
        (import "libc" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
        {" ".join(_import(f, abi) for f in functions)}
        {" ".join(_function(f, abi) for f in functions)})
      (core instance $main (instantiate $main
        (with "libc" (instance $libc))
        (with "host" (instance {each('(export "NAME" (func $NAME))', functions)}))))
      {types('(type $NAME_ TYPE) (export $NAME "NAME" (type $NAME_))')}
      {each(lifted, functions)}
      (instance $own {types('(export "NAME" (type $NAME))')} {each('(export "NAME" (func $NAME))', functions)})
      (export "{link_name}" (instance $own))
    """


def _import(function: ir.Function, abi: Abi) -> str:
    signature = abi.signature(function, lowered=True)
    return f'(import "host" "{function.name}" (func ${function.name} {_core(signature)}))'


def _function(function: ir.Function, abi: Abi) -> str:
    """The core function that passes a call on, and what is called when its result was read."""
    signature = abi.signature(function, lowered=False)
    arguments = " ".join(f"(local.get {i})" for i in range(len(signature.params)))
    body = f"(call ${function.name} {arguments})"
    if signature.indirect_result:
        assert function.result is not None
        area = len(signature.params)
        size = abi.size(function.result)
        body = (
            f"(local $area i32)"
            f" (local.set {area} (call $realloc (i32.const 0) (i32.const 0) (i32.const 8) (i32.const {size})))"
            f" (call ${function.name} {arguments} (local.get {area})) (local.get {area})"
        )
    results = _values("param", signature.results)
    post = f'(func (export "{function.name}-post") {results})'
    return f'(func (export "{function.name}") {_core(signature)} {body}) {post}'


def _core(signature: Signature) -> str:
    return f"{_values('param', signature.params)} {_values('result', signature.results)}"


def _values(what: str, types: tuple[Core, ...]) -> str:
    return f"({what} {' '.join(core.value for core in types)})" if types else ""

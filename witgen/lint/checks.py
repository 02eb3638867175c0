"""What finds where a rule is broken: a function for each, by its id.

Each goes through one package and gives places with what is wrong there. It knows nothing of configuration or comments
that allow something.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from witgen import semver
from witgen.diagnostics import Span
from witgen.lint.package import (
    Documented,
    Package,
    Scope,
    members,
    parts,
    scope_functions,
    scope_types,
    signature,
    stated_types,
    type_names,
)
from witgen.syntax import ast

__all__ = ["CHECKS", "Finding"]

#: The most flags that a type can have (`WIT.md`; the canonical ABI has a 32-bit number for them).
_MOST_FLAGS = 32


@dataclass(frozen=True, slots=True)
class Finding:
    """A place where a rule is broken."""

    span: Span
    message: str


Check = Callable[[Package], Iterator[Finding]]


def _declared(package: Package) -> Iterator[ast.Name]:
    """Every name that the package gives to something."""
    for scope in package.scopes:
        yield scope.name
        for type_ in scope_types(scope):
            yield type_.name
            yield from (member.name for member in members(type_))
        for name, function in scope_functions(scope):
            yield name
            yield from (parameter.name for parameter in function.parameters)


def _upper_case_word(package: Package) -> Iterator[Finding]:
    for name in _declared(package):
        for word in name.text.split("-"):
            if word != word.lower():
                yield Finding(name.span, f"`{name.text}` has a word in capitals: write `{name.text.lower()}`")
                break


def _repeated_name(package: Package) -> Iterator[Finding]:
    for scope in package.scopes:
        inside = [item for item in scope.items if isinstance(item, ast.NamedFunction | ast.TypeDefinition)]
        pairs = [(scope.name.text, item.name) for item in inside]
        for item in inside:
            if isinstance(item, ast.Resource):
                pairs += [(item.name.text, f.name) for f in item.functions or () if f.kind.value != "constructor"]
        for outer, name in pairs:
            if name.text.startswith(f"{outer}-"):
                shorter = name.text.removeprefix(f"{outer}-")
                yield Finding(name.span, f"`{name.text}` repeats the name of `{outer}`: `{shorter}` says it")


def _undocumented(item: Documented) -> Finding | None:
    if item.comments:
        return None
    what = _KINDS[type(item)]
    return Finding(item.name.span, f"{what} `{item.name.text}` has no documentation")


_KINDS: Mapping[type, str] = {
    ast.Interface: "interface",
    ast.World: "world",
    ast.TypeAlias_: "type",
    ast.Record: "record",
    ast.Variant: "variant",
    ast.Enum: "enum",
    ast.Flags: "flags",
    ast.Resource: "resource",
    ast.NamedFunction: "function",
    ast.ResourceFunction: "function",
}


def _missing_docs(package: Package) -> Iterator[Finding]:
    header = package.header
    if header is not None and not header.comments:
        yield Finding(header.name.span, "the package has no documentation")
    for scope in package.scopes:
        items: list[Documented] = [scope.owner] if isinstance(scope.owner, ast.Interface | ast.World) else []
        items += [item for item in scope.items if isinstance(item, ast.TypeDefinition | ast.NamedFunction)]
        for item in list(items):
            if isinstance(item, ast.Resource):
                # A constructor makes what its resource is documented to be.
                items += [function for function in item.functions or () if function.kind.value != "constructor"]
        yield from (found for item in items if (found := _undocumented(item)) is not None)


def _missing_member_docs(package: Package) -> Iterator[Finding]:
    for scope in package.scopes:
        for type_ in scope_types(scope):
            for member in members(type_):
                if not member.comments:
                    yield Finding(member.name.span, f"`{member.name.text}` of `{type_.name.text}` has no documentation")


def _names_in(scope: Scope) -> set[str]:
    """The names of types that a scope refers to."""
    found = {name for _, function in scope_functions(scope) for t in signature(function) for name in type_names(t)}
    for type_ in scope_types(scope):
        found.update(name for stated in stated_types(type_) for name in type_names(stated) if name != type_.name.text)
    return found


def _unused_type(package: Package) -> Iterator[Finding]:
    brought = {(use.path.name.text, name.name.text) for use in package.uses for name in use.names}
    for scope in package.scopes:
        if not any(True for _ in scope_functions(scope)):
            continue
        used = _names_in(scope)
        for type_ in scope_types(scope):
            name = type_.name.text
            has_functions = isinstance(type_, ast.Resource) and type_.functions
            if name not in used and (scope.name.text, name) not in brought and not has_functions:
                yield Finding(type_.name.span, f"nothing uses type `{name}`")


def _unused_use(package: Package) -> Iterator[Finding]:
    brought = {(use.path.name.text, name.name.text) for use in package.uses for name in use.names}
    for scope in package.scopes:
        used = _names_in(scope)
        for use in (item for item in scope.items if isinstance(item, ast.Use)):
            for item in use.names:
                name = item.alias or item.name
                if name.text not in used and (scope.name.text, name.text) not in brought:
                    yield Finding(name.span, f"`{name.text}` is brought in and not used")


def _unused_interface(package: Package) -> Iterator[Finding]:
    if not package.worlds:
        return
    for item in package.items:
        if isinstance(item, ast.Interface) and item.name.text not in package.named_interfaces:
            yield Finding(item.name.span, f"no world and no interface refers to interface `{item.name.text}`")


def _results(package: Package) -> Iterator[tuple[Scope, ast.Name, ast.Result]]:
    """The results of functions that can fail."""
    for scope in package.scopes:
        for name, function in scope_functions(scope):
            if isinstance(function.result, ast.Result):
                yield scope, name, function.result


def _missing_error(package: Package) -> Iterator[Finding]:
    for _, name, result in _results(package):
        if result.err is None:
            yield Finding(result.span, f"`{name.text}` doesn't say why it failed: give its result an error type")


def _error_without_kind(package: Package) -> Iterator[Finding]:
    for scope, name, result in _results(package):
        if result.err is not None and _lacks_kind(scope, result.err, set()):
            yield Finding(
                result.err.span, f"the error of `{name.text}` has no kind: use an enum, a variant, or a record with one"
            )


def _lacks_kind(scope: Scope, type_: ast.Type, seen: set[str]) -> bool:
    """Whether a type is surely nothing that tells kinds apart; what other interfaces define is believed."""
    if not isinstance(type_, ast.NamedType):
        return not isinstance(type_, ast.Own | ast.Borrow | ast.Result)
    definition = next((t for t in scope_types(scope) if t.name.text == type_.name.text), None)
    if type_.name.text in seen or definition is None:
        return False
    seen.add(type_.name.text)
    match definition:
        case ast.TypeAlias_(type=target):
            return _lacks_kind(scope, target, seen)
        case ast.Record(fields=fields):
            return all(_lacks_kind(scope, part, set(seen)) for field in fields for part in parts(field.type))
    return isinstance(definition, ast.Flags)


def _unversioned_package(package: Package) -> Iterator[Finding]:
    header = package.header
    if header is not None and header.name.version is None:
        yield Finding(header.name.span, "the package has no version")


def _gated(
    scope: Scope,
) -> list[ast.TypeDefinition | ast.NamedFunction | ast.Import | ast.Export | ast.ResourceFunction]:
    items = [
        item
        for item in scope.items
        if isinstance(item, ast.TypeDefinition | ast.NamedFunction | ast.Import | ast.Export)
    ]
    return [*items, *(f for item in items if isinstance(item, ast.Resource) for f in item.functions or ())]


def _missing_since(package: Package) -> Iterator[Finding]:
    for scope in package.scopes:
        items = _gated(scope)
        if any(_gate(item.gates, ast.Since) for item in items):
            for item in items:
                if not any(isinstance(gate, ast.Since | ast.Unstable) for gate in item.gates):
                    yield Finding(item.span, f"this has no gate, as others of `{scope.name.text}` have")


def _gate(gates: tuple[ast.Gate, ...], kind: type[ast.Since] | type[ast.Deprecated]) -> ast.Version | None:
    return next((gate.version for gate in gates if isinstance(gate, kind)), None)


def _early_deprecation(package: Package) -> Iterator[Finding]:
    for scope in package.scopes:
        for item in (scope.owner, *_gated(scope)):
            since, deprecated = _gate(item.gates, ast.Since), _gate(item.gates, ast.Deprecated)
            if since and deprecated and semver.order_key(deprecated.text) < semver.order_key(since.text):
                yield Finding(
                    deprecated.span, f"it was deprecated in {deprecated.text}, before it was new in {since.text}"
                )


def _full_flags(package: Package) -> Iterator[Finding]:
    for scope in package.scopes:
        for type_ in scope_types(scope):
            if isinstance(type_, ast.Flags) and len(type_.flags) >= _MOST_FLAGS:
                yield Finding(type_.name.span, f"`{type_.name.text}` is full: it can't get another flag")


def _public_tuple(package: Package) -> Iterator[Finding]:
    for scope in package.scopes:
        types = [t for _, function in scope_functions(scope) for t in signature(function)]
        types += [stated for type_ in scope_types(scope) for stated in stated_types(type_)]
        for type_ in types:
            pairs = {id(part.element) for part in parts(type_) if isinstance(part, ast.List) and _is_pair(part.element)}
            for part in parts(type_):
                if isinstance(part, ast.Tuple) and len(part.elements) > 1 and id(part) not in pairs:
                    yield Finding(part.span, "the parts of this tuple have no names: a record says which is which")


def _is_pair(type_: ast.Type) -> bool:
    return isinstance(type_, ast.Tuple) and len(type_.elements) == 2


#: What finds where each rule is broken.
CHECKS: Mapping[str, Check] = {
    "upper-case-word": _upper_case_word,
    "repeated-name": _repeated_name,
    "missing-docs": _missing_docs,
    "missing-member-docs": _missing_member_docs,
    "unused-type": _unused_type,
    "unused-use": _unused_use,
    "unused-interface": _unused_interface,
    "missing-error": _missing_error,
    "error-without-kind": _error_without_kind,
    "unversioned-package": _unversioned_package,
    "missing-since": _missing_since,
    "early-deprecation": _early_deprecation,
    "full-flags": _full_flags,
    "public-tuple": _public_tuple,
}

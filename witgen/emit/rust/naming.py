"""Rust identifiers for WIT names, as guest authors know them from wit-bindgen.

It knows Rust's reserved words and the names that generated traits take; it knows nothing of types.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from witgen import ir
from witgen.emit.names import Scope, shouty_snake, snake, upper_camel

__all__ = ["case_names", "constant_names", "field_names", "package_module", "type_name", "value_name"]

#: Words that no edition accepts as an identifier; they get an underscore behind.
_RESERVED = frozenset(
    [
        "abstract",
        "as",
        "async",
        "await",
        "become",
        "box",
        "break",
        "const",
        "continue",
        "crate",
        "do",
        "dyn",
        "else",
        "enum",
        "extern",
        "false",
        "final",
        "fn",
        "for",
        "if",
        "impl",
        "in",
        "let",
        "loop",
        "macro",
        "match",
        "mod",
        "move",
        "mut",
        "override",
        "priv",
        "pub",
        "ref",
        "return",
        "self",
        "static",
        "struct",
        "super",
        "trait",
        "true",
        "try",
        "type",
        "typeof",
        "unsafe",
        "unsized",
        "use",
        "virtual",
        "where",
        "while",
        "yield",
    ]
)
#: Words that only later editions than 2021 reserve; written raw they are the same identifier in each.
_RESERVED_LATER = frozenset({"gen"})
#: Names that modules of exported interfaces take for themselves.
_TRAITS = frozenset({"Guest", "Self"})


def value_name(name: str) -> str:
    """The name of a function, parameter, field or module."""
    found = snake(name)
    if found in _RESERVED:
        return found + "_"
    return f"r#{found}" if found in _RESERVED_LATER else found


def type_name(name: str) -> str:
    """The name of a type."""
    found = upper_camel(name)
    return found + "_" if found in _TRAITS else found


def field_names(fields: Iterable[str]) -> list[str]:
    """The names of the fields of a record or the parameters of a function."""
    scope = Scope()
    return [scope.take(value_name(name)) for name in fields]


def case_names(cases: Iterable[str]) -> list[str]:
    """The names of the cases of a variant or enum."""
    scope = Scope({"Self"})
    return [scope.take(upper_camel(name)) for name in cases]


def constant_names(flags: Iterable[str]) -> list[str]:
    """The names of the constants of a flags type."""
    scope = Scope()
    return [scope.take(shouty_snake(name)) for name in flags]


def package_module(package: ir.PackageName, versions: int) -> str:
    """The module of a package; where several versions of it are in sight, the version is part of the name."""
    if versions == 1 or package.version is None:
        return value_name(package.name)
    return snake(package.name) + re.sub(r"[^0-9A-Za-z]", "_", package.version)

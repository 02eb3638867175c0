"""The table of rules: `--list-rules`, the table in ``docs/breaking-changes.md``, the settings and the tests come from it.

It knows no contract. Why a rule has its level is said in the document.
"""

from __future__ import annotations

from witgen.breaking.rule import Built, Effect, Frame, Level, Rule

__all__ = ["BY_ID", "RULES", "as_markdown", "as_text"]

_NO, _YES, _SENDS, _GETS = Effect.NONE, Effect.BREAKS, Effect.SENDING, Effect.RECEIVING
_NOTICE, _ADDITION, _BREAKING, _MISTAKE = Level.NOTICE, Level.ADDITION, Level.BREAKING, Level.MISTAKE
_NEITHER, _IMPORTING, _EXPORTING, _ALL = Built.NONE, Built.IMPORTING, Built.EXPORTING, Built.ALL

_PACKAGES = (
    Rule(
        "package-removed",
        *(_MISTAKE, _NO, _YES, _IMPORTING),
        "a package is gone",
        "package shop:stock; interface store { }",
        "package shop:depot; interface store { }",
        Frame.PACKAGE,
    ),
    Rule(
        "package-added",
        *(_NOTICE, _NO, _NO, _NEITHER),
        "a package is new",
        "package shop:stock; interface store { }",
        "package shop:stock; interface store { } package shop:depot { interface shelf { } }",
        Frame.PACKAGE,
    ),
    Rule(
        "version-lowered",
        *(_MISTAKE, _NO, _NO, _NEITHER),
        "a package has a lower version than before",
        "package shop:stock@1.1.0;",
        "package shop:stock@1.0.0;",
        Frame.PACKAGE,
    ),
    Rule(
        "version-removed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a package has no version any more, so that its interfaces link under other names",
        "package shop:stock@1.0.0; interface store { }",
        "package shop:stock; interface store { }",
        Frame.PACKAGE,
    ),
    Rule(
        "version-added",
        *(_BREAKING, _YES, _YES, _ALL),
        "a package has a version now, so that its interfaces link under other names",
        "package shop:stock; interface store { }",
        "package shop:stock@1.0.0; interface store { }",
        Frame.PACKAGE,
    ),
    Rule(
        "interface-removed",
        *(_BREAKING, _NO, _YES, _IMPORTING),
        "an interface is gone",
        "interface store { } interface shelf { }",
        "interface store { }",
        Frame.ITEMS,
    ),
    Rule(
        "interface-added",
        *(_ADDITION, _NO, _NO, _NEITHER),
        "an interface is new",
        "interface store { }",
        "interface store { } interface shelf { }",
        Frame.ITEMS,
    ),
)

_WORLDS = (
    Rule(
        "world-removed",
        *(_BREAKING, _YES, _YES, _NEITHER),
        "a world is gone",
        "world shop { } world depot { }",
        "world shop { }",
        Frame.ITEMS,
    ),
    Rule(
        "world-added",
        *(_ADDITION, _NO, _NO, _NEITHER),
        "a world is new",
        "world shop { }",
        "world shop { } world depot { }",
        Frame.ITEMS,
    ),
    Rule(
        "import-removed",
        *(_BREAKING, _NO, _YES, _IMPORTING),
        "a world no longer imports something: hosts need not offer it to components that use it",
        "import store;",
        "",
        Frame.WORLD,
    ),
    Rule(
        "import-added",
        *(_ADDITION, _YES, _NO, _NEITHER),
        "a world imports something more: hosts have to offer it",
        "",
        "import store;",
        Frame.WORLD,
    ),
    Rule(
        "export-removed",
        *(_BREAKING, _NO, _YES, _NEITHER),
        "a world no longer exports something: hosts can't call it",
        "export store;",
        "",
        Frame.WORLD,
    ),
    Rule(
        "export-added",
        *(_BREAKING, _YES, _NO, _EXPORTING),
        "a world exports something more: components have to offer it, and those that are built don't",
        "",
        "export store;",
        Frame.WORLD,
    ),
    Rule(
        "import-version-raised",
        *(_ADDITION, _YES, _NO, _NEITHER),
        "a world imports a later version of another package's interface, with which the earlier one links",
        "import other:log/log@1.0.0;",
        "import other:log/log@1.1.0;",
        Frame.WORLD,
    ),
    Rule(
        "import-version-changed",
        *(_BREAKING, _YES, _YES, _IMPORTING),
        "a world imports another package's interface in an earlier version, or one that does not link with the old one",
        "import other:log/log@1.0.0;",
        "import other:log/log@2.0.0;",
        Frame.WORLD,
    ),
    Rule(
        "export-version-raised",
        *(_ADDITION, _NO, _NO, _NEITHER),
        "a world exports a later version of another package's interface, with which the earlier one links",
        "export other:log/log@1.0.0;",
        "export other:log/log@1.1.0;",
        Frame.WORLD,
    ),
    Rule(
        "export-version-changed",
        *(_BREAKING, _YES, _YES, _EXPORTING),
        "a world exports another package's interface in an earlier version, or one that does not link with the old one",
        "export other:log/log@1.0.0;",
        "export other:log/log@2.0.0;",
        Frame.WORLD,
    ),
    Rule(
        "label-interface-changed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a plain name of a world stands for another interface",
        "import sink: store;",
        "import sink: other:log/log@1.0.0;",
        Frame.WORLD,
    ),
    Rule(
        "item-kind-changed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a name of a world stands for something of another kind: a function, an interface or a type",
        "import sink: func();",
        "import sink: interface { }",
        Frame.WORLD,
    ),
)

_FUNCTIONS = (
    Rule(
        "function-removed",
        *(_BREAKING, _NO, _YES, _IMPORTING),
        "a function is gone",
        "get: func(); put: func();",
        "get: func();",
    ),
    Rule(
        "function-added",
        *(_ADDITION, _YES, _NO, _NEITHER),
        "a function is new in an interface that no world exported: who offers the interface has to have it",
        "get: func();",
        "get: func(); put: func();",
    ),
    Rule(
        "exported-function-added",
        *(_BREAKING, _YES, _NO, _EXPORTING),
        "a function is new in an interface that a world exported: components that are built don't have it",
        "get: func();",
        "get: func(); put: func();",
        Frame.EXPORTED,
    ),
    Rule(
        "function-kind-changed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a method has become a static function, or the other way round",
        "resource shelf { size: func() -> u32; }",
        "resource shelf { size: static func() -> u32; }",
    ),
    Rule(
        "function-async-changed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a function has become async, or is so no more",
        "get: func();",
        "get: async func();",
    ),
    Rule(
        "parameter-added",
        *(_BREAKING, _YES, _YES, _ALL),
        "a function has one parameter more",
        "get: func(key: u32);",
        "get: func(key: u32, shelf: u8);",
    ),
    Rule(
        "parameter-removed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a function has one parameter less",
        "get: func(key: u32, shelf: u8);",
        "get: func(key: u32);",
    ),
    Rule(
        "parameter-renamed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a parameter has another name, which is part of the function's type",
        "get: func(key: u32);",
        "get: func(id: u32);",
    ),
    Rule(
        "parameters-reordered",
        *(_BREAKING, _YES, _YES, _ALL),
        "the parameters stand in another order",
        "get: func(key: u32, shelf: u8);",
        "get: func(shelf: u8, key: u32);",
    ),
    Rule(
        "parameter-type-changed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a parameter has another type",
        "get: func(key: u32);",
        "get: func(key: u64);",
    ),
    Rule(
        "parameter-ownership-changed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a handle is owned where it was borrowed, or the other way round",
        "resource shelf; clear: func(what: borrow<shelf>);",
        "resource shelf; clear: func(what: shelf);",
    ),
    Rule(
        "result-added",
        *(_BREAKING, _YES, _NO, _ALL),
        "a function returns something, which it did not",
        "put: func();",
        "put: func() -> u32;",
    ),
    Rule(
        "result-removed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a function returns nothing any more",
        "put: func() -> u32;",
        "put: func();",
    ),
    Rule(
        "result-type-changed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a function returns another type",
        "get: func() -> u32;",
        "get: func() -> option<u32>;",
    ),
    Rule(
        "constructor-fallibility-changed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a constructor can fail, which it could not, or the other way round",
        "resource shelf { constructor(); }",
        "resource shelf { constructor() -> result<shelf, string>; }",
    ),
)

_TYPES = (
    Rule(
        "type-removed",
        *(_BREAKING, _YES, _YES, _IMPORTING),
        "a type is gone",
        "type key = u32; get: func();",
        "get: func();",
    ),
    Rule(
        "type-added",
        *(_ADDITION, _NO, _NO, _NEITHER),
        "a type is new in an interface that no world exported",
        "get: func();",
        "type key = u32; get: func();",
    ),
    Rule(
        "exported-type-added",
        *(_BREAKING, _NO, _NO, _EXPORTING),
        "a type is new in an interface that a world exported: components that are built don't export it",
        "get: func();",
        "type key = u32; get: func();",
        Frame.EXPORTED,
    ),
    Rule(
        "resource-added",
        *(_ADDITION, _YES, _NO, _NEITHER),
        "a resource is new in an interface that no world exported: who offers the interface has to have it",
        "get: func();",
        "resource shelf; get: func();",
    ),
    Rule(
        "exported-resource-added",
        *(_BREAKING, _YES, _NO, _EXPORTING),
        "a resource is new in an interface that a world exported: components that are built don't have it",
        "get: func();",
        "resource shelf; get: func();",
        Frame.EXPORTED,
    ),
    Rule(
        "type-kind-changed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a type is of another kind: a record, variant, enum, flags type, resource, or another name of a type",
        "record item { id: u32 }",
        "variant item { id(u32) }",
    ),
    Rule(
        "type-target-changed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a name stands for another type than before",
        "type key = u32; get: func() -> key;",
        "type key = u64; get: func() -> key;",
    ),
    Rule(
        "type-renamed",
        *(_BREAKING, _NO, _NO, _ALL),
        "a name stands for the same type under another name, which is part of digests",
        "record item { id: u32 } get: func() -> item;",
        "record thing { id: u32 } type item = thing; get: func() -> item;",
    ),
    Rule(
        "resource-moved",
        *(_BREAKING, _YES, _YES, _ALL),
        "a resource is that of another interface",
        "interface base { resource shelf; } interface store { resource shelf; }",
        "interface base { resource shelf; } interface store { use base.{shelf}; }",
        Frame.ITEMS,
    ),
    Rule(
        "used-type-changed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a type that is used from another package is another one there",
        "package a:b@1.0.0; interface i { use c:d/j.{t}; } package c:d { interface j { record t { x: u8 } } }",
        "package a:b@1.0.0; interface i { use c:d/j.{t}; } package c:d { interface j { record t { x: u16 } } }",
        Frame.PACKAGE,
    ),
    Rule(
        "used-version-changed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a type is used from a version of another package that does not link with the old one",
        "package a:b@1.0.0; interface i { use c:d/j@1.0.0.{t}; } package c:d@1.0.0 { interface j { type t = u8; } }",
        "package a:b@1.0.0; interface i { use c:d/j@2.0.0.{t}; } package c:d@2.0.0 { interface j { type t = u8; } }",
        Frame.PACKAGE,
    ),
    Rule(
        "field-added",
        *(_BREAKING, _SENDS, _SENDS, _ALL),
        "a record has one field more",
        "record item { id: u32 }",
        "record item { id: u32, name: string }",
    ),
    Rule(
        "field-removed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a record has one field less",
        "record item { id: u32, name: string }",
        "record item { id: u32 }",
    ),
    Rule(
        "field-renamed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a field has another name",
        "record item { id: u32 }",
        "record item { key: u32 }",
    ),
    Rule(
        "fields-reordered",
        *(_BREAKING, _NO, _NO, _ALL),
        "the fields of a record stand in another order, which is that in memory",
        "record item { id: u32, name: string }",
        "record item { name: string, id: u32 }",
    ),
    Rule(
        "field-type-changed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a field has another type",
        "record item { id: u32 }",
        "record item { id: u64 }",
    ),
    Rule(
        "case-added",
        *(_BREAKING, _GETS, _GETS, _ALL),
        "a variant or enum has one case more, for which who receives it is not prepared",
        "enum state { full, empty }",
        "enum state { full, empty, lost }",
    ),
    Rule(
        "case-removed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a variant or enum has one case less",
        "enum state { full, empty, lost }",
        "enum state { full, empty }",
    ),
    Rule(
        "case-renamed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a case has another name",
        "enum state { full, empty }",
        "enum state { full, vacant }",
    ),
    Rule(
        "cases-reordered",
        *(_BREAKING, _NO, _NO, _ALL),
        "the cases of a variant or enum stand in another order, which gives them their numbers",
        "enum state { full, empty }",
        "enum state { empty, full }",
    ),
    Rule(
        "case-type-changed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a case of a variant carries another type, something or nothing",
        "variant state { full, partly(u32) }",
        "variant state { full, partly(u64) }",
    ),
    Rule(
        "flag-added",
        *(_BREAKING, _NO, _NO, _ALL),
        "a flags type has one flag more",
        "flags marks { sold, new }",
        "flags marks { sold, new, old }",
    ),
    Rule(
        "flag-removed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a flags type has one flag less",
        "flags marks { sold, new, old }",
        "flags marks { sold, new }",
    ),
    Rule(
        "flag-renamed",
        *(_BREAKING, _YES, _YES, _ALL),
        "a flag has another name",
        "flags marks { sold, new }",
        "flags marks { sold, fresh }",
    ),
    Rule(
        "flags-reordered",
        *(_BREAKING, _NO, _NO, _ALL),
        "the flags stand in another order, which gives them their bits",
        "flags marks { sold, new }",
        "flags marks { new, sold }",
    ),
)

_GATES = (
    Rule(
        "made-unstable",
        *(_BREAKING, _NO, _YES, _IMPORTING),
        "an item is there only with a feature now",
        "get: func();",
        "@unstable(feature = late) get: func();",
    ),
    Rule(
        "feature-changed",
        *(_NOTICE, _NO, _NO, _NEITHER),
        "an item that features may leave out, and that is there, has become stable or belongs to another feature",
        "@unstable(feature = late) get: func();",
        "@unstable(feature = early) get: func();",
    ),
    Rule(
        "since-changed",
        *(_NOTICE, _NO, _NO, _NEITHER),
        "an item says that it is there since another version",
        "get: func();",
        "@since(version = 1.0.0) get: func();",
    ),
    Rule(
        "since-too-early",
        *(_MISTAKE, _NO, _NO, _NEITHER),
        "a new item says that it is there since a version in which it was not",
        "get: func();",
        "get: func(); @since(version = 1.0.0) put: func();",
    ),
    Rule(
        "deprecated",
        *(_ADDITION, _NO, _NO, _NEITHER),
        "an item is deprecated now",
        "@since(version = 1.0.0) get: func();",
        "@since(version = 1.0.0) @deprecated(version = 1.0.0) get: func();",
    ),
    Rule(
        "deprecation-changed",
        *(_NOTICE, _NO, _NO, _NEITHER),
        "an item is no longer deprecated, or says another version for it",
        "@since(version = 1.0.0) @deprecated(version = 1.0.0) get: func();",
        "@since(version = 1.0.0) get: func();",
    ),
)

#: All rules, in the order of tables.
RULES = (*_PACKAGES, *_WORLDS, *_FUNCTIONS, *_TYPES, *_GATES)
BY_ID = {rule.id: rule for rule in RULES}

_HEADS = ("rule", "level", "implementers", "callers", "built components", "what it says")


def _row(rule: Rule) -> tuple[str, ...]:
    return (rule.id, rule.level.word, rule.implementers.value, rule.callers.value, rule.built.words, rule.summary)


def as_text() -> str:
    """The table for a terminal."""
    rows = [_HEADS, *map(_row, RULES)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADS) - 1)]
    lines = ("  ".join([*(f"{c:<{w}}" for c, w in zip(row, widths, strict=False)), row[-1]]) for row in rows)
    return "\n".join(lines)


def as_markdown() -> str:
    """The table for the document."""
    rows = [tuple(head.capitalize() for head in _HEADS), ("---",) * len(_HEADS)]
    rows += [(f"`{name}`", *others) for name, *others in map(_row, RULES)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)

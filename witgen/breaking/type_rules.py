"""The rules of types and of gates."""

from __future__ import annotations

from witgen.breaking.rule import Built, Effect, Frame, Level, Rule

__all__ = ["GATES", "TYPES"]

_NO, _YES, _SENDS, _GETS = Effect.NONE, Effect.BREAKS, Effect.SENDING, Effect.RECEIVING
_NOTICE, _ADDITION, _BREAKING, _MISTAKE = Level.NOTICE, Level.ADDITION, Level.BREAKING, Level.MISTAKE
_NEITHER, _IMPORTING, _EXPORTING, _ALL = Built.NONE, Built.IMPORTING, Built.EXPORTING, Built.ALL

TYPES: tuple[Rule, ...] = (
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

GATES: tuple[Rule, ...] = (
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

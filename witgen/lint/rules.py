"""The rules: what each is called, what it is for, how it looks when it is broken and when it is kept.

What finds them is in `checks`. The table is what ``witgen lint --list-rules`` and ``docs/lint.md`` show.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CATEGORIES", "RULES", "Rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule. `wrong` breaks this rule and no other, `right` is the same without the mistake: whole WIT files.

    `by_default` says whether it counts where nothing is configured.
    """

    id: str
    category: str
    summary: str
    why: str
    wrong: str
    right: str
    by_default: bool = True


CATEGORIES = {
    "naming": "names that read badly in the languages that are generated",
    "docs": "what nobody explained",
    "unused": "what nobody refers to",
    "errors": "failures that callers can't tell apart",
    "versions": "packages and gates",
    "shapes": "types that break callers when they grow",
}


def _documented(text: str) -> str:
    return f"/// A package.\npackage a:b@0.1.0;\n\n{text}\n"


def _interface(items: str) -> str:
    return _documented(f"/// An interface.\ninterface things {{\n{items}\n}}\n")


def _using(parameters: str) -> str:
    types = "/// Types.\ninterface types {\n  /// A place.\n  type place = u32;\n}\n\n"
    body = f"  use types.{{place}};\n\n  /// How many.\n  count: func({parameters}) -> u32;"
    return _documented(f"{types}/// An interface.\ninterface things {{\n{body}\n}}\n")


def _gated(gate: str) -> str:
    return _interface(f"  /// Old.\n  @since(version = 0.1.0)\n  old: func();\n\n  /// New.\n{gate}  fresh: func();")


RULES = (
    Rule(
        "upper-case-word",
        "naming",
        "a name has a word in capitals",
        "Languages have their own ways with capitals, so that `get-URL` comes out as `get_URL`, `GetUrl` and `getURL`.",
        _interface("  /// An address.\n  get-URL: func() -> string;"),
        _interface("  /// An address.\n  get-url: func() -> string;"),
    ),
    Rule(
        "repeated-name",
        "naming",
        "a function or type repeats the name of what it stands in",
        "It is always said together with its interface or resource: `things.things-count`.",
        _interface("  /// How many.\n  things-count: func() -> u32;"),
        _interface("  /// How many.\n  count: func() -> u32;"),
    ),
    Rule(
        "missing-docs",
        "docs",
        "a package, interface, world, type or function has no documentation",
        "Comments become the documentation of generated code; it is all that many users will see.",
        _interface("  count: func() -> u32;"),
        _interface("  /// How many there are.\n  count: func() -> u32;"),
    ),
    Rule(
        "missing-member-docs",
        "docs",
        "a field, case or flag has no documentation",
        "As above; names often say enough, so this is for those who want all of it.",
        _interface("  /// A place.\n  record point { x: u32 }\n\n  /// Where.\n  get: func() -> point;"),
        _interface(
            "  /// A place.\n  record point {\n    /// To the right.\n    x: u32,\n  }\n\n"
            "  /// Where.\n  get: func() -> point;"
        ),
        by_default=False,
    ),
    Rule(
        "unused-type",
        "unused",
        "nothing of the package uses a type, in an interface that has functions",
        "It is left over, or a function that should take it takes something else.",
        _interface("  /// A place.\n  record point { x: u32 }\n\n  /// How many.\n  count: func() -> u32;"),
        _interface("  /// A place.\n  record point { x: u32 }\n\n  /// How many.\n  count: func() -> point;"),
    ),
    Rule(
        "unused-use",
        "unused",
        "a name is brought in by `use` and not used",
        "Whoever reads it looks for what it is for; everyone who imports the interface imports the other one too.",
        _using(""),
        _using("at: place"),
    ),
    Rule(
        "unused-interface",
        "unused",
        "no world and no interface of the package refers to an interface, in a package that has worlds",
        "Nobody can implement it together with the rest: it was forgotten in a world, or left over.",
        _documented("/// An interface.\ninterface things {\n}\n\n/// A world.\nworld app {\n}\n"),
        _documented("/// An interface.\ninterface things {\n}\n\n/// A world.\nworld app {\n  import things;\n}\n"),
    ),
    Rule(
        "missing-error",
        "errors",
        "the `result` of a function says nothing of why it failed",
        "Callers can only give up. An error type that is added later breaks all of them.",
        _interface("  /// Opens it.\n  open: func() -> result<u32>;"),
        _interface(
            "  /// Why not.\n  enum problem { missing }\n\n  /// Opens it.\n  open: func() -> result<u32, problem>;"
        ),
    ),
    Rule(
        "error-without-kind",
        "errors",
        "the error of a function is text or a number, with no kind of error in it",
        "Programs have to read words that were meant for people. An `enum`, a `variant`, or a record with one says it.",
        _interface("  /// Opens it.\n  open: func() -> result<u32, string>;"),
        _interface(
            "  /// Why not.\n  enum problem { missing }\n\n  /// Opens it.\n  open: func() -> result<u32, problem>;"
        ),
    ),
    Rule(
        "unversioned-package",
        "versions",
        "a package has no version",
        "Without one nothing can tell two states of a contract apart, and `@since` can't be used.",
        "/// A package.\npackage a:b;\n",
        "/// A package.\npackage a:b@0.1.0;\n",
    ),
    Rule(
        "missing-since",
        "versions",
        "an item has no gate in an interface or world whose other items have one",
        "Readers take it for older than all gates, and tools that hide what is newer than a version show it.",
        _gated(""),
        _gated("  @since(version = 0.1.0)\n"),
    ),
    Rule(
        "early-deprecation",
        "versions",
        "an item is deprecated in a version that comes before the one in which it was new",
        "One of the two versions is wrong.",
        _documented(
            "/// An interface.\n@since(version = 0.1.0)\n@deprecated(version = 0.0.9)\ninterface things {\n}\n"
        ),
        _documented(
            "/// An interface.\n@since(version = 0.1.0)\n@deprecated(version = 0.1.0)\ninterface things {\n}\n"
        ),
    ),
    Rule(
        "full-flags",
        "shapes",
        "a `flags` type has 32 flags",
        "It can never have another one.",
        _interface(
            f"  /// Switches.\n  flags switches {{ {', '.join(f'b{n}' for n in range(32))} }}\n\n"
            "  /// Those that are on.\n  on: func() -> switches;"
        ),
        _interface(
            f"  /// Switches.\n  flags switches {{ {', '.join(f'b{n}' for n in range(31))} }}\n\n"
            "  /// Those that are on.\n  on: func() -> switches;"
        ),
    ),
    Rule(
        "public-tuple",
        "shapes",
        "a function or type of the contract has a tuple of which the parts have no names",
        "Nobody sees which is which, and a record says it at no cost: it crosses the boundary in the same form. "
        "Pairs in a list, which stand for a map, are let through.",
        _interface("  /// Where.\n  position: func() -> tuple<u32, u32>;"),
        _interface("  /// A place.\n  record point { x: u32, y: u32 }\n\n  /// Where.\n  position: func() -> point;"),
    ),
)

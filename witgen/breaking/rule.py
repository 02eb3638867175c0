"""What a rule is: a kind of difference between two versions of a contract, and what it means for whom.

Roles are those of an item: whoever provides an interface, function or type (a host what a world imports, a component
what it exports) implements it, whoever uses it calls it. The rules themselves are in `rules`.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

__all__ = ["Built", "Effect", "Frame", "Level", "Rule"]


class Level(enum.IntEnum):
    """What the version number has to say of a difference."""

    #: Nothing: nobody has to do anything.
    NOTICE = 0
    #: That something is new: the minor version, or in 0.x the patch version.
    ADDITION = 1
    #: That old and new don't fit together: the major version, or in 0.x the minor version.
    BREAKING = 2
    #: No version allows it.
    MISTAKE = 3

    @property
    def word(self) -> str:
        """As it is printed."""
        return self.name.lower()


class Effect(enum.Enum):
    """Whether the source code of one side has to change; the value is what tables say."""

    NONE = "–"
    BREAKS = "breaks"
    #: It breaks for whoever makes values of the type for the other side.
    SENDING = "if they send it"
    #: It breaks for whoever gets values of the type from the other side.
    RECEIVING = "if they receive it"


class Built(enum.Flag):
    """Which components that are built already link no more with what keeps the new contract."""

    NONE = 0
    IMPORTING = enum.auto()
    EXPORTING = enum.auto()
    ALL = IMPORTING | EXPORTING

    @property
    def words(self) -> str:
        """What tables say."""
        return _BUILT[self]


_BUILT = {
    Built.NONE: "–",
    Built.IMPORTING: "that import it",
    Built.EXPORTING: "that export it",
    Built.ALL: "that import or export it",
}


class Frame(enum.Enum):
    """What stands around the example of a rule, in the place of ``{}``, so that it is a whole package."""

    PACKAGE = "{}"
    ITEMS = "package shop:stock@1.0.0;\n{}"
    INTERFACE = "package shop:stock@1.0.0;\ninterface store {{\n{}\n}}\nworld client {{ import store; }}"
    EXPORTED = "package shop:stock@1.0.0;\ninterface store {{\n{}\n}}\nworld server {{ export store; }}"
    WORLD = (
        "package shop:stock@1.0.0;\ninterface store {{ }}\nworld shop {{\n{}\n}}\n"
        "package other:log@1.0.0 {{ interface log {{ }} }}\npackage other:log@1.1.0 {{ interface log {{ }} }}\n"
        "package other:log@2.0.0 {{ interface log {{ }} }}"
    )

    def around(self, text: str) -> str:
        """The whole package."""
        return self.value.format(text) + "\n"


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of difference.

    `implementers` and `callers` say whose source code has to change, `built` which components link no more. `before`
    and `after` are an example, in its frame.
    """

    id: str
    level: Level
    implementers: Effect
    callers: Effect
    built: Built
    summary: str
    before: str
    after: str
    frame: Frame = Frame.INTERFACE

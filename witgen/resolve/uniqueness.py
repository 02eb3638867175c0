"""Names that a component can't hold side by side (Explainer.md, "strongly-unique")."""

from __future__ import annotations

from witgen.diagnostics import Note, Span, WitError

__all__ = ["NameScope", "unique_key"]


def unique_key(name: str) -> tuple[bool, str]:
    """What two names have in common if they can't stand in one scope.

    Case doesn't count, nor does whether a function is a method or static; only a constructor may share the name of its
    resource.
    """
    return name.startswith("[constructor]"), name.rsplit("]", 1)[-1].lower()


class NameScope:
    """The names of a scope: of an interface, or of the imports or exports of a world."""

    def __init__(self) -> None:
        self._names: dict[tuple[bool, str], tuple[str, Span]] = {}

    def define(self, name: str, span: Span) -> None:
        """Take a name. Raises WitError where it is taken."""
        previous, where = self._names.setdefault(unique_key(name), (name, span))
        if where is span:
            return
        if previous == name:
            raise WitError.at(span, f"`{shown(name)}` is defined more than once", Note("first defined here", where))
        raise WitError.at(
            span,
            f"`{shown(name)}` can't stand beside `{shown(previous)}`: {_reason(name, previous)}",
            Note("defined here", where),
        )


def shown(name: str) -> str:
    """The name of a function as one would say it: without the brackets of the component model."""
    if name.startswith("[constructor]"):
        return f"{name.removeprefix('[constructor]')}.constructor"
    return name.rsplit("]", 1)[-1]


def _reason(name: str, previous: str) -> str:
    if shown(name) == shown(previous):
        return "a method and a static function can't share a name"
    return "names that differ in case alone are the same to a component"

"""A difference between two versions of a package, and the list that the parts of a comparison write to."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import TypeAlias

from witgen import ir
from witgen.breaking.rule import Effect, Rule
from witgen.breaking.rules import BY_ID
from witgen.breaking.shapes import Model
from witgen.breaking.versions import is_later

__all__ = ["Difference", "Pair", "Place"]

#: Where something stands in a package: ``()`` is the package, ``("interface", "store", "function", "get")`` a function;
#: names of interfaces in worlds are without versions.
Place: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs, where, and what it breaks. `is_gone` says that it stands in the old text alone."""

    rule: Rule
    place: Place
    message: str
    implementers: bool
    callers: bool
    is_gone: bool = False

    @property
    def breaks(self) -> list[str]:
        """Whom it breaks, in words."""
        found = [
            who for who, is_broken in (("implementers", self.implementers), ("callers", self.callers)) if is_broken
        ]
        built = self.rule.built
        return [*found, f"built components {built.words}"] if built else found


@dataclass(frozen=True)
class Pair:
    """Two versions of a package, with the models that they are part of.

    `exported` are the interfaces, by name without version, that a world exported; `gated` tells the feature without
    which something is not there in the new version; `features` are those that are on, None for all. `is_component` says
    that the old model is that of a component, for which a linker may have raised versions.
    """

    old: Model
    new: Model
    old_name: ir.PackageName
    new_name: ir.PackageName
    exported: Collection[str] = frozenset()
    gated: Callable[[Place], str | None] = lambda place: None
    features: Collection[str] | None = ()
    is_component: bool = False
    found: list[Difference] = field(default_factory=list)

    def report(
        self, rule: str, place: Place, message: str, *, is_gone: bool = False, sent: tuple[bool, bool] = (True, True)
    ) -> None:
        """Adds a difference; `sent` says whether values of the type go to implementers, and whether to callers."""
        self.found.append(self.difference(rule, place, message, is_gone=is_gone, sent=sent))

    def difference(
        self, rule: str, place: Place, message: str, *, is_gone: bool = False, sent: tuple[bool, bool] = (True, True)
    ) -> Difference:
        """The difference that `report` adds."""
        row = BY_ID[rule]
        to_implementers, to_callers = sent
        implementers = _is_broken(row.implementers, sends=to_callers, gets=to_implementers)
        callers = _is_broken(row.callers, sends=to_implementers, gets=to_callers)
        return Difference(row, place, message, implementers, callers, is_gone)

    def removed(self, rule: str, place: Place, what: str) -> None:
        """Adds that something is gone, or there only with a feature."""
        feature = self.gated(place)
        if feature is None:
            self.report(rule, place, f"{what} is gone", is_gone=True)
        else:
            self.report("made-unstable", place, f"{what} is there only with the feature `{feature}` now")

    def added(self, rule: str, place: Place, what: str, stability: ir.Stability) -> None:
        """Adds that something is new, and whether it says so."""
        self.report(rule, place, f"{what} is new")
        since, before = stability.since, self.old_name.version
        if since is not None and before is not None and not is_later(since, before):
            self.report(
                "since-too-early", place, f"{what} is said to be there since {since}, but was not there in {before}"
            )

    def is_there(self, stability: ir.Stability) -> bool:
        """Whether an item is there with the features that are on."""
        return stability.unstable is None or self.features is None or stability.unstable in self.features

    def compare_gates(self, place: Place, what: str, old: ir.Stability, new: ir.Stability) -> None:
        """Adds how the gates of an item that both have differ."""
        if old == new:
            return
        if old.unstable != new.unstable:
            now = "is stable" if new.unstable is None else f"belongs to the feature `{new.unstable}`"
            self.report("feature-changed", place, f"{what} {now} now")
        if old.since != new.since and old.unstable == new.unstable:
            now = "no longer says since when" if new.since is None else f"is said to be there since {new.since}"
            self.report("since-changed", place, f"{what} {now}")
        if old.deprecated != new.deprecated:
            rule = "deprecated" if old.deprecated is None else "deprecation-changed"
            now = "no longer deprecated" if new.deprecated is None else f"deprecated since {new.deprecated}"
            self.report(rule, place, f"{what} is {now}")


def _is_broken(effect: Effect, *, sends: bool, gets: bool) -> bool:
    return {Effect.NONE: False, Effect.BREAKS: True, Effect.SENDING: sends, Effect.RECEIVING: gets}[effect]

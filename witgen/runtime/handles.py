"""Handle tables: what the numbers mean by which a guest names resources.

One table serves a component instance, as in `CanonicalABI.md`, section "Resource State". A handle names a resource of
the guest itself (the representation is a core value) or of the host (the representation is the Python object).

A guest can't run while the host looks at what it lent, so lends are not counted; borrows that the *guest* was given
are, because it must drop them before its call returns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from witgen.runtime.errors import Trap

__all__ = ["HandleTable", "ResourceType"]

#: The most handles that a table holds (`CanonicalABI.md`: ``Table.MAX_LENGTH``).
MAX_HANDLES = (1 << 28) - 1


@dataclass(eq=False, slots=True)
class ResourceType:
    """The identity of a resource type in an instance; `drop` ends a representation that nobody owns any more."""

    name: str
    drop: Callable[[Any], None]


class HandleTable:
    """The handles of one component instance. Every misuse by the guest is a `Trap`."""

    __slots__ = ("_entries", "_free", "borrows")

    def __init__(self) -> None:
        self._entries: list[tuple[ResourceType, Any, bool] | None] = [None]
        self._free: list[int] = []
        #: Borrows given to the guest in the present call that it has not dropped yet.
        self.borrows = 0

    def __len__(self) -> int:
        return len(self._entries) - 1 - len(self._free)

    def add(self, type_: ResourceType, rep: Any) -> int:
        """A new owning handle for `rep`."""
        return self._insert((type_, rep, True))

    def lend(self, type_: ResourceType, rep: Any) -> int:
        """A new handle by which the guest borrows `rep` for the present call."""
        self.borrows += 1
        return self._insert((type_, rep, False))

    def _insert(self, entry: tuple[ResourceType, Any, bool]) -> int:
        if self._free:
            index = self._free.pop()
            self._entries[index] = entry
            return index
        if len(self._entries) > MAX_HANDLES:
            raise Trap("the handle table is full")
        self._entries.append(entry)
        return len(self._entries) - 1

    def _entry(self, index: int, type_: ResourceType) -> tuple[ResourceType, Any, bool]:
        entry = self._entries[index] if 0 < index < len(self._entries) else None
        if entry is None:
            raise Trap(f"{index} is not a handle")
        if entry[0] is not type_:
            raise Trap(f"handle {index} is a {entry[0].name}, not a {type_.name}")
        return entry

    def rep(self, index: int, type_: ResourceType) -> Any:
        """What a handle of either kind names: a borrow lifted from the guest, or ``resource.rep``."""
        return self._entry(index, type_)[1]

    def take(self, index: int, type_: ResourceType) -> Any:
        """What an owning handle names; the handle is gone: an own lifted from the guest."""
        _, rep, own = self._entry(index, type_)
        if not own:
            raise Trap(f"handle {index} is a borrow, not an own")
        self._entries[index] = None
        self._free.append(index)
        return rep

    def drop(self, index: int, type_: ResourceType) -> None:
        """``resource.drop``: ends the handle, and the resource where the handle owns it."""
        _, rep, own = self._entry(index, type_)
        self._entries[index] = None
        self._free.append(index)
        if own:
            type_.drop(rep)
        else:
            self.borrows -= 1

    def end_lending(self) -> None:
        """Takes back what was lent for a call that did not come about."""
        for index, entry in enumerate(self._entries if self.borrows else ()):
            if entry is not None and not entry[2]:
                self._entries[index] = None
                self._free.append(index)
        self.borrows = 0

    def end_call(self) -> None:
        """Checks, when an export has returned, that the guest has dropped what it borrowed."""
        if self.borrows:
            raise Trap(f"{self.borrows} borrowed handle(s) were not dropped before the call returned")

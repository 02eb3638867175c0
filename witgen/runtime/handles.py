"""Handle tables: what the numbers mean by which a guest names resources.

One table serves a component instance, as in `CanonicalABI.md`, section "Resource State". A handle names a resource of
the guest itself (the representation is a core value) or of the host (the representation is the Python object).

An instance can't run while somebody else has what it lent, so lends are kept only while the arguments of a call are
lifted, among which the same handle may be given away. Borrows that the *instance* was given are counted, because it
must drop them before its call returns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from witgen.runtime.errors import Trap

if TYPE_CHECKING:
    from witgen.runtime.state import InstanceState

__all__ = ["MAX_HANDLES", "HandleTable", "ResourceType"]

#: The most handles that a table holds (`CanonicalABI.md`: ``Table.MAX_LENGTH``).
MAX_HANDLES = (1 << 28) - 1


@dataclass(eq=False, slots=True)
class ResourceType:
    """The identity of a resource type in an instance; `drop` ends a representation that nobody owns any more.

    `home` is the component instance that defines it, to which a borrow is the bare representation; None for the host.
    """

    name: str
    drop: Callable[[Any], None]
    home: InstanceState | None = None


class HandleTable:
    """The handles of one component instance. Every misuse by the guest is a `Trap`."""

    __slots__ = ("_entries", "_free", "borrows", "lent", "most")

    def __init__(self, most: int = MAX_HANDLES) -> None:
        #: How many handles there may be.
        self.most = most
        self._entries: list[tuple[ResourceType, Any, bool] | None] = [None]
        self._free: list[int] = []
        #: Borrows given to the guest in the present call that it has not dropped yet.
        self.borrows = 0
        #: Handles that were lent among the arguments that are being lifted.
        self.lent: list[int] = []

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
        if len(self._entries) > self.most:
            raise Trap(f"the handle table is full: {self.most} handles are the limit")
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
        entries = self._entries
        # Most of what a guest does has a handle in it: this is `_entry` on the short way.
        if index < len(entries) and (entry := entries[index]) is not None and entry[0] is type_:
            return entry[1]
        return self._entry(index, type_)[1]

    def take(self, index: int, type_: ResourceType) -> Any:
        """What an owning handle names; the handle is gone: an own lifted from the guest."""
        _, rep, own = self._entry(index, type_)
        if not own:
            raise Trap(f"handle {index} is a borrow, not an own")
        self._entries[index] = None
        self._free.append(index)
        return rep

    def drop(self, index: int, type_: ResourceType, end: Callable[[Any], None]) -> None:
        """``resource.drop``: ends the handle, and by `end` the resource where the handle owns it."""
        entries = self._entries
        found = entries[index] if index < len(entries) else None
        if found is None or found[0] is not type_:
            found = self._entry(index, type_)
        entries[index] = None
        self._free.append(index)
        _, rep, own = found
        if own:
            end(rep)
        else:
            self.borrows -= 1

    def abandon(self) -> list[tuple[ResourceType, Any]]:
        """What the handles own, those last that came first; there is no handle any more."""
        found = [(type_, rep) for type_, rep, own in filter(None, reversed(self._entries)) if own]
        self._entries[1:] = []
        self._free.clear()
        self.borrows = 0
        return found

    def end_call(self) -> None:
        """Checks, when an export has returned, that the guest has dropped what it borrowed."""
        if self.borrows:
            raise Trap(f"{self.borrows} borrowed handle(s) were not dropped before the call returned")

    def take_back(self) -> None:
        """Ends all borrows that the instance has: outside of a call there are none."""
        for index, entry in enumerate(self._entries if self.borrows else ()):
            if entry is not None and not entry[2]:
                self._entries[index] = None
                self._free.append(index)
        self.borrows = 0

"""What each component instance has of its own while it runs: its handles, its parent, and whether it may call out.

A component may consist of others, and each of them is an instance with a state (`CanonicalABI.md`, "Component Instance
State"). What they share, the store and the host's claim on the whole, is `instance.Instance`'s.
"""

from __future__ import annotations

from witgen.runtime.errors import Trap
from witgen.runtime.handles import MAX_HANDLES, HandleTable

__all__ = ["InstanceState"]


class InstanceState:
    """The state of one component instance.

    `may_leave` is False while its ``realloc`` or a ``post-return`` function runs: a lowered function or a resource
    built-in that is called then is a trap.
    """

    __slots__ = ("handles", "may_leave", "parent")

    def __init__(self, parent: InstanceState | None = None, handles: int = MAX_HANDLES) -> None:
        """The state of an instance in `parent`, if it is in one, with room for so many `handles`."""
        self.parent = parent
        self.handles = HandleTable(handles)
        self.may_leave = True

    def is_related(self, other: InstanceState) -> bool:
        """Whether one of the two is the other or has it inside: then a call between them might be recursive, and traps.

        `CanonicalABI.md`: ``call_might_be_recursive`` for a caller that is a component.
        """
        return self._is_within(other) or other._is_within(self)

    def _is_within(self, other: InstanceState) -> bool:
        state: InstanceState | None = self
        while state is not None:
            if state is other:
                return True
            state = state.parent
        return False

    @staticmethod
    def cannot_leave() -> Trap:
        """The trap for a call out while `may_leave` is False."""
        return Trap("realloc or post-return called an import or a resource built-in")

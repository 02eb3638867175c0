"""Resource built-ins: what a component instance does with the handles in its own table.

After `CanonicalABI.md`, "canon resource.new", "canon resource.drop" and "canon resource.rep". Each function makes a
host callback for one instance and one resource type.
"""

from __future__ import annotations

from typing import Any

from witgen.runtime.core import HostCallback, Slots
from witgen.runtime.errors import Trap
from witgen.runtime.handles import ResourceType
from witgen.runtime.state import InstanceState

__all__ = ["resource_drop", "resource_new", "resource_rep"]


def resource_new(state: InstanceState, type_: ResourceType) -> HostCallback:
    """``resource.new``: an owning handle for a representation."""
    add, slots = state.handles.add, Slots("I", 1)

    def call(a: int) -> None:
        if not state.may_leave:
            raise state.cannot_leave()
        u32 = slots[a]
        u32[0] = add(type_, u32[0])

    return call


def resource_rep(state: InstanceState, type_: ResourceType) -> HostCallback:
    """``resource.rep``: the representation behind a handle. It may be called from ``realloc`` as well."""
    rep, slots = state.handles.rep, Slots("I", 1)

    def call(a: int) -> None:
        u32 = slots[a]
        u32[0] = rep(u32[0], type_)

    return call


def resource_drop(state: InstanceState, type_: ResourceType) -> HostCallback:
    """``resource.drop``: ends a handle, and by its destructor the resource where the handle owns it."""
    drop, slots = state.handles.drop, Slots("I", 1)
    # The destructor of another instance is called as its export would be: not from one that it is in, or that is in it.
    foreign = type_.home is not None and type_.home is not state
    end = _refuse if foreign and type_.home is not None and state.is_related(type_.home) else type_.drop

    def call(a: int) -> None:
        if not state.may_leave:
            raise state.cannot_leave()
        drop(slots[a][0], type_, end)

    return call


def _refuse(rep: Any) -> None:
    raise Trap("a component drops a resource of one that it is in or that is in it, which might be recursive")

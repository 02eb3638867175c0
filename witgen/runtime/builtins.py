"""Resource built-ins: what a component instance does with the handles in its own table.

After `CanonicalABI.md`, "canon resource.new", "canon resource.drop" and "canon resource.rep". Each function makes a
host callback for one instance and one resource type.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from witgen.runtime.core import HostCallback
from witgen.runtime.errors import Trap
from witgen.runtime.handles import ResourceType
from witgen.runtime.state import InstanceState

__all__ = ["resource_drop", "resource_new", "resource_rep"]

#: What makes a trap for the engine of an exception.
Fail = Callable[[BaseException], int]


def resource_new(state: InstanceState, type_: ResourceType, fail: Fail) -> HostCallback:
    """``resource.new``: an owning handle for a representation."""
    add = state.handles.add

    def call(_env: int | None, _caller: int | None, a: Any, _n: int) -> int:
        try:
            if not state.may_leave:
                raise state.cannot_leave()
            a[0] = add(type_, a[0] & 0xFFFFFFFF)
        except BaseException as error:
            return fail(error)
        return 0

    return call


def resource_rep(state: InstanceState, type_: ResourceType, fail: Fail) -> HostCallback:
    """``resource.rep``: the representation behind a handle. It may be called from ``realloc`` as well."""
    rep = state.handles.rep

    def call(_env: int | None, _caller: int | None, a: Any, _n: int) -> int:
        try:
            a[0] = rep(a[0] & 0xFFFFFFFF, type_)
        except BaseException as error:
            return fail(error)
        return 0

    return call


def resource_drop(state: InstanceState, type_: ResourceType, fail: Fail) -> HostCallback:
    """``resource.drop``: ends a handle, and by its destructor the resource where the handle owns it."""
    drop = state.handles.drop
    # The destructor of another instance is called as its export would be: not from one that it is in, or that is in it.
    foreign = type_.home is not None and type_.home is not state
    end = _refuse if foreign and type_.home is not None and state.is_related(type_.home) else type_.drop

    def call(_env: int | None, _caller: int | None, a: Any, _n: int) -> int:
        try:
            if not state.may_leave:
                raise state.cannot_leave()
            drop(a[0] & 0xFFFFFFFF, type_, end)
        except BaseException as error:
            return fail(error)
        return 0

    return call


def _refuse(rep: Any) -> None:
    raise Trap("a component drops a resource of one that it is in or that is in it, which might be recursive")

"""Resources that a guest implements, as Python objects with a lifetime.

An object owns its handle until it is closed (``with``, or `close`), given to the guest as an argument, or collected.
It knows the representation, not what the methods do: generated subclasses add those.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Never, NoReturn, TypeVar

from witgen.runtime.context import Context
from witgen.runtime.core import room_below
from witgen.runtime.deadlines import is_watching
from witgen.runtime.errors import ComponentError, InstanceUnavailable, ResourceDropped
from witgen.runtime.state import InstanceState

__all__ = ["GuestResource"]

#: From `GuestResource.close` to the call of a destructor.
_FRAMES_TO_DESTRUCTOR = 2

Self = TypeVar("Self", bound="GuestResource")


class GuestResource:
    """The base of generated resource classes. Objects come from the component, never from the constructor."""

    __slots__ = ("__weakref__", "_cx", "_home", "_i", "_index", "_own", "_rep")

    _cx: Context
    _home: InstanceState | None
    _i: Any
    _index: int
    _own: bool
    _rep: Any

    if TYPE_CHECKING:

        # For checkers there is no value to call it with: they refuse such calls before the program runs.
        def __init__(self, made_by_the_component: Never, /) -> None: ...

    else:

        def __init__(self) -> None:
            raise TypeError(f"{type(self).__name__} objects are made by the component")

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} owns what the component holds, and can't be copied or pickled")

    @classmethod
    def _owned(cls: type[Self], cx: Context, index: int, rep: int) -> Self:
        found = cls.__new__(cls)
        found._cx = cx
        found._home = cx.resources[index].home
        found._i = cx.owners[index]
        found._index = index
        found._rep = rep
        found._own = True
        return found

    @classmethod
    def _borrowed(cls: type[Self], cx: Context, index: int, rep: int) -> Self:
        found = cls._owned(cx, index, rep)
        found._own = False
        return found

    def _lend(self, cx: Context, index: int) -> int:
        """What a call into the instance of `cx` borrows, which wants a resource of type `index`.

        That is the representation for the component instance that defines the resource, and a handle for any other.
        """
        if index != self._index:
            raise TypeError(f"this {type(self).__name__} is a resource of another type or of another export")
        if self._rep is None:
            raise ResourceDropped(f"this {type(self).__name__} was dropped or given away")
        if cx.state is self._home:
            rep: int = self._rep
            return rep
        self._check_instance(cx)
        return cx.handles.lend(self._cx.resources[self._index], self._rep)

    def _give(self, cx: Context, index: int) -> int:
        """A handle for the guest, which owns the resource from now on."""
        if index != self._index:
            raise TypeError(f"this {type(self).__name__} is a resource of another type or of another export")
        if self._rep is None:
            raise ResourceDropped(f"this {type(self).__name__} was dropped or given away")
        self._check_instance(cx)
        if not self._own:
            raise ResourceDropped(f"this {type(self).__name__} is borrowed and can't be given away")
        rep, self._rep = self._rep, None
        handle = cx.handles.add(cx.resources[index], rep)
        cx.given.append((self, handle))
        return handle

    def _take_back(self, cx: Context, handle: int) -> None:
        """Undoes `_give` where the guest was not called in the end."""
        self._rep = cx.handles.take(handle, cx.resources[self._index])

    def _check_instance(self, cx: Context) -> None:
        if cx.instance is not self._cx.instance:
            raise ResourceDropped(f"this {type(self).__name__} belongs to another instance")

    def close(self) -> None:
        """Drops the resource; more than once does no harm.

        Raises `Trap` if the guest's destructor fails, and what host code raises that it calls.
        """
        if self._rep is None or not self._own:
            return
        instance = self._cx.instance
        room_below(_FRAMES_TO_DESTRUCTOR)
        try:
            instance.enter()
        except IndexError:
            if instance.poison is None:
                raise InstanceUnavailable(f"{type(self).__name__}: the instance is in another call") from None
            self._rep = None
            return
        # Only now: another thread may have closed it or given it away before.
        rep, self._rep = self._rep, None
        try:
            if rep is not None:
                self._cx.resources[self._index].drop(rep)
            while instance.orphans:
                index, orphan = instance.orphans.pop()
                self._cx.resources[index].drop(orphan)
        except BaseException as error:
            # An exception of host code that the destructor has called goes before the trap that it made.
            store = instance.store
            pending, store.pending = store.pending, None
            found = pending or error
            reason = found if isinstance(found, ComponentError) else f"host code raised {type(found).__name__}"
            instance.poison = f"the instance has trapped before, in a destructor: {reason}"
            if pending is not None:
                raise pending from None
            raise
        instance.leave(None)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        if getattr(self, "_rep", None) is None:
            # It was dropped or given away, as most are; or it was never made.
            return
        with contextlib.suppress(AttributeError, ComponentError):
            try:
                if is_watching():
                    raise InstanceUnavailable(f"{type(self).__name__}: its guest can't run in this thread")
                self.close()
            except (InstanceUnavailable, RecursionError):
                # Collected in the middle of a call, or where there is no room for one: dropped with the next.
                if self._rep is not None:
                    self._cx.instance.orphans.append((self._index, self._rep))

    def __repr__(self) -> str:
        state = "dropped" if self._rep is None else f"{self._rep:#x}" if isinstance(self._rep, int) else repr(self._rep)
        return f"<{type(self).__name__} {state}>"

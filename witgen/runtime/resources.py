"""Resources that a guest implements, as Python objects with a lifetime.

An object owns its handle until it is closed (``with``, or `close`), given to the guest as an argument, or collected.
It knows the representation, not what the methods do: generated subclasses add those.
"""

from __future__ import annotations

import contextlib
from typing import Any, NoReturn, TypeVar

from witgen.runtime.context import Context
from witgen.runtime.errors import ComponentError, InstanceUnavailable, ResourceDropped

__all__ = ["GuestResource"]

Self = TypeVar("Self", bound="GuestResource")


class GuestResource:
    """The base of generated resource classes. Objects come from the component, never from the constructor."""

    __slots__ = ("__weakref__", "_cx", "_i", "_index", "_own", "_rep")

    _cx: Context
    _i: Any
    _index: int
    _own: bool
    _rep: int | None

    def __init__(self) -> None:
        raise TypeError(f"{type(self).__name__} objects are made by the component")

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"a {type(self).__name__} owns what the component holds, and can't be copied or pickled")

    @classmethod
    def _owned(cls: type[Self], cx: Context, index: int, rep: int) -> Self:
        found = cls.__new__(cls)
        found._cx = cx
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
        """The representation, for a call into the instance of `cx`, which wants a resource of type `index`."""
        if index != self._index:
            raise TypeError(f"this {type(self).__name__} is a resource of another type or of another export")
        if self._rep is None:
            raise ResourceDropped(f"this {type(self).__name__} was dropped or given away")
        if cx.instance is not self._cx.instance:
            raise ResourceDropped(f"this {type(self).__name__} belongs to another instance")
        return self._rep

    def _give(self, cx: Context, index: int) -> int:
        """A handle for the guest, which owns the resource from now on."""
        rep = self._lend(cx, index)
        if not self._own:
            raise ResourceDropped(f"this {type(self).__name__} is borrowed and can't be given away")
        self._rep = None
        handle = cx.handles.add(cx.resources[index], rep)
        cx.given.append((self, handle))
        return handle

    def _take_back(self, handle: int) -> None:
        """Undoes `_give` where the guest was not called in the end."""
        self._rep = self._cx.handles.take(handle, self._cx.resources[self._index])

    def close(self) -> None:
        """Drops the resource; more than once does no harm. Raises `Trap` if the guest's destructor fails."""
        rep = self._rep
        if rep is None or not self._own:
            return
        instance = self._cx.instance
        if not instance.enter(False):
            if instance.poison is None:
                raise InstanceUnavailable(f"{type(self).__name__}: the instance is in another call")
            self._rep = None
            return
        self._rep = None
        try:
            self._cx.resources[self._index].drop(rep)
            while instance.orphans:
                index, orphan = instance.orphans.pop()
                self._cx.resources[index].drop(orphan)
        except BaseException as error:
            reason = error if isinstance(error, ComponentError) else f"host code raised {type(error).__name__}"
            instance.poison = f"the instance has trapped before, in a destructor: {reason}"
            raise
        instance.leave()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError, ComponentError):
            try:
                self.close()
            except InstanceUnavailable:
                # Collected in the middle of a call: dropped together with the next one that is closed.
                if self._rep is not None:
                    self._cx.instance.orphans.append((self._index, self._rep))

    def __repr__(self) -> str:
        state = "dropped" if self._rep is None else f"{self._rep:#x}"
        return f"<{type(self).__name__} {state}>"

"""Exports as generated adapters call them: a core function with what surrounds the call.

It knows the order in which a call of an instance goes and how it can fail. How values are lowered and lifted is the
adapter's; what was lifted, and with which options, `linking` has found.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import wasmtime

from witgen.runtime.context import Context
from witgen.runtime.core import DEEP, CoreFunction, signature
from witgen.runtime.errors import InstanceUnavailable, Trap
from witgen.runtime.misfits import argument_of, in_words

if TYPE_CHECKING:
    from witgen.runtime.instance import Instance
    from witgen.runtime.resources import GuestResource

__all__ = ["LiftedFunction"]


class LiftedFunction(CoreFunction):
    """An export ready to be called by generated code, with what surrounds the core call.

    `enter` claims the instance (IndexError: it is in use or has trapped), `leave` gives it back, `finish` also lets the
    guest free what it returned; both take None.
    """

    __slots__ = ("cx", "enter", "finish", "instance", "leave", "name", "post")

    def __init__(
        self,
        instance: Instance,
        name: str,
        core: wasmtime.Func,
        cx: Context,
        post: wasmtime.Func | None,
        borrows: bool = False,
    ) -> None:
        """`borrows` says that the guest may be given handles to resources that it has to drop before it returns."""
        params, results = signature(instance.store, core)
        super().__init__(instance.store, core, max(len(params), len(results)))
        self.instance = instance
        self.name = name
        self.cx = cx
        self.enter = instance.enter
        self.leave = instance.leave
        self.finish = self.leave
        self.post = None if post is None else CoreFunction(instance.store, post, 1)
        if self.post is not None:
            self.finish = self._finish
        if borrows:
            self.finish = self._finish_borrows

    def _finish(self, _: None) -> None:
        post = self.post
        assert post is not None
        post.u64[0] = self.u64[0]
        self.cx.state.may_leave = False
        isinstance(None, DEEP)  # As `room`.
        if (error := post.invoke(*post.args)) or post.trap[0]:
            raise self.trapped_in(post, error)
        self.cx.state.may_leave = True
        self.leave(None)

    def _finish_borrows(self, _: None) -> None:
        try:
            self.cx.handles.end_call()
        except Trap as trap:
            raise self._poisoned(trap) from None
        (self.leave if self.post is None else self._finish)(None)

    def refused(self) -> InstanceUnavailable:
        """The error where `enter` said no."""
        reason = self.instance.poison or "the instance is in another call"
        return InstanceUnavailable(f"{self.name}: {reason}")

    def not_lowered(self, error: BaseException, given: Sequence[tuple[GuestResource, int]] = ()) -> BaseException:
        """What to raise where an argument could not be passed; the instance goes on unless the guest is to blame.

        What was `given` away is the host's again, what was lent is not lent any more.
        """
        if isinstance(error, Trap):
            return self._ended(error)
        for resource, handle in given:
            resource._take_back(self.cx, handle)
        self.cx.handles.take_back()
        self.leave(None)
        found = in_words(error)
        found.add_note(argument_of(error, self.name))
        return found

    def trapped(self, error: int) -> BaseException:
        """What to raise where the core call did not return: an exception of host code that it called, or a trap."""
        return self.trapped_in(self, error)

    def trapped_in(self, function: CoreFunction, error: int) -> BaseException:
        """As `trapped`, for a core function that belongs to the call."""
        return self._ended(function.failure(error))

    def not_lifted(self, error: BaseException) -> BaseException:
        """What to raise where a result breaks a rule of the canonical ABI."""
        if isinstance(error, Trap):
            return self._poisoned(error)
        if isinstance(error, IndexError):
            return self._poisoned(Trap("a discriminant is out of range"))
        self._poisoned(Trap(f"its result could not be read: {error}"))
        return error

    def _ended(self, trap: Trap) -> BaseException:
        """What to raise where guest code ended with a trap, which may be what an exception of host code looks like."""
        found = self.instance.unwound(trap)
        if isinstance(found, Trap) and found.function is None:
            return self._poisoned(found)
        self._poisoned(Trap(f"host code raised {type(found).__name__}"))
        frames = ", ".join(trap.frames) or "the guest"
        with contextlib.suppress(TypeError):  # Where `__notes__` is something else.
            found.add_note(f"raised in host code called by {self.name} ({frames})")
        return found

    def _poisoned(self, trap: Trap) -> Trap:
        """Makes the instance unusable for good: it stays claimed."""
        hint = self.instance.meter.near_limit()
        # From here on another thread may close it.
        self.instance.poison = f"the instance has trapped before, in {self.name}: {trap.reason}"
        return Trap(f"{trap.reason} ({hint})" if hint else trap.reason, self.name, trap.frames)

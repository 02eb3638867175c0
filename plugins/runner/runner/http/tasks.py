"""Coroutines that begin at once, each in a task of its own.

A new task of asyncio begins in the next round of the event loop, which is a good part of what a short request costs.
Here a coroutine runs as soon as it is there, up to where it first waits; if it ends before that, no task has to be made
for it. Coroutines, and whoever asks for the current task, notice no difference. What they do is not known here.

It is built on what asyncio documents for those who extend it ("Extending", section "Task lifetime support").
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
import types
import weakref
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Self, TypeAlias

__all__ = ["Starter"]

Work: TypeAlias = Coroutine[Any, Any, None]


class Starter:
    """Starts coroutines on an event loop.

    There is a spare task, which waits. It is the current task while a coroutine begins. Where the coroutine has to wait
    the task becomes the coroutine's, for good; where it has ended by then the task is spare again, unless it has been
    touched or somebody keeps it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._spare = _Spare(loop)

    def start(self, work: Work) -> asyncio.Task[None] | None:
        """Runs `work` up to where it first waits; the rest comes as the task that is given, which is to be kept.

        What `work` raises before that goes to the event loop's exception handler, but what ends a program is raised.
        """
        task = self._spare
        if task.touched:
            # Somebody ends all tasks that there are.
            self._renew()
            task = self._spare
        if not task.is_ready or asyncio.current_task(self._loop) is not None:
            # It has not come so far as to wait; or another task is at work, and there is but one at a time.
            return self._loop.create_task(work)
        context = contextvars.copy_context()
        asyncio._enter_task(self._loop, task)
        holders = sys.getrefcount(task), weakref.getweakrefcount(task)
        try:
            awaited = context.run(work.send, None)
        except StopIteration:
            if task.touched or holders != (sys.getrefcount(task), weakref.getweakrefcount(task)):
                self._renew()
            return None
        except asyncio.CancelledError:
            self._renew()
            return None
        except Exception as error:
            self._renew()
            self._loop.call_exception_handler({"message": "a request's coroutine failed", "exception": error})
            return None
        finally:
            asyncio._leave_task(self._loop, task)
        self._spare = _Spare(self._loop)
        task.take(work, context, awaited)
        return task

    def close(self) -> None:
        """Ends the spare task. Coroutines that have begun go on."""
        self._spare.end()

    def _renew(self) -> None:
        """Ends the spare task, so that whoever waits for its end hears of it, and makes another one."""
        self._spare.end()
        self._spare = _Spare(self._loop)


class _Spare(asyncio.Task[None]):
    """A task that waits until it is given a coroutine that has begun, or is told to end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        #: Whether it waits; before, it has not begun.
        self.is_ready = False
        #: Whether anybody has changed what others can see of it.
        self.touched = False
        self._gate = loop.create_future()
        self._taken: tuple[Work, contextvars.Context, Any] | None = None
        super().__init__(self._wait(), loop=loop)

    def take(self, work: Work, context: contextvars.Context, awaited: Any) -> None:
        """Goes on with `work`, which runs in `context` and has yielded `awaited`."""
        self._taken = work, context, awaited
        self.end()

    def end(self) -> None:
        """Has it wait no longer."""
        self.is_ready = False
        if not self._gate.done():
            self._gate.set_result(None)

    async def _wait(self) -> None:
        self.is_ready = True
        cancelled: asyncio.CancelledError | None = None
        try:
            await self._gate
        except asyncio.CancelledError as error:
            # Where there is a coroutine, it is the one that was meant.
            cancelled = error
        taken, self._taken = self._taken, None
        if taken is not None:
            await _go_on(*taken, cancelled)
        elif cancelled is not None:
            raise cancelled

    # What others may do to a task

    def cancel(self, msg: Any = None) -> bool:
        """As every task."""
        self.touched = True
        return super().cancel(msg)

    def add_done_callback(self, fn: Callable[[Self], object], /, *, context: contextvars.Context | None = None) -> None:
        """As every task."""
        self.touched = True
        super().add_done_callback(fn, context=context)

    def set_name(self, value: object, /) -> None:
        """As every task."""
        self.touched = True
        super().set_name(value)


@types.coroutine
def _go_on(
    work: Work, context: contextvars.Context, awaited: Any, cancelled: asyncio.CancelledError | None
) -> Generator[Any, Any, None]:
    """The rest of a coroutine that has yielded `awaited`, and may have been cancelled at the same time."""
    try:
        # As tasks do: what it waits for is cancelled, and where that is over or nothing, it hears of it at once.
        if cancelled is not None and not (asyncio.isfuture(awaited) and awaited.cancel(*cancelled.args[:1])):
            awaited = context.run(work.throw, cancelled)
        while True:
            try:
                value = yield awaited
            except GeneratorExit:
                work.close()
                raise
            except BaseException as error:
                awaited = context.run(work.throw, error)
            else:
                awaited = context.run(work.send, value)
    except StopIteration:
        return

"""`wasi:io/poll`: waiting for descriptors and deadlines, as many as there are, in one system call.

What can be waited for says so by itself (`Waitable`); this module knows no sockets, files or clocks. While it waits
the interpreter's lock is free, and signals are handled: an interrupt from the keyboard ends the component's call.
"""

from __future__ import annotations

import select
import time
from collections.abc import Sequence
from typing import TypeAlias, TypeGuard

from witgen import runtime as rt
from witgen.wasi.bindings import host
from witgen.wasi.resource import Resource

__all__ = ["Poll", "Pollable", "Waitable", "Wants", "background", "descriptor_ready", "wait"]

#: What somebody waits for: a descriptor with a mask of ``select.POLLIN`` and ``select.POLLOUT``, a deadline in
#: nanoseconds of ``time.monotonic_ns``, both, whichever comes first, or nothing, because it is ready.
Wants: TypeAlias = tuple[int, int] | int | tuple[int, int, int] | None

#: What a system call reports whether it was asked for or not. All of it is news: the operation will say what is wrong.
_ALWAYS = select.POLLERR | select.POLLHUP | select.POLLNVAL

#: The longest single wait in nanoseconds: a system call takes no more than some weeks, a guest may ask for centuries.
_LONGEST = 24 * 3600 * 1_000_000_000


class Waitable:
    """Something that becomes ready: a stream, a socket, a point in time."""

    def wants(self) -> Wants:
        """What there is to wait for; None if it is ready. Never blocks and never raises `OSError`."""
        raise NotImplementedError

    def woken(self) -> bool:
        """Whether it is ready, now that the descriptor that it waited for is. Never blocks, nor raises `OSError`."""
        return True


#: What goes on while anybody waits for anything, such as output that was accepted before there was room for it. Each
#: takes itself out of here, by its `wants`, when it has come to its end.
background: set[Waitable] = set()


class Pollable(Resource):
    """`pollable`: a waitable in the hands of a component; the child of `parent`, where it has one."""

    kind = "pollable"

    def __init__(self, source: Waitable, parent: Resource | None = None) -> None:
        super().__init__(parent)
        self.source = source

    def ready(self) -> bool:
        """Whether the source is ready. Never blocks."""
        return bool(_ready([self.source], 0))

    def block(self) -> None:
        """Returns when the source is ready."""
        wait([self.source])


class Poll:
    """The interface `wasi:io/poll`."""

    def poll(self, in_: list[host.Pollable]) -> Sequence[int]:
        """The indices of those that are ready, once there are some. Raises `rt.Trap` if there are none to wait for."""
        if not in_:
            raise rt.Trap("poll: the list of pollables is empty")
        return wait([_source(pollable) for pollable in in_])


def wait(sources: Sequence[Waitable]) -> list[int]:
    """The indices of those that are ready, once there are some; one at least."""
    while True:
        found = _ready(sources, _LONGEST)
        if found:
            return found


def descriptor_ready(descriptor: int, mask: int) -> int:
    """What is ready of a descriptor at this moment: events of `mask`, and errors in any case. 0: nothing."""
    poller = select.poll()
    poller.register(descriptor, mask)
    found = poller.poll(0)
    return found[0][1] if found else 0


def _source(pollable: host.Pollable) -> Waitable:
    if not isinstance(pollable, Pollable):
        raise TypeError(f"poll: {type(pollable).__name__} does not say what it waits for")
    return pollable.source


def _ready(sources: Sequence[Waitable], longest: int) -> list[int]:
    """The indices of those that are ready within `longest` nanoseconds; none of them if that was too short."""
    everything = [*sources, *background] if background else sources
    wants = [source.wants() for source in everything]
    deadlines = [want if isinstance(want, int) else want[2] for want in wants if _has_deadline(want)]
    now = time.monotonic_ns()
    if None in wants:
        longest = 0
    elif deadlines:
        longest = min(longest, max(min(deadlines) - now, 0))
    events = _wait_for([want[:2] for want in wants if isinstance(want, tuple)], longest)
    if deadlines:
        now = time.monotonic_ns()
    pairs = zip(everything, wants, strict=True)
    found = [index for index, (source, want) in enumerate(pairs) if _is_ready(source, want, now, events)]
    return found if everything is sources else [index for index in found if index < len(sources)]


def _has_deadline(want: Wants) -> TypeGuard[int | tuple[int, int, int]]:
    return isinstance(want, int) or (want is not None and len(want) == 3)


def _is_ready(source: Waitable, want: Wants, now: int, events: dict[int, int]) -> bool:
    match want:
        case None:
            return True
        case int():
            return want <= now
        case descriptor, mask:
            return bool(events.get(descriptor, 0) & (mask | _ALWAYS)) and source.woken()
        case descriptor, mask, deadline:
            return deadline <= now or (bool(events.get(descriptor, 0) & (mask | _ALWAYS)) and source.woken())


def _wait_for(descriptors: list[tuple[int, int]], longest: int) -> dict[int, int]:
    """The events of descriptors that have any, after `longest` nanoseconds at the latest."""
    if not descriptors:
        if longest:
            time.sleep(longest / 1e9)
        return {}
    masks: dict[int, int] = {}
    for descriptor, mask in descriptors:
        masks[descriptor] = masks.get(descriptor, 0) | mask
    poller = select.poll()
    for descriptor, mask in masks.items():
        poller.register(descriptor, mask)
    # Rounded up: a wait that ends before the deadline would only have to be repeated.
    return dict(poller.poll(-(-longest // 1_000_000)))

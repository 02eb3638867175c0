"""`runner:host/readiness`: one set for all that a component waits for, at the price of what is ready.

A set is an epoll instance, a heap of deadlines and a queue of what is ready. The system is told of a descriptor once
and asked about all of them at once; a key that is rearmed before the next question costs no system call at all. It
knows no sockets: what there is to wait for, pollables say (`witgen.wasi.Waitable`).

A program waits with `wait`, or has its own event loop watch `fileno()` and calls the component no later than
`deadline()` says.
"""

from __future__ import annotations

import contextlib
import heapq
import select
import time
from collections import deque
from collections.abc import Sequence

from runner.bindings import http_component as wit
from runner.host.signal import Signal
from witgen.wasi.poll import Pollable, Waitable, Wants, background
from witgen.wasi.resource import Resource

__all__ = ["PollSet", "Readiness"]

#: What a system call reports whether it was asked for or not.
_ALWAYS = select.EPOLLERR | select.EPOLLHUP
#: The longest single wait, in nanoseconds.
_LONGEST = 3600 * 1_000_000_000


class Readiness:
    """The interface `runner:host/readiness`."""

    @property
    def poll_set(self) -> type[PollSet]:
        """What makes sets."""
        return PollSet


class _Entry:
    """Something that is waited for: under a key of the component, or of the host's own under none."""

    __slots__ = ("armed", "descriptor", "key", "mask", "pollable", "queued", "round", "signal", "source")

    def __init__(self, key: int | None, source: Waitable, pollable: Pollable | None) -> None:
        self.key = key
        self.source = source
        self.pollable = pollable
        self.signal: Signal | None = getattr(source, "signal", None)
        self.armed = False
        #: Whether it is in the queue of what is ready.
        self.queued = False
        self.descriptor = -1
        self.mask = 0
        #: How often it was armed; a deadline of an earlier time is void.
        self.round = 0


class _Descriptor:
    """What is waited for at one descriptor, and which events the system was asked for."""

    __slots__ = ("asked", "entries")

    def __init__(self) -> None:
        self.asked = 0
        self.entries: list[_Entry] = []


class PollSet(Resource, Waitable):
    """`poll-set`. It is used by one thread at a time, as its component is; `wake` may come from any."""

    kind = "poll-set"

    def __init__(self) -> None:
        super().__init__()
        self._epoll = select.epoll()
        self._entries: dict[int, _Entry] = {}
        self._descriptors: dict[int, _Descriptor] = {}
        self._ready: deque[_Entry] = deque()
        self._deadlines: list[tuple[int, int, int, _Entry]] = []
        #: Orders deadlines of the same time.
        self._count = 0
        #: Output of anybody that is on its way and has to be helped along.
        self._rests: dict[Waitable, _Entry] = {}
        #: Wakes who waits for the epoll descriptor when something becomes ready inside of the process.
        self._bell = Signal()
        #: Whether `wake` was called since the last `wait` ended.
        self._woken = False
        self._epoll.register(self._bell.fileno(), select.EPOLLIN)

    # For the component

    def add(self, key: int, pollable: wit.Pollable) -> None:
        """Puts a pollable in, armed."""
        if not isinstance(pollable, Pollable):
            raise TypeError(f"poll-set: {type(pollable).__name__} does not say what it waits for")
        self.remove(key)
        entry = self._entries[key] = _Entry(key, pollable.source, pollable)
        self._arm(entry)

    def remove(self, key: int) -> None:
        """Drops the pollable of a key."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._forget(entry)
            if entry.pollable is not None:
                entry.pollable.close()

    def take(self, rearm: list[int], max: int) -> Sequence[int]:
        """Rearms keys and gives up to `max` of those that are ready."""
        for key in rearm:
            entry = self._entries.get(key)
            if entry is not None and not entry.armed:
                self._arm(entry)
        if not max:
            return []
        ready = self._ready
        if not ready:
            self._collect(0)
        found: list[int] = []
        while ready and len(found) < max:
            entry = ready.popleft()
            entry.queued = False
            if entry.armed and entry.key is not None:
                entry.armed = False
                found.append(entry.key)
        return found

    def subscribe(self) -> Pollable:
        """A pollable that is ready when `take` would give a key.

        It is no child of the set: the component gives it away, and the host may keep it for longer than the set lives.
        """
        return Pollable(self)

    # For the host

    def fileno(self) -> int:
        """The epoll descriptor: readable when something is ready, and at times when nothing is after all."""
        return self._epoll.fileno()

    def deadline(self) -> int | None:
        """When `take` is to be called at the latest, in nanoseconds of `time.monotonic_ns`; None: whenever.

        To be asked before every wait for the descriptor. In the past if something is ready.
        """
        self._help_along()
        if self._ready:
            return 0
        while self._deadlines:
            at, _, round_, entry = self._deadlines[0]
            if entry.armed and not entry.queued and entry.round == round_:
                return at
            heapq.heappop(self._deadlines)
        return None

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until something is ready, for `timeout` seconds at most, or until `wake`; says whether something is."""
        until = None if timeout is None else time.monotonic_ns() + int(timeout * 1e9)
        while True:
            due = self.deadline()
            if self._ready:
                return True
            ends = _LONGEST if until is None else until - time.monotonic_ns()
            longest = ends if due is None else min(ends, due - time.monotonic_ns())
            if not self._woken:
                self._collect(max(min(longest, _LONGEST), 0))
            if self._woken:
                self._woken = False
                return bool(self._ready)
            if not self._ready and until is not None and time.monotonic_ns() >= until:
                return False

    def wake(self) -> None:
        """Ends a `wait`, and makes the descriptor readable once. May be called by any thread."""
        self._woken = True
        self._bell.set()

    def wants(self) -> Wants:
        """What there is to wait for: the descriptor, and the next deadline."""
        due = None if self._epoll.closed else self.deadline()
        if self._ready or self._epoll.closed:
            return None
        number = self._epoll.fileno()
        return (number, select.POLLIN) if due is None else (number, select.POLLIN, due)

    def woken(self) -> bool:
        """Whether `take` would give a key."""
        if not self._ready:
            self._collect(0)
        return bool(self._ready)

    def release(self) -> None:
        """Drops what is in it, and the system's part."""
        for key in list(self._entries):
            self.remove(key)
        for entry in self._rests.values():
            self._forget(entry)
        self._ready.clear()
        self._epoll.close()
        self._bell.close()

    # Parts

    def _arm(self, entry: _Entry) -> None:
        entry.armed = True
        signal = entry.signal
        if signal is not None:
            signal.listen(self._ring, entry)
            if signal.is_set:
                self._enqueue(entry)
            return
        wants = entry.source.wants()
        if wants is None:
            self._enqueue(entry)
        elif isinstance(wants, int):
            self._schedule(entry, wants)
        else:
            if len(wants) == 3:
                self._schedule(entry, wants[2])
            if wants[:2] != (entry.descriptor, entry.mask) or not self._is_asked(entry):
                self._ask(entry, wants[0], wants[1])

    def _schedule(self, entry: _Entry, at: int) -> None:
        entry.round += 1
        self._count += 1
        if len(self._deadlines) > 4 * len(self._entries) + 64:
            # Those that are void: each call that made one has paid a part of this.
            self._deadlines = [item for item in self._deadlines if item[3].armed and item[3].round == item[2]]
            heapq.heapify(self._deadlines)
        heapq.heappush(self._deadlines, (at, self._count, entry.round, entry))

    def _is_asked(self, entry: _Entry) -> bool:
        descriptor = self._descriptors.get(entry.descriptor)
        return descriptor is not None and descriptor.asked & entry.mask == entry.mask

    def _ask(self, entry: _Entry, number: int, mask: int) -> None:
        """Has the system watch a descriptor for an entry."""
        if entry.descriptor != number:
            self._leave(entry)
            entry.descriptor = number
            self._descriptors.setdefault(number, _Descriptor()).entries.append(entry)
        entry.mask = mask
        descriptor = self._descriptors[number]
        if not self._set(number, descriptor, descriptor.asked | mask):
            # Files are always ready, and so is a descriptor that is closed: the operation will say so.
            self._enqueue(entry)

    def _set(self, number: int, descriptor: _Descriptor, mask: int) -> bool:
        """Asks the system for events. Says whether it takes the descriptor."""
        before, descriptor.asked = descriptor.asked, mask
        try:
            if not mask:
                self._epoll.unregister(number)
            elif before:
                self._modify(number, mask)
            else:
                self._register(number, mask)
        except (OSError, ValueError):
            descriptor.asked = 0
            return not mask
        return True

    def _register(self, number: int, mask: int) -> None:
        try:
            self._epoll.register(number, mask)
        except FileExistsError:
            self._epoll.modify(number, mask)

    def _modify(self, number: int, mask: int) -> None:
        try:
            self._epoll.modify(number, mask)
        except FileNotFoundError:
            # The descriptor was closed, and there is another of its number.
            self._epoll.register(number, mask)

    def _collect(self, longest: int) -> None:
        """Asks the system what is ready within `longest` nanoseconds."""
        # Rounded up: a wait that ends before the deadline would only have to be repeated.
        timeout = -(-longest // 1_000_000) / 1000 if longest else 0
        for number, events in self._epoll.poll(timeout):
            descriptor = self._descriptors.get(number)
            if descriptor is not None:
                self._sort(number, descriptor, events)
            elif number == self._bell.fileno():
                self._bell.clear()
            else:
                with contextlib.suppress(OSError):
                    self._epoll.unregister(number)
        if self._deadlines:
            self._collect_deadlines()

    def _sort(self, number: int, descriptor: _Descriptor, events: int) -> None:
        """Finds who waits for events of a descriptor. What nobody waits for, the system is not asked for any more."""
        wanted = 0
        again: list[_Entry] = []
        # A copy: who has come to its end is taken out.
        for entry in tuple(descriptor.entries):
            if not entry.armed:
                continue
            wanted |= entry.mask
            if events & (entry.mask | _ALWAYS):
                if entry.source.woken():
                    self._enqueue(entry)
                else:
                    again.append(entry)
        if events & ~(wanted | _ALWAYS) or not wanted:
            self._set(number, descriptor, wanted)
        for entry in again:
            self._arm(entry)

    def _collect_deadlines(self) -> None:
        now = time.monotonic_ns()
        while self._deadlines and self._deadlines[0][0] <= now:
            _, _, round_, entry = heapq.heappop(self._deadlines)
            if entry.armed and entry.round == round_:
                self._enqueue(entry)

    def _enqueue(self, entry: _Entry) -> None:
        if entry.key is None:
            # Nobody is told: `wants` has helped it along.
            self._rests.pop(entry.source, None)
            self._forget(entry)
        elif not entry.queued:
            entry.queued = True
            self._ready.append(entry)

    def _ring(self, entry: object) -> None:
        """A signal was set, maybe by another thread."""
        if isinstance(entry, _Entry) and entry.armed:
            self._enqueue(entry)
            self._bell.set()

    def _help_along(self) -> None:
        """Watches over output that was accepted before there was room for it, whoever's it is."""
        if not background and not self._rests:
            return
        for source in [source for source in self._rests if source not in background]:
            self._forget(self._rests.pop(source))
        for source in list(background):
            if source not in self._rests:
                entry = self._rests[source] = _Entry(None, source, None)
                self._arm(entry)

    def _forget(self, entry: _Entry) -> None:
        entry.armed = False
        entry.round += 1
        if entry.signal is not None:
            entry.signal.ignore(entry)
        self._leave(entry)

    def _leave(self, entry: _Entry) -> None:
        """Has nothing more to do with the descriptor."""
        descriptor = self._descriptors.get(entry.descriptor)
        if descriptor is not None and entry in descriptor.entries:
            descriptor.entries.remove(entry)
            if not descriptor.entries:
                del self._descriptors[entry.descriptor]
                self._set(entry.descriptor, descriptor, 0)
        entry.descriptor = -1

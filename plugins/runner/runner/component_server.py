"""A component that serves in an event loop: its work when it is due, and another instance when one fails.

What all protocols share whose component listens, is polled when its poll set is ready and gives batches. What is in a
batch, and who is told what, is for subclasses: `ComponentServer` belongs to one event loop and has instances come and
go; a `Shift` is one of them at work, from its start to its end.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from runner.host.readiness import PollSet
from runner.host.sockets import RunnerSockets
from witgen import runtime as rt
from witgen.wasi import Pollable

__all__ = ["ComponentObserver", "ComponentServer", "Guest", "Shift", "Unstable"]

#: Items of each sort that one call gives.
_AT_ONCE = 256
#: Calls one after the other, while there is more to do, before others have their turn.
_ROUNDS = 4
#: With no more connections than that the component is asked once more after an answer.
_FEW = 4
#: So many failures within so many seconds are too many.
_FAILURES, _WINDOW = 5, 10.0


class Unstable(Exception):
    """The component has failed too often in a short time."""


class ComponentObserver(Protocol):
    """Who is told how a component fares. Called from the event loop; must not raise and must not block."""

    def component_failed(self, error: BaseException, waiting: int) -> None:
        """The component has failed while `waiting` clients waited for an answer."""

    def component_started(self, seconds: float) -> None:
        """An instance is ready, which took so long."""


class Batch(Protocol):
    """What a component gives of what has happened."""

    more: bool


class Listening(Protocol):
    """A resource of the component that listens on one address."""

    def subscribe(self) -> Any:
        """What is ready when the component has work to do."""


class World(Protocol):
    """An object of a generated world class."""

    def close(self) -> None:
        """Ends the instance."""


W = TypeVar("W", bound=World)
H = TypeVar("H", bound=Listening)
B = TypeVar("B", bound=Batch)


@dataclass(frozen=True, slots=True)
class Guest(Generic[W]):
    """An instance of the component, and what the host has for it alone."""

    world: W
    sockets: RunnerSockets
    #: What is to be done when the instance is gone.
    left: Callable[[], None] | None = None


class ComponentServer(Generic[W]):
    """Serves on listening sockets, by the component. Subclasses say what an instance does: `begin`."""

    def __init__(
        self, make: Callable[[], Guest[W]], addresses: Sequence[tuple[str, int]], observer: ComponentObserver
    ) -> None:
        """`make` makes instances that may listen on `addresses`."""
        self._make = make
        self.addresses = addresses
        self._watcher = observer
        self._shift: Shift[W, Any, Any] | None = None
        #: Instances that end with their last request.
        self._leaving: set[Shift[W, Any, Any]] = set()
        self._failures: list[float] = []
        #: Set when no instance is left: after `stop`, or with the error for which it gave up.
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._stopping = False

    def begin(self, guest: Guest[W]) -> Shift[W, Any, Any]:
        """Puts an instance to work."""
        raise NotImplementedError

    def start(self) -> None:
        """Begins to serve. Raises as the component does where it can't listen, and what `make` raises."""
        begun = time.perf_counter()
        self._shift = self.begin(self._make())
        self._watcher.component_started(time.perf_counter() - begun)

    def reload(self, make: Callable[[], Guest[W]], grace: float) -> None:
        """Has another instance take over the sockets; the present one ends with its requests, or after `grace` seconds.

        Raises as `start`; then the present one goes on.
        """
        make, self._make = self._make, make
        old = self._shift
        try:
            self.start()
        except BaseException:
            self._make = make
            raise
        if old is not None:
            self._leaving.add(old)
            old.stop(grace)

    def stop(self, grace: float, *, followed: bool = False) -> None:
        """Stops listening; `done` follows when all requests have ended, or after `grace` seconds, also those of
        instances that are leaving already.

        `followed` says that another server has the same sockets, which makes no difference here.
        """
        self._stopping = True
        shifts = self.shifts
        for shift in shifts:
            shift.stop(grace)
        if not shifts:
            self._finish(None)

    @property
    def connections(self) -> int:
        """Open connections."""
        return sum(shift.connections for shift in self.shifts)

    @property
    def instances(self) -> list[int]:
        """The memory of each instance, in bytes."""
        return [rt.instance_of(shift.guest.world).memory_size for shift in self.shifts]

    @property
    def shifts(self) -> list[Shift[W, Any, Any]]:
        """The instances at work."""
        return [*self._leaving, *([] if self._shift is None else [self._shift])]

    # For its shifts

    def ended(self, shift: Shift[W, Any, Any]) -> None:
        """An instance that was stopped has no connections any more."""
        self._leaving.discard(shift)
        if shift is self._shift:
            self._shift = None
        if self._stopping and self._shift is None and not self._leaving:
            self._finish(None)

    def replace(self, shift: Shift[W, Any, Any], error: BaseException, waiting: int) -> None:
        """Starts another instance where one has failed. Gives up where that happens too often."""
        self._watcher.component_failed(error, waiting)
        if self._stopping or shift is not self._shift:
            self.ended(shift)
            return
        self._shift = None
        now = time.monotonic()
        self._failures = [at for at in self._failures if now - at < _WINDOW] + [now]
        if len(self._failures) > _FAILURES:
            self._finish(Unstable(f"the component failed {len(self._failures)} times in {_WINDOW:g} s: {error}"))
            return
        try:
            self.start()
        except Exception as failure:
            self._finish(failure)

    def in_trouble(self, error: BaseException) -> None:
        """A listening socket is; connections go on."""
        self._watcher.component_failed(error, 0)

    def _finish(self, error: BaseException | None) -> None:
        if not self.done.done():
            if error is None:
                self.done.set_result(None)
            else:
                self.done.set_exception(error)


class Shift(Generic[W, H, B]):
    """One instance at work, from its start to its end. Subclasses say what their component calls these things."""

    #: What is sent to clients that wait when the instance is lost.
    farewell: ClassVar[bytes]
    #: What the component raises for an error of its contract.
    refusal: ClassVar[type[Exception]]

    def __init__(self, server: ComponentServer[W], guest: Guest[W], poll: Callable[[H, int], B]) -> None:
        """`poll` does the work that is due. What subclasses need to listen must be there already."""
        self._server = server
        self.guest = guest
        self._loop = asyncio.get_running_loop()
        self._over = self._stopping = False
        #: Whether work is being done, whether somebody wants more done after it, and whether anything was answered.
        self._working = self._again = self._told = False
        self._timer: asyncio.TimerHandle | None = None
        #: When the timer rings; not every event loop's timers can be asked.
        self._rings = 0.0
        self._scheduled = False
        self._poll = poll
        self._readers: list[int] = []
        self._listeners: list[tuple[H, PollSet]] = []
        try:
            for address in server.addresses:
                listener = self.listen(address)
                pollable = listener.subscribe()
                assert isinstance(pollable, Pollable)
                source = pollable.source
                assert isinstance(source, PollSet)
                self._listeners.append((listener, source))
                self._loop.add_reader(source.fileno(), self._work)
                self._readers.append(source.fileno())
        except BaseException:
            self._end()
            raise
        self._soon()

    # For subclasses to say

    @property
    def connections(self) -> int:
        """Open connections."""
        raise NotImplementedError

    def listen(self, address: tuple[str, int]) -> H:
        """Listens on an address."""
        raise NotImplementedError

    def handle(self, batch: B) -> None:
        """Does what follows from what has happened."""
        raise NotImplementedError

    def retire(self, listener: H, grace: int) -> None:
        """Lets a listener end, within so many nanoseconds."""
        raise NotImplementedError

    def is_done(self, listener: H) -> bool:
        """Whether it has ended."""
        raise NotImplementedError

    def drop(self) -> None:
        """Lets go of what is under way, which nobody waits for any more."""
        raise NotImplementedError

    def tell(self) -> int:
        """Tells clients that the instance is lost, those to whom that is said; gives how many."""
        return self.guest.sockets.tell(self.farewell)

    # The loop

    def stop(self, grace: float) -> None:
        """Lets the listeners end."""
        self._stopping = True
        with self._guarded():
            for listener, _ in self._listeners:
                self.retire(listener, max(0, round(grace * 1e9)))
        self._soon()

    def _soon(self) -> None:
        """Has work done in the next round of the event loop."""
        if not self._scheduled and not self._over:
            self._scheduled = True
            self._loop.call_soon(self._work_now)

    def _work_now(self) -> None:
        self._scheduled = False
        self._work()

    def _work(self) -> None:
        if self._over:
            return
        for _ in range(_ROUNDS):
            if not self._work_once():
                return
            due = self._due()
            if not self._again and (due is None or due > time.monotonic_ns()):
                self._ring_at(due)
                if self._told and self.connections <= _FEW:
                    # The next request is often there by then; one more look costs less than to be woken for it.
                    self._soon()
                self._told = False
                break
        else:
            self._soon()
        if self._stopping and not self.connections and self._is_done():
            self._end()
            self._server.ended(self)

    def _work_once(self) -> bool:
        """Does what is due; says whether the instance is still there, and its sockets in order."""
        self._working = True
        self._again = False
        try:
            for listener, _ in self._listeners:
                batch = self._poll(listener, _AT_ONCE)
                self._again = self._again or batch.more
                self.handle(batch)
        except self.refusal as error:
            # The listening socket is in trouble; connections go on.
            self._server.in_trouble(error)
            self._loop.call_later(0.1, self._soon)
            return False
        except (rt.ComponentError, RecursionError) as error:
            self._fail(error)
            return False
        finally:
            self._working = False
        return not self._over

    def _is_done(self) -> bool:
        with self._guarded():
            return all(self.is_done(listener) for listener, _ in self._listeners)
        return False

    def _due(self) -> int | None:
        """When there is something to do at the latest, in nanoseconds of `time.monotonic_ns`."""
        deadlines = [at for _, source in self._listeners if (at := source.deadline()) is not None]
        return min(deadlines, default=None)

    def _set_timer(self) -> None:
        """Comes back at the next deadline, if nothing happens before."""
        due = self._due()
        if due is not None and due <= time.monotonic_ns():
            self._soon()
        else:
            self._ring_at(due)

    def _ring_at(self, due: int | None) -> None:
        # The clock of the event loop is that of `time.monotonic`.
        when = None if due is None else due / 1e9
        if self._timer is not None:
            if self._rings == when:
                return
            self._timer.cancel()
            self._timer = None
        if when is not None:
            self._rings = when
            self._timer = self._loop.call_at(when, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self._work()

    def settle(self) -> None:
        """Has what the component was told come to what is waited for."""
        self._told = True
        if not self._working and not self._scheduled and not self._over:
            self._set_timer()

    def go_on(self) -> None:
        """Does what is due, at once or after what is being done."""
        if self._working:
            self._again = True
        else:
            self._work()

    # The end

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except rt.ComponentError as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """The instance is lost: its clients are told, and another one is started."""
        if self._over:
            return
        waiting = self.tell()
        self._end()
        self._server.replace(self, error, waiting)

    def _end(self) -> None:
        """Lets go of the instance and of everything that it had."""
        self._over = True
        for reader in self._readers:
            self._loop.remove_reader(reader)
        if self._timer is not None:
            self._timer.cancel()
        self.drop()
        with contextlib.suppress(rt.ComponentError, OSError):
            self.guest.world.close()
        if self.guest.left is not None:
            self.guest.left()

"""The interfaces of `runner:progress` as one client has them: here lock and transaction are taken.

What `update`, `publish`, `checkpoint`, `ack` and their like have returned is on the disk. Rules and tables are
elsewhere.
"""

from __future__ import annotations

import functools
import sqlite3
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from runner.bindings import progress_client as wit
from runner.progress.bus import Handle
from runner.progress.rules import Field, check_change, check_progress, check_scope, check_timestamp, failed
from runner.progress.telemetry import Telemetry
from runner.progress.wakes import Wakes
from witgen import runtime as rt

if TYPE_CHECKING:
    from runner.progress.service import Progress

__all__ = ["Client", "Edit", "Events", "Subscription", "TelemetryService", "Workbook"]

F = TypeVar("F", bound=Callable[..., Any])
#: The longest that a subscriber does not look whether another process has published something, in seconds.
_GLANCE = 0.005


def _in_transaction(reads: bool) -> Callable[[F], F]:
    """All or nothing, on the disk when it returns; what the disk refuses is an `err` that may go well later."""

    def decorate(method: F) -> F:
        @functools.wraps(method)
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            progress: Progress = self._progress
            try:
                progress.batches.drain()
                with progress.database.transaction(reads):
                    return method(self, *args, **kwargs)
            except sqlite3.Error as error:
                raise failed(wit.ErrorKind.TRANSIENT, f"progress can't be stored: {error}") from error

        return cast(F, call)

    return decorate


_stored = _in_transaction(reads=False)
_read = _in_transaction(reads=True)


class Client:
    """The contract as one client sees it.

    All share the workbook and the bus. `wakeful` names subscriptions of its own alone, and the figures since the last
    flush are since its own. `close` ends what an instance that is gone had subscribed to.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.wakes = Wakes()
        self.workbook = Workbook(progress)
        self.events = Events(progress, self.wakes)
        self.telemetry = TelemetryService(progress)

    def provider(self) -> rt.Provider:
        """Serves `runner:progress` to a component of any world."""
        return wit.provider(wit.ProgressClientImports(self.workbook, self.events, self.telemetry))

    @_stored
    def close(self) -> None:
        """Ends its subscriptions; those with a name go on holding updates."""
        self._progress.bus.close_all(self.wakes)


class Workbook:
    """The interface `runner:progress/workbook`."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.edit = _Edits(progress)

    @_read
    def get_status(self, scope: wit.Scope) -> wit.Status:
        """Where the work in `scope` stands."""
        return self._progress.book.status(scope)

    @_stored
    def update(self, step: wit.Step) -> int:
        """Applies a step, whole or not at all, and gives the id of the update that announces it."""
        return self._progress.carry_out(self._progress.book.prepare(step))

    @_read
    def get_section(self, scope: wit.Scope, section: str) -> list[wit.Entry]:
        """The fields of one section of a scope, ordered by key."""
        self._progress.book.known(scope)
        return self._progress.book.entries(scope, section)

    @_stored
    def flush(self, scope: wit.Scope, max: int) -> list[wit.FieldChange]:
        """Takes up to `max` changed fields of a scope to be stored elsewhere and marks them clean."""
        return self._progress.book.flush(scope, max)

    @_stored
    def checkpoint(self, scope: wit.Scope, name: str) -> None:
        """Remembers the present state of a scope under a name."""
        self._progress.book.checkpoint(scope, name)

    @_stored
    def rollback(self, scope: wit.Scope, checkpoint: str, timestamp: int) -> int:
        """Takes a scope back to a checkpoint and gives the id of the update that announces what changed by that."""
        check_timestamp(timestamp)
        return self._progress.carry_out(self._progress.book.prepare_rollback(scope, checkpoint, timestamp))


class Edit:
    """Changes collected one by one and applied at once."""

    def __init__(self, scope: wit.Scope) -> None:
        self.scope = scope
        self.changes: dict[Field, wit.Value | None] = {}

    def set(self, section: str, key: str, value: wit.Value) -> None:
        """Sets a field."""
        self._put(section, key, value)

    def clear(self, section: str, key: str) -> None:
        """Clears a field."""
        self._put(section, key, None)

    def pending(self) -> int:
        """The number of fields that it would change."""
        return len(self.changes)

    def _put(self, section: str, key: str, value: wit.Value | None) -> None:
        check_change(section, key, value)
        self.changes[section, key] = value


class _Edits:
    """What makes edits, and applies them."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def __call__(self, scope: wit.Scope) -> Edit:
        return Edit(scope)

    def commit(self, edit: wit.Edit, timestamp: int) -> int:
        """Applies all the changes as one update and gives its id."""
        assert isinstance(edit, Edit)
        changes = [wit.FieldChange(*field, value) for field, value in edit.changes.items()]
        return self._progress.workbook.update(wit.Step(edit.scope, None, None, timestamp, changes, None))


class Events:
    """The interface `runner:progress/events`."""

    def __init__(self, progress: Progress, wakes: Wakes) -> None:
        self._progress = progress
        self._wakes = wakes
        self.subscription = _Subscriptions(self)

    @_stored
    def publish(self, update: wit.ProgressUpdate) -> int:
        """Announces an update to all who want it and gives the id that it got."""
        check_scope(update.scope)
        check_progress(update.progress)
        check_timestamp(update.timestamp)
        for item in update.changes:
            check_change(item.section, item.key, item.value)
        return self._progress.bus.publish(update, kept=self._progress.has_bus)

    @_read
    def wakeful(self, max: int) -> list[int]:
        """Up to `max` tokens of subscriptions that have become ready since they were last named here or emptied."""
        return self._progress.bus.wakeful(self._wakes, max)

    @_stored
    def subscribe(self, options: wit.SubscriptionOptions, name: str | None = None) -> Subscription:
        """Subscribes to all updates from now on.

        A subscription with a `name` outlives the process: opened again it goes on where it was, and what was received
        and not acknowledged comes again. Whoever had the name before gets nothing any more. Fails with
        `invalid-argument` for a capacity out of range and with `permanent` where there is no bus.
        """
        if not self._progress.has_bus:
            raise failed(wit.ErrorKind.PERMANENT, "the flag runner.progress_bus is off")
        return Subscription(self._progress, self._progress.bus.open(self._wakes, options, name))

    @_stored
    def forget(self, name: str) -> bool:
        """Ends a subscription by its name, with all that it held. Returns whether there was one."""
        return self._progress.bus.forget(name)


class _Subscriptions:
    """What opens subscriptions for components."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def open(self, options: wit.SubscriptionOptions) -> Subscription:
        """Subscribes to all updates that are published from now on."""
        return self._events.subscribe(options)


class Subscription:
    """A queue of updates for one listener."""

    def __init__(self, progress: Progress, handle: Handle) -> None:
        self._progress = progress
        self._handle = handle

    def __enter__(self) -> Subscription:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def token(self) -> int:
        """The number by which `wakeful` names it."""
        return self._handle.token

    @_stored
    def recv(self, max: int) -> wit.Batch:
        """Takes up to `max` waiting updates. They are kept until they are acknowledged."""
        return self._progress.bus.recv(self._handle, max)

    @_read
    def ready(self) -> int:
        """How many updates wait to be taken."""
        return self._progress.bus.ready(self._handle)

    @_stored
    def ack(self, up_to: int) -> int:
        """Acknowledges all taken updates with an id up to `up_to` and gives how many those were.

        What has been acknowledged never comes again. Fails with `invalid-argument` for an id that has not been taken
        yet, and with `cancelled` where another holder has opened the name.
        """
        return self._progress.bus.ack(self._handle, up_to)

    @_stored
    def redeliver(self) -> int:
        """Puts what was taken and not acknowledged back in front of the queue and gives how many those are."""
        return self._progress.bus.redeliver(self._handle)

    def wait(self, seconds: float) -> bool:
        """Waits until something can be taken, whichever process published it. Returns whether there is something."""
        end = time.monotonic() + seconds
        while not self.ready():
            left = end - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(_GLANCE, left))
        return True

    def close(self) -> None:
        """Lets it go: without a name it is gone, with one it goes on holding updates."""
        if not self._progress.database.closed:
            self._close()

    @_stored
    def _close(self) -> None:
        self._progress.bus.close(self._handle)


class TelemetryService:
    """The interface `runner:progress/telemetry`."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._telemetry = Telemetry(progress.book, progress.bus)

    @_read
    def heartbeat(self, timestamp: int, active_flags: Sequence[str]) -> wit.Pulse:
        """Takes a sign of life at `timestamp`, in nanoseconds since the Unix epoch."""
        return self._telemetry.heartbeat(timestamp, active_flags)

    @_read
    def flush_metrics(self) -> list[wit.Metric]:
        """The figures since the last flush. Counters begin again at 0."""
        return self._telemetry.flush()

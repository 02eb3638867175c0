"""Conditions inside of the process that components wait for: a queue has something, a queue has room.

A set of pollables hears of them at once; whoever waits with system calls gets a descriptor.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable

from witgen.wasi.poll import Wants

__all__ = ["Signal"]

Listener = Callable[[object], None]


class Signal:
    """A condition that is met or not. A waitable that has one as its attribute ``signal`` is ready when it is set.

    All methods may be called by any thread. The descriptor is made when somebody needs it.
    """

    __slots__ = ("_descriptor", "_listeners", "_lock", "_set")

    def __init__(self) -> None:
        self._set = False
        self._descriptor = -1
        self._listeners: dict[object, Listener] = {}
        self._lock = threading.Lock()

    @property
    def is_set(self) -> bool:
        """Whether the condition is met."""
        return self._set

    def set(self) -> None:
        """The condition is met."""
        if self._set:
            return
        with self._lock:
            self._set = True
            listeners = list(self._listeners.items())
            if self._descriptor >= 0:
                os.eventfd_write(self._descriptor, 1)
        for entry, heard in listeners:
            heard(entry)

    def clear(self) -> None:
        """It is not met any more."""
        if not self._set:
            return
        with self._lock:
            self._set = False
            if self._descriptor >= 0:
                os.eventfd_read(self._descriptor)

    def wants(self) -> Wants:
        """What there is to wait for with system calls."""
        return None if self._set else (self.fileno(), select.POLLIN)

    def fileno(self) -> int:
        """A descriptor that is readable while the signal is set."""
        with self._lock:
            if self._descriptor < 0:
                self._descriptor = os.eventfd(int(self._set), os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            return self._descriptor

    def listen(self, heard: Listener, entry: object) -> None:
        """Has `heard` called with `entry` whenever the signal is set; for each entry once."""
        with self._lock:
            self._listeners[entry] = heard

    def ignore(self, entry: object) -> None:
        """Ends that."""
        with self._lock:
            self._listeners.pop(entry, None)

    def close(self) -> None:
        """Lets go of the descriptor."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        self.close()

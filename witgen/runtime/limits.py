"""How much an instance may use, and who enforces it: memory and fuel the engine, handles their table, time `deadlines`.

`Limits` is what a host says, `Meter` what one instance has used of it. A meter also holds the claim on its instance,
because a call begins and ends with it. It knows nothing of what is called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields

import wasmtime

from witgen.runtime.core import DEEP, Engine, Store
from witgen.runtime.deadlines import Deadline
from witgen.runtime.errors import LinkError

__all__ = ["DEFAULT", "Limits", "Meter"]

_PAGE = 1 << 16
_UNLIMITED_FUEL = (1 << 64) - 1
#: What wasmtime takes for "as it would have been".
_NOT_SET = -1


@dataclass(frozen=True, slots=True)
class Limits:
    """What an instance may use at most; None is no limit beyond that of the engine or the specification.

    `memory` is in bytes, for each linear memory, and `memories` their number; `table_elements` are for each table of
    core WebAssembly. `instances` counts core instances and, by themselves, those of components inside the component.
    `handles` are for each handle table. `seconds` is the time and `fuel` the number of steps of one call from the host,
    with all that belongs to it; making the instance is such a call, and so is dropping a resource.

    Raises ValueError for a limit that is not positive, TypeError for one that is not a number.
    """

    memory: int | None = 1 << 30
    memories: int | None = 100
    table_elements: int | None = 1_000_000
    instances: int | None = 1000
    handles: int | None = 1_000_000
    seconds: float | None = None
    fuel: int | None = None

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            wanted = (int, float) if item.name == "seconds" else int
            if value is not None and (not isinstance(value, wanted) or isinstance(value, bool)):
                raise TypeError(f"{item.name} is a number or None, not {value!r}")
            if value is not None and not 0 < value < 1 << 63:
                raise ValueError(f"{item.name} is {value}: a limit is more than 0, and None where there is none")


#: What holds for an instance where nothing else is said.
DEFAULT = Limits()


class Meter:
    """The claim on one instance, and what it uses.

    `enter` claims the instance for a call (IndexError: it is in use, or not usable any more; RecursionError: there is
    no `room` for the call), `leave` gives it back; it takes None.
    """

    __slots__ = ("_claim", "_deadline", "_instances", "_limits", "_memories", "_store", "enter", "leave")

    def __init__(self, store: Store, limits: Limits) -> None:
        """Makes the engine keep `limits` for a store. Raises ValueError if it lacks what they need."""
        engine = store.engine
        counts_fuel = isinstance(engine, Engine) and engine.counts_fuel
        if limits.fuel is not None and not counts_fuel:
            raise ValueError("the engine counts no fuel: a limit of fuel needs a component on new_engine(fuel=True)")
        self._store = store
        self._limits = limits
        self._memories: list[wasmtime.Memory] = []
        self._instances = 0
        self._deadline = Deadline(store, limits.seconds)
        timed = limits.seconds is not None
        self._claim = self._deadline.enter if timed else self._deadline.claim.take
        self.enter = _with_room(self._claim if limits.fuel is None else self._refuel)
        self.leave = self._deadline.leave if timed else self._deadline.claim.give
        store.set_limits(
            memory_size=_or_not_set(limits.memory),
            table_elements=_or_not_set(limits.table_elements),
            instances=_or_not_set(limits.instances),
            memories=_or_not_set(limits.memories),
        )
        if counts_fuel:
            store.set_fuel(_UNLIMITED_FUEL)

    def _refuel(self) -> None:
        """`enter` where there is a limit of fuel."""
        self._claim()
        assert self._limits.fuel is not None
        self._store.set_fuel(self._limits.fuel)

    def stop(self, reason: str) -> None:
        """As `Instance.stop`."""
        if not self._store.closed:
            self._deadline.stop(reason)

    @property
    def stopped(self) -> str | None:
        """The reason with which the instance was stopped from outside, if it was."""
        return self._deadline.stopped

    @property
    def ended(self) -> bool:
        """Whether no call is going on, and none will be."""
        return self._deadline.ended

    def close(self) -> None:
        """The instance has trapped, stays claimed and need not be looked after any more."""
        self._deadline.close()

    def count_instance(self) -> None:
        """Another component instance inside the component. Raises `LinkError` if that is too many."""
        self._instances += 1
        most = self._limits.instances
        if most is not None and self._instances > most:
            raise LinkError(f"the component consists of more than {most} components, which is the limit")

    def add_memory(self, memory: wasmtime.Memory) -> None:
        """A linear memory by which values cross."""
        if memory not in self._memories:
            self._memories.append(memory)

    @property
    def memory_size(self) -> int:
        """The bytes of the linear memories by which values cross; 0 once the store is closed."""
        if self._store.closed:
            return 0
        return sum(memory.data_len(self._store) for memory in self._memories)

    def near_limit(self) -> str | None:
        """Where the guest may have failed because it was refused memory: the size of the largest, and the limit."""
        most = self._limits.memory
        size = max((memory.data_len(self._store) for memory in self._memories), default=0)
        if most is None or 2 * size < most - _PAGE:
            return None
        return f"its memory has {size} bytes, and {most} are the limit"

    @property
    def fuel_used(self) -> int | None:
        """The fuel that the last call has used, or the present one so far; None where there is no limit of fuel."""
        most = self._limits.fuel
        return None if most is None else most - self._store.get_fuel()


def _with_room(claim: Callable[[], None]) -> Callable[[], None]:
    def enter() -> None:
        # `core.room`, without a frame of its own: calls are short.
        isinstance(None, DEEP)
        claim()

    return enter


def _or_not_set(limit: int | None) -> int:
    return _NOT_SET if limit is None else limit

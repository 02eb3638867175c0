"""A running component as its generated adapter sees it: made, claimed for one call at a time, asked for its exports.

`Instance` holds what is one for the whole, however many component instances it consists of: the store, the claim, the
exception that is on its way out. How it is put together is `linking`'s.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import wasmtime

from witgen.contract.verification import linker
from witgen.runtime.component import Component, Contract
from witgen.runtime.core import Store, signature
from witgen.runtime.errors import ComponentError, InstanceUnavailable, LinkError, Trap, UnsupportedComponent
from witgen.runtime.handles import MAX_HANDLES, ResourceType
from witgen.runtime.lifted import LiftedFunction
from witgen.runtime.limits import DEFAULT, Limits, Meter
from witgen.runtime.linking import ImportedFunction, Linker, member
from witgen.runtime.providers import HostFunction, Provider, Sources
from witgen.runtime.reexports import Relay

__all__ = ["Instance", "instance_of"]


class Instance:
    """A running component: its store, what it exports, and the claim of whoever is calling it."""

    def __init__(
        self,
        component: Component,
        contract: Contract,
        imports: Mapping[str, Mapping[str, HostFunction]],
        providers: Sequence[Provider] = (),
        limits: Limits = DEFAULT,
    ) -> None:
        """Instantiates `component` with the functions that `imports` holds by interface and name, and for what those
        have not with that of the first of `providers` that has it.

        Raises `ContractError` if the component was made for another contract, `LinkError` if it asks for something
        that is not there or for more than `limits` grant, `UnsupportedComponent` if it needs what this runtime lacks,
        `Trap` if its start fails, ValueError if its engine can't keep the `limits`.
        """
        if component.unsupported is not None:
            raise UnsupportedComponent(f"the component uses {component.unsupported}, which this runtime does not have")
        component.verify(contract, [provider.contract for provider in providers])
        self._sources = Sources(contract, imports, providers)
        self._sources.check(component)
        self.component = component
        self.store = Store(component.engine)
        self.contract = contract
        self.owners = self._sources.own.owners
        self.resources = self._sources.own.resources
        #: Resources (index and representation) of objects that were collected while the guest was in a call.
        self.orphans: list[tuple[int, Any]] = []
        self._poison: str | None = None
        self.meter = Meter(self.store, limits)
        self.enter = self.meter.enter
        self.leave = self.meter.leave
        self._linker = Linker(self, self._sources, limits.handles or MAX_HANDLES)
        self.enter()
        try:
            self._root = self._linker.run()
        except BaseException:
            self.meter.close()
            raise
        self.leave(None)
        self._links = linker(self._root)
        for index, (interface, name, host) in enumerate(contract.resources):
            if not host:
                self.resources[index] = self._exported_resource(interface, name, self.resources[index].name)
        own = zip(self.resources, contract.resources, strict=True)
        #: Where the resources that the component exports are defined.
        self._homes = {type_.home for type_, (_, _, host) in own if not host}

    @property
    def poison(self) -> str | None:
        """Why the instance can't be used any more, once it has trapped or was stopped."""
        return self._poison or self.meter.stopped

    @poison.setter
    def poison(self, reason: str) -> None:
        self._poison = reason
        self.meter.close()

    def stop(self, reason: str = "the host stopped it") -> None:
        """Ends the call that the instance is in, from any thread, and makes the instance unusable.

        The call raises a `Trap` with this reason as soon as the guest's code runs on, which is at once unless it is in
        host code. Does not wait for that. Raises ValueError if it is in a call, and its engine is not interruptible.
        """
        if self._poison is None:
            self.meter.stop(reason)

    def close(self, *, quietly: bool = False) -> None:
        """Ends the instance: drops what the guest still has of the host, and frees its memory. Again does no harm.

        Of the guest nothing runs any more, not even destructors of resources that it implements. Raises
        `InstanceUnavailable` if it is in a call, and what an object of the host raises when it is dropped, after all
        have been. `quietly` leaves an instance in a call to the garbage collector.
        """
        if self.store.closed:
            return
        try:
            self.enter()
        except IndexError:
            if not self.meter.ended:
                if quietly:
                    return
                raise InstanceUnavailable("the instance is in a call, and can't be closed") from None
        self.poison = self.poison or "the instance was closed"
        try:
            self._linker.drop_host_objects()
        finally:
            self.store.close()

    @property
    def memory_size(self) -> int:
        """The bytes of the guest's linear memories by which values cross, between calls; 0 once it is closed."""
        return self.meter.memory_size

    @property
    def fuel_used(self) -> int | None:
        """The fuel that the last call has used, or the present one so far; None where there is no limit of fuel."""
        return self.meter.fuel_used

    def export(self, interface: str, name: str, params: str, results: str) -> LiftedFunction:
        """The exported function `name` of an interface (``""``: of the world itself) with this core type."""
        full = f"{interface}#{name}" if interface else name
        function = self._exported(interface, name)
        post: wasmtime.Func | None
        if isinstance(function, ImportedFunction):
            relay = self._relay
            core, post = relay.core_function(function), relay.post_return(results)
            context = relay.context(self._sources.own)
        else:
            core, post = function.core, self._linker.post_return(function, results)
            context = self._linker.context(function.options, function.frame, self._sources.own)
        found = signature(self.store, core)
        if found != (params, results):
            raise LinkError(f"{full}: its core type is {found[0]}->{found[1]}, not {params}->{results}")
        borrows = any(home is not context.state for home in self._homes)
        return LiftedFunction(self, full, core, context, post, borrows)

    @functools.cached_property
    def _relay(self) -> Relay:
        return Relay(self, self._linker)

    def unwound(self, failure: ComponentError) -> BaseException:
        """What to raise where guest code did not return: the exception that made it unwind, or else `failure`.

        A trap without a function is one of this guest; with a function it was raised in host code, by another.
        """
        pending, self.store.pending = self.store.pending, None
        if isinstance(pending, Trap) and pending.function is None:
            # A trap inside names all frames of the store, those of whoever called it too.
            frames = failure.frames if isinstance(failure, Trap) else ()
            return Trap(pending.reason, frames=pending.frames or frames)
        return failure if pending is None else pending

    def _exported(self, interface: str, name: str) -> Any:
        exports = self._root.get(self._links(interface) or interface, {}) if interface else self._root
        found = member(exports, name)
        if found is None:
            raise LinkError(f"the component does not export {name} of {interface or 'its world'}")
        return found

    def _exported_resource(self, interface: str, name: str, shown: str) -> ResourceType:
        found = self._linker.resource(self._exported(interface, name))
        if found.home is not None:
            found.name = shown
        return found


def instance_of(adapter: object) -> Instance:
    """The instance behind an object of a generated world class. Raises TypeError if it is none."""
    found = getattr(adapter, "_instance", None)
    if not isinstance(found, Instance):
        raise TypeError(f"{adapter!r} is not an object of a generated world class")
    return found

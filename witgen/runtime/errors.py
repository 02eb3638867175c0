"""What can go wrong between a host and a component, as exceptions.

`ComponentError` is the root. Errors of the *values* that cross the boundary on purpose (the ``err`` of a ``result``)
are in `values`; nothing here is one of those.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "ComponentError",
    "ContractError",
    "InstanceUnavailable",
    "LinkError",
    "ResourceDropped",
    "Trap",
    "UnsupportedComponent",
]


class ComponentError(Exception):
    """A component can't be loaded or can't go on."""


class ContractError(ComponentError):
    """The component was built for another contract than the adapter. `differences` says where, one line each."""

    def __init__(self, world: str, differences: Sequence[str]) -> None:
        self.world = world
        self.differences = tuple(differences)
        lines = "".join(f"\n  {line}" for line in self.differences)
        super().__init__(f"the component does not implement the contract of world {world}:{lines}")

    def __reduce__(self) -> tuple[type[ContractError], tuple[str, tuple[str, ...]]]:
        return type(self), (self.world, self.differences)


class LinkError(ComponentError):
    """The component asks for something that it was not given."""


class UnsupportedComponent(ComponentError):
    """The component uses a feature of the component model that this runtime does not have; the message names it."""


class Trap(ComponentError):
    """The guest broke a rule or stopped itself. Its instance can't be used any more.

    `function` is the function that was called; `reason` is what the engine or the canonical ABI found.
    """

    def __init__(self, reason: str, function: str | None = None, frames: Sequence[str] = ()) -> None:
        self.reason = reason
        self.function = function
        self.frames = tuple(frames)
        super().__init__(reason if function is None else f"{function}: {reason}")

    def __reduce__(self) -> tuple[type[Trap], tuple[str, str | None, tuple[str, ...]]]:
        return type(self), (self.reason, self.function, self.frames)


class InstanceUnavailable(ComponentError):
    """The instance is in another call, or has trapped before."""


class ResourceDropped(ComponentError):
    """A handle was used after it was dropped or given away, or with an instance that it does not belong to."""

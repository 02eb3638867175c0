"""Components that are programs: they export `wasi:cli/run`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from witgen import runtime as rt
from witgen.wasi.bindings import command
from witgen.wasi.exit import Exit

__all__ = ["Command"]


class Command:
    """A program, instantiated and ready to be run once."""

    def __init__(self, component: rt.Component, *, providers: Sequence[rt.Provider] = ()) -> None:
        """Instantiates a component. What it imports comes from `providers`, the first that has it.

        Raises `rt.ContractError` if it does not export `wasi:cli/run`, `rt.LinkError` if it asks for what it is not
        given, and `rt.UnsupportedComponent` or `rt.Trap` if it can't be started.
        """
        self._command = command.Command(component, providers=providers)

    @classmethod
    def load(cls, path: str | Path, *, providers: Sequence[rt.Provider] = ()) -> Command:
        """Reads, compiles and instantiates the component in a file. Raises as the constructor, and OSError."""
        return cls(rt.Component.from_file(path), providers=providers)

    def run(self) -> int:
        """Runs the program; gives its exit status: 0 if it went well, 1 if it says that it did not, or its own.

        What it has left open is closed then. Raises `rt.Trap` if it traps, and `rt.InstanceUnavailable` if it was run
        before.
        """
        with self._command:
            try:
                self._command.run.run()
            except Exit as end:
                return end.status
            except rt.Err:
                return 1
            return 0

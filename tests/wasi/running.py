"""Guests of the tests of WASI as the tests run them."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from witgen import runtime as rt
from witgen import wasi


@dataclass(frozen=True)
class Outcome:
    """What a program has left behind: its exit status, or what it trapped with, and what it has written."""

    status: int | rt.Trap
    out: bytes
    error: bytes


class Program:
    """A program, such as `program.rs`."""

    def __init__(self, path: Path) -> None:
        self.path, self.component = path, rt.Component.from_file(path)

    def run(self, *arguments: str, filesystem: wasi.Filesystem | None = None, **cli: Any) -> Outcome:
        """Runs it with arguments, and with other things for `wasi.Cli`; output goes to memory if nothing is said.

        It has no folders if nothing is said.
        """
        out, error = io.BytesIO(), io.BytesIO()
        cli = {"arguments": ["program", *arguments], "stdout": out, "stderr": error, **cli}
        granted = wasi.provider(
            clocks=wasi.Clocks(),
            random=wasi.Random(),
            cli=wasi.Cli(**cli),
            filesystem=filesystem or wasi.Filesystem([]),
        )
        status: int | rt.Trap
        try:
            status = wasi.Command(self.component, providers=[granted]).run()
        except rt.Trap as trap:
            status = trap
        return Outcome(status, out.getvalue(), error.getvalue())


class Relay:
    """The guest `relay`."""

    def __init__(self, component: rt.Component, adapter: ModuleType) -> None:
        self.component, self.adapter = component, adapter

    def instance(self, *, clocks: Any = None, random: Any = None, **cli: Any) -> Any:
        """An instance with these things for `wasi.Cli`, its streams open. `event` makes what `poll` takes."""
        granted = wasi.provider(clocks=clocks or wasi.Clocks(), random=random or wasi.Random(), cli=wasi.Cli(**cli))
        instance = self.adapter.Relay(self.component, providers=[granted])
        instance.io.open()
        return instance

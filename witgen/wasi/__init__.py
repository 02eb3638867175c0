"""WASI 0.2 for components, by grant: interfaces of the host in Python, on generated adapters.

`provider` serves the packages that it is given an object for, and withholds the others. `Command` runs programs.
The package imports `witgen.runtime` and the standard library, and needs a system that has ``poll``.
"""

from witgen.wasi.cli import Cli
from witgen.wasi.clocks import Clocks
from witgen.wasi.command import Command
from witgen.wasi.exit import Exit
from witgen.wasi.filesystem import Filesystem, Preopen
from witgen.wasi.grants import provider
from witgen.wasi.poll import Pollable, Waitable
from witgen.wasi.random import Random
from witgen.wasi.sockets import Sockets

__all__ = [
    "Cli",
    "Clocks",
    "Command",
    "Exit",
    "Filesystem",
    "Pollable",
    "Preopen",
    "Random",
    "Sockets",
    "Waitable",
    "provider",
]

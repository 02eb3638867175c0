"""`wasi:cli`: what a program is started with, its standard streams, and its end.

Nothing is inherited from the process: a component gets the arguments, variables and streams that it is given here.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from witgen import runtime as rt
from witgen.wasi.bindings import host
from witgen.wasi.exit import Exit
from witgen.wasi.resource import Resource
from witgen.wasi.stdio import Endpoint, input_stream, is_terminal, output_stream

__all__ = ["Cli", "Terminal"]


class Terminal(Resource):
    """`terminal-input` and `terminal-output`: that a stream is a terminal, and no more than that."""

    kind = "terminal"


@dataclass(frozen=True, slots=True)
class Cli:
    """The grant of `wasi:cli`, and all of its interfaces.

    `arguments` begin with the name of the program, by custom. `stdin`, `stdout` and `stderr` are binary files
    (``sys.stdin.buffer``, an ``io.BytesIO``) or descriptors, which stay the caller's to close; None is an input at its
    end, and an output that goes nowhere. `working_directory` is a path as the component knows it. Raises TypeError for
    text files, and for arguments or variables that are not strings.
    """

    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    stdin: Endpoint = None
    stdout: Endpoint = None
    stderr: Endpoint = None
    working_directory: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.arguments, str):
            raise TypeError("arguments is one string, not a sequence of them")
        _check_strings("arguments", self.arguments)
        _check_strings("environment", (text for item in self.environment.items() for text in item))
        for name in ("stdin", "stdout", "stderr"):
            if isinstance(getattr(self, name), io.TextIOBase):
                raise TypeError(f"{name} is a text file; its attribute buffer is the binary file below")

    def get_arguments(self) -> Sequence[str]:
        """The arguments."""
        return self.arguments

    def get_environment(self) -> Sequence[tuple[str, str]]:
        """The variables."""
        return list(self.environment.items())

    def initial_cwd(self) -> str | None:
        """The working directory."""
        return self.working_directory

    def exit(self, status: rt.Ok[None] | rt.Err[None]) -> None:
        """Raises `Exit` with status 0 or 1."""
        raise Exit(0 if isinstance(status, rt.Ok) else 1)

    def exit_with_code(self, status_code: int) -> None:
        """Raises `Exit` with a status of 0..255."""
        raise Exit(status_code)

    def get_stdin(self) -> host.InputStream:
        """A new stream of the standard input."""
        return input_stream(self.stdin)

    def get_stdout(self) -> host.OutputStream:
        """A new stream to the standard output."""
        return output_stream(self.stdout)

    def get_stderr(self) -> host.OutputStream:
        """A new stream to the standard error."""
        return output_stream(self.stderr)

    def get_terminal_stdin(self) -> host.TerminalInput | None:
        """The terminal that is the standard input, if it is one."""
        return Terminal() if is_terminal(self.stdin) else None

    def get_terminal_stdout(self) -> host.TerminalOutput | None:
        """The terminal that is the standard output, if it is one."""
        return Terminal() if is_terminal(self.stdout) else None

    def get_terminal_stderr(self) -> host.TerminalOutput | None:
        """The terminal that is the standard error, if it is one."""
        return Terminal() if is_terminal(self.stderr) else None


def _check_strings(name: str, values: Iterable[object]) -> None:
    for value in values:
        if not isinstance(value, str):
            raise TypeError(f"{name} holds {value!r}, which is not a string")

"""The program `network.rs` as the tests run it: to its end, or in a thread with its output at hand."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from witgen import runtime as rt
from witgen import wasi
from witgen.wasi.bindings import host


class NoFiles:
    """A file system without folders. The library of programs asks for one as soon as they use sockets."""

    def get_directories(self) -> Sequence[tuple[host.Descriptor, str]]:
        return []

    def filesystem_error_code(self, err: host.ErrorError) -> host.TypesErrorCode | None:
        return None


class NetworkProgram:
    """The component, compiled once."""

    def __init__(self, path: Path) -> None:
        self.path, self.component = path, rt.Component.from_file(path)

    def run(self, sockets: wasi.Sockets, *arguments: str) -> list[str]:
        """Runs it; gives the lines that it has printed."""
        out = io.BytesIO()
        self._run(sockets, arguments, out)
        return out.getvalue().decode().splitlines()

    def start(self, sockets: wasi.Sockets, *arguments: str) -> Running:
        """Runs it in a thread."""
        return Running(self, sockets, arguments)

    def _run(self, sockets: wasi.Sockets, arguments: Sequence[str], out: BinaryIO) -> None:
        granted = wasi.provider(
            clocks=wasi.Clocks(),
            random=wasi.Random(),
            cli=wasi.Cli(arguments=["network", *arguments], stdout=out),
            filesystem=NoFiles(),
            sockets=sockets,
        )
        status = wasi.Command(self.component, providers=[granted]).run()
        assert status == 0, out


class Running:
    """A program in a thread. What it prints is read line by line; its end is waited for."""

    def __init__(self, program: NetworkProgram, sockets: wasi.Sockets, arguments: Sequence[str]) -> None:
        reader, writer = os.pipe()
        self._lines = open(reader, encoding="utf-8")  # noqa: PTH123, SIM115
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, args=(program, sockets, arguments, writer), daemon=True)
        self._thread.start()

    def _run(self, program: NetworkProgram, sockets: wasi.Sockets, arguments: Sequence[str], writer: int) -> None:
        try:
            with open(writer, "wb") as out:
                program._run(sockets, arguments, out)
        except BaseException as failure:
            self._failure = failure

    def line(self) -> str:
        """The next line that it prints."""
        return self._lines.readline().rstrip("\n")

    def port(self) -> int:
        """The port of the address that it prints next."""
        return int(self.line().rpartition(":")[2])

    def is_running(self) -> bool:
        return self._thread.is_alive()

    def end(self) -> list[str]:
        """Waits for the end; gives the lines that are left."""
        lines = self._lines.read().splitlines()
        self._lines.close()
        self._thread.join(60)
        if self._failure is not None:
            raise self._failure
        assert not self._thread.is_alive()
        return lines

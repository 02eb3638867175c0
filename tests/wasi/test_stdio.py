"""Standard streams on what a Python program has at hand."""

from __future__ import annotations

import gzip
import io
import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.wasi.pipes import pipe
from tests.wasi.running import Program, Relay
from witgen.wasi.stdio import descriptor_of, input_stream, is_terminal, output_stream


def test_a_compressed_file_is_read_and_written_through_its_own_methods(program: Program, tmp_path: Path) -> None:
    with gzip.open(tmp_path / "in.gz", "wb") as file:
        file.write(b"one\ntwo\n")
    with gzip.open(tmp_path / "in.gz", "rb") as source, gzip.open(tmp_path / "out.gz", "wb") as target:
        assert program.run("lines", stdin=source, stdout=target).status == 0
    with gzip.open(tmp_path / "out.gz", "rb") as file:
        assert file.read() == b"1: one\n2: two\n"


def test_a_temporary_file_is_written(program: Program) -> None:
    with tempfile.NamedTemporaryFile() as file:
        program.run("hello", "file", stdout=file)
        assert Path(file.name).read_bytes() == b"Hello, file!\n"


def test_the_reader_of_a_subprocess_gets_what_a_component_writes(program: Program) -> None:
    upper = "import sys; sys.stdout.write(sys.stdin.read().upper())"
    with subprocess.Popen([sys.executable, "-c", upper], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stdout is not None
        program.run("hello", "there", stdout=process.stdin)
        process.stdin.close()
        assert program.run("lines", stdin=process.stdout).out == b"1: HELLO, THERE!\n"


def test_what_python_has_buffered_comes_first(relay: Relay, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        stream = relay.instance(stdout=file).io
        file.write(b"host ")
        stream.blocking_write_and_flush(b"guest ")
        file.write(b"host ")
        stream.blocking_write_and_flush(b"guest")
    assert (tmp_path / "out").read_bytes() == b"host guest host guest"


def test_what_python_has_read_ahead_comes_first(relay: Relay) -> None:
    with pipe() as input, os.fdopen(input.read, "rb") as file:
        input.read = -1
        os.write(input.write, b"head\nrest ")
        assert file.readline() == b"head\n"
        os.write(input.write, b"of it")
        stream = relay.instance(stdin=file).io
        assert stream.read(100) == b"rest "
        assert stream.read(100) == b"of it"
        assert stream.read(100) == b""


def test_a_socket_serves_as_both_streams(relay: Relay) -> None:
    near, far = socket.socketpair()
    with near, far:
        stream = relay.instance(stdin=near.fileno(), stdout=near.fileno()).io
        assert stream.read(5) == b""
        far.sendall(b"question")
        assert stream.blocking_splice(100) == 8
        assert far.recv(100) == b"question"
        far.shutdown(socket.SHUT_WR)
        with pytest.raises(Exception, match="closed"):
            stream.blocking_read(1)


@pytest.mark.parametrize("blocking", [True, False])
def test_the_mode_of_a_descriptor_is_left_alone(program: Program, blocking: bool) -> None:
    with pipe() as input, pipe() as output:
        for descriptor in (input.read, output.write):
            os.set_blocking(descriptor, blocking)
        os.write(input.write, b"abc")
        input.close_write()
        program.run("copy", stdin=input.read, stdout=output.write)
        assert output.take(3) == b"abc"
        assert os.get_blocking(input.read) is os.get_blocking(output.write) is blocking


def test_streams_do_not_close_what_they_are_made_of(program: Program) -> None:
    out = io.BytesIO()
    with pipe() as input:
        input.close_write()
        program.run("copy", stdin=input.read, stdout=out)
        assert os.read(input.read, 1) == b""
    assert not out.closed


def test_a_closed_file_is_refused(relay: Relay, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        pass
    with pytest.raises(ValueError, match="closed file"):
        relay.instance(stdout=file)


def test_a_file_that_takes_nothing_is_an_error(relay: Relay) -> None:
    class Deaf(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            return 0

    stream = relay.instance(stdout=Deaf()).io
    with pytest.raises(Exception, match="Input/output error"):
        stream.blocking_write_and_flush(b"x")


def test_a_terminal_is_one(program: Program, relay: Relay) -> None:
    master, slave = os.openpty()
    try:
        assert program.run("terminals", stdin=slave, stderr=slave).out == b"true false true\n"
        with os.fdopen(os.dup(slave), "wb", buffering=0) as raw, os.fdopen(os.dup(slave), "wb") as buffered:
            assert relay.instance(stdout=raw, stderr=buffered).system.terminals() == (False, True, True)
        os.write(master, b"a line\n")
        stream = relay.instance(stdin=slave).io
        assert stream.blocking_read(100) == b"a line\n"
        assert stream.read(100) == b""
    finally:
        os.close(master)
        os.close(slave)


def test_only_plain_files_are_descriptors(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as plain, gzip.open(tmp_path / "out.gz", "wb") as packed:
        assert descriptor_of(plain) == plain.fileno()
        assert descriptor_of(packed) is None  # type: ignore[arg-type]
        assert not is_terminal(plain)
    assert descriptor_of(io.BytesIO()) is None
    assert descriptor_of(None) is None
    assert descriptor_of(7) == 7


def test_nothing_is_an_input_at_its_end_and_an_output_without_one() -> None:
    assert input_stream(None).subscribe().ready()
    target = output_stream(None)
    target.write(bytes(target.check_write()))
    assert target.check_write() > 0

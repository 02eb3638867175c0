"""Programs of the standard library, on the WASI that they are granted."""

from __future__ import annotations

import io
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.guests.family import World, build_family, has_std
from tests.wasi.running import Program
from witgen import runtime as rt
from witgen import wasi


def test_a_program_prints(program: Program) -> None:
    found = program.run("hello", "world", "all")
    assert (found.status, found.out, found.error) == (0, b"Hello, world and all!\n", b"")


def test_a_program_gets_the_arguments_and_variables_that_it_is_given_and_no_others(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "of the host")
    assert program.run("arguments", "ä b", "").out.decode() == '["program", "arguments", "ä b", ""]\n'
    assert program.run("environment").out == b"[]\n"
    found = program.run("environment", environment={"NAME": "ä", "EMPTY": ""})
    assert found.out.decode() == '[("EMPTY", ""), ("NAME", "ä")]\n'


def test_a_program_reads_lines_from_memory(program: Program) -> None:
    assert program.run("lines", stdin=io.BytesIO(b"one\ntwo\n\nlast")).out == b"1: one\n2: two\n3: \n4: last\n"


def test_a_program_without_input_is_at_its_end(program: Program) -> None:
    assert program.run("lines").out == b""


@pytest.mark.parametrize("buffering", [0, -1])
def test_a_program_reads_a_file(program: Program, tmp_path: Path, buffering: int) -> None:
    data = os.urandom(1_000_003)
    (tmp_path / "data").write_bytes(data)
    with (tmp_path / "data").open("rb", buffering=buffering) as file:
        assert program.run("count", stdin=file).out.decode() == f"{len(data)} {sum(data)}\n"


@pytest.mark.parametrize("buffering", [0, -1])
def test_a_program_writes_a_file(program: Program, tmp_path: Path, buffering: int) -> None:
    data = os.urandom(100_003)
    with (tmp_path / "data").open("wb", buffering=buffering) as file:
        file.write(b"before ")
        assert program.run("copy", stdin=io.BytesIO(data), stdout=file).status == 0
        file.write(b" after")
    assert (tmp_path / "data").read_bytes() == b"before " + data + b" after"


def test_a_program_waits_for_input_from_a_pipe(program: Program) -> None:
    read, write = os.pipe()

    def feed() -> None:
        for part in (b"first li", b"ne\nsecond", b" line\n"):
            time.sleep(0.02)
            os.write(write, part)
        os.close(write)

    thread = threading.Thread(target=feed)
    thread.start()
    found = program.run("lines", stdin=read)
    thread.join()
    os.close(read)
    assert found.out == b"1: first line\n2: second line\n"


def test_a_program_waits_for_a_slow_reader(program: Program) -> None:
    read, write = os.pipe()
    got = bytearray()

    def drain() -> None:
        time.sleep(0.05)
        while data := os.read(read, 30_000):
            got.extend(data)

    thread = threading.Thread(target=drain)
    thread.start()
    found = program.run("fill", "300", stdout=write)
    os.close(write)
    thread.join()
    os.close(read)
    assert (found.status, bytes(got)) == (0, b"x" * 300_000)


def test_a_program_learns_that_nobody_reads_its_output(program: Program) -> None:
    read, write = os.pipe()
    os.close(read)
    found = program.run("fill", "300", stdout=write)
    os.close(write)
    assert found.status == 1
    assert b"BrokenPipe" in found.error or b"Closed" in found.error or b"WriteZero" in found.error, found


def test_a_program_sleeps_and_tells_the_time(program: Program) -> None:
    before = time.time_ns()
    slept, now = map(int, program.run("time", "20").out.split())
    assert slept >= 20_000_000
    assert before <= now <= time.time_ns()


def test_the_hash_maps_of_a_program_are_seeded(program: Program) -> None:
    assert len({program.run("numbers").out for _ in range(4)}) > 1


def test_files_are_no_terminals(program: Program) -> None:
    assert program.run("terminals").out == b"false false false\n"


def test_a_program_fails_by_what_main_returns(program: Program) -> None:
    found = program.run("fail", "not today")
    assert (found.status, found.error) == (1, b'Error: "not today"\n')


def test_a_program_exits(program: Program) -> None:
    assert program.run("exit", "0").status == 0
    found = program.run("exit", "3")
    # The standard library says only whether it went well.
    assert (found.status, found.out) == (1, b"not flushed")


def test_a_panic_is_a_trap_with_the_message_on_stderr(program: Program) -> None:
    found = program.run("panic", "what a pity")
    assert isinstance(found.status, rt.Trap)
    assert b"what a pity" in found.error


def test_a_program_that_has_exited_can_not_be_run_again(program: Program) -> None:
    command = wasi.Command(
        program.component,
        providers=[
            wasi.provider(clocks=wasi.Clocks(), random=wasi.Random(), cli=wasi.Cli(["program", "exit", "0"])),
        ],
    )
    assert command.run() == 0
    with pytest.raises(rt.InstanceUnavailable, match="Exit"):
        command.run()


def test_what_is_not_granted_is_named_before_anything_runs(program: Program) -> None:
    out = io.BytesIO()
    cli = wasi.Cli(["program", "hello"], stdout=out)
    with pytest.raises(rt.LinkError) as caught:
        wasi.Command(program.component, providers=[wasi.provider(cli=cli)])
    refused = [line.strip() for line in str(caught.value).splitlines()[1:]]
    assert [line.partition("@")[0] for line in refused] == [
        "wasi:clocks/monotonic-clock",
        "wasi:clocks/wall-clock",
        "wasi:random/insecure-seed",
    ]
    assert all(line.endswith("not granted") for line in refused)
    assert not out.getvalue()


def test_one_interface_can_be_withheld(program: Program) -> None:
    granted = wasi.provider(clocks=wasi.Clocks(), random=wasi.Random(), cli=wasi.Cli()).withhold("wasi:cli/environment")
    with pytest.raises(rt.LinkError, match=r"wasi:cli/environment.*not granted"):
        wasi.Command(program.component, providers=[granted])


def test_a_component_that_is_no_program_is_no_command() -> None:
    empty = rt.Component(b"\0asm\x0d\0\1\0", name="empty")
    with pytest.raises(rt.ContractError, match="wasi:cli/run"):
        wasi.Command(empty)


def test_a_library_of_the_standard_library_beside_imports_of_its_own(tmp_path: Path) -> None:
    if not has_std():
        pytest.skip("no standard library for wasm32-wasip2 on this machine")
    world = World("std-guest", build_family(tmp_path, ["std-guest"])["std-guest"], tmp_path)
    wit, error = world.adapter, io.BytesIO()

    class Values:
        def lookup(self, v: str) -> Any:
            if not v:
                raise wit.ProblemException(wit.Problem.EMPTY)
            return wit.Entry(v, ["x", "y", "x"])

    granted = wasi.provider(clocks=wasi.Clocks(), random=wasi.Random(), cli=wasi.Cli(stderr=error))
    guest = wit.StdGuest(world.component, wit.StdGuestImports(values=Values()), providers=[granted])
    found = guest.values.lookup("a")
    assert (found.name, found.tags) == ("a", ["x 2", "y 1"])
    with pytest.raises(wit.ProblemException) as caught:
        guest.values.lookup("")
    assert caught.value.value is wit.Problem.EMPTY
    assert b"empty" in error.getvalue().lower()

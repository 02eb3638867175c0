"""The rules of streams, as the documentation of `wasi:io` has them, by a real guest on real pipes and files."""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import os
import threading
from pathlib import Path

import pytest

from tests.wasi.pipes import pipe
from tests.wasi.running import Relay
from witgen import runtime as rt
from witgen.wasi.io import CHUNK, IoError
from witgen.wasi.poll import background

HUGE = 2**64 - 1

# Reading


def test_a_read_gives_what_is_there_and_does_not_wait(relay: Relay) -> None:
    with pipe() as input:
        stream = relay.instance(stdin=input.read).io
        assert stream.read(10) == b""
        os.write(input.write, b"abcdef")
        assert stream.read(4) == b"abcd"
        assert stream.read(HUGE) == b"ef"
        assert stream.read(10) == b""


def test_a_blocking_read_waits_for_one_byte_at_least(relay: Relay) -> None:
    with pipe() as input:
        thread = threading.Timer(0.02, os.write, (input.write, b"abc"))
        thread.start()
        assert relay.instance(stdin=input.read).io.blocking_read(HUGE) == b"abc"
        thread.join()


@pytest.mark.parametrize("read", ["read", "blocking_read", "skip", "blocking_skip"])
def test_a_stream_at_its_end_is_closed_and_stays_so(relay: Relay, read: str) -> None:
    with pipe() as input:
        stream = relay.instance(stdin=input.read).io
        os.write(input.write, b"abc")
        input.close_write()
        assert stream.read(10) == b"abc"
        assert stream.read(0) == b"", "nobody has seen the end yet"
        for size in (1, 0, HUGE):
            with pytest.raises(rt.Err, match="closed"):
                getattr(stream, read)(size)


@pytest.mark.parametrize("read", ["read", "blocking_read"])
def test_reading_nothing_takes_nothing_and_does_not_wait(relay: Relay, read: str) -> None:
    with pipe() as input:
        stream = relay.instance(stdin=input.read).io
        assert getattr(stream, read)(0) == b""
        os.write(input.write, b"abc")
        assert getattr(stream, read)(0) == b""
        assert stream.read(5) == b"abc"


def test_skipping_is_reading_without_the_bytes(relay: Relay) -> None:
    with pipe() as input:
        stream = relay.instance(stdin=input.read).io
        assert stream.skip(5) == 0
        os.write(input.write, b"abcdef")
        assert stream.skip(2) == 2
        assert stream.blocking_skip(3) == 3
        assert stream.blocking_skip(0) == 0
        assert stream.read(9) == b"f"


def test_one_read_carries_so_much_and_no_more(relay: Relay, tmp_path: Path) -> None:
    data = os.urandom(2 * CHUNK + 1)
    (tmp_path / "data").write_bytes(data)
    with (tmp_path / "data").open("rb") as file:
        stream = relay.instance(stdin=file.fileno()).io
        parts = [stream.read(HUGE) for _ in range(3)]
    assert [len(part) for part in parts] == [CHUNK, CHUNK, 1]
    assert b"".join(parts) == data


def test_a_failed_read_says_why_once_and_closes_the_stream(relay: Relay, tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    stream = relay.instance(stdin=folder).io
    with pytest.raises(rt.Err, match="Is a directory"):
        stream.read(1)
    with pytest.raises(rt.Err, match="closed"):
        stream.read(1)
    os.close(folder)


# Writing


def test_a_write_needs_a_permit(relay: Relay) -> None:
    with pipe() as output:
        instance = relay.instance(stdout=output.write)
        with pytest.raises(rt.Trap, match="write: 1 bytes are more than the 0 that check-write has permitted"):
            instance.io.write(b"x")


@pytest.mark.parametrize("zeroes", [False, True])
def test_a_write_beyond_the_permit_traps(relay: Relay, zeroes: bool) -> None:
    stream = relay.instance(stdout=io.BytesIO()).io
    permit = stream.check_write()
    with pytest.raises(rt.Trap, match=f"{permit + 1} bytes are more than the {permit}"):
        stream.write_zeroes(permit + 1) if zeroes else stream.write(bytes(permit + 1))


def test_a_permit_is_used_up(relay: Relay) -> None:
    out = io.BytesIO()
    stream = relay.instance(stdout=out).io
    permit = stream.check_write()
    stream.write(b"abc")
    stream.write_zeroes(permit - 3)
    stream.write(b"")
    with pytest.raises(rt.Trap, match="1 bytes are more than the 0"):
        stream.write(b"x")
    assert out.getvalue() == b"abc" + bytes(permit - 3)


def test_zeroes_without_end_take_no_memory_of_the_host(relay: Relay) -> None:
    stream = relay.instance(stdout=io.BytesIO()).io
    stream.check_write()
    with pytest.raises(rt.Trap, match="write"):
        stream.write_zeroes(HUGE)


def test_a_full_pipe_permits_nothing_until_somebody_reads(relay: Relay) -> None:
    wit = relay.adapter
    with pipe() as output:
        stream = relay.instance(stdout=output.write).io
        size = output.fill()
        assert stream.check_write() == 0
        assert not stream.ready(wit.Event_Output())
        output.take(size)
        stream.block(wit.Event_Output())
        assert stream.check_write() > 0


def test_what_was_permitted_and_found_no_room_is_kept_and_comes_in_order(relay: Relay) -> None:
    wit = relay.adapter
    with pipe() as output:
        stream = relay.instance(stdout=output.write).io
        size = output.fill()
        output.take(8192)
        data = os.urandom(stream.check_write())
        stream.write(data)
        assert stream.check_write() == 0, "most of it can't be in the pipe yet"
        assert not stream.ready(wit.Event_Output())
        got = output.take(size - 8192)
        while len(got) < size - 8192 + len(data):
            # The component moves on what is kept, by asking whether it may go on.
            stream.check_write()
            got += os.read(output.read, 10_000)
        assert got == bytes(size - 8192) + data
        stream.block(wit.Event_Output())
        assert stream.check_write() > 0


def test_what_is_kept_goes_while_the_component_waits_for_something_else(relay: Relay) -> None:
    wit = relay.adapter
    with pipe() as input, pipe() as output:
        stream = relay.instance(stdin=input.read, stdout=output.write).io
        size = output.fill()
        output.take(4096)
        question = os.urandom(stream.check_write())
        stream.write(question)
        stream.flush()
        heard: list[bytes] = []

        def answer() -> None:
            heard.append(output.take(size - 4096 + len(question)))
            os.write(input.write, b"answer")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        assert stream.poll([wit.Event_Input(), wit.Event_After(60_000_000_000)]) == [0]
        assert stream.read(100) == b"answer"
        thread.join()
        assert heard == [bytes(size - 4096) + question]
    assert not background


def test_several_threads_that_wait_write_what_is_kept_once(relay: Relay) -> None:
    wit = relay.adapter
    with pipe() as output:
        writer = relay.instance(stdout=output.write).io
        size = output.fill()
        output.take(4096)
        data = os.urandom(writer.check_write())
        writer.write(data)
        with contextlib.ExitStack() as stack:
            inputs = [stack.enter_context(pipe()) for _ in range(4)]
            waiting = [relay.instance(stdin=input.read).io for input in inputs]
            threads = [threading.Thread(target=one.block, args=(wit.Event_Input(),)) for one in waiting]
            for thread in threads:
                thread.start()
            assert output.take(size - 4096 + len(data)) == bytes(size - 4096) + data
            for input in inputs:
                input.close_write()
            for thread in threads:
                thread.join()
        assert output.is_empty()


def test_what_an_instance_keeps_is_forgotten_with_it(relay: Relay) -> None:
    with pipe() as output:
        instance = relay.instance(stdout=output.write)
        output.fill()
        output.take(4096)
        instance.io.write(bytes(instance.io.check_write()))
        assert background
        del instance
        gc.collect()
        relay.instance().io.block(relay.adapter.Event_After(1))
        assert not background


@pytest.mark.parametrize("end", ["poll", "blocking_flush", "blocking_write_and_flush"])
def test_waiting_moves_on_what_is_kept(relay: Relay, end: str) -> None:
    wit = relay.adapter
    with pipe() as output:
        stream = relay.instance(stdout=output.write).io
        size = output.fill()
        output.take(4096)
        data = os.urandom(stream.check_write())
        stream.write(data)
        got: list[bytes] = []
        thread = threading.Thread(target=lambda: got.append(output.take(size - 4096 + len(data))))
        thread.start()
        match end:
            case "poll":
                stream.poll([wit.Event_Output()])
            case "blocking_flush":
                stream.blocking_flush()
            case _:
                stream.blocking_write_and_flush(b"the end")
        thread.join()
        assert got == [bytes(size - 4096) + data]
        if end == "blocking_write_and_flush":
            assert output.take(7) == b"the end"


def test_a_flush_that_is_not_done_takes_the_permit_back(relay: Relay) -> None:
    with pipe() as output:
        stream = relay.instance(stdout=output.write).io
        output.fill()
        output.take(4096)
        permit = stream.check_write()
        stream.write(bytes(permit - 1))
        stream.flush()
        assert stream.check_write() == 0
        with pytest.raises(rt.Trap, match="1 bytes are more than the 0"):
            stream.write(b"x")


def test_a_flush_with_nothing_kept_is_done_at_once(relay: Relay, tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        stream = relay.instance(stdout=file).io
        stream.write(bytes(stream.check_write() - 3))
        stream.flush()
        stream.write(b"end")
        stream.blocking_flush()
        assert (tmp_path / "out").read_bytes()[-3:] == b"end"


def test_blocking_writes_take_4096_bytes_at_most(relay: Relay) -> None:
    out = io.BytesIO()
    stream = relay.instance(stdout=out).io
    stream.blocking_write_and_flush(b"x" * 4096)
    stream.blocking_write_zeroes_and_flush(4096)
    assert out.getvalue() == b"x" * 4096 + bytes(4096)
    with pytest.raises(rt.Trap, match="blocking-write-and-flush: 4097 bytes are more than 4096"):
        stream.blocking_write_and_flush(bytes(4097))
    with pytest.raises(rt.Trap, match=f"blocking-write-zeroes-and-flush: {HUGE} bytes are more than 4096"):
        relay.instance(stdout=out).io.blocking_write_zeroes_and_flush(HUGE)


@pytest.mark.parametrize("call", ["check_write", "flush", "blocking_flush", "blocking_write_and_flush"])
def test_a_pipe_that_nobody_reads_is_a_closed_stream(relay: Relay, call: str) -> None:
    wit = relay.adapter
    with pipe() as output:
        stream = relay.instance(stdout=output.write).io
        output.fill()
        output.take(4096)
        stream.write(bytes(stream.check_write()))
        output.close_read()
        assert stream.ready(wit.Event_Output())
        for _ in range(2):
            with pytest.raises(rt.Err, match="closed"):
                getattr(stream, call)(*([b"x"] if "write_and" in call else []))
            call = "check_write"
        assert stream.ready(wit.Event_Output()), "a closed stream is always ready"


def test_a_write_into_a_stream_that_closed_since_the_permit_is_told_so(relay: Relay) -> None:
    with pipe() as output:
        stream = relay.instance(stdout=output.write).io
        assert stream.check_write() > 0
        output.close_read()
        with pytest.raises(rt.Err, match="closed"):
            stream.write(b"x")


def test_a_failed_write_says_why_once_and_closes_the_stream(relay: Relay) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        stream = relay.instance(stdout=full).io
        assert stream.check_write() > 0
        with pytest.raises(rt.Err, match=os.strerror(errno.ENOSPC)):
            stream.write(b"x")
        with pytest.raises(rt.Err, match="closed"):
            stream.check_write()


def test_a_component_can_let_go_of_a_stream_that_keeps_bytes(relay: Relay) -> None:
    with pipe() as output:
        stream = relay.instance(stdout=output.write).io
        size = output.fill()
        output.take(4096)
        stream.write(b"x" * stream.check_write())
        output.take(size - 4096)
        stream.open()
        # Dropping has written what there was room for by then.
        assert output.take(8192) == b"x" * 8192


# From one to the other


def test_a_splice_moves_what_is_there(relay: Relay) -> None:
    out = io.BytesIO()
    with pipe() as input:
        stream = relay.instance(stdin=input.read, stdout=out).io
        assert stream.splice(10) == 0
        os.write(input.write, b"abcdef")
        assert stream.splice(0) == 0
        assert stream.splice(4) == 4
        assert stream.splice(HUGE) == 2
        assert out.getvalue() == b"abcdef"
        input.close_write()
        with pytest.raises(rt.Err, match="closed"):
            stream.splice(1)
        stream.blocking_write_and_flush(b" goes on")
        assert out.getvalue() == b"abcdef goes on"


def test_a_splice_takes_nothing_where_there_is_no_room(relay: Relay) -> None:
    with pipe() as input, pipe() as output:
        stream = relay.instance(stdin=input.read, stdout=output.write).io
        os.write(input.write, b"abc")
        output.fill()
        assert stream.splice(10) == 0
        assert stream.read(10) == b"abc"


def test_a_blocking_splice_waits_for_both_sides(relay: Relay) -> None:
    with pipe() as input, pipe() as output:
        stream = relay.instance(stdin=input.read, stdout=output.write).io
        size = output.fill()

        def act() -> None:
            output.take(size)
            os.write(input.write, b"abc")

        thread = threading.Timer(0.02, act)
        thread.start()
        assert stream.blocking_splice(HUGE) == 3
        thread.join()
        assert output.take(3) == b"abc"


def test_a_blocking_splice_from_a_stream_at_its_end_says_so(relay: Relay) -> None:
    stream = relay.instance(stdout=io.BytesIO()).io
    with pytest.raises(rt.Err, match="closed"):
        stream.blocking_splice(1)


# Errors


def test_an_error_tells_nothing_of_the_paths_of_the_host() -> None:
    try:
        Path("/no/such/secret").read_bytes()
    except OSError as error:
        assert IoError(error).to_debug_string() == os.strerror(errno.ENOENT)
        assert IoError(error).error is error
    assert IoError(TimeoutError()).to_debug_string() == "TimeoutError"

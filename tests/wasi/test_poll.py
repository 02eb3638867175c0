"""Waiting: for descriptors and deadlines, by real guests on real pipes and sockets."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from typing import Any

import pytest

from tests.wasi.pipes import pipe
from tests.wasi.running import Relay
from witgen import runtime as rt
from witgen import wasi
from witgen.wasi.poll import Poll
from witgen.wasi.stdio import input_stream, output_stream

FOREVER = 2**64 - 1
SECOND = 1_000_000_000


def test_polling_nothing_traps(relay: Relay) -> None:
    with pytest.raises(rt.Trap, match="poll: the list of pollables is empty"):
        relay.instance().io.poll([])


def test_poll_names_all_that_are_ready_and_no_others(relay: Relay) -> None:
    wit = relay.adapter
    with pipe() as input, pipe() as output:
        io = relay.instance(stdin=input.read, stdout=output.write).io
        assert io.poll([wit.Event_Input(), wit.Event_Output(), wit.Event_After(0), wit.Event_After(FOREVER)]) == [1, 2]
        os.write(input.write, b"x")
        output.fill()
        assert io.poll([wit.Event_After(FOREVER), wit.Event_Input(), wit.Event_Output()]) == [1]
        output.take(20_000)
        assert io.poll([wit.Event_Input(), wit.Event_Output(), wit.Event_Input()]) == [0, 1, 2]


def test_poll_waits_for_the_first_of_several(relay: Relay) -> None:
    wit = relay.adapter
    with pipe() as input:
        io = relay.instance(stdin=input.read).io
        thread = threading.Timer(0.02, os.write, (input.write, b"x"))
        thread.start()
        assert io.poll([wit.Event_After(60 * SECOND), wit.Event_Input()]) == [1]
        thread.join()


def test_a_deadline_ends_a_wait_for_a_silent_pipe(relay: Relay) -> None:
    wit = relay.adapter
    with pipe() as input:
        instance = relay.instance(stdin=input.read)
        before = instance.system.now()
        assert instance.io.poll([wit.Event_Input(), wit.Event_After(3_000_000)]) == [1]
        assert instance.system.now() - before >= 3_000_000


@pytest.mark.parametrize("nanoseconds", [0, 1, 1_500_000])
def test_a_wait_for_a_deadline_is_never_too_short(relay: Relay, nanoseconds: int) -> None:
    wit = relay.adapter
    instance = relay.instance()
    before = instance.system.now()
    instance.io.block(wit.Event_After(nanoseconds))
    then = instance.system.now()
    assert then - before >= nanoseconds
    assert instance.io.ready(wit.Event_At(then))
    assert not instance.io.ready(wit.Event_At(then + 60 * SECOND))


def test_the_end_of_a_pipe_and_a_reader_who_is_gone_are_news(relay: Relay) -> None:
    wit = relay.adapter
    with pipe() as input, pipe() as output:
        io = relay.instance(stdin=input.read, stdout=output.write).io
        output.fill()
        assert not io.ready(wit.Event_Input())
        assert not io.ready(wit.Event_Output())
        input.close_write()
        output.close_read()
        assert io.poll([wit.Event_Input(), wit.Event_Output()]) == [0, 1]


def test_a_descriptor_that_is_closed_under_the_stream_is_ready_to_say_so(relay: Relay) -> None:
    wit = relay.adapter
    with pipe() as input:
        io = relay.instance(stdin=input.read).io
        input.close_read()
        io.block(wit.Event_Input())
        with pytest.raises(rt.Err, match="Bad file descriptor"):
            io.read(1)


def test_both_directions_of_one_descriptor_are_told_apart() -> None:
    near, far = socket.socketpair()
    with near, far:
        reading = input_stream(near.fileno()).subscribe()
        writing = output_stream(near.fileno()).subscribe()
        assert Poll().poll([reading, writing]) == [1]
        far.send(b"x")
        assert Poll().poll([reading, writing]) == [0, 1]


def test_a_pollable_of_a_class_of_ones_own_derives_from_waitable() -> None:
    class Always(wasi.Waitable):
        def wants(self) -> None:
            return None

    class Stranger:
        def ready(self) -> bool:
            return True

        def block(self) -> None: ...

    assert Poll().poll([wasi.Pollable(Always())]) == [0]
    with pytest.raises(TypeError, match="Stranger"):
        Poll().poll([Stranger()])


@pytest.mark.parametrize("event", ["Input", "Output"])
def test_a_stream_that_is_dropped_before_its_pollable_traps(relay: Relay, event: str) -> None:
    kind = f"{event.lower()}-stream"
    with pytest.raises(rt.Trap, match=f"{kind} dropped before the 1 resource"):
        relay.instance().io.orphan(getattr(relay.adapter, f"Event_{event}")())


def test_a_pollable_of_a_clock_depends_on_no_stream(relay: Relay) -> None:
    relay.instance().io.orphan(relay.adapter.Event_After(0))


@pytest.mark.parametrize("silent", [True, False])
def test_an_interrupt_from_the_keyboard_ends_a_wait(relay: Relay, silent: bool) -> None:
    wit = relay.adapter
    with pipe() as input:
        instance = relay.instance(stdin=input.read if silent else None)
        event = wit.Event_Input() if silent else wit.Event_After(60 * SECOND)
        threading.Timer(0.05, _interrupt).start()
        before = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            instance.io.block(event)
        assert time.monotonic() - before < 30


def test_other_threads_run_while_a_component_waits(relay: Relay) -> None:
    wit = relay.adapter
    with pipe() as first, pipe() as second:
        reader, writer = relay.instance(stdin=first.read, stdout=second.write), relay.instance(stdin=second.read)
        found: list[Any] = []
        thread = threading.Thread(target=lambda: found.append(writer.io.blocking_read(10)))
        thread.start()
        os.write(first.write, b"passed on")
        reader.io.block(wit.Event_Input())
        assert reader.io.blocking_splice(100) == 9
        thread.join()
        assert found == [b"passed on"]


def _interrupt() -> None:
    # As the system does it: a signal to the process, whose handler runs in the main thread.
    os.kill(os.getpid(), signal.SIGINT)

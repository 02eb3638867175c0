"""The poll set: which keys it gives, when, and how often it asks the system."""

from __future__ import annotations

import select
import socket
import threading
import time
import tracemalloc
from collections.abc import Iterator

import pytest
from runner.host import PollSet, Signal

from witgen import runtime as rt
from witgen.wasi import Clocks, Pollable, Sockets, Waitable
from witgen.wasi.bindings import host
from witgen.wasi.poll import Wants, background, wait

MILLISECOND = 1_000_000


class Readable(Waitable):
    """A socket that is waited for until it can be read; it counts how often it was asked what it waits for."""

    def __init__(self, sock: socket.socket, mask: int = select.POLLIN) -> None:
        self.sock = sock
        self.mask = mask
        self.asked = 0

    def wants(self) -> Wants:
        self.asked += 1
        return self.sock.fileno(), self.mask


class At(Waitable):
    """A point in time, this many nanoseconds from now."""

    def __init__(self, after: int) -> None:
        self.at = time.monotonic_ns() + after

    def wants(self) -> Wants:
        return self.at if self.at > time.monotonic_ns() else None


class Always(Waitable):
    def wants(self) -> Wants:
        return None


@pytest.fixture
def poll_set() -> Iterator[PollSet]:
    made = PollSet()
    yield made
    made.close()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, two = socket.socketpair()
    with one, two:
        one.setblocking(False)
        yield one, two


Pair = tuple[socket.socket, socket.socket]


def test_a_key_is_given_once_and_again_when_it_is_rearmed(poll_set: PollSet, pair: Pair) -> None:
    poll_set.add(7, Pollable(Readable(pair[0])))
    assert poll_set.take([], 8) == []
    pair[1].send(b"x")
    assert poll_set.take([], 8) == [7]
    assert poll_set.take([], 8) == []
    assert poll_set.take([7], 8) == [7]
    pair[0].recv(1)
    assert poll_set.take([7], 8) == []


def test_a_key_that_is_not_rearmed_wakes_nobody(poll_set: PollSet, pair: Pair) -> None:
    poll_set.add(7, Pollable(Readable(pair[0])))
    pair[1].send(b"x")
    assert poll_set.take([], 8) == [7]
    assert not poll_set.wait(0.01)
    assert not select.select([poll_set], [], [], 0.01)[0]
    assert poll_set.take([7], 8) == [7]


def test_the_keys_that_waited_longest_come_first_and_no_more_than_were_asked_for(poll_set: PollSet) -> None:
    for key in (5, 3, 9):
        poll_set.add(key, Pollable(Always()))
    assert poll_set.take([], 2) == [5, 3]
    assert poll_set.take([5], 2) == [9, 5]


def test_no_key_is_given_where_none_is_asked_for(poll_set: PollSet) -> None:
    poll_set.add(1, Pollable(Always()))
    assert poll_set.take([], 0) == []
    assert poll_set.take([], 1) == [1]


def test_both_directions_of_a_socket_have_keys_of_their_own(poll_set: PollSet, pair: Pair) -> None:
    poll_set.add(1, Pollable(Readable(pair[0])))
    poll_set.add(2, Pollable(Readable(pair[0], select.POLLOUT)))
    assert poll_set.take([], 8) == [2]
    pair[1].send(b"x")
    assert poll_set.take([], 8) == [1]
    assert sorted(poll_set.take([1, 2], 8)) == [1, 2]
    poll_set.remove(2)
    assert poll_set.take([1, 2], 8) == [1]


def test_a_key_that_is_removed_is_not_given_any_more(poll_set: PollSet, pair: Pair) -> None:
    pair[1].send(b"x")
    poll_set.add(1, Pollable(Readable(pair[0])))
    poll_set.add(2, Pollable(Always()))
    assert poll_set.wait(1)
    poll_set.remove(1)
    poll_set.remove(2)
    poll_set.remove(3)
    assert poll_set.take([1, 2, 3], 8) == []


def test_another_pollable_takes_the_place_of_one_with_the_same_key(poll_set: PollSet, pair: Pair) -> None:
    poll_set.add(1, Pollable(Always()))
    poll_set.add(1, Pollable(Readable(pair[0])))
    assert poll_set.take([], 8) == []


def test_the_number_of_a_descriptor_may_be_used_again(poll_set: PollSet) -> None:
    for _ in range(3):
        one, two = socket.socketpair()
        two.send(b"x")
        poll_set.add(1, Pollable(Readable(one)))
        assert poll_set.take([], 8) == [1]
        # Closed before it is removed, as no component may do it.
        one.close()
        two.close()
    one, two = socket.socketpair()
    with one, two:
        poll_set.add(2, Pollable(Readable(one)))
        two.send(b"x")
        assert poll_set.take([], 8) == [2]


def test_a_deadline_is_a_key_like_any_other(poll_set: PollSet) -> None:
    later, sooner = At(10_000_000 * MILLISECOND), At(20 * MILLISECOND)
    poll_set.add(1, Pollable(later))
    poll_set.add(2, Pollable(sooner))
    assert poll_set.take([], 8) == []
    assert poll_set.deadline() == sooner.at
    assert poll_set.wait(5)
    assert poll_set.take([], 8) == [2]
    assert time.monotonic_ns() >= sooner.at
    assert poll_set.deadline() == later.at
    poll_set.remove(1)
    assert poll_set.deadline() is None


def test_deadlines_that_are_replaced_do_not_pile_up(poll_set: PollSet) -> None:
    tracemalloc.start()
    try:
        for after in range(20_000):
            poll_set.add(1, Pollable(At((1000 + after) * 1000 * MILLISECOND)))
            if after == 1000:
                before, _ = tracemalloc.get_traced_memory()
        assert tracemalloc.get_traced_memory()[0] < before + 200_000
    finally:
        tracemalloc.stop()
    deadline = poll_set.deadline()
    assert deadline is not None and deadline > time.monotonic_ns() + 20_000_000 * MILLISECOND


def test_a_set_is_waited_for_like_anything_else(poll_set: PollSet, pair: Pair) -> None:
    poll_set.add(1, Pollable(Readable(pair[0])))
    pollable = poll_set.subscribe()
    assert not pollable.ready()
    threading.Timer(0.02, pair[1].send, [b"x"]).start()
    pollable.block()
    assert poll_set.take([], 8) == [1]


def test_a_set_with_a_deadline_is_waited_for_until_one_or_the_other(poll_set: PollSet, pair: Pair) -> None:
    poll_set.add(1, Pollable(Readable(pair[0])))
    poll_set.add(2, Pollable(At(10_000_000 * MILLISECOND)))
    threading.Timer(0.02, pair[1].send, [b"x"]).start()
    poll_set.subscribe().block()
    assert poll_set.take([], 8) == [1]
    poll_set.add(3, Pollable(At(20 * MILLISECOND)))
    poll_set.subscribe().block()
    assert poll_set.take([], 8) == [3]


def test_a_set_in_a_set_is_ready_when_it_has_a_key(poll_set: PollSet, pair: Pair) -> None:
    inner = PollSet()
    inner.add(1, Pollable(Readable(pair[0])))
    inner.add(2, Pollable(At(20 * MILLISECOND)))
    poll_set.add(9, inner.subscribe())
    assert poll_set.take([], 8) == []
    assert poll_set.wait(5)
    assert poll_set.take([], 8) == [9]
    assert inner.take([], 8) == [2]
    pair[1].send(b"x")
    assert poll_set.take([9], 8) == [9]
    poll_set.remove(9)
    inner.close()


def test_a_wait_ends_when_somebody_wakes_it(poll_set: PollSet) -> None:
    threading.Timer(0.02, poll_set.wake).start()
    assert not poll_set.wait(20)
    poll_set.wake()
    # Nobody may lose it to a `take` in between.
    assert poll_set.take([], 8) == []
    assert not poll_set.wait(20)


def test_a_signal_is_heard_at_once_and_from_any_thread(poll_set: PollSet) -> None:
    class Flagged(Waitable):
        def __init__(self) -> None:
            self.signal = Signal()

        def wants(self) -> Wants:
            return self.signal.wants()

    flagged = Flagged()
    poll_set.add(1, Pollable(flagged))
    assert poll_set.take([], 8) == []
    threading.Timer(0.02, flagged.signal.set).start()
    assert poll_set.wait(20)
    assert poll_set.take([], 8) == [1]
    flagged.signal.clear()
    assert poll_set.take([1], 8) == []
    flagged.signal.set()
    assert select.select([poll_set], [], [], 20)[0]
    assert poll_set.take([], 8) == [1]
    # Those who wait with system calls hear of it too.
    assert wait([flagged]) == [0]


def test_what_is_busy_costs_no_question_for_what_is_idle(poll_set: PollSet) -> None:
    pairs = [socket.socketpair() for _ in range(200)]
    sources = [Readable(one) for one, _ in pairs]
    for key, source in enumerate(sources):
        poll_set.add(key, Pollable(source))
    before = sum(source.asked for source in sources)
    keys: list[int] = []
    for _ in range(50):
        pairs[3][1].send(b"x")
        keys = list(poll_set.take(keys, 8))
        assert keys == [3]
        pairs[3][0].recv(1)
    assert sum(source.asked for source in sources) - before == 49
    for pair in pairs:
        for sock in pair:
            sock.close()


def test_output_that_was_accepted_before_there_was_room_goes_while_the_set_waits(poll_set: PollSet) -> None:
    sockets = Sockets(connect=["127.0.0.1:*"])
    listener = socket.create_server(("127.0.0.1", 0))
    client = sockets.create_tcp_socket(host.IpAddressFamily.IPV4)
    address = host.IpSocketAddress_Ipv4(host.Ipv4SocketAddress(listener.getsockname()[1], (127, 0, 0, 1)))
    client.start_connect(sockets.instance_network(), address)
    peer, _ = listener.accept()
    wait([client])  # type: ignore[list-item]
    incoming, outgoing = client.finish_connect()
    total = 0
    while not background:
        size = outgoing.check_write()
        outgoing.write(bytes(size))
        total += size
    poll_set.add(1, incoming.subscribe())
    got = 0
    peer.settimeout(5)
    while got < total:
        assert not poll_set.wait(0.001)
        got += len(peer.recv(1 << 16))
    assert not poll_set.wait(0.001)
    assert not background
    poll_set.remove(1)
    peer.close()
    listener.close()


def test_a_pollable_of_another_kind_is_refused(poll_set: PollSet) -> None:
    with pytest.raises(TypeError, match="does not say what it waits for"):
        poll_set.add(1, object())


def test_the_clock_of_the_host_has_pollables_for_it(poll_set: PollSet) -> None:
    poll_set.add(1, Clocks().monotonic.subscribe_duration(10 * MILLISECOND))
    assert poll_set.wait(5)
    assert poll_set.take([], 1) == [1]


def test_what_a_dropped_set_held_is_dropped_with_it(pair: Pair) -> None:
    made = PollSet()
    parent = Pollable(Readable(pair[0]))
    child = Pollable(Readable(pair[0]), parent)
    made.add(1, child)
    with pytest.raises(rt.Trap):
        parent.close()
    made.close()
    parent.close()
